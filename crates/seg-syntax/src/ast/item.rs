//! Declarations: what segments say besides who is in, and what stands beside
//! them.

use super::{DateLiteral, Duration, Expr, LiteralAt, Name, Quantity, Title, Unit};
use crate::source::Span;

/// The lines between a segment's name and its `include`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Header {
    /// `used by campaign "…" over sms`
    pub uses: Vec<Used>,
    /// `owned by "…"`
    pub owner: Option<Title>,
    /// `described as "…"`
    pub description: Option<Title>,
    /// `archived`
    pub archived: Option<Span>,
    /// `regardless of universal rules, because "…"`: why.
    pub regardless: Option<Title>,
    /// `grace period 15 minutes`
    pub grace: Option<Duration>,
    /// `expect between 500 and 5_000 people`
    pub size: Option<Quantity>,
    /// `expect at most 5% of people in segment "vip" too`
    pub overlaps: Vec<Overlap>,
    /// `expect size to change by at most 30% a day`
    pub change: Option<SizeChange>,
    /// `frozen since …`
    pub frozen_since: Option<(DateLiteral, Span)>,
    /// `frozen until …`
    pub frozen_until: Option<(DateLiteral, Span)>,
    /// `allow W0123 because "…"`: codes in capitals, and why.
    pub allowed: Vec<(String, Title)>,
    /// `in Europe/Paris time`
    pub zone: Option<(String, Span)>,
    /// Lines that say again what was said.
    pub repeated: Vec<Span>,
}

/// `expect at most 5% of people in segment "vip" too`
#[derive(Debug, Clone, PartialEq)]
pub struct Overlap {
    /// The digits.
    pub percent: String,
    /// The other segment.
    pub other: Title,
    /// Its position in the text, from its first word to its last.
    pub span: Span,
}

/// `expect size to change by at most 30% a day`
#[derive(Debug, Clone, PartialEq)]
pub struct SizeChange {
    /// `30`, as written.
    pub percent: String,
    /// In how long.
    pub per: Unit,
    /// Its position in the text.
    pub span: Span,
}

/// What a segment is used by.
#[derive(Debug, Clone, PartialEq)]
pub struct Used {
    /// `campaign`, `journey`, `flow`
    pub kind: String,
    /// The campaign, journey or flow that uses it.
    pub by: Title,
    /// The channels it goes over.
    pub channels: Vec<Title>,
}

/// `everyone on sms must have sms_consent is true`
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The channel; without one it is for every segment that is used.
    pub channel: Option<Title>,
    /// What everyone must meet.
    pub body: Expr,
    /// Its position in the text, from its first word to its last.
    pub span: Span,
}

/// `when people are in several, prefer "A", then "B"`
#[derive(Debug, Clone, PartialEq)]
pub struct Precedence {
    /// The segments, the most preferred first.
    pub names: Vec<Title>,
    /// Its position in the text, from its first word to its last.
    pub span: Span,
}

/// `test "…"`
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// The name that others refer to it by.
    pub name: Title,
    /// As of when it is evaluated.
    pub at: Option<(DateLiteral, Span)>,
    /// The people.
    pub profiles: Vec<Profile>,
    /// Who is expected where.
    pub expectations: Vec<Expectation>,
    /// Its position in the text, from its first word to its last.
    pub span: Span,
}

/// A person of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// `ann`
    pub id: Title,
    /// What is known of them.
    pub facts: Vec<Fact>,
}

/// Something known of a person of a test.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// `did Order Completed 3 days ago with amount 50`
    Did {
        /// The event that the person did.
        event: Name,
        /// When that was, or from when on it is so.
        time: FactTime,
        /// Its properties.
        properties: Vec<(Name, FactValue)>,
    },
    /// `country is "DE"`
    Is {
        /// The attribute that has a value.
        attribute: Name,
        /// Its value, or several of a list.
        values: Vec<LiteralAt>,
        /// Since when, where that is said.
        since: Option<FactTime>,
    },
    /// `last_order_date is 3 days ago`
    WasAt {
        /// The attribute that has a value.
        attribute: Name,
        /// When that was, or from when on it is so.
        time: FactTime,
    },
}

/// What a property of an event is in a test.
#[derive(Debug, Clone, PartialEq)]
pub enum FactValue {
    /// `50`
    Literal(LiteralAt),
    /// `(sku "a" and quantity 2)`: one record of a list of records.
    Record(Vec<(Name, LiteralAt)>),
}

/// A time in a test.
#[derive(Debug, Clone, PartialEq)]
pub enum FactTime {
    /// `90 minutes ago`
    Ago(Duration),
    /// `2026-06-01 12:00`
    At(DateLiteral, Span),
}

/// What a test expects.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// `3 hours later`
    pub later: Option<Duration>,
    /// Who.
    pub id: Title,
    /// What is expected of them.
    pub what: Expected,
    /// Its position in the text, from its first word to its last.
    pub span: Span,
}

/// What is expected of a person.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// `in "VIP"`
    In(Title),
    /// `not in "VIP"`
    NotIn(Title),
    /// `wins "VIP"`; without a name, `wins nothing`.
    Wins(Option<Title>),
}

/// `define "bought in" (period) as Order Completed in the past period`
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// The name that others refer to it by.
    pub name: Title,
    /// The names of its values.
    pub parameters: Vec<Name>,
    /// What it stands for.
    pub body: Expr,
    /// From `define` to the last word.
    pub span: Span,
}

/// `list "vip" from "lists/vip.csv"`
#[derive(Debug, Clone, PartialEq)]
pub struct ListDeclaration {
    /// The name that others refer to it by.
    pub name: Title,
    /// The file, as written.
    pub path: Title,
    /// The whole declaration.
    pub span: Span,
}

/// `segment "…" include people who … exclude people who …`
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// The name that others refer to it by.
    pub name: Title,
    /// From `segment` to the last word.
    pub span: Span,
    /// What is said of it besides who is in.
    pub header: Header,
    /// Who is in.
    pub include: Expr,
    /// Who is out all the same.
    pub excludes: Vec<Expr>,
}
