//! People who are made up for segments: each block is a test that passes, and says what it is
//! said to.
//!
//! The segments are those of the examples and of the corpus. A block is put beside its project as
//! a file, and the project's tests are run.

use seg::unstable::example::{Examples, examples};
use seg::{Project, Settings, Timestamp, Zone};
use seg_tests::{root, schema_text};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// A project, and the texts that it is made of.
struct Texts {
    schema: String,
    files: Vec<(String, String)>,
    settings: Settings,
    lists: BTreeMap<String, Vec<String>>,
}

impl Texts {
    fn with(&self, more: &[(&str, &str)]) -> Project {
        let files = self.files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let mut project = Project::from_text(&self.schema, files.chain(more.iter().copied()), self.settings);
        self.lists.iter().for_each(|(path, values)| project.add_list(path, values.iter().cloned()));
        project
    }

    /// The segments of a folder, without its tests.
    fn of_folder(folder: &Path) -> Texts {
        let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "seg"))
            .filter(|path| !path.to_string_lossy().ends_with(".test.seg"))
            .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), read(&path)))
            .collect();
        files.sort();
        let settings = Project::load(folder).expect("a project").settings();
        Texts { schema: read(&folder.join("schema.toml")), files, settings, lists: BTreeMap::new() }
    }
}

/// How many were found.
#[derive(Default)]
struct Found {
    segments: usize,
    matching: usize,
    conditions: usize,
    misses: usize,
}

/// Makes up people for a segment, and runs each block beside the project.
fn compare(texts: &Texts, segment: &str, now: Timestamp, found: &mut Found) -> Examples {
    let made = examples(&texts.with(&[]), segment, now).unwrap_or_else(|e| panic!("{segment}: {e}")).expect(segment);
    let misses = made.misses.iter().filter_map(|miss| miss.block.as_deref()).map(|block| (block, " not in "));
    for (block, word) in made.matching.as_deref().map(|block| (block, " in ")).into_iter().chain(misses) {
        let expectation = block.lines().last().expect("a line").trim();
        assert!(expectation.starts_with("expect ") && expectation.contains(word), "{block}");
        let report = seg::test(&texts.with(&[("made-up.seg", block)])).unwrap_or_else(|e| panic!("{block}\n{e}"));
        assert_eq!(report.counts(), (1, 1), "{block}\n{report:#?}");
    }
    found.segments += 1;
    found.matching += usize::from(made.matching.is_some());
    // Without somebody who is in, there is nobody whom one condition keeps out.
    if made.matching.is_some() {
        found.conditions += made.misses.len();
        found.misses += made.misses.iter().filter(|miss| miss.block.is_some()).count();
    } else {
        println!("nobody for {segment}");
    }
    for miss in made.misses.iter().filter(|miss| miss.block.is_none()) {
        println!("{segment}: nobody is kept out by {} alone", miss.condition);
    }
    made
}

#[test]
fn people_are_made_up_for_the_segments_of_the_examples() {
    let mut found = Found::default();
    for (folder, at) in [
        ("d2c-store", "2026-12-01T11:00:00Z"),
        ("webshop", "2024-06-30T00:00:00Z"),
        ("online-retail", "2011-12-10T00:00:00Z"),
        ("cart-recovery", "2026-06-01T12:00:00Z"),
    ] {
        let texts = Texts::of_folder(&root().join("examples").join(folder));
        let program = seg::compile(&texts.with(&[])).expect("no errors");
        for name in program.segment_names() {
            compare(&texts, name, Timestamp::read(at, None).expect("an instant"), &mut found);
        }
    }
    let Found { segments, matching, conditions, misses } = found;
    println!("{matching} of {segments} segments, {misses} of {conditions} conditions");
    assert_eq!(matching, segments);
    assert!(misses * 10 >= conditions * 9, "{misses} of {conditions}");
}

#[derive(Deserialize)]
struct CaseFile {
    #[serde(default = "shop")]
    schema: String,
    now: String,
    zone: Option<String>,
    #[serde(default)]
    lists: BTreeMap<String, Vec<String>>,
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    segment: String,
}

fn shop() -> String {
    "shop".to_owned()
}

/// Of every segment of the corpus with `SEG_EXAMPLES=all`, else of one in twenty.
#[test]
fn people_are_made_up_for_the_segments_of_the_corpus() {
    let apart = if std::env::var("SEG_EXAMPLES").is_ok_and(|all| all == "all") { 1 } else { 20 };
    let mut paths: Vec<_> = std::fs::read_dir(root().join("tests/suite/eval"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .collect();
    paths.sort();
    let mut found = Found::default();
    let mut number = 0;
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a file");
        let file: CaseFile = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let zone = Zone::parse(file.zone.as_deref().unwrap_or("UTC"));
        let settings = Settings { zone, ..Settings::default() };
        for case in &file.case {
            number += 1;
            if number % apart != 0 {
                continue;
            }
            let segments = match case.segment.contains("segment \"") {
                true => case.segment.clone(),
                false => format!("segment \"case\" include people who {}", case.segment),
            };
            let files = vec![("case.seg".to_owned(), segments)];
            let texts = Texts { schema: schema_text(&file.schema), files, settings, lists: file.lists.clone() };
            let Ok(program) = seg::compile(&texts.with(&[])) else { continue };
            let name = program.segment_names().last().expect("a segment").to_owned();
            let before = found.matching;
            compare(&texts, &name, Timestamp::read(&file.now, zone).expect("an instant"), &mut found);
            if found.matching == before {
                println!("  {}", case.segment);
            }
        }
    }
    let Found { segments, matching, conditions, misses } = found;
    println!("{matching} of {segments} segments, {misses} of {conditions} conditions");
    assert!(matching * 10 >= segments * 8, "{matching} of {segments}");
    assert!(misses * 10 >= conditions * 8, "{misses} of {conditions}");
}

/// The least step from a threshold and over the edge of a window.
#[test]
fn who_misses_does_so_by_the_least_step() {
    let texts = Texts {
        schema: "[attributes]\ncountry = \"text\"\n[events.order]\nalso = [\"ordered\"]\n[events.order.properties]\n\
            amount = \"money\"\n[events.complained]\n"
            .to_owned(),
        files: vec![(
            "s.seg".to_owned(),
            "segment \"Good\" include people whose country is \"DE\" and who ordered at least 3 times with amount of \
             at least 20 in the past 90 days exclude people who complained in the past 7 days"
                .to_owned(),
        )],
        settings: Settings { zone: Zone::parse("UTC"), ..Settings::default() },
        lists: BTreeMap::new(),
    };
    let now = Timestamp::read("2026-06-01T12:00:00Z", None).expect("an instant");
    let made = compare(&texts, "Good", now, &mut Found::default());
    let matching = made.matching.expect("somebody");
    assert_eq!(matching.matches("did order").count(), 3, "{matching}");
    assert_eq!(made.misses.len(), 3);
    let block = |nth: usize| made.misses[nth].block.clone().expect("somebody");
    assert!(block(0).contains("country is \"other\""), "{}", block(0));
    // One of the orders is 90 days and a second old.
    assert!(block(1).contains("did order at 2026-03-03T11:59:59Z"), "{}", block(1));
    assert!(block(2).contains("did complained 7 days ago"), "{}", block(2));
    assert!(examples(&texts.with(&[]), "Bad", now).expect("no errors").is_none());
    // A project that has these tests by now has them again.
    let kept: Vec<String> = [matching].into_iter().chain((0..3).map(block)).collect();
    let again = examples(&texts.with(&[("kept.test.seg", &kept.join("\n"))]), "Good", now).expect("no errors");
    assert_eq!(again.expect("a segment").misses, made.misses);
}
