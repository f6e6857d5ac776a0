//! `seg diff` of folders and of revisions of git, over people who are counted by hand.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

mod command;

use command::{err, seg, write};
use std::path::Path;
use std::process::{Command, Output};

const SETTINGS: &str = "name = \"shop\"\ntimezone = \"UTC\"\nat = \"2026-06-01T12:00:00Z\"\n[data.profiles]\nfiles = [\"people.csv\"]\nid = \"id\"\n[data.events]\nfiles = [\"events.csv\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n";
const SCHEMA: &str =
    "[attributes]\ncountry = \"text\"\n[events.order]\nalso = [\"ordered\"]\nproperties = { amount = \"money\" }\n";
const PEOPLE: &str = "id,country\nann,DE\nben,US\ncy,DE\ndan,FR\n";
/// Ann ordered a day ago, Ben 20 days ago, Cy 40, Dan 60.
const EVENTS: &str = "id,event,time,amount\nann,order,2026-05-31T12:00:00Z,10\nben,order,2026-05-12T12:00:00Z,20\ncy,order,2026-04-22T12:00:00Z,30\ndan,order,2026-04-02T12:00:00Z,40\n";
const OLD: &str = r#"
define "lately" as ordered in the past 30 days
list "near" from "near.csv"
segment "Same" include people who ordered in the past 30 days
segment "Wording" include people who have not ordered in the past 30 days
segment "Wider" include people who ordered in the past 30 days and whose country is known
segment "Narrower" include people who ordered in the past 50 days
segment "Different" include people whose country is "DE"
segment "Defined" include people who "lately"
segment "Listed" include people whose country is in list "near"
segment "Gone" include people whose country is "FR"
"#;

fn new() -> String {
    OLD.replace(
        "segment \"Wording\" include people who have not ordered",
        "segment \"Wording\" include people with no order",
    )
    .replace(
        "segment \"Wider\" include people who ordered in the past 30",
        "segment \"Wider\" include people who ordered in the past 50",
    )
    .replace(
        "segment \"Narrower\" include people who ordered in the past 50",
        "segment \"Narrower\" include people who ordered in the past 30",
    )
    .replace("whose country is \"DE\"", "whose country is \"US\"")
    .replace("define \"lately\" as ordered in the past 30", "define \"lately\" as ordered in the past 50")
    .replace(
        "segment \"Gone\" include people whose country is \"FR\"",
        "segment \"New\" include people whose country is \"FR\"",
    )
}

fn fill(dir: &Path, segments: &str, near: &str) {
    std::fs::create_dir_all(dir).expect("a folder");
    for (name, text) in [
        ("seg.toml", SETTINGS),
        ("schema.toml", SCHEMA),
        ("people.csv", PEOPLE),
        ("events.csv", EVENTS),
        ("near.csv", near),
        ("s.seg", segments),
    ] {
        write(dir, name, text);
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

#[test]
fn folders_are_compared_segment_by_segment() {
    let dir = tempfile::tempdir().expect("a directory");
    fill(&dir.path().join("old"), OLD, "country\nDE\n");
    fill(&dir.path().join("new"), &new(), "country\nDE\nFR\n");
    let csv = seg(dir.path(), &["diff", "old", "new", "--format", "csv"]);
    assert!(csv.status.success(), "{}", err(&csv));
    let at = "2026-06-01T12:00:00Z";
    assert_eq!(
        out(&csv).lines().collect::<Vec<_>>(),
        [
            "segment,change,basis,at,size_old,size_new,enter,leave".to_owned(),
            format!("Same,same,proved,{at},2,2,0,0"),
            format!("Wording,wording,proved,{at},2,2,0,0"),
            format!("Wider,wider,proved,{at},2,3,1,0"),
            format!("Narrower,narrower,proved,{at},3,2,0,1"),
            // Ann and Cy leave, Ben enters.
            format!("Different,different,in-data,{at},2,1,1,2"),
            format!("Defined,wider,proved,{at},2,3,1,0"),
            // The list's values are no part of what the conditions say.
            format!("Listed,wider,in-data,{at},2,3,1,0"),
            format!("New,added,proved,{at},,1,0,0"),
            format!("Gone,removed,proved,{at},1,,0,0"),
        ]
    );
    let text = seg(dir.path(), &["diff", "old", "new"]);
    insta::assert_snapshot!("diff", out(&text));
    let json: serde_json::Value =
        serde_json::from_str(&out(&seg(dir.path(), &["diff", "old", "new", "--format", "json"]))).expect("JSON");
    assert_eq!(
        json["sum"],
        serde_json::json!({
            "segments": 7, "meaning": 5, "wording": 1, "added": 1, "removed": 1, "enter": 4, "leave": 3
        })
    );
    assert_eq!(json["segments"][2]["enters"]["person"], "cy");
    assert_eq!(json["segments"][2]["enters"]["why"]["holds"], true);
    assert_eq!(json["segments"][3]["leaves"]["why"]["holds"], false);
    // What is only worded otherwise fails nothing.
    let failing = |old: &str, new: &str| seg(dir.path(), &["diff", old, new, "--fail-on", "meaning"]).status.code();
    assert_eq!((failing("old", "new"), failing("old", "old")), (Some(1), Some(0)));
    fill(&dir.path().join("words"), &OLD.replace("have not ordered", "did not do order"), "country\nDE\n");
    assert_eq!(failing("old", "words"), Some(0));
}

#[test]
fn other_schemas_read_the_same_people() {
    let dir = tempfile::tempdir().expect("a directory");
    let segments = "segment \"Recent\" include people who ordered in the past 30 days\n";
    fill(&dir.path().join("old"), segments, "");
    fill(&dir.path().join("new"), &segments.replace("30", "45"), "");
    // Another attribute before, so that ids are not those of the old schema.
    write(dir.path(), "new/schema.toml", &SCHEMA.replace("[attributes]", "[attributes]\nage = \"integer\""));
    let csv = seg(dir.path(), &["diff", "old", "new", "--format", "csv"]);
    assert_eq!(out(&csv).lines().nth(1), Some("Recent,wider,in-data,2026-06-01T12:00:00Z,2,3,1,0"), "{}", err(&csv));
}

fn git(dir: &Path, args: &[&str]) {
    let own = ["-c", "user.name=Seg", "-c", "user.email=seg@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git")
        .args(own)
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn revisions_are_compared_with_the_folder() {
    let dir = tempfile::tempdir().expect("a directory");
    // The project is not at the top of the repository.
    let project = dir.path().join("marketing/shop");
    fill(&project, OLD, "country\nDE\n");
    git(dir.path(), &["init", "--quiet", "--initial-branch", "main"]);
    git(dir.path(), &["add", "."]);
    git(dir.path(), &["commit", "--quiet", "-m", "before"]);
    write(&project, "s.seg", &new());
    let in_project = seg(&project, &["diff", "main"]);
    assert!(in_project.status.success(), "{}", err(&in_project));
    let sentence = "4 of 7 change meaning: 3 enter, 3 leave; 1 in words only; 1 added; 1 removed";
    assert_eq!(out(&in_project).lines().next(), Some(sentence));
    let above = seg(dir.path(), &["diff", "HEAD", "marketing/shop"]);
    assert_eq!(out(&above).lines().next(), Some(sentence), "{}", err(&above));
    git(dir.path(), &["commit", "--quiet", "-a", "-m", "after"]);
    let revisions = seg(&project, &["diff", "HEAD~1", "HEAD"]);
    assert_eq!(out(&revisions).lines().next(), Some(sentence), "{}", err(&revisions));
    // The other way round, and without any change.
    let back = seg(&project, &["diff", ".", "HEAD~1"]);
    assert_eq!(
        out(&back).lines().next(),
        Some("4 of 7 change meaning: 3 enter, 3 leave; 1 in words only; 1 added; 1 removed"),
        "{}",
        err(&back)
    );
    let same = seg(&project, &["diff", "HEAD", "--fail-on", "meaning"]);
    assert_eq!((same.status.code(), out(&same).lines().next()), (Some(0), Some("0 of 8 change meaning")));
    // Nothing is left in the repository.
    let status = Command::new("git").args(["status", "--short"]).current_dir(dir.path()).output().expect("git runs");
    assert_eq!(String::from_utf8_lossy(&status.stdout), "");
}

#[test]
fn what_is_no_version_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    fill(dir.path(), OLD, "country\nDE\n");
    let refused = |args: &[&str]| {
        let output = seg(dir.path(), &[&["diff"], args].concat());
        (output.status.code(), err(&output).trim_end().to_owned())
    };
    assert_eq!(
        refused(&["main"]),
        (Some(2), "seg: `main` is no folder, and . is not in a git repository that could have it".to_owned())
    );
    git(dir.path(), &["init", "--quiet", "--initial-branch", "main"]);
    git(dir.path(), &["commit", "--quiet", "--allow-empty", "-m", "nothing"]);
    let (code, message) = refused(&["nowhere"]);
    assert_eq!(code, Some(2));
    assert!(
        message.starts_with("seg: `nowhere` is neither a folder nor a revision of the repository in "),
        "{message}"
    );
    let option = refused(&["--", "--output=x"]);
    assert_eq!(option.0, Some(2), "{option:?}");
    let (code, message) = refused(&["main"]);
    assert_eq!(code, Some(3), "{message}");
    assert_eq!(message, "seg: the revision `main`: there is no seg.toml here; `seg init` makes one");
    let folder = dir.path().join("inner");
    fill(&folder, OLD, "country\nDE\n");
    let output = seg(&folder, &["diff", "main"]);
    assert_eq!(
        (output.status.code(), err(&output).trim_end()),
        (Some(2), "seg: the revision `main` has no folder `inner`; name a folder, or another revision")
    );
    let without_git = Command::new(env!("CARGO_BIN_EXE_seg"))
        .args(["diff", "main"])
        .current_dir(dir.path())
        .env("PATH", "")
        .output()
        .expect("seg runs");
    assert_eq!(without_git.status.code(), Some(2), "{}", err(&without_git));
    assert!(err(&without_git).contains("the program `git`"), "{}", err(&without_git));
}
