//! What nodes are about: people, their events, or items of either.

use crate::plan::{Node, NodeId, Plan};

/// What a node is about. Ascending: what is about a person can be asked of each
/// of their events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A person.
    Person,
    /// An event.
    Event,
    /// A record of a list of an event, or an item or a former value of an attribute.
    Item,
}

/// What each node of a plan is about.
pub fn levels(plan: &Plan) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::with_capacity(plan.nodes.len());
    for node in &plan.nodes {
        let own = match node {
            Node::Field { .. } | Node::Element { .. } | Node::HeldValue { .. } => Level::Item,
            Node::Property(..) | Node::Time | Node::Chain(_) | Node::Items { .. } => Level::Event,
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
            | Node::Elements { .. }
            | Node::History { .. }
            | Node::InList(..)
            | Node::Literal(_)
            | Node::Attribute(..)
            | Node::Moment(_)
            | Node::Today { .. }
            | Node::Seen(..)
            | Node::Shift { .. }
            | Node::DayOf(..)
            | Node::Part(..)
            | Node::Anniversary(..)
            | Node::Elapsed(_)
            | Node::Distance { .. }
            | Node::UsualGap(_)
            | Node::MostWithin { .. }
            | Node::Arithmetic(..)
            | Node::Scale { .. }
            | Node::Convert(..)
            | Node::FoldCase(_)
            | Node::ListLength(_)
            | Node::Aggregate { .. }
            | Node::Periods { .. }
            | Node::EventTime { .. }
            | Node::Missing => Level::Person,
        };
        let of = |id: &NodeId| levels.get(id.idx()).copied().unwrap_or(Level::Person);
        levels.push(node.children().iter().map(of).fold(own, Level::max));
    }
    levels
}
