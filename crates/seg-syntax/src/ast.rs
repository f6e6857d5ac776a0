//! The AST: what was written, before anyone asks what it means.
//!
//! Names are unresolved: whether `Order Completed` is an event and
//! `total spent` an attribute is for `seg-hir` to say. The tree keeps the order
//! of the sentence and nothing of its spelling that has no meaning.

use crate::source::Span;

mod history;
mod item;
mod phrases;
mod print;
mod time;

pub use history::{Changed, Copula, Often, Past, Tense};
pub use item::{
    Definition, Expectation, Expected, Fact, FactTime, FactValue, Header, ListDeclaration, Overlap, Precedence,
    Profile, Rule, Segment, SizeChange, Test, Used,
};
pub use time::{Age, CalendarUnit, DatedOp, Duration, FromNow, Periods, Quantity, Recurring, Unit, Window};

/// One source file: its items in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct File {
    /// Every item, broken ones included.
    pub items: Vec<Item>,
}

/// A declaration.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all items are segments")]
pub enum Item {
    /// `segment "…"`
    Segment(Segment),
    /// `define "…" as …`
    Definition(Definition),
    /// `list "…" from "…"`
    List(ListDeclaration),
    /// `everyone on … must …`
    Rule(Rule),
    /// `when people are in several, prefer …`
    Precedence(Precedence),
    /// `test "…"`
    Test(Test),
    /// Something that did not parse; the name it declares if that can be told.
    Error {
        /// The whole item.
        span: Span,
        /// `VIP` in `segment "VIP" …`.
        declares: Option<String>,
    },
}

/// A text in quotes, as a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Title {
    /// Without its quotes.
    pub text: String,
    /// With its quotes.
    pub span: Span,
}

/// A condition or a combination of conditions.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// `everyone`
    Everyone(Span),
    /// `in segment "…"`
    InSegment(Title),
    /// `in a random 10% of people, by "…"`
    Sample(Sample),
    /// `within 25 km of (…)`, of the place that the schema declares.
    Near(Near),
    /// `"bought in" (30 days)`: a definition with its values.
    Use(Use),
    /// One condition about a person.
    Condition(Box<Condition>),
    /// `not (…)`, `not in segment …`
    Not(Box<Expr>, Span),
    /// Several conditions.
    Group(Group),
    /// Something reported already.
    Error(Span),
}

impl Expr {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Expr::Everyone(span) | Expr::Error(span) | Expr::Not(_, span) => *span,
            Expr::InSegment(title) => title.span,
            Expr::Sample(sample) => sample.span,
            Expr::Near(near) => near.span,
            Expr::Use(used) => used.span,
            Expr::Condition(condition) => condition.span,
            Expr::Group(group) => group.span,
        }
    }
}

impl Expr {
    /// What brackets hold when they were put around one operand: no condition,
    /// but something to calculate or compare with. An aggregate takes along
    /// what is said of its events.
    pub fn as_operand(&self) -> Option<Operand> {
        let Expr::Condition(c) = self else { return None };
        if c.quantity.is_some() || c.prefix.negative.is_some() {
            return None;
        }
        match &c.subject.kind {
            OperandKind::Aggregate(aggregate)
                if !c.modifiers.iter().any(|t| matches!(t.kind, ModifierKind::Comparison(_))) =>
            {
                let mut aggregate = aggregate.clone();
                aggregate.modifiers.extend(c.modifiers.iter().cloned());
                Some(Operand { kind: OperandKind::Aggregate(aggregate), span: c.span })
            }
            _ if c.modifiers.is_empty() => Some(c.subject.clone()),
            _ => None,
        }
    }
}

/// A part of all people that depends on nothing but their ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// `10` in `10%`, as written.
    pub percent: String,
    /// Whether it is `the other` part: all but those of the sample of the rest.
    pub is_other: bool,
    /// What it is drawn by.
    pub name: Title,
    /// Its position in the text, from its first word to its last.
    pub span: Span,
}

/// A circle on the globe.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// How far, as written.
    pub distance: String,
    /// The unit that the distance is given in.
    pub unit: DistanceUnit,
    /// Degrees north, as written.
    pub latitude: String,
    /// Degrees east, as written.
    pub longitude: String,
    /// Its position in the text, from its first word to its last.
    pub span: Span,
}

/// Units of distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum DistanceUnit {
    Kilometers,
    Miles,
    Meters,
}

/// A definition used with values.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The definition's name.
    pub name: Title,
    /// One for each of its parameters.
    pub values: Vec<LiteralAt>,
    /// Its position in the text, from its first word to its last.
    pub span: Span,
}

/// Conditions combined.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// How many of its members must hold.
    pub quantifier: Quantifier,
    /// At least one.
    pub members: Vec<Expr>,
    /// How they were put together.
    pub form: GroupForm,
    /// The whole group.
    pub span: Span,
}

/// How the conditions of a group were put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupForm {
    /// `A and B`, in which words may seem to reach over a member's end.
    Chain,
    /// `all of (A, B)`
    List,
    /// Comparisons of one value, said once: `plan is "pro" or "team"`.
    Compound,
    /// Verbs joined by `or` that may share what stands behind the last: `opened or clicked
    /// an email`.
    Verbs,
    /// What is said of one event, named once: `ordered in the past 3 weeks but not in the
    /// past week`.
    Carried,
}

/// How the members of a group combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// `and`, `all of`
    All,
    /// `or`, `any of`
    Any,
    /// `none of`
    None,
    /// `at least 2 of`: so many of them, up to so many.
    Cardinality {
        /// At least so many of the members must hold.
        min: u64,
        /// At most so many may hold; without a limit where there is none.
        max: Option<u64>,
    },
}

/// A subject and what is said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The words before the subject.
    pub prefix: Prefix,
    /// `at least 3` in `at least 3 Product Viewed`.
    pub quantity: Option<Quantity>,
    /// What it is about.
    pub subject: Operand,
    /// The subject with the word behind it that may be the last of its name, as `in` is in
    /// `logged in at least 2 times`: who knows the names says whether it is.
    pub particle: Option<Name>,
    /// What is said, in the order written.
    pub modifiers: Vec<Modifier>,
    /// The whole condition.
    pub span: Span,
}

/// What the words before a subject say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prefix {
    /// `not`, `never`, `no`.
    pub negative: Option<(Negative, Span)>,
    /// `did`, `has done`, `performed`: the subject is something that happened.
    pub did: Option<Span>,
    /// `is`, `was`, `has been`.
    pub copula: Option<Span>,
    /// `their`: the subject belongs to the person.
    pub their: bool,
    /// `whose`: so it does.
    pub whose: bool,
    /// All of them; empty where nothing was written.
    pub span: Option<Span>,
}

/// A negative word before a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Negative {
    /// `did not do`, `not`
    Not,
    /// `never`: also says `ever`
    Never,
    /// `no`
    No,
}

/// Something that has a value or that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Operand {
    /// Which kind of value or event it names.
    pub kind: OperandKind,
    /// Its position in the text.
    pub span: Span,
}

/// The kinds of operand.
#[derive(Debug, Clone, PartialEq)]
pub enum OperandKind {
    /// A bare name: attribute, property or event.
    Name(Name),
    /// A literal. A text may also turn out to be a quoted name.
    Literal(Literal),
    /// `total_spent divided by total_orders`
    Arithmetic(ArithmeticOp, Box<Operand>, Box<Operand>),
    /// `total amount of Order Completed …`
    Aggregate(Box<Aggregate>),
    /// `their last 3 Order Completed`
    FirstOrLastN(Box<FirstOrLastN>),
    /// `any of (Email Opened, Email Clicked)`: several events as one.
    Events(Vec<Name>),
    /// `anything`: every event of the schema.
    Anything,
    /// `any of products`: the lines of an event, of which `has` says something.
    Items(Quantifier, Name),
    /// `usual gap between Order Completed`; without an event, of the one that
    /// the comparison is about.
    UsualGap(Option<Box<Operand>>),
    /// `time since their last Order Completed`
    Elapsed(Name),
    /// `anniversary of birthday`
    Anniversary(Name),
    /// `(…)` around conditions or arithmetic, with modifiers after it.
    Bracketed(Box<Expr>),
    /// Something reported already.
    Error,
}

/// A name as written, with single spaces between its words.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    /// The words.
    pub text: String,
    /// Whether it stood in quotes.
    pub is_quoted: bool,
    /// Whether `their` stood before it.
    pub their: bool,
    /// Its position in the text.
    pub span: Span,
}

/// A value that is written out.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `"shoes"`
    Text(String),
    /// `500`, `2.5`, `two`: decimal digits, perhaps a sign and a point.
    Number(String),
    /// `500 EUR`
    Amount {
        /// As in [`Literal::Number`].
        digits: String,
        /// Three capital letters.
        currency: String,
    },
    /// `10%`
    Percent(String),
    /// `true`
    Boolean(bool),
    /// `30 days`
    Duration(Duration),
    /// `2026-11-27`, `2026-11-27 14:00`, with `Z` or an offset or without: as
    /// written, checked by whoever knows the zone.
    Date(DateLiteral),
}

/// A date, perhaps with a time of day.
#[derive(Debug, Clone, PartialEq)]
pub struct DateLiteral {
    /// `2026-11-27`
    pub day: String,
    /// `14:00`, `14:00:30Z`
    pub clock: Option<String>,
}

/// The four operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ArithmeticOp {
    Plus,
    Minus,
    Times,
    DividedBy,
}

/// A value computed over events.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// What is computed.
    pub function: AggregateFunction,
    /// Over which value of each event; none for a count.
    pub measure: Option<Operand>,
    /// Of which events.
    pub event: Operand,
    /// What was said of the events, when the aggregate stood in brackets:
    /// `(total amount of Order Completed in the past 30 days)`.
    pub modifiers: Vec<Modifier>,
    /// The words as one name, for an attribute that happens to be called so.
    pub as_name: Name,
}

/// The aggregate functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum AggregateFunction {
    Count,
    CountDifferent,
    Total,
    Average,
    Smallest,
    Largest,
    MostFrequent,
}

/// `their last 3 Order Completed`
#[derive(Debug, Clone, PartialEq)]
pub struct FirstOrLastN {
    /// From which end.
    pub end: End,
    /// How many events from that end of the history.
    pub n: u32,
    /// Of which events.
    pub event: Operand,
}

/// One end of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum End {
    First,
    Last,
}

/// Something said of a subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Modifier {
    /// Which of the things that can be said of a subject it says.
    pub kind: ModifierKind,
    /// Its position in the text.
    pub span: Span,
}

/// The kinds of modifier.
#[derive(Debug, Clone, PartialEq)]
pub enum ModifierKind {
    /// `is at least 500`
    Comparison(Comparison),
    /// `in the past 3 days`
    Window(Window),
    /// `not within the past 2 hours`
    NotWindow(Window),
    /// `where category is "shoes"`, `with category "shoes"`
    Where(Expr),
    /// `had category "shoes"`
    Had(Expr),
    /// `at least 2 times`
    Count(Quantity),
    /// `on at least 5 different days`
    DifferentPeriods(Quantity, Unit),
    /// `for the first time`
    FirstTime,
    /// `then Added to Cart`
    Then(Operand),
    /// `not followed by Order Completed`
    Followed(Followed),
    /// `with no Order Completed in between`, of a step and the one before.
    NoneBetween(Between),
    /// `in any order`, of several events.
    AnyOrder,
    /// `within 2 hours`, of one thing or another
    Within(Within),
    /// `all in the past 7 days`
    AllIn(Window),
    /// `with the same order_id`
    Same(Name),
    /// `and the 2 hours are over`; without a length, `even while they run`.
    Limit(Option<Duration>),
    /// `on a weekend`, `between 18:00 and 23:00`
    Recurring(Recurring),
    /// `not on a weekend`
    NotRecurring(Recurring),
    /// `in at least 3 of the past 5 weeks`; without a quantity, in each.
    Regular(Option<Quantity>, Periods),
    /// `3 times a week`
    CountPer(Quantity, Unit),
    /// `in Europe/Paris time`
    Zone(String),
    /// `at any time`, `changed from "free" to "pro"`: of the values that an attribute had
    Past(Past),
}

/// `followed by …`, `preceded by …`, `with no … since`.
#[derive(Debug, Clone, PartialEq)]
pub struct Followed {
    /// Whether it must not be so.
    pub not: bool,
    /// Whether the other event comes before.
    pub is_before: bool,
    /// Whether it was written `with no … since`.
    pub is_since: bool,
    /// The other event.
    pub event: Operand,
}

/// Which events are not between two steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Between {
    /// Of which names.
    pub event: Operand,
    /// What of them alone counts.
    pub filter: Option<Box<Modifier>>,
}

/// `within` and a length of time, that is not the past.
#[derive(Debug, Clone, PartialEq)]
pub struct Within {
    /// What must lie within it.
    pub of: WithinOf,
    /// The length of time that must not be exceeded.
    pub length: Duration,
}

/// What lies within a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithinOf {
    /// `within 2 hours`: this step, of the one before.
    Step,
    /// `each within 2 hours`
    Each,
    /// `all within 2 hours`
    All,
    /// `within any 2 hours`
    Any,
}

/// `is …`, `contains …`: said of a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Its verb, where it has one: `is`, `has been`.
    pub copula: Option<Copula>,
    /// `not`, and where.
    pub not: Option<Span>,
    /// What the value is compared by.
    pub relation: Relation,
    /// `ignoring case`, and where.
    pub ignoring_case: Option<Span>,
    /// `or unknown`, and where.
    pub or_unknown: Option<Span>,
}

impl Comparison {
    /// A relation with nothing else said.
    pub fn of(relation: Relation, not: Option<Span>) -> Comparison {
        Comparison { copula: None, not, relation, ignoring_case: None, or_unknown: None }
    }
}

/// How a value is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Relation {
    /// `is known`
    Known,
    /// `is missing`
    Missing,
    /// `are empty`: of a list that it has no items, of a text that it is missing.
    Empty(Emptiness),
    /// `is known but not "US"`: the relation that must not hold.
    KnownButNot(Box<Relation>),
    /// `is 3`, `is at least 500`
    Order(OrderOp, Operand),
    /// `is between 10 and 20`
    Between(Operand, Operand),
    /// `is one of …`
    OneOf(Vec<LiteralAt>),
    /// `is none of …`
    NoneOf(Vec<LiteralAt>),
    /// `contains "x"`
    Text(TextOp, LiteralAt),
    /// `include any of …`, on lists
    Includes(Quantifier, Vec<LiteralAt>),
    /// `is within the past 30 days`
    Window(Window),
    /// `is a Monday`, `is in December`
    Recurring(Recurring),
    /// `is in list "vip"`
    InList(Title),
    /// `is within 25 km of (…)`
    Near(Near),
}

/// What else is said of what is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emptiness {
    /// `are empty`
    Empty,
    /// `are missing or empty`
    MissingOrEmpty,
    /// `are set and not empty`
    SetAndNotEmpty,
}

/// A literal with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct LiteralAt {
    /// The value.
    pub literal: Literal,
    /// Its position in the text.
    pub span: Span,
}

/// The ordering relations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum OrderOp {
    Is,
    IsNot,
    LessThan,
    AtMost,
    MoreThan,
    AtLeast,
}

/// The text tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TextOp {
    Contains,
    StartsWith,
    EndsWith,
    Matches,
}
