//! Well-typed sentences.

use super::special::special;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::BoxedStrategy;

/// One of some texts.
pub fn one(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    select(texts).prop_map(str::to_owned).boxed()
}

/// Parts put together: `{}` in the pattern stands for each in turn.
pub fn put(pattern: &'static str, parts: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    parts
        .prop_map(move |parts| {
            let mut pieces = pattern.split("{}");
            let first = pieces.next().unwrap_or("").to_owned();
            parts.iter().zip(pieces).fold(first, |text, (part, piece)| text + part + piece)
        })
        .boxed()
}

pub fn length() -> BoxedStrategy<String> {
    one(&["1 second", "2 hours", "1 day", "3 days", "a week", "30 days", "1 month", "2 years"])
}

/// Windows in which events may lie.
pub fn window() -> BoxedStrategy<String> {
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
        put(
            "{}",
            vec![one(&[
                "today",
                "yesterday",
                "this week",
                "last week",
                "this month",
                "last month",
                "this quarter",
                "last year",
                "in the past 7 calendar days",
                "in the past 3 full days",
                "in the past 2 full months",
            ])]
        ),
        one(&["between 2026-05-29 and 2026-06-01", "since 2026-05-31 02:30", "before 2026-06-01T12:00:00Z"]),
    ]
    .boxed()
}

pub fn bound() -> BoxedStrategy<String> {
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
pub fn filter() -> BoxedStrategy<String> {
    let simple = prop_oneof![
        put("amount is {} {}", vec![bound(), one(&["10", "0.0001", "total_spent"])]),
        put("quantity is {} {}", vec![bound(), one(&["1", "total_orders"])]),
        put("weight is {} 1.5 or unknown", vec![bound()]),
        put("category is {}", vec![one(&["\"a\"", "country", "their city"])]),
        put("status is not {}", vec![one(&["\"paid\"", "\"cancelled\"", "their region"])]),
        put("shipped_on is {}", vec![one(&["missing", "within the past 3 days"])]),
        put("quantity times amount is {} 10", vec![bound()]),
        put(
            "amount is {} ({} amount of Order Completed in the past {})",
            vec![bound(), one(&["average", "smallest", "total"]), length()],
        ),
        put("quantity is {} (number of Email Opened {})", vec![bound(), window()]),
    ]
    .boxed();
    prop_oneof![
        simple.clone(),
        put("({} {} {})", vec![simple.clone(), one(&["and", "or"]), simple.clone()]),
        put("(at least 2 of ({}, {}, {}))", vec![simple.clone(), simple.clone(), simple.clone()]),
        put("(not ({}))", vec![simple]),
    ]
    .boxed()
}

pub fn events() -> BoxedStrategy<String> {
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

/// What chance seldom brings: each construct that only one of many sentences
/// would use, all equally often.
fn seldom() -> BoxedStrategy<String> {
    let few = || one(&["1", "2", "3"]);
    let sentences: Vec<BoxedStrategy<String>> = vec![
        put("first seen is {} {} ago", vec![one(&["more than", "at most", "at least"]), length()]),
        put("last seen is {} {} ago", vec![one(&["more than", "at most", "at least"]), length()]),
        put("total_orders minus orders_last_year is {} {}", vec![bound(), few()]),
        put("total_orders plus orders_last_year is {} {}", vec![bound(), few()]),
        put("total_spent divided by total_orders is {} 100", vec![bound()]),
        put("score divided by total_orders is {} 1", vec![bound()]),
        put("total_spent times {} is {} 500", vec![one(&["1.5", "0.0001", "3"]), bound()]),
        put("total_orders is one of {}, {}", vec![few(), few()]),
        put("score is one of 1.5, {}", vec![one(&["0", "2.5", "3"])]),
        put("number of different gift of orders {} is {} 1", vec![window(), bound()]),
        put("number of different category of orders {} is {} {}", vec![window(), bound(), few()]),
        put("number of different weight of orders {} is {} {}", vec![window(), bound(), few()]),
        put("number of different shipped_on of orders {} is {} {}", vec![window(), bound(), few()]),
        put("number of different amount of orders {} is {} {}", vec![window(), bound(), few()]),
        put("number of different quantity of orders {} is {} {}", vec![window(), bound(), few()]),
        put("average quantity of orders {} is {} 1", vec![window(), bound()]),
        put("total quantity of orders {} is {} 2", vec![window(), bound()]),
        put("average amount of orders {} is {} 10", vec![window(), bound()]),
        put("smallest amount of orders {} is {} 10", vec![window(), bound()]),
        put("largest amount of orders {} is {} 10", vec![window(), bound()]),
        put("smallest quantity of orders {} is {} 1", vec![window(), bound()]),
        put("{} quantity of orders {} is {} 2", vec![one(&["smallest", "largest"]), window(), bound()]),
        put("sms_consent is {}", vec![one(&["true", "false"])]),
        put("total_orders times {} is {} 3", vec![one(&["1.5", "0.5"]), bound()]),
        put("number of different quantity of orders {} is {} {}", vec![window(), bound(), few()]),
        put("largest quantity of orders {} is {} 1", vec![window(), bound()]),
        put("{} weight of orders {} is {} 1.5", vec![one(&["average", "total"]), window(), bound()]),
        put("{} weight of orders {} is {} 1.5", vec![one(&["smallest", "largest"]), window(), bound()]),
        put("did Order Completed where (gift is {}) {}", vec![one(&["true", "false"]), window()]),
        put(
            "did Order Completed where {} ever",
            vec![one(&[
                "category is \"a\"",
                "category is one of \"a\", \"b\"",
                "category is \"nowhere\"",
                "status is \"paid\"",
                "status is \"cancelled\"",
            ])],
        ),
        put("city contains {}", vec![one(&["\"a\"", "\"ß\"", "\"D\""])]),
        put("city starts with {}", vec![one(&["\"a\"", "\"s\"", "\"D\""])]),
        put("city ends with {}", vec![one(&["\"e\"", "\"E\"", "\"2\""])]),
        put("city matches {}", vec![one(&["\"^[a-c]\"", "\"\\d+\"", "\"S\\w\""])]),
        put("city matches {} ignoring case", vec![one(&["\"^[A-C]\"", "\"^D\"", "\"S\\w\""])]),
        put("tags include {}", vec![one(&["\"a\"", "\"b\"", "\"A\" ignoring case"])]),
        put("number of tags is {} {}", vec![bound(), one(&["0", "1", "2"])]),
        put("total_spent plus 0.5 is {} total_orders", vec![bound()]),
        put("did {} in at least 2 different months {}", vec![events(), window()]),
        put("did {} in at least 2 different weeks {}", vec![events(), window()]),
        put("first 2 orders had ({})", vec![filter()]).prop_map(|s| format!("all of their {s}")).boxed(),
    ];
    proptest::strategy::Union::new(sentences).prop_map(|s| format!("({s})")).boxed()
}

pub fn sentence() -> BoxedStrategy<String> {
    let with = |join: &'static str| {
        prop_oneof![
            put(join, vec![any_sentence(), seldom(), seldom()]),
            put(join, vec![any_sentence(), special(), special()]),
        ]
    };
    prop_oneof![
        1 => any_sentence(),
        1 => with("(({}) or {}) and {}"),
        1 => with("({}) and ({} or {})"),
        1 => with("({}) or {} or {}"),
        1 => with("(({}) or {}) and not ({})"),
    ]
    .boxed()
}

fn any_sentence() -> BoxedStrategy<String> {
    let leaf = prop_oneof![1 => attribute(), 2 => event()].boxed();
    let leaf = leaf.prop_map(|s| format!("({s})")).boxed();
    leaf.prop_recursive(3, 12, 3, |inner| {
        let inner = inner.boxed();
        let several = inner.clone();
        let list = proptest::collection::vec(inner.clone(), 1..4).prop_map(|m| m.join(", ")).boxed();
        prop_oneof![
            put("not ({})", vec![inner.clone()]),
            put("({}) and ({})", vec![inner.clone(), inner.clone()]),
            put("({}) or ({})", vec![inner.clone(), inner]),
            put("{} of ({})", vec![one(&["all", "any", "none"]), list]),
            put(
                "{} of ({}, {}, {})",
                vec![
                    one(&["at least 2", "exactly 1", "at most 2", "1 to 2", "exactly 2"]),
                    several.clone(),
                    several.clone(),
                    several
                ]
            ),
        ]
        .boxed()
    })
    .boxed()
}
