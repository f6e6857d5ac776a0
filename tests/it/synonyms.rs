//! Sentences that mean the same have one meaning, and sentences that nearly do
//! have two: a witness for the front end, which every engine believes.

use seg_data::Zone;
use seg_hir::{Lists, Settings};
use seg_syntax::diag::Severity;
use seg_syntax::source::SourceMap;
use seg_tests::schema_text;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pairs {
    /// Of one meaning.
    same: Vec<[String; 2]>,
    /// Of two, though they look alike.
    different: Vec<[String; 2]>,
}

fn pairs() -> Pairs {
    toml::from_str(include_str!("synonyms.toml")).expect("pairs of sentences")
}

/// What a sentence means, printed: names and places in the text are not part of it.
fn meaning(sentence: &str) -> Result<String, String> {
    let text = match sentence.contains("segment \"") {
        true => sentence.to_owned(),
        false => format!("segment \"case\" include people who {sentence}"),
    };
    let (schema, _) = seg_data::schema::parse(&schema_text("shop"));
    let mut sources = SourceMap::default();
    let parsed = seg_syntax::parse(sources.add("case.seg", text.as_str()), &text);
    let settings = Settings { zone: Some(Zone::UTC), ..Settings::default() };
    let lists = Lists::from([("vip.csv".to_owned(), Ok(std::iter::once("a".to_owned()).collect()))]);
    let checked = seg_hir::check([&parsed], &sources, &schema, settings, &lists);
    let problems: Vec<String> = parsed
        .diagnostics
        .iter()
        .chain(&checked.diagnostics)
        .filter(|d| d.code.severity() == Severity::Error)
        .map(|d| format!("{}: {}", d.code, d.message))
        .collect();
    match problems.is_empty() {
        true => Ok(seg_hir::hir::print(&checked.module, &schema)),
        false => Err(format!("{sentence}\n  {}", problems.join("\n  "))),
    }
}

/// Every pair that is not as it should be, in words.
fn wrong(pairs: &[[String; 2]], is_same: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for [one, other] in pairs {
        match (meaning(one), meaning(other)) {
            (Ok(a), Ok(b)) if (a == b) == is_same => {}
            (Ok(a), Ok(b)) => wrong.push(format!("{one}\n{other}\n{a}{b}")),
            (a, b) => wrong.extend([a.err(), b.err()].into_iter().flatten()),
        }
    }
    wrong
}

#[test]
fn sentences_of_one_meaning_have_one_form() {
    let pairs = pairs().same;
    let wrong = wrong(&pairs, true);
    assert!(wrong.is_empty(), "{} differ or are refused:\n{}", wrong.len(), wrong.join("\n"));
    assert!(pairs.len() >= 60, "only {} pairs", pairs.len());
}

#[test]
fn sentences_of_two_meanings_have_two_forms() {
    let pairs = pairs().different;
    let wrong = wrong(&pairs, false);
    assert!(wrong.is_empty(), "{} do not differ or are refused:\n{}", wrong.len(), wrong.join("\n"));
    assert!(pairs.len() >= 20, "only {} pairs", pairs.len());
}
