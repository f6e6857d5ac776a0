//! How much has no value, lately and before.

use super::words::{count, percent};
use super::{Examined, Finding, FindingKind};
use seg_data::batch::Column;
use seg_data::schema::Field;
use seg_data::time::DAY;
use seg_data::{AttributeId, EventId, PropertyId, Timestamp};

/// What is of the last days.
const RECENT_DAYS: i64 = 30;
/// Parts of fewer than this are not compared.
const ROWS_MIN: u64 = 20;

/// How much has no value of an attribute of people, or of a property of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completeness {
    /// The event whose property it is; none for an attribute of people.
    pub event: Option<String>,
    /// The attribute or property.
    pub name: String,
    /// Whether the schema says that it always has a value.
    pub is_required: bool,
    /// Of the events of the last 30 days, or of the people who began to exist in them.
    pub recent: Part,
    /// Of all before.
    pub before: Part,
}

/// Some of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    /// How many have no value.
    pub missing: u64,
    /// Of how many.
    pub of: u64,
}

impl Part {
    /// The part without a value; none of none.
    pub fn share(self) -> Option<f64> {
        (self.of > 0).then(|| self.missing as f64 / self.of as f64)
    }

    fn see(&mut self, is_missing: bool) {
        self.of += 1;
        self.missing += u64::from(is_missing);
    }
}

/// Of each attribute and property that somebody has a row for.
pub(super) fn of(of: Examined<'_>) -> Vec<Completeness> {
    let since = Timestamp(of.now.0.saturating_sub(RECENT_DAYS * DAY));
    // What doctor adds to the schema is none of it.
    let schema = of.program.schema();
    let attributes = schema.attributes.iter().enumerate().map(|(at, field)| {
        let mut found = Completeness::of(None, field);
        let id = AttributeId(at as u32);
        let is_existing = |row: &usize| of.batch.exists_from(*row).is_none_or(|from| from <= of.now);
        for row in (0..of.batch.len()).filter(is_existing) {
            let is_recent = of.batch.exists_from(row).is_some_and(|from| from > since);
            let has_records = of.batch.attribute_column(id).is_some_and(|column| has_value(column, row));
            found.see(is_recent, !has_records && of.batch.attribute(id, row, of.now).is_none());
        }
        found
    });
    let mut all: Vec<Completeness> = attributes.collect();
    for (at, event) in schema.events.iter().enumerate() {
        let Some(events) = of.batch.events(EventId(at as u32)) else { continue };
        for (property, field) in event.properties.iter().enumerate() {
            let column = events.property_column(PropertyId(property as u32));
            let mut found = Completeness::of(Some(&event.name), field);
            for idx in (0..events.n_profiles()).flat_map(|row| events.range(row)) {
                let time = events.time(idx);
                if time <= of.now {
                    found.see(time > since, !column.is_some_and(|column| has_value(column, idx)));
                }
            }
            all.push(found);
        }
    }
    all.retain(|found| found.recent.of + found.before.of > 0);
    all
}

/// Whether there is a value, or a list of records.
fn has_value(column: &Column, row: usize) -> bool {
    column.value(row).is_some() || column.records(row).is_some()
}

impl Completeness {
    fn of(event: Option<&str>, field: &Field) -> Completeness {
        let (recent, before) = (Part::default(), Part::default());
        let (event, name) = (event.map(str::to_owned), field.name.clone());
        Completeness { event, name, is_required: field.is_required, recent, before }
    }

    fn see(&mut self, is_recent: bool, is_missing: bool) {
        if is_recent { &mut self.recent } else { &mut self.before }.see(is_missing);
    }
}

pub(super) fn tell(of: Examined<'_>, all: &[Completeness], findings: &mut Vec<Finding>) {
    for found in all {
        let (recent, before) = (found.recent.share(), found.before.share());
        let whose = match &found.event {
            Some(event) => format!("`{}` of `{event}`", found.name),
            None => format!("`{}` of people", found.name),
        };
        let missing = found.recent.missing + found.before.missing;
        let shares = recent.zip(before).filter(|_| found.recent.of >= ROWS_MIN && found.before.of >= ROWS_MIN);
        let (says, write, figure, limit) = if found.is_required && missing > 0 {
            let rows = count(found.recent.of + found.before.of, "row");
            (
                format!("{whose} must always have a value, and {missing} of {rows} have none"),
                "mend the data, or take `required` out of the schema".to_owned(),
                missing as f64,
                0.0,
            )
        } else if let Some((recent, before)) = shares.filter(|(recent, before)| recent - before > of.limits.incomplete)
        {
            (
                format!(
                    "{whose} has no value in {} of those of the last {RECENT_DAYS} days, and in {} of those before",
                    percent(recent),
                    percent(before)
                ),
                "ask who sends it; until then add `or unknown` where people without it are meant".to_owned(),
                recent - before,
                of.limits.incomplete,
            )
        } else {
            continue;
        };
        findings.push(Finding {
            kind: FindingKind::Incomplete,
            about: found.event.iter().chain([&found.name]).cloned().collect(),
            says,
            write,
            figure: Some(figure),
            limit: Some(limit),
        });
    }
}
