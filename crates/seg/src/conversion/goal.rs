//! What people are hoped to do once they are in a segment, in the words of a sentence.
//!
//! The words are put into sentences of the language and compiled like those of a segment, so
//! that an event, a condition or a value means there what it means here.

use super::sentence::{Happened, Sentence};
use crate::diagnostics::Diagnostics;
use crate::error::EvaluateError;
use crate::project::Project;
use seg_data::{Batch, EventId, Timestamp, Type, Value, Wanted};
use seg_hir::hir::{Length, Moment};
use std::collections::HashMap;
use std::fmt;

/// A goal as it is written.
#[derive(Debug, Clone, Copy)]
pub struct GoalWords<'w> {
    /// `Purchase within 14 days`, `bought where article is "A" within 1 month with another invoice`
    pub goal: &'w str,
    /// A value of the event, such as `quantity times unit_price`.
    pub revenue: Option<&'w str>,
    /// An event whose revenue is taken off.
    pub less: Option<&'w str>,
    /// An event by which people are sent something: they count from the first on.
    pub sent: Option<&'w str>,
}

/// A goal that was understood.
#[derive(Debug, Clone)]
pub struct Goal {
    reached: Sentence,
    within: Length,
    /// The property of which another value is asked for, of each of the goal's events.
    another: Vec<Sentence>,
    revenue: Vec<Sentence>,
    less: Vec<Sentence>,
    sent: Option<Sentence>,
}

/// Why words are no goal.
#[derive(Debug, Clone)]
pub enum GoalError {
    /// It does not say within which time.
    NoLength {
        /// What was written.
        goal: String,
    },
    /// It is about nothing that somebody can do.
    NoEvent {
        /// The argument that says it.
        argument: String,
    },
    /// What is wrong with the sentences that were made of it.
    Problems(Diagnostics),
}

impl fmt::Display for GoalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GoalError::NoLength { goal } => {
                write!(f, "the goal `{goal}` does not say within which time; write `{goal} within 14 days`")
            }
            GoalError::NoEvent { argument } => {
                write!(
                    f,
                    "{argument} is about no event that somebody can do; name one of the schema, such as `Purchase`"
                )
            }
            GoalError::Problems(problems) => write!(f, "{problems}"),
        }
    }
}

impl std::error::Error for GoalError {}

impl From<Diagnostics> for GoalError {
    fn from(problems: Diagnostics) -> GoalError {
        GoalError::Problems(problems)
    }
}

/// What somebody did that may count.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Deeds {
    /// Events that reach the goal, ascending.
    pub reached: Vec<Deed>,
    /// When an event of a name of the goal happened that has this value of the property of
    /// which another is asked for.
    pub others: Vec<(Timestamp, Value)>,
    /// What is taken off, and when.
    pub less: Vec<(Timestamp, Value)>,
    /// When something was sent.
    pub sent: Vec<Timestamp>,
}

/// An event that reaches the goal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Deed {
    pub at: Timestamp,
    /// What it is worth.
    pub revenue: Option<Value>,
    /// Its value of the property of which another is asked for.
    pub other: Option<Value>,
}

impl Goal {
    /// Understands a goal.
    ///
    /// # Errors
    /// That it has no length of time, or what is wrong with its words.
    pub fn read(project: &Project, words: GoalWords<'_>) -> Result<Goal, GoalError> {
        let (rest, another) = match split_last(words.goal, " with another ") {
            Some((rest, property)) => (rest, Some(property)),
            None => (words.goal, None),
        };
        let Some((what, length)) = split_last(rest, " within ") else {
            return Err(GoalError::NoLength { goal: words.goal.trim().to_owned() });
        };
        let (event, filter) = match split_last(what, " where ") {
            Some((event, filter)) => (event, format!("where (\n{filter}\n)")),
            None => (what, String::new()),
        };
        let text = format!("people who did\n{event}\nwithin the past\n{length}\n{filter}");
        let reached = Sentence::read(project, "--goal", &text)?;
        let from = reached.query().interval.from.map(|bound| bound.moment);
        let Some(Moment::Before(period, zone)) = from else {
            return Err(GoalError::NoLength { goal: what.trim().to_owned() });
        };
        let events = reached.query().events.clone();
        let mut another_of = Vec::new();
        if let Some(property) = another {
            let text = |event: &str| format!("people whose number of different\n{property}\nof {event} is at least 1");
            another_of = each_of(project, "--goal", &events, text)?;
        }
        let (mut revenue, mut less) = (Vec::new(), Vec::new());
        if let Some(value) = words.revenue {
            let text = |event: &str| format!("people whose total of (\n{value}\n) over {event} is at least 0");
            revenue = each_of(project, "--revenue", &events, text)?;
            if let Some(event) = words.less {
                let who = format!("people who did\n{event}");
                let taken_off = Sentence::read(project, "--less", &who)?.query().events.clone();
                less = each_of(project, "--revenue", &taken_off, text)?;
            }
        }
        let sent = words.sent.map(|event| Sentence::read(project, "--sent", &format!("people who did\n{event}")));
        let within = Length { period, zone };
        Ok(Goal { reached, within, another: another_of, revenue, less, sent: sent.transpose()? })
    }

    /// Within which time it has to be reached.
    pub fn within(&self) -> Length {
        self.within
    }

    /// What has to be read of the data to judge it.
    pub fn wanted(&self, now: Timestamp) -> Wanted {
        let all = self.sentences().map(|sentence| sentence.wanted(now));
        all.fold(Wanted::default(), Wanted::and).of_all_times()
    }

    /// The type of the revenue, where one is asked for.
    pub fn revenue_type(&self) -> Option<&Type> {
        self.revenue.iter().find_map(Sentence::measured)
    }

    /// Whether people count from what they are sent on.
    pub fn counts_from_sent(&self) -> bool {
        self.sent.is_some()
    }

    fn sentences(&self) -> impl Iterator<Item = &Sentence> {
        let several = self.another.iter().chain(&self.revenue).chain(&self.less);
        std::iter::once(&self.reached).chain(several).chain(&self.sent)
    }

    /// When each person of a batch reached it, up to an instant: ascending.
    ///
    /// # Errors
    /// A batch that breaks the contract.
    pub(super) fn times(&self, batch: &Batch, at: Timestamp) -> Result<Vec<Vec<Timestamp>>, EvaluateError> {
        let found = self.reached.happened(batch, at)?;
        Ok(found.into_iter().map(|events| events.into_iter().map(|event| event.at).collect()).collect())
    }

    /// All that each person of a batch did up to an instant that may count.
    ///
    /// # Errors
    /// A batch that breaks the contract.
    pub(super) fn deeds(&self, batch: &Batch, at: Timestamp) -> Result<Vec<Deeds>, EvaluateError> {
        let reached = self.reached.happened(batch, at)?;
        let all_of = |sentences: &[Sentence]| -> Result<Vec<Vec<Happened>>, EvaluateError> {
            let mut found: Vec<Vec<Happened>> = vec![Vec::new(); batch.len()];
            for sentence in sentences {
                found.iter_mut().zip(sentence.happened(batch, at)?).for_each(|(all, more)| all.extend(more));
            }
            Ok(found)
        };
        let (revenue, another, less) = (all_of(&self.revenue)?, all_of(&self.another)?, all_of(&self.less)?);
        let sent = all_of(self.sent.as_slice())?;
        let people = reached.into_iter().zip(revenue).zip(another).zip(less).zip(sent);
        Ok(people
            .map(|((((reached, revenue), another), less), sent)| deeds(reached, (revenue, another), less, sent))
            .collect())
    }
}

/// A sentence for each of several events, which are named as the schema names them.
fn each_of(
    project: &Project,
    argument: &str,
    events: &[EventId],
    text: impl Fn(&str) -> String,
) -> Result<Vec<Sentence>, GoalError> {
    let names = events.iter().filter_map(|event| project.schema().events.get(event.idx()));
    names.map(|event| Sentence::read(project, argument, &text(&format!("\"{}\"", event.name)))).collect()
}

/// The two sides of the last place where some words stand outside of quotes.
fn split_last<'t>(text: &'t str, words: &str) -> Option<(&'t str, &'t str)> {
    let lower = text.to_ascii_lowercase();
    let places = lower.rmatch_indices(words).map(|(at, _)| at);
    let mut outside = places.filter(|at| text.get(..*at).is_some_and(|head| head.matches('"').count() % 2 == 0));
    let at = outside.next()?;
    Some((text.get(..at)?, text.get(at + words.len()..)?))
}

fn deeds(
    reached: Vec<Happened>,
    (revenue, another): (Vec<Happened>, Vec<Happened>),
    less: Vec<Happened>,
    sent: Vec<Happened>,
) -> Deeds {
    let by_place = |all: &[Happened]| -> HashMap<(EventId, usize), Value> {
        all.iter().filter_map(|event| Some((event.place, event.value.clone()?))).collect()
    };
    let (worth, other) = (by_place(&revenue), by_place(&another));
    let deed = |event: Happened| Deed {
        at: event.at,
        revenue: worth.get(&event.place).cloned(),
        other: other.get(&event.place).cloned(),
    };
    let with_values = |all: Vec<Happened>| all.into_iter().filter_map(|event| Some((event.at, event.value?)));
    let mut sent: Vec<Timestamp> = sent.into_iter().map(|event| event.at).collect();
    sent.sort_unstable();
    Deeds {
        reached: reached.into_iter().map(deed).collect(),
        others: with_values(another).collect(),
        less: with_values(less).collect(),
        sent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_quotes_split_nothing() {
        assert_eq!(split_last("Buy within 2 days", " within "), Some(("Buy", "2 days")));
        assert_eq!(split_last("Buy WITHIN 2 days", " within "), Some(("Buy", "2 days")));
        assert_eq!(split_last("a where b is \"x within y\"", " within "), None);
        assert_eq!(split_last("a within 1 day within 2 days", " within "), Some(("a within 1 day", "2 days")));
    }
}
