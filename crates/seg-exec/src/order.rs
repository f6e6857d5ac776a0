//! Which conditions are decided first: by how many people hold them and what
//! deciding one costs, found out on a few of the batch's people.
//!
//! A row of conditions is cheapest in the order of cost by share of people it
//! settles (the rank of Hellerstein and Stonebraker, "Predicate migration",
//! 1993). A sample that misleads costs time, never an answer.

use crate::kernels::ColumnTest;
use crate::physical::{Access, AggregateSource, Kind, PhysicalPlan, Step};
use crate::program::CompiledPlan;
use crate::run::Worker;
use crate::words::BLOCK_WORDS;

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

/// Puts the members of every row of conditions in order, and notes at each step what
/// is expected of it; where few people are, nothing is looked at.
pub(crate) fn order(compiled: &mut CompiledPlan) {
    let n_words = compiled.physical.n_people / 64;
    let is_row = |step: &Step| matches!(step.kind, Kind::All(_) | Kind::Any(_));
    if n_words < WORDS_MIN || !compiled.physical.steps.iter().any(is_row) {
        return;
    }
    let shares = shares(compiled, n_words);
    let physical = &mut compiled.physical;
    // What each takes itself, and as a member of a row: what is shared is decided
    // anyway.
    let (mut own, mut costs): (Vec<f64>, Vec<f64>) = Default::default();
    for step in &physical.steps {
        let of = |at: &usize| costs.get(*at).copied().unwrap_or(0.0);
        let cost = cost(physical, step, of);
        own.push(cost);
        costs.push(if step.is_shared { 0.01 } else { cost });
    }
    let share = |at: &usize| shares.get(*at).copied().unwrap_or(0.5);
    let cost = |at: &usize| costs.get(*at).copied().unwrap_or(1.0);
    for (at, step) in physical.steps.iter_mut().enumerate() {
        match &mut step.kind {
            Kind::All(members) => members.sort_by(|a, b| rank(cost(a), 1.0 - share(a), cost(b), 1.0 - share(b))),
            Kind::Any(members) => members.sort_by(|a, b| rank(cost(a), share(a), cost(b), share(b))),
            Kind::Const(_) | Kind::Cardinality { .. } | Kind::Not(_) | Kind::Access(_) => {}
        }
        step.estimate = Some(Estimate { share: share(&at), cost: own.get(at).copied().unwrap_or(0.0) });
    }
}

/// What is cheap for each person that it settles comes first. Products, since
/// nobody may be settled.
fn rank(a_cost: f64, a_settles: f64, b_cost: f64, b_settles: f64) -> std::cmp::Ordering {
    (a_cost * b_settles).total_cmp(&(b_cost * a_settles))
}

/// For each step the share of the sampled people who hold it.
fn shares(compiled: &CompiledPlan, n_words: usize) -> Vec<f64> {
    let mut counts = vec![0_u32; compiled.physical.steps.len()];
    let mut worker = Worker::new(compiled);
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
fn cost(physical: &PhysicalPlan, step: &Step, of: impl Fn(&usize) -> f64) -> f64 {
    match &step.kind {
        Kind::Const(_) => 0.01,
        Kind::All(_) | Kind::Any(_) | Kind::Cardinality { .. } | Kind::Not(_) => {
            step.kind.members().iter().map(of).sum()
        }
        Kind::Access(access) => access_cost(physical, access),
    }
}

fn access_cost(physical: &PhysicalPlan, access: &Access) -> f64 {
    match access {
        Access::TopK(_) => 0.01,
        // Nearly all people are passed by.
        Access::DerivedColumn(_, scan) if scan.zones.is_some() => 0.3,
        Access::Attribute(scan) | Access::DerivedColumn(_, scan) | Access::Precomputed(scan) => match scan.test {
            ColumnTest::Bits(..) => 0.05,
            ColumnTest::IsValid
            | ColumnTest::Ints32(..)
            | ColumnTest::Ints64(..)
            | ColumnTest::Numbers(..)
            | ColumnTest::Keys(..)
            | ColumnTest::Bytes(..)
            | ColumnTest::Table(..)
            | ColumnTest::AnyBit(..) => 0.8,
        },
        Access::SharedAggregate(aggregate, _) => match physical.aggregates.get(*aggregate) {
            // Found already, or soon for another.
            Some(aggregate) if aggregate.is_shared => 2.0,
            Some(aggregate) => match aggregate.source {
                AggregateSource::Texts(_) | AggregateSource::Days(_) => 8.0,
                AggregateSource::Codegen(_) | AggregateSource::Walk(_) => 20.0,
            },
            None => 20.0,
        },
        Access::Codegen(_) => 15.0,
    }
}
