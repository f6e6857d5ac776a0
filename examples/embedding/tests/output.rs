//! The program says what its README shows.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn the_readme_shows_what_is_printed() {
    let output = Command::new(env!("CARGO_BIN_EXE_embedding")).output().expect("started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).expect("text");
    let shown = format!("$ cargo run --bin embedding\n{printed}```\n");
    assert!(include_str!("../README.md").contains(&shown), "{printed}");
}

/// A service answers by the segments as the files say, also after they change, and
/// by the last that were right while they are wrong.
#[test]
fn the_service_follows_its_files() {
    let dir = std::env::temp_dir().join(format!("seg-service-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a directory");
    let write = |name: &str, text: &str| {
        // Files are told apart by when they were written.
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::write(dir.join(name), text).expect("written");
    };
    write(
        "seg.toml",
        "name = \"s\"\n[data.events]\nfiles = [\"e.csv\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n",
    );
    write("schema.toml", "[events.order]\n");
    let rows: Vec<String> = (0..1_200).map(|n| format!("{n},order,2026-05-{:02}T00:00:00Z\n", 1 + n % 30)).collect();
    write("e.csv", &format!("id,event,time\n{}", rows.concat()));
    write("s.seg", "segment \"a\" include people who did order in the past 10 days");
    let mut service = start(&dir);
    let mut answers = BufReader::new(service.stdout.take().expect("its output")).lines();
    let mut ask = service.stdin.take().expect("its input");
    let mut answer = |before: &str| {
        writeln!(ask, "2026-05-31T00:00:00Z").expect("it reads");
        let line = answers.next().expect("an answer").expect("text");
        assert_eq!(line, format!("2026-05-31T00:00:00Z: {before}"));
    };
    answer("[400]");
    write("s.seg", "segment \"a\" include people who did order in the past 20 days\nsegment \"b\" include everyone");
    answer("[800, 1200]");
    write("s.seg", "segment \"a\" include people who did ordr in the past 20 days");
    answer("[800, 1200]");
    write("s.seg", "segment \"a\" include people who did order more than 20 days ago");
    answer("[400]");
    drop(ask);
    assert!(service.wait().expect("it ends").success());
    std::fs::remove_dir_all(&dir).expect("removed");
}

fn start(dir: &Path) -> std::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_service"));
    command.arg(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started")
}
