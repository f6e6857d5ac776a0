//! Events as somebody may do them, with what their properties may be.

use crate::pool::{Pool, Ranked, Slot};
use seg_data::{EventId, PropertyId, Schema, Timestamp, Type, Value};
use seg_hir::hir::TestEvent;

/// So many forms of an event there are: what its properties may be.
pub(crate) const FORMS_MAX: usize = 8;

/// An event of which texts and whole numbers are those of no other.
pub(crate) fn numbered(form: &TestEvent, nth: i64) -> TestEvent {
    let mut form = form.clone();
    for (_, value) in &mut form.properties {
        match value {
            Value::Text(text) => *text = format!("{}", nth + 1),
            Value::Integer(n) => *n = i128::from(nth + 1),
            Value::Boolean(_)
            | Value::Number(_)
            | Value::Money(_)
            | Value::Timestamp(_)
            | Value::Date(_)
            | Value::List(_) => {}
        }
    }
    form
}

/// An event with what its properties may be: each form has others of the values.
pub(crate) fn forms(event: EventId, pool: &Pool, schema: &Schema) -> Vec<TestEvent> {
    let of_event = |slot: &Slot| match slot {
        Slot::Property(of, _) | Slot::Field(of, _, _) => *of == event,
        Slot::Attribute(_) => false,
    };
    let slots: Vec<(&Slot, &Vec<Ranked<Value>>)> = pool.slots.iter().filter(|(slot, _)| of_event(slot)).collect();
    let n = slots.iter().map(|(_, values)| values.len()).max().unwrap_or(1).clamp(1, FORMS_MAX);
    let form = |nth: usize| {
        let mut form = TestEvent { event, time: Timestamp(0), properties: Vec::new(), records: Vec::new() };
        let mut records: Vec<(PropertyId, Vec<(String, Value)>)> = Vec::new();
        for (slot, values) in &slots {
            let Some((value, _)) = values.get(nth % values.len().max(1)) else { continue };
            match slot {
                Slot::Property(_, id) => form.properties.push((*id, value.clone())),
                Slot::Field(_, id, field) => {
                    let Some(name) = field_name(schema, (event, *id), *field) else { continue };
                    match records.iter_mut().find(|(of, _)| of == id) {
                        Some((_, record)) => record.push((name, value.clone())),
                        None => records.push((*id, vec![(name, value.clone())])),
                    }
                }
                Slot::Attribute(_) => {}
            }
        }
        form.records = records;
        form
    };
    (0..n).map(form).collect()
}

/// The name of a field of the records of a list.
pub(crate) fn field_name(schema: &Schema, (event, list): (EventId, PropertyId), field: u32) -> Option<String> {
    let Type::Records(fields) = &schema.event(event)?.properties.get(list.idx())?.ty else { return None };
    fields.get(field as usize).map(|(name, _)| name.clone())
}
