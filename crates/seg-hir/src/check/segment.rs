//! One segment: its header, its conditions in one view or two, its rules.

use super::declare::{Items, check_channel};
use crate::hir::{Cond, Header, Segment, Used};
use crate::lint::named::length_of_name_alone;
use crate::lower::Lower;
use seg_data::schema::fold_name;
use seg_data::{Date, Zone};
use seg_syntax::ast;
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

pub(super) fn lower(lower: &mut Lower<'_>, segment: &ast::Segment, items: &Items<'_>) -> Segment {
    let header = lower.header(&segment.header);
    let rules = match &header.regardless {
        Some(_) => Vec::new(),
        None => items.applying(&header),
    };
    let (include, excludes, rules) = match &segment.header.grace {
        None => lower.view(segment, &rules),
        // Judged with every event known, and as if the last of them were not.
        Some(grace) => {
            let now = lower.view(segment, &rules);
            let n_found = lower.diagnostics.len();
            let n_references = lower.references.len();
            lower.known_at = lower.before(grace);
            let before = lower.view(segment, &rules);
            lower.known_at = None;
            // The same sentences have the same problems.
            lower.diagnostics.truncate(n_found);
            lower.references.truncate(n_references);
            let (mut excludes, mut rules) = (now.1, now.2);
            excludes.extend(before.1);
            rules.extend(before.2);
            (Cond::all(vec![now.0, before.0]), excludes, rules)
        }
    };
    lower.length_of_name(segment);
    let allows = |warning: &Diagnostic| header.allowed.iter().any(|code| code == warning.code.number());
    let warnings = std::mem::take(&mut lower.warnings);
    lower.diagnostics.extend(warnings.into_iter().filter(|warning| !allows(warning)));
    let is_row = segment.header.grace.is_none() && is_row(lower, &segment.include);
    Segment { name: segment.name.text.clone(), span: segment.name.span, header, include, is_row, excludes, rules }
}

/// Whether several conditions stand there: what is said of one thing is one.
fn is_row(lower: &Lower<'_>, include: &ast::Expr) -> bool {
    let ast::Expr::Group(group) = include else { return false };
    group.members.len() > 1 && !lower.is_said_of_one(group)
}

impl Lower<'_> {
    /// `Carts 0-2h`, of the past 48 hours. Conditions that stand elsewhere may say it.
    fn length_of_name(&mut self, segment: &ast::Segment) {
        let conditions = || {
            let conditions = std::iter::once(&segment.include).chain(&segment.excludes);
            conditions.map(|c| self.sources.text(c.span())).collect::<Vec<_>>().join(", ")
        };
        let is_elsewhere = |name: &str| {
            self.declared.definitions.contains_key(&fold_name(name)) || self.declared.segments.ids.contains_key(name)
        };
        let Some(length) = length_of_name_alone(&segment.name.text, conditions) else { return };
        if conditions().split('"').skip(1).step_by(2).any(is_elsewhere) {
            return;
        }
        let name = &segment.name.text;
        let message = format!("the name says `{length}`, and no condition of \"{name}\" does");
        let allow =
            format!("if it is meant: `allow {} because \"…\"` under the segment's name", Code::NameSaysOtherwise);
        self.warnings.push(
            Diagnostic::new(Code::NameSaysOtherwise, segment.name.span, message)
                .label("another length of time than in the conditions")
                .help("say in the name what the conditions say, or change the one that is wrong")
                .note(allow),
        );
    }

    fn view(&mut self, segment: &ast::Segment, rules: &[&ast::Expr]) -> (Cond, Vec<Cond>, Vec<Cond>) {
        let include = self.expr(&segment.include).cond;
        let excludes = segment.excludes.iter().map(|e| self.expr(e).cond).collect();
        let (n_found, n_references) = (self.diagnostics.len(), self.references.len());
        let rules = rules.iter().map(|rule| self.expr(rule).cond).collect();
        // What is wrong with a rule is reported with the rule, and what it
        // refers to comes before all rules, for who refers reads none.
        self.diagnostics.truncate(n_found);
        self.references.truncate(n_references);
        (include, excludes, rules)
    }

    fn header(&mut self, header: &ast::Header) -> Header {
        let title = |title: &Option<ast::Title>| title.as_ref().map(|t| t.text.clone());
        for span in &header.repeated {
            let words = self.words(*span);
            self.diagnostics.push(
                Diagnostic::new(Code::RepeatedTail, *span, format!("`{words}` is said a second time"))
                    .label("the second")
                    .help("keep one of the lines"),
            );
        }
        let zone = header.zone.as_ref().and_then(|(name, span)| self.own_calendar(name, *span));
        let mut uses = Vec::new();
        for used in &header.uses {
            let mut diagnostics = Vec::new();
            used.channels.iter().for_each(|channel| check_channel(self.schema(), channel, &mut diagnostics));
            self.diagnostics.extend(diagnostics);
            let channels = used.channels.iter().map(|c| c.text.clone()).collect();
            uses.push(Used { kind: used.kind.clone(), name: used.by.text.clone(), channels });
        }
        let allowed = self.allowed(header);
        Header {
            uses,
            owner: title(&header.owner),
            description: title(&header.description),
            is_archived: header.archived.is_some(),
            regardless: title(&header.regardless),
            size: header.size.map(|q| (q.min, q.max)),
            overlaps: header.overlaps.iter().filter_map(|o| self.overlap(o)).collect(),
            change: header.change.as_ref().and_then(|c| self.change(c)),
            frozen_since: header.frozen_since.as_ref().and_then(|(date, span)| self.frozen_day(date, *span)),
            frozen_until: header.frozen_until.as_ref().and_then(|(date, span)| self.frozen_day(date, *span)),
            zone,
            allowed,
        }
    }

    /// The codes of `allow W0123 because "…"`; only lints can be allowed.
    fn allowed(&mut self, header: &ast::Header) -> Vec<String> {
        let mut codes = Vec::new();
        for (code, why) in &header.allowed {
            if Code::find(code).is_none() {
                self.diagnostics.push(
                    Diagnostic::new(Code::UnknownName, why.span, format!("there is no lint `{code}`"))
                        .label("nothing to allow")
                        .help("`seg codes explain W0801` tells of one; the list is in docs/errors"),
                );
            }
            codes.push(code.clone());
        }
        codes
    }

    fn own_calendar(&mut self, name: &str, span: Span) -> Option<Zone> {
        let zone = Zone::parse(name);
        if zone.is_none() {
            self.unknown_zone(name, span);
        }
        self.set_zone(zone.or(Some(Zone::UTC)));
        zone
    }

    fn change(&mut self, change: &ast::SizeChange) -> Option<(f64, crate::hir::Length)> {
        let percent = self.percentage(&change.percent, change.span, "expect size to change by at most 30% a day");
        let per = ast::Duration { count: 1, unit: change.per, span: change.span };
        Some((percent?, self.length(&per)?))
    }

    fn overlap(&mut self, overlap: &ast::Overlap) -> Option<(f64, crate::hir::SegmentId)> {
        let example = "expect at most 5% of people in segment \"VIP\" too";
        let percent = self.percentage(&overlap.percent, overlap.span, example);
        Some((percent?, self.segment_named(&overlap.other)?))
    }

    fn percentage(&mut self, digits: &str, span: Span, example: &str) -> Option<f64> {
        let percent = digits.parse::<f64>().ok().filter(|p| p.is_finite() && *p >= 0.0);
        if percent.is_none() {
            let words = self.words(span);
            self.diagnostics.push(
                Diagnostic::new(Code::NumberOutOfRange, span, format!("`{words}` cannot be judged"))
                    .label("a percentage of 0 or more is needed")
                    .help(format!("write for example `{example}`")),
            );
        }
        percent
    }

    fn frozen_day(&mut self, date: &ast::DateLiteral, span: Span) -> Option<Date> {
        if date.clock.is_some() {
            let words = self.words(span);
            self.diagnostics.push(
                Diagnostic::new(Code::HoursOnDate, span, format!("`{words}` is finer than a day"))
                    .label("segments are frozen from day to day")
                    .help("leave the time of day out"),
            );
            return None;
        }
        self.day(date, span)
    }
}
