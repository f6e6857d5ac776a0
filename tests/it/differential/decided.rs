//! What time alone decides of the days to come, against the reference evaluator.
//!
//! As of each origin the people are cut at it, so that nothing of them is there which comes later,
//! and the reference evaluator says who of them is in so many days after it. People who come to
//! exist after the origin are not known at it.

use super::{edges::program_of, now, profiles, runner, sentences};
use proptest::prelude::*;
use seg::unstable::decided::Days;
use seg::{Options, Timestamp};
use seg_hir::Evaluator;
use std::cell::Cell;

/// Days of some calendar: longer than most, so that windows end.
const DAY: i64 = 4 * 86_400_000_000;
const SENTENCES: usize = 20;
const PEOPLE: usize = 6;
const N_ORIGINS: usize = 6;
const N_AHEAD: usize = 5;

#[test]
fn what_time_decides_is_what_the_reference_says_of_people_cut_at_an_origin() {
    let (looked_at, known_otherwise, changed) = (Cell::new(0_u64), Cell::new(0_u64), Cell::new(0_u64));
    let strategy = (
        proptest::collection::vec(profiles::person(), PEOPLE),
        proptest::collection::vec(sentences::sentence(), SENTENCES),
        1..12_i64,
    );
    let outcome = runner(6, 21, super::asked_seed()).run(&strategy, |(profiles, sentences, back)| {
        let (_, program, batch, texts) = program_of(&profiles, &sentences)?;
        // Days that reach over now, by an hour that is nobody's.
        let instants: Vec<Timestamp> = (0..(N_ORIGINS + N_AHEAD) as i64)
            .map(|day| Timestamp(now().0 + (day - back) * DAY + 7 * 60_000_000))
            .collect();
        let days = Days { instants: &instants, n_ahead: N_AHEAD };
        let last = *days.origins().last().expect("an origin");
        let (prepared, module) = (program.prepare(), seg::unstable::module(&program));
        let segments: Vec<usize> = (0..program.segment_names().count()).collect();
        let options = Options::new().with_threads(1);
        for (row, line) in profiles.iter().enumerate() {
            let fails = |e: &dyn std::fmt::Display| TestCaseError::fail(e.to_string());
            let person = batch.known_at(row..row + 1, Timestamp::MAX).map_err(|e| fails(&e))?;
            let spells = prepared.spells(&person, (instants[0], last), &segments, &options).map_err(|e| fails(&e))?;
            let decided = prepared.decided(&person, days, (&segments, &spells), &options).map_err(|e| fails(&e))?;
            for (at, origin) in days.origins().iter().enumerate() {
                let known = person.known_at(0..1, *origin).map_err(|e| fails(&e))?;
                let exists = person.exists_from(0).is_none_or(|from| from <= *origin);
                let at_origin = Evaluator::new(module, *origin).evaluate(&known);
                for ahead in 1..=N_AHEAD {
                    let then = instants[at + ahead];
                    let expected = Evaluator::new(module, then).evaluate(&known);
                    let comes = Evaluator::new(module, then).evaluate(&person);
                    for (segment, mask) in expected.iter().enumerate() {
                        let is_in = exists && mask.get(0);
                        let found = decided[segment][at][ahead - 1];
                        prop_assert_eq!(
                            found,
                            u64::from(is_in),
                            "{}\n{}\nas of {}, {} days ahead",
                            texts[segment],
                            line,
                            origin,
                            ahead
                        );
                        looked_at.set(looked_at.get() + 1);
                        known_otherwise.set(known_otherwise.get() + u64::from(is_in != comes[segment].get(0)));
                        changed.set(changed.get() + u64::from(exists && is_in != at_origin[segment].get(0)));
                    }
                }
            }
        }
        // All people together are as many as they are one by one.
        let spells = prepared.spells(&batch, (instants[0], last), &segments, &options).expect("as before");
        let together = prepared.decided(&batch, days, (&segments, &spells), &options).expect("as before");
        for (at, origin) in days.origins().iter().enumerate() {
            let known = batch.known_at(0..batch.len(), *origin).expect("as before");
            let existing = batch.existing(*origin);
            for ahead in 1..=N_AHEAD {
                let masks = Evaluator::new(module, instants[at + ahead]).evaluate(&known);
                for (segment, mask) in masks.iter().enumerate() {
                    let is_known = |row: &usize| existing.as_ref().is_none_or(|existing| existing.get(*row));
                    let n = mask.rows().filter(is_known).count() as u64;
                    prop_assert_eq!(together[segment][at][ahead - 1], n, "{} as of {}", texts[segment], origin);
                }
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|e| panic!("{e}"));
    let [looked_at, known_otherwise, changed] = [looked_at, known_otherwise, changed].map(Cell::into_inner);
    println!("{looked_at} answers, {known_otherwise} of which came otherwise, and {changed} of which time changed");
    // Where what comes later changes nothing, and time does not, little is proved.
    assert!(known_otherwise * 100 > looked_at && changed * 100 > looked_at, "{known_otherwise} and {changed}");
}
