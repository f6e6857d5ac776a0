//! Figures of two segments of an example that were computed without Seg: sizes, entries and
//! exits, next changes, how long people stay, and what they do. `tests/data/expected` says how.

use seg::unstable::conversion::{Asked, Goal, GoalWords, conversions};
use seg::unstable::data::Value;
use seg::{Batch, Explained, Options, Program, Project, Spells, Timestamp, Wanted, Zone};
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

/// A segment of the example in which half of all people are held out by "spring".
fn with_holdout(segment: &str) -> Project {
    let folder = root().join("examples/online-retail");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let text = read("lifecycle.seg");
    let held_out = format!("{}\n    exclude people in a random 50% of people, by \"spring\"\n", text.trim_end());
    assert!(held_out.contains(segment), "the last segment of the file is the one that is meant");
    Project::from_text(&read("schema.toml"), [("lifecycle.seg", held_out.as_str())], seg::Settings::default())
}

#[test]
fn people_reach_a_goal_as_was_counted() {
    let (project, program, batch) = example();
    let rows = expected("conversion.csv");
    assert_eq!(rows.len(), 4);
    for row in &rows {
        let (segment, group) = (&row["segment"], row["group"].as_str());
        let is_split = group != "all";
        let held_out = is_split.then(|| with_holdout(segment));
        let of = held_out.as_ref().unwrap_or(&project);
        let own = if is_split { seg::compile(of).expect("no errors") } else { program.clone() };
        let position = own.segment_names().position(|name| name == segment).expect("a segment");
        let goal = format!("purchase_line within {} days", row["days"]);
        let words = GoalWords { goal: &goal, revenue: Some("quantity times unit_price"), less: None, sent: None };
        let goal = Goal::read(of, words).expect("a goal");
        let found = conversions(Asked {
            program: &own,
            batch: &batch,
            goal: &goal,
            segments: &[position],
            period: (at(&row["from"]), at(&row["to"])),
            at: at("2011-07-01T00:00:00Z"),
            zone: Zone::UTC,
            holdout: is_split.then_some("spring"),
            options: &Options::new().with_threads(2),
        });
        let conversion = found.expect("figures").segments.remove(0);
        let all = match (group, &conversion.split) {
            ("held out", Some(split)) => &split.held_out,
            ("not held out", Some(split)) => &split.others,
            _ => &conversion.all,
        };
        let (converted, range) = (all.converted(), all.converted().range().expect("somebody"));
        let seconds = |percent| format!("{}.000000", all.time(percent).expect("somebody") / 1_000_000);
        let money = |value: Option<Value>| match value {
            Some(Value::Money(scaled)) => format!("{}.{:04}", scaled / 10_000, scaled % 10_000),
            other => panic!("money, not {other:?}"),
        };
        let entries = if is_split { String::new() } else { conversion.entries.to_string() };
        let found = [
            ("already_in", conversion.already_in.to_string()),
            ("entries", entries),
            ("people_entered", all.people.to_string()),
            ("complete", all.complete.to_string()),
            ("incomplete", all.incomplete().to_string()),
            ("incomplete_with_goal", all.incomplete_with_goal.to_string()),
            ("converted", converted.part.to_string()),
            ("rate", format!("{:.6}", converted.rate().expect("somebody"))),
            ("wilson_low", format!("{:.6}", range.0)),
            ("wilson_high", format!("{:.6}", range.1)),
            ("median_s", seconds(50)),
            ("p90_s", seconds(90)),
            ("revenue", money(all.revenue.clone())),
            ("revenue_per_person", money(all.revenue_per_person())),
        ];
        for (figure, found) in found {
            assert_eq!(found, row[figure], "{figure} of {segment}, {group}");
        }
    }
}

#[test]
fn people_outside_reach_a_goal_as_was_counted() {
    let (project, program, batch) = example();
    let rows = expected("baseline.csv");
    let (weighed, days) = rows.split_last().expect("days");
    let segment = &weighed["segment"];
    let position = program.segment_names().position(|name| name == segment).expect("a segment");
    let words = GoalWords { goal: "purchase_line within 14 days", revenue: None, less: None, sent: None };
    let goal = Goal::read(&project, words).expect("a goal");
    let found = conversions(Asked {
        program: &program,
        batch: &batch,
        goal: &goal,
        segments: &[position],
        period: (at("2011-05-01T00:00:00Z"), at("2011-06-01T00:00:00Z")),
        at: at("2011-07-01T00:00:00Z"),
        zone: Zone::UTC,
        holdout: None,
        options: &Options::new(),
    });
    let outside = found.expect("figures").segments.remove(0).outside.expect("people who were not in it");
    assert_eq!(outside.days.len(), days.len());
    for (found, row) in outside.days.iter().zip(days) {
        let rate = format!("{:.6}", found.outside.rate().expect("somebody"));
        let own = [
            ("day", found.day.to_string()),
            ("entered", found.entered.to_string()),
            ("outside", found.outside.whole.to_string()),
            ("outside_with_goal", found.outside.part.to_string()),
            ("rate", rate),
        ];
        for (figure, found) in own {
            assert_eq!(found, row[figure], "{figure} on {}", row["day"]);
        }
    }
    assert_eq!(format!("{:.6}", outside.rate().expect("somebody")), weighed["rate"]);
}
