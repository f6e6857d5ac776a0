//! What is said of the values that an attribute had before.

use super::{Age, Relation};
use crate::source::Span;
use std::fmt::{self, Display, Formatter};

/// The verb of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copula {
    /// Of which time.
    pub tense: Tense,
    /// `ever` or `never` in it, and where.
    pub often: Option<(Often, Span)>,
    /// All of its words.
    pub span: Span,
}

/// Of which time something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tense {
    /// `is`, `are`
    Is,
    /// `was`, `were`
    Was,
    /// `has been`, `have been`
    HasBeen,
}

/// `ever` and its opposite within a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Often {
    /// `has ever been`
    Ever,
    /// `has never been`
    Never,
}

/// What is said of a history.
#[derive(Debug, Clone, PartialEq)]
pub enum Past {
    /// `at any time`
    AnyTime,
    /// `for at least 30 days`
    For(Age),
    /// `changed from "free" to "pro"`, without the verb where that is part of the name.
    Changed(Box<Changed>),
}

/// That a value became another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// Whether the verb is part of it: `has changed`.
    pub has_verb: bool,
    /// `did not change`, `never changed`: the negative, and where.
    pub not: Option<Span>,
    /// What the value before was.
    pub from: Option<(Relation, Span)>,
    /// What it became.
    pub to: Option<(Relation, Span)>,
}

impl Display for Past {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Past::AnyTime => write!(f, "at any time"),
            Past::For(age) => write!(f, "for {age}"),
            Past::Changed(changed) => {
                let Changed { has_verb: _, not, from, to } = changed.as_ref();
                write!(f, "{}changed", if not.is_some() { "not " } else { "" })?;
                from.iter().try_for_each(|(value, _)| write!(f, " from {value}"))?;
                to.iter().try_for_each(|(value, _)| write!(f, " to {value}"))
            }
        }
    }
}

impl Display for Copula {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let often = match self.often {
            Some((Often::Ever, _)) => "ever ",
            Some((Often::Never, _)) => "never ",
            None => "",
        };
        match self.tense {
            Tense::Is => Ok(()),
            Tense::Was => write!(f, "{often}was "),
            Tense::HasBeen => write!(f, "{often}has been "),
        }
    }
}
