//! Edge-case profiles.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::BoxedStrategy;

/// When events happen.
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

/// The first of some events, an instant after now: of who has no other, nothing is
/// known yet.
fn later(events: &[String]) -> Vec<String> {
    let at = |event: &String, time: &str| event.replace(&format!("\"time\": {time}"), "\"time\": \"now + 1 us\"");
    events.first().map(|event| TIMES.iter().fold(event.clone(), |event, time| at(&event, time))).into_iter().collect()
}

/// People with gaps, ties, edges of windows and extreme numbers.
pub fn person() -> BoxedStrategy<String> {
    const LINES: &[&str] = &[
        "[]",
        "[{\"sku\": \"a\", \"quantity\": 1}]",
        "[{\"sku\": \"b\", \"quantity\": 2}, {\"sku\": \"a\"}]",
        "[{\"quantity\": 9223372036854775807}, {\"sku\": \"b\", \"quantity\": 3}, {\"sku\": \"b\"}]",
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
            field("lines", LINES),
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
        field("home_lat", &["51.5074", "48.8566", "-90", "91"]),
        field("home_lon", &["-0.1278", "2.3522", "180"]),
        field("sms_consent", &["true", "false"]),
        field("tags", &["[]", "[\"a\"]", "[\"b\", \"a\", null]"]),
        field(
            "pets",
            &[
                "[]",
                "[{\"kind\": \"dog\", \"age\": 1}]",
                "[{\"kind\": \"cat\"}, {\"kind\": \"dog\", \"age\": 2}]",
                "[{}]",
            ],
        ),
        field("birthday", dates),
        field("last_order_date", TIMES),
        field("first_order_date", TIMES),
    ];
    let change = vec![
        select(TIMES).prop_map(|time| format!("\"time\": {time}")).boxed(),
        field("city", text),
        field("score", number),
        field("sms_consent", &["true", "false"]),
        field("last_order_date", TIMES),
        field("birthday", dates),
    ];
    let change = change.prop_map(|fields| format!("{{{}}}", fields.concat()));
    let changes = prop_oneof![1 => Just(Vec::new()), 1 => proptest::collection::vec(change, 1..4)];
    (attributes, changes, proptest::collection::vec(event, 0..7), 0..20)
        .prop_map(|(fields, changes, events, chance)| {
            let (changes, events) = if chance == 0 { (Vec::new(), later(&events)) } else { (changes, events) };
            let (fields, changes, events) = (fields.concat(), changes.join(", "), events.join(", "));
            format!("{fields}, \"changes\": [{changes}], \"events\": [{events}]")
        })
        .boxed()
}
