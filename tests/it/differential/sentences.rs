//! Well-typed sentences.

use super::special::special;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::BoxedStrategy;

/// One of some texts.
pub fn one(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    select(texts).prop_map(str::to_owned).boxed()
}

/// Parts joined: `{}` in the pattern stands for each in turn.
pub fn phrase(pattern: &'static str, parts: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
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
        phrase("in the past {}", vec![length()]),
        phrase("more than {} ago", vec![length()]),
        phrase("at least {} ago", vec![length()]),
        phrase("less than {} ago", vec![length()]),
        phrase("at most {} ago", vec![length()]),
        one(&["between 1 and 3 days ago", "3 days to 2 hours ago", "0 to 30 days ago", "ever"]),
        phrase(
            "{} {}",
            vec![one(&["before", "after", "since", "until", "on"]), one(&["2026-06-01", "2026-05-31", "2026-03-29"])]
        ),
        phrase(
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
        one(&[
            "in May 2026",
            "in 2025",
            "2 calendar days ago",
            "on the day 3 days ago",
            "before today",
            "since yesterday",
            "before last week",
            "after 2 days ago",
            "between 3 days ago and 12 hours ago",
        ]),
        one(&["between 2026-05-29 and 2026-06-01", "since 2026-05-31 02:30", "before 2026-06-01T12:00:00Z"]),
    ]
    .boxed()
}

/// Windows that say when.
fn windowed() -> BoxedStrategy<String> {
    window().prop_filter("a half has a window", |window| window != "ever").boxed()
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
        phrase("country is {}{}", vec![text(), missing()]),
        phrase("country is not {} or unknown", vec![text()]),
        phrase("country is known but not one of {}, {}", vec![text(), text()]),
        phrase("region is not {}", vec![text()]),
        phrase(
            "city {} {}{}",
            vec![one(&["contains", "starts with", "ends with"]), text(), one(&["", " ignoring case"])]
        ),
        phrase("city matches {}{}", vec![one(&["\"^[a-c]\"", "\"\\d+\"", "\"S\\w\""]), one(&["", " ignoring case"])]),
        phrase(
            "{} is {}",
            vec![
                one(&["country", "total_spent", "score", "tags", "birthday", "last_order_date"]),
                one(&["known", "missing"])
            ]
        ),
        phrase("{} is {} {}", vec![one(&["total_orders", "score"]), bound(), number()]),
        phrase("total_spent is {} {}", vec![bound(), one(&["0", "0.0001", "500 EUR", "-3"])]),
        phrase("score is {} total_orders", vec![bound()]),
        phrase(
            "total_orders {} orders_last_year is {} {}",
            vec![one(&["plus", "minus", "times", "divided by"]), bound(), number()]
        ),
        phrase(
            "total_spent {} {} is {} 100",
            vec![one(&["times", "divided by"]), one(&["3", "1.5", "total_orders", "score", "0"]), bound()]
        ),
        phrase("total_spent plus 0.5 is {} total_orders", vec![bound()]),
        phrase("tags include {} \"a\", \"b\"", vec![one(&["any of", "all of"])]),
        phrase("number of tags is {} 1", vec![bound()]),
        phrase("sms_consent is {}", vec![one(&["true", "false"])]),
        phrase(
            "birthday is {}",
            vec![one(&[
                "3 days ago",
                "within the past 30 days",
                "within the next 7 days",
                "more than 1 month ago",
                "on 2026-05-29"
            ])]
        ),
        phrase(
            "last_order_date is {}",
            vec![
                prop_oneof![
                    window().prop_filter("an attribute is no event", |w| w != "ever"),
                    one(&["within the next 7 days"])
                ]
                .boxed()
            ]
        ),
        phrase(
            "{} is {}",
            vec![
                one(&["last_order_date", "trial_end", "birthday"]),
                one(&[
                    "in the future",
                    "in the past",
                    "after today",
                    "tomorrow or later",
                    "more than 2 days from now",
                    "at least 1 day from now",
                    "less than 3 days from now",
                    "at most 1 month from now",
                    "between 1 and 7 days from now",
                    "between 2 days ago and 3 days from now",
                    "1 calendar day from now",
                    "before next week",
                    "before 2 days from now",
                    "more than 1 day ago and less than 30 days ago",
                    "within the past 30 days but not within the past 2 days",
                ])
            ]
        ),
        phrase(
            "anniversary of birthday is {}",
            vec![one(&["today", "3 days ago", "between 2 days ago and 3 days from now"])]
        ),
        phrase("country is {}, {} or {}{}", vec![text(), text(), text(), missing()]),
        phrase("country is {} or {}{}", vec![text(), text(), missing()]),
        phrase("country is neither {} nor {} or unknown", vec![text(), text()]),
        phrase("total_orders is {} {} and {} {}", vec![bound(), number(), bound(), number()]),
        phrase("score is less than {} or more than {}", vec![number(), number()]),
        phrase("tags include \"a\" {} \"b\"", vec![one(&["and", "or"])]),
        phrase("last_order_date is {} first_order_date", vec![one(&["before", "after"])]),
        phrase("{} is {} 1 day ago", vec![one(&["first seen", "last seen"]), one(&["more than", "at most"])]),
    ]
    .boxed()
}

/// Conditions on an order's properties.
pub fn filter() -> BoxedStrategy<String> {
    let simple = prop_oneof![
        phrase("amount is {} {}", vec![bound(), one(&["10", "0.0001", "total_spent"])]),
        phrase("quantity is {} {}", vec![bound(), one(&["1", "total_orders"])]),
        phrase("weight is {} 1.5 or unknown", vec![bound()]),
        phrase("category is {}", vec![one(&["\"a\"", "country", "their city"])]),
        phrase("status is not {}", vec![one(&["\"paid\"", "\"cancelled\"", "their region"])]),
        phrase("shipped_on is {}", vec![one(&["missing", "within the past 3 days"])]),
        phrase("quantity times amount is {} 10", vec![bound()]),
        phrase(
            "amount is {} ({} amount of Order Completed in the past {})",
            vec![bound(), one(&["average", "smallest", "total"]), length()],
        ),
        phrase("quantity is {} (number of Email Opened {})", vec![bound(), window()]),
    ]
    .boxed();
    prop_oneof![
        simple.clone(),
        phrase("({} {} {})", vec![simple.clone(), one(&["and", "or"]), simple.clone()]),
        phrase("(at least 2 of ({}, {}, {}))", vec![simple.clone(), simple.clone(), simple.clone()]),
        phrase("(not ({}))", vec![simple]),
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
    let count = || {
        one(&[
            "at least 2 times",
            "exactly twice",
            "at most once",
            "exactly 3 times",
            "1 to 2 times",
            "fewer than 2 times",
        ])
    };
    let end = || one(&["first", "last"]);
    let few = || one(&["last 2", "first 2", "last 3"]);
    prop_oneof![
        phrase("{} {} {}", vec![one(&["did", "did not do", "never did"]), events(), window()]),
        phrase("did {} {} {}", vec![events(), count(), window()]),
        phrase("did {} {} but not {}", vec![events(), windowed(), windowed()]),
        phrase("did {} {} {} and {} {}", vec![events(), count(), windowed(), count(), windowed()]),
        phrase("did {} {} or {}", vec![events(), windowed(), windowed()]),
        phrase("did Order Completed where ({}) {} but not {}", vec![filter(), windowed(), windowed()]),
        phrase("did neither Order Completed nor Email Opened {}", vec![window()]),
        phrase("did Order Completed where {} {}", vec![filter(), window()]),
        phrase("did Order Completed where {} {} {}", vec![filter(), count(), window()]),
        phrase("did {} on {} {} different days {}", vec![events(), bound(), one(&["1", "2"]), window()]),
        phrase("did {} in at least 2 different {} {}", vec![events(), one(&["weeks", "months"]), window()]),
        phrase("did {} for the first time {}", vec![events(), window()]),
        phrase("{} Order Completed was {}", vec![end(), window().prop_filter("a time", |w| w != "ever").boxed()]),
        phrase(
            "{} Order Completed {} had {}",
            vec![end(), window(), filter().prop_map(|f| if f.starts_with('(') { f } else { format!("({f})") }).boxed()]
        ),
        phrase("all of their {} orders had ({})", vec![few(), filter()]),
        phrase(
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
        phrase(
            "{} weight of any of (Order Completed) where {} is {} 1.5",
            vec![one(&["total", "average", "smallest", "largest"]), filter(), bound()]
        ),
        phrase("total of quantity times amount over orders {} is {} 50", vec![window(), bound()]),
        phrase(
            "number of different {} of orders {} is {} 2",
            vec![one(&["category", "amount", "weight", "shipped_on", "gift"]), window(), bound()]
        ),
        phrase("number of {} {} is {} 2", vec![events(), window(), bound()]),
        phrase("number of orders is {} total_orders", vec![bound()]),
    ]
    .boxed()
}

/// Windows with an edge inside of a day.
fn days_window() -> BoxedStrategy<String> {
    one(&[
        "in the past 1 day",
        "in the past 3 days",
        "in the past 30 days",
        "between 1 and 3 days ago",
        "more than 1 day ago",
        "after 2 days ago",
    ])
}

/// What chance rarely brings: each construct that only one of many sentences
/// would use, all equally often.
fn rare() -> BoxedStrategy<String> {
    let few = || one(&["1", "2", "3"]);
    let sentences: Vec<BoxedStrategy<String>> = vec![
        // The edges of days within windows that begin and end inside of one.
        phrase("did {} on {} {} different days {}", vec![events(), bound(), few(), days_window()]),
        phrase("did {} on {} {} different days {}", vec![events(), bound(), few(), days_window()]),
        phrase("did Order Completed on at least {} different days {}", vec![few(), days_window()]),
        phrase("first seen is {} {} ago", vec![one(&["more than", "at most", "at least"]), length()]),
        phrase("last seen is {} {} ago", vec![one(&["more than", "at most", "at least"]), length()]),
        phrase("total_orders minus orders_last_year is {} {}", vec![bound(), few()]),
        phrase("total_orders plus orders_last_year is {} {}", vec![bound(), few()]),
        phrase("total_spent divided by total_orders is {} 100", vec![bound()]),
        phrase("score divided by total_orders is {} 1", vec![bound()]),
        phrase("total_spent times {} is {} 500", vec![one(&["1.5", "0.0001", "3"]), bound()]),
        phrase("total_orders is one of {}, {}", vec![few(), few()]),
        phrase("score is one of 1.5, {}", vec![one(&["0", "2.5", "3"])]),
        phrase("number of different gift of orders {} is {} 1", vec![window(), bound()]),
        phrase("number of different category of orders {} is {} {}", vec![window(), bound(), few()]),
        phrase("number of different weight of orders {} is {} {}", vec![window(), bound(), few()]),
        phrase("number of different shipped_on of orders {} is {} {}", vec![window(), bound(), few()]),
        phrase("number of different amount of orders {} is {} {}", vec![window(), bound(), few()]),
        phrase("number of different quantity of orders {} is {} {}", vec![window(), bound(), few()]),
        phrase("average quantity of orders {} is {} 1", vec![window(), bound()]),
        phrase("total quantity of orders {} is {} 2", vec![window(), bound()]),
        phrase("average amount of orders {} is {} 10", vec![window(), bound()]),
        phrase("smallest amount of orders {} is {} 10", vec![window(), bound()]),
        phrase("largest amount of orders {} is {} 10", vec![window(), bound()]),
        phrase("smallest quantity of orders {} is {} 1", vec![window(), bound()]),
        phrase("{} quantity of orders {} is {} 2", vec![one(&["smallest", "largest"]), window(), bound()]),
        phrase("sms_consent is {}", vec![one(&["true", "false"])]),
        phrase("total_orders times {} is {} 3", vec![one(&["1.5", "0.5"]), bound()]),
        phrase("number of different quantity of orders {} is {} {}", vec![window(), bound(), few()]),
        phrase("largest quantity of orders {} is {} 1", vec![window(), bound()]),
        phrase("{} weight of orders {} is {} 1.5", vec![one(&["average", "total"]), window(), bound()]),
        phrase("{} weight of orders {} is {} 1.5", vec![one(&["smallest", "largest"]), window(), bound()]),
        phrase("did Order Completed where (gift is {}) {}", vec![one(&["true", "false"]), window()]),
        phrase(
            "did Order Completed where {} ever",
            vec![one(&[
                "category is \"a\"",
                "category is one of \"a\", \"b\"",
                "category is \"nowhere\"",
                "status is \"paid\"",
                "status is \"cancelled\"",
            ])],
        ),
        phrase("city contains {}", vec![one(&["\"a\"", "\"ß\"", "\"D\""])]),
        phrase("city starts with {}", vec![one(&["\"a\"", "\"s\"", "\"D\""])]),
        phrase("city ends with {}", vec![one(&["\"e\"", "\"E\"", "\"2\""])]),
        phrase("city matches {}", vec![one(&["\"^[a-c]\"", "\"\\d+\"", "\"S\\w\""])]),
        phrase("city matches {} ignoring case", vec![one(&["\"^[A-C]\"", "\"^D\"", "\"S\\w\""])]),
        phrase("tags include {}", vec![one(&["\"a\"", "\"b\"", "\"A\" ignoring case"])]),
        phrase("number of tags is {} {}", vec![bound(), one(&["0", "1", "2"])]),
        phrase("total_spent plus 0.5 is {} total_orders", vec![bound()]),
        phrase("did {} in at least 2 different months {}", vec![events(), window()]),
        phrase("did {} in at least 2 different weeks {}", vec![events(), window()]),
        phrase("first 2 orders had ({})", vec![filter()]).prop_map(|s| format!("all of their {s}")).boxed(),
    ];
    proptest::strategy::Union::new(sentences).prop_map(|s| format!("({s})")).boxed()
}

pub fn sentence() -> BoxedStrategy<String> {
    let with = |join: &'static str| {
        prop_oneof![
            phrase(join, vec![any_sentence(), rare(), rare()]),
            phrase(join, vec![any_sentence(), special(), special()]),
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
            phrase("not ({})", vec![inner.clone()]),
            phrase("({}) and ({})", vec![inner.clone(), inner.clone()]),
            phrase("({}) or ({})", vec![inner.clone(), inner]),
            phrase("{} of ({})", vec![one(&["all", "any", "none"]), list]),
            phrase(
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
