//! Runs the case corpus: a test for each file under `tests/suite`.
//!
//! A `.seg` file begins with `#!` lines that choose its schema and which stages
//! are kept in the snapshot beside it; a `.toml` file holds many small cases of
//! people and who of them is in.

use libtest_mimic::{Arguments, Failed, Trial};
use seg::{Batch, Mask, Project, Settings, Timestamp, Zone};
use seg_syntax::diag::render::Style;
use seg_tests::{CaseFile, Native, TestEngine, engines, people, people_of_store, people_of_tables, root, schema_text};
use std::path::{Path, PathBuf};

fn main() {
    let args = Arguments::from_args();
    let suite = root().join("tests/suite");
    let mut files = Vec::new();
    gather(&suite, &mut files);
    let trials = files
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&suite).unwrap_or(&path).with_extension("").to_string_lossy().into_owned();
            Trial::test(name, move || run(&path))
        })
        .collect();
    libtest_mimic::run(&args, trials).exit();
}

fn gather(dir: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(dir).expect("the suite is there").map(|e| e.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            gather(&path, files);
        } else if path.extension().is_some_and(|e| e == "seg" || e == "toml") {
            files.push(path);
        }
    }
}

fn run(path: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path)?;
    // The type of a case is its ending, except that schemas are TOML too.
    if path.extension().is_some_and(|e| e == "seg") {
        return stages(path, &text);
    }
    if path.components().any(|c| c.as_os_str() == "schema") {
        return schema(path, &text);
    }
    cases(&text)
}

/// `#! key: value` at the top of a case.
fn header<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines()
        .take_while(|l| l.starts_with("#!"))
        .find_map(|l| l.trim_start_matches("#!").trim().strip_prefix(key)?.trim().strip_prefix(':'))
        .map(str::trim)
}

fn settings(zone: &str) -> Settings {
    let zone = (zone != "none").then(|| Zone::parse(zone).expect("a zone"));
    Settings { zone, ..Settings::default() }
}

/// The stages a case asks for, under headings, against the snapshot beside it.
fn stages(path: &Path, text: &str) -> Result<(), Failed> {
    let schema = schema_text(header(text, "schema").unwrap_or("shop"));
    let settings = settings(header(text, "zone").unwrap_or("UTC"));
    let emit = header(text, "emit").ok_or("the case does not say what to emit")?;
    let name = path.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
    let project = Project::from_text(&schema, [(name.as_str(), text)], settings);
    let parses = seg::unstable::parse(&project);
    let checked = seg::unstable::check(&project, &parses);
    let mut out = String::new();
    for stage in emit.split(',').map(str::trim) {
        let printed = match stage {
            "tokens" => parses.iter().map(|p| p.tokens.print(text).to_string()).collect(),
            "ast" => parses.iter().map(|p| p.file.to_string()).collect(),
            "hir" => seg_hir::hir::print(&checked.module, project.schema()),
            "plan" => seg_plan::print(&seg_plan::lower(&checked.module), project.schema()),
            "passes" => passes(&checked.module, &project),
            "physical" => physical(&project)?,
            "clif" => clif(&checked.module, &project)?,
            "diagnostics" => problems(&project, header(text, "lints") == Some("on")),
            other => return Err(format!("there is no stage `{other}`").into()),
        };
        out.push_str(&format!("── {stage} ──\n{}\n", printed.trim_end()));
    }
    // A case that does not ask for problems must have none.
    if !emit.contains("diagnostics") {
        let problems = problems(&project, false);
        if !problems.is_empty() {
            return Err(problems.into());
        }
    }
    snapshot(path, &out);
    Ok(())
}

/// The plan after each pass that changed it.
fn passes(module: &seg_hir::hir::Module, project: &Project) -> String {
    let mut out = String::new();
    seg_plan::optimize(&seg_plan::lower(module), |trace| {
        if trace.has_changed {
            out.push_str(&format!("after {}:\n{}", trace.name, seg_plan::print(&trace.plan, project.schema())));
        }
    });
    out
}

/// The plan as it fits 6,000 people, so many that conditions are ordered by a
/// sample, and how each of its conditions is decided.
fn physical(project: &Project) -> Result<String, Failed> {
    let program = seg::compile(project)?;
    let now = Timestamp::parse("2026-06-01T12:00:00Z", None).expect("an instant");
    let batch = people(&many_people(6_000), project.schema(), project.settings().zone, now);
    let prepared = program.prepare();
    prepared.check(&batch).expect("a batch");
    let plan = seg::unstable::fitted_plan(&prepared, &batch, now);
    Ok(seg_plan::print_graph(&plan, project.schema()) + &seg::unstable::physical(&prepared, &batch, now))
}

/// People with a few orders and mails over some months, a line each.
fn many_people(n_people: usize) -> String {
    let event = |name: &str, hours: usize, more: String| {
        format!("{{\"event\": \"{name}\", \"time\": \"{hours} hours ago\"{more}}}")
    };
    let line = |at: usize| {
        let orders = (0..at % 4).map(|k| {
            let category = ["shoes", "hats", "coats"][(at + k) % 3];
            let more = format!(", \"amount\": {}, \"category\": \"{category}\"", at % 50);
            event("Order Completed", 1 + (at * 37 + k * 331) % 2_000, more)
        });
        let mails = (0..at % 3).map(|k| event("Email Opened", (at * 37 + k * 17) % 2_000, String::new()));
        let events: Vec<String> = orders.chain(mails).collect();
        let country = ["DE", "FR", "AT", "CH", "US", "GB", "NL"][at % 7];
        let city = ["Aachen", "Bonn", "Paris", "Graz", "Bern", "Utrecht", "Lyon", "Kiel", "Ulm"][at % 9];
        format!(
            "{{\"id\": \"{at}\", \"country\": \"{country}\", \"city\": \"{city}\", \"score\": {}, \"sms_consent\": {}, \"events\": [{}]}}\n",
            at % 10,
            at.is_multiple_of(2),
            events.join(", ")
        )
    };
    (0..n_people).map(line).collect()
}

/// The code of each condition that has any.
fn clif(module: &seg_hir::hir::Module, project: &Project) -> Result<String, Failed> {
    let plan = seg_plan::optimize(&seg_plan::lower(module), |_| {});
    let batch = seg::Batch::empty(std::sync::Arc::clone(project.schema()))?;
    Ok(seg_exec::clif(&plan, &batch, Timestamp(0))?)
}

fn problems(project: &Project, lints: bool) -> String {
    let diagnostics = match seg::compile(project) {
        Ok(program) => program.warnings().clone(),
        Err(diagnostics) => diagnostics,
    };
    // The schema of the corpus has names that need quotes, on purpose, and cases
    // say what nobody would run.
    let is_shown = |number: &str| number != "W1701" && (lints || !number.starts_with("W08"));
    let shown = diagnostics.iter().filter(|d| is_shown(d.code.number())).cloned().collect();
    seg::Diagnostics::new(shown, seg::unstable::parts(project).sources.clone()).render(Style::default())
}

fn schema(path: &Path, text: &str) -> Result<(), Failed> {
    let project = Project::from_text(text, [], Settings::default());
    let diagnostics = match seg::compile(&project) {
        Ok(program) => program.warnings().clone(),
        Err(diagnostics) => diagnostics,
    };
    snapshot(path, &diagnostics.to_string());
    Ok(())
}

fn snapshot(path: &Path, content: &str) {
    let name = path.file_stem().map_or(String::new(), |n| n.to_string_lossy().into_owned());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(path.parent().unwrap_or(path));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, content));
}

fn members_of<'b>(mask: Option<&Mask>, batch: &'b Batch) -> Result<Vec<&'b str>, Failed> {
    Ok(mask.ok_or("no segment")?.rows().map(|row| batch.id(row)).collect())
}

/// What explanations of the last segment say that is not so, for everybody.
fn explained(
    project: &Project,
    program: &seg::Program,
    batch: &Batch,
    now: Timestamp,
    members: &[String],
) -> Vec<String> {
    let segment = program.segment_names().last();
    let wrong = |row: usize| {
        let person = batch.id(row);
        let of = seg::Explained { project, program, batch, segment, person, now };
        let of = seg::explain(of).ok().and_then(|of| of.segments.into_iter().next());
        let Some(of) = of else { return Some(format!("{person} is not explained")) };
        if of.why.holds != members.iter().any(|id| id == person) {
            return Some(format!("{person} is explained as one who is {}", if of.why.holds { "in" } else { "out" }));
        }
        let fewest = of.fewest.as_ref().map_or(&[][..], |fewest| &fewest.conditions);
        let is_enough = fewest.is_empty() || of.why.holds_with(&|number| fewest.contains(&number));
        (!is_enough).then(|| format!("{person} would not be in by {fewest:?}"))
    };
    (0..batch.len()).filter_map(wrong).map(|wrong| format!("{}\n  {wrong}", segment.unwrap_or("?"))).collect()
}

fn cases(text: &str) -> Result<(), Failed> {
    let file: CaseFile = toml::from_str(text)?;
    let schema = schema_text(&file.schema);
    let settings = settings(&file.zone);
    let now = Timestamp::parse(&file.now, settings.zone).ok_or("`now` is not an instant")?;
    let mut failures = Vec::new();
    let (mut batch, mut stored) = (None, None);
    for case in &file.case {
        let text = case.text();
        let mut project = Project::from_text(&schema, [("case.seg", text.as_str())], settings);
        file.lists.iter().for_each(|(path, values)| project.add_list(path, values.clone()));
        let program = match seg::compile(&project) {
            Ok(program) => program,
            Err(problems) => {
                failures.push(format!("{}\n{problems}", case.segment));
                continue;
            }
        };
        if let Err(faults) = seg_plan::verify(seg::unstable::plan_of(&program)) {
            failures.push(format!("{}\n{faults:?}", case.segment));
        }
        let own = case.people.as_ref().map(|p| people(&p.join("\n"), project.schema(), settings.zone, now));
        let batch = match &own {
            Some(own) => own,
            None => batch.get_or_insert_with(|| people(&file.people, project.schema(), settings.zone, now)),
        };
        // Through a packed store people come in another order.
        let of_store = |people: &str| people_of_store(people, project.schema(), (settings.zone, now), 2);
        let stored = match &case.people {
            Some(own) => &of_store(&own.join("\n")),
            None => stored.get_or_insert_with(|| of_store(&file.people)),
        };
        let mut members = members_of(Native.evaluate(&program, stored, now).last(), stored)?;
        members.sort_by_key(|id| batch.row_of(id));
        if members != case.members {
            failures.push(format!("{}\n  expected {:?}\n  the store {members:?}", case.segment, case.members));
        }
        let lines = case.people.as_ref().map_or_else(|| file.people.clone(), |own| own.join("\n"));
        let tables = people_of_tables(&lines, project.schema(), (settings.zone, now), 1);
        let members = members_of(Native.evaluate(&program, &tables, now).last(), &tables)?;
        if members != case.members {
            failures.push(format!("{}\n  expected {:?}\n  tables {members:?}", case.segment, case.members));
        }
        failures.extend(explained(&project, &program, batch, now, &case.members));
        for engine in engines() {
            let members = members_of(engine.evaluate(&program, batch, now).last(), batch)?;
            if members != case.members {
                let name = engine.name();
                failures.push(format!("{}\n  expected {:?}\n  {name} {members:?}", case.segment, case.members));
            }
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
}
