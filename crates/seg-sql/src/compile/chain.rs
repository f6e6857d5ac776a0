//! Event sequences, as joins of events with each other: exact always.

use super::{Compiler, Rows};
use crate::text::{Condition, Join, Joins};
use seg_data::Period;
use seg_hir::hir::{ChainOrder, Length};
use seg_plan::{Chain, Query};

/// What stands for the step before until that is known.
const BEFORE: &str = "\u{1}";
/// The columns of an event with the instants up to which the next step and all steps lie.
const UNTIL: &str = "until";
const WHOLE: &str = "whole";

impl Compiler<'_> {
    /// Whether other events follow the one at hand, come before it or lie around it.
    pub fn chain(&mut self, chain: &Chain) -> Condition {
        let mut same = Vec::new();
        for ids in &chain.same {
            if let Some(value) = self.same_property(ids) {
                same.push(value);
            }
        }
        let columns: String = same.iter().enumerate().map(|(at, value)| format!(", {} AS k{at}", value.sql)).collect();
        let is_back = chain.order == ChainOrder::Before;
        let within =
            |nth: usize| chain.steps.get(nth).and_then(|step| step.within).filter(|_| chain.order != ChainOrder::Any);
        let edges = self.edge(WHOLE, chain.whole, is_back) + &self.edge(UNTIL, within(0), is_back);
        let first = self.found_events(None, &format!("{columns}{edges}"));
        let mut sql = format!("SELECT DISTINCT a.rid AS rid\n  FROM {first} AS a");
        let (mut taken, mut before): (Vec<String>, String) = (Vec::new(), "a".to_owned());
        if chain.order != ChainOrder::Any {
            taken.push("a".to_owned());
        }
        let n_same = same.len();
        for (nth, step) in chain.steps.iter().enumerate() {
            let edge = self.edge(UNTIL, within(nth + 1), is_back);
            let events = self.found_events(Some(&step.query), &format!("{columns}{edge}"));
            let alias = format!("b{}", nth + 1);
            let mut on = vec![format!("{alias}.id = a.id")];
            // Of two that are equal neither is missing.
            on.extend((0..n_same).map(|at| format!("{alias}.k{at} = a.k{at}")));
            on.extend(taken.iter().map(|other| format!("{alias}.rid <> {other}.rid")));
            on.extend(self.limits(chain, nth, &alias, &before));
            let none = step.none_between.as_ref().filter(|_| chain.order != ChainOrder::Any);
            let next = none.map(|none| self.next_of(none, chain.order, &events, &alias));
            if let Some((_, limit)) = &next {
                on.push(limit.replace(BEFORE, &before));
            }
            let events = next.map_or(events, |(events, _)| events);
            sql.push_str(&format!("\n  JOIN {events} AS {alias} ON {}", on.join(" AND ")));
            taken.push(alias.clone());
            before = alias;
        }
        let name = self.relation("k", sql);
        Condition { sql: format!("{name}.rid IS NOT NULL"), joins: Joins::from([Join::ByEvent(name)]) }
    }

    /// The events of a step, each with the nearest instant of others that must not lie between it
    /// and the step before, and what that has to be. No database needs a subquery for it that reads
    /// the row outside.
    fn next_of(&mut self, none: &Query, order: ChainOrder, events: &str, alias: &str) -> (String, String) {
        let none = self.found_events(Some(none), "");
        // Between what comes first and what comes last nothing is, unless it is nearer than that.
        let (nearest, sign) = match order {
            ChainOrder::Before => ("min", ">"),
            ChainOrder::After | ChainOrder::Any => ("max", "<"),
        };
        let between = self.relation(
            "between",
            format!(
                "SELECT b.rid AS rid, {nearest}(n.us) AS us\n  FROM {events} AS b JOIN {none} AS n ON n.id = b.id AND n.us {sign} b.us\n  \
                 GROUP BY b.rid"
            ),
        );
        let beside = self.relation(
            "beside",
            format!(
                "SELECT b.*, {between}.us AS nearest\n  FROM {events} AS b LEFT JOIN {between} ON {between}.rid = b.rid"
            ),
        );
        let back = if sign == ">" { ">=" } else { "<=" };
        (beside, format!("({alias}.nearest IS NULL OR {alias}.nearest {back} {BEFORE}.us)"))
    }

    /// How a step lies to the one before it and to the event at hand.
    fn limits(&mut self, chain: &Chain, nth: usize, alias: &str, before: &str) -> Vec<String> {
        let is_back = chain.order == ChainOrder::Before;
        let reference = if chain.order == ChainOrder::Any { "a" } else { before };
        let sign = if is_back { "<=" } else { ">=" };
        let mut limits = vec![format!("{alias}.us {sign} {reference}.us")];
        let end = if is_back { ">=" } else { "<=" };
        let within = chain.steps.get(nth).and_then(|step| step.within).filter(|_| chain.order != ChainOrder::Any);
        let mut limit = |length: Length, of: &str, column: &str| {
            let edge = match length.period {
                Period::Fixed(_) => self.moved(&format!("{of}.us"), length, is_back),
                Period::Months(_) => format!("{of}.{column}"),
            };
            limits.push(format!("{alias}.us {end} {edge}"));
        };
        if let Some(within) = within {
            limit(within, reference, UNTIL);
        }
        if let Some(whole) = chain.whole {
            limit(whole, "a", WHOLE);
        }
        limits
    }

    /// A column with the instant so long after an event, or before it, where that is a matter of
    /// the calendar: better it is reckoned once an event than once a pair of them.
    fn edge(&mut self, column: &str, length: Option<Length>, is_back: bool) -> String {
        match length {
            Some(length) if matches!(length.period, Period::Months(_)) => {
                format!(", {} AS {column}", self.moved("e.us", length, is_back))
            }
            Some(_) | None => String::new(),
        }
    }

    /// The events that a query finds, or that may be at hand, with more columns.
    fn found_events(&mut self, query: Option<&Query>, columns: &str) -> String {
        let (condition, joins) = match query {
            Some(query) => {
                let found = self.query(query);
                (Some(found.sql), found.joins)
            }
            None => (self.known_of_event(), Joins::new()),
        };
        let from = self.from(Rows::Events, None, &joins);
        let condition = condition.map(|condition| format!("\n  WHERE {condition}")).unwrap_or_default();
        self.relation("q", format!("SELECT e.id AS id, e.rid AS rid, e.us AS us{columns}\n  FROM {from}{condition}"))
    }
}
