//! `cargo xtask sanitize`: the tests again, under tools that watch every access to
//! memory. docs/soundness.md says what they can see and what they found.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The only target that both tools know here.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Tests of code that is generated, and of what it trusts.
const ENGINE_TESTS: [&str; 4] = ["contract::", "engines::", "limits::", "soundness::"];

/// Measures what a process keeps of the memory that it gave back, which
/// AddressSanitizer keeps on purpose: it is run by itself, and lets go at once.
const MEASURES_MEMORY: &str = "engines::code_is_freed_when_it_is_dropped";

/// What memcheck takes for a mistake and is none.
const SUPPRESSIONS: &str = "crates/xtask/src/sanitize/memcheck.supp";

/// Templates by chance under memcheck, which is some fifty times slower.
const TEMPLATES: &str = "250";

/// Runs the tests under one tool, or under both.
///
/// # Errors
/// What a tool found, or that there is no such tool.
pub fn run(args: &[&str]) -> Result<(), String> {
    match args {
        [] => address().and_then(|()| memory()),
        ["address"] => address(),
        ["memory"] => memory(),
        [other, ..] => Err(format!("`{other}` is neither `address` nor `memory`\n")),
    }
}

/// All tests with AddressSanitizer, whose runtime comes with the compiler. Building
/// everything again takes most of the time.
fn address() -> Result<(), String> {
    let tests = |options: &str, args: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.args(["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]);
        command.args(["--target", TARGET, "--target-dir", "target/asan", "--"]).args(args);
        // The flag is unstable, the compiler is not.
        command.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address");
        command.env("ASAN_OPTIONS", options);
        // Frames are larger than those of other builds, and texts are nested deeply.
        command.env("RUST_MIN_STACK", "67108864");
        succeed(&mut command, "AddressSanitizer")
    };
    tests("detect_leaks=0", &["--skip", MEASURES_MEMORY])?;
    tests("detect_leaks=0:quarantine_size_mb=1", &["--exact", MEASURES_MEMORY])
}

/// The tests of the engines under valgrind's memcheck, which also sees what
/// generated code reads.
fn memory() -> Result<(), String> {
    let programs = ["it", "hostile"].map(program);
    for (program, filters) in programs.into_iter().zip([&ENGINE_TESTS[..], &[]]) {
        let mut command = Command::new("valgrind");
        // Code is generated where other code lay before.
        command.args(["--error-exitcode=9", "--smc-check=all-non-file", "--num-callers=30"]);
        command.arg(format!("--suppressions={SUPPRESSIONS}"));
        command.arg(program?).args(filters).arg("--test-threads=1");
        command.env("SEG_HOSTILE_TEMPLATES", TEMPLATES);
        succeed(&mut command, "memcheck")?;
    }
    Ok(())
}

/// Builds a test program; gives where it is.
fn program(name: &str) -> Result<PathBuf, String> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["test", "--workspace", "--no-run", "--message-format=json", "--test", name]);
    let output = command.output().map_err(|e| format!("cargo: {e}\n"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let found = messages.filter(|message| message["target"]["name"] == name).find_map(|message| {
        let path = message["executable"].as_str()?;
        Some(Path::new(path).to_owned())
    });
    found.ok_or_else(|| format!("cargo built no test `{name}`\n"))
}

fn succeed(command: &mut Command, tool: &str) -> Result<(), String> {
    let status = command.current_dir(seg_tests::root()).status().map_err(|e| format!("{tool}: {e}\n"))?;
    if status.success() { Ok(()) } else { Err(format!("{tool}: {status}\n")) }
}
