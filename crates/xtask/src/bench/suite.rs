//! The twelve segments, as far as the language can say them.

/// The schema of the workload.
pub fn schema() -> String {
    let mut text = String::from(
        r#"
[attributes]
email_consent = { type = "boolean", required = true }
sms_consent = { type = "boolean", required = true }
suppressed = { type = "boolean", required = true }
country = { type = "text", required = true }
plan = { type = "text", required = true }
last_product_category = "text"
total_orders = { type = "integer", required = true }
total_spent = { type = "money", required = true }
first_order_date = "timestamp"
last_order_date = "timestamp"
"#,
    );
    for name in super::generate::NAMES {
        text.push_str(&format!("\n[events.\"{name}\"]\nproperties = {{ category = \"text\", amount = \"money\" }}\n"));
    }
    text
}

/// A segment of the suite.
pub struct Segment {
    /// Its number there.
    pub number: u32,
    pub title: &'static str,
    /// What comes after `include people`; none where the language cannot
    /// say it yet.
    pub sentence: Option<&'static str>,
}

const fn said(number: u32, title: &'static str, sentence: &'static str) -> Segment {
    Segment { number, title, sentence: Some(sentence) }
}

const fn unsaid(number: u32, title: &'static str) -> Segment {
    Segment { number, title, sentence: None }
}

pub const SEGMENTS: [Segment; 12] = [
    said(
        1,
        "checkout in 2 h, no order in 2 h, sms consent",
        "who did \"Checkout Started\" within the past 2 hours and did not do \"Order Completed\" within the past 2 hours \
         and whose sms_consent is true",
    ),
    said(
        2,
        "viewed 2+ times in 3 days, never ordered",
        "who did \"Product Viewed\" at least 2 times in the past 3 days and never did \"Order Completed\"",
    ),
    said(
        3,
        "exactly 1 order, 30 to 45 days since last",
        "whose total_orders is 1 and whose last_order_date is between 30 and 45 days ago",
    ),
    said(
        4,
        "no order in 90 days, email opened or clicked in 30",
        "who did not do \"Order Completed\" in the past 90 days and (did \"Email Opened\" in the past 30 days or did \
         \"Email Clicked\" in the past 30 days)",
    ),
    said(
        5,
        "ordered shoes, never accessories",
        "who did \"Order Completed\" where category is \"shoes\" ever and never did \"Order Completed\" where category is \
         \"accessories\"",
    ),
    said(
        6,
        "spent 500 or more in 365 days, in US, GB or CA",
        "whose total amount of \"Order Completed\" in the past 365 days is at least 500 and whose country is one of \
         \"US\", \"GB\", \"CA\"",
    ),
    unsaid(7, "checkout in 7 days not followed by order in 2 h"),
    unsaid(8, "viewed, then cart, then order, all in 24 h, in 30 days"),
    said(
        9,
        "four attributes",
        "whose total_spent is more than 200 and whose email_consent is true and whose suppressed is false and whose \
         plan is \"premium\"",
    ),
    said(
        10,
        "active on 5 or more different days of 30",
        "who did any of (\"Product Viewed\", \"Product Searched\", \"Added to Cart\", \"Removed from Cart\", \
         \"Checkout Started\", \"Order Completed\", \"Order Refunded\", \"Email Opened\", \"Email Clicked\", \
         \"Email Delivered\", \"SMS Clicked\", \"Page Viewed\") on at least 5 different days in the past 30 days",
    ),
    said(
        11,
        "average order over 80, 3 or more orders",
        "whose average amount of \"Order Completed\" is more than 80 and who did \"Order Completed\" at least 3 times \
         ever",
    ),
    said(12, "first order in 14 days", "whose first \"Order Completed\" is in the past 14 days"),
];
