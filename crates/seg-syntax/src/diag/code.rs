//! The one registry of diagnostic codes.
//!
//! A row is a variant, its number (never reused: E0106 is gone), its slug, and
//! its title.
//! The page `docs/errors/<number>.md` belongs to it; `cargo xtask tidy` checks
//! that it exists, and the tests run the examples on it.

use super::Severity;
use std::fmt;

macro_rules! codes {
    ($($variant:ident $number:literal $slug:literal $title:literal;)*) => {
        /// A registered kind of problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        /// Every code, in numeric order.
        pub const ALL_CODES: &[Code] = &[$(Code::$variant,)*];

        impl Code {
            /// The identity people search for, such as `E0201`.
            pub fn number(self) -> &'static str {
                match self { $(Code::$variant => $number,)* }
            }

            /// The fault in a few hyphenated words.
            pub fn slug(self) -> &'static str {
                match self { $(Code::$variant => $slug,)* }
            }

            /// The fault in one line.
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)* }
            }
        }
    };
}

codes! {
    UnknownCharacter "E0001" "unknown-character" "A character that means nothing in Seg";
    UnterminatedText "E0002" "unterminated-text" "A text that is never closed";
    CurlyQuotes "E0003" "curly-quotes" "Curly quotes instead of straight ones";
    CommaInNumber "E0004" "comma-in-number" "A comma inside a number";
    NumberRunsIntoWord "E0005" "number-runs-into-word" "A number that runs into a word";
    InvalidUtf8 "E0006" "invalid-utf8" "A file that is not UTF-8 text";

    UnexpectedText "E0100" "unexpected-text" "Something that does not fit here";
    UnclosedBracket "E0101" "unclosed-bracket" "A bracket that is opened and never closed";
    StrayBracket "E0102" "stray-bracket" "A closing bracket that nothing opened";
    TextOutsideItem "E0103" "text-outside-item" "Text before the first segment";
    MixedAndOr "E0104" "mixed-and-or" "`and` and `or` at one level";
    DetachedValue "E0105" "detached-value" "A value after `or` that belongs to nothing";
    MistakenSymbol "E0107" "mistaken-symbol" "A symbol or word from another language";
    BareNumber "E0108" "bare-number" "A number that could be read two ways";
    CountNeedsTimes "E0109" "count-needs-times" "A count without `times`";
    WindowNeedsThePast "E0110" "window-needs-the-past" "A length of time that is not tied to anything";
    LastNeedsNumber "E0111" "last-needs-number" "`in the last week` without a number";
    TailAfterComparison "E0112" "tail-after-comparison" "A window in the wrong place";
    WindowOnBrackets "E0113" "window-on-brackets" "A window after brackets";
    RepeatedTail "E0114" "repeated-tail" "Two of what there can be one of";
    MisplacedWords "E0115" "misplaced-words" "Words that do not fit together";
    MinusNeedsSpaces "E0116" "minus-needs-spaces" "A minus without spaces around it";
    ComparedWithOthers "E0117" "compared-with-others" "A comparison with other people";

    UnknownName "E0201" "unknown-name" "A name that the schema does not have";
    UnknownProperty "E0202" "unknown-property" "A property that the event does not have";
    UnknownSegment "E0203" "unknown-segment" "A segment that does not exist";
    DuplicateSegment "E0204" "duplicate-segment" "Two segments of one name";
    SegmentCycle "E0205" "segment-cycle" "Segments that refer to each other in a circle";
    AmbiguousName "E0206" "ambiguous-name" "A name that fits two things";
    PropertyOutsideWhere "E0207" "property-outside-where" "A property that stands outside its `where`";

    UnknownDefinition "E0208" "unknown-definition" "A definition that does not exist";
    DefinitionCycle "E0209" "definition-cycle" "Definitions that use each other in a circle";
    WrongValues "E0210" "wrong-values" "A definition used with too many or too few values";
    UnknownList "E0211" "unknown-list" "A list that is not declared";
    DuplicateDeclaration "E0212" "duplicate-declaration" "Two declarations of one name";
    UnknownChannel "E0213" "unknown-channel" "A channel that the schema does not declare";
    ArchivedReference "E0214" "archived-reference" "A reference to an archived segment";
    EmptyTest "E0215" "empty-test" "A test that expects nothing or is judged at no instant";

    TypeMismatch "E0301" "type-mismatch" "Two values that cannot be compared";
    OperatorNeedsType "E0302" "operator-needs-type" "An operator used on the wrong kind of value";
    ValueNotAllowed "E0303" "value-not-allowed" "A value that the schema does not allow";
    WrongCurrency "E0304" "wrong-currency" "An amount in another currency";
    NumberOutOfRange "E0305" "number-out-of-range" "A number that is too large or too fine";
    BadPattern "E0306" "bad-pattern" "A pattern that cannot be understood";
    BadArithmetic "E0307" "bad-arithmetic" "Arithmetic on values that have none";
    NeedsComparison "E0308" "needs-comparison" "A value where a condition is needed";
    NotAnEvent "E0309" "not-an-event" "Something that fits events only";
    EmptyRange "E0310" "empty-range" "A range that holds nothing";

    MissingZone "E0401" "missing-zone" "A calendar word without a time zone";
    BadDate "E0402" "bad-date" "A date or time of day that does not exist";
    HoursOnDate "E0403" "hours-on-date" "Hours, minutes or seconds on a calendar day";
    UnclearWindow "E0404" "unclear-window" "Words that seem to cover two conditions";
    DurationOutOfRange "E0405" "duration-out-of-range" "A length of time that is too long";
    ExactAgo "E0406" "exact-ago" "An exact length of time ago";

    UnknownZone "E0407" "unknown-zone" "A time zone that does not exist";
    UnclearLimit "E0408" "unclear-limit" "A limit that may still be running";
    UnclearTense "E0409" "unclear-tense" "A past tense that does not say when";
    NoHistory "E0410" "no-history" "A former value of which no history is kept";

    NegativeOnMissing "E0501" "negative-on-missing" "A negative word on a value that may be missing";
    UnclearNegative "E0502" "unclear-negative" "A negative that seems to cover two things";

    NestingTooDeep "E0601" "nesting-too-deep" "Brackets nested too deeply";
    ItemTooLong "E0602" "item-too-long" "A segment that is too long";
    FileTooLong "E0603" "file-too-long" "A file that is too long";
    TooMuchArithmetic "E0604" "too-much-arithmetic" "More arithmetic in one value than is allowed";
    TooManySteps "E0605" "too-many-steps" "More events in a row than are allowed";
    TooManyUses "E0606" "too-many-uses" "Definitions that are written out too often";

    SchemaSyntax "E0701" "schema-syntax" "A schema that cannot be read";
    SchemaName "E0702" "schema-name" "A name in the schema that cannot be used";
    SchemaReference "E0703" "schema-reference" "A schema that refers to something it lacks";
    SchemaValue "E0704" "schema-value" "A value in the schema that does not fit";
    ProjectFile "E0705" "project-file" "A `seg.toml` that cannot be used";
    UnreadableList "E0706" "unreadable-list" "A list whose file cannot be read";
    FrozenMeaning "E0707" "frozen-meaning" "A frozen segment that has changed its meaning";
    InexactInTime "E0708" "inexact-in-time" "A segment that cannot be kept exactly as time passes";
    NotInSql "E0709" "not-in-sql" "A segment that a database cannot say exactly";

    NoPurchaseExclusion "W0801" "no-purchase-exclusion" "People who have bought are still in";
    NoConsent "W0802" "no-consent" "A channel without its consent";
    BroadEvent "W0803" "broad-event" "An event that nearly everyone does";
    NeverTrue "W0804" "never-true" "A segment that nobody can be in";
    AlwaysTrue "W0805" "always-true" "A segment that leaves nobody out";
    ImpliedCondition "W0806" "implied-condition" "A condition that changes nothing";
    BeyondRetention "W0807" "beyond-retention" "A window longer than data is kept";
    UnusedSegment "W0808" "unused-segment" "A segment that nothing uses";
    SilentName "W0809" "silent-name" "A name that does not say of when";
    TooManyConditions "W0810" "too-many-conditions" "More conditions than one can read";
    SameMeaning "W0811" "same-meaning" "Two segments of one meaning";
    LateEvent "W0812" "late-event" "An event that may still arrive, used negatively";
    YearlyDay "W0813" "yearly-day" "A day of every year that is asked for with its year";
    ShareOfNothing "W0814" "share-of-nothing" "A share that people without any events meet";
    NameSaysOtherwise "W0815" "name-says-otherwise" "A name that says what no condition does";
    FirstSeenUnsaid "W0816" "first-seen-unsaid" "First seen, where the schema does not say when";

    NameNeedsQuotes "W1701" "name-needs-quotes" "A name that must be quoted in sentences";
    NotLocked "W1702" "not-locked" "A frozen segment that the lock does not hold";
}

impl Code {
    /// Whether problems of this kind stop a run.
    pub fn severity(self) -> Severity {
        if self.number().starts_with('W') { Severity::Warning } else { Severity::Error }
    }

    /// Looks a code up by its number (in any case) or its slug.
    pub fn find(text: &str) -> Option<Code> {
        ALL_CODES.iter().copied().find(|c| c.number().eq_ignore_ascii_case(text) || c.slug().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ascend_and_slugs_are_unique() {
        let numbers: Vec<_> = ALL_CODES.iter().map(|c| c.number()).collect();
        assert!(numbers.windows(2).all(|w| w[0] < w[1]), "{numbers:?}");
        let mut slugs: Vec<_> = ALL_CODES.iter().map(|c| c.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), ALL_CODES.len());
    }

    #[test]
    fn a_code_is_found_by_number_and_slug() {
        assert_eq!(Code::find("e0201"), Some(Code::UnknownName));
        assert_eq!(Code::find("unknown-name"), Some(Code::UnknownName));
        assert_eq!(Code::find("E9999"), None);
    }
}
