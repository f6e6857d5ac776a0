//! What a segment's name says, against what its conditions say.

/// A length of time as a name or a condition says it: a number and a unit, with how
/// many hours the unit has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    /// As it is written: `2h`.
    pub words: String,
    number: u64,
    hours: (u64, u64),
}

/// Units with their abbreviations, and how many hours each has at least and at most;
/// minutes alone, for which `m` would be months as well, stand in no name.
const UNITS: [(&[&str], (u64, u64)); 5] = [
    (&["h", "hr", "hrs", "hour", "hours"], (1, 1)),
    (&["d", "day", "days"], (24, 24)),
    (&["w", "wk", "wks", "week", "weeks"], (168, 168)),
    (&["mo", "month", "months"], (28 * 24, 31 * 24)),
    (&["y", "yr", "yrs", "year", "years"], (365 * 24, 366 * 24)),
];

/// What may stand between a number and its unit: `5 different days`, `7 or more days`,
/// `between 7 and 14 full days`.
const BETWEEN: [&str; 14] = [
    "to",
    "and",
    "or",
    "at",
    "most",
    "least",
    "more",
    "fewer",
    "less",
    "calendar",
    "full",
    "different",
    "distinct",
    "separate",
];

impl Said {
    /// Whether both say one length of time, as 48 hours and 2 days do.
    fn is_as_long(&self, other: &Said) -> bool {
        let range = |said: &Said| {
            let times = |hours: u64| hours.saturating_mul(said.number);
            (times(said.hours.0), times(said.hours.1))
        };
        let ((min, max), (other_min, other_max)) = (range(self), range(other));
        min <= other_max && other_min <= max
    }
}

/// The lengths of time that a text says: `0-2h`, `30 days`, `between 7 and 14 days`,
/// `a week`. What is in quotes says none.
pub(crate) fn lengths(text: &str) -> Vec<Said> {
    if !may_say_a_length(text) {
        return Vec::new();
    }
    let lower = text.to_lowercase();
    let unquoted: String = lower.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    // Numbers that may still get a unit: both of `7 and 14 days`.
    let mut numbers: Vec<u64> = Vec::new();
    for word in words(&unquoted) {
        let number = word.parse().ok().or_else(|| spelt(word));
        if let Some(number) = number {
            numbers.push(number);
            continue;
        }
        if let Some((_, hours)) = UNITS.iter().find(|(names, _)| names.contains(&word)) {
            // As it stands there: `2h`, `2-day` or `2 hours`.
            let written = |number: u64| {
                ["", "-"]
                    .iter()
                    .map(|between| format!("{number}{between}{word}"))
                    .find(|words| lower.contains(words.as_str()))
            };
            let words = |number: u64| written(number).unwrap_or_else(|| format!("{number} {word}"));
            let said = |number: u64| Said { words: words(number), number, hours: *hours };
            found.extend(numbers.drain(..).map(said));
        } else if !BETWEEN.contains(&word) {
            numbers.clear();
        }
    }
    found
}

/// Whether a text has a letter that a unit begins with behind something: without one
/// there is no length. Looks at each byte once.
fn may_say_a_length(text: &str) -> bool {
    let begins_a_unit = |pair: &[u8]| matches!(pair, [before, unit] if !before.is_ascii_alphabetic() && matches!(unit.to_ascii_lowercase(), b'h' | b'd' | b'w' | b'm' | b'y'));
    text.as_bytes().windows(2).any(begins_a_unit)
}

/// Runs of digits and runs of letters.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let first = rest.chars().next()?;
        let is_same = |c: &char| c.is_alphanumeric() && c.is_ascii_digit() == first.is_ascii_digit();
        let len: usize = rest.chars().take_while(is_same).map(char::len_utf8).sum();
        let (word, behind) = rest.split_at_checked(len)?;
        rest = behind;
        Some(word)
    })
}

fn spelt(word: &str) -> Option<u64> {
    const WORDS: [&str; 11] = ["a", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    if word == "an" {
        return Some(1);
    }
    WORDS.iter().position(|known| *known == word).map(|at| at.max(1) as u64)
}

/// The first length of time that a name says and conditions do not; none where they
/// say no length at all.
///
/// Few names say any, so that conditions are rarely read.
pub(crate) fn length_of_name_alone(name: &str, conditions: impl FnOnce() -> String) -> Option<String> {
    let mut named = lengths(name).into_iter().filter(|length| length.number > 0).peekable();
    named.peek()?;
    let said = lengths(&conditions());
    let is_other = |length: &Said| !said.iter().any(|other| length.is_as_long(other));
    if said.is_empty() { None } else { named.find(is_other).map(|length| length.words) }
}

/// What a name says that people have not done: the words behind `no` and its like, as
/// far as the next comma.
pub(crate) fn absences(name: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let parts = name.split([',', ';', ':', '(', ')', '–', '|']);
    for part in parts {
        let words: Vec<&str> = part.split_whitespace().collect();
        for (at, word) in words.iter().enumerate() {
            let is_negative = ["no", "without", "never", "not"].iter().any(|no| word.eq_ignore_ascii_case(no));
            // The longest name first: `no order completed lately`.
            for n in (1..=3_usize).rev().filter(|_| is_negative) {
                if let Some(behind) = words.get(at + 1..at + 1 + n) {
                    found.push((format!("{word} {}", behind.join(" ")), behind.join(" ")));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(name: &str, conditions: &str) -> Option<String> {
        length_of_name_alone(name, || conditions.to_owned())
    }

    #[test]
    fn lengths_of_names_are_found_in_conditions() {
        assert_eq!(alone("Cart abandon, checkout 0-2h", "who did Checkout in the past 48 hours"), Some("2h".into()));
        assert_eq!(alone("Cart abandon, checkout 0-2h", "who did Checkout in the past 2 hours"), None);
        assert_eq!(alone("Carts 2-48h", "between 2 hours and 2 days ago"), None);
        assert_eq!(alone("Lapsed 7 to 14 days", "more than 7 days ago and less than two weeks ago"), None);
        assert_eq!(alone("Buyers 30d", "ordered in the past month"), None);
        assert_eq!(alone("Buyers 30d", "ordered in the past 1 month"), None);
        assert_eq!(alone("Buyers 60d", "ordered in the past 1 month"), Some("60d".into()));
        assert_eq!(alone("Buyers, a week", "ordered in the past 7 days"), None);
        assert_eq!(alone("Busy, 5 days in 180", "on at least 5 different days in the past 180 days"), None);
        assert_eq!(alone("Busy, 5 days", "on 5 or more separate days in the past 180 days"), None);
        // Nothing is compared with conditions that say no length.
        assert_eq!(alone("30 day trial", "plan is \"trial\""), None);
        assert_eq!(alone("Top 100", "ordered in the past 3 days"), None);
        assert_eq!(alone("Offer \"3 days\"", "ordered in the past 7 days"), None);
    }

    #[test]
    fn absences_of_names_are_found() {
        let words: Vec<String> = absences("Carts 0-2h, no purchase").into_iter().map(|(said, _)| said).collect();
        assert_eq!(words, ["no purchase"]);
        assert!(absences("Nobody, known").is_empty());
    }
}
