//! Mutated texts against the front end, for as long as wanted.

use seg_tests::fuzz::{Inputs, TARGETS, check};
use seg_tests::root;
use std::time::{Duration, Instant};

/// Runs a target for some seconds, or until an input fails, which is kept.
pub fn run(args: &[&str]) -> Result<(), String> {
    let names = || TARGETS.iter().map(|t| t.name).collect::<Vec<_>>().join(", ");
    let (name, rest) = args.split_first().ok_or_else(|| format!("which target? one of {}\n", names()))?;
    let target =
        TARGETS.iter().find(|t| t.name == *name).ok_or_else(|| format!("`{name}` is not one of {}\n", names()))?;
    let number = |at: usize, or: u64| match rest.get(at) {
        Some(text) => text.parse::<u64>().map_err(|_| format!("`{text}` is not a number\n")),
        None => Ok(or),
    };
    let (seconds, seed) = (number(0, 60)?, number(1, 1)?);
    let mut inputs = Inputs::new(target, seed);
    let start = Instant::now();
    let mut n: u64 = 0;
    while start.elapsed() < Duration::from_secs(seconds) {
        let input = inputs.next_input();
        n += 1;
        if let Err(why) = check(target, &input) {
            let path = root().join(format!("target/fuzz-{name}-{seed}-{n}"));
            std::fs::write(&path, &input).map_err(|e| format!("{}: {e}\n", path.display()))?;
            return Err(format!("input {n} fails: {why}\nkept as {}\n", path.display()));
        }
    }
    println!("{name}: {n} inputs of seed {seed}, none fails");
    Ok(())
}
