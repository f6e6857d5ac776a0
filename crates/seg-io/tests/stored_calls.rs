//! Analytics calls that are packed behind others are what all of them together are.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

mod chance;
#[allow(dead_code, reason = "other tests have profiles and events of their own")]
mod days;

use chance::Chance;
use days::{at, batch, packing, people, schema, threads};
use seg_data::Timestamp;
use seg_io::manifest::{Data, parse};
use seg_io::store::{forget, verify};
use seg_io::{LoadRequest, load};
use serde_json::json;
use std::path::Path;

fn data(is_stored: bool) -> Data {
    let store = if is_stored { "store = \"store\"" } else { "" };
    let text = format!("name = \"t\"\n[data]\n{store}\n[data.calls]\nfiles = [\"calls/*.ndjson\"]\n");
    parse(&text).expect("settings").data
}

fn put(dir: &Path, day: usize, calls: &[String]) {
    std::fs::create_dir_all(dir.join("calls")).expect("a folder");
    std::fs::write(dir.join("calls").join(format!("{day:02}.ndjson")), calls.join("\n") + "\n").expect("written");
}

/// A call by somebody at some device, of a day or, late, of the first one.
fn call(chance: &mut Chance, day: usize, number: &mut usize) -> String {
    *number += 1;
    let is_late = day > 0 && chance.below(6) == 0;
    // What comes late is mostly earlier than everything that is known of a device.
    let (of_day, hours) = if is_late { (0, 4) } else { (day, 24) };
    let time = Timestamp(at(of_day as i64).0 + 3_600_000_000 * chance.below(hours) as i64).to_string();
    let user = ["ann", "ben", "cem", "dov", "eve"][chance.below(5.min(2 + day))];
    let n_devices = if is_late { 3 } else { 8.min(3 + 2 * day) };
    let device = ["d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8"][chance.below(n_devices)];
    let mut call = json!({ "messageId": format!("m{number}"), "timestamp": time });
    let fields = call.as_object_mut().expect("an object");
    match if is_late { 5 } else { chance.below(6) } {
        0..3 => drop(fields.insert("anonymousId".to_owned(), device.into())),
        3 | 4 => drop(fields.insert("userId".to_owned(), user.into())),
        _ => {
            fields.insert("anonymousId".to_owned(), device.into());
            fields.insert("userId".to_owned(), user.into());
        }
    }
    let kind = match chance.below(12) {
        0..3 => {
            let (country, plan) = (["DE", "US"][chance.below(2)], ["free", "pro"][chance.below(2)]);
            let traits = json!({ "country": country, "plan": plan });
            fields.insert("traits".to_owned(), traits);
            "identify"
        }
        3 => {
            let previous = if chance.below(3) == 0 { device.to_owned() } else { format!("old-{user}") };
            fields.remove("anonymousId");
            fields.insert("previousId".to_owned(), previous.into());
            fields.insert("userId".to_owned(), user.into());
            "alias"
        }
        4 => "page",
        _ => {
            let name = ["Bought", "Seen"][chance.below(2)];
            fields.insert("event".to_owned(), name.into());
            fields.insert("properties".to_owned(), json!({ "amount": number, "page": format!("p{number}") }));
            "track"
        }
    };
    fields.insert("type".to_owned(), kind.into());
    call.to_string()
}

#[test]
fn calls_that_were_added_are_the_calls_together() {
    let mut chance = Chance(23);
    let (mut n_added, mut n_refused, mut n_repeated, mut n_united, mut n_shared) = (0, 0, 0, 0, 0);
    for case in 0..40 {
        let schema = schema(false);
        let (files, stored) = (data(false), data(true));
        let dir = tempfile::tempdir().expect("a directory");
        let (mut sent, mut number): (Vec<String>, usize) = (Vec::new(), 0);
        // More days than a store keeps files of messages apart, now and then.
        let n_days = if case % 20 == 0 { 20 } else { 2 + chance.below(4) };
        let mut before: Vec<String> = Vec::new();
        for day in 0..n_days {
            let mut calls: Vec<String> = Vec::new();
            for _ in 0..1 + chance.below(if n_days == 20 { 3 } else { 14 }) {
                // A sender that was not answered sends again what it sent.
                let again = (!sent.is_empty() && chance.below(9) == 0).then(|| sent[chance.below(sent.len())].clone());
                calls.push(again.unwrap_or_else(|| call(&mut chance, day, &mut number)));
                sent.extend(calls.last().cloned());
            }
            put(dir.path(), day, &calls);
            match packing(dir.path(), &stored, &schema, day > 0) {
                Ok(packing) => {
                    n_added += u32::from(day > 0);
                    let packed = packing.write(None).expect("a store");
                    n_united += u32::from(day > 0 && packed.is_whole);
                }
                Err(error) => {
                    assert!(error.to_string().contains("says otherwise; `seg pack` packs all of it again"), "{error}");
                    assert_eq!(people(&batch(dir.path(), &stored, &schema)), before, "the store is what it was");
                    n_refused += 1;
                    packing(dir.path(), &stored, &schema, false).expect("files").write(None).expect("a store");
                }
            }
            let from_files = load(LoadRequest::new(dir.path(), &files, &schema)).expect("files");
            let told = |kind: &str| from_files.report.problems.iter().any(|problem| problem.kind.slug() == kind);
            n_repeated += u32::from(told("repeated-event"));
            n_shared += u32::from(told("shared-device"));
            let found = people(&batch(dir.path(), &stored, &schema));
            assert_eq!(found, people(&from_files.batch), "case {case}, day {day}: {calls:#?}");
            before = found;
        }
        verify(dir.path(), &stored, &schema, None, threads(1)).expect("sound");
        assert!(packing(dir.path(), &stored, &schema, true).expect("a store").is_nothing());
    }
    // What never happens would prove little.
    let counts = [n_added, n_refused, n_repeated, n_united, n_shared];
    assert!(counts.iter().all(|n| *n > 8), "{counts:?}");
}

/// Who is forgotten leaves neither an id nor a link, and no call of theirs comes back.
#[test]
fn calls_of_who_is_forgotten_leave_no_byte_and_do_not_come_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let (stored, schema) = (data(true), schema(false));
    let track = |whose: &str, id: &str, message: &str| {
        json!({ "type": "track", whose: id, "messageId": message, "event": "Seen", "timestamp": at(1).to_string() })
            .to_string()
    };
    let link = |device: &str, user: &str, message: &str| {
        let time = at(2).to_string();
        let call = json!({ "type": "identify", "anonymousId": device, "userId": user, "messageId": message, "timestamp": time });
        call.to_string()
    };
    let calls = [
        track("anonymousId", "secret-device", "secret-m1"),
        link("secret-device", "secret-user", "secret-m2"),
        track("userId", "bob", "m3"),
        link("device-of-bob", "bob", "m4"),
    ];
    put(dir.path(), 0, &calls);
    packing(dir.path(), &stored, &schema, false).expect("files").write(None).expect("a store");
    let forgotten = forget((dir.path(), &stored, &schema), None, &["secret-device".to_owned()], threads(1), None);
    assert_eq!(forgotten.expect("a store").n_people, 1);
    let mut open = vec![dir.path().join("store")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("a file").path()));
            continue;
        }
        let bytes = std::fs::read(&path).expect("read");
        assert!(!bytes.windows(6).any(|window| window == b"secret"), "{}", path.display());
    }
    // Sent again, they are calls that came before; what bob does goes on.
    put(dir.path(), 1, &[calls[0].clone(), track("anonymousId", "device-of-bob", "m5")]);
    packing(dir.path(), &stored, &schema, true).expect("files").write(None).expect("a store");
    let left = people(&batch(dir.path(), &stored, &schema));
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].starts_with("bob") && left[0].matches("Seen").count() == 2, "{left:?}");
}
