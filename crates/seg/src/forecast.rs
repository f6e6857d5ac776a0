//! How large segments are expected to be, and how many people to enter them, with ranges.
//!
//! *Decided + usual*: most of what a segment will be is decided by what has happened already,
//! since windows pass whether anybody does anything or not ([`Prepared::decided`]). To that comes
//! what usually comes: the mean of how much larger than decided the segment turned out to be, as
//! of the last days for which that is known. A range is as wide as the errors of this very
//! forecast were. Nothing is assumed of how sizes are distributed.
//!
//! [`Prepared::decided`]: crate::Prepared::decided

use crate::decided::DecidedSizes;

/// A forecast is tested as of so many of the last days, and its range is made of as many errors.
pub const N_TESTS: usize = 42;
/// What usually comes is the mean of so many days, where it is looked whole weeks ahead.
const N_USUAL: usize = 14;
/// And of so many of the same weekday, where it is not.
const N_USUAL_OF_WEEKDAY: usize = 4;
/// What usually enters on a weekday is the median of so many weeks.
const N_WEEKS: usize = 8;
/// With fewer days of data than this, there is nothing to go by but the last value.
pub const DAYS_LEAST: usize = 28;
/// The share of days on which a range is meant to hold.
pub const RANGE_SHARE: f64 = 0.8;

/// How an expected number is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// What time alone decides, and the mean of what came beyond that.
    DecidedAndUsual,
    /// The number stays what it is.
    LastValue,
    /// What it was on the last day of the same weekday.
    LastWeek,
    /// The median of the same weekday in the last eight weeks.
    UsualWeekday,
}

impl Method {
    /// As it is called in what people and tools read.
    pub fn name(self) -> &'static str {
        match self {
            Method::DecidedAndUsual => "decided and usual",
            Method::LastValue => "last value",
            Method::LastWeek => "same weekday last week",
            Method::UsualWeekday => "median of the weekday in 8 weeks",
        }
    }
}

/// What a forecast goes by: a number a day, the last of which is now's.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The size at the end of each day.
    pub sizes: &'a [u64],
    /// How often somebody entered on each day; the first is not looked at, since it has no day
    /// before it.
    pub entries: &'a [u64],
    /// As of the end of each day, what time alone decides of the days after it.
    pub decided: &'a DecidedSizes,
    /// The first day at the end of which there are data.
    pub first: usize,
}

/// A number that is expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The number, which may be a fraction of a person.
    pub value: f64,
    /// Within which it is expected on four of five days; none with too few days to say.
    pub range: Option<(f64, f64)>,
    /// How it was found.
    pub method: Method,
    /// How it would have done so far, first the method that is meant to be the best.
    pub tested: Vec<Tested>,
}

/// How a method would have done as of each of the last days for which that is known: all of them
/// as of the same days.
#[derive(Debug, Clone, PartialEq)]
pub struct Tested {
    /// Which one.
    pub method: Method,
    /// As of how many days.
    pub n: usize,
    /// The mean of how far off it was; none without a day.
    pub error: Option<f64>,
    /// Of how many days there was a range as of then.
    pub n_ranges: usize,
    /// How many of these ranges held.
    pub n_held: usize,
}

impl Tested {
    /// The share of ranges that held; none without one.
    pub fn held(&self) -> Option<f64> {
        (self.n_ranges > 0).then(|| self.n_held as f64 / self.n_ranges as f64)
    }
}

/// What is expected so many days ahead.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// How many days ahead.
    pub ahead: usize,
    /// The size at the end of that day.
    pub size: Expected,
    /// How often somebody enters on that day; none on the first day of data, which has no day
    /// before it.
    pub entries: Option<Expected>,
}

/// How many days up to now are looked at for a forecast of so many days: its ranges are tested,
/// and these are made of errors of forecasts that go by the days before them.
pub fn n_days_before(n_ahead: usize) -> usize {
    2 * (n_ahead + N_TESTS) + weeks(n_ahead) + 7 * (N_WEEKS - 1)
}

/// How many days up to now are looked at to say what was expected of now a day before.
pub fn n_days_of_guard() -> usize {
    1 + N_TESTS + weeks(1) + 7 * (N_USUAL_OF_WEEKDAY - 1) + 1
}

/// What is expected of each of so many days from now on.
pub fn forecasts(known: Known<'_>, n_ahead: usize) -> Vec<Forecast> {
    let now = known.sizes.len().saturating_sub(1);
    let numbers = |of: &[u64]| of.iter().map(|n| *n as f64).collect::<Vec<f64>>();
    let (sizes, entries) = (numbers(known.sizes), numbers(known.entries));
    let is_long_enough = now.saturating_sub(known.first) >= DAYS_LEAST;
    let of_sizes: &[Method] = match is_long_enough {
        true => &[Method::DecidedAndUsual, Method::LastValue],
        false => &[Method::LastValue],
    };
    let of_entries: &[Method] = match is_long_enough {
        true => &[Method::UsualWeekday, Method::LastWeek],
        false => &[Method::LastWeek, Method::LastValue],
    };
    let size = Series { numbers: &sizes, decided: known.decided, first: known.first };
    let entry = Series { numbers: &entries, decided: known.decided, first: known.first + 1 };
    let days = (1..=n_ahead).filter_map(|ahead| {
        let size = size.expected((now, ahead), of_sizes, &[Method::LastWeek])?;
        let entries = entry.expected((now, ahead), of_entries, &[Method::LastValue]);
        Some(Forecast { ahead, size, entries })
    });
    days.collect()
}

/// What the size of the last of some days was expected to be as of the day before, with a range
/// that is meant to hold on such a share of days. None where there are too few days to say.
pub fn expected_now(known: Known<'_>, share: f64) -> Option<(f64, (f64, f64))> {
    let now = known.sizes.len().checked_sub(2)?;
    if now.saturating_sub(known.first) < DAYS_LEAST {
        return None;
    }
    let sizes: Vec<f64> = known.sizes.iter().map(|n| *n as f64).collect();
    let series = Series { numbers: &sizes, decided: known.decided, first: known.first };
    let best = series.expected((now, 1), &[Method::DecidedAndUsual, Method::LastValue], &[])?;
    let width = series.width(best.method, (now, 1), share)?;
    Some((best.value, ((best.value - width).max(0.0), best.value + width)))
}

/// Numbers of days, and what is known of them in advance.
struct Series<'a> {
    numbers: &'a [f64],
    decided: &'a DecidedSizes,
    /// The first day that has a number.
    first: usize,
}

impl Series<'_> {
    fn number(&self, day: usize) -> Option<f64> {
        self.numbers.get(day).copied().filter(|_| day >= self.first)
    }

    fn decided(&self, origin: usize, ahead: usize) -> Option<f64> {
        self.decided.get(origin)?.get(ahead.checked_sub(1)?).map(|n| *n as f64)
    }

    /// What a method expects as of a day of one so many days later; none where there are no days
    /// to go by.
    fn guess(&self, method: Method, (origin, ahead): (usize, usize)) -> Option<f64> {
        match method {
            Method::LastValue => self.number(origin),
            Method::LastWeek => self.number((origin + ahead).checked_sub(weeks(ahead))?),
            Method::UsualWeekday => {
                let days = (0..N_WEEKS).map_while(|n| (origin + ahead).checked_sub(weeks(ahead) + 7 * n));
                median(days.filter_map(|day| self.number(day)).collect())
            }
            Method::DecidedAndUsual => {
                let (back, step, n) = match ahead % 7 {
                    0 => (ahead, 1, N_USUAL),
                    _ => (weeks(ahead), 7, N_USUAL_OF_WEEKDAY),
                };
                let before = (0..n).map_while(|nth| origin.checked_sub(back + step * nth));
                let came = before
                    .filter(|before| *before >= self.first)
                    .filter_map(|before| Some(self.number(before + ahead)? - self.decided(before, ahead)?));
                Some((self.decided(origin, ahead)? + mean(came)?).max(0.0))
            }
        }
    }

    /// How far off a method was as of the last days for which that is known at one of them, the
    /// latest first, each with its day.
    fn errors(&self, method: Method, (now, ahead): (usize, usize)) -> impl Iterator<Item = (usize, f64)> {
        let end = (now + 1).saturating_sub(ahead);
        let errors = (self.first..end).rev().filter_map(move |origin| {
            Some((origin, (self.number(origin + ahead)? - self.guess(method, (origin, ahead))?).abs()))
        });
        errors.take(N_TESTS)
    }

    /// How wide a range is to either side, to hold on such a share of days: of so many errors the
    /// smallest one that so many and one of them, by the share, are not above. None where that
    /// would be larger than any.
    fn width(&self, method: Method, at: (usize, usize), share: f64) -> Option<f64> {
        let mut errors: Vec<f64> = self.errors(method, at).map(|(_, error)| error).collect();
        errors.sort_unstable_by(f64::total_cmp);
        let rank = (share * (errors.len() + 1) as f64).ceil() as usize;
        errors.get(rank.checked_sub(1)?).copied()
    }

    /// How a method would have done as of some days.
    fn tested(&self, method: Method, origins: &[usize], ahead: usize) -> Tested {
        let error = |origin: usize| Some((self.number(origin + ahead)? - self.guess(method, (origin, ahead))?).abs());
        let errors: Vec<(usize, f64)> = origins.iter().filter_map(|origin| Some((*origin, error(*origin)?))).collect();
        let widths = errors
            .iter()
            .filter_map(|(origin, error)| Some((self.width(method, (*origin, ahead), RANGE_SHARE)?, *error)));
        let (mut n_ranges, mut n_held) = (0, 0);
        for (width, error) in widths {
            n_ranges += 1;
            n_held += usize::from(error <= width);
        }
        let n = errors.len();
        Tested { method, n, error: mean(errors.into_iter().map(|(_, error)| error)), n_ranges, n_held }
    }

    /// What is expected by the best of some methods: the first of them that has anything to go
    /// by, unless one after it was less far off. Others are tested alone.
    fn expected(&self, (now, ahead): (usize, usize), methods: &[Method], others: &[Method]) -> Option<Expected> {
        let mut able = methods.iter().filter(|method| self.guess(**method, (now, ahead)).is_some());
        let meant = *able.next()?;
        let origins: Vec<usize> = self.errors(meant, (now, ahead)).map(|(origin, _)| origin).collect();
        let test = |method: &Method| self.tested(*method, &origins, ahead);
        let first = test(&meant);
        let mut best = (meant, first.error);
        let mut tested = vec![first];
        for method in able {
            let other = test(method);
            if let (Some(error), Some(least)) = (other.error, best.1)
                && other.n == origins.len()
                && error < least
            {
                best = (*method, Some(error));
            }
            tested.push(other);
        }
        tested.extend(others.iter().map(test));
        let value = self.guess(best.0, (now, ahead))?;
        let range = self.width(best.0, (now, ahead), RANGE_SHARE);
        let range = range.map(|width| ((value - width).max(0.0), value + width));
        Some(Expected { value, range, method: best.0, tested })
    }
}

/// The days of the whole weeks that so many days begin.
fn weeks(ahead: usize) -> usize {
    ahead.div_ceil(7) * 7
}

fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0_u32);
    for number in numbers {
        sum += number;
        n += 1;
    }
    (n > 0).then(|| sum / f64::from(n))
}

/// The middle one, or the mean of the two in the middle.
fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    let upper = *numbers.get(numbers.len() / 2)?;
    let lower = *numbers.get(numbers.len().saturating_sub(1) / 2)?;
    Some((lower + upper) / 2.0)
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]
mod tests {
    use super::*;

    /// Sizes that grow by one a day, of which nothing is decided but what there is.
    fn growing(n: usize) -> (Vec<u64>, Vec<u64>, DecidedSizes) {
        let sizes: Vec<u64> = (0..n as u64).map(|day| 100 + day).collect();
        let decided = sizes.iter().map(|size| vec![*size; 14]).collect();
        (sizes, vec![1; n], decided)
    }

    #[test]
    fn what_usually_comes_is_added_to_what_is_decided() {
        let (sizes, entries, decided) = growing(170);
        let known = Known { sizes: &sizes, entries: &entries, decided: &decided, first: 0 };
        for forecast in forecasts(known, 14) {
            let ahead = forecast.ahead as f64;
            assert_eq!(
                (forecast.size.value, forecast.size.range),
                (269.0 + ahead, Some((269.0 + ahead, 269.0 + ahead)))
            );
            assert_eq!(forecast.size.method, Method::DecidedAndUsual);
            let [own, last, week] = [0, 1, 2].map(|nth| &forecast.size.tested[nth]);
            assert_eq!((own.n, own.error, own.held()), (42, Some(0.0), Some(1.0)));
            assert_eq!((last.method, last.error), (Method::LastValue, Some(ahead)));
            assert_eq!((week.method, week.error), (Method::LastWeek, Some(weeks(forecast.ahead) as f64)));
            let entries = forecast.entries.expect("days with entries");
            assert_eq!((entries.value, entries.range), (1.0, Some((1.0, 1.0))));
        }
    }

    /// Widths by hand: errors of 1 to 10 in some order, of which the ⌈0.8 · 11⌉ = 9th counts.
    #[test]
    fn a_range_is_as_wide_as_errors_were() {
        let steps = [3, 1, 4, 10, 5, 9, 2, 6, 8, 7];
        let mut sizes = vec![100.0];
        for (nth, step) in steps.into_iter().enumerate() {
            let by = if nth % 2 == 0 { f64::from(step) } else { -f64::from(step) };
            sizes.push(sizes.last().expect("a size") + by);
        }
        let none = Vec::new();
        let series = Series { numbers: &sizes, decided: &none, first: 0 };
        assert_eq!(series.width(Method::LastValue, (10, 1), 0.8), Some(9.0));
        // Of three errors none is as rare as one in five.
        assert_eq!(series.width(Method::LastValue, (3, 1), 0.8), None);
        assert_eq!(series.width(Method::LastValue, (4, 1), 0.8), Some(10.0));
        let tested = series.tested(Method::LastValue, &[9, 8, 7, 6], 1);
        assert_eq!((tested.n, tested.error, tested.n_ranges, tested.n_held), (4, Some(5.75), 4, 4));
    }

    #[test]
    fn where_it_loses_the_last_value_is_shown() {
        // What is decided is wrong by more every day, and the size never changes.
        let decided: DecidedSizes = (0..170_u64).map(|day| vec![day * day; 14]).collect();
        let (sizes, entries) = (vec![50; 170], vec![0; 170]);
        let known = Known { sizes: &sizes, entries: &entries, decided: &decided, first: 0 };
        let found = forecasts(known, 7);
        assert!(found.iter().all(|of| of.size.method == Method::LastValue && of.size.value == 50.0), "{found:?}");
        // With few days nothing else is looked at.
        let known = Known { first: 150, ..known };
        let found = forecasts(known, 1).remove(0);
        let entries = found.entries.expect("days with entries");
        assert_eq!((found.size.method, entries.method), (Method::LastValue, Method::LastWeek));
        assert_eq!(found.size.tested.len(), 2);
    }

    #[test]
    fn weekdays_are_compared_with_their_own() {
        // Ten enter on each seventh day, and nobody on others.
        let entries: Vec<u64> = (0..170).map(|day| if day % 7 == 0 { 10 } else { 0 }).collect();
        let decided: DecidedSizes = vec![vec![0; 14]; 170];
        let known = Known { sizes: &entries, entries: &entries, decided: &decided, first: 0 };
        for of in forecasts(known, 14) {
            let expected = if (169 + of.ahead) % 7 == 0 { 10.0 } else { 0.0 };
            let entries = of.entries.expect("days with entries");
            assert_eq!((entries.value, entries.method), (expected, Method::UsualWeekday), "{}", of.ahead);
        }
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!((median(vec![5.0, 1.0, 3.0]), median(Vec::new())), (Some(3.0), None));
    }

    #[test]
    fn a_size_is_compared_with_what_was_expected_of_it() {
        let (mut sizes, entries, decided) = growing(170);
        let known = Known { sizes: &sizes, entries: &entries, decided: &decided, first: 0 };
        assert_eq!(expected_now(known, 0.97), Some((269.0, (269.0, 269.0))));
        sizes[169] = 400;
        let known = Known { sizes: &sizes, entries: &entries, decided: &decided, first: 0 };
        assert_eq!(expected_now(known, 0.97), Some((269.0, (269.0, 269.0))), "today is not looked at");
        assert_eq!(expected_now(Known { first: 150, ..known }, 0.97), None);
    }
}
