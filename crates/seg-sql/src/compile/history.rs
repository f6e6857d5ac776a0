//! Values that attributes had over time.

use super::{Compiler, Rows, attribute_column};
use crate::text::{Join, Kind, Value};
use seg_data::{AttributeId, Timestamp, Type};
use seg_hir::hir::OfHistory;
use seg_plan::NodeId;

impl Compiler<'_> {
    /// A value over the stretches of an attribute's history that are as asked.
    pub fn of_history(&mut self, attribute: AttributeId, filter: NodeId, of: OfHistory) -> Value {
        let stretches = self.stretches(attribute);
        let filter = self.condition(filter, Rows::Elements);
        let from = self.from(Rows::Elements, Some(&stretches), &filter.joins);
        match of {
            OfHistory::Stretches(interval) => {
                // The first instant of it that is not before the interval lies inside where any does.
                let start = interval.from.map_or(Timestamp::MIN, |from| from.first_inside(self.now));
                let first = format!("greatest(it.us, {})", super::instant(start));
                let mut on = vec![format!("{first} <= {}", super::instant(self.now))];
                on.push(format!("(it.until IS NULL OR {first} < it.until)"));
                on.extend(self.window(&interval, &first));
                on.push(filter.sql);
                self.counted_stretches(&from, &on)
            }
            OfHistory::Changes(interval) => {
                let mut on = vec!["(it.n > 1 OR (it.n = 1 AND it.before IS NOT NULL))".to_owned()];
                on.extend(self.window(&interval, "it.us"));
                on.push(filter.sql);
                self.counted_stretches(&from, &on)
            }
            OfHistory::Since => {
                let held = self.relation(
                    "held",
                    format!(
                        "SELECT it.id AS id, it.us AS us, it.n AS n, max(CASE WHEN NOT {} THEN it.n END) OVER (PARTITION BY it.id) AS last\n  \
                         FROM {from}",
                        filter.sql
                    ),
                );
                let since =
                    format!("SELECT id, min(us) AS us\n  FROM {held}\n  WHERE last IS NULL OR n > last\n  GROUP BY id");
                let name = self.relation("x", since);
                Value::of(format!("{name}.us"), Kind::Instant, Join::ById(name))
            }
        }
    }

    fn counted_stretches(&mut self, from: &str, on: &[String]) -> Value {
        let counted =
            format!("SELECT it.id AS id, count(*) AS n\n  FROM {from}\n  WHERE {}\n  GROUP BY it.id", on.join(" AND "));
        let name = self.relation("x", counted);
        Value::of(format!("coalesce({name}.n, 0)"), Kind::Integer, Join::ById(name))
    }

    /// The stretches of a history: since when, until when, the value and the one before it.
    fn stretches(&mut self, attribute: AttributeId) -> String {
        let ty = self.schema.attribute(attribute).map_or(Type::Text, |field| field.ty.clone());
        let column = self.attribute(attribute, &ty);
        let first = Timestamp::MIN.0;
        let keeps = self.schema.attribute(attribute).is_some_and(|field| field.keeps_history);
        let profiles = self.source.profiles.as_ref();
        if !keeps || profiles.is_none_or(|profiles| profiles.time.is_none()) {
            let missing = self.says.missing(&ty);
            let never = self.says.missing(&Type::Timestamp);
            let held = format!(
                "SELECT p.id AS id, {first} AS us, {never} AS until, 0 AS n, {} AS v, {missing} AS before\n  FROM p",
                column.sql
            );
            return self.relation("h", held);
        }
        let name = self.schema.attribute(attribute).map_or("", |field| field.name.as_str());
        let value = format!("r.{}", self.says.ident(&attribute_column(name)));
        let are_snapshots = profiles.is_some_and(|profiles| profiles.are_snapshots);
        let is_said = match are_snapshots {
            true => format!("({value} IS NOT NULL OR r.us IS NOT NULL)"),
            false => format!("{value} IS NOT NULL"),
        };
        let now = super::instant(self.now);
        // Of several at one instant the last is the value; before everything there is none.
        let set = self.relation(
            "set",
            format!(
                "SELECT r.id AS id, coalesce(r.us, {first}) AS us, {value} AS v, row_number() OVER \
                 (PARTITION BY r.id, coalesce(r.us, {first}) ORDER BY CASE WHEN r.us IS NULL THEN 0 ELSE 1 END DESC, r.arr DESC) AS rank\n  \
                 FROM r\n  WHERE (r.us IS NULL OR r.us <= {now}) AND {is_said}"
            ),
        );
        let missing = self.says.missing(&ty);
        let always =
            self.relation("always", format!("SELECT DISTINCT s.id AS id\n  FROM {set} AS s\n  WHERE s.us = {first}"));
        let all = self.relation(
            "told",
            format!(
                "SELECT s.id AS id, s.us AS us, s.v AS v FROM {set} AS s WHERE s.rank = 1\n  UNION ALL\n  \
                 SELECT p.id AS id, {first} AS us, {missing} AS v FROM p LEFT JOIN {always} ON {always}.id = p.id\n  \
                 WHERE {always}.id IS NULL"
            ),
        );
        let (previous, next) = (self.says.previous("v"), self.says.next("us"));
        let compared = self.relation(
            "turn",
            format!(
                "SELECT id, us, v, {previous} OVER (PARTITION BY id ORDER BY us) AS before, \
                 row_number() OVER (PARTITION BY id ORDER BY us) AS nth\n  FROM {all}"
            ),
        );
        self.relation(
            "h",
            format!(
                "SELECT id, us, {next} OVER (PARTITION BY id ORDER BY us) AS until, \
                 row_number() OVER (PARTITION BY id ORDER BY us) - 1 AS n, v, before\n  \
                 FROM {compared}\n  WHERE nth = 1 OR v IS DISTINCT FROM before"
            ),
        )
    }
}
