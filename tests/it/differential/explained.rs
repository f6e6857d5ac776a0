//! Explanations, against who is in: each is true, and says no more than decides.

use super::edges::program_of;
use super::{asked_seed, now, profiles, runner, sentences};
use proptest::prelude::*;
use seg::unstable::Join;
use seg::{Role, Why};
use seg_hir::explain::Explain;
use seg_tests::{Reference, TestEngine};
use std::cell::Cell;

/// With more conditions than this not every choice of them is looked at.
const LOOKED_AT_MAX: usize = 12;

/// Whether a tree of conditions holds where each condition has a value: written here once more.
fn is_true(why: &Why, values: &[bool]) -> bool {
    let n_true = || why.parts.iter().filter(|part| is_true(part, values)).count() as u64;
    match why.join {
        // What it is made of only tells of it.
        Join::Condition => why.condition.map_or(why.holds, |number| values[number]),
        Join::Not => n_true() == 0,
        Join::Several(min, max) => n_true() >= min && max.is_none_or(|max| n_true() <= max),
        Join::All => why.parts.iter().all(|part| is_true(part, values) ^ (part.role == Role::Exclude)),
    }
}

/// What an explanation says of itself is so.
fn is_sound(why: &Why) -> Result<bool, String> {
    let of_now: Vec<bool> = why.conditions().iter().map(|condition| condition.holds).collect();
    let n = of_now.len();
    if is_true(why, &of_now) != why.holds {
        return Err("its conditions do not make it what it is".to_owned());
    }
    let turned = |chosen: &dyn Fn(usize) -> bool| -> Vec<bool> {
        of_now.iter().enumerate().map(|(at, holds)| *holds != chosen(at)).collect()
    };
    // Whatever the others were.
    let (proof, n_looked_at) = (why.proof(), 1_u64 << n.min(LOOKED_AT_MAX));
    for bits in 0..n_looked_at {
        let values = turned(&|at| !proof.contains(&at) && bits >> (at % LOOKED_AT_MAX) & 1 == 1);
        if is_true(why, &values) != why.holds {
            return Err(format!("{proof:?} do not prove it"));
        }
    }
    let fewest = why.fewest();
    if why.holds {
        return if fewest.is_none() { Ok(true) } else { Err("who is in needs no change".to_owned()) };
    }
    if n > LOOKED_AT_MAX {
        let is_enough = fewest.is_none_or(|fewest| is_true(why, &turned(&|at| fewest.conditions.contains(&at))));
        return if is_enough { Ok(false) } else { Err("the fewest do not let them in".to_owned()) };
    }
    // The smallest choice, the first of the sentence among as small ones: by all choices.
    let choices = (0..n_looked_at).filter(|bits| is_true(why, &turned(&|at| bits >> at & 1 == 1)));
    let numbers = |bits: u64| (0..n).filter(|at| bits >> at & 1 == 1).collect::<Vec<usize>>();
    let smallest = choices.map(numbers).min_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    match (smallest, fewest) {
        (None, None) => Ok(false),
        (Some(smallest), Some(fewest)) if fewest.conditions == smallest && fewest.is_proved => Ok(true),
        (smallest, fewest) => Err(format!("the fewest are {smallest:?}, and it says {fewest:?}")),
    }
}

/// In CI a share of what `SEG_EDGES` asks for in a long run.
#[test]
fn explanations_are_true_and_say_no_more_than_decides() {
    let asked = std::env::var("SEG_EDGES").ok().and_then(|n| n.parse::<u32>().ok());
    let n_cases = (asked.unwrap_or(30_000) / 5_000).max(4);
    let (n_pairs, n_out) = (Cell::new(0_u64), Cell::new(0_u64));
    let strategy =
        (proptest::collection::vec(profiles::person(), 20), proptest::collection::vec(sentences::sentence(), 20));
    let outcome = runner(n_cases, 13, asked_seed()).run(&strategy, |(profiles, sentences)| {
        let (project, program, batch, texts) = program_of(&profiles, &sentences)?;
        let expected = Reference.evaluate(&program, &batch, now());
        let (parses, parts) = (seg::unstable::parse(&project), seg::unstable::parts(&project));
        let texts_of_list = ["a", "DE", "straße"].map(str::to_owned);
        let lists = [("texts.csv".to_owned(), Ok(texts_of_list.into_iter().collect()))].into_iter().collect();
        for (row, line) in profiles.iter().enumerate() {
            let known = batch.known_at(row..row + 1, now()).map_err(|e| TestCaseError::fail(e.to_string()))?;
            let module = seg::unstable::module(&program);
            let explain = Explain {
                parses: &parses,
                sources: parts.sources,
                schema: parts.schema,
                settings: parts.settings,
                lists: &lists,
                module,
                batch: &known,
                now: now(),
            };
            for ((segment, (id, _)), mask) in module.run().enumerate().zip(&expected) {
                let why = explain.why(id, 0).expect("a segment that is run");
                let text = texts.get(segment).map_or("?", String::as_str);
                prop_assert!(why.holds == mask.get(row), "{text}\n{line}\nit says {}", why.holds);
                let sound = is_sound(&why);
                prop_assert!(sound.is_ok(), "{text}\n{line}\n{}", sound.unwrap_err());
                let is_told = why.conditions().iter().all(|condition| condition.fact.is_some());
                prop_assert!(is_told, "{text}\n{line}\na condition without a fact");
                n_pairs.set(n_pairs.get() + 1);
                n_out.set(n_out.get() + u64::from(!why.holds));
            }
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    println!("{} explanations, {} of them of people who are out", n_pairs.get(), n_out.get());
    assert!(n_out.get() * 10 > n_pairs.get() && n_out.get() * 10 < n_pairs.get() * 9);
}
