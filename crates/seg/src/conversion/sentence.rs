//! Sentences whose events are wanted themselves, rather than the people who did them.

use super::goal::GoalError;
use crate::compile::{Program, compile};
use crate::error::EvaluateError;
use crate::prepared::Prepared;
use crate::project::Project;
use seg_data::{Batch, EventId, Timestamp, Type, Value, Wanted};
use seg_plan::{Kernels, Node, NodeId, Plan, Query};
use std::path::PathBuf;
use std::sync::Arc;

/// What a sentence says of events: which are meant, and what is measured of each.
#[derive(Debug, Clone)]
pub(super) struct Sentence {
    prepared: Prepared,
    /// The plan before any pass, in which the events stand as they are written.
    plan: Arc<Plan>,
    query: Query,
    measure: Option<(NodeId, Type)>,
}

/// An event that a sentence means.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Happened {
    pub at: Timestamp,
    /// Its name, and where it stands among all events of that name.
    pub place: (EventId, usize),
    /// What is measured of it, where it has a value.
    pub value: Option<Value>,
}

impl Sentence {
    /// Compiles `include …` with the schema of a project. Problems are told of the argument
    /// that the words come from.
    ///
    /// # Errors
    /// What is wrong with the words, or that they are about no event.
    pub fn read(project: &Project, argument: &str, include: &str) -> Result<Sentence, GoalError> {
        let mut own = Project::empty(PathBuf::new(), project.settings);
        own.schema = Arc::clone(&project.schema);
        let id = own.sources.add(argument, format!("segment \"{argument}\" include {include}\n"));
        own.segment_files.push(id);
        let program: Program = compile(&own)?;
        let plan = seg_plan::lower(program.module());
        match events(&plan) {
            Some((query, measure)) => {
                Ok(Sentence { prepared: program.prepare(), plan: Arc::new(plan), query, measure })
            }
            None => Err(GoalError::NoEvent { argument: argument.to_owned() }),
        }
    }

    /// Which events are meant.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The type of what is measured.
    pub fn measured(&self) -> Option<&Type> {
        self.measure.as_ref().map(|(_, ty)| ty)
    }

    /// What has to be read of the data.
    pub fn wanted(&self, now: Timestamp) -> Wanted {
        self.prepared.program().wanted(now)
    }

    /// The events of each person of a batch that are as asked, up to an instant, ascending;
    /// when they were counts for nothing.
    ///
    /// # Errors
    /// A batch that breaks the contract.
    pub fn happened(&self, batch: &Batch, at: Timestamp) -> Result<Vec<Vec<Happened>>, EvaluateError> {
        self.prepared.check(batch)?;
        let as_of = batch.as_of(at);
        let mut kernels = Kernels::new(&self.plan, &as_of, at);
        let mut found: Vec<Vec<Happened>> = vec![Vec::new(); batch.len()];
        for event in &self.query.events {
            let Some(events) = batch.events(*event) else { continue };
            let passes = self.query.filter.map(|filter| kernels.of_events(filter, *event));
            let mut values = self.measure.as_ref().map(|(measure, _)| kernels.values_of_events(*measure, *event));
            for (row, found) in found.iter_mut().enumerate() {
                let known = events.range(row).filter(|idx| events.time(*idx) <= at);
                for idx in known.filter(|idx| passes.as_ref().is_none_or(|passes| passes.get(*idx) == Some(&true))) {
                    let value = values.as_mut().and_then(|values| values.get_mut(idx)?.take());
                    found.push(Happened { at: events.time(idx), place: (*event, idx), value });
                }
            }
        }
        found.iter_mut().for_each(|events| events.sort_by_key(|event| event.at));
        Ok(found)
    }
}

/// What the only segment of a plan counts or adds up.
fn events(plan: &Plan) -> Option<(Query, Option<(NodeId, Type)>)> {
    let mut open: Vec<NodeId> = plan.roots().iter().map(|root| root.node).collect();
    while let Some(node) = open.pop().and_then(|id| plan.node(id)) {
        if let Node::Aggregate { query, measure, items: None, .. } = node {
            return Some((query.clone(), measure.clone()));
        }
        open.extend(node.children());
    }
    None
}
