//! Engines against each other, on generated sentences and nasty people.
//!
//! Every generated sentence is well typed. A disagreement is shrunk and shown as
//! the sentence, the people it fails on and the engine that differs.
//! `SEG_DIFFERENTIAL_CASES` asks for more cases than a test run has time for.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::BoxedStrategy;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use seg::{Batch, Instant, Project, Settings, Zone};
use seg_tests::{Reference, TestEngine, engines, people, schema_text};
use std::sync::Arc;

/// One of some texts.
fn one(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    select(texts).prop_map(str::to_owned).boxed()
}

/// Parts put together: `{}` in the pattern stands for each in turn.
fn put(pattern: &'static str, parts: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    parts
        .prop_map(move |parts| {
            let mut pieces = pattern.split("{}");
            let first = pieces.next().unwrap_or("").to_owned();
            parts.iter().zip(pieces).fold(first, |text, (part, piece)| text + part + piece)
        })
        .boxed()
}

fn length() -> BoxedStrategy<String> {
    one(&["1 second", "2 hours", "1 day", "3 days", "a week", "30 days", "1 month", "2 years"])
}

/// Windows in which events may lie.
fn window() -> BoxedStrategy<String> {
    prop_oneof![
        put("in the past {}", vec![length()]),
        put("more than {} ago", vec![length()]),
        put("at least {} ago", vec![length()]),
        put("less than {} ago", vec![length()]),
        put("at most {} ago", vec![length()]),
        one(&["between 1 and 3 days ago", "3 days to 2 hours ago", "0 to 30 days ago", "ever"]),
        put(
            "{} {}",
            vec![one(&["before", "after", "since", "until", "on"]), one(&["2026-06-01", "2026-05-31", "2026-03-29"])]
        ),
        one(&["between 2026-05-29 and 2026-06-01", "since 2026-05-31 02:30", "before 2026-06-01T12:00:00Z"]),
    ]
    .boxed()
}

fn bound() -> BoxedStrategy<String> {
    one(&["at least", "at most", "more than", "less than", "exactly"])
}

/// Comparisons of the person's attributes.
fn attribute() -> BoxedStrategy<String> {
    let number = || one(&["0", "1", "2.5", "-3", "9007199254740993", "1_000"]);
    let text = || one(&["\"DE\"", "\"de\"", "\"ẞ\"", "\"\"", "\"straße\""]);
    let missing = || one(&["", " or unknown"]);
    prop_oneof![
        put("country is {}{}", vec![text(), missing()]),
        put("country is not {} or unknown", vec![text()]),
        put("country is known but not one of {}, {}", vec![text(), text()]),
        put("region is not {}", vec![text()]),
        put("city {} {}{}", vec![one(&["contains", "starts with", "ends with"]), text(), one(&["", " ignoring case"])]),
        put("city matches {}{}", vec![one(&["\"^[a-c]\"", "\"\\d+\"", "\"S\\w\""]), one(&["", " ignoring case"])]),
        put(
            "{} is {}",
            vec![
                one(&["country", "total_spent", "score", "tags", "birthday", "last_order_date"]),
                one(&["known", "missing"])
            ]
        ),
        put("{} is {} {}", vec![one(&["total_orders", "score"]), bound(), number()]),
        put("total_spent is {} {}", vec![bound(), one(&["0", "0.0001", "500 EUR", "-3"])]),
        put("score is {} total_orders", vec![bound()]),
        put(
            "total_orders {} orders_last_year is {} {}",
            vec![one(&["plus", "minus", "times", "divided by"]), bound(), number()]
        ),
        put(
            "total_spent {} {} is {} 100",
            vec![one(&["times", "divided by"]), one(&["3", "1.5", "total_orders", "score", "0"]), bound()]
        ),
        put("total_spent plus 0.5 is {} total_orders", vec![bound()]),
        put("tags include {} \"a\", \"b\"", vec![one(&["any of", "all of"])]),
        put("number of tags is {} 1", vec![bound()]),
        put("sms_consent is {}", vec![one(&["true", "false"])]),
        put(
            "birthday is {}",
            vec![one(&[
                "3 days ago",
                "within the past 30 days",
                "within the next 7 days",
                "more than 1 month ago",
                "on 2026-05-29"
            ])]
        ),
        put(
            "last_order_date is {}",
            vec![
                prop_oneof![
                    window().prop_filter("an attribute is no event", |w| w != "ever"),
                    one(&["within the next 7 days"])
                ]
                .boxed()
            ]
        ),
        put("last_order_date is {} first_order_date", vec![one(&["before", "after"])]),
        put("{} is {} 1 day ago", vec![one(&["first seen", "last seen"]), one(&["more than", "at most"])]),
    ]
    .boxed()
}

/// Conditions on an order's properties.
fn filter() -> BoxedStrategy<String> {
    let simple = prop_oneof![
        put("amount is {} {}", vec![bound(), one(&["10", "0.0001", "total_spent"])]),
        put("quantity is {} {}", vec![bound(), one(&["1", "total_orders"])]),
        put("weight is {} 1.5 or unknown", vec![bound()]),
        put("category is {}", vec![one(&["\"a\"", "country", "their city"])]),
        put("status is not {}", vec![one(&["\"paid\"", "\"cancelled\"", "their region"])]),
        put("shipped_on is {}", vec![one(&["missing", "within the past 3 days"])]),
        put("quantity times amount is {} 10", vec![bound()]),
    ]
    .boxed();
    prop_oneof![
        simple.clone(),
        put("({} {} {})", vec![simple.clone(), one(&["and", "or"]), simple.clone()]),
        put("(not ({}))", vec![simple]),
    ]
    .boxed()
}

fn events() -> BoxedStrategy<String> {
    one(&[
        "Order Completed",
        "Email Opened",
        "Email Engaged",
        "any of (Order Completed, \"No Show\")",
        "anything",
        "Signed In",
    ])
}

/// Conditions about what people did.
fn event() -> BoxedStrategy<String> {
    let count =
        || one(&["at least 2 times", "twice", "at most once", "exactly 3 times", "1 to 2 times", "fewer than 2 times"]);
    let end = || one(&["first", "last"]);
    let few = || one(&["last 2", "first 2", "last 3"]);
    prop_oneof![
        put("{} {} {}", vec![one(&["did", "did not do", "never did"]), events(), window()]),
        put("did {} {} {}", vec![events(), count(), window()]),
        put("did Order Completed where {} {}", vec![filter(), window()]),
        put("did Order Completed where {} {} {}", vec![filter(), count(), window()]),
        put("did {} on {} {} different days {}", vec![events(), bound(), one(&["1", "2"]), window()]),
        put("did {} in at least 2 different {} {}", vec![events(), one(&["weeks", "months"]), window()]),
        put("did {} for the first time {}", vec![events(), window()]),
        put("{} Order Completed was {}", vec![end(), window().prop_filter("a time", |w| w != "ever").boxed()]),
        put(
            "{} Order Completed {} had {}",
            vec![end(), window(), filter().prop_map(|f| if f.starts_with('(') { f } else { format!("({f})") }).boxed()]
        ),
        put("all of their {} orders had ({})", vec![few(), filter()]),
        put(
            "{} of Order Completed {} is {} 10",
            vec![
                one(&[
                    "total amount",
                    "average amount",
                    "smallest amount",
                    "largest amount",
                    "total quantity",
                    "average quantity"
                ]),
                window(),
                bound()
            ]
        ),
        put(
            "{} weight of any of (Order Completed) where {} is {} 1.5",
            vec![one(&["total", "average", "smallest", "largest"]), filter(), bound()]
        ),
        put("total of quantity times amount over orders {} is {} 50", vec![window(), bound()]),
        put(
            "number of different {} of orders {} is {} 2",
            vec![one(&["category", "amount", "weight", "shipped_on", "gift"]), window(), bound()]
        ),
        put("number of {} {} is {} 2", vec![events(), window(), bound()]),
        put("number of orders is {} total_orders", vec![bound()]),
    ]
    .boxed()
}

fn sentence() -> BoxedStrategy<String> {
    let leaf = prop_oneof![1 => attribute(), 2 => event()].boxed();
    leaf.prop_recursive(3, 12, 3, |inner| {
        let inner = inner.boxed();
        let list = proptest::collection::vec(inner.clone(), 1..4).prop_map(|m| m.join(", ")).boxed();
        prop_oneof![
            put("not ({})", vec![inner.clone()]),
            put("({}) and ({})", vec![inner.clone(), inner.clone()]),
            put("({}) or ({})", vec![inner.clone(), inner]),
            put("{} of ({})", vec![one(&["all", "any", "none"]), list]),
        ]
        .boxed()
    })
    .boxed()
}

/// People with gaps, ties, edges of windows and extreme numbers.
fn person() -> BoxedStrategy<String> {
    const TIMES: &[&str] = &[
        "\"now\"",
        "\"1 second ago\"",
        "\"2 hours ago\"",
        "\"1 day ago\"",
        "\"1 day ago + 1 us\"",
        "\"1 day ago - 1 us\"",
        "\"3 days ago\"",
        "\"3 days ago + 1 us\"",
        "\"7 days ago - 1 us\"",
        "\"30 days ago\"",
        "\"2026-05-01T12:00:00Z\"",
        "\"2026-03-29T00:30:00Z\"",
        "\"2026-05-31T22:00:00Z\"",
        "\"2026-05-31T21:59:59.999999Z\"",
        "\"2024-06-01T12:00:00Z\"",
        "\"2026-06-02T00:00:00Z\"",
    ];
    let field = |name: &'static str, values: &'static [&'static str]| {
        prop_oneof![1 => Just(String::new()), 2 => select(values).prop_map(move |v| format!(", \"{name}\": {v}"))]
            .boxed()
    };
    let money = &["0", "10", "\"0.0001\"", "-3", "\"922337203685477.5807\"", "500"];
    let integer = &["0", "1", "2", "-3", "9223372036854775807", "9007199254740993"];
    let number = &["0", "-0.0", "1.5", "1e308", "2.5", "9007199254740992"];
    let text = &["\"DE\"", "\"de\"", "\"a\"", "\"straße\"", "\"STRASSE ẞ\"", "\"a 12\""];
    let dates = &["\"2026-05-29\"", "\"2026-06-01\"", "\"2026-05-02\"", "\"2026-06-08\"", "\"2026-05-01\""];
    let event = (
        select(&["Order Completed", "Email Opened", "Email Clicked", "No Show", "Signed In"][..]),
        select(TIMES),
        vec![
            field("amount", money),
            field("quantity", integer),
            field("weight", number),
            field("category", text),
            field("gift", &["true", "false"]),
            field("shipped_on", dates),
            field("event_id", &["\"x\"", "\"y\"", "\"z\""]),
            field("status", &["\"paid\"", "\"cancelled\""]),
        ],
    )
        .prop_map(|(name, time, fields)| {
            let fields = if name == "Order Completed" { fields.concat() } else { String::new() };
            format!("{{\"event\": \"{name}\", \"time\": {time}{fields}}}")
        });
    let attributes = vec![
        field("country", text),
        field("region", text),
        field("city", text),
        field("total_spent", money),
        field("total_orders", integer),
        field("orders_last_year", integer),
        field("score", number),
        field("sms_consent", &["true", "false"]),
        field("tags", &["[]", "[\"a\"]", "[\"b\", \"a\", null]"]),
        field("birthday", dates),
        field("last_order_date", TIMES),
        field("first_order_date", TIMES),
    ];
    (attributes, proptest::collection::vec(event, 0..7))
        .prop_map(|(fields, events)| format!("{}, \"events\": [{}]", fields.concat(), events.join(", ")))
        .boxed()
}

#[test]
fn engines_agree_on_generated_sentences() {
    let schema = schema_text("shop");
    let settings = Settings { zone: Zone::parse("Europe/Berlin"), ..Settings::default() };
    let now = Instant::parse("2026-06-01T12:00:00Z", None).expect("an instant");
    let asked = std::env::var("SEG_DIFFERENTIAL_CASES").ok().and_then(|n| n.parse().ok());
    let n_batches = asked.unwrap_or(4_000) / 40;
    let mut decisions = [0_u64; 2];
    let config =
        Config { cases: n_batches.max(1), failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let crowd = proptest::collection::vec(person(), 1..24);
    let sentences = proptest::collection::vec(sentence(), 40);
    let counted = std::cell::RefCell::new(&mut decisions);
    let outcome = runner.run(&(crowd, sentences), |(crowd, sentences)| {
        let lines: Vec<String> = crowd.iter().enumerate().map(|(n, p)| format!("{{\"id\": \"{n}\"{p}}}")).collect();
        let text: Vec<String> = sentences
            .iter()
            .enumerate()
            .map(|(n, s)| format!("segment \"{n}\" include people who {s}"))
            .chain(["segment \"refers\" include people who are in segment \"0\" and not in segment \"1\"".to_owned()])
            .collect();
        let project = Project::from_text(&schema, [("g.seg", text.join("\n").as_str())], settings);
        let program = seg::compile(&project).map_err(|e| TestCaseError::fail(e.to_string()))?;
        seg::plan::verify(program.plan()).map_err(|f| TestCaseError::fail(format!("{f:?}")))?;
        let batch: Batch = people(&lines.join("\n"), &Arc::clone(&project.schema), settings.zone, now);
        let expected = Reference.evaluate(&program, &batch, now);
        for engine in engines().iter().skip(1) {
            for ((mask, other), name) in
                expected.iter().zip(engine.evaluate(&program, &batch, now)).zip(program.segment_names())
            {
                for (row, line) in lines.iter().enumerate() {
                    let sentence =
                        name.parse::<usize>().ok().and_then(|n| sentences.get(n)).map_or(name, String::as_str);
                    prop_assert!(
                        mask.get(row) == other.get(row),
                        "{}\n{}\n{} says {}",
                        sentence,
                        line,
                        engine.name(),
                        other.get(row)
                    );
                }
            }
        }
        let mut counted = counted.borrow_mut();
        for mask in &expected {
            counted[1] += mask.count() as u64;
            counted[0] += (mask.len() - mask.count()) as u64;
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    // Sentences that are never or always true would prove little.
    let [out, inside] = decisions;
    assert!(inside * 10 > out && out * 10 > inside, "{inside} in, {out} out");
}
