//! Attributes that stand beside people in a result.

use super::{Asked, Members};
use crate::exit::Failure;
use seg::Schema;
use seg::unstable::data::schema::Target;
use seg::unstable::data::{AttributeId, batch::ID_COLUMN};
use seg::unstable::io::results::{CHANGE_COLUMN, ENTERED_COLUMN, LEAVES_COLUMN, SEGMENT_COLUMN};
use seg::unstable::suggestion;
use std::collections::HashSet;

/// The instants of each person in each segment that arguments name, and the arguments without
/// them. An attribute of such a name goes before.
pub fn stays(args: &[String], schema: &Schema) -> (Vec<String>, Vec<&'static str>) {
    let own = [ENTERED_COLUMN, LEAVES_COLUMN];
    let is_stay = |name: &str| own.contains(&name) && schema.lookup(name).is_empty();
    let (mut rest, mut stays) = (Vec::new(), Vec::new());
    for arg in args {
        if !arg.split(',').any(|name| is_stay(name.trim())) {
            rest.push(arg.clone());
            continue;
        }
        let (own_names, others): (Vec<&str>, Vec<&str>) = arg.split(',').map(str::trim).partition(|name| is_stay(name));
        stays.extend(own.into_iter().filter(|own| own_names.contains(own)));
        if !others.is_empty() {
            rest.push(others.join(","));
        }
    }
    stays.dedup();
    (rest, stays)
}

/// The attributes that arguments name, each with commas between names or one with a comma in
/// its own.
pub fn attributes(args: &[String], schema: &Schema) -> Result<Vec<AttributeId>, Failure> {
    let mut ids = Vec::new();
    for arg in args {
        let is_one = schema.attributes.iter().any(|field| field.name == *arg);
        let names: Vec<&str> = if is_one { vec![arg] } else { arg.split(',').map(str::trim).collect() };
        for name in names {
            let id = attribute(name, schema)
                .map_err(|why| Failure::usage(format!("`--columns`: {why}; nothing was run")))?;
            if ids.contains(&id) {
                return Err(Failure::usage(format!("`--columns`: `{name}` is named twice; nothing was run")));
            }
            ids.push(id);
        }
    }
    Ok(ids)
}

fn attribute(name: &str, schema: &Schema) -> Result<AttributeId, String> {
    if name.is_empty() {
        return Err("an attribute is needed between commas, as in `email,country`".to_owned());
    }
    match schema.lookup(name) {
        [Target::Attribute(id)] => Ok(*id),
        [Target::Event(_) | Target::Group(_)] => {
            Err(format!("`{name}` is something that happens, and columns are attributes of people"))
        }
        [] => {
            let known: Vec<&str> = schema.attributes.iter().map(|field| field.name.as_str()).collect();
            let help = match suggestion(name, known.iter().copied()) {
                Some(near) => format!("(did you mean `{near}`?)"),
                None if known.is_empty() => "or any other".to_owned(),
                None => format!("(it has {})", listed(&known)),
            };
            Err(format!("the schema has no attribute `{name}` {help}"))
        }
        several => {
            let fits: Vec<&str> = several.iter().map(|target| schema.name_of(*target)).collect();
            Err(format!("`{name}` may be any of {}; write one as the schema does", listed(&fits)))
        }
    }
}

/// The first few names.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 10;
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    if names.len() > SHOWN {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

/// No table has two columns of one name.
pub fn refuse_repeated(
    asked: &Asked<'_>,
    columns: &[AttributeId],
    segments: &[&str],
    schema: &Schema,
) -> Result<(), Failure> {
    let mut own: HashSet<&str> = HashSet::new();
    if let (Some(name), Some(Members::Wide(_))) = (asked.stays.first(), asked.members) {
        return Err(Failure::usage(format!(
            "`--columns`: `{name}` is of a person in one segment, and a wide table has a row a person; \
             write `--layout long` or `--layout files`; nothing was run"
        )));
    }
    match asked.members {
        Some(Members::Long(_)) => own.extend([SEGMENT_COLUMN, ID_COLUMN]),
        Some(Members::Files(_)) => own.extend([ID_COLUMN]),
        // A wide table is told from others by the columns that it does not have.
        Some(Members::Wide(_)) => {
            own.extend([SEGMENT_COLUMN, ID_COLUMN, CHANGE_COLUMN]);
            if let Some(name) = segments.iter().find(|name| own.contains(*name)) {
                return Err(Failure::usage(format!(
                    "\"{name}\" cannot be a segment's column in a wide table, where `{name}` means something else; \
                     write `--layout long` or `--layout files`; nothing was run"
                )));
            }
        }
        None => {}
    }
    if asked.changes.is_some() {
        own.extend([SEGMENT_COLUMN, ID_COLUMN, CHANGE_COLUMN]);
    }
    let is_wide = matches!(asked.members, Some(Members::Wide(_)));
    let mut names = columns.iter().filter_map(|id| schema.attribute(*id)).map(|field| field.name.as_str());
    match names.find(|name| own.contains(name) || (is_wide && segments.contains(name))) {
        Some(name) if own.contains(name) => Err(Failure::usage(format!(
            "`--columns`: results have a column `{name}` of their own, so that the attribute cannot be one; nothing was run"
        ))),
        Some(name) => Err(Failure::usage(format!(
            "`--columns`: `{name}` is an attribute and a segment, and a wide table has one column of a name; \
             write `--layout long` or `--layout files`; nothing was run"
        ))),
        None => Ok(()),
    }
}
