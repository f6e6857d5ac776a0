//! The conditions of a segment as they are written, each with what it means.

use crate::check::{Lists, declared_items};
use crate::explain::Role;
use crate::hir::{Cond, Module, SegmentId};
use crate::lower::Lower;
use crate::names::Settings;
use seg_data::Schema;
use seg_syntax::Parse;
use seg_syntax::ast::{self, Quantifier};
use seg_syntax::source::{SourceMap, Span};

/// A condition of a segment: one of those that all must hold of whoever is in, one of those
/// of which none may, or a universal rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// What part it plays.
    pub role: Role,
    /// Where it is written.
    pub span: Span,
    /// What it means, with every event known.
    pub cond: Cond,
}

/// A project without errors.
#[derive(Clone, Copy)]
pub struct Written<'a> {
    /// The parsed files.
    pub parses: &'a [Parse],
    /// Their texts.
    pub sources: &'a SourceMap,
    /// What the segments are about.
    pub schema: &'a Schema,
    /// Whose calendar.
    pub settings: Settings,
    /// The contents of lists.
    pub lists: &'a Lists,
    /// What they mean.
    pub module: &'a Module,
}

/// A segment as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenSegment {
    /// All of it, from `segment` to its last word.
    pub span: Span,
    /// Its grace period, where it has one.
    pub grace: Option<Span>,
    /// Its conditions, in the order of the text, and after them the rules that hold for it.
    pub clauses: Vec<Clause>,
}

impl Written<'_> {
    /// A segment with its conditions; none for one that the project does not have.
    pub fn segment(&self, id: SegmentId) -> Option<WrittenSegment> {
        let items = declared_items(self.parses, self.sources, self.schema, self.lists);
        let (segment, rules) = items.segment(id, self.module)?;
        let mut lower = Lower::new(self.schema, self.settings, &items.declared, self.sources);
        if let Some(zone) = self.module.segments.get(id.idx()).and_then(|s| s.header.zone) {
            lower.set_zone(Some(zone));
        }
        let mut written: Vec<(Role, &ast::Expr)> = Vec::new();
        written.extend(members(&lower, &segment.include, Quantifier::All).map(|part| (Role::Include, part)));
        for exclude in &segment.excludes {
            written.extend(members(&lower, exclude, Quantifier::Any).map(|part| (Role::Exclude, part)));
        }
        written.extend(rules.into_iter().map(|rule| (Role::Rule, rule)));
        let clauses = written.into_iter();
        let clauses = clauses.map(|(role, expr)| Clause { role, span: expr.span(), cond: lower.expr(expr).cond });
        Some(WrittenSegment {
            span: segment.span,
            grace: segment.header.grace.map(|grace| grace.span),
            clauses: clauses.collect(),
        })
    }
}

/// The members of a row of conditions, or the one condition that there is.
fn members<'e>(
    lower: &Lower<'_>,
    expr: &'e ast::Expr,
    of: Quantifier,
) -> impl Iterator<Item = &'e ast::Expr> + use<'e> {
    let members = match expr {
        ast::Expr::Group(group) if group.quantifier == of && !lower.is_said_of_one(group) => group.members.as_slice(),
        other => std::slice::from_ref(other),
    };
    members.iter()
}
