//! At which instants a moment, or the day of today, passes another one.
//!
//! A moment is a function of the instant as of which everything is evaluated. Where
//! it is a fixed length away it keeps in step with it, and passes each value once.
//! The start of a period of the calendar stands still and jumps as a period begins.
//! So many months away it keeps in step within a day; from one day to the next it may
//! stand still or go back, for 28 to 31 March are all one month after 28 February, and
//! clocks that change move it as well. So it may pass a value several times, and each
//! of them is an edge.

use seg_data::time::{DAY, SECOND};
use seg_data::{Date, Period, Timestamp, Zone};
use seg_hir::hir::{DayOffset, Moment};
use std::collections::HashMap;
use std::rc::Rc;

/// Clocks change at a multiple of this, by which days are looked through; where they
/// did otherwise, it is found by halving.
const STEP: i64 = 15 * 60 * SECOND;
/// So many days on either side of the day that the calendar gives for the way back
/// hold every instant from which a value is so many months away.
const DAYS_AROUND: i64 = 5;
/// Clocks that change within this of the start of a day may start it twice.
const NEAR: i64 = 3 * 3600 * SECOND;

/// From an instant on, by how much later a moment is than the instant.
type Piece = (i64, i64);

/// The days of calendars that were looked through, kept from one value to the next.
#[derive(Default)]
pub(super) struct Calendars {
    days: HashMap<(Zone, i64, Date), Rc<Vec<Piece>>>,
}

impl Calendars {
    /// Adds every instant at which the order of a moment and a value changes.
    pub(super) fn passes(&mut self, moment: Moment, value: Timestamp, out: &mut Vec<i64>) {
        let mut passes_at = |at: i64| out.extend([at, at.saturating_add(1)]);
        match moment {
            Moment::At(_) => {}
            Moment::Before(Period::Fixed(length), _) => passes_at(value.0.saturating_add(length)),
            Moment::After(Period::Fixed(length), _) => passes_at(value.0.saturating_sub(length)),
            Moment::Before(Period::Months(months), zone) => {
                self.passes_by_months(months.saturating_neg(), zone, value, out);
            }
            Moment::After(Period::Months(months), zone) => self.passes_by_months(months, zone, value, out),
            Moment::StartOf(unit, offset, zone) => {
                let day = zone.date(value);
                // Where clocks go back over midnight, the next day may begin before the value.
                for later in 0..=2 {
                    day_starts(zone, day.start_of(unit, offset.saturating_neg().saturating_add(later)), out);
                }
            }
        }
    }

    fn passes_by_months(&mut self, months: i64, zone: Zone, value: Timestamp, out: &mut Vec<i64>) {
        let around = zone.date(zone.plus_months(value, months.saturating_neg()));
        let mut before: Option<i64> = None;
        let mut pieces: Vec<Piece> = Vec::new();
        for day in -DAYS_AROUND..=DAYS_AROUND {
            pieces.extend(self.pieces(zone, months, around.plus_days(day)).iter());
        }
        for (at, (start, ahead)) in pieces.iter().enumerate() {
            let end = pieces.get(at + 1).map_or(i64::MAX, |next| next.0);
            // How the moment stood to the value an instant before, and how it does now.
            let order = |ahead: i64, at: i64| at.saturating_add(ahead).cmp(&value.0);
            if before.is_some_and(|ahead_before| order(ahead_before, start - 1) != order(*ahead, *start)) {
                out.push(*start);
            }
            let meets = value.0.saturating_sub(*ahead);
            out.extend([meets, meets.saturating_add(1)].into_iter().filter(|at| start < at && *at < end));
            before = Some(*ahead);
        }
    }

    /// The pieces of a day in which the instant so many months later, or earlier, keeps
    /// in step.
    pub(super) fn pieces(&mut self, zone: Zone, months: i64, day: Date) -> Rc<Vec<Piece>> {
        if let Some(pieces) = self.days.get(&(zone, months, day)) {
            return Rc::clone(pieces);
        }
        let (start, end) = (zone.start_of_day(day).0, zone.start_of_day(day.plus_days(1)).0);
        let ahead = |at: i64| zone.plus_months(Timestamp(at), months).0.saturating_sub(at);
        let mut pieces: Vec<Piece> = Vec::new();
        if start < end {
            pieces.push((start, ahead(start)));
        }
        let mut last = start;
        // The clocks of UTC never change.
        while zone != Zone::UTC && last < end - 1 {
            let next = (last.div_euclid(STEP).saturating_add(1)).saturating_mul(STEP).min(end - 1);
            let before = ahead(last);
            if ahead(next) != before {
                let at = first(last, next, |at| ahead(at) != before);
                pieces.push((at, ahead(at)));
            }
            last = next;
        }
        let pieces = Rc::new(pieces);
        self.days.insert((zone, months, day), Rc::clone(&pieces));
        pieces
    }
}

/// Adds the instants at which a day of the calendar begins. Where clocks change around
/// midnight, these are several.
pub(super) fn day_starts(zone: Zone, day: Date, out: &mut Vec<i64>) {
    let start = zone.start_of_day(day).0;
    out.push(start);
    let offset = |at: i64| zone.offset(Timestamp(at));
    let (from, to) = (start.saturating_sub(NEAR), start.saturating_add(NEAR));
    let by = offset(to) - offset(from);
    if by != 0 {
        let changes_at = first(from, to, |at| offset(at) != offset(from));
        out.extend([changes_at, start.saturating_sub(by.abs()), start.saturating_add(by.abs())]);
    }
}

/// Adds the starts of every day from an instant to another.
pub(super) fn all_day_starts(zone: Zone, (from, to): (Timestamp, Timestamp), out: &mut Vec<i64>) {
    let (mut day, last) = (zone.date(from), zone.date(to).plus_days(1));
    while day <= last && day.0 < i32::MAX {
        day_starts(zone, day, out);
        day = day.plus_days(1);
    }
}

/// Adds every instant at which the order of a day off today and another day changes.
pub(super) fn passes_day(zone: Zone, offset: DayOffset, day: Date, out: &mut Vec<i64>) {
    match offset {
        DayOffset::Days(days) => {
            for days in [days, days.saturating_sub(1)] {
                day_starts(zone, day.plus_days(days.saturating_neg()), out);
            }
        }
        DayOffset::Months(months) => {
            let around = day.plus_months(months.saturating_neg());
            (-DAYS_AROUND..=DAYS_AROUND).for_each(|days| day_starts(zone, around.plus_days(days), out));
        }
        DayOffset::StartOf(unit, offset) => {
            for offset in [offset.saturating_neg(), offset.saturating_neg().saturating_add(1)] {
                day_starts(zone, day.start_of(unit, offset), out);
            }
        }
    }
}

/// The zone whose calendar a moment follows, unless it is a fixed length away or stands
/// still.
pub(super) fn calendar_of(moment: Moment) -> Option<Zone> {
    match moment {
        Moment::At(_) | Moment::Before(Period::Fixed(_), _) | Moment::After(Period::Fixed(_), _) => None,
        Moment::Before(Period::Months(_), zone) | Moment::After(Period::Months(_), zone) => Some(zone),
        Moment::StartOf(_, _, zone) => Some(zone),
    }
}

/// The first instant after one at which something holds that does not hold there, and
/// holds at another from then on.
pub(super) fn first(mut before: i64, mut at: i64, holds: impl Fn(i64) -> bool) -> i64 {
    while at.saturating_sub(before) > 1 {
        let middle = before + (at - before) / 2;
        match holds(middle) {
            true => at = middle,
            false => before = middle,
        }
    }
    at
}

/// So many days later.
pub(super) fn days_after(at: Timestamp, days: i64) -> Timestamp {
    Timestamp(at.0.saturating_add(days.saturating_mul(DAY)).min(Timestamp::MAX.0))
}

/// So many days earlier.
pub(super) fn days_before(at: Timestamp, days: i64) -> Timestamp {
    Timestamp(at.0.saturating_sub(days.saturating_mul(DAY)).max(Timestamp::MIN.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use seg_data::WeekStart;
    use seg_data::time::CalendarUnit;

    /// Every instant at which the order of the moment and the value changes, found by
    /// looking at each hour and halving between them.
    fn looked_for(moment: Moment, value: Timestamp, (from, to): (i64, i64)) -> Vec<i64> {
        let order = |at: i64| moment.at(Timestamp(at)).cmp(&value);
        let mut found = Vec::new();
        let mut last = from;
        while last < to {
            let next = last + STEP;
            let mut at = last;
            // Within some minutes an order changes at most twice, to equal and on.
            while order(at) != order(next) {
                let before = order(at);
                at = first(at, next, |at| order(at) != before);
                found.push(at);
            }
            last = next;
        }
        found
    }

    #[test]
    fn moments_pass_values_where_they_are_seen_to() {
        let at = |text: &str| Timestamp::parse(text, None).expect(text);
        let values = [
            "2026-02-28T06:00:00Z",
            "2026-02-28T23:30:00Z",
            "2026-03-29T00:30:00Z",
            "2026-03-29T01:00:00Z",
            "2025-10-26T00:30:00Z",
            "2025-10-26T01:15:00Z",
            "2026-03-31T22:00:00Z",
            "2026-04-30T22:00:00Z",
            "2024-02-29T12:00:00Z",
            "2026-03-08T07:10:00Z",
            "2025-11-02T05:30:00Z",
            "2009-11-01T02:31:00Z",
        ];
        let zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "America/St_Johns"];
        let mut calendars = Calendars::default();
        for zone in zones.map(|name| Zone::parse(name).expect(name)) {
            let months = [1, 6, 11, 12, 24].map(Period::Months);
            let starts =
                [CalendarUnit::Day, CalendarUnit::Week(WeekStart::Sunday), CalendarUnit::Month, CalendarUnit::Year];
            let moments = months
                .into_iter()
                .chain([Period::Fixed(0), Period::Fixed(30 * DAY + 1)])
                .flat_map(|period| [Moment::Before(period, zone), Moment::After(period, zone)])
                .chain(
                    starts.into_iter().flat_map(|unit| [-2, 0, 1].map(|offset| Moment::StartOf(unit, offset, zone))),
                );
            for moment in moments {
                for value in values.map(at) {
                    let mut found = Vec::new();
                    calendars.passes(moment, value, &mut found);
                    // The way back by the calendar says about where to look.
                    let around = found.first().copied().unwrap_or(value.0);
                    let range = (around - 6 * DAY, around + 6 * DAY);
                    let order = |at: i64| moment.at(Timestamp(at)).cmp(&value);
                    found.retain(|at| range.0 < *at && *at <= range.1 && order(*at) != order(*at - 1));
                    found.sort_unstable();
                    found.dedup();
                    let seen = looked_for(moment, value, range);
                    assert_eq!(found, seen, "{moment:?} and {value}");
                }
            }
        }
    }

    #[test]
    fn days_pass_others_where_they_are_seen_to() {
        let day = |text: &str| Date::parse(text).expect(text);
        let month = CalendarUnit::Month;
        let offsets = [
            DayOffset::Days(0),
            DayOffset::Days(-30),
            DayOffset::Months(-1),
            DayOffset::Months(1),
            DayOffset::StartOf(month, 0),
            DayOffset::StartOf(month, -1),
            DayOffset::StartOf(CalendarUnit::Week(WeekStart::Monday), 1),
        ];
        for zone in ["UTC", "Europe/Berlin", "Pacific/Apia"].map(|name| Zone::parse(name).expect(name)) {
            for (offset, value) in offsets.into_iter().flat_map(|offset| {
                ["2026-02-28", "2026-03-29", "2026-03-31", "2012-01-01"].map(|text| (offset, day(text)))
            }) {
                let mut found = Vec::new();
                passes_day(zone, offset, value, &mut found);
                let order = |at: i64| offset.from(zone.date(Timestamp(at))).cmp(&value);
                let around = found.first().copied().unwrap_or_default();
                let (from, to) = (around - 70 * DAY, around + 70 * DAY);
                found.retain(|at| order(*at) != order(*at - 1));
                found.sort_unstable();
                found.dedup();
                let mut seen = Vec::new();
                let mut last = from;
                while last < to {
                    let next = last + STEP;
                    if order(last) != order(next) {
                        seen.push(first(last, next, |at| order(at) != order(last)));
                    }
                    last = next;
                }
                assert_eq!(found, seen, "{offset:?} and {value} in {}", zone.name());
            }
        }
    }
}
