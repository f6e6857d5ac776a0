//! Sizes that are expected, against those that came out.

mod expected;

pub use expected::Expected;
pub use seg::unstable::guards::Guards;

use seg::unstable::guards::{FoundSizes, SizesBefore};
use seg::unstable::io::{Sizes, read_sizes};
use seg::{Mask, Program, Timestamp};
use std::path::Path;

/// What is said of a partition, whose sizes are not those that segments expect.
pub fn of_partition() -> Guards {
    let note = "sizes are of all partitions together, and are judged by `seg merge-results`".to_owned();
    Guards { broken: Vec::new(), notes: vec![note] }
}

/// Holds sizes, of so many people who exist, against what segments expect. `before`
/// is what the last run recorded.
pub fn guards(program: &Program, masks: &[Mask], n_people: usize, before: Option<&Sizes>, now: Timestamp) -> Guards {
    let before = before.and_then(|b| Some(SizesBefore { at: Timestamp::parse(&b.at, None)?, sizes: &b.sizes }));
    seg::unstable::guards::guards(program, &FoundSizes::of(program, masks, n_people), before, now)
}

/// What the last run recorded; none where there is no such file yet.
pub fn recorded(path: &Path) -> Result<Option<Sizes>, String> {
    if path.exists() { read_sizes(path).map(Some) } else { Ok(None) }
}
