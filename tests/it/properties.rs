//! What holds for every text, whatever it says.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use seg::{Project, Settings};
use seg_syntax::source::SourceId;
use seg_syntax::token::TokenKind;
use seg_tests::fuzz::{Inputs, TARGETS, check, front_end, leaves_cover_tokens, texts};
use seg_tests::schema_text;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// The same texts on every run: what fails here fails everywhere.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Words, symbols and accidents of the language, in any order.
const PIECES: &[&str] = &[
    "segment \"a\"",
    "segment \"b\"",
    "include people who",
    "exclude people whose",
    "include everyone",
    "did",
    "did not do",
    "never",
    "no",
    "not",
    "and",
    "or",
    "but not",
    "(",
    ")",
    ",",
    "any of (",
    "all of (",
    "none of (",
    "Order Completed",
    "ordered",
    "order",
    "country",
    "total_spent",
    "total of quantity times amount over Order Completed",
    "number of orders",
    "last Order Completed",
    "is",
    "is not",
    "is at least",
    "is more than",
    "is between 1 and 2",
    "is one of \"DE\", \"US\"",
    "is known",
    "is missing",
    "or unknown",
    "but not \"DE\"",
    "contains \"x\"",
    "matches \"[a\"",
    "where",
    "where (",
    "had",
    "with category \"x\"",
    "in the past 3 days",
    "in the last week",
    "within 2 hours",
    "more than 90 days ago",
    "between 30 and 45 days ago",
    "30 to 45 days ago",
    "before 2026-01-01",
    "on 2026-02-30",
    "since 2026-01-01 14:00",
    "ever",
    "at least 2 times",
    "twice",
    "exactly 1",
    "2+ times",
    "on at least 5 different days",
    "for the first time",
    "in segment \"a\"",
    "in segment \"zzz\"",
    "plus",
    "minus",
    "times",
    "divided by",
    "5",
    "1_000",
    "1,000",
    "2.5",
    "2FA",
    "500 EUR",
    "10%",
    "\"DE\"",
    "\"open",
    "“DE”",
    "#note",
    "\n",
    "&&",
    "=>",
    ">= 3",
    "greater then 3",
    "ignoring case",
    "true",
    "today",
    "then",
    "their",
    "a",
    "the",
    "\u{1f600}",
    "é",
    "İ",
    "\u{0}",
    "'",
    "-",
    "- 5",
    "99999999999999999999",
    "is at least 9223372036854775808",
    "99999999999 years ago",
    "everyone must",
    "define \"x\"",
    "list \"l\"",
    "\r\n",
    "_",
];

fn sentence() -> impl Strategy<Value = String> {
    let piece = prop_oneof![8 => proptest::sample::select(PIECES).prop_map(str::to_owned), 1 => ".{0,6}"];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.join(" "))
}

fn segment() -> impl Strategy<Value = String> {
    sentence().prop_map(|text| format!("segment \"s\" include people who {text}"))
}

#[test]
fn tokens_lose_nothing() {
    let texts = prop_oneof![
        sentence(),
        any::<String>(),
        any::<Vec<u8>>().prop_map(|b| String::from_utf8_lossy(&b).into_owned())
    ];
    runner(2_000)
        .run(&texts, |text| {
            let parse = seg_syntax::parse(SourceId(0), &text);
            let joined: String = parse.tokens.as_slice().iter().map(|t| &text[t.span.range()]).collect();
            prop_assert_eq!(joined, text);
            Ok(())
        })
        .expect("lossless");
}

#[test]
fn the_grammar_and_the_lexer_agree() {
    let parsed = std::cell::Cell::new(0);
    runner(20_000)
        .run(&segment(), |text| {
            let did_parse = leaves_cover_tokens(&text).map_err(TestCaseError::fail)?;
            parsed.set(parsed.get() + u32::from(did_parse));
            Ok(())
        })
        .expect("agreement");
    assert!(parsed.get() > 200, "only {} of the sentences parsed", parsed.get());
    for case in texts("tests/suite", "seg").into_iter().chain(texts("examples", "seg")) {
        for item in case.split("\nsegment ").skip(1) {
            let text = format!("segment {item}");
            leaves_cover_tokens(text.trim()).expect("agreement");
        }
    }
}

/// The first inputs of every fuzz target; `cargo xtask fuzz` goes on.
#[test]
fn mutated_texts_break_nothing() {
    for target in TARGETS {
        let mut inputs = Inputs::new(target, 1);
        for n in 0..1_500 {
            let input = inputs.next_input();
            let shown = String::from_utf8_lossy(&input);
            check(target, &input).unwrap_or_else(|why| panic!("{} {n}: {why}\n{shown}", target.name));
        }
    }
}

#[test]
fn no_text_makes_the_front_end_panic() {
    let schema = schema_text("shop");
    let texts = prop_oneof![4 => segment(), 1 => sentence(), 1 => any::<String>()];
    runner(3_000)
        .run(&texts, |text| {
            front_end(&schema, &text);
            Ok(())
        })
        .expect("no panic");
}

/// No schema and no settings make reading them panic.
#[test]
fn no_text_makes_the_schema_or_the_settings_panic() {
    let piece = proptest::sample::select(
        &[
            "[attributes]\n",
            "[events.x]\n",
            "[groups.g]\n",
            "x = \"text\"\n",
            "x = 1\n",
            "also = [\"x\"]\n",
            "type = \"money\"\n",
            "events = [\"x\"]\n",
            "retention = \"9999999 years\"\n",
            "currency = \"EUR\"\n",
            "[",
            "\"",
            "\n",
            "properties = { a = \"text\" }\n",
            "\"\" = \"text\"\n",
            "timezone = \"UTC\"\n",
            "at = \"2026-01-01\"\n",
            "name = \"x\"\n",
        ][..],
    );
    let texts = proptest::collection::vec(piece, 0..12).prop_map(|p| p.concat());
    runner(2_000)
        .run(&prop_oneof![texts, any::<String>()], |text| {
            front_end(&text, "segment \"a\" include everyone");
            let _ = seg_io::manifest::parse(&text);
            Ok(())
        })
        .expect("no panic");
}

/// Every construct that opens a bracket, at the nesting limit: closed, closed
/// with an error innermost, and never closed. Without left factoring each level
/// would double the time, and this would not end.
#[test]
fn nesting_costs_linear_time() {
    let shapes = [
        "(",
        "not (",
        "did Order Completed where (",
        "any of (",
        "none of (country is \"x\", ",
        "total_spent is at least (",
        "total_spent is between (",
        "total_spent plus (",
        "total of (",
        "last Order Completed had (",
        "at least 2 any of (",
        "country is one of (",
        "total of amount over any of (",
        "did any of (",
        "with category of at least (",
        "number of (",
        "country (is (",
        "email (contains \"x\" or is (",
        "did Order Completed where any of lines has (",
        "did Order Completed where no lines have (",
        "did Order Completed then Product Viewed where (",
        "did Order Completed followed by Product Viewed where (",
        "total_spent is at least half of (",
        "\"bought in\" (",
        "at least 2 of (country is \"x\", ",
        "in the past 3 days (",
    ];
    for shape in shapes {
        for depth in [8, 63, 64, 65] {
            for (inner, close) in
                [("total_spent is 3", true), ("total_spent is 3 3", true), ("total_spent is 3", false)]
            {
                let end = if close { ")".repeat(depth) } else { String::new() };
                let text = format!("segment \"x\" include people who {}{inner}{end}", shape.repeat(depth));
                let start = Instant::now();
                seg_syntax::parse(SourceId(0), &text);
                let took = start.elapsed();
                // Milliseconds where it is linear, longer than a life where not.
                assert!(took < Duration::from_secs(5), "{shape} nested {depth} deep took {took:?}");
            }
        }
    }
}

/// Hostile texts four times as long may not take far more than four times as
/// long.
#[test]
fn time_grows_with_the_length_of_the_text() {
    let people = "segment \"x\" include people who ";
    let unit = move |n: usize, piece: &str| format!("{people}{}", piece.repeat(n));
    type Shape = (&'static str, Box<dyn Fn(usize) -> String>);
    let shapes: Vec<Shape> = vec![
        ("and", Box::new(move |n| unit(n, "country is known and "))),
        ("mixed", Box::new(move |n| unit(n, "a1 and x or "))),
        ("plus", Box::new(move |n| unit(n, "total_spent plus "))),
        ("words", Box::new(move |n| unit(n, "word "))),
        ("total of", Box::new(move |n| unit(n, "total of "))),
        ("list", Box::new(move |n| format!("{people}country is one of {}\"z\"", "\"a\", ".repeat(n)))),
        ("quotes", Box::new(|n| "\"".repeat(n * 8))),
        ("openers", Box::new(|n| "everyone\n".repeat(n * 2))),
        ("items", Box::new(move |n| format!("{people}(((\n").repeat(n / 8))),
        (
            "unknown",
            Box::new(move |n| format!("{people}{}", (0..n).map(|i| format!("x{i} and ")).collect::<String>() + "x")),
        ),
        ("brackets", Box::new(move |n| unit(n * 8, "("))),
    ];
    let schema = schema_text("shop");
    for (name, shape) in shapes {
        let time = |n: usize| {
            let text = shape(n);
            let runs = (0..3).map(|_| {
                let start = Instant::now();
                front_end(&schema, &text);
                start.elapsed()
            });
            runs.min().unwrap_or_default()
        };
        let (small, large) = (time(1_000), time(4_000));
        let allowed = small * 10 + Duration::from_millis(100);
        assert!(large < allowed, "{name}: {small:?}, then {large:?} for four times the text");
    }
}

/// A chain of references as long as a project may be, and a circle of them.
#[test]
fn long_chains_and_circles_of_references_are_walked_without_recursion() {
    let mut text = String::from("segment \"0\" include everyone\n");
    for n in 1..20_000 {
        writeln!(text, "segment \"{n}\" include people in segment \"{}\"", n - 1).expect("a string");
    }
    let compile = |text: &str| seg::compile(&Project::from_text("", [("x.seg", text)], Settings::default()));
    assert_eq!(compile(&text).expect("no errors").segment_names().count(), 20_000);
    let circle = text.replacen("include everyone", "include people in segment \"19999\"", 1);
    let problems = compile(&circle).expect_err("a circle");
    assert_eq!(problems.len(), 1);
    assert!(problems.to_string().contains("… 19988 more …"), "{problems}");
}

#[test]
fn kinds_that_no_rule_knows_are_reported() {
    let parse = seg_syntax::parse(SourceId(0), "segment \"a\" include people whose € is 3");
    let unknown = parse.tokens.as_slice().iter().filter(|t| t.kind == TokenKind::Unknown).count();
    assert_eq!((unknown, parse.diagnostics.len()), (1, 1));
}
