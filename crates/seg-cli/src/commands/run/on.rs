//! `seg run --on`: who is in what, as a database says it of its own tables.

use super::super::guard::{self, Guards};
use super::super::{compiled, load, results};
use super::{now, sizes_json, table};
use crate::args::{Format, Run};
use crate::exit::{Exit, Failure};
use crate::output::{Output, grouped, print_json, print_text};
use crate::warehouse::{self, Address};
use seg::arrow_array::{RecordBatch, StringArray};
use seg::arrow_schema::{DataType, Field, Schema};
use seg::unstable::data::batch::id_column;
use seg::unstable::io::{Loaded, LoadedParts, Manifest, Report};
use seg::unstable::parts;
use seg::unstable::sql::{Difference, Shape, emit};
use seg::{Batch, Mask, Program, Timestamp};
use std::sync::Arc;

pub fn run(args: &Run, database: &str, output: &Output) -> Result<Exit, Failure> {
    refuse(args)?;
    let database = Address::parse(database).map_err(Failure::usage)?;
    if let Some(file) = database.file().filter(|file| !file.is_file()) {
        return Err(Failure::new(format!("{}: there is no such file of DuckDB; nothing was run", file.display())));
    }
    let asked = results::Asked::new(&args.results)?;
    let project = load(&args.dir)?;
    let Some(program) = compiled(&project, args.format, "run", output)? else { return Ok(Exit::Errors) };
    let Some(manifest) = parts(&project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let (now, said_by) = now(args.at.as_deref(), manifest)?;
    let results = asked.over(&project, &program)?;
    let emitted = match emit(&project, &program, database.dialect(), now, &Shape::Signs) {
        Ok(emitted) => emitted,
        Err(refused) => {
            output.diagnostics(&refused, args.format)?;
            return Ok(Exit::Errors);
        }
    };
    if args.format == Format::Text {
        output.diagnostics(program.warnings(), Format::Text)?;
    }
    let failed = |why: String| {
        let help = if is_about_tables(&why) { " (`[sql]` of seg.toml says where tables and columns are)" } else { "" };
        Failure::new(format!("{}: {why}{help}; nothing was written", database.shown()))
    };
    let rows = warehouse::rows(&database, &emitted.text, args.on.time_limit).map_err(failed)?;
    let n_segments = program.segment_names().count();
    let Answer { people, masks } = Answer::of(rows, &program, n_segments).map_err(failed)?;
    let n_people = people.len();
    let loaded = LoadedParts::from(Loaded { batch: people, report: Report::default(), last_event: None });
    let masks = &masks;
    let found = results::Run {
        stays: &[],
        program: &program,
        settings: manifest,
        loaded: &loaded,
        masks,
        now,
        said_by,
        n_people,
        inputs: None,
        partition: None,
    };
    let written = results::write(&results, found)?;
    let guards = guard::guards(&program, masks, n_people, results.sizes(), now);
    match args.format {
        Format::Json => {
            let mut json = json(found, &database, &guards, &emitted.differences);
            json.extend(results::json(&results, &written));
            print_json(&json.into())?;
        }
        Format::Text => {
            print_text(&format!("{}{}", header(found, &database), table(&program, masks, n_people)))?;
            for Difference { construct, how } in &emitted.differences {
                tell_line!("may differ from `seg run` here: {construct}: {how}");
            }
            tell!("{}", results::told(&results, &written));
            guards.broken.iter().chain(&guards.notes).for_each(|guard| tell_line!("size: {guard}"));
        }
    }
    Ok(if args.deny && !guards.broken.is_empty() { Exit::Errors } else { Exit::Success })
}

/// What a database cannot do for a run.
fn refuse(args: &Run) -> Result<(), Failure> {
    let results = &args.results;
    let asked = [
        (args.engine.is_some(), "--engine", "the database says who is in"),
        (args.max_cost.is_some(), "--max-cost", "what its query costs is not known; `--time-limit` stops it"),
        (args.strict, "--strict", "the data stay in the database, and nobody looks through them"),
        (args.store.is_some(), "--store", "the data are in the database"),
        (args.no_map, "--no-map", "the data are in the database"),
        (args.memory.memory.is_some(), "--memory", "the database has its own limits"),
        (!results.columns.is_empty(), "--columns", "attributes stay in the database; join them to the members there"),
        (results.manifest.is_some(), "--manifest", "it tells of the files that were read, and none are"),
        (results.partition_result.is_some(), "--partition-result", "a database is asked for everybody at once"),
        (results.verify.is_some(), "--verify", "a manifest tells of the files that were read, and none are"),
    ];
    match asked.into_iter().find(|(is_asked, ..)| *is_asked) {
        Some((_, option, why)) => {
            Err(Failure::usage(format!("`{option}` does not go with `--on`: {why}; nothing was run")))
        }
        None => Ok(()),
    }
}

/// Whether the settings may be wrong rather than the database.
fn is_about_tables(why: &str) -> bool {
    let why = why.to_lowercase();
    ["relation", "table", "column", "schema"].iter().any(|word| why.contains(word))
}

/// Who exists, and who is in what.
struct Answer {
    people: Batch,
    masks: Vec<Mask>,
}

impl Answer {
    /// People in the order of the bytes of their ids, whatever the order of the rows.
    fn of(mut rows: Vec<warehouse::Row>, program: &Program, n_segments: usize) -> Result<Answer, String> {
        rows.sort_unstable();
        let is_wrong = |(_, signs): &&warehouse::Row| {
            signs.len() != n_segments || signs.bytes().any(|sign| !matches!(sign, b'0' | b'1'))
        };
        if let Some((id, _)) = rows.iter().find(is_wrong) {
            return Err(format!("the row of `{id}` does not say of each segment whether they are in it"));
        }
        let is_in = |at: usize| rows.iter().map(move |(_, signs)| signs.as_bytes().get(at) == Some(&b'1'));
        let masks = (0..n_segments).map(|at| Mask::from_bools(is_in(at))).collect();
        let schema = program.schema();
        let fields = Schema::new(vec![Field::new(id_column(schema), DataType::Utf8, false)]);
        let ids = StringArray::from_iter_values(rows.iter().map(|(id, _)| id));
        let records = RecordBatch::try_new(Arc::new(fields), vec![Arc::new(ids)]).map_err(|e| e.to_string())?;
        let people = Batch::new(Arc::clone(schema), records).map_err(|e| e.to_string())?;
        Ok(Answer { people, masks })
    }
}

fn header(run: results::Run<'_>, database: &Address) -> String {
    let results::Run { settings, n_people, now, said_by, .. } = run;
    let Manifest { name, zone, .. } = settings;
    let (title, shown) = (database.dialect().title(), database.shown());
    let now = Timestamp::in_zone(now, *zone);
    let zone = zone.map_or("no time zone".to_owned(), |zone| format!("time zone {}", zone.name()));
    format!(
        "{name}: {} people in {title} at {shown}, judged at {now} (from {said_by}), {zone}\n",
        grouped(n_people as u64)
    )
}

fn json(
    run: results::Run<'_>,
    database: &Address,
    guards: &Guards,
    differences: &[Difference],
) -> serde_json::Map<String, serde_json::Value> {
    let results::Run { program, masks, now, n_people, .. } = run;
    let differences: Vec<_> = differences
        .iter()
        .map(|Difference { construct, how }| serde_json::json!({ "construct": construct, "how": how }))
        .collect();
    let on = serde_json::json!({
        "dialect": database.dialect().name(),
        "database": database.shown(),
        "differences": differences,
    });
    let key = |key: &str, value: serde_json::Value| (key.to_owned(), value);
    serde_json::Map::from_iter([
        key("at", now.to_string().into()),
        key("people", n_people.into()),
        key("on", on),
        key("segments", sizes_json(program, masks, n_people)),
        key("sizes", serde_json::json!({ "broken": guards.broken, "not_judged": guards.notes })),
        key("diagnostics", serde_json::json!(program.warnings().to_json())),
    ])
}
