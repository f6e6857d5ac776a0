//! Who entered and who left since an earlier result, and results that are made again.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "tests may panic"
)]

mod command;

use command::{err, read, run, seg, write};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const SETTINGS: &str = "name = \"shop\"\ntimezone = \"UTC\"\nat = \"2026-06-01T12:00:00Z\"\n\
    [data.profiles]\nfiles = [\"people.csv\"]\nid = \"id\"\n";
const SEGMENTS: &str = "segment \"VIP\" include people whose points is at least 100\n\
    segment \"New\" include people whose points is less than 10\n";
const BEFORE: &str = "id,points,consent\nann,150,true\nben,5,true\ncleo,50,false\ndan,120,true\n";
/// Ann leaves, Ben goes from the one to the other, Cleo enters, Dan is gone, Eve is new.
const AFTER: &str = "id,points,consent\nann,50,true\nben,200,false\ncleo,3,false\neve,1,\n";

fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "seg.toml", SETTINGS);
    write(dir.path(), "schema.toml", "[attributes]\npoints = \"integer\"\nconsent = \"boolean\"\n");
    write(dir.path(), "people.csv", BEFORE);
    write(dir.path(), "s.seg", SEGMENTS);
    dir
}

const CHANGES: &str = "segment,profile_id,change\nVIP,ben,entered\nVIP,ann,left\nVIP,dan,left\n\
    New,cleo,entered\nNew,eve,entered\nNew,ben,left\n";

#[test]
fn changes_are_the_same_since_every_format_and_layout() {
    let dir = project();
    let formats = ["csv", "ndjson", "parquet", "arrow"];
    let mut earlier = Vec::new();
    for format in formats {
        // A boolean attribute beside segments is none of them.
        for columns in [&[][..], &["--columns", "consent,points"]] {
            for layout in ["long", "wide", "files"] {
                let name = format!("{layout}-{}-{format}", columns.len());
                let path = if layout == "files" { name } else { format!("{name}.{format}") };
                let args = ["--members", &path, "--layout", layout, "--members-format", format];
                run(dir.path(), 0, &[&args[..], columns].concat());
                earlier.push(path);
            }
        }
    }
    // The first bytes tell a file whose name says nothing.
    for format in formats {
        let name = format!("unnamed-{format}");
        run(dir.path(), 0, &["--members", &name, "--members-format", format]);
        earlier.push(name);
    }
    for path in &earlier {
        let told = run(dir.path(), 0, &["--changes-since", path, "--changes", "none.csv"]);
        assert!(told.contains(&format!("changes since {path} written to none.csv: 0 entered, 0 left\n")), "{told}");
        assert_eq!(read(dir.path(), "none.csv"), "segment,profile_id,change\n", "{path}");
    }
    write(dir.path(), "people.csv", AFTER);
    for path in &earlier {
        let told = run(dir.path(), 0, &["--changes-since", path, "--changes", "c.csv"]);
        assert_eq!(read(dir.path(), "c.csv"), CHANGES, "{path}");
        assert!(told.contains("3 entered, 3 left\n"), "{told}");
        assert!(told.contains("changes: 1 of those who left is not in the data any more"), "{told}");
    }
}

#[test]
fn changes_have_columns_and_every_format() {
    let dir = project();
    run(dir.path(), 0, &["--members", "m.csv"]);
    write(dir.path(), "people.csv", AFTER);
    for format in ["ndjson", "parquet", "arrow"] {
        let file = format!("c.{format}");
        run(dir.path(), 0, &["--changes-since", "m.csv", "--changes", &file, "--columns", "points"]);
        assert!(dir.path().join(&file).exists());
    }
    let lines: Vec<Value> =
        read(dir.path(), "c.ndjson").lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(lines[0], json!({"segment": "VIP", "profile_id": "ben", "change": "entered", "points": 200}));
    // Of somebody who is not in the data any more nothing is known.
    assert_eq!(lines[2], json!({"segment": "VIP", "profile_id": "dan", "change": "left", "points": null}));
    let json = seg(dir.path(), &["run", "--format", "json", "--changes-since", "m.csv", "--changes", "c.csv"]);
    let json: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    let vip = json!({"segment": "VIP", "entered": 1, "left": 2, "left_the_data": 1, "was_there": true});
    assert_eq!((&json["changes"]["segments"][0], &json["changes"]["since"]), (&vip, &"m.csv".into()));
    assert_eq!(json["written"], json!([{"kind": "changes", "file": "c.csv", "segment": null, "rows": 6}]));
}

#[test]
fn members_may_take_the_place_of_those_they_are_compared_with() {
    let dir = project();
    for members in [&["m.csv"][..], &["out", "--layout", "files"], &["w.parquet", "--layout", "wide"]] {
        write(dir.path(), "people.csv", BEFORE);
        run(dir.path(), 0, &[&["--members"], members].concat());
        write(dir.path(), "people.csv", AFTER);
        let args = ["--changes-since", members[0], "--changes", "c.csv", "--members"];
        run(dir.path(), 0, &[&args[..], members].concat());
        assert_eq!(read(dir.path(), "c.csv"), CHANGES);
        run(dir.path(), 0, &[&args[..], members].concat());
        assert_eq!(read(dir.path(), "c.csv"), "segment,profile_id,change\n");
    }
    // Any other output may not.
    let before = read(dir.path(), "m.csv");
    for (since, args) in [
        ("m.csv", &["--changes", "m.csv"][..]),
        ("m.csv", &["--changes", "c.csv", "--manifest", "./m.csv"]),
        ("out", &["--changes", "out/VIP.csv"]),
        ("out", &["--changes", "c.csv", "--manifest", "out/_segments.json"]),
    ] {
        let told = run(dir.path(), 2, &[&["--changes-since", since], args].concat());
        assert!(told.contains("members alone may take its place; nothing was run"), "{told}");
    }
    assert_eq!(read(dir.path(), "m.csv"), before);
}

#[test]
fn segments_that_come_and_go_are_told_of() {
    let dir = project();
    run(dir.path(), 0, &["--members", "m.csv"]);
    run(dir.path(), 0, &["--members", "w.csv", "--layout", "wide"]);
    run(dir.path(), 0, &["--members", "out", "--layout", "files"]);
    write(dir.path(), "s.seg", &SEGMENTS.replace("\"New\"", "\"Newcomers\""));
    for since in ["m.csv", "w.csv", "out"] {
        let told = run(dir.path(), 0, &["--changes-since", since, "--changes", "c.csv"]);
        let new = format!("changes: nobody was in \"Newcomers\" in {since}; its 1 member is listed as entered\n");
        let gone = format!(
            "changes: \"New\" had 1 member in {since} and is not run now; nobody is listed as having left it\n"
        );
        assert!(told.contains(&new) && told.contains(&gone), "{told}");
        assert_eq!(read(dir.path(), "c.csv"), "segment,profile_id,change\nNewcomers,ben,entered\n");
    }
    // A segment that was there and had nobody is not new, where that can be told.
    write(dir.path(), "s.seg", "segment \"VIP\" include people whose points is at least 1000\n");
    for args in [&["w.csv", "--layout", "wide"][..], &["out", "--layout", "files"]] {
        run(dir.path(), 0, &[&["--members"], args].concat());
    }
    write(dir.path(), "s.seg", SEGMENTS);
    for since in ["w.csv", "out"] {
        let told = run(dir.path(), 0, &["--changes-since", since, "--changes", "c.csv"]);
        assert!(!told.contains("nobody was in \"VIP\"") && told.contains("nobody was in \"New\""), "{told}");
    }
}

/// Somebody whose id was merged into another's since is the same person.
#[test]
fn people_keep_their_membership_when_ids_are_merged() {
    let dir = project();
    write(dir.path(), "people.csv", "id,points\nann,150\nann-phone,150\nben,150\n");
    run(dir.path(), 0, &["--members", "m.csv"]);
    assert_eq!(read(dir.path(), "m.csv").lines().count(), 4);
    write(
        dir.path(),
        "seg.toml",
        &format!("{SETTINGS}[data.merges]\nfiles = [\"merges.csv\"]\nfrom = \"old\"\ninto = \"new\"\n"),
    );
    write(dir.path(), "merges.csv", "old,new\nann-phone,ann\nben,benjamin\n");
    run(dir.path(), 0, &["--changes-since", "m.csv", "--changes", "c.csv", "--members", "now.csv"]);
    assert_eq!(read(dir.path(), "now.csv"), "segment,profile_id\nVIP,ann\nVIP,benjamin\n");
    assert_eq!(read(dir.path(), "c.csv"), "segment,profile_id,change\n");
}

#[test]
fn an_earlier_result_that_cannot_be_read_is_told_of_before_the_run() {
    let dir = project();
    let path = dir.path();
    for (args, cut) in [
        (&["--members", "m.csv"][..], 30),
        (&["--members", "m.ndjson"], 60),
        (&["--members", "m.parquet"], 200),
        (&["--members", "m.arrow"], 300),
        (&["--members", "w.csv", "--layout", "wide"], 40),
    ] {
        run(path, 0, args);
        let whole = std::fs::read(path.join(args[1])).expect("bytes");
        std::fs::write(path.join(format!("cut-{}", args[1])), &whole[..cut]).expect("written");
        // One wrong byte in the middle of what Parquet and Arrow packed is no panic.
        for at in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x55;
            if at % 35 == 0 {
                std::fs::write(path.join(format!("damaged-{}", args[1])), damaged).expect("written");
                let since = format!("damaged-{}", args[1]);
                let output = seg(path, &["run", "--changes-since", &since, "--changes", "d.csv"]);
                assert!(matches!(output.status.code(), Some(0 | 3)), "{since} at {at}: {}", err(&output));
                assert!(!err(&output).contains("panicked"), "{since} at {at}: {}", err(&output));
            }
        }
    }
    let _ = std::fs::remove_file(path.join("d.csv"));
    run(path, 0, &["--members", "out", "--layout", "files"]);
    run(path, 0, &["--members", "mixed", "--layout", "files"]);
    write(path, "mixed/VIP.csv", "profile_id\nann\n");
    std::fs::create_dir(path.join("empty")).expect("a folder");
    for (name, text) in [
        ("empty.csv", ""),
        ("other.csv", "a,b\n1,2\n"),
        ("people-only.csv", "profile_id,points\nann,1\n"),
        ("ragged.csv", "segment,profile_id\nVIP,ann\nVIP\n"),
        ("no-id.csv", "segment,profile_id\nVIP,\n"),
        ("no-flag.csv", "profile_id,VIP\nann,true\nben,perhaps\n"),
        ("no-flag.ndjson", "{\"profile_id\":\"ann\",\"VIP\":3}\n"),
        ("number.ndjson", "{\"segment\":\"VIP\",\"profile_id\":7}\n"),
        ("array.ndjson", "[1]\n"),
        ("changes.csv", CHANGES),
    ] {
        write(path, name, text);
    }
    std::fs::write(path.join("latin.csv"), b"segment,profile_id\nVIP,Ren\xe9\n").expect("written");
    for (since, message) in [
        ("nowhere.csv", "nowhere.csv: there is no such file; a first run has nothing to compare with"),
        ("cut-m.csv", "cut-m.csv: the last line does not end: the file was cut off"),
        ("cut-m.ndjson", "cut-m.ndjson: the last line does not end: the file was cut off"),
        ("cut-w.csv", "cut-w.csv: the last line does not end: the file was cut off"),
        ("cut-m.parquet", "cut-m.parquet: this is not a readable Parquet file; is it complete?"),
        ("cut-m.arrow", "cut-m.arrow: this is not a readable Arrow file; is it complete?"),
        ("empty.csv", "empty.csv: the file is empty"),
        ("other.csv", "other.csv: this is no file of members: those have the columns `segment` and `profile_id`"),
        ("people-only.csv", "this one has `profile_id`, `points`"),
        ("ragged.csv", "ragged.csv: line 3 has 1 field and the header 2"),
        ("no-id.csv", "no-id.csv: line 2: `profile_id` has nothing rather than a text"),
        ("no-flag.csv", "no-flag.csv: line 3: segment `VIP` has `perhaps` rather than true or false"),
        ("no-flag.ndjson", "no-flag.ndjson: line 1: segment `VIP` has `3` rather than true or false"),
        ("number.ndjson", "number.ndjson: line 1: `profile_id` has `7` rather than a text"),
        ("array.ndjson", "array.ndjson: this is no file of members: line 1 is no JSON object"),
        ("changes.csv", "changes.csv: these are changes, as the column `change` shows"),
        ("latin.csv", "latin.csv: line 2 is not UTF-8 text"),
        ("mixed", "mixed/VIP.csv: it has 1 member and `_segments.json` says 2"),
        ("empty", "empty: a folder of members has a file `_segments.json`, and this one has none"),
        ("people.csv", "people.csv: this is no file of members"),
    ] {
        let told = run(path, 3, &["--changes-since", since, "--changes", "d.csv", "--members", "m.csv"]);
        assert!(told.contains(message) && told.ends_with("nothing was run\n"), "{since}: {told}");
        assert!(!path.join("d.csv").exists());
    }
    // What may be an attribute or a segment is not guessed at.
    write(path, "s.seg", "segment \"consent\" include everyone\n");
    write(path, "either.csv", "profile_id,consent\nann,true\n");
    let told = run(path, 3, &["--changes-since", "either.csv", "--changes", "d.csv"]);
    assert!(told.contains("`consent` is a segment and an attribute now"), "{told}");
}

fn manifest(dir: &Path, name: &str) -> Value {
    serde_json::from_str(&read(dir, name)).expect("JSON")
}

#[test]
fn a_manifest_tells_what_was_read_asked_and_found() {
    let dir = project();
    write(dir.path(), "people.csv", &format!("{BEFORE},7,true\n"));
    write(dir.path(), "s.seg", &format!("list \"friends\" from \"friends.csv\"\n{SEGMENTS}"));
    write(dir.path(), "friends.csv", "id\nann\n");
    run(dir.path(), 0, &["--members", "old.csv", "--max-bad", "50%"]);
    let args = ["--members", "m.csv", "--columns", "points", "--changes-since", "old.csv", "--changes", "c.csv"];
    run(dir.path(), 0, &[&args[..], &["--max-bad", "50%", "--manifest", "m.json"]].concat());
    let told = manifest(dir.path(), "m.json");
    assert_eq!(
        (&told["manifest"], &told["project"], &told["columns"]),
        (&1.into(), &"shop".into(), &json!(["points"]))
    );
    assert_eq!((&told["at"], &told["at_from"]), (&"2026-06-01T12:00:00Z".into(), &"seg.toml".into()));
    assert_eq!((&told["time_zone"], &told["people"]), (&"UTC".into(), &4.into()));
    assert_eq!(told["rows"], json!({"read": 5, "refused": 1, "refused_by_kind": {"missing-id": 1}}));
    let kinds: Vec<(&str, &str)> = told["inputs"]
        .as_array()
        .expect("inputs")
        .iter()
        .map(|input| (input["kind"].as_str().expect("a kind"), input["file"].as_str().expect("a file")))
        .collect();
    let expected = [
        ("settings", "seg.toml"),
        ("schema", "schema.toml"),
        ("segments", "s.seg"),
        ("list", "friends.csv"),
        ("data", "people.csv"),
        ("previous", "old.csv"),
    ];
    assert_eq!(kinds, expected);
    // Anybody can calculate the fingerprints.
    for file in told["inputs"].as_array().expect("inputs").iter().chain(told["outputs"].as_array().expect("outputs")) {
        let name = file["file"].as_str().expect("a file");
        let sum = Command::new("sha256sum").arg(name).current_dir(dir.path()).output().expect("it runs");
        assert_eq!(String::from_utf8_lossy(&sum.stdout)[..64], *file["sha256"].as_str().expect("a sum"), "{name}");
        assert_eq!(file["bytes"], read(dir.path(), name).len());
    }
    let outputs: Vec<(&Value, &Value)> =
        told["outputs"].as_array().expect("outputs").iter().map(|file| (&file["kind"], &file["rows"])).collect();
    assert_eq!(outputs, [(&"members".into(), &3.into()), (&"changes".into(), &0.into())]);
    let vip = &told["segments"][0];
    assert_eq!((&vip["segment"], &vip["members"]), (&"VIP".into(), &2.into()));
    write(dir.path(), "ids.txt", "ann\ndan\n");
    let sum = Command::new("sha256sum").arg("ids.txt").current_dir(dir.path()).output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&sum.stdout)[..64], *vip["members_sha256"].as_str().expect("a sum"));
    // The same run has the same manifest, byte for byte; other words for the same meaning have
    // the same fingerprint, and another meaning has another.
    let first = read(dir.path(), "m.json");
    run(dir.path(), 0, &[&args[..], &["--max-bad", "50%", "--manifest", "m.json"]].concat());
    assert_eq!(read(dir.path(), "m.json"), first);
    let fingerprint = |segments: &str| {
        write(dir.path(), "s.seg", segments);
        run(dir.path(), 0, &["--max-bad", "50%", "--manifest", "other.json"]);
        manifest(dir.path(), "other.json")["fingerprints"]["segments"].clone()
    };
    let same = fingerprint(&format!("# as before\n{}", SEGMENTS.replace("is at least 100", ">= 100")));
    assert_eq!(same, told["fingerprints"]["segments"]);
    assert_ne!(fingerprint(&SEGMENTS.replace("100", "101")), same);
}

#[test]
fn a_result_is_made_again_and_compared() {
    let dir = project();
    let path = dir.path();
    run(path, 0, &["--at", "2026-05-01T00:00:00Z", "--members", "m.csv", "--manifest", "m.json"]);
    let output = seg(path, &["run", "--verify", "m.json"]);
    assert_eq!(err(&output), "verify: the same people are in the same segments as m.json tells\n");
    // It is made again as of the same instant.
    let told = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(told.contains("judged at 2026-05-01T00:00:00Z (from --verify)"), "{told}");
    // What changes no answer is told of, and no more.
    write(path, "people.csv", &format!("{BEFORE}fay,50,\n"));
    let told = run(path, 0, &["--verify", "m.json"]);
    assert!(told.starts_with("verify: `people.csv` is not what it was\n"), "{told}");
    // Who is in other segments is, and nothing is replaced.
    write(path, "people.csv", AFTER);
    write(path, "s.seg", &format!("{SEGMENTS}segment \"More\" include everyone\n"));
    let before = read(path, "m.csv");
    let told = run(path, 1, &["--verify", "m.json", "--members", "m.csv"]);
    for line in [
        "verify: \"VIP\" had 2 members and has 1 now\n",
        "verify: \"New\" had 1 member and has 2 now\n",
        "verify: \"More\" is a new segment\n",
        "verify: `people.csv` is not what it was\n",
        "verify: `s.seg` is not what it was\n",
        "the result is not the one that m.json tells of; nothing was written\n",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert_eq!(read(path, "m.csv"), before);
    // As many members may be others, and the same ones for another reason.
    write(path, "people.csv", &BEFORE.replace("ann,150", "ann,50").replace("cleo,50", "cleo,150"));
    write(path, "s.seg", SEGMENTS);
    let told = run(path, 1, &["--verify", "m.json"]);
    assert!(told.contains("\"VIP\" has as many members as before, 2, and others"), "{told}");
    write(path, "people.csv", BEFORE);
    write(path, "s.seg", &SEGMENTS.replace("at least 100", "at least 101"));
    let output = seg(path, &["run", "--verify", "m.json", "--format", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((output.status.code(), &json["verified"]["is_same"]), (Some(1), &false.into()));
    assert_eq!(json["verified"]["differences"], json!(["\"VIP\" means something else now"]));
    write(path, "s.seg", "segment \"VIP\" include people whose points is at least 100\n");
    assert!(run(path, 1, &["--verify", "m.json"]).contains("\"New\" is no segment that is run now"));
}

#[test]
fn what_is_no_manifest_is_told_of_before_the_run() {
    let dir = project();
    run(dir.path(), 0, &["--manifest", "m.json"]);
    let good = read(dir.path(), "m.json");
    write(dir.path(), "version.json", &good.replace("\"manifest\": 1", "\"manifest\": 2"));
    write(dir.path(), "other.json", "{\"a\": 1}");
    write(dir.path(), "cut.json", &good[..200]);
    write(dir.path(), "soon.json", &good.replace("2026-06-01T12:00:00Z", "soon"));
    for (name, message) in [
        ("none.json", "none.json: there is no such file"),
        ("version.json", "version.json: its version is 2, and this Seg reads version 1"),
        ("other.json", "other.json: this is no manifest of a run"),
        ("cut.json", "cut.json: this is no manifest of a run"),
        ("soon.json", "soon.json: `at` is `soon`, which is not an instant"),
    ] {
        let told = run(dir.path(), 3, &["--verify", name]);
        assert!(told.contains(message), "{told}");
    }
    let told = run(dir.path(), 2, &["--verify", "m.json", "--manifest", "m.json"]);
    assert!(told.contains("m.json: the result is compared with this manifest; nothing was run"), "{told}");
    assert_eq!(seg(dir.path(), &["run", "--verify", "m.json", "--at", "2026-01-01"]).status.code(), Some(2));
    // What cannot be read twice cannot be told of.
    #[cfg(unix)]
    {
        write(dir.path(), "seg.toml", &SETTINGS.replace("people.csv", "pipe.csv"));
        assert!(Command::new("mkfifo").arg(dir.path().join("pipe.csv")).status().expect("it runs").success());
        let told = run(dir.path(), 3, &["--manifest", "new.json"]);
        assert!(told.contains("pipe.csv: only what stays can be told of in a manifest"), "{told}");
    }
}
