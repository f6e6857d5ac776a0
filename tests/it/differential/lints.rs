//! What warnings say of a segment, against who is in it: nobody can be in it,
//! everybody is, a condition changes nothing, two segments mean the same.

use super::sentences::{one, phrase, sentence};
use super::{now, profiles, runner, schema_with_histories};
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use seg::{Mask, Project, Settings, Zone};
use seg_tests::{Reference, TestEngine, people};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

/// Conditions about few things, so that two of them often bear upon each other.
fn condition() -> BoxedStrategy<String> {
    let event = || one(&["Order Completed", "orders", "Email Opened"]);
    let length = || one(&["2 hours", "1 day", "3 days", "7 days", "30 days", "1 month"]);
    let bound = || one(&["at least", "at most", "more than", "fewer than", "exactly"]);
    let compared = || one(&["at least", "at most", "more than", "less than", "exactly"]);
    let n = || one(&["0", "1", "2", "3"]);
    let window = || {
        prop_oneof![
            phrase("in the past {}", vec![length()]),
            phrase("more than {} ago", vec![length()]),
            one(&["ever", "between 1 and 3 days ago", "before today", "since 2026-05-31", "this month"]),
        ]
        .boxed()
    };
    let ago = || one(&["more than", "less than", "at least", "at most"]);
    prop_oneof![
        phrase("number of {} {} is {} {}", vec![event(), window(), compared(), n()]),
        phrase("{} {} orders {}", vec![bound(), one(&["1", "2", "3"]), window()]),
        phrase("did {} between {} times {}", vec![event(), one(&["1 and 2", "2 and 3", "1 and 3"]), window()]),
        phrase("did {} {}", vec![event(), window()]),
        phrase("have never done {}", vec![event()]),
        phrase("no {} {}", vec![event(), window()]),
        phrase("their last {} was {} {} ago", vec![event(), ago(), length()]),
        phrase("their first {} was {} {} ago", vec![event(), ago(), length()]),
        phrase("did {} for the first time {}", vec![event(), window()]),
        phrase("did {} on at least {} different days {}", vec![event(), one(&["1", "2"]), window()]),
        phrase("total amount of orders {} is {} {}", vec![window(), compared(), one(&["0", "10", "500"])]),
        phrase("total_orders is {} {}", vec![compared(), n()]),
        phrase("total_orders is {} {} or unknown", vec![compared(), n()]),
        phrase("total_orders is between {}", vec![one(&["0 and 1", "1 and 2", "2 and 2"])]),
        phrase("{} is {}", vec![one(&["total_orders", "country", "score", "tags"]), one(&["known", "missing"])]),
        phrase("country is {}", vec![one(&["\"DE\"", "\"a\"", "\"DE\" or unknown", "not \"DE\" or unknown"])]),
        phrase("country is known but not {}", vec![one(&["\"DE\"", "\"a\""])]),
        phrase("country is one of {}", vec![one(&["\"DE\", \"a\"", "\"a\", \"de\""])]),
        phrase("score is {} {}", vec![compared(), one(&["0", "1.5", "2.5"])]),
        phrase("last_order_date is {} {} ago", vec![ago(), length()]),
        phrase("tags include {} \"a\", \"b\"", vec![one(&["any of", "all of"])]),
        phrase(
            "number of {} {} is {} {} number of {}",
            vec![event(), window(), compared(), one(&["50% of", "half of", "twice"]), event(),]
        ),
        phrase("usual gap between orders is {} {}", vec![ago(), one(&["2 hours", "1 day", "3 days"])]),
        phrase("birthday is {}", vec![one(&["before 2026-06-01", "after 2026-05-29", "since 2026-05-29", "today"])]),
    ]
    .boxed()
}

/// A condition, or what is not so, or a few of them together; sometimes any other
/// sentence.
fn member() -> BoxedStrategy<String> {
    prop_oneof![
        12 => condition(),
        2 => phrase("not ({})", vec![condition()]),
        // Rows within a row are of the other kind, else they were the same row.
        2 => phrase("({}) OTHERWISE ({})", vec![condition(), condition()]),
        // As one condition: what it is made of is looked at by itself.
        1 => phrase("not (not ({}))", vec![sentence()]),
    ]
    .boxed()
}

/// A segment: its conditions, of which all must hold or any, and perhaps whom it
/// excludes.
#[derive(Debug, Clone)]
struct Row {
    members: Vec<String>,
    is_all: bool,
    excluded: Option<String>,
}

fn row() -> BoxedStrategy<Row> {
    let excluded = prop_oneof![3 => Just(None), 1 => condition().prop_map(Some)];
    let members = prop_oneof![
        1 => condition().prop_map(|only| vec![only]),
        9 => proptest::collection::vec(member(), 2..4),
    ];
    (members, any::<bool>(), excluded).prop_map(|(members, is_all, excluded)| Row { members, is_all, excluded }).boxed()
}

impl Row {
    fn segment(&self, name: &str) -> String {
        let (word, other) = if self.is_all { (" and ", "or") } else { (" or ", "and") };
        let members = self.members.iter().map(|member| format!("({})", member.replace("OTHERWISE", other)));
        let members: Vec<String> = members.collect();
        let excluded = self.excluded.as_ref().map_or(String::new(), |e| format!(" exclude people who {e}"));
        let who = if members.is_empty() { "everyone".to_owned() } else { format!("people who {}", members.join(word)) };
        format!("segment \"{name}\" include {who}{excluded}")
    }

    /// The row with each of its conditions left out.
    fn without_each(&self) -> Vec<Row> {
        let without = (0..self.members.len()).map(|at| {
            let mut row = self.clone();
            row.members.remove(at);
            row
        });
        let nobody_excluded = self.excluded.iter().map(|_| Row { excluded: None, ..self.clone() });
        without.chain(nobody_excluded).collect()
    }
}

/// How often each warning was compared with who is in.
type Counts = BTreeMap<String, u64>;

/// Every warning of the rows is true of the people.
fn warnings_are_true(profiles: &[String], rows: &[Row], counts: &mut Counts) -> Result<(), TestCaseError> {
    let settings = Settings { zone: Zone::parse("Europe/Berlin"), ..Settings::default() };
    let lines: Vec<String> = profiles.iter().enumerate().map(|(n, p)| format!("{{\"id\": \"{n}\"{p}}}")).collect();
    let mut text: Vec<String> = rows.iter().enumerate().map(|(n, row)| row.segment(&n.to_string())).collect();
    for (n, row) in rows.iter().enumerate() {
        let shorter = row.without_each();
        text.extend(shorter.iter().enumerate().map(|(without, row)| row.segment(&format!("{n} without {without}"))));
        for (at, member) in row.members.iter().enumerate() {
            let row = Row { members: vec![member.clone()], is_all: row.is_all, excluded: None };
            text.push(row.segment(&format!("{n} alone {at}")));
        }
    }
    text.push("list \"texts\" from \"texts.csv\"".to_owned());
    text.push("segment \"everyone\" include everyone".to_owned());
    text.push("define \"lately\" (period) as anything in the past period".to_owned());
    let mut project = Project::from_text(&schema_with_histories(), [("g.seg", text.join("\n").as_str())], settings);
    project.add_list("texts.csv", ["a", "DE", "straße"].map(str::to_owned));
    let program = seg::compile(&project).map_err(|e| TestCaseError::fail(e.to_string()))?;
    let batch = people(&lines.join("\n"), &std::sync::Arc::clone(project.schema()), settings.zone, now());
    let masks = Reference.evaluate(&program, &batch, now());
    let masks: HashMap<&str, Mask> = program.segment_names().zip(masks).collect();
    let everyone = &masks["everyone"];
    // What is said to be contained is, of these people.
    let module = seg::unstable::module(&program);
    let names: Vec<&str> = program.segment_names().collect();
    for (inner, outer) in seg::unstable::plan::passes::contained(module) {
        let (inner, outer) = (names[inner], names[outer]);
        prop_assert!(masks[inner].without(&masks[outer]).count() == 0, "{inner} in {outer}:\n{}", text.join("\n"));
        // Of everybody and nobody that says little.
        let says_much = masks[inner].count() > 0 && masks[outer] != *everyone;
        *counts.entry("contained".to_owned()).or_default() += u64::from(says_much);
    }
    for warning in program.warnings().iter() {
        let quoted: Vec<&str> = warning.message.split('"').skip(1).step_by(2).collect();
        let Some((name, row)) = quoted.first().and_then(|name| Some((*name, rows.get(name.parse::<usize>().ok()?)?)))
        else {
            continue;
        };
        let mask = &masks[name];
        let is_true = match warning.code.number() {
            "W0804" => mask.count() == 0,
            "W0805" => mask == everyone,
            "W0806" => {
                let n = row.without_each().len();
                (0..n).any(|without| masks[format!("{name} without {without}").as_str()] == *mask)
            }
            // Of one condition at least it is true, for whoever has none of the events.
            "W0814" => {
                let events = warning.message.split(" without any ").last().expect("it names events");
                let has = |person: usize| events.split(" or ").any(|event| lines[person].contains(event));
                let is_without = |person: &usize| everyone.get(*person) && !has(*person);
                let holds = |at: usize| {
                    let alone = &masks[format!("{name} alone {at}").as_str()];
                    (0..lines.len()).filter(is_without).all(|person| alone.get(person))
                };
                (0..row.members.len()).any(holds)
            }
            "W0811" => masks.get(quoted[1]) == Some(mask),
            _ => continue,
        };
        prop_assert!(is_true, "{}\n{}", warning.message, row.segment(name));
        *counts.entry(warning.code.number().to_owned()).or_default() += 1;
    }
    Ok(())
}

/// In CI a share of what `SEG_LINTS` asks for in a long run.
#[test]
fn what_warnings_say_is_true() {
    let asked = std::env::var("SEG_LINTS").ok().and_then(|n| n.parse().ok());
    let n_rows = asked.unwrap_or(2_000_u32);
    let counts = RefCell::new(Counts::new());
    let people = proptest::collection::vec(profiles::person(), 150..240);
    let strategy = (people, proptest::collection::vec(row(), 20));
    let outcome = runner((n_rows / 20).max(1), 3, super::asked_seed())
        .run(&strategy, |(profiles, rows)| warnings_are_true(&profiles, &rows, &mut counts.borrow_mut()));
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let counts = counts.into_inner();
    println!("{n_rows} segments, warnings that are true: {counts:?}");
    for code in ["W0804", "W0805", "W0806", "W0814", "contained"] {
        assert!(counts.get(code).is_some_and(|n| *n >= 5), "{code} was hardly met: {counts:?}");
    }
}
