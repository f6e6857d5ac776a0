//! Figures of two segments of an example that were computed without Seg: sizes, entries and
//! exits, and next changes. `tests/data/expected` says how.

use seg::{Batch, Explained, Options, Program, Project, Spells, Timestamp, Wanted};
use seg_io::LoadRequest;
use seg_tests::root;
use std::collections::HashMap;

/// A file of expected figures: a map of its columns a row.
fn expected(name: &str) -> Vec<HashMap<String, String>> {
    let path = root().join("tests/data/expected").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    // Names of segments stand in quotes, with a comma inside.
    let fields = |line: &str| -> Vec<String> {
        let mut fields = vec![String::new()];
        let mut is_quoted = false;
        for letter in line.chars() {
            match letter {
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => fields.push(String::new()),
                other => fields.last_mut().expect("a field").push(other),
            }
        }
        fields
    };
    let mut lines = text.lines();
    let head = fields(lines.next().expect("a header"));
    lines.map(|line| head.iter().cloned().zip(fields(line)).collect()).collect()
}

fn at(text: &str) -> Timestamp {
    Timestamp::read(text, None).unwrap_or_else(|e| panic!("{text} {e}"))
}

/// The example with all of its data.
fn example() -> (Project, Program, Batch) {
    let project = Project::load(root().join("examples/online-retail")).expect("a project");
    let program = seg::compile(&project).expect("no errors");
    let manifest = seg::unstable::parts(&project).manifest.expect("settings");
    let wanted = Wanted::everything(project.schema());
    let request = LoadRequest::new(seg::unstable::parts(&project).dir, &manifest.data, project.schema());
    let loaded = seg_io::load(LoadRequest { zone: manifest.zone, wanted: Some(&wanted), ..request }).expect("the data");
    (project, program, loaded.batch)
}

/// Of each segment's name its position, and the entries and exits of a period.
fn spells(program: &Program, batch: &Batch, range: (Timestamp, Timestamp)) -> HashMap<String, Spells> {
    let names: Vec<&str> = program.segment_names().collect();
    let segments: Vec<usize> = (0..names.len())
        .filter(|at| names[*at].starts_with("One and done") || names[*at].starts_with("Regulars"))
        .collect();
    let options = Options::new().with_threads(2);
    let spells = program.prepare().spells(batch, range, &segments, &options).expect("the batch keeps the contract");
    segments.into_iter().map(|at| names[at].to_owned()).zip(spells).collect()
}

#[test]
fn sizes_entries_and_exits_are_those_that_were_counted() {
    let (_, program, batch) = example();
    let moves = expected("moves.csv");
    let instants: Vec<Timestamp> = moves.iter().flat_map(|row| [at(&row["after"]), at(&row["until"])]).collect();
    let (from, to) = (*instants.iter().min().expect("a step"), *instants.iter().max().expect("a step"));
    let spells = spells(&program, &batch, (from, to));
    for row in &moves {
        let (segment, spells) = (&row["segment"], &spells[&row["segment"]]);
        let (after, until) = (at(&row["after"]), at(&row["until"]));
        let (before, now) = (spells.members_at(after), spells.members_at(until));
        let n_people = |a: &seg::Mask, b: &seg::Mask| (0..a.len()).filter(|row| a.get(*row) && !b.get(*row)).count();
        let inside = || spells.crossings.iter().filter(|crossing| after < crossing.at && crossing.at <= until);
        let exits = || inside().filter(|crossing| !crossing.is_entry);
        let found = [
            ("size_before", before.count()),
            ("entered_people", n_people(&now, &before)),
            ("left_people", n_people(&before, &now)),
            ("entries", inside().filter(|crossing| crossing.is_entry).count()),
            ("exits", exits().count()),
            ("exits_by_event", exits().filter(|crossing| crossing.by_event).count()),
            ("exits_by_time", exits().filter(|crossing| !crossing.by_event).count()),
        ];
        for (figure, found) in found {
            assert_eq!(found.to_string(), row[figure], "{figure} of {segment} after {after}");
        }
    }
    for row in expected("sizes.csv") {
        let instant = at(&row["at"]);
        let found = spells[&row["segment"]].members_at(instant).count();
        assert_eq!(found.to_string(), row["size"], "{} at {instant}", row["segment"]);
        // And so says a run as of that instant.
        let evaluation = program.prepare().evaluate(&batch, instant).expect("the batch keeps the contract");
        assert_eq!(evaluation.mask(&row["segment"]).expect("a segment").count(), found);
    }
}

#[test]
fn next_changes_are_those_that_were_counted() {
    let (project, program, batch) = example();
    for row in expected("changes.csv") {
        let (segment, person) = (Some(row["segment"].as_str()), row["person"].as_str());
        let of =
            Explained { project: &project, program: &program, batch: &batch, segment, person, now: at(&row["at"]) };
        let explained = seg::explain(of).expect("a segment and a person").segments.remove(0);
        assert_eq!(if explained.why.holds { "in" } else { "out" }, row["state"], "{person}");
        let changes_at = explained.changes_at.map_or(String::new(), |at| at.to_string());
        assert_eq!(changes_at, row["changes_at"], "{person} and {segment:?}");
    }
}

/// How long people stay, by the estimator of Kaplan and Meier ("Nonparametric estimation from
/// incomplete observations", 1958) over the spells that begin in a period: open ones count as
/// long as they are seen.
#[test]
fn people_stay_as_long_as_was_counted() {
    let (_, program, batch) = example();
    let judged_at = at("2011-07-01T00:00:00Z");
    for row in expected("dwell.csv") {
        let (from, to) = (at(&row["from"]), at(&row["to"]));
        // An entry at the first instant of the period is one within it.
        let spells = spells(&program, &batch, (Timestamp(from.0 - 1), judged_at)).remove(&row["segment"]);
        // Those at the first instant of the period are in it, and those at its end are not.
        let period = (Timestamp(from.0 - 1), Timestamp(to.0 - 1));
        let dwell = seg::unstable::dwell::dwell(&spells.expect("a segment"), period, judged_at);
        let counts = [("spells", dwell.n_spells), ("ended", dwell.n_ended), ("open", dwell.n_open())];
        for (figure, found) in counts {
            assert_eq!(found.to_string(), row[figure], "{figure} of {}", row["segment"]);
        }
        for (figure, quartile) in ["p25_s", "p50_s", "p75_s"].into_iter().zip(dwell.quartiles) {
            let shown =
                quartile.map_or(String::new(), |length| format!("{}.{:06}", length / 1_000_000, length % 1_000_000));
            assert_eq!(shown, row[figure], "{figure} of {}", row["segment"]);
        }
    }
}
