//! What messages offer is right, and stands where the mistake is; see [`seg_tests::helps`].

use seg_tests::helps::{Judged, cases, judge_broken, shop};

/// How many sentences are broken: in CI a share of what a long run breaks.
fn n_broken() -> usize {
    std::env::var("SEG_BROKEN").ok().and_then(|n| n.parse().ok()).unwrap_or(1_200)
}

fn seed() -> u64 {
    std::env::var("SEG_BROKEN_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_127)
}

#[test]
fn every_text_that_the_cases_are_offered_compiles() {
    let (front_end, mut judged) = (shop(), Judged::default());
    cases().iter().for_each(|text| judged.text(&front_end, text, None));
    assert!(judged.refused.is_empty(), "{}", judged.refused.join("\n"));
    assert!(judged.n_offers > 150, "only {} texts are offered", judged.n_offers);
}

#[test]
fn errors_of_broken_sentences_stand_where_they_are_broken() {
    let (n, seed) = (n_broken(), seed());
    let halves = std::thread::scope(|scope| {
        let other = scope.spawn(|| judge_broken(n / 2, seed ^ 1 << 40));
        [judge_broken(n - n / 2, seed), other.join().expect("no panic")]
    });
    let (mut judged, mut n_refused) = (Judged::default(), 0);
    for (half, refused) in halves {
        judged.add(half);
        n_refused += refused;
    }
    println!("{n} sentences broken from the seed {seed}: {n_refused} refused, {} texts offered", judged.n_offers);
    assert!(judged.refused.is_empty(), "offered and refused:\n{}", judged.refused.join("\n"));
    assert!(judged.foreign.is_empty(), "words that nobody wrote:\n{}", judged.foreign.join("\n"));
    // One in twenty.
    assert!(judged.elsewhere.len() * 20 <= judged.n_errors, "elsewhere:\n{}", judged.elsewhere.join("\n"));
    assert!(n_refused * 4 > n, "only {n_refused} of {n} were refused");
}
