//! The generated parts of the documentation.
//!
//! - what Seg says of the failing examples, behind each `<!-- output -->`;
//! - the output of the commands in `console` blocks;
//! - the index of error pages;
//! - the public interface of the facade.

use crate::api::public_api;
use seg_syntax::diag::ALL_CODES;
use seg_tests::docs::with_outputs;
use seg_tests::root;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether to write what changed or to refuse it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Write,
    Check,
}

/// Brings every generated part up to date.
pub fn run(mode: Mode) -> Result<(), String> {
    let mut stale = Vec::new();
    for path in markdown_files()? {
        let before = read(&path)?;
        let mut after = with_outputs(&before);
        after = with_commands(&after)?;
        update(&path, &before, &after, mode, &mut stale)?;
    }
    let index = root().join("docs/errors/README.md");
    let before = std::fs::read_to_string(&index).unwrap_or_default();
    update(&index, &before, &error_index(), mode, &mut stale)?;
    let syntax = root().join("docs/book/src/syntax.md");
    let before = std::fs::read_to_string(&syntax).unwrap_or_default();
    update(&syntax, &before, &syntax_chapter(&read(&root().join("grammar/seg.pest"))?), mode, &mut stale)?;
    let api = root().join("docs/public-api.txt");
    let before = std::fs::read_to_string(&api).unwrap_or_default();
    update(&api, &before, &public_api()?, mode, &mut stale)?;
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("out of date, run `cargo xtask codegen`:\n  {}\n", stale.join("\n  ")))
}

fn update(path: &Path, before: &str, after: &str, mode: Mode, stale: &mut Vec<String>) -> Result<(), String> {
    if before == after {
        return Ok(());
    }
    match mode {
        Mode::Write => std::fs::write(path, after).map_err(|e| format!("{}: {e}\n", path.display())),
        Mode::Check => {
            stale.push(path.strip_prefix(root()).unwrap_or(path).display().to_string());
            Ok(())
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}\n", path.display()))
}

fn markdown_files() -> Result<Vec<PathBuf>, String> {
    let mut files = vec![root().join("README.md")];
    let mut open = vec![root().join("docs"), root().join("examples")];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).map_err(|e| format!("{}: {e}\n", dir.display()))? {
            let path = entry.map_err(|e| e.to_string())?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "md") && !path.ends_with("errors/README.md") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Replaces the output of `console` blocks whose command runs `seg`.
fn with_commands(markdown: &str) -> Result<String, String> {
    // Live memberships go on where they ended, and what is shown is a beginning.
    if markdown.contains("--data target/live") {
        let _ = std::fs::remove_dir_all(root().join("target/live"));
        let _ = std::fs::remove_file(root().join("target/live-changes.ndjson"));
    }
    let mut out = String::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        let _ = writeln!(out, "{line}");
        if line != "```console" {
            continue;
        }
        let command = lines.next().unwrap_or("");
        let _ = writeln!(out, "{command}");
        let runs_seg = command.strip_prefix("$ cargo seg ").or_else(|| command.strip_prefix("$ seg "));
        let old: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
        match runs_seg {
            Some(args) => out.push_str(&seg(args)?),
            None => old.iter().for_each(|l| out.push_str(&format!("{l}\n"))),
        }
        out.push_str("```\n");
    }
    Ok(out)
}

/// What `seg` prints, to either stream. The program is built first and run
/// itself, for `cargo run` would mix the compiler's words in.
fn seg(args: &str) -> Result<String, String> {
    // With a test, so that it is built with the features that the tests have built.
    let build = ["build", "--quiet", "--workspace", "--bin", "seg", "--test", "cli"];
    let built = Command::new("cargo").args(build).current_dir(root()).status();
    if !built.map_err(|e| format!("cargo: {e}\n"))?.success() {
        return Err("seg does not build\n".to_owned());
    }
    let program = std::env::current_exe().map_err(|e| e.to_string())?.with_file_name("seg");
    let output = Command::new(&program)
        .args(words(args))
        .current_dir(root())
        .output()
        .map_err(|e| format!("{}: {e}\n", program.display()))?;
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).map_err(|e| e.to_string())
}

/// The words of a command; what stands in double quotes is one.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (idx, part) in command.split('"').enumerate() {
        match idx % 2 {
            1 => words.push(part.to_owned()),
            _ => words.extend(part.split_whitespace().map(str::to_owned)),
        }
    }
    words
}

/// The chapter on syntax: the rules of the grammar that say what they mean.
fn syntax_chapter(grammar: &str) -> String {
    let mut out = String::from(
        "<!-- Written by `cargo xtask codegen` from the grammar's own comments. -->\n\n# The syntax\n\n\
         The grammar is `grammar/seg.pest`; these are its rules with what each means. `~` joins what follows, `|` \
         chooses the first that fits, `?` `*` `+` say how often, and `kw_and` is the word `and` in any case.\n",
    );
    let mut docs: Vec<&str> = Vec::new();
    for line in grammar.lines() {
        if let Some(title) = line.strip_prefix("// ── ") {
            let _ =
                write!(out, "\n## {}\n\n| rule | what it is |\n| --- | --- |\n", title.trim_end_matches(['─', ' ']));
        } else if let Some(doc) = line.strip_prefix("/// ") {
            docs.push(doc);
        } else if let Some((rule, _)) = line.split_once('=').filter(|_| !docs.is_empty()) {
            if !out.contains("\n| --- | --- |\n") {
                out.push_str("\n## Declarations\n\n| rule | what it is |\n| --- | --- |\n");
            }
            let _ = writeln!(out, "| `{}` | {} |", rule.trim(), docs.join(" ").replace('|', "\\|"));
            docs.clear();
        } else {
            docs.clear();
        }
    }
    out
}

fn error_index() -> String {
    let mut out = String::from(
        "<!-- Written by `cargo xtask codegen`. -->\n\
         # Errors and warnings\n\n\
         Every problem Seg reports has a number that never changes its meaning. Each has a page with what it\n\
         means, an example that fails and the same example repaired. The examples speak of the shop in\n\
         `tests/schemas/shop.toml`, at UTC.\n",
    );
    let families = [
        ("E00", "Characters and tokens"),
        ("E01", "Structure"),
        ("E02", "Names"),
        ("E03", "Types, units and values"),
        ("E04", "Time and windows"),
        ("E05", "Absence and logic"),
        ("E06", "Limits"),
        ("E07", "Schema and settings"),
        ("W", "Warnings"),
    ];
    for (prefix, title) in families {
        let _ = write!(out, "\n## {title}\n\n");
        for code in ALL_CODES.iter().filter(|c| c.number().starts_with(prefix)) {
            let _ = writeln!(out, "- [{code}]({code}.md) {}", code.title());
        }
    }
    out
}
