//! Sentences of constructs that few would use: event sequences, anchored windows,
//! calendars that come again, rhythms, lines, samples, places.

use super::sentences::{bound, events, filter, length, one, phrase, window};
use proptest::strategy::{BoxedStrategy, Strategy, Union};

/// Steps that may be the same events, for a sequence in which the earliest choice is
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

/// Different events, one after the other.
fn followed() -> BoxedStrategy<String> {
    one(&[
        "Order Completed followed by Email Opened",
        "Email Opened followed by Signed In",
        "Signed In followed by Order Completed",
    ])
}

/// Lengths of time that many events are apart to the microsecond.
fn apart() -> BoxedStrategy<String> {
    one(&["2 hours", "1 day", "3 days"])
}

fn count() -> BoxedStrategy<String> {
    one(&["at least twice", "exactly once", "at most 2 times"])
}

/// Windows whose right end is not now.
fn past() -> BoxedStrategy<String> {
    one(&["more than 2 hours ago", "between 1 and 30 days ago", "at least 1 day ago", "before 2026-05-31", "yesterday"])
}

fn sequences() -> Vec<BoxedStrategy<String>> {
    let name = || one(&["Order Completed", "Email Opened", "Signed In", "\"No Show\"", "Email Engaged"]);
    vec![
        phrase("did {} then {}", vec![step(), step()]),
        phrase("did {} then {} then {}", vec![step(), step(), step()]),
        phrase("did {} then {} then {}, all within {}", vec![step(), step(), step(), length()]),
        phrase("did {} then {} then {}, each within {}", vec![step(), step(), step(), length()]),
        phrase("did {} then {} within {} then {}, {}", vec![step(), step(), length(), step(), count()]),
        phrase("did {} then {}, all within {}, {}", vec![step(), step(), length(), window()]),
        phrase("did {} then {}, all {}", vec![step(), step(), window()]),
        phrase(
            "did Order Completed then Order Completed with the same {}",
            vec![one(&["category", "quantity", "weight"])],
        ),
        phrase(
            "did Order Completed where {} then Order Completed where {} with the same {}, all within {}",
            vec![filter(), filter(), one(&["status", "amount"]), length()],
        ),
        phrase("did {} then {} then {} then {}, all within 3 days", vec![step(), step(), step(), step()]),
        phrase("did {} {} followed by {}", vec![step(), window(), step()]),
        phrase("did {} followed by {} within {}", vec![step(), step(), length()]),
        phrase("did {} {} not followed by {} within {} even while they run", vec![step(), window(), step(), length()]),
        phrase("did {} not followed by {} within {} and the 2 hours are over", vec![step(), step(), one(&["2 hours"])]),
        phrase("did {} not followed by {} within {} and the 1 month are over", vec![step(), step(), one(&["1 month"])]),
        phrase("did {} {} with no {} since", vec![step(), window(), step()]),
        phrase(
            "did {} then {} with no {} in between{}",
            vec![step(), step(), step(), one(&["", " within 3 days", ", all in the past 30 days"])],
        ),
        phrase("did {} then directly {}{}", vec![step(), step(), one(&["", ", all in the past 30 days"])]),
        phrase("did {} then {} then directly {}, all within {}", vec![step(), step(), step(), length()]),
        phrase(
            "did all of ({}, {}) in any order{}",
            vec![name(), name(), one(&["", ", all within 3 days", ", all within 1 day, in the past 30 days"])],
        ),
        phrase("did all of ({}, {}, {}) in any order, all within {}", vec![name(), name(), name(), length()]),
        phrase("did {} preceded by {} within {}", vec![step(), step(), length()]),
        // Different names and one length of time, which events are apart exactly: what
        // one walk decides for all lengths.
        phrase("did {} within {}", vec![followed(), apart()]),
        phrase(
            "did {} not followed by {} within {} even while they run",
            vec![one(&["Order Completed"]), one(&["Email Opened", "Signed In"]), apart()],
        ),
        phrase(
            "their {} Order Completed was not followed by {}{}",
            vec![one(&["first", "last"]), step(), one(&["", " within 3 days even while they run"])],
        ),
        phrase(
            "their {} Order Completed was followed by {}{}",
            vec![one(&["first", "last"]), step(), one(&["", " within 3 days"])],
        ),
        phrase("their {} Email Opened {} was preceded by {}", vec![one(&["first", "last"]), window(), step()]),
        phrase("did {} {} not preceded by {}", vec![step(), window(), step()]),
        phrase("did Order Completed followed by Order Completed where {} with the same category", vec![filter()]),
    ]
}

fn calendars() -> Vec<BoxedStrategy<String>> {
    let anchor = || one(&["last_order_date", "first_order_date", "their last Signed In", "their first Email Opened"]);
    let times = || one(&["18:00 and 23:00", "22:00 and 03:00", "00:00 and 12:00", "14:00 and 14:01"]);
    vec![
        phrase("did {} {} {}", vec![events(), one(&["since", "after", "before", "until"]), anchor()]),
        phrase("did {} within {} {} {}", vec![events(), length(), one(&["after", "before", "of"]), anchor()]),
        phrase("did {} within {} after birthday", vec![events(), one(&["3 days", "2 weeks", "1 month"])]),
        phrase("did {} on their {}", vec![events(), one(&["last_order_date", "birthday"])]),
        phrase("{} is within {} after {}", vec![one(&["last_order_date"]), length(), anchor()]),
        phrase("did {} on {} {}", vec![events(), one(&["a weekend", "a weekday", "a Sunday or a Monday"]), window()]),
        phrase("did {} between {}", vec![events(), times()]),
        phrase("did {} in {}", vec![events(), one(&["March", "May or June", "June"])]),
        phrase("did {} not on a weekend, in {} time", vec![events(), one(&["Asia/Tokyo", "America/New_York"])]),
        phrase("last_order_date is {}", vec![one(&["a Sunday", "in May", "on a weekend", "between 02:00 and 15:00"])]),
        phrase(
            "anniversary of {} is {}",
            vec![
                one(&["birthday", "last_order_date"]),
                one(&["today", "within the next 7 days", "within the past 30 days", "this month", "next quarter"]),
            ],
        ),
        phrase(
            "anniversary of {} is {}within the next {} days or unknown",
            vec![one(&["birthday", "last_order_date"]), one(&["", "not "]), one(&["7", "100"])],
        ),
        phrase(
            "did {} on at least 2 different days in {} of the past 2 weeks",
            vec![events(), one(&["each", "at least 1"])],
        ),
        phrase(
            "did {} on at most {} different days in each of the past {} weeks",
            vec![events(), one(&["1", "2"]), one(&["2", "4"])],
        ),
        phrase(
            "did {} {} in each of the past {} days",
            vec![events(), one(&["at most 2 times", "at most once"]), one(&["2", "3"])],
        ),
        phrase(
            "did {} at least once in at least {} of the past {}",
            vec![events(), one(&["1", "2"]), one(&["3 weeks", "2 calendar days", "3 full days", "2 months"])],
        ),
    ]
}

fn rhythms() -> Vec<BoxedStrategy<String>> {
    vec![
        phrase(
            "did {} {} times within any {}",
            vec![events(), one(&["at least 2", "at most 1", "at least 3"]), length()],
        ),
        phrase("did {} at least 2 times within any {} {}", vec![events(), length(), window()]),
        phrase("usual gap between {} is {} {}", vec![events(), bound(), one(&["1 day", "2 hours", "3 days"])]),
        phrase("usual gap between {} {} is known", vec![events(), past()]),
        phrase(
            "time since their {} is {} {} times their usual gap",
            vec![
                one(&["last Order Completed", "first Email Opened", "last Email Engaged"]),
                bound(),
                one(&["1.5", "1", "0.5", "10"]),
            ],
        ),
        phrase("time since their last {} is {} 1 day", vec![one(&["Order Completed", "Email Opened"]), bound()]),
        phrase(
            "number of {} {} is {} {} number of {} {}",
            vec![events(), window(), bound(), one(&["half of", "twice", "20% of", "a third of"]), events(), window()],
        ),
    ]
}

fn others() -> Vec<BoxedStrategy<String>> {
    let line = || one(&["sku \"a\"", "(quantity is at least 2)", "(sku is \"b\" and quantity is known)"]);
    vec![
        phrase("did Order Completed where any of lines has {}", vec![line()]),
        phrase("did Order Completed where all of lines have {} {}", vec![line(), window()]),
        phrase("did Order Completed where no lines have {}", vec![line()]),
        phrase("total quantity of lines of Order Completed {} is {} 2", vec![window(), bound()]),
        phrase("largest quantity of lines of Order Completed {} is {} 2", vec![window(), bound()]),
        phrase("average quantity of lines of Order Completed is {} 2", vec![bound()]),
        phrase("smallest quantity of lines of Order Completed {} is {} 2", vec![window(), bound()]),
        phrase("total quantity of lines of Order Completed is {} {}", vec![bound(), one(&["1", "3"])]),
        phrase("average quantity of lines of Order Completed {} is {} 1", vec![window(), bound()]),
        phrase("smallest quantity of lines of Order Completed is {} 1", vec![bound()]),
        phrase("largest quantity of lines of Order Completed is {} 1", vec![bound()]),
        phrase("in a random {} of people, by {}", vec![one(&["30%", "50%"]), one(&["\"b\"", "\"holdout\""])]),
        phrase("in the other {} of people, by {}", vec![one(&["70%", "50%"]), one(&["\"b\"", "\"holdout\""])]),
        phrase("number of lines of Order Completed is {} {}", vec![bound(), one(&["1", "2"])]),
        phrase("number of different sku of lines of orders is {} 1", vec![bound()]),
        phrase(
            "did orders where {} {}",
            vec![
                phrase("number of lines is {} {}", vec![bound(), one(&["1", "2"])]),
                one(&["in the past 3 days", "ever", "at least 2 times"]),
            ],
        ),
        phrase("did orders where number of lines is {} {}", vec![bound(), one(&["0", "1"])]),
        phrase("number of pets is {} {}", vec![bound(), one(&["0", "1", "2"])]),
        phrase("number of pets is {} {} or unknown", vec![bound(), one(&["1", "2"])]),
        phrase("pets are {}", vec![one(&["known", "missing", "empty", "not empty"])]),
        phrase("{} order amount is {} 10", vec![one(&["average", "total", "largest"]), bound()]),
        phrase("most frequent sku of lines of orders is {}", vec![one(&["\"a\"", "\"b\""])]),
        phrase("most frequent category of orders {} is {}", vec![window(), one(&["\"a\"", "\"DE\"", "\"straße\""])]),
        phrase("most frequent quantity of orders is {} 1", vec![bound()]),
        phrase("most frequent quantity of orders {} is {} 2", vec![window(), bound()]),
        phrase("most frequent category of orders is {}", vec![one(&["\"a\"", "\"DE\"", "\"de\""])]),
        phrase("most frequent sku of lines of orders {} is {}", vec![window(), one(&["\"a\"", "\"b\""])]),
        phrase("number of different sku of lines of orders {} is at least {}", vec![window(), one(&["1", "2"])]),
        phrase("number of lines of orders {} is at least {}", vec![window(), one(&["1", "2"])]),
        phrase("did orders where all of lines have {}", vec![line()]),
        phrase("anniversary of birthday is within the {} 30 days", vec![one(&["next", "past"])]),
        phrase("did {} between {}", vec![events(), one(&["12:00 and 14:00", "14:00 and 12:00"])]),
        phrase("did {} in {}", vec![events(), one(&["May", "March or June"])]),
        phrase(
            "in a random {} of people, by {}",
            vec![one(&["10%", "50%", "99.5%"]), one(&["\"a\"", "\"winter-test\""])],
        ),
        phrase(
            "in the other {} of people, by {}",
            vec![one(&["90%", "50%", "0.5%"]), one(&["\"a\"", "\"winter-test\""])],
        ),
        phrase(
            "any of tags {}",
            vec![one(&[
                "is \"a\"",
                "is not \"a\"",
                "contains \"b\"",
                "is \"A\" ignoring case",
                "is \"a\" or \"b\"",
                "starts with \"a\" and ends with \"b\"",
                "is country",
                "starts with \"a\" and ends with \"b\"",
                "is \"a\" or \"b\"",
            ])],
        ),
        phrase("all of tags {} or unknown", vec![one(&["are \"a\"", "contain \"a\"", "are one of \"a\", \"b\""])]),
        phrase(
            "tags are known and {} of tags {}",
            vec![one(&["none", "all"]), one(&["are \"a\"", "start with \"b\""])],
        ),
        phrase("tags are {}", vec![one(&["empty", "not empty", "missing or empty", "empty or unknown"])]),
        phrase(
            "any of pets has {}",
            vec![one(&[
                "kind \"dog\"",
                "(kind is \"dog\" and age is at least 2)",
                "(age is total_orders)",
                "(kind is missing)",
            ])],
        ),
        phrase(
            "pets are known and {} pets have {}",
            vec![one(&["no", "all of", "none of"]), one(&["kind \"dog\"", "(kind is \"dog\" or age is at least 2)"])],
        ),
        phrase("pets are {}", vec![one(&["known", "missing", "empty", "not empty"])]),
        phrase(
            "profile id is {}",
            vec![one(&["\"3\"", "not \"3\"", "one of \"1\", \"2\", \"x\"", "in list \"texts\""])],
        ),
        phrase(
            "profile id {}",
            vec![one(&["starts with \"1\"", "contains \"2\"", "matches \"^[0-4]\"", "does not end with \"1\""])],
        ),
        phrase("{} is in list \"texts\"", vec![one(&["country", "city", "region"])]),
        // Texts of one property, each of which people's events ever had or not.
        phrase(
            "did Order Completed where category is {} ever",
            vec![one(&["\"a\"", "\"DE\"", "\"de\"", "\"straße\""])],
        ),
        phrase("did Order Completed where category is in list \"texts\" {}", vec![window()]),
        phrase("{} is in list \"texts\" ignoring case", vec![one(&["country", "city", "region"])]),
        phrase("did Order Completed where category is in list \"texts\" ignoring case {}", vec![window()]),
        phrase("most frequent category of orders is in list \"texts\"{}", vec![one(&["", " ignoring case"])]),
        phrase("\"lately\" ({})", vec![length()]),
        phrase("within {} of (51.5074, -0.1278)", vec![one(&["343 km", "344 km", "214 miles", "1 m", "20000 km"])]),
        phrase("home is within {} of (48.8566, 2.3522)", vec![one(&["1 km", "5000 km"])]),
        phrase(
            "home is {}within {} of (48.8566, 2.3522) or unknown",
            vec![one(&["", "not "]), one(&["1 km", "5000 km"])],
        ),
    ]
}

/// What attributes were, and how often they changed.
fn histories() -> Vec<BoxedStrategy<String>> {
    let held = || {
        one(&[
            "city {} \"a\"",
            "city {} missing",
            "city {} known but not \"DE\"",
            "city {} \"a\" or \"DE\"",
            "city {} one of \"a\", \"straße\" ignoring case",
            "city {} country",
            "score {} at least 2",
            "score {} more than 0 and less than 9",
            "sms_consent {} true",
            "last_order_date {} in the past 30 days",
            "birthday {} known",
        ])
    };
    let said = |verb: &'static str, rest: Vec<BoxedStrategy<String>>, text: &'static str| {
        let held = held().prop_map(move |held| held.replace("{}", verb)).boxed();
        phrase(text, std::iter::once(held).chain(rest).collect())
    };
    let changing = || one(&["city", "score", "sms_consent", "birthday", "last_order_date"]);
    let between = || one(&["", " from \"a\"", " to \"DE\"", " from missing", " from \"a\" to one of \"DE\", \"de\""]);
    vec![
        said("was", vec![window()], "{} at any time {}"),
        said("was", vec![past()], "{} at any time {}"),
        said("was", vec![], "{} at any time"),
        said("has been", vec![one(&["at least", "more than", "less than", "at most"]), length()], "{} for {} {}"),
        said("has been", vec![], "{} since 2026-05-30"),
        phrase("city has never been {}", vec![one(&["\"a\"", "known", "\"a\" in the past 3 days"])]),
        phrase("{} changed {}", vec![changing(), window()]),
        phrase("{} changed {} {}", vec![changing(), count(), window()]),
        phrase("{} did not change {}", vec![changing(), past()]),
        phrase("city changed{} {}", vec![between(), window()]),
        phrase("city changed{} {}", vec![between(), count()]),
        phrase("score changed {} {}", vec![one(&["to 2", "from 1", "from missing"]), past()]),
    ]
}

/// One of them all, each equally often.
pub fn special() -> BoxedStrategy<String> {
    let all = [sequences(), calendars(), rhythms(), others(), histories()].concat();
    Union::new(all).prop_map(|s| format!("all of ({s})")).boxed()
}
