//! How a plan is compiled and run. None of it changes an answer.

use seg_data::Cancel;
use std::num::NonZero;

/// How people's times, totals and texts may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessPolicy {
    /// From each person's events, without derived columns.
    Walk,
    /// From derived columns of times, texts or totals.
    Column,
    /// By time where few people are asked for, else from a derived column;
    /// conditions are put in the order that a sample of the people recommends.
    Cheapest,
}

/// How a plan is compiled for a batch.
#[derive(Debug, Clone)]
pub struct ExecOptions {
    /// How many threads may compile code and make derived columns.
    pub threads: NonZero<usize>,
    /// How times, totals and texts of people may be read.
    pub access: AccessPolicy,
    /// Stops compiling and evaluating.
    pub cancel: Cancel,
}

impl Default for ExecOptions {
    /// One thread, whatever access costs least.
    fn default() -> ExecOptions {
        ExecOptions { threads: NonZero::<usize>::MIN, access: AccessPolicy::Cheapest, cancel: Cancel::new() }
    }
}
