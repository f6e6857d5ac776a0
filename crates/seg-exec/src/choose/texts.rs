//! Conditions about the texts that people's events ever had.

use crate::input::{Input, literal_text, plain};
use seg_data::{EventId, PropertyId};
use seg_hir::hir::CompareOp;
use seg_plan::{Node, NodeId};

/// Whether an event ever had one of some texts.
pub(super) struct EverHad<'p> {
    pub event: EventId,
    pub property: PropertyId,
    pub texts: Vec<&'p str>,
}

impl<'p> EverHad<'p> {
    /// What a condition of a plan is, where it is such a one.
    pub fn recognize(input: Input<'p>, id: NodeId) -> Option<EverHad<'p>> {
        let Node::Known(time) = input.node(id) else { return None };
        let Node::EventTime { n: 1, query, .. } = input.node(*time) else { return None };
        let event = plain(query)?;
        let (left, texts) = match input.node(query.filter?) {
            Node::Compare(CompareOp::Equal, left, right) => match input.node(*right) {
                Node::Literal(literal) => (left, vec![literal_text(literal)?]),
                _ => return None,
            },
            Node::OneOf(left, texts) => (left, texts.iter().map(literal_text).collect::<Option<Vec<&str>>>()?),
            _ => return None,
        };
        let Node::Property(ids, _) = input.node(*left) else { return None };
        let (_, property) = ids.iter().find(|(of, _)| *of == event)?;
        Some(EverHad { event, property: *property, texts })
    }
}
