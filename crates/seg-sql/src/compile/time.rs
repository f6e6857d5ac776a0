//! Instants, days and zones.

use super::{Compiler, Rows};
use crate::text::{Kind, Value};
use seg_data::time::DAY;
use seg_data::{Date, Period, Timestamp, Zone};
use seg_hir::hir::{CalendarPart, Length, PeriodUnit};
use seg_plan::NodeId;

impl Compiler<'_> {
    /// By how much the clocks of a zone are ahead at an instant.
    fn offset(&mut self, instant: &str, zone: Zone) -> String {
        let says = self.says;
        says.offset(instant, self.offsets(zone))
    }

    /// What the clocks of a zone show at an instant, in microseconds.
    fn local(&mut self, instant: &str, zone: Zone) -> String {
        let offsets = self.offsets(zone);
        match (offsets.is_fixed(), offsets.first) {
            (true, 0) => instant.to_owned(),
            (true, by) => format!("({instant} + {by})"),
            (false, _) if instant == "e.us" => self.local_column(zone),
            (false, _) => format!("({instant} + {})", self.offset(instant, zone)),
        }
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
        format!("e0.us + {} AS {}", self.offset("e0.us", zone), self.says.ident(&local_name(zone)))
    }

    pub fn day_of(&mut self, of: NodeId, zone: Zone, rows: Rows) -> Value {
        let value = self.value(of, rows);
        match value.kind {
            Kind::Instant => {
                let (local, says) = (self.local(&value.sql, zone), self.says);
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
                let local = self.local(&value.sql, zone);
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
                let later = self.months_later(&value.sql, months.saturating_mul(sign), by.zone);
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

    /// So long after an instant, or before it.
    pub fn moved(&mut self, instant: &str, by: Length, is_back: bool) -> String {
        let sign = if is_back { -1 } else { 1 };
        match by.period {
            Period::Fixed(micros) => format!("{instant} + {}", bracketed(micros.saturating_mul(sign))),
            Period::Months(months) => self.months_later(instant, months.saturating_mul(sign), by.zone),
        }
    }

    /// A day so many months later, within the years 1 to 9999.
    fn months_after(&mut self, day: &str, months: i64) -> String {
        let says = self.says;
        within(says, &says.plus_months(day, months), Date(-719_162).0.into(), Date(2_932_896).0.into())
    }

    /// An instant so many months later by the calendar of a zone. A local time that the clocks
    /// leave out moves forward by as much; of one that comes twice the earlier is meant.
    fn months_later(&mut self, instant: &str, months: i64, zone: Zone) -> String {
        let (says, day) = (self.says, DAY.to_string());
        let local = self.local(instant, zone);
        let offsets = self.offsets(zone).clone();
        if !offsets.is_fixed() && !says.names_values() {
            let reason = "values have no names within an expression there, and the query would be too long";
            self.refuse("months from an instant in a time zone whose clocks change", reason);
            return "NULL".to_owned();
        }
        let stepped = says.bind(&[&local], &|named| {
            let [local] = named else { return String::new() };
            let stepped = says.plus_months(&says.floor(local, &day), months);
            format!("({stepped} * {day} + {})", says.modulo(local, &day))
        });
        if offsets.is_fixed() {
            let later = format!("({stepped} - {})", bracketed(offsets.first));
            return within(says, &later, Timestamp::MIN.0, Timestamp::MAX.0);
        }
        let later = says.bind(&[&stepped], &|named| {
            let [local] = named else { return String::new() };
            let before = says.offset(&format!("({local} - {day})"), &offsets);
            let after = says.offset(&format!("({local} + {day})"), &offsets);
            says.bind(&[local, &before, &after], &|named| {
                let [local, before, after] = named else { return String::new() };
                let (first, second) = (format!("({local} - {before})"), format!("({local} - {after})"));
                let (of_first, of_second) = (says.offset(&first, &offsets), says.offset(&second, &offsets));
                format!(
                    "CASE WHEN {of_first} = {before} THEN {first} WHEN {of_second} = {after} THEN {second} ELSE {first} END"
                )
            })
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
        let local = self.local("e.us", zone);
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
