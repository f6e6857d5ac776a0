//! Some of many people, drawn by chance.

use seg_data::{Batch, sample};

/// The first few of some rows of a batch in the order of a sample: by MD5 of the seed, the
/// segment and the person's id with a zero byte between them.
pub fn drawn((seed, segment): (&str, &str), batch: &Batch, rows: Vec<usize>, n: usize) -> Vec<usize> {
    let name = format!("{seed}\0{segment}");
    let mut placed: Vec<(u64, &str, usize)> =
        rows.into_iter().map(|row| (sample::place(&name, batch.id(row)), batch.id(row), row)).collect();
    placed.sort_unstable();
    placed.into_iter().take(n).map(|(_, _, row)| row).collect()
}
