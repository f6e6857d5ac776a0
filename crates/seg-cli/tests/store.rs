//! Packing as a command: what it says, and that a killed one loses nothing.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn seg(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_seg")).args(args).current_dir(dir).output().expect("the command runs")
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// A project of which some days are there.
fn project(dir: &Path, n_days: usize) {
    let settings = "name = \"shop\"\nat = \"2026-05-24T00:00:00Z\"\n\n[data]\nstore = \"store\"\n\n[data.events]\n\
                    files = [\"events/*.csv\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n";
    let schema = "[events.Bought]\nproperties = { amount = \"money\", title = \"text\" }\n\n[events.Seen]\n";
    let segments = "segment \"Buyers\"\n    include people who did Bought at least 1 time ever\n\n\
                    segment \"Lately\"\n    include people who did Seen within the past 3 days\n";
    std::fs::write(dir.join("seg.toml"), settings).expect("written");
    std::fs::write(dir.join("schema.toml"), schema).expect("written");
    std::fs::write(dir.join("s.seg"), segments).expect("written");
    std::fs::create_dir_all(dir.join("events")).expect("a folder");
    (0..n_days).for_each(|day| put_day(dir, day));
}

fn put_day(dir: &Path, day: usize) {
    let mut rows = String::from("id,event,time,amount,title\n");
    // The first day is large beside the others, which so are kept beside it.
    for n in 0..if day == 0 { 4_000 } else { 150 } {
        let id = (n * 7 + day * 13) % (600 + 20 * day);
        let (event, amount) = if n % 3 == 0 { ("Bought", "4.5,mug") } else { ("Seen", ",") };
        let _ = writeln!(rows, "{id},{event},2026-05-{:02}T{:02}:00:00Z,{amount}", 20 + day % 10, n % 24);
    }
    std::fs::write(dir.join(format!("events/{day:03}.csv")), rows).expect("written");
}

/// How many people, events and members there are.
fn answer(dir: &Path) -> String {
    let ran = seg(dir, &["run", "--format", "json"]);
    assert!(ran.status.success(), "{}", text(&ran));
    let json: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    format!("{} {} {}", json["people"], json["data"]["events"], json["segments"])
}

#[test]
fn what_packing_says() {
    let dir = tempfile::tempdir().expect("a directory");
    project(dir.path(), 2);
    let mut shown = String::new();
    let mut show = |args: &[&str]| {
        let output = seg(dir.path(), args);
        let code = output.status.code().expect("a code");
        let told = text(&output).replace(&dir.path().display().to_string(), "DIR");
        let _ = write!(shown, "$ seg {} ({code})\n{told}\n", args.join(" "));
    };
    show(&["run"]);
    show(&["pack", "--append"]);
    show(&["pack"]);
    show(&["run"]);
    show(&["pack", "--append"]);
    put_day(dir.path(), 2);
    show(&["run"]);
    show(&["pack", "--append"]);
    show(&["store", "info"]);
    show(&["store", "verify"]);
    show(&["store", "forget", "7", "nobody"]);
    show(&["run"]);
    put_day(dir.path(), 0);
    std::fs::write(dir.path().join("events/001.csv"), "id,event,time\n1,Bought,never\n").expect("written");
    show(&["run"]);
    show(&["pack", "--append"]);
    show(&["pack", "--max-bad", "0%"]);
    show(&["pack", "--strict"]);
    let times =
        std::fs::read_dir(dir.path().join("store")).expect("a store").map(|entry| entry.expect("a file").path());
    let people = times.filter(|path| path.is_dir()).map(|path| path.join("people.arrow")).next().expect("people");
    std::fs::write(&people, "nothing").expect("written");
    show(&["store", "verify"]);
    show(&["run"]);
    let folder = people.parent().expect("a folder").file_name().expect("a name").to_string_lossy().into_owned();
    insta::assert_snapshot!(shown.replace(&folder, "GENERATION"));
}

/// The same numbers from the files, from the store, from its files read, and from a store
/// elsewhere.
#[test]
fn a_store_gives_what_the_files_give() {
    let dir = tempfile::tempdir().expect("a directory");
    project(dir.path(), 3);
    let settings = std::fs::read_to_string(dir.path().join("seg.toml")).expect("read");
    std::fs::write(dir.path().join("seg.toml"), settings.replace("store = \"store\"\n", "")).expect("written");
    let from_files = answer(dir.path());
    let packed = seg(dir.path(), &["pack", "--store", "elsewhere"]);
    assert!(packed.status.success(), "{}", text(&packed));
    for args in [&["run", "--store", "elsewhere"][..], &["run", "--store", "elsewhere", "--no-map"]] {
        let ran = seg(dir.path(), args);
        assert!(ran.status.success(), "{}", text(&ran));
    }
    std::fs::write(dir.path().join("seg.toml"), settings).expect("written");
    assert!(seg(dir.path(), &["pack"]).status.success());
    assert_eq!(answer(dir.path()), from_files);
    let manifest = seg(dir.path(), &["run", "--members", "m.csv", "--manifest", "m.json"]);
    assert!(manifest.status.success(), "{}", text(&manifest));
    let inputs = std::fs::read_to_string(dir.path().join("m.json")).expect("read");
    assert!(inputs.contains("store/MANIFEST") && !inputs.contains("000.csv"), "{inputs}");
    let verified = seg(dir.path(), &["run", "--verify", "m.json"]);
    assert!(verified.status.success(), "{}", text(&verified));
    // Neither the store nor what it was packed of is written over.
    for target in ["events/000.csv", "store/MANIFEST"] {
        let refused = seg(dir.path(), &["run", "--members", target, "--members-format", "csv"]);
        assert!(!refused.status.success(), "{target}");
    }
}

/// 300 packings killed at moments by chance: the store is the one before or the one after,
/// and whoever packs next finds it so.
#[test]
fn a_killed_packing_loses_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    project(dir.path(), 1);
    assert!(seg(dir.path(), &["pack"]).status.success());
    let mut known = answer(dir.path());
    let (mut n_before, mut n_after, mut day) = (0, 0, 0);
    // How long a packing takes, by which moments are chosen.
    let begun = Instant::now();
    put_day(dir.path(), 1);
    assert!(seg(dir.path(), &["pack", "--append"]).status.success());
    let mut whole = begun.elapsed().max(Duration::from_millis(5));
    day += 1;
    let mut chance: u64 = 5;
    let mut next = None;
    for n in 0..300 {
        if next.is_none() {
            // What is killed is always something: a day that the store does not have.
            known = answer(dir.path());
            day += 1;
            put_day(dir.path(), day);
            next = Some(day);
        }
        let mut packing = Command::new(env!("CARGO_BIN_EXE_seg"))
            .args(if n % 7 == 0 { &["pack"][..] } else { &["pack", "--append"] })
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command runs");
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(whole.mul_f64((chance >> 33) as f64 / f64::from(1_u32 << 31) * 1.3));
        let _ = packing.kill();
        packing.wait().expect("it ended");
        let found = answer(dir.path());
        if found == known {
            n_before += 1;
        } else {
            n_after += 1;
            next = None;
        }
        // The store grows, and machines are busy: where they end before they are killed it is
        // sooner the next time, and else a little later, so that both are met often enough.
        whole = whole.mul_f64(if found == known { 1.02 } else { 0.95 });
        if n % 30 == 0 {
            let verified = seg(dir.path(), &["store", "verify"]);
            assert!(verified.status.success(), "{}", text(&verified));
        }
    }
    assert!(n_before > 30 && n_after > 30, "{n_before} before, {n_after} after");
    // After all of it the store has every day.
    let packed = seg(dir.path(), &["pack", "--append"]);
    assert!(packed.status.success(), "{}", text(&packed));
    let of_store = answer(dir.path());
    let settings = std::fs::read_to_string(dir.path().join("seg.toml")).expect("read");
    std::fs::write(dir.path().join("seg.toml"), settings.replace("store = \"store\"\n", "")).expect("written");
    assert_eq!(of_store, answer(dir.path()));
}
