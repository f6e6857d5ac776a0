//! Instants, calendar days, and the zones that tie them together.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Timelike};
use std::fmt;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

/// A calendar day: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date(pub i32);

/// Why a text is no instant, or an instant as of which nothing is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampError {
    /// It is not written as one, or no calendar has its day.
    NotATimestamp,
    /// It lies outside the years 1 to 9999, beyond which sums of lengths of time
    /// need not fit.
    OutOfRange,
}

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TimestampError::NotATimestamp => "is not an instant",
            TimestampError::OutOfRange => "is not in the years 1 to 9999",
        })
    }
}

impl std::error::Error for TimestampError {}

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in 24 hours.
pub const DAY: i64 = 86_400 * SECOND;

impl Timestamp {
    /// The start of the year 1.
    pub const MIN: Timestamp = Timestamp(-62_135_596_800 * SECOND);
    /// The last microsecond of the year 9999.
    pub const MAX: Timestamp = Timestamp(253_402_300_800 * SECOND - 1);

    /// How people of a zone write it: `2026-11-27T15:00:00+01:00`; UTC without one.
    pub fn in_zone(self, zone: Option<Zone>) -> impl fmt::Display {
        LocalTime { instant: self, zone: zone.unwrap_or(Zone::UTC) }
    }

    /// Reads `2026-11-27T14:00:00Z`, with a space for the `T`, without seconds,
    /// with a fraction of them, with an offset for the `Z`. Without either the
    /// time is local: `zone` says where, and without one it is UTC.
    pub fn parse(text: &str, zone: Option<Zone>) -> Option<Timestamp> {
        Timestamp::read(text, zone).ok()
    }

    /// Reads what [`Timestamp::parse`] reads, and says why it is none where it is
    /// none.
    ///
    /// # Errors
    /// No instant, or one outside the years 1 to 9999.
    pub fn read(text: &str, zone: Option<Zone>) -> Result<Timestamp, TimestampError> {
        let (day, clock) = text.split_once(['T', ' ']).ok_or(TimestampError::NotATimestamp)?;
        let Some(date) = Date::parse(day) else {
            let mut parts = day.split('-').map(str::as_bytes);
            let has_parts = parts.clone().count() == 3 && parts.clone().all(|p| p.iter().all(u8::is_ascii_digit));
            let year = parts.next().unwrap_or_default();
            let is_far = has_parts && (year.len() > 4 || year == b"0000");
            return Err(if is_far { TimestampError::OutOfRange } else { TimestampError::NotATimestamp });
        };
        let instant = Timestamp::at_clock(date, clock.trim_start(), zone).ok_or(TimestampError::NotATimestamp)?;
        instant.in_range()
    }

    /// The instant at `clock` (`14:00`, `14:00:30.5`, perhaps with `Z` or an
    /// offset) of a day.
    pub fn from_parts(date: Date, clock: &str, zone: Option<Zone>) -> Option<Timestamp> {
        Timestamp::at_clock(date, clock, zone)?.in_range().ok()
    }

    fn at_clock(date: Date, clock: &str, zone: Option<Zone>) -> Option<Timestamp> {
        let (time, offset) = split_offset(clock)?;
        let time = parse_clock(time)?;
        let local = date.naive()?.and_time(time);
        Some(match (offset, zone) {
            (Some(seconds), _) => Timestamp(local.and_utc().timestamp_micros() - seconds * SECOND),
            (None, Some(zone)) => zone.instant(local),
            (None, None) => Timestamp(local.and_utc().timestamp_micros()),
        })
    }

    /// The instant where it lies in the years 1 to 9999. Whoever takes an instant
    /// from outside, above all the `now` as of which everything is evaluated, asks this
    /// first: behind that door no sum of an instant and a length of time that a
    /// segment can hold leaves 64 bits.
    ///
    /// # Errors
    /// That it does not.
    pub fn in_range(self) -> Result<Timestamp, TimestampError> {
        if self.is_in_range() { Ok(self) } else { Err(TimestampError::OutOfRange) }
    }

    /// Whether it lies in the years 1 to 9999.
    pub fn is_in_range(self) -> bool {
        Timestamp::MIN <= self && self <= Timestamp::MAX
    }

    fn utc(self) -> NaiveDateTime {
        let limit = if self.0 < 0 { NaiveDateTime::MIN } else { NaiveDateTime::MAX };
        DateTime::from_timestamp_micros(self.0).map_or(limit, |t| t.naive_utc())
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

/// An instant by the clocks of a zone, with how far they are ahead of UTC; in UTC itself,
/// and where that is no whole number of minutes, as the instant alone.
struct LocalTime {
    instant: Timestamp,
    zone: Zone,
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LocalTime { instant, zone } = self;
        let offset = zone.offset(*instant) / SECOND;
        if offset == 0 || offset % 60 != 0 {
            return write!(f, "{instant}");
        }
        let format = if instant.0.rem_euclid(SECOND) == 0 { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S%.6f" };
        let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
        write!(f, "{}{sign}{:02}:{:02}", zone.local(*instant).format(format), minutes / 60, minutes % 60)
    }
}

impl fmt::Display for Timestamp {
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
            .filter(|d| (1..=9999).contains(&d.year()))
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
    /// Weeks begin on Monday, as in ISO 8601.
    #[default]
    Monday,
    /// Weeks begin on Sunday, as calendars of America and Japan print them.
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
    pub fn time_of_day(self, instant: Timestamp) -> i64 {
        let time = self.local(instant).time();
        i64::from(time.num_seconds_from_midnight()) * SECOND + i64::from(time.nanosecond() / 1_000)
    }

    /// The calendar day at an instant.
    pub fn date(self, instant: Timestamp) -> Date {
        Date::from_naive(self.local(instant).date())
    }

    /// The first instant of a day; of the first or the last that the calendar has,
    /// some 262,000 years from here, where the day lies beyond.
    pub fn start_of_day(self, date: Date) -> Timestamp {
        let limit = if date.0 < 0 { NaiveDate::MIN } else { NaiveDate::MAX };
        self.instant(date.naive().unwrap_or(limit).and_time(NaiveTime::MIN))
    }

    /// So many months later (earlier when negative) by the local calendar,
    /// clamped to the last day of the month. Held inside the years 1 to 9999.
    pub fn plus_months(self, instant: Timestamp, months: i64) -> Timestamp {
        // By the clock of a zone ahead of UTC the last instant lies in the year 10000.
        let stepped = step_months(self.local(instant), months).map(|local| self.instant(local));
        let limit = if months < 0 { Timestamp::MIN } else { Timestamp::MAX };
        stepped.map_or(limit, |t| t.clamp(Timestamp::MIN, Timestamp::MAX))
    }

    /// How far local time is ahead of UTC at an instant, in microseconds.
    pub fn offset(self, instant: Timestamp) -> i64 {
        i64::from(self.0.offset_from_utc_datetime(&instant.utc()).fix().local_minus_utc()) * SECOND
    }

    /// The instant at which the clocks of the zone show what those of UTC show at another:
    /// what a time without a zone means there. `None` outside of the years 1 to 9999.
    pub fn instant_of(self, local: Timestamp) -> Option<Timestamp> {
        let local = local.in_range().ok()?;
        self.instant(local.utc()).in_range().ok()
    }

    fn local(self, instant: Timestamp) -> NaiveDateTime {
        let utc = instant.utc();
        let offset = self.0.offset_from_utc_datetime(&utc).fix();
        utc.checked_add_offset(offset).unwrap_or(utc)
    }

    /// A local time in a gap moves forward by the gap; in an overlap the
    /// earlier instant is meant.
    fn instant(self, local: NaiveDateTime) -> Timestamp {
        let micros = |local: NaiveDateTime, seconds: i32| {
            Timestamp(local.and_utc().timestamp_micros() - i64::from(seconds) * SECOND)
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
    if months < 0 { local.checked_sub_months(n) } else { local.checked_add_months(n) }
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
    pub fn before(self, now: Timestamp, zone: Zone) -> Timestamp {
        match self {
            Period::Fixed(micros) => Timestamp(now.0.saturating_sub(micros)),
            Period::Months(months) => zone.plus_months(now, months.saturating_neg()),
        }
    }

    /// `now` plus this length.
    pub fn after(self, now: Timestamp, zone: Zone) -> Timestamp {
        match self {
            Period::Fixed(micros) => Timestamp(now.0.saturating_add(micros)),
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

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text, None).expect(text)
    }

    #[test]
    fn instants_are_read_and_printed() {
        assert_eq!(at("1970-01-01T00:00:01Z"), Timestamp(SECOND));
        assert_eq!(at("1970-01-01 01:00+01:00"), Timestamp(0));
        assert_eq!(at("2024-03-13 10:21:14.5").to_string(), "2024-03-13T10:21:14.500000Z");
        for bad in [
            "2024-02-30T00:00Z",
            "2024-13-01 00:00",
            "2024-01-01",
            "0000-01-01T00:00Z",
            "2024-01-01T24:00Z",
            "2024-01-01T1Z",
        ] {
            assert_eq!(Timestamp::parse(bad, None), None, "{bad}");
        }
    }

    #[test]
    fn it_is_said_why_a_text_is_no_instant() {
        for (text, why) in [
            ("10000-01-01T00:00Z", TimestampError::OutOfRange),
            ("0000-06-01T00:00Z", TimestampError::OutOfRange),
            ("0001-01-01T00:00+01:00", TimestampError::OutOfRange),
            ("9999-12-31T23:59-01:00", TimestampError::OutOfRange),
            ("2024-02-30T00:00Z", TimestampError::NotATimestamp),
            ("10000-1T00:00Z", TimestampError::NotATimestamp),
            ("2024-01-01", TimestampError::NotATimestamp),
            ("year-01-01T00:00Z", TimestampError::NotATimestamp),
        ] {
            assert_eq!(Timestamp::read(text, None), Err(why), "{text}");
        }
        assert_eq!(Timestamp::MIN.in_range(), Ok(Timestamp::MIN));
        assert_eq!(Timestamp(Timestamp::MAX.0 + 1).in_range(), Err(TimestampError::OutOfRange));
    }

    #[test]
    fn people_read_their_own_clock() {
        let berlin = Zone::parse("Europe/Berlin");
        assert_eq!(at("2024-06-01T12:00Z").in_zone(berlin).to_string(), "2024-06-01T14:00:00+02:00");
        assert_eq!(at("2024-01-01T12:00:00.5Z").in_zone(berlin).to_string(), "2024-01-01T13:00:00.500000+01:00");
        assert_eq!(at("2024-06-01T12:00Z").in_zone(Some(Zone::UTC)).to_string(), "2024-06-01T12:00:00Z");
        assert_eq!(at("2024-06-01T12:00Z").in_zone(None).to_string(), "2024-06-01T12:00:00Z");
        // Before the railway its clocks were 53 minutes and 28 seconds ahead.
        assert_eq!(at("1890-01-01T00:00Z").in_zone(berlin).to_string(), "1890-01-01T00:00:00Z");
        for zone in ["America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "Europe/Berlin"] {
            for instant in ["2024-10-27T00:30Z", "2024-10-27T01:30Z", "1999-12-31T23:59:59.999999Z"] {
                let shown = at(instant).in_zone(Zone::parse(zone)).to_string();
                assert_eq!(Timestamp::parse(&shown, None), Some(at(instant)), "{shown} in {zone}");
            }
        }
    }

    /// Wherever an instant, a day or a length of time lies among those that its type
    /// holds, arithmetic ends somewhere and goes no way but forward. Overflow
    /// panics where this runs.
    #[test]
    fn arithmetic_holds_at_the_ends_of_time() {
        let chrono_ends = [-8_334_601_228_800_000_000, 8_210_266_876_799_999_999];
        let ends = [i64::MIN, i64::MAX, 0, Timestamp::MIN.0, Timestamp::MAX.0].into_iter().chain(chrono_ends);
        let mut instants: Vec<i64> = ends
            .flat_map(|end| [-2 * DAY, -DAY, -1, 0, 1, DAY, 2 * DAY].map(|step| end.saturating_add(step)))
            .collect();
        instants.sort_unstable();
        let lengths = [i64::MIN, i64::MIN + 1, -DAY, -1, 0, 1, 13, DAY, 1 << 40, i64::MAX - 1, i64::MAX];
        let days = [i32::MIN, -96_465_293, -96_465_292, -719_163, -719_162, 0, 2_932_896, 95_026_236, i32::MAX];
        let zones = ["UTC", "Europe/Berlin", "Pacific/Apia", "America/New_York", "Asia/Kathmandu", "Etc/GMT+12"];
        for zone in zones.map(|name| Zone::parse(name).expect(name)) {
            let mut day_before = Date(i32::MIN);
            for at in instants.iter().copied().map(Timestamp) {
                let day = zone.date(at);
                assert!(day_before <= day, "{} {}", zone.name(), at.0);
                day_before = day;
                assert!((0..DAY).contains(&zone.time_of_day(at)) && zone.offset(at).abs() <= DAY);
                assert!(!at.to_string().is_empty() && Timestamp::parse(&at.to_string(), None).is_none_or(|t| t == at));
                for length in lengths {
                    for period in [Period::Fixed(length), Period::Months(length)] {
                        let (before, after) = (period.before(at, zone), period.after(at, zone));
                        // Months are steps inside the years 1 to 9999.
                        let is_forward = length < 0 || before <= at && at <= after || !at.is_in_range();
                        assert!(is_forward, "{period} from {} in {}", at.0, zone.name());
                    }
                }
            }
            for day in days.map(Date) {
                let start = zone.start_of_day(day);
                assert!(zone.start_of_day(day.plus_days(-1)) <= start, "{day}");
                for length in lengths {
                    let units = [
                        CalendarUnit::Day,
                        CalendarUnit::Week(WeekStart::Monday),
                        CalendarUnit::Week(WeekStart::Sunday),
                        CalendarUnit::Month,
                        CalendarUnit::Quarter,
                        CalendarUnit::Year,
                    ];
                    for unit in units {
                        zone.start_of_day(day.start_of(unit, length));
                    }
                    day.plus_months(length);
                    day.anniversary_from(day.plus_days(length));
                }
                let (month, weekday) = (day.month(), day.weekday());
                assert!(month < 12 && weekday < 7, "{day}");
                day.month_number();
                day.week_number(WeekStart::Sunday);
            }
        }
    }

    #[test]
    fn a_gap_moves_forward_and_an_overlap_means_the_earlier() {
        let berlin = Zone::parse("Europe/Berlin").expect("a zone");
        let local = |text| Timestamp::parse(text, Some(berlin)).expect(text);
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
        assert_eq!(Zone::UTC.plus_months(at("2024-01-01T00:00Z"), -30_000), Timestamp::MIN);
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
