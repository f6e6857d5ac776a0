//! The workload: twelve segments, and 100 and 1,000 variations of them, as text.

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

/// The twelve; each line is a segment named by its number.
pub const TWELVE: &str = include_str!("suite12.seg");
/// The twelve with others of the same families.
pub const HUNDRED: &str = include_str!("suite100.seg");
/// Likewise.
pub const THOUSAND: &str = include_str!("suite1000.seg");

/// What the twelve are about.
pub const TITLES: [&str; 12] = [
    "checkout in 2 h, no order in 2 h, sms consent",
    "viewed 2+ times in 3 days, never ordered",
    "exactly 1 order, 30 to 45 days since last",
    "no order in 90 days, email opened or clicked in 30",
    "ordered shoes, never accessories",
    "spent 500 or more in 365 days, in US, GB or CA",
    "checkout in 7 days not followed by order in 2 h",
    "viewed, then cart, then order, all in 24 h, in 30 days",
    "four attributes",
    "active on 5 or more different days of 30",
    "average order over 80, 3 or more orders",
    "first order in 14 days",
];

/// The segments of a suite, a text each.
pub fn segments(suite: &str) -> impl Iterator<Item = &str> {
    suite.lines().filter(|line| line.starts_with("segment "))
}
