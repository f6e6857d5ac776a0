//! Values that are gathered over the events of a person.

use super::value::{aggregated, kind_of};
use super::{Compiler, Rows, joined, names};
use crate::text::{Condition, Join, Joins, Kind, Value};
use seg_data::{EventId, Period, PropertyId, Type, Zone};
use seg_hir::hir::{Aggregate, End, Length, Moment, PeriodUnit, horizon};
use seg_plan::{NodeId, Query};

impl Compiler<'_> {
    /// How many events a query finds.
    pub fn count(&mut self, query: &Query) -> Value {
        let found = self.query(query);
        self.gathered(found.joins, format!("count(CASE WHEN {} THEN 1 END)", found.sql), Kind::Integer)
            .map(Kind::Integer, |n| format!("coalesce({n}, 0)"))
    }

    /// A column of a pass over the events.
    fn gathered(&mut self, joins: Joins, column: String, kind: Kind) -> Value {
        let (name, join) = self.pass(joins, column);
        Value::of(name, kind, join)
    }

    pub fn aggregate(
        &mut self,
        function: Aggregate,
        measure: Option<(NodeId, &Type)>,
        items: Option<&[(EventId, PropertyId)]>,
        query: &Query,
    ) -> Value {
        if let Some(list) = items {
            return self.aggregate_items(function, measure, list, query);
        }
        let Some((measure, ty)) = measure else { return self.count(query) };
        let (found, measured) = (self.query(query), self.value(measure, Rows::Events));
        let mut joins = found.joins.clone();
        joins.extend(measured.joins.iter().cloned());
        if function == Aggregate::MostFrequent {
            let order = self.order("`most frequent`", false);
            let from = self.from(Rows::Events, None, &joins);
            return self.most_frequent(&from, &found.sql, ("e.id", &order), &measured);
        }
        let order = self.measure_order(function, ty);
        let mut columns = Vec::new();
        let value = self.over(function, &found.sql, &measured, &order, &mut |this, column| {
            let (name, join) = this.pass(joins.clone(), column);
            columns.push(join);
            name
        });
        Value { joins: columns.into_iter().collect(), ..value }
    }

    /// By which order values are added, where that matters.
    pub fn measure_order(&mut self, function: Aggregate, ty: &Type) -> String {
        let is_ordered = *ty == Type::Number && matches!(function, Aggregate::Total | Aggregate::Average);
        if is_ordered { self.order("a total or an average of numbers", false) } else { String::new() }
    }

    /// An aggregate of the values of the rows of a group that are found. `column` names a
    /// column of the group.
    pub fn over(
        &mut self,
        function: Aggregate,
        found: &str,
        measured: &Value,
        order: &str,
        column: &mut dyn FnMut(&mut Self, String) -> String,
    ) -> Value {
        let (says, kind) = (self.says, measured.kind);
        let value = format!("CASE WHEN {found} THEN {} END", measured.sql);
        let plain = |sql: String| Value::plain(sql, aggregated(function, kind));
        if kind == Kind::Missing {
            return match function {
                Aggregate::Count | Aggregate::CountDifferent | Aggregate::Total => plain("0".to_owned()),
                Aggregate::Average | Aggregate::Smallest | Aggregate::Largest | Aggregate::MostFrequent => {
                    Value::plain("NULL", Kind::Missing)
                }
            };
        }
        if function == Aggregate::CountDifferent && matches!(kind, Kind::List(_) | Kind::Records) {
            self.refuse("`number of different` lists", "lists are not compared with each other");
        }
        match function {
            Aggregate::Count => plain(format!("coalesce({}, 0)", column(self, format!("count({value})")))),
            Aggregate::CountDifferent => {
                plain(format!("coalesce({}, 0)", column(self, format!("count(DISTINCT {value})"))))
            }
            Aggregate::Smallest => plain(column(self, format!("min({value})"))),
            Aggregate::Largest => plain(column(self, format!("max({value})"))),
            Aggregate::Total | Aggregate::Average => {
                let sum = match kind {
                    Kind::Number => {
                        if !says.adds_in_order() {
                            let reason = "numbers are added in no order that can be told there, and each order has \
                                          its own last digits";
                            self.refuse("a total or an average of numbers", reason);
                        }
                        says.ordered_sum(&measured.sql, order, found)
                    }
                    Kind::Integer | Kind::Money => says.total(&value),
                    Kind::Boolean
                    | Kind::WideInteger
                    | Kind::WideMoney
                    | Kind::Text
                    | Kind::Instant
                    | Kind::Day
                    | Kind::List(_)
                    | Kind::Records
                    | Kind::Missing => return Value::plain("NULL", Kind::Missing),
                };
                let sum = format!("coalesce({}, 0)", column(self, sum));
                let sum = match kind {
                    Kind::Number => {
                        self.says_of_totals();
                        says.unless_infinite(&sum)
                    }
                    Kind::Boolean
                    | Kind::Integer
                    | Kind::WideInteger
                    | Kind::Money
                    | Kind::WideMoney
                    | Kind::Text
                    | Kind::Instant
                    | Kind::Day
                    | Kind::List(_)
                    | Kind::Records
                    | Kind::Missing => sum,
                };
                if function == Aggregate::Total {
                    return plain(sum);
                }
                let n = column(self, format!("count({value})"));
                self.average(Value::plain(sum, kind), &n, kind)
            }
            Aggregate::MostFrequent => Value::plain("NULL", Kind::Missing),
        }
    }

    /// Numbers that are too large are an error of some databases.
    fn says_of_totals(&mut self) {
        if self.dialect == crate::Dialect::Postgres {
            self.differs(
                "a total of numbers",
                "where a sum passes 1.8e308 PostgreSQL raises an error; Seg says that it is missing",
            );
        }
    }

    /// The value that is there most often; of several the one seen last.
    pub fn most_frequent(&mut self, from: &str, found: &str, (id, order): (&str, &str), measured: &Value) -> Value {
        let v = &measured.sql;
        let seen = self.relation(
            "seen",
            format!(
                "SELECT {id} AS id, {v} AS v, row_number() OVER (PARTITION BY {id} ORDER BY {order}) AS n\n  \
                 FROM {from}\n  WHERE {found} AND {v} IS NOT NULL"
            ),
        );
        let ranked = self.relation(
            "often",
            format!(
                "SELECT id, v, row_number() OVER (PARTITION BY id ORDER BY count(*) DESC, max(n) DESC) AS rank\n  \
                 FROM {seen}\n  GROUP BY id, v"
            ),
        );
        let name = self.relation("x", format!("SELECT id, v\n  FROM {ranked}\n  WHERE rank = 1"));
        Value::of(format!("{name}.v"), measured.kind, Join::ById(name))
    }

    /// Whether there are so many events and the first or last of them are as asked.
    pub fn first_or_last(&mut self, end: End, n: u32, query: &Query, filter: NodeId) -> Condition {
        let found = self.query(query);
        self.context.push(self.plain_query(query));
        let filter = self.condition(filter, Rows::Events);
        self.context.pop();
        let order = self.order("what is said of a first or last event", end == End::Last);
        let joins: Joins = found.joins.iter().chain(&filter.joins).cloned().collect();
        let from = self.from(Rows::Events, None, &joins);
        let ranked = self.relation(
            "ranked",
            format!(
                "SELECT e.id AS id, {} AS holds, row_number() OVER (PARTITION BY e.id ORDER BY {order}) AS n\n  \
                 FROM {from}\n  WHERE {}",
                filter.sql, found.sql
            ),
        );
        let name = self.relation(
            "x",
            format!(
                "SELECT id, count(CASE WHEN holds THEN 1 END) AS n\n  FROM {ranked}\n  WHERE n <= {n}\n  GROUP BY id"
            ),
        );
        Condition { sql: format!("coalesce({name}.n = {n}, false)"), joins: Joins::from([Join::ById(name)]) }
    }

    /// When the n-th event from one end was.
    pub fn event_time(&mut self, end: End, n: u32, query: &Query) -> Value {
        let found = self.query(query);
        let column = match (end, n) {
            (End::First, 1) => format!("min(CASE WHEN {} THEN e.us END)", found.sql),
            (End::Last, 1) => format!("max(CASE WHEN {} THEN e.us END)", found.sql),
            (end, n) => self.says.nth("e.us", end == End::Last, n, &found.sql),
        };
        self.gathered(found.joins, column, Kind::Instant)
    }

    /// The earliest or latest event of any name, or what the schema says.
    pub fn seen(&mut self, end: End, known_at: Option<Moment>) -> Value {
        let horizon = super::instant(horizon(known_at, self.now));
        let function = if end == End::First { "min" } else { "max" };
        let column = format!("{function}(CASE WHEN e.us <= {horizon} THEN e.us END)");
        let seen = self.gathered(Joins::new(), column, Kind::Instant);
        match self.schema.first_seen.filter(|_| end == End::First) {
            None => seen,
            Some(id) => {
                let declared = self.attribute(id, &Type::Timestamp);
                declared.with(seen, Kind::Instant, |declared, seen| format!("coalesce({declared}, {seen})"))
            }
        }
    }

    /// On how many days, weeks or months there are events.
    pub fn periods(&mut self, unit: PeriodUnit, zone: Zone, query: &Query) -> Value {
        let (found, period) = (self.query(query), self.period(unit, zone));
        let column = format!("count(DISTINCT CASE WHEN {} THEN {period} END)", found.sql);
        self.gathered(found.joins, column, Kind::Integer).map(Kind::Integer, |n| format!("coalesce({n}, 0)"))
    }

    /// The median gap between different instants, of which there must be four.
    pub fn usual_gap(&mut self, query: &Query) -> Value {
        let instants = self.instants(query, "SELECT DISTINCT e.id AS id, e.us AS us");
        let previous = self.says.previous("us");
        let gaps = self.relation(
            "gaps",
            format!("SELECT id, us - {previous} OVER (PARTITION BY id ORDER BY us) AS gap\n  FROM {instants}"),
        );
        let sizes = self.relation(
            "sizes",
            format!(
                "SELECT id, gap, row_number() OVER (PARTITION BY id ORDER BY gap) AS n, \
                 count(*) OVER (PARTITION BY id) AS size\n  FROM {gaps}\n  WHERE gap IS NOT NULL"
            ),
        );
        let says = self.says;
        let (lower, upper) = (says.floor("(size + 1)", "2"), says.floor("(size + 2)", "2"));
        let name = self.relation(
            "x",
            format!(
                "SELECT id, min(gap) AS lower, max(gap) AS upper\n  FROM {sizes}\n  \
                 WHERE size >= 3 AND n IN ({lower}, {upper})\n  GROUP BY id"
            ),
        );
        let median = says.floor(&format!("({name}.lower + {name}.upper)"), "2");
        Value::of(median, Kind::Integer, Join::ById(name))
    }

    /// The instants of what a query finds, as a relation.
    fn instants(&mut self, query: &Query, select: &str) -> String {
        let found = self.query(query);
        let from = self.from(Rows::Events, None, &found.joins);
        self.relation("q", format!("{select}\n  FROM {from}\n  WHERE {}", found.sql))
    }

    /// The most events within a length of time.
    pub fn most_within(&mut self, query: &Query, within: Length) -> Value {
        let counted = match within.period {
            Period::Fixed(micros) if self.says.has_long_ranges() => {
                let instants = self.instants(query, "SELECT e.id AS id, e.rid AS rid, e.us AS us");
                let window = format!("PARTITION BY id ORDER BY us RANGE BETWEEN {micros} PRECEDING AND CURRENT ROW");
                self.relation("within", format!("SELECT id, count(*) OVER ({window}) AS n\n  FROM {instants}"))
            }
            Period::Fixed(_) | Period::Months(_) => {
                let until = self.moved("e.us", within, false);
                let instants =
                    self.instants(query, &format!("SELECT e.id AS id, e.rid AS rid, e.us AS us, {until} AS until"));
                let join =
                    format!("{instants} AS a JOIN {instants} AS b ON b.id = a.id AND b.us BETWEEN a.us AND a.until");
                self.relation(
                    "within",
                    format!("SELECT a.id AS id, count(*) AS n\n  FROM {join}\n  GROUP BY a.id, a.rid"),
                )
            }
        };
        let name = self.relation("x", format!("SELECT id, max(n) AS n\n  FROM {counted}\n  GROUP BY id"));
        Value::of(format!("coalesce({name}.n, 0)"), Kind::Integer, Join::ById(name))
    }

    /// What is known of the event at hand, in a condition over `e`.
    pub fn known_of_event(&self) -> Option<String> {
        let parts = self.context.last()?;
        (!parts.is_empty()).then(|| joined(parts))
    }

    /// The values of a property, whatever its name on each event.
    pub fn same_property(&mut self, ids: &[(EventId, PropertyId)]) -> Option<Value> {
        let ty = ids.first().and_then(|(event, property)| {
            Some(self.schema.event(*event)?.properties.get(property.idx())?.ty.clone())
        })?;
        let is_one = ids.iter().all(|(event, property)| {
            let other = self.schema.event(*event).and_then(|event| event.properties.get(property.idx()));
            other.is_some_and(|other| kind_of(&other.ty) == kind_of(&ty))
        });
        if !is_one {
            let events: Vec<EventId> = ids.iter().map(|(event, _)| *event).collect();
            self.refuse("`with the same`", &format!("the property has several types ({})", names(&events)));
        }
        Some(self.property(ids, &ty))
    }
}
