//! Lists from files, compared with the columns in which segments look for them.

use crate::compile::Program;
use crate::project::Project;
use seg_data::batch::Column;
use seg_data::{AttributeId, Batch, EventId, PropertyId, Schema, Value};
use seg_hir::fold_case;
use seg_hir::hir::{IdTest, List};
use seg_io::{Place, ProblemKind, Report};
use seg_plan::{Node, NodeId, Plan};
use seg_syntax::ast::Item;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Where values are that a list is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Id,
    Attribute(AttributeId),
    Property(EventId, PropertyId),
}

/// Lists that segments name, compared with one part of the data after another.
pub struct ComparedLists {
    lists: Vec<Compared>,
}

/// A list beside the columns of one name in which its values are looked for.
struct Compared {
    list: Arc<List>,
    path: String,
    /// The first line of its file.
    header: Option<String>,
    column: String,
    /// Of the properties of one name it is enough that those of one event have a value.
    sources: Vec<Source>,
    has_values: bool,
    has_header: bool,
    is_met: bool,
}

impl ComparedLists {
    /// The lists of a project's program.
    pub fn new(project: &Project, program: &Program) -> ComparedLists {
        // Of an empty list the optimised plan would know no more.
        let plan = seg_plan::lower(program.module());
        let paths = paths(project);
        let mut lists = Vec::new();
        for ((name, _), (list, sources)) in compared(&plan) {
            let path = paths.get(name).map_or(name, String::as_str);
            let header = seg_io::list_header(&project.dir.join(path));
            let mut of_name: BTreeMap<&str, Vec<Source>> = BTreeMap::new();
            for source in sources {
                of_name.entry(source_name(program.schema(), source)).or_default().push(source);
            }
            lists.extend(of_name.into_iter().map(|(column, sources)| Compared {
                list: Arc::clone(list),
                path: path.to_owned(),
                header: header.clone(),
                column: column.to_owned(),
                sources,
                has_values: false,
                has_header: false,
                is_met: false,
            }));
        }
        ComparedLists { lists }
    }

    /// Looks for the values among people and their events.
    pub fn look(&mut self, batch: &Batch) {
        for compared in &mut self.lists {
            let Compared { list, header, sources, .. } = &*compared;
            let fold = |text: &str| if list.ignores_case { fold_case(text) } else { text.to_owned() };
            let any = |holds: &dyn Fn(&str) -> bool| sources.iter().any(|source| any_text(batch, *source, holds));
            let has_values = compared.has_values || any(&|_| true);
            let is_header = |text: &str| header.as_deref().is_some_and(|header| fold(text) == fold(header));
            let has_header = compared.has_header || any(&is_header);
            let is_met = compared.is_met || any(&|text| list.values.contains(&fold(text)));
            (compared.has_values, compared.has_header, compared.is_met) = (has_values, has_header, is_met);
        }
    }

    /// What was met so far, to be sent to where that of all the data is known: of each comparison
    /// whether its columns have a value, whether one is the first line of the list, and whether
    /// one is in it.
    pub fn found(&self) -> Vec<[bool; 3]> {
        self.lists.iter().map(|of| [of.has_values, of.has_header, of.is_met]).collect()
    }

    /// Adds what was met in another part of the data.
    pub fn add(&mut self, found: &[[bool; 3]]) {
        for (of, [has_values, has_header, is_met]) in self.lists.iter_mut().zip(found) {
            of.has_values |= has_values;
            of.has_header |= has_header;
            of.is_met |= is_met;
        }
    }

    /// Tells of lists that are empty, that have nothing in common with what they are compared
    /// with, or whose first line stands for the name of a column and is a value of the data.
    pub fn tell(&self, report: &mut Report) {
        let mut told_empty = BTreeSet::new();
        for compared in &self.lists {
            let Compared { list, path, header, column, .. } = compared;
            let place = |value: &str| Place { file: path.clone(), line: 1, value: value.to_owned() };
            if list.values.is_empty() {
                if told_empty.insert(&list.name) {
                    report.tell(ProblemKind::EmptyList, &list.name, None, place(""));
                }
                continue;
            }
            // A column without any value is told of as such.
            if !compared.has_values {
                continue;
            }
            if let Some(header) = header.as_deref().filter(|_| compared.has_header) {
                report.tell(ProblemKind::ListHeader, column, Some(&list.name), place(header));
            }
            if !compared.is_met {
                let first = list.values.iter().min().map_or("", String::as_str);
                report.tell(ProblemKind::UnmetList, column, Some(&list.name), place(first));
            }
        }
    }
}

/// Compares a project's lists with data that is there as a whole, and tells of them.
pub fn tell_of_lists(project: &Project, program: &Program, batch: &Batch, report: &mut Report) {
    let mut lists = ComparedLists::new(project, program);
    lists.look(batch);
    lists.tell(report);
}

/// The paths of lists, by their names.
fn paths(project: &Project) -> HashMap<String, String> {
    let parses = crate::compile::parse(project);
    let items = parses.iter().flat_map(|parse| &parse.file.items);
    let lists = items.filter_map(|item| match item {
        Item::List(list) => Some((list.name.text.clone(), list.path.text.clone())),
        Item::Segment(_)
        | Item::Definition(_)
        | Item::Rule(_)
        | Item::Precedence(_)
        | Item::Test(_)
        | Item::Error { .. } => None,
    });
    lists.collect()
}

/// A list with what it is compared with.
type WithSources<'p> = (&'p Arc<List>, BTreeSet<Source>);

/// The lists of a plan, by their names and whether case counts, with what each is compared
/// with.
fn compared(plan: &Plan) -> BTreeMap<(&str, bool), WithSources<'_>> {
    let mut found: BTreeMap<(&str, bool), WithSources<'_>> = BTreeMap::new();
    for node in plan.nodes() {
        let (list, value) = if let Node::InList(value, list) = node {
            (&list.0, Some(*value))
        } else if let Node::Profile(IdTest::InList(list)) = node {
            (&list.0, None)
        } else {
            continue;
        };
        let key = (list.name.as_str(), list.ignores_case);
        let (_, sources) = found.entry(key).or_insert_with(|| (list, BTreeSet::new()));
        match value {
            Some(value) => sources_of(plan, value, sources),
            None => drop(sources.insert(Source::Id)),
        }
    }
    found
}

/// The columns that a value is read from.
pub(crate) fn sources_of(plan: &Plan, value: NodeId, sources: &mut BTreeSet<Source>) {
    let Some(node) = plan.node(value) else { return };
    if let Node::Attribute(id, _) | Node::Element { list: id, field: None, .. } = node {
        sources.insert(Source::Attribute(*id));
    } else if let Node::Property(ids, _) = node {
        sources.extend(ids.iter().map(|(event, property)| Source::Property(*event, *property)));
    }
    let measured = node.inner().into_iter().filter(|id| plan.node(*id).is_some_and(|node| !node.is_condition()));
    node.children().into_iter().chain(measured).for_each(|child| sources_of(plan, child, sources));
}

/// What a source is called in messages.
pub(crate) fn source_name(schema: &Schema, source: Source) -> &str {
    let name = match source {
        Source::Id => return "profile id",
        Source::Attribute(id) => schema.attribute(id).map(|field| &field.name),
        Source::Property(event, id) => {
            schema.event(event).and_then(|event| event.properties.get(id.idx())).map(|field| &field.name)
        }
    };
    name.map_or("", String::as_str)
}

/// Whether any of the texts of a source is such.
pub(crate) fn any_text(batch: &Batch, source: Source, holds: &dyn Fn(&str) -> bool) -> bool {
    match source {
        Source::Id => (0..batch.len()).any(|row| holds(batch.id(row)) || batch.merged_ids(row).any(holds)),
        Source::Attribute(id) => {
            let now = batch.attribute_column(id);
            let before = batch.history(id).and_then(|history| history.values());
            now.into_iter().chain(before).any(|column| any_text_of(column, holds))
        }
        Source::Property(event, id) => {
            let events = batch.events(event);
            events.and_then(|events| events.property_column(id)).is_some_and(|column| any_text_of(column, holds))
        }
    }
}

fn any_text_of(column: &Column, holds: &dyn Fn(&str) -> bool) -> bool {
    // Each different text is there once.
    if let Some((_, texts)) = column.texts() {
        return texts.iter().flatten().any(holds);
    }
    let is_it = |value: &Value| matches!(value, Value::Text(text) if holds(text));
    (0..column.array().len()).filter_map(|row| column.value(row)).any(|value| match &value {
        Value::List(items) => items.iter().any(is_it),
        Value::Text(_)
        | Value::Boolean(_)
        | Value::Integer(_)
        | Value::Number(_)
        | Value::Money(_)
        | Value::Timestamp(_)
        | Value::Date(_) => is_it(&value),
    })
}
