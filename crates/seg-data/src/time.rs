//! Instants, calendar days, and the zones that tie them together.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Timelike};
use std::fmt;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(pub i64);

/// A calendar day: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date(pub i32);

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in 24 hours.
pub const DAY: i64 = 86_400 * SECOND;

impl Instant {
    /// The start of the year 1.
    pub const MIN: Instant = Instant(-62_135_596_800 * SECOND);
    /// The last microsecond of the year 9999.
    pub const MAX: Instant = Instant(253_402_300_800 * SECOND - 1);

    /// Reads `2026-11-27T14:00:00Z`, with a space for the `T`, without seconds,
    /// with a fraction of them, with an offset for the `Z`. Without either the
    /// time is local: `zone` says where, and without one it is UTC.
    pub fn parse(text: &str, zone: Option<Zone>) -> Option<Instant> {
        let (day, clock) = text.split_once(['T', ' '])?;
        let date = Date::parse(day)?;
        Instant::from_parts(date, clock.trim_start(), zone)
    }

    /// The instant at `clock` (`14:00`, `14:00:30.5`, perhaps with `Z` or an
    /// offset) of a day.
    pub fn from_parts(date: Date, clock: &str, zone: Option<Zone>) -> Option<Instant> {
        let (time, offset) = split_offset(clock)?;
        let time = parse_clock(time)?;
        let local = date.naive()?.and_time(time);
        let instant = match (offset, zone) {
            (Some(seconds), _) => Instant(local.and_utc().timestamp_micros() - seconds * SECOND),
            (None, Some(zone)) => zone.instant(local),
            (None, None) => Instant(local.and_utc().timestamp_micros()),
        };
        instant.is_in_range().then_some(instant)
    }

    /// Whether it lies in the years 1 to 9999.
    pub fn is_in_range(self) -> bool {
        Instant::MIN <= self && self <= Instant::MAX
    }

    fn utc(self) -> NaiveDateTime {
        DateTime::from_timestamp_micros(self.0).map_or(NaiveDateTime::MIN, |t| t.naive_utc())
    }
}

/// `14:00:30Z` to its clock and its offset in seconds.
fn split_offset(clock: &str) -> Option<(&str, Option<i64>)> {
    if let Some(time) = clock.strip_suffix(['Z', 'z']) {
        return Some((time, Some(0)));
    }
    let Some(at) = clock.rfind(['+', '-']) else { return Some((clock, None)) };
    let (time, offset) = clock.split_at_checked(at)?;
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
    let (hours, minutes) = match digits.len() {
        2 => (digits.parse::<i64>().ok()?, 0),
        4 => (digits.get(..2)?.parse().ok()?, digits.get(2..)?.parse().ok()?),
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then_some((time, Some(sign * (hours * 3600 + minutes * 60))))
}

fn parse_clock(text: &str) -> Option<NaiveTime> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':');
    let mut next = |missing: Option<u32>| match parts.next() {
        Some(p) if matches!(p.len(), 1 | 2) && p.bytes().all(|b| b.is_ascii_digit()) => p.parse().ok(),
        Some(_) => None,
        None => missing,
    };
    let (hour, minute, second) = (next(None)?, next(None)?, next(Some(0))?);
    if parts.next().is_some() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Anything finer than a microsecond is cut off.
    let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
    NaiveTime::from_hms_micro_opt(hour, minute, second, micros.parse().ok()?)
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = if self.0.rem_euclid(SECOND) == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.6fZ" };
        write!(f, "{}", self.utc().format(format))
    }
}

impl Date {
    /// Reads `2026-11-27`, years 1 to 9999; `None` for days that do not exist.
    pub fn parse(text: &str) -> Option<Date> {
        let mut parts = text.split('-');
        let mut next = |len: std::ops::RangeInclusive<usize>| {
            parts.next().filter(|p| len.contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
        };
        let year: i32 = next(4..=4)?.parse().ok()?;
        let month: u32 = next(1..=2)?.parse().ok()?;
        let day: u32 = next(1..=2)?.parse().ok()?;
        if parts.next().is_some() || year < 1 {
            return None;
        }
        NaiveDate::from_ymd_opt(year, month, day).map(Date::from_naive)
    }

    fn from_naive(date: NaiveDate) -> Date {
        Date(date.to_epoch_days())
    }

    fn naive(self) -> Option<NaiveDate> {
        NaiveDate::from_epoch_days(self.0)
    }

    /// So many days later (earlier when negative), held inside `i32`.
    pub fn plus_days(self, days: i64) -> Date {
        Date(i64::from(self.0).saturating_add(days).clamp(i32::MIN.into(), i32::MAX.into()) as i32)
    }

    /// So many months later (earlier when negative), clamped to the last day
    /// of the month; the start of the year 1 when there is no such day.
    pub fn plus_months(self, months: i64) -> Date {
        self.naive()
            .and_then(|d| step_months(d.and_time(NaiveTime::MIN), months))
            .map_or(if months < 0 { Date(-719_162) } else { Date(2_932_896) }, |d| Date::from_naive(d.date()))
    }

    /// The first day of a period of the calendar: of the one that this day lies
    /// in, or of one so many later (earlier when negative).
    pub fn start_of(self, unit: CalendarUnit, offset: i64) -> Date {
        let of_month = |months: u32| {
            let first = self.naive().and_then(|d| d.with_day(1)?.with_month0(d.month0() / months * months));
            first.map_or(self, Date::from_naive).plus_months(offset.saturating_mul(i64::from(months)))
        };
        match unit {
            CalendarUnit::Day => self.plus_days(offset),
            CalendarUnit::Week(starts_on) => {
                let since = (self.0.saturating_add(starts_on.shift())).rem_euclid(7);
                self.plus_days(offset.saturating_mul(7).saturating_sub(since.into()))
            }
            CalendarUnit::Month => of_month(1),
            CalendarUnit::Quarter => of_month(3),
            CalendarUnit::Year => of_month(12),
        }
    }

    /// Which month it lies in, counted from year 0.
    pub fn month_number(self) -> i32 {
        self.naive().map_or(0, |d| d.year() * 12 + d.month0() as i32)
    }

    /// Which day of the week it is: 0 is Monday.
    pub fn weekday(self) -> u8 {
        self.0.saturating_add(3).rem_euclid(7) as u8
    }

    /// Which month of its year it lies in: 0 is January.
    pub fn month(self) -> u8 {
        self.naive().map_or(0, |d| d.month0() as u8)
    }

    /// The first anniversary of this day that is not before another. That of
    /// 29 February is 28 February in other years.
    pub fn anniversary_from(self, day: Date) -> Date {
        let (Some(born), Some(from)) = (self.naive(), day.naive()) else { return day };
        let in_year = |year: i32| {
            let same = NaiveDate::from_ymd_opt(year, born.month(), born.day());
            same.or_else(|| NaiveDate::from_ymd_opt(year, born.month(), 28)).map_or(day, Date::from_naive)
        };
        let this_year = in_year(from.year());
        if this_year < day { in_year(from.year() + 1) } else { this_year }
    }

    /// Which week it lies in, counted so that neighbours differ by one.
    pub fn week_number(self, starts_on: WeekStart) -> i32 {
        self.0.saturating_add(starts_on.shift()).div_euclid(7)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.naive() {
            Some(date) => write!(f, "{}", date.format("%Y-%m-%d")),
            None => write!(f, "day {}", self.0),
        }
    }
}

/// The day weeks begin on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WeekStart {
    /// As ISO 8601 has it.
    #[default]
    Monday,
    /// As some calendars have it.
    Sunday,
}

impl WeekStart {
    /// Days from the start of a week to 1970-01-01, which was a Thursday.
    fn shift(self) -> i32 {
        match self {
            WeekStart::Monday => 3,
            WeekStart::Sunday => 4,
        }
    }
}

/// Periods of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CalendarUnit {
    /// From midnight to midnight.
    Day,
    /// From the day weeks begin on.
    Week(WeekStart),
    /// From the first of a month.
    Month,
    /// From the first of January, April, July or October.
    Quarter,
    /// From the first of January.
    Year,
}

/// A time zone of the IANA database that is compiled into Seg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(chrono_tz::Tz);

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Zone = Zone(chrono_tz::UTC);

    /// `Europe/Berlin`; `None` for names the database does not have.
    pub fn parse(name: &str) -> Option<Zone> {
        name.parse().ok().map(Zone)
    }

    /// The name it is known by.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The time of day at an instant, in microseconds after midnight by the
    /// clock on the wall.
    pub fn time_of_day(self, instant: Instant) -> i64 {
        let time = self.local(instant).time();
        i64::from(time.num_seconds_from_midnight()) * SECOND + i64::from(time.nanosecond() / 1_000)
    }

    /// The calendar day at an instant.
    pub fn date(self, instant: Instant) -> Date {
        Date::from_naive(self.local(instant).date())
    }

    /// The first instant of a day.
    pub fn start_of_day(self, date: Date) -> Instant {
        match date.naive() {
            Some(naive) => self.instant(naive.and_time(NaiveTime::MIN)),
            None if date.0 < 0 => Instant::MIN,
            None => Instant::MAX,
        }
    }

    /// So many months later (earlier when negative) by the local calendar,
    /// clamped to the last day of the month. Held inside the years 1 to 9999.
    pub fn plus_months(self, instant: Instant, months: i64) -> Instant {
        let stepped = step_months(self.local(instant), months).map(|local| self.instant(local));
        let limit = if months < 0 { Instant::MIN } else { Instant::MAX };
        stepped.map_or(limit, |t| t.clamp(Instant::MIN, Instant::MAX))
    }

    /// How far local time is ahead of UTC at an instant, in microseconds.
    pub fn offset(self, instant: Instant) -> i64 {
        i64::from(self.0.offset_from_utc_datetime(&instant.utc()).fix().local_minus_utc()) * SECOND
    }

    fn local(self, instant: Instant) -> NaiveDateTime {
        let utc = instant.utc();
        let offset = self.0.offset_from_utc_datetime(&utc).fix();
        utc.checked_add_offset(offset).unwrap_or(utc)
    }

    /// A local time in a gap moves forward by the gap; in an overlap the
    /// earlier instant is meant.
    fn instant(self, local: NaiveDateTime) -> Instant {
        let micros = |local: NaiveDateTime, seconds: i32| {
            Instant(local.and_utc().timestamp_micros() - i64::from(seconds) * SECOND)
        };
        match self.0.offset_from_local_datetime(&local) {
            chrono::LocalResult::Single(offset) => micros(local, offset.fix().local_minus_utc()),
            chrono::LocalResult::Ambiguous(a, b) => {
                micros(local, a.fix().local_minus_utc()).min(micros(local, b.fix().local_minus_utc()))
            }
            chrono::LocalResult::None => {
                // The offset before the gap is the one in force safely earlier:
                // no zone is further than 14 hours from UTC, and none changes
                // twice within two days.
                let before = local.checked_sub_days(Days::new(1)).unwrap_or(local);
                let before = before.checked_sub_signed(chrono::TimeDelta::hours(14)).unwrap_or(before);
                micros(local, self.0.offset_from_utc_datetime(&before).fix().local_minus_utc())
            }
        }
    }
}

fn step_months(local: NaiveDateTime, months: i64) -> Option<NaiveDateTime> {
    let n = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    let stepped = if months < 0 { local.checked_sub_months(n) } else { local.checked_add_months(n) };
    stepped.filter(|d| (1..=9999).contains(&d.year()))
}

/// A length of time: a fixed one, or steps of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// Microseconds; days are 24 hours.
    Fixed(i64),
    /// Calendar months.
    Months(i64),
}

impl Period {
    /// `now` minus this length. Months need the zone whose calendar is meant.
    pub fn before(self, now: Instant, zone: Zone) -> Instant {
        match self {
            Period::Fixed(micros) => Instant(now.0.saturating_sub(micros)),
            Period::Months(months) => zone.plus_months(now, -months),
        }
    }

    /// `now` plus this length.
    pub fn after(self, now: Instant, zone: Zone) -> Instant {
        match self {
            Period::Fixed(micros) => Instant(now.0.saturating_add(micros)),
            Period::Months(months) => zone.plus_months(now, months),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Period::Months(n) => write!(f, "{n} mo"),
            Period::Fixed(micros) => {
                let units = [(DAY, "d"), (3600 * SECOND, "h"), (60 * SECOND, "min"), (SECOND, "s"), (1, "us")];
                match units.iter().find(|(size, _)| micros % size == 0 && micros != 0) {
                    Some((size, unit)) => write!(f, "{} {unit}", micros / size),
                    None => write!(f, "0 s"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text, None).expect(text)
    }

    #[test]
    fn instants_are_read_and_printed() {
        assert_eq!(at("1970-01-01T00:00:01Z"), Instant(SECOND));
        assert_eq!(at("1970-01-01 01:00+01:00"), Instant(0));
        assert_eq!(at("2024-03-13 10:21:14.5").to_string(), "2024-03-13T10:21:14.500000Z");
        for bad in [
            "2024-02-30T00:00Z",
            "2024-13-01 00:00",
            "2024-01-01",
            "0000-01-01T00:00Z",
            "2024-01-01T24:00Z",
            "2024-01-01T1Z",
        ] {
            assert_eq!(Instant::parse(bad, None), None, "{bad}");
        }
    }

    #[test]
    fn a_gap_moves_forward_and_an_overlap_means_the_earlier() {
        let berlin = Zone::parse("Europe/Berlin").expect("a zone");
        let local = |text| Instant::parse(text, Some(berlin)).expect(text);
        assert_eq!(local("2024-03-31 02:30"), at("2024-03-31T01:30Z"));
        assert_eq!(local("2024-10-27 02:30"), at("2024-10-27T00:30Z"));
        // Samoa skipped a whole day.
        let apia = Zone::parse("Pacific/Apia").expect("a zone");
        assert_eq!(apia.start_of_day(Date::parse("2011-12-30").expect("a day")), at("2011-12-30T10:00Z"));
    }

    #[test]
    fn months_clamp_to_the_last_day() {
        assert_eq!(Zone::UTC.plus_months(at("2024-03-31T12:00Z"), -1), at("2024-02-29T12:00Z"));
        assert_eq!(Date::parse("2023-01-31").map(|d| d.plus_months(1)), Date::parse("2023-02-28"));
        assert_eq!(Zone::UTC.plus_months(at("2024-01-01T00:00Z"), -30_000), Instant::MIN);
    }

    #[test]
    fn periods_of_the_calendar_begin_on_their_first_day() {
        let day = |text| Date::parse(text).expect(text);
        let monday = CalendarUnit::Week(WeekStart::Monday);
        for (of, unit, offset, expected) in [
            ("2026-06-01", CalendarUnit::Day, -1, "2026-05-31"),
            ("2026-06-01", monday, 0, "2026-06-01"),
            ("2026-06-07", monday, 0, "2026-06-01"),
            ("2026-06-07", monday, -1, "2026-05-25"),
            ("2026-06-07", CalendarUnit::Week(WeekStart::Sunday), 0, "2026-06-07"),
            ("1969-12-31", monday, 0, "1969-12-29"),
            ("2024-03-31", CalendarUnit::Month, -1, "2024-02-01"),
            ("2026-05-31", CalendarUnit::Quarter, 0, "2026-04-01"),
            ("2026-05-31", CalendarUnit::Quarter, -2, "2025-10-01"),
            ("2024-02-29", CalendarUnit::Year, 1, "2025-01-01"),
        ] {
            assert_eq!(day(of).start_of(unit, offset), day(expected), "{of} {unit:?} {offset}");
        }
    }

    #[test]
    fn weeks_begin_where_they_are_told_to() {
        let sunday = Date::parse("2026-11-22").expect("a day");
        let monday = sunday.plus_days(1);
        assert_ne!(sunday.week_number(WeekStart::Monday), monday.week_number(WeekStart::Monday));
        assert_eq!(sunday.week_number(WeekStart::Sunday), monday.week_number(WeekStart::Sunday));
    }
}
