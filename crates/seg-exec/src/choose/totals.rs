//! Totals and averages of one property over windows that all end now.

use crate::input::Input;
use crate::kernels::Sum;
use seg_data::{EventId, PropertyId, Type};
use seg_hir::hir::Aggregate;
use seg_plan::{Node, NodeId};

/// A total or an average over a window that ends now.
pub(super) struct WindowSum {
    /// The event and the property.
    pub about: (EventId, PropertyId),
    /// The first instant of the window; the least where it has no start.
    pub from: i64,
    pub sum: Sum,
}

impl WindowSum {
    /// What a value of a plan is, where it is such a one.
    pub fn recognize(input: Input<'_>, id: NodeId) -> Option<WindowSum> {
        let Node::Aggregate { function, measure: Some((measure, ty)), items: None, query } = input.node(id) else {
            return None;
        };
        let sum = match function {
            Aggregate::Total => Sum::Total,
            Aggregate::Average if *ty == Type::Money => Sum::Average,
            Aggregate::Average
            | Aggregate::Count
            | Aggregate::CountDifferent
            | Aggregate::MostFrequent
            | Aggregate::Smallest
            | Aggregate::Largest => return None,
        };
        let (event, from) = input.plain_but_window(query)?;
        let Node::Property(ids, _) = input.node(*measure) else { return None };
        let (_, property) = ids.iter().find(|(of, _)| *of == event)?;
        Some(WindowSum { about: (event, *property), from, sum })
    }
}
