//! What a plan reads: a plan describes itself, so that whoever brings the data
//! can leave the rest behind.

use crate::existence::existence_nodes;
use crate::plan::{Chain, Node, NodeId, Plan, Query};
use crate::reach::reached;
use seg_data::batch::BatchError;
use seg_data::{AttributeId, Batch, EventId, Period, PropertyId, Schema, Timestamp, Wanted, WantedEvents};
use seg_hir::hir::{ChainOrder, Moment};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write;

/// What evaluating a plan reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// The attributes it compares.
    pub attributes: BTreeSet<AttributeId>,
    /// The events it looks at. Which of them come first at one instant may
    /// matter as well; the event-id property is needed wherever there is one.
    pub events: BTreeMap<EventId, EventNeeds>,
    /// Whether it asks when somebody was first or last seen, which the times of
    /// every event answer.
    pub every_time: bool,
    /// Whether the answer can change merely because time passes, attributes
    /// aside; see [`Needs::change_in_time`].
    pub depends_on_now: bool,
}

/// What is read of the events of one name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventNeeds {
    /// The properties.
    pub properties: BTreeSet<PropertyId>,
    /// How far back.
    pub lookback: Lookback,
    /// Whether it is only asked if there ever was one.
    pub is_existence: bool,
}

/// How far back events are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookback {
    /// To the earliest of these.
    Since(Vec<Moment>),
    /// To the first.
    All,
}

impl Default for Lookback {
    fn default() -> Lookback {
        Lookback::Since(Vec::new())
    }
}

impl Lookback {
    /// The instant before which nothing is read; none when everything is.
    pub fn earliest(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Lookback::All => None,
            Lookback::Since(moments) => moments.iter().map(|m| m.at(now)).min(),
        }
    }

    fn reach(&mut self, from: Option<Moment>) {
        match (from, self) {
            (None, slot) => *slot = Lookback::All,
            (Some(moment), Lookback::Since(moments)) if !moments.contains(&moment) => moments.push(moment),
            _ => {}
        }
    }
}

/// What a plan reads, of the nodes its segments are made of.
pub fn needs(plan: &Plan) -> Needs {
    let mut needs = Needs::default();
    let (begins, existence) = (chain_begins(plan), existence_nodes(plan));
    // The events of which more is asked than whether there ever was one.
    let mut looked_at: BTreeSet<EventId> = BTreeSet::new();
    for (id, node) in reached(plan).into_iter().filter_map(|id| Some((id, plan.node(id)?))) {
        match node {
            Node::Attribute(id, _) | Node::Elements { list: id, .. } => {
                needs.attributes.insert(*id);
            }
            // The value of now is of now, whatever else is asked.
            Node::History { attribute, .. } => {
                needs.attributes.insert(*attribute);
                needs.depends_on_now = true;
            }
            Node::Property(ids, _) => needs.properties(ids),
            Node::Moment(moment) => needs.depends_on_now |= !matches!(moment, Moment::At(_)),
            Node::Today { .. } | Node::Elapsed(_) => needs.depends_on_now = true,
            Node::Seen(..) => needs.every_time = true,
            Node::Field { list, .. } | Node::Items { list, .. } | Node::Aggregate { items: Some(list), .. } => {
                needs.properties(list);
            }
            Node::Chain(chain) => chain.same.iter().for_each(|ids| needs.properties(ids)),
            // These read what their children and queries read, and no more.
            Node::Const(_)
            | Node::All(_)
            | Node::Any(_)
            | Node::Cardinality { .. }
            | Node::Not(_)
            | Node::Known(_)
            | Node::Compare(..)
            | Node::OneOf(..)
            | Node::Text { .. }
            | Node::Has(..)
            | Node::FirstOrLastN { .. }
            | Node::Sample { .. }
            | Node::Profile(_)
            | Node::Element { .. }
            | Node::HeldValue { .. }
            | Node::InList(..)
            | Node::Literal(_)
            | Node::Time
            | Node::Shift { .. }
            | Node::DayOf(..)
            | Node::Part(..)
            | Node::Anniversary(..)
            | Node::Distance { .. }
            | Node::UsualGap(_)
            | Node::MostWithin { .. }
            | Node::Arithmetic(..)
            | Node::Scale { .. }
            | Node::Convert(..)
            | Node::FoldCase(_)
            | Node::ListLength(_)
            | Node::Aggregate { items: None, .. }
            | Node::Periods { .. }
            | Node::EventTime { .. }
            | Node::Missing => {}
        }
        let after = begins.get(&id).map_or(&[][..], Vec::as_slice);
        for query in node.queries() {
            needs.query(query, after);
            if !existence.contains(&id) {
                looked_at.extend(&query.events);
            }
        }
    }
    for (id, event) in &mut needs.events {
        event.is_existence = !looked_at.contains(id) && event.properties.is_empty();
    }
    needs
}

/// For sequences that come after events with a beginning, these beginnings: nothing of a
/// sequence is earlier than the event that it comes after.
fn chain_begins(plan: &Plan) -> HashMap<NodeId, Vec<Moment>> {
    let mut begins: HashMap<NodeId, Option<Vec<Moment>>> = HashMap::new();
    let mut note = |inner: NodeId, begin: Option<Moment>| {
        for id in chains_below(plan, inner) {
            let known = begins.entry(id).or_insert_with(|| Some(Vec::new()));
            *known = known.take().zip(begin).map(|(mut known, begin)| {
                known.push(begin);
                known
            });
        }
    };
    for node in reached(plan).into_iter().filter_map(|id| plan.node(id)) {
        let queries = node.queries();
        for query in &queries {
            query.filter.into_iter().for_each(|filter| note(filter, query.interval.from.map(|from| from.moment)));
        }
        // About events of which it is not known when they begin.
        let filters: Vec<NodeId> = queries.iter().filter_map(|query| query.filter).collect();
        node.inner().into_iter().filter(|inner| !filters.contains(inner)).for_each(|inner| note(inner, None));
    }
    plan.roots().iter().for_each(|root| note(root.node, None));
    begins.into_iter().filter_map(|(id, begins)| Some((id, begins?))).collect()
}

/// The sequences after the event that a condition is about.
fn chains_below(plan: &Plan, condition: NodeId) -> Vec<NodeId> {
    let (mut chains, mut open, mut met) = (Vec::new(), vec![condition], HashSet::new());
    while let Some(id) = open.pop() {
        let Some(node) = plan.node(id).filter(|_| met.insert(id)) else { continue };
        if let Node::Chain(Chain { order: ChainOrder::After | ChainOrder::Any, .. }) = node {
            chains.push(id);
        }
        open.extend(node.children());
    }
    chains
}

impl Needs {
    fn properties(&mut self, ids: &[(EventId, PropertyId)]) {
        for (event, property) in ids {
            self.events.entry(*event).or_default().properties.insert(*property);
        }
    }

    /// What a query reads; where it has no beginning of its own, nothing before the earliest
    /// of those it comes `after`, if there are such.
    fn query(&mut self, query: &Query, after: &[Moment]) {
        let moving = |moment: Moment| !matches!(moment, Moment::At(_) | Moment::Before(Period::Fixed(0), _));
        let bounds = [query.interval.from, query.interval.to];
        self.depends_on_now |= bounds.iter().flatten().any(|b| moving(b.moment)) || query.known_at.is_some();
        for event in &query.events {
            let lookback = &mut self.events.entry(*event).or_default().lookback;
            match query.interval.from {
                None if !after.is_empty() => after.iter().for_each(|begin| lookback.reach(Some(*begin))),
                from => lookback.reach(from.map(|b| b.moment)),
            }
        }
    }

    /// What a reader must bring, evaluated as of `now`.
    pub fn wanted(&self, schema: &Schema, now: Timestamp) -> Wanted {
        let mut wanted = Wanted { attributes: self.attributes.clone(), ..Wanted::default() };
        for (id, event) in &self.events {
            let since = event.lookback.earliest(now);
            let is_existence = event.is_existence;
            wanted.events.insert(*id, WantedEvents { properties: event.properties.clone(), since, is_existence });
        }
        if self.every_time {
            wanted.attributes.extend(schema.first_seen);
            for id in (0..schema.events.len() as u32).map(EventId) {
                let event = wanted.events.entry(id).or_default();
                (event.since, event.is_existence) = (None, false);
            }
        }
        // Events at one instant are in the order of their ids.
        for (id, event) in &mut wanted.events {
            let events = schema.event(*id);
            event.properties.extend(events.and_then(|e| e.property(schema.event_id.as_ref()?)));
        }
        wanted
    }

    /// Checks the columns of a batch that the plan reads, each once however
    /// often it is asked for, so that evaluating the plan may trust them.
    ///
    /// # Errors
    /// The first column that breaks the batch contract.
    pub fn check(&self, batch: &Batch) -> Result<(), BatchError> {
        for id in &self.attributes {
            batch.check_attribute(*id)?;
        }
        if let Some(id) = batch.schema().first_seen.filter(|_| self.every_time) {
            batch.check_attribute(id)?;
        }
        for (id, event) in &self.events {
            batch.check_events(*id)?;
            for property in event.properties.iter().copied().chain(batch.event_id_property(*id)) {
                batch.check_property(*id, property)?;
            }
        }
        let n_events = batch.schema().events.len() as u32;
        for id in (0..n_events).map(EventId).filter(|_| self.every_time) {
            batch.check_events(id)?;
        }
        Ok(())
    }

    /// The first column that the plan reads and a batch lacks, which reads as missing; a
    /// property as `event.property`.
    pub fn missing(&self, batch: &Batch) -> Option<String> {
        let schema = batch.schema();
        let mut attributes = self.attributes.iter().filter_map(|id| schema.attribute(*id));
        if let Some(field) = attributes.find(|field| !batch.has_column(&field.name)) {
            return Some(field.name.clone());
        }
        self.events.iter().find_map(|(id, needed)| {
            let event = schema.event(*id)?;
            if !batch.has_column(&event.name) {
                return Some(event.name.clone());
            }
            let mut properties = needed.properties.iter().filter_map(|id| event.properties.get(id.idx()));
            let field = properties.find(|field| !batch.has_event_field(&event.name, &field.name))?;
            Some(format!("{}.{}", event.name, field.name))
        })
    }

    /// Whether the answer can change merely because time passes: also an
    /// attribute whose history is kept has other values at other times.
    pub fn change_in_time(&self, schema: &Schema) -> bool {
        let declared = schema.first_seen.filter(|_| self.every_time);
        let mut attributes = self.attributes.iter().copied().chain(declared);
        self.depends_on_now || attributes.any(|id| schema.attribute(id).is_some_and(|a| a.keeps_history))
    }

    /// In words, with the schema's names, a line each.
    pub fn describe(&self, schema: &Schema) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        for id in &self.attributes {
            let _ = writeln!(out, "reads attribute {:?}", schema.attribute(*id).map_or("?", |a| &a.name));
        }
        for (id, event) in &self.events {
            let schema = schema.event(*id);
            let _ = write!(out, "reads event {:?}", schema.map_or("?", |e| &e.name));
            let names = event.properties.iter().filter_map(|p| schema?.properties.get(p.idx()));
            let names: Vec<&str> = names.map(|p| p.name.as_str()).collect();
            if !names.is_empty() {
                let _ = write!(out, " ({})", names.join(", "));
            }
            match &event.lookback {
                Lookback::All if event.is_existence => out.push_str(", whether there ever was one\n"),
                Lookback::All => out.push_str(", all of the past\n"),
                Lookback::Since(moments) => {
                    let moments: Vec<String> = moments.iter().map(Moment::to_string).collect();
                    let _ = writeln!(out, ", since {}", moments.join(" or "));
                }
            }
        }
        if self.every_time {
            out.push_str("reads the time of every event\n");
        }
        let passing = if self.change_in_time(schema) { "changes" } else { "does not change" };
        let _ = writeln!(out, "the answer {passing} as time passes");
        out
    }
}
