//! Sentences of constructs that few would use: event sequences, own pasts,
//! calendars that come again, rhythms, lines, samples, places.

use super::sentences::{bound, events, filter, length, one, put, window};
use proptest::strategy::{BoxedStrategy, Strategy, Union};

/// Steps that may be the same events, for a row in which the earliest choice is
/// not always right.
fn step() -> BoxedStrategy<String> {
    one(&[
        "Order Completed",
        "Email Opened",
        "Email Clicked",
        "Email Engaged",
        "Signed In",
        "any of (Order Completed, Email Opened)",
        "anything",
    ])
}

fn count() -> BoxedStrategy<String> {
    one(&["at least twice", "exactly once", "at most 2 times"])
}

/// Windows whose right end is not now.
fn past() -> BoxedStrategy<String> {
    one(&["more than 2 hours ago", "between 1 and 30 days ago", "at least 1 day ago", "before 2026-05-31", "yesterday"])
}

fn rows() -> Vec<BoxedStrategy<String>> {
    vec![
        put("did {} then {}", vec![step(), step()]),
        put("did {} then {} then {}", vec![step(), step(), step()]),
        put("did {} then {} then {}, all within {}", vec![step(), step(), step(), length()]),
        put("did {} then {} then {}, each within {}", vec![step(), step(), step(), length()]),
        put("did {} then {} within {} then {}, {}", vec![step(), step(), length(), step(), count()]),
        put("did {} then {}, all within {}, {}", vec![step(), step(), length(), window()]),
        put("did {} then {}, all {}", vec![step(), step(), window()]),
        put(
            "did Order Completed then Order Completed with the same {}",
            vec![one(&["category", "quantity", "weight"])],
        ),
        put(
            "did Order Completed where {} then Order Completed where {} with the same {}, all within {}",
            vec![filter(), filter(), one(&["status", "amount"]), length()],
        ),
        put("did {} then {} then {} then {}, all within 3 days", vec![step(), step(), step(), step()]),
        put("did {} {} followed by {}", vec![step(), window(), step()]),
        put("did {} followed by {} within {}", vec![step(), step(), length()]),
        put("did {} {} not followed by {} within {} even while they run", vec![step(), window(), step(), length()]),
        put("did {} not followed by {} within {} and the 2 hours are over", vec![step(), step(), one(&["2 hours"])]),
        put("did {} not followed by {} within {} and the 1 month are over", vec![step(), step(), one(&["1 month"])]),
        put("did {} {} with no {} since", vec![step(), window(), step()]),
        put("did {} preceded by {} within {}", vec![step(), step(), length()]),
        put("did {} {} not preceded by {}", vec![step(), window(), step()]),
        put("did Order Completed followed by Order Completed where {} with the same category", vec![filter()]),
    ]
}

fn calendars() -> Vec<BoxedStrategy<String>> {
    let anchor = || one(&["last_order_date", "first_order_date", "their last Signed In", "their first Email Opened"]);
    let times = || one(&["18:00 and 23:00", "22:00 and 03:00", "00:00 and 12:00", "14:00 and 14:01"]);
    vec![
        put("did {} {} {}", vec![events(), one(&["since", "after", "before", "until"]), anchor()]),
        put("did {} within {} {} {}", vec![events(), length(), one(&["after", "before", "of"]), anchor()]),
        put("did {} within {} after birthday", vec![events(), one(&["3 days", "2 weeks", "1 month"])]),
        put("did {} on their {}", vec![events(), one(&["last_order_date", "birthday"])]),
        put("{} is within {} after {}", vec![one(&["last_order_date"]), length(), anchor()]),
        put("did {} on {} {}", vec![events(), one(&["a weekend", "a weekday", "a Sunday or a Monday"]), window()]),
        put("did {} between {}", vec![events(), times()]),
        put("did {} in {}", vec![events(), one(&["March", "May or June", "June"])]),
        put("did {} not on a weekend, in {} time", vec![events(), one(&["Asia/Tokyo", "America/New_York"])]),
        put("last_order_date is {}", vec![one(&["a Sunday", "in May", "on a weekend", "between 02:00 and 15:00"])]),
        put(
            "anniversary of {} is {}",
            vec![
                one(&["birthday", "last_order_date"]),
                one(&["today", "within the next 7 days", "within the past 30 days", "this month", "next quarter"]),
            ],
        ),
        put(
            "did {} {} in each of the past {} days",
            vec![events(), one(&["at most 2 times", "at most once"]), one(&["2", "3"])],
        ),
        put(
            "did {} at least once in at least {} of the past {}",
            vec![events(), one(&["1", "2"]), one(&["3 weeks", "2 calendar days", "3 full days", "2 months"])],
        ),
    ]
}

fn rhythms() -> Vec<BoxedStrategy<String>> {
    vec![
        put("did {} {} times within any {}", vec![events(), one(&["at least 2", "at most 1", "at least 3"]), length()]),
        put("did {} at least 2 times within any {} {}", vec![events(), length(), window()]),
        put("usual gap between {} is {} {}", vec![events(), bound(), one(&["1 day", "2 hours", "3 days"])]),
        put("usual gap between {} {} is known", vec![events(), past()]),
        put(
            "time since their {} is {} {} times their usual gap",
            vec![
                one(&["last Order Completed", "first Email Opened", "last Email Engaged"]),
                bound(),
                one(&["1.5", "1", "0.5", "10"]),
            ],
        ),
        put("time since their last {} is {} 1 day", vec![one(&["Order Completed", "Email Opened"]), bound()]),
        put(
            "number of {} {} is {} {} number of {} {}",
            vec![events(), window(), bound(), one(&["half of", "twice", "20% of", "a third of"]), events(), window()],
        ),
    ]
}

fn others() -> Vec<BoxedStrategy<String>> {
    let line = || one(&["sku \"a\"", "(quantity is at least 2)", "(sku is \"b\" and quantity is known)"]);
    vec![
        put("did Order Completed where any of lines has {}", vec![line()]),
        put("did Order Completed where all of lines have {} {}", vec![line(), window()]),
        put("did Order Completed where no lines have {}", vec![line()]),
        put("total quantity of lines of Order Completed {} is {} 2", vec![window(), bound()]),
        put("largest quantity of lines of Order Completed {} is {} 2", vec![window(), bound()]),
        put("average quantity of lines of Order Completed is {} 2", vec![bound()]),
        put("smallest quantity of lines of Order Completed {} is {} 2", vec![window(), bound()]),
        put("total quantity of lines of Order Completed is {} {}", vec![bound(), one(&["1", "3"])]),
        put("average quantity of lines of Order Completed {} is {} 1", vec![window(), bound()]),
        put("smallest quantity of lines of Order Completed is {} 1", vec![bound()]),
        put("largest quantity of lines of Order Completed is {} 1", vec![bound()]),
        put("in a random {} of people, by {}", vec![one(&["30%", "50%"]), one(&["\"b\"", "\"holdout\""])]),
        put("in the other {} of people, by {}", vec![one(&["70%", "50%"]), one(&["\"b\"", "\"holdout\""])]),
        put("number of lines of Order Completed is {} {}", vec![bound(), one(&["1", "2"])]),
        put("number of different sku of lines of orders is {} 1", vec![bound()]),
        put("most frequent sku of lines of orders is {}", vec![one(&["\"a\"", "\"b\""])]),
        put("most frequent category of orders {} is {}", vec![window(), one(&["\"a\"", "\"DE\"", "\"straße\""])]),
        put("most frequent quantity of orders is {} 1", vec![bound()]),
        put("most frequent quantity of orders {} is {} 2", vec![window(), bound()]),
        put("most frequent category of orders is {}", vec![one(&["\"a\"", "\"DE\"", "\"de\""])]),
        put("most frequent sku of lines of orders {} is {}", vec![window(), one(&["\"a\"", "\"b\""])]),
        put("number of different sku of lines of orders {} is at least {}", vec![window(), one(&["1", "2"])]),
        put("number of lines of orders {} is at least {}", vec![window(), one(&["1", "2"])]),
        put("did orders where all of lines have {}", vec![line()]),
        put("anniversary of birthday is within the {} 30 days", vec![one(&["next", "past"])]),
        put("did {} between {}", vec![events(), one(&["12:00 and 14:00", "14:00 and 12:00"])]),
        put("did {} in {}", vec![events(), one(&["May", "March or June"])]),
        put("in a random {} of people, by {}", vec![one(&["10%", "50%", "99.5%"]), one(&["\"a\"", "\"winter-test\""])]),
        put("in the other {} of people, by {}", vec![one(&["90%", "50%", "0.5%"]), one(&["\"a\"", "\"winter-test\""])]),
        put("{} is in list \"texts\"", vec![one(&["country", "city", "region"])]),
        put("did Order Completed where category is in list \"texts\" {}", vec![window()]),
        put("\"lately\" ({})", vec![length()]),
        put("within {} of (51.5074, -0.1278)", vec![one(&["343 km", "344 km", "214 miles", "1 m", "20000 km"])]),
        put("home is within {} of (48.8566, 2.3522)", vec![one(&["1 km", "5000 km"])]),
    ]
}

/// One of them all, each equally often.
pub fn special() -> BoxedStrategy<String> {
    let all = [rows(), calendars(), rhythms(), others()].concat();
    Union::new(all).prop_map(|s| format!("all of ({s})")).boxed()
}
