//! Who entered a segment of late.
//!
//! The one place in which doctor says what an entry is. It looks at the ends of days: whoever
//! is in at the end of one and was not at its beginning entered in it. A person who enters and
//! leaves between two ends is not seen.

use super::{Examined, evaluate};
use crate::error::EvaluateError;
use seg_data::time::DAY;
use seg_data::{Batch, Mask, Timestamp};

/// How many people entered each segment in the days before now that the limits name.
pub(super) fn entered(of: Examined<'_>, judged: &Batch) -> Result<Vec<u64>, EvaluateError> {
    let mut entered: Option<Vec<Mask>> = None;
    let mut before: Option<Vec<Mask>> = None;
    for at in steps(of.now, of.limits.entry_days) {
        let masks = evaluate(of, judged, at)?;
        if let Some(before) = &before {
            let new = masks.iter().zip(before).map(|(now, before)| now.without(before));
            entered = Some(match entered {
                None => new.collect(),
                Some(all) => all.iter().zip(new).map(|(all, new)| or(all, &new)).collect(),
            });
        }
        before = Some(masks);
    }
    Ok(entered.unwrap_or_default().iter().map(|mask| mask.count() as u64).collect())
}

/// The ends of so many days up to an instant, the first of which begins them.
pub(super) fn steps(now: Timestamp, days: u32) -> impl Iterator<Item = Timestamp> {
    let back = (0..=i64::from(days)).rev().map(move |back| Timestamp(now.0.saturating_sub(back * DAY)));
    // No calendar has the days before the year 1.
    back.filter(|at| at.is_in_range())
}

fn or(a: &Mask, b: &Mask) -> Mask {
    Mask::from_words(a.words().iter().zip(b.words()).map(|(a, b)| a | b).collect(), a.len())
}
