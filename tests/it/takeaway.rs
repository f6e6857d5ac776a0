//! Whatever is accepted says something.
//!
//! All engines share the HIR, so a phrase that lowering loses is lost on each of
//! them alike and no comparison of engines can see it. Here every phrase is taken
//! away from every sentence of the repository: the meaning changes, or what is left
//! is refused, or the phrase states what holds without it. The same is asked of texts
//! that are made up, in every spelling there is.

use crate::texts::{Made, Productions, Random};
use seg_data::Zone;
use seg_hir::Lists;
use seg_syntax::ast::{Condition, Item, ModifierKind};
use seg_syntax::parse;
use seg_syntax::source::{SourceMap, Span};
use seg_tests::docs::blocks;
use seg_tests::{FrontEnd, root, schema_text};
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// What holds where nothing is said.
const DEFAULTS: &[&str] = &[
    "ever",
    "at least 1",
    "at least 1 time",
    "at least 1 times",
    "at least one times",
    "at least once",
    "at least once a week",
    // That something happened, which an event's name alone says as well.
    "did",
    "does",
    "done",
    "performed",
    "even while they run",
];

/// A text with all that its meaning depends on.
struct Source {
    schema: String,
    zone: Option<Zone>,
    lists: Lists,
    text: String,
}

/// A source, read as far as all its variants share it.
struct Reader {
    front_end: FrontEnd,
    zone: Option<Zone>,
}

impl Reader {
    fn new(source: &Source) -> Reader {
        Reader { front_end: FrontEnd::new(&source.schema, source.zone, source.lists.clone()), zone: source.zone }
    }

    /// What a text means, printed; nothing where it is refused.
    fn meaning(&self, text: &str) -> Option<String> {
        self.front_end.meaning(text)
    }

    /// The phrases of a text that can be taken away and leave the same meaning,
    /// with how many were tried.
    fn idle(&self, text: &str) -> (Vec<String>, usize) {
        self.idle_from(text, 0).unwrap_or_default()
    }

    /// The same of the phrases from a position on; nothing where a text is refused.
    fn idle_from(&self, text: &str, start: usize) -> Option<(Vec<String>, usize)> {
        let meaning = self.meaning(text)?;
        let (mut idle, mut n) = (Vec::new(), 0);
        for phrase in self.phrases(text, &meaning).into_iter().filter(|phrase| phrase.range().start >= start) {
            let words = text[phrase.range()].split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
            let own_zone = self.zone.map(|zone| format!("in {} time", zone.name().to_lowercase()));
            // The zone of the segment, said once more.
            let is_zone = words.starts_with("in ") && words.ends_with(" time");
            let is_again = is_zone && text.to_lowercase().matches(words.as_str()).count() > 1;
            if DEFAULTS.contains(&words.as_str()) || own_zone.as_ref() == Some(&words) || is_again {
                continue;
            }
            // An event that is named again carries over where it is not.
            let before = text[..phrase.range().start].trim_end().to_lowercase();
            let is_joined = ["and", "but", "or"].iter().any(|word| before.ends_with(&format!(" {word}")));
            if is_joined && before.contains(&words) {
                continue;
            }
            n += 1;
            if self.meaning(&without(text, phrase)).is_some_and(|left| left == meaning) {
                idle.push(format!("`{words}` in\n{}", text.trim()));
            }
        }
        Some((idle, n))
    }

    /// The phrases of the items that the meaning of a text depends on.
    fn phrases(&self, text: &str, meaning: &str) -> Vec<Span> {
        let parsed = parse(SourceMap::default().add("case.seg", text), text);
        let mut phrases = Vec::new();
        for item in &parsed.file.items {
            let (span, is_segment) = match item {
                Item::Segment(segment) => (segment.span, true),
                Item::Definition(definition) => (definition.span, false),
                Item::Rule(rule) => (rule.span, false),
                Item::List(_) | Item::Precedence(_) | Item::Test(_) | Item::Error { .. } => continue,
            };
            // What nobody uses means nothing.
            if !is_segment && self.meaning(&without(text, span)).is_some_and(|left| left == meaning) {
                continue;
            }
            for expr in item.expressions() {
                expr.each_condition(&mut |condition| {
                    condition.each_phrase(&mut |phrase| phrases.push(phrase));
                    negatives(condition, &mut phrases);
                });
            }
        }
        phrases.sort_unstable_by_key(|span| (span.start, span.end));
        phrases.dedup();
        phrases
    }
}

/// The negatives inside comparisons, which are no phrases of their own.
fn negatives(condition: &Condition, out: &mut Vec<Span>) {
    for modifier in &condition.modifiers {
        if let ModifierKind::Comparison(comparison) = &modifier.kind {
            out.extend(comparison.not);
        }
    }
}

/// A text without a phrase, and without the comma before it.
fn without(text: &str, phrase: Span) -> String {
    let before = text[..phrase.range().start].trim_end();
    let before = before.strip_suffix(',').unwrap_or(before);
    format!("{before} {}", &text[phrase.range().end..])
}

/// What the harness of the corpus reads of its cases.
#[derive(Deserialize)]
struct CaseFile {
    schema: Option<String>,
    zone: Option<String>,
    #[serde(default)]
    lists: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    segment: String,
}

fn zone(name: Option<&str>) -> Option<Zone> {
    let name = name.unwrap_or("UTC");
    (name != "none").then(|| Zone::parse(name).expect("a zone"))
}

/// A sentence as the one segment of a file.
fn segment(sentence: &str) -> String {
    match sentence.contains("segment \"") {
        true => sentence.to_owned(),
        false => format!("segment \"case\" include people who {sentence}"),
    }
}

fn gather(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => gather(&path, files),
            false => files.push(path),
        }
    }
}

/// Every text of the repository that Seg reads.
fn sources() -> Vec<Source> {
    let mut files = vec![root().join("README.md")];
    for dir in ["tests/suite", "examples", "docs"] {
        gather(&root().join(dir), &mut files);
    }
    files.sort();
    files.iter().flat_map(|path| of_file(path)).collect()
}

fn of_file(path: &Path) -> Vec<Source> {
    let ending = path.extension().map_or("", |e| e.to_str().unwrap_or(""));
    if !matches!(ending, "seg" | "toml" | "md") || path.components().any(|c| c.as_os_str() == "schema") {
        return Vec::new();
    }
    let text = std::fs::read_to_string(path).expect("a text");
    let source = |schema: &str, zone, lists, text| Source { schema: schema_text(schema), zone, lists, text };
    match ending {
        "seg" => {
            let header = |key: &str| {
                text.lines()
                    .take_while(|l| l.starts_with("#!"))
                    .find_map(|l| l.trim_start_matches("#!").trim().strip_prefix(key)?.trim().strip_prefix(':'))
                    .map(str::trim)
            };
            let schema = match path.strip_prefix(root().join("examples")) {
                Ok(inside) => inside.iter().next().and_then(|dir| dir.to_str()).expect("an example").to_owned(),
                Err(_) => header("schema").unwrap_or("shop").to_owned(),
            };
            vec![source(&schema, zone(header("zone")), Lists::new(), text.clone())]
        }
        "md" => blocks(&text)
            .into_iter()
            .filter(|block| block.info.split_whitespace().next() == Some("seg"))
            .map(|block| {
                let option = |key: &str| block.info.split_whitespace().find_map(|w| w.strip_prefix(key));
                let zone = zone(option("zone="));
                source(option("schema=").unwrap_or("shop"), zone, Lists::new(), block.text.clone())
            })
            .collect(),
        _ => {
            let Ok(file) = toml::from_str::<CaseFile>(&text) else { return Vec::new() };
            let lists = |file: &CaseFile| {
                file.lists.iter().map(|(path, values)| (path.clone(), Ok(values.iter().cloned().collect()))).collect()
            };
            let schema = file.schema.as_deref().unwrap_or("shop");
            let zone = zone(file.zone.as_deref());
            file.case.iter().map(|case| source(schema, zone, lists(&file), segment(&case.segment))).collect()
        }
    }
}

/// Each segment of a text alone, where it can stand alone; else the whole text.
fn parts(reader: &Reader, text: &str) -> Vec<String> {
    let parsed = parse(SourceMap::default().add("case.seg", text), text);
    let (mut alone, mut is_whole) = (Vec::new(), false);
    for item in &parsed.file.items {
        let Item::Segment(segment) = item else { continue };
        let one = text[segment.span.range()].to_owned();
        match reader.meaning(&one) {
            Some(_) => alone.push(one),
            None => is_whole = true,
        }
    }
    if is_whole || parsed.file.items.iter().any(|item| matches!(item, Item::Rule(_))) {
        alone.push(text.to_owned());
    }
    alone
}

#[test]
fn every_phrase_of_the_corpus_says_something() {
    let (mut idle, mut n, mut seen) = (Vec::new(), 0, HashSet::new());
    for source in sources() {
        let reader = Reader::new(&source);
        for part in parts(&reader, &source.text) {
            if seen.insert((source.schema.clone(), part.clone())) {
                let (found, tried) = reader.idle(&part);
                idle.extend(found);
                n += tried;
            }
        }
    }
    assert!(idle.is_empty(), "{} phrases say nothing:\n{}", idle.len(), idle.join("\n\n"));
    assert!(n > 1_500, "only {n} phrases were taken away");
}

/// What can be said of events, of values and of both, two at a time and in either
/// order; most of these are refused.
#[test]
fn every_phrase_beside_another_says_something() {
    const SUBJECTS: &[&str] = &[
        "did Order Completed",
        "did not do Order Completed",
        "no any of (Order Completed, Signed In)",
        "at least 3 Order Completed",
        "Order Completed then Signed In",
        "Order Completed not followed by Signed In within 2 hours",
        "their last Order Completed",
        "their last 3 Order Completed",
        "number of Order Completed",
        "total amount of Order Completed",
        "most frequent category of Order Completed",
        "usual gap between Order Completed",
        "time since their last Order Completed",
        "country",
        "tags",
        "birthday",
        "anniversary of birthday",
        "last_order_date",
        "home",
        "region",
    ];
    const MODIFIERS: &[&str] = &[
        "where amount is more than 5",
        "where category is \"a\" ignoring case",
        "where any of lines has (quantity is at least 2)",
        "had category \"shoes\"",
        "in the past 30 days",
        "more than 90 days ago",
        "last month",
        "on 2026-01-01",
        "since last_order_date",
        "within 7 days after first_order_date",
        "not within the past 2 hours",
        "on a weekend",
        "not between 18:00 and 23:00",
        "at least 2 times",
        "exactly 3 times a week",
        "only twice",
        "not once",
        "on at least 2 different days",
        "in each of the past 4 weeks",
        "in at least 3 of the past 4 calendar weeks",
        "within any 48 hours",
        "for the first time",
        "then Product Viewed",
        "followed by Product Viewed",
        "all within 5 days",
        "each within 1 day",
        "within 3 hours",
        "all in the past 7 days",
        "with the same event_id",
        "and the 2 hours are over",
        "even while they run",
        "in Europe/Paris time",
        "is known",
        "is missing",
        "is known but not \"DE\"",
        "is \"DE\"",
        "is not \"DE\"",
        "is in list \"staff\"",
        "is one of \"a\", \"b\"",
        "include any of \"a\", \"b\"",
        "contains \"x\"",
        "is at least 5",
        "is between 2 and 9",
        "is at least 2 days",
        "is today",
        "is not within the next 7 days",
        "is within the past 7 days",
        "is within 25 km of (51.5, 0.1)",
        "ignoring case",
        "or unknown",
    ];
    let mut values = HashSet::new();
    values.insert("x".to_owned());
    let lists = Lists::from([("staff.csv".to_owned(), Ok(values))]);
    let source = Source { schema: schema_text("shop"), zone: Some(Zone::UTC), lists, text: String::new() };
    let reader = Reader::new(&source);
    let (mut idle, mut n) = (Vec::new(), 0);
    for subject in SUBJECTS {
        for first in MODIFIERS {
            for second in std::iter::once(&"").chain(MODIFIERS) {
                let text = format!(
                    "list \"staff\" from \"staff.csv\"\nsegment \"s\" include people whose {subject} {first} {second}"
                );
                let (found, tried) = reader.idle(&text);
                idle.extend(found);
                n += tried;
            }
        }
    }
    assert!(idle.is_empty(), "{} phrases say nothing:\n{}", idle.len(), idle.join("\n\n"));
    assert!(n > 2_000, "only {n} phrases were taken away");
}

/// What is refused because a phrase is left over says what to write instead, and
/// that is accepted.
#[test]
fn what_is_to_be_written_instead_is_accepted() {
    let path = root().join("tests/suite/diagnostics/structure/left_over.seg");
    let text = std::fs::read_to_string(&path).expect("a text");
    let source = Source { schema: schema_text("shop"), zone: Some(Zone::UTC), lists: Lists::new(), text };
    let reader = Reader::new(&source);
    let errors = reader.front_end.errors(&source.text);
    let define = source.text.split("\ndefine ").nth(1).expect("a definition");
    let (mut refused, mut n) = (Vec::new(), 0);
    for help in errors.iter().flat_map(|d| &d.helps) {
        let Some(sentence) = help.split_once(": `").and_then(|(_, rest)| rest.strip_suffix('`')) else { continue };
        n += 1;
        if reader.meaning(&format!("define {define}\n{}", segment(sentence))).is_none() {
            refused.push(help.clone());
        }
    }
    assert!(refused.is_empty(), "refused all the same:\n{}", refused.join("\n"));
    assert!(n > 30, "only {n} sentences were found");
}

/// What texts refer to, by the words that refer to it.
const DECLARED: &[(&str, &str)] = &[
    ("\"staff\"", "list \"staff\" from \"staff.csv\""),
    ("\"VIP\"", "segment \"VIP\" include people whose total_spent is more than 500"),
    ("\"New\"", "segment \"New\" include people whose total_orders is 0"),
    ("\"bought in\"", "define \"bought in\" (period) as Order Completed in the past period"),
    ("\"big\"", "define \"big\" (least) as did Order Completed where amount is at least least"),
    ("\"engaged\"", "define \"engaged\" as did Email Engaged in the past 30 days"),
];

/// A text with what it refers to before it, and where it begins.
fn declared(text: &str) -> (String, usize) {
    let mut whole = String::new();
    for (words, declaration) in DECLARED.iter().filter(|(words, _)| text.contains(words)) {
        debug_assert!(declaration.contains(words));
        whole += declaration;
        whole.push('\n');
    }
    let start = whole.len();
    (whole + text, start)
}

/// A reader of the shop, with the list that texts name.
fn shop() -> Source {
    let lists = Lists::from([("staff.csv".to_owned(), Ok(HashSet::from(["x".to_owned()])))]);
    Source { schema: schema_text("shop"), zone: Some(Zone::UTC), lists, text: String::new() }
}

/// How many texts are made: in CI a share of what a long run makes.
fn n_texts() -> usize {
    std::env::var("SEG_TEXTS").ok().and_then(|n| n.parse().ok()).unwrap_or(18_000)
}

fn seed() -> u64 {
    std::env::var("SEG_TEXTS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_127)
}

/// What a stretch of made-up texts shows.
#[derive(Default)]
struct Found {
    idle: Vec<String>,
    n_accepted: usize,
    n_phrases: usize,
    /// The alternatives of what was accepted.
    of: HashSet<(String, usize)>,
    words: HashSet<String>,
}

fn look(productions: &Productions, seed: u64, n: usize) -> Found {
    let source = shop();
    let (reader, mut random, mut found) = (Reader::new(&source), Random::new(seed), Found::default());
    for _ in 0..n {
        let Made { text, of } = productions.make("file", &mut random);
        let (whole, start) = declared(&text);
        let Some((idle, tried)) = reader.idle_from(&whole, start) else { continue };
        found.idle.extend(idle);
        found.n_accepted += 1;
        found.n_phrases += tried;
        found.of.extend(of);
        let words = whole.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
        found.words.extend(words.map(str::to_lowercase));
    }
    found
}

#[test]
fn every_phrase_of_texts_that_are_made_up_says_something() {
    let productions = Productions::read();
    let (n, seed) = (n_texts(), seed());
    let halves = std::thread::scope(|scope| {
        let other = scope.spawn(|| look(&productions, seed ^ 1 << 40, n / 2));
        [look(&productions, seed, n - n / 2), other.join().expect("no panic")]
    });
    let mut found = Found::default();
    for half in halves {
        found.idle.extend(half.idle);
        found.n_accepted += half.n_accepted;
        found.n_phrases += half.n_phrases;
        found.of.extend(half.of);
        found.words.extend(half.words);
    }
    println!("{n} texts from the seed {seed}: {} accepted, {} phrases taken away", found.n_accepted, found.n_phrases);
    assert!(found.idle.is_empty(), "{} phrases say nothing:\n{}", found.idle.len(), found.idle.join("\n\n"));
    let dead: Vec<_> = productions.alternatives().filter(|one| !found.of.contains(one)).collect();
    assert!(dead.is_empty(), "never accepted: {dead:?}");
    // Words that end a name, so that their sentences are refused well.
    const ONLY_REFUSED: [&str; 2] = ["every", "unless"];
    let is_said = |word: &String| found.words.contains(word) || ONLY_REFUSED.contains(&word.as_str());
    let missing: Vec<String> = grammar_words().filter(|word| !is_said(word)).collect();
    assert!(missing.is_empty(), "words of the grammar that no accepted text has: {missing:?}");
}

/// Every word that the grammar spells out.
fn grammar_words() -> impl Iterator<Item = String> {
    let grammar = std::fs::read_to_string(root().join("grammar/seg.pest")).expect("the grammar");
    let words: std::collections::BTreeSet<String> = grammar
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| {
            line.split("^\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect::<Vec<_>>()
        })
        .filter(|word| word.chars().all(|c| c.is_ascii_alphabetic()) && word.len() > 1)
        .collect();
    words.into_iter()
}
