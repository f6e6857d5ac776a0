//! The items of people's lists.

use super::column::Column;
use super::{Domain, Eval};
use crate::plan::{Node, NodeId};
use seg_data::{AttributeId, Type, Value};
use std::rc::Rc;

/// The items of a list, those of one person after another.
pub(super) struct ElementRows {
    /// Whose each is.
    pub owner: Vec<u32>,
    /// Who has a list, if an empty one.
    is_known: Vec<bool>,
    items: Items,
}

/// What the items are.
enum Items {
    Values(Vec<Value>),
    /// Their positions among the records of the column.
    Records(Vec<u32>),
}

impl Eval<'_> {
    pub(super) fn element_rows(&mut self, list: AttributeId) -> Rc<ElementRows> {
        if let Some(rows) = self.elements.get(&list) {
            return Rc::clone(rows);
        }
        let n_people = self.batch.len();
        let column = self.batch.attribute_column(list);
        let holds_records = column.is_some_and(|column| matches!(column.ty(), Type::Records(_)));
        let (mut owner, mut is_known) = (Vec::new(), vec![false; n_people]);
        let (mut values, mut records) = (Vec::new(), Vec::new());
        for (row, is_known) in is_known.iter_mut().enumerate() {
            let n_before = values.len() + records.len();
            if let Some(found) = column.and_then(|column| column.records(row)) {
                *is_known = true;
                records.extend(found.map(|at| at as u32));
            } else if let Some(Value::List(items)) = column.and_then(|column| column.value(row)) {
                *is_known = true;
                values.extend(items);
            }
            owner.extend(std::iter::repeat_n(row as u32, values.len() + records.len() - n_before));
        }
        let items = if holds_records { Items::Records(records) } else { Items::Values(values) };
        let rows = Rc::new(ElementRows { owner, is_known, items });
        self.elements.insert(list, Rc::clone(&rows));
        rows
    }

    /// How many records a list of them has, of people or of events.
    pub(super) fn n_records(&mut self, list: NodeId, domain: Domain) -> Column {
        let batch = self.batch;
        match (self.plan.node(list), domain) {
            (Some(Node::Attribute(id, _)), _) => {
                let column = batch.attribute_column(*id);
                let people = Column::of((0..batch.len()).map(|row| n_records(column, row)));
                if domain == Domain::People { people } else { self.spread(people, domain) }
            }
            (Some(Node::Property(ids, _)), Domain::Events(event)) => {
                let property = ids.iter().find(|(of, _)| *of == event).map(|(_, property)| *property);
                let column = property.and_then(|property| batch.events(event)?.property_column(property));
                let rows = self.event_rows(event);
                Column::of(rows.idx.iter().map(|idx| n_records(column, *idx as usize)))
            }
            _ => Column::missing(self.len(domain)),
        }
    }

    /// Each item, or a field of each record.
    pub(super) fn element(&mut self, list: AttributeId, field: Option<u32>, ty: &Type) -> Column {
        let rows = self.element_rows(list);
        match (&rows.items, field) {
            (Items::Values(values), None) => Column::of(values.iter().cloned().map(Some)),
            (Items::Records(records), Some(field)) => {
                let fields = self.batch.attribute_column(list).map_or(&[][..], |column| column.fields());
                match fields.get(field as usize) {
                    Some(column) => Column::read(column, records.iter().map(|at| *at as usize)),
                    None => Column::missing_of(ty, records.len()),
                }
            }
            (Items::Values(_), Some(_)) | (Items::Records(_), None) => Column::missing_of(ty, rows.owner.len()),
        }
    }

    /// For whom all items of a list, or any, are as asked: for nobody without a list.
    pub(super) fn elements(&mut self, is_all: bool, list: AttributeId, filter: NodeId) -> Column {
        let holds = self.bools(filter, Domain::Elements(list));
        let rows = self.element_rows(list);
        let mut bits: Vec<bool> = rows.is_known.iter().map(|is_known| *is_known && is_all).collect();
        for (owner, holds) in rows.owner.iter().zip(holds) {
            if let Some(bit) = bits.get_mut(*owner as usize).filter(|_| holds != is_all) {
                *bit = holds;
            }
        }
        Column::Bools(bits)
    }
}

/// Whether a node is a list of records.
pub(super) fn is_of_records(node: &Node) -> bool {
    matches!(node, Node::Attribute(_, Type::Records(_)) | Node::Property(_, Type::Records(_)))
}

fn n_records(column: Option<&seg_data::batch::Column>, row: usize) -> Option<Value> {
    column?.records(row).map(|records| Value::Integer(records.len() as i128))
}
