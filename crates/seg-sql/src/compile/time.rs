//! Instants, days and zones.

use super::{Compiler, Rows, attribute_column};
use crate::text::{Kind, Value};
use seg_data::time::DAY;
use seg_data::{AttributeId, Date, Period, Timestamp, Zone};
use seg_hir::hir::{CalendarPart, Length, PeriodUnit};
use seg_plan::{Node, NodeId};

impl Compiler<'_> {
    /// What the clocks of a zone show at an instant, in microseconds; no instant is later than
    /// `until`, where that is known. What a table of offsets is asked for it is asked once: of
    /// events and attributes the local time is a column.
    fn local(&mut self, instant: &str, zone: Zone, until: Option<Timestamp>) -> String {
        let offsets = self.offsets(zone, until);
        if offsets.is_fixed() {
            return if offsets.first == 0 { instant.to_owned() } else { format!("({instant} + {})", offsets.first) };
        }
        if instant == "e.us" {
            return self.local_column(zone);
        }
        match self.attribute_named(instant) {
            Some(attribute) => self.local_attribute(attribute, zone),
            None => format!("({instant} + {})", self.says.offset(instant, &offsets)),
        }
    }

    /// Up to when the instants of a node are, where that is known: no event that exists is later
    /// than now.
    fn latest_of(&self, id: NodeId) -> Option<Timestamp> {
        let is_of_events = matches!(self.node(id), Some(Node::Time | Node::EventTime { .. }));
        is_of_events.then_some(self.now)
    }

    /// The attribute whose column of `p` that is.
    fn attribute_named(&self, column: &str) -> Option<AttributeId> {
        let is_named = |id: &AttributeId| {
            let field = self.schema.attribute(*id);
            field.is_some_and(|field| column == format!("p.{}", self.says.ident(&attribute_column(&field.name))))
        };
        self.attributes.iter().copied().find(is_named)
    }

    /// The column of `p` with the local time of an attribute.
    fn local_attribute(&mut self, id: AttributeId, zone: Zone) -> String {
        self.local_attributes.insert((id, zone.name()));
        format!("p.{}", self.says.ident(&self.local_attribute_name(id, zone.name())))
    }

    fn local_attribute_name(&self, id: AttributeId, zone: &str) -> String {
        let name = self.schema.attribute(id).map_or("", |field| field.name.as_str());
        format!("local {} {zone}", attribute_column(name))
    }

    /// What `p` says of the local times of attributes, of which a relation has the instants.
    pub fn locals_of_people(&mut self, relation: &str) -> String {
        let says = self.says;
        let each = self.local_attributes.clone().into_iter().filter_map(|(id, zone)| {
            let field = self.schema.attribute(id)?;
            let instant = format!("{relation}.{}", says.ident(&attribute_column(&field.name)));
            let offsets = self.offsets(Zone::parse(zone)?, None);
            let name = says.ident(&self.local_attribute_name(id, zone));
            Some(format!(",\n    {instant} + {} AS {name}", says.offset(&instant, &offsets)))
        });
        each.collect()
    }

    /// The column of `e` with the local time of events.
    fn local_column(&mut self, zone: Zone) -> String {
        if !self.zones.contains(&zone) {
            self.zones.push(zone);
        }
        format!("e.{}", self.says.ident(&local_name(zone)))
    }

    /// What `e` says of the local time in a zone.
    pub fn local_of_scan(&mut self, zone: Zone) -> String {
        let offsets = self.offsets(zone, Some(self.now));
        format!("e0.us + {} AS {}", self.says.offset("e0.us", &offsets), self.says.ident(&local_name(zone)))
    }

    pub fn day_of(&mut self, of: NodeId, zone: Zone, rows: Rows) -> Value {
        let value = self.value(of, rows);
        match value.kind {
            Kind::Instant => {
                let (local, says) = (self.local(&value.sql, zone, self.latest_of(of)), self.says);
                value.map(Kind::Day, |_| says.floor(&local, &DAY.to_string()))
            }
            Kind::Boolean
            | Kind::Integer
            | Kind::WideInteger
            | Kind::Number
            | Kind::Money
            | Kind::WideMoney
            | Kind::Text
            | Kind::Day
            | Kind::List(_)
            | Kind::Records
            | Kind::Missing => value,
        }
    }

    pub fn calendar_part(&mut self, part: CalendarPart, of: NodeId, zone: Zone, rows: Rows) -> Value {
        let (is_time, value) = (part == CalendarPart::TimeOfDay, self.value(of, rows));
        let day = match value.kind {
            Kind::Instant => {
                let local = self.local(&value.sql, zone, self.latest_of(of));
                if is_time {
                    let says = self.says;
                    return value.map(Kind::Integer, |_| says.modulo(&local, &DAY.to_string()));
                }
                self.says.floor(&local, &DAY.to_string())
            }
            Kind::Day if !is_time => value.sql.clone(),
            Kind::Boolean
            | Kind::Integer
            | Kind::WideInteger
            | Kind::Number
            | Kind::Money
            | Kind::WideMoney
            | Kind::Text
            | Kind::Day
            | Kind::List(_)
            | Kind::Records
            | Kind::Missing => return Value::plain("NULL", Kind::Missing),
        };
        let says = self.says;
        value.map(Kind::Integer, |_| match part {
            CalendarPart::Weekday => says.modulo(&format!("({day} + 3)"), "7"),
            CalendarPart::Month => format!("({} - 1)", says.part("month", &day)),
            CalendarPart::TimeOfDay => "NULL".to_owned(),
        })
    }

    pub fn shift(&mut self, of: NodeId, by: Length, is_back: bool, rows: Rows) -> Value {
        let value = self.value(of, rows);
        let sign = if is_back { -1 } else { 1 };
        match (value.kind, by.period) {
            (Kind::Instant, Period::Fixed(micros)) => {
                value.map(Kind::Instant, |at| format!("({at} + {})", bracketed(micros.saturating_mul(sign))))
            }
            (Kind::Instant, Period::Months(months)) => {
                let by = (months.saturating_mul(sign), by.zone);
                let later = self.months_later(&value.sql, by, self.latest_of(of));
                value.map(Kind::Instant, |_| later)
            }
            (Kind::Day, Period::Fixed(micros)) => {
                value.map(Kind::Day, |day| format!("({day} + {})", bracketed(micros / DAY * sign)))
            }
            (Kind::Day, Period::Months(months)) => {
                let later = self.months_after(&value.sql, months.saturating_mul(sign));
                value.map(Kind::Day, |_| later)
            }
            (
                Kind::Boolean
                | Kind::Integer
                | Kind::WideInteger
                | Kind::Number
                | Kind::Money
                | Kind::WideMoney
                | Kind::Text
                | Kind::List(_)
                | Kind::Records
                | Kind::Missing,
                Period::Fixed(_) | Period::Months(_),
            ) => Value::plain("NULL", Kind::Missing),
        }
    }

    /// So long after an instant of an event, or before it.
    pub fn moved(&mut self, instant: &str, by: Length, is_back: bool) -> String {
        let sign = if is_back { -1 } else { 1 };
        match by.period {
            Period::Fixed(micros) => format!("{instant} + {}", bracketed(micros.saturating_mul(sign))),
            Period::Months(months) => {
                self.months_later(instant, (months.saturating_mul(sign), by.zone), Some(self.now))
            }
        }
    }

    /// A day so many months later, within the years 1 to 9999.
    fn months_after(&mut self, day: &str, months: i64) -> String {
        let says = self.says;
        within(says, &says.plus_months(day, months), Date(-719_162).0.into(), Date(2_932_896).0.into())
    }

    /// An instant so many months later by the calendar of a zone. A local time that the clocks
    /// leave out moves forward by as much; of one that comes twice the earlier is meant.
    fn months_later(&mut self, instant: &str, (months, zone): (i64, Zone), until: Option<Timestamp>) -> String {
        let (says, day) = (self.says, DAY.to_string());
        if !self.offsets(zone, None).is_fixed() && !says.names_values() {
            let reason = "values have no names within an expression there, and the query would be too long";
            self.refuse("months from an instant in a time zone whose clocks change", reason);
            return "NULL".to_owned();
        }
        let local = self.local(instant, zone, until);
        let stepped = says.bind(&[&local], &|named| {
            let [local] = named else { return String::new() };
            let stepped = says.plus_months(&says.floor(local, &day), months);
            format!("({stepped} * {day} + {})", says.modulo(local, &day))
        });
        let clocks = self.offsets(zone, None).of_clocks();
        let clocks = match until {
            // An instant of one day may end up behind one of the next, at the end of a month.
            Some(until) => clocks.until(zone.plus_months(until, months).0.saturating_add(3 * DAY)),
            None => clocks,
        };
        let later = says.bind(&[&stepped], &|named| {
            let [local] = named else { return String::new() };
            match clocks.is_fixed() {
                true => format!("({local} - {})", bracketed(clocks.first)),
                false => format!("({local} - {})", says.offset(local, &clocks)),
            }
        });
        within(says, &later, Timestamp::MIN.0, Timestamp::MAX.0)
    }

    pub fn anniversary(&mut self, day: NodeId, from: NodeId, rows: Rows) -> Value {
        let (says, day, from) = (self.says, self.value(day, rows), self.value(from, rows));
        if day.kind != Kind::Day || from.kind != Kind::Day {
            return Value::plain("NULL", Kind::Missing);
        }
        day.with(from, Kind::Day, |day, from| {
            let (year, month, of_month) = (says.part("year", from), says.part("month", day), says.part("day", day));
            says.bind(&[&year, &month, &of_month, from], &|named| {
                let [year, month, day, from] = named else { return String::new() };
                let in_year = |year: &str| {
                    let is_of = |years: &str, sign: &str| format!("{} {sign} 0", says.remainder(year, years));
                    let leaps = format!("({} AND ({} OR {}))", is_of("4", "="), is_of("100", "<>"), is_of("400", "="));
                    let day = format!("CASE WHEN {month} = 2 AND {day} = 29 AND NOT {leaps} THEN 28 ELSE {day} END");
                    says.make_day(year, month, &day)
                };
                let (this, next) = (in_year(year), in_year(&format!("({year} + 1)")));
                format!("CASE WHEN {this} < {from} THEN {next} ELSE {this} END")
            })
        })
    }

    /// Which day, week or month an event of `e` lies in.
    pub fn period(&mut self, unit: PeriodUnit, zone: Zone) -> String {
        let says = self.says;
        let local = self.local("e.us", zone, Some(self.now));
        let day = says.floor(&local, &DAY.to_string());
        match unit {
            PeriodUnit::Day => day,
            PeriodUnit::Week(starts_on) => {
                let shift = Date(0).week_number(starts_on) * 7 - first_of_week(starts_on);
                says.floor(&format!("({day} + {shift})"), "7")
            }
            PeriodUnit::Month => format!("({} * 12 + {})", says.part("year", &day), says.part("month", &day)),
        }
    }
}

/// The day, up to 1970-01-01, on which its week began, as a number below or equal to zero.
fn first_of_week(starts_on: seg_data::WeekStart) -> i32 {
    let week = Date(0).week_number(starts_on);
    (-6..=0).find(|day| Date(*day).week_number(starts_on) == week).unwrap_or(0)
}

/// The column of `e` that holds the local time in a zone.
fn local_name(zone: Zone) -> String {
    format!("local {}", zone.name())
}

/// A number that may stand behind a sign.
fn bracketed(n: i64) -> String {
    if n < 0 { format!("({n})") } else { n.to_string() }
}

/// A number within limits.
fn within(says: &dyn crate::dialect::Says, number: &str, low: i64, high: i64) -> String {
    says.bind(&[number], &|named| {
        let [number] = named else { return String::new() };
        format!("CASE WHEN {number} > {high} THEN {high} WHEN {number} < {low} THEN {low} ELSE {number} END")
    })
}
