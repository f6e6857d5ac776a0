//! Which conditions are decided first: by how many people hold them and what
//! deciding one costs, found out on a few of the batch's people.
//!
//! A row of conditions is cheapest in the order of cost by share of people it
//! settles (the rank of Hellerstein and Stonebraker, "Predicate migration",
//! 1993). A sample that misleads costs time, never an answer.

use crate::bound::BoundPlan;
use crate::columns::is_columnar;
use crate::shape::{Column, Cond, Store, Value};
use crate::steps::{Gather, Kind, Step};
use crate::words::BLOCK_WORDS;
use crate::worker::Worker;

/// Words of people that are looked at, in so many places.
const PLACES: usize = 2;
const WORDS: usize = BLOCK_WORDS / 2;

/// Fewer words than this are sooner evaluated than sampled.
const WORDS_MIN: usize = 64;

/// What is expected of a condition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Estimate {
    /// The share of people who hold it.
    pub share: f64,
    /// Nanoseconds a person who is asked.
    pub cost: f64,
}

/// Puts the members of every row of conditions in order. Gives what is expected
/// of each step; nothing where nothing was looked at.
pub(crate) fn order(bound: &mut BoundPlan<'_>) -> Vec<Estimate> {
    let n_words = bound.n_profiles / 64;
    if n_words < WORDS_MIN || !bound.steps.iter().any(|step| matches!(step.kind, Kind::All(_) | Kind::Any(_))) {
        return Vec::new();
    }
    let shares = shares(bound, n_words);
    let mut costs: Vec<f64> = Vec::with_capacity(bound.steps.len());
    for step in &bound.steps {
        let of = |at: &usize| costs.get(*at).copied().unwrap_or(0.0);
        costs.push(cost(bound, step, of));
    }
    let share = |at: &usize| shares.get(*at).copied().unwrap_or(0.5);
    let cost = |at: &usize| costs.get(*at).copied().unwrap_or(1.0);
    for step in &mut bound.steps {
        match &mut step.kind {
            Kind::All(members) => members.sort_by(|a, b| rank(cost(a), 1.0 - share(a), cost(b), 1.0 - share(b))),
            Kind::Any(members) => members.sort_by(|a, b| rank(cost(a), share(a), cost(b), share(b))),
            _ => {}
        }
    }
    shares.into_iter().zip(costs).map(|(share, cost)| Estimate { share, cost }).collect()
}

/// What is cheap for each person that it settles comes first. Products, since
/// nobody may be settled.
fn rank(a_cost: f64, a_settles: f64, b_cost: f64, b_settles: f64) -> std::cmp::Ordering {
    (a_cost * b_settles).total_cmp(&(b_cost * a_settles))
}

/// For each step the share of the sampled people who hold it.
fn shares(bound: &BoundPlan<'_>, n_words: usize) -> Vec<f64> {
    let mut counts = vec![0_u32; bound.steps.len()];
    let mut worker = Worker::new(bound);
    worker.keeps_all = true;
    for place in 0..PLACES {
        // Whole words, away from either end.
        worker.block(n_words * (2 * place + 1) / (2 * PLACES), WORDS);
        for (at, count) in counts.iter_mut().enumerate() {
            *count += worker.answers(at).iter().map(|word| word.count_ones()).sum::<u32>();
        }
    }
    let n_people = (PLACES * WORDS * 64) as f64;
    counts.into_iter().map(|count| f64::from(count) / n_people).collect()
}

/// Nanoseconds a person, about.
fn cost(bound: &BoundPlan<'_>, step: &Step, of: impl Fn(&usize) -> f64) -> f64 {
    // What is shared is decided anyway.
    if step.is_shared {
        return 0.01;
    }
    match &step.kind {
        Kind::Const(_) | Kind::Words(_) => 0.01,
        Kind::Leaf(leaf) => bound.leaves.get(*leaf).map_or(10.0, |leaf| leaf.cost),
        Kind::IsThere(fact) | Kind::Threshold(fact, ..) | Kind::Bits(fact, _) => {
            let fact = bound.facts.get(*fact);
            match fact.map(|fact| (&fact.gather, fact.is_shared)) {
                // Gathered already, or soon for another.
                Some((_, true)) => 2.0,
                Some((Gather::Texts(_) | Gather::Days(_), false)) => 8.0,
                _ => 20.0,
            }
        }
        Kind::All(members) | Kind::Any(members) | Kind::Several { members, .. } => members.iter().map(of).sum(),
        Kind::Not(inner) => of(inner),
    }
}

/// Nanoseconds a person that a kernel takes, about.
pub(crate) fn kernel_cost(cond: &Cond, has_least: bool) -> f64 {
    match cond {
        cond if !is_columnar(cond) => 15.0,
        // Nearly all people are passed by.
        _ if has_least => 0.3,
        Cond::Compare(_, Value::Column(Column { store: Store::Bit(_), .. }), _) => 0.05,
        _ => 0.8,
    }
}

/// How a kernel reads the batch, in words.
pub(crate) fn path(cond: &Cond, has_least: bool) -> &'static str {
    match cond {
        cond if !is_columnar(cond) => "by person, by code",
        _ if has_least => "a column of times, without the people who are all too early",
        Cond::Compare(_, Value::Column(column), _) | Cond::Known(Value::Column(column)) => match column.store {
            Store::Optional => "a column kept with the batch, 64 people at a time",
            Store::Bit(_) => "a column of bits, 64 people at a time",
            _ => "an attribute, 64 people at a time",
        },
        Cond::Bits(..) => "a column of texts met, 64 people at a time",
        Cond::Keys { .. } => "an attribute's texts by number, 64 people at a time",
        _ => "an attribute's texts by a table, 64 people at a time",
    }
}
