//! What no compiler checks.

use seg_syntax::diag::ALL_CODES;
use seg_tests::root;
use std::path::{Path, PathBuf};

/// A file longer than this hides a second noun.
const LINES_MAX: usize = 700;

/// Words that were given up, each with the one that is used instead:
/// `docs/glossary.md` says what it means.
const OLD_WORDS: &[(&str, &str)] = &[
    ("row of events", "event sequence"),
    ("rows of events", "event sequences"),
    ("judged at", "evaluated as of"),
    ("held against", "compared with"),
    ("lead words", "prefix words"),
    ("precompiled kernel", "kernel of the plan evaluator"),
    ("throng", "large batch"),
    ("crowd", "large batch, or profiles"),
    ("nasty", "edge-case profiles"),
    ("twisted", "non-canonical layout"),
    ("seldom", "rarely"),
];

/// Where an old word is right: titles of diagnostics, which keep theirs, and records
/// of what was measured.
const KEEP_OLD_WORDS: &[&str] = &["docs/errors/README.md", "docs/errors/E0215.md", "docs/benchmarks/20"];

/// Checks the repository; every problem is named.
pub fn run() -> Result<(), String> {
    let mut problems = Vec::new();
    let mut files = Vec::new();
    gather(&root(), &mut files)?;
    for path in &files {
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        let name = path.strip_prefix(root()).unwrap_or(path).display().to_string();
        if name.ends_with(".rs") {
            rust_file(&name, &text, &mut problems);
        }
        if (name.ends_with(".md") || name.ends_with(".rs")) && text.lines().any(|l| l.ends_with([' ', '\t'])) {
            problems.push(format!("{name}: a line ends in white space"));
        }
        old_words(&name, &text, &mut problems);
    }
    error_pages(&mut problems)?;
    snapshots(&files, &mut problems);
    for needed in ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "CHANGELOG.md", "docs/architecture.md"] {
        if !root().join(needed).is_file() {
            problems.push(format!("{needed} is missing"));
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(format!("{}\n", problems.join("\n"))),
    }
}

fn gather(dir: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    for entry in std::fs::read_dir(dir).map_err(|e| format!("{}: {e}\n", dir.display()))? {
        let path = entry.map_err(|e| e.to_string())?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if name != "target" && name != ".git" {
                gather(&path, files)?;
            }
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

fn rust_file(name: &str, text: &str, problems: &mut Vec<String>) {
    let n_lines = text.lines().count();
    if n_lines > LINES_MAX {
        problems.push(format!("{name}: {n_lines} lines; which noun is hiding in there?"));
    }
    if !text.starts_with("//!") {
        problems.push(format!("{name}: does not begin by saying what it is"));
    }
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        if !name.contains("xtask") && (line.contains("unsafe {") || line.trim_start().starts_with("unsafe impl")) {
            // Tests and examples stand for foreign code, which may be unsafe.
            let may_be = name.starts_with("crates/seg-jit/")
                || matches!(name, "crates/seg-exec/src/kernels/simd.rs" | "crates/seg-io/src/store/map.rs");
            if name.starts_with("crates/") && !may_be {
                problems.push(format!(
                    "{name}:{}: unsafe code outside seg-jit, the SIMD file and the one that maps stores",
                    at + 1
                ));
            }
            let before = lines.iter().take(at + 1).rev().take(8);
            if !before.into_iter().any(|l| l.contains("// SAFETY:")) {
                problems.push(format!("{name}:{}: unsafe code without a `// SAFETY:` line", at + 1));
            }
        }
        if line.contains("#[ignore") && !name.contains("xtask") {
            problems.push(format!("{name}:{}: a test is ignored", at + 1));
        }
    }
}

/// Refuses the words that were given up, in the documentation and in comments. What
/// stands in fences or back-ticks shows what Seg says or reads; messages are texts
/// of the code and no comments.
fn old_words(name: &str, text: &str, problems: &mut Vec<String>) {
    let is_page = name.ends_with(".md");
    if !is_page && !name.ends_with(".rs") || KEEP_OLD_WORDS.iter().any(|kept| name.starts_with(kept)) {
        return;
    }
    let mut is_fenced = false;
    for (at, line) in text.lines().enumerate() {
        let is_fence = is_page && line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        let is_prose = if is_page { !is_fenced && !is_fence } else { line.trim_start().starts_with("//") };
        if !is_prose {
            continue;
        }
        let prose = line.split('`').step_by(2).collect::<Vec<_>>().join("`").to_lowercase();
        for (old, new) in OLD_WORDS {
            let begins =
                |start: usize| !prose.get(..start).is_some_and(|before| before.ends_with(char::is_alphanumeric));
            if prose.match_indices(old).any(|(start, _)| begins(start)) {
                problems.push(format!("{name}:{}: `{old}` is called `{new}` now", at + 1));
            }
        }
    }
}

/// Pages and codes belong together, both ways.
fn error_pages(problems: &mut Vec<String>) -> Result<(), String> {
    let dir = root().join("docs/errors");
    for entry in std::fs::read_dir(&dir).map_err(|e| format!("{}: {e}\n", dir.display()))? {
        let path = entry.map_err(|e| e.to_string())?.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if stem != "README" && !ALL_CODES.iter().any(|c| c.number() == stem) {
            problems.push(format!("docs/errors/{stem}.md: there is no such code"));
        }
    }
    for code in ALL_CODES {
        if !dir.join(format!("{code}.md")).is_file() {
            problems.push(format!("docs/errors/{code}.md is missing"));
        }
    }
    Ok(())
}

/// A snapshot in the suite without its case tests nothing.
fn snapshots(files: &[PathBuf], problems: &mut Vec<String>) {
    let suite = root().join("tests/suite");
    for path in files.iter().filter(|p| p.starts_with(&suite)) {
        let is_orphan = path.extension().is_some_and(|e| e == "snap")
            && !path.with_extension("seg").is_file()
            && !path.with_extension("toml").is_file();
        if is_orphan {
            problems.push(format!("{}: a snapshot without its case", path.display()));
        }
    }
}
