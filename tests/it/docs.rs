//! The documentation is held to what it says.

use seg_syntax::diag::ALL_CODES;
use seg_tests::docs::{blocks, with_outputs};
use seg_tests::root;
use std::path::PathBuf;

fn markdown_files() -> Vec<PathBuf> {
    let mut open = vec![root().join("docs"), root().join("examples")];
    let mut files = vec![root().join("README.md"), root().join("CHANGELOG.md")];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => open.push(path),
                false if path.extension().is_some_and(|e| e == "md") => files.push(path),
                false => {}
            }
        }
    }
    files
}

#[test]
fn every_block_is_right_or_wrong_as_it_says() {
    let (mut n_blocks, mut n_expectations) = (0, 0);
    for path in markdown_files() {
        let text = std::fs::read_to_string(&path).expect("a text");
        for block in blocks(&text) {
            let Some(problems) = block.problems() else { continue };
            n_blocks += 1;
            let is_wrong = block.is("error");
            assert_eq!(!problems.is_empty(), is_wrong, "{}:\n{}\n{problems}", path.display(), block.text);
            if block.info.starts_with("seg") && !is_wrong {
                let (n, n_true) = block.expectations();
                assert_eq!(n_true, n, "{}:\n{}", path.display(), block.text);
                n_expectations += n;
            }
        }
    }
    assert!(n_blocks > 100, "only {n_blocks} blocks were found");
    assert!(n_expectations > 8, "only {n_expectations} expectations were found");
}

/// The failing example of a page gives its code and nothing else.
#[test]
fn every_code_has_a_page_whose_example_gives_it() {
    // Their examples are too long for a page or cannot be written in one.
    let without_example = ["E0006", "E0602", "E0603", "E0707", "E0708", "E0709", "W1702"];
    for code in ALL_CODES {
        let path = root().join(format!("docs/errors/{code}.md"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let heading = format!("# {code}: {}\n", code.title());
        assert!(text.starts_with(&heading), "{} does not begin with {heading}", path.display());
        let blocks = blocks(&text);
        let failing: Vec<_> = blocks.iter().filter(|b| b.is("error")).collect();
        if without_example.contains(&code.number()) {
            assert!(failing.is_empty(), "{code} has an example after all");
            continue;
        }
        assert_eq!(failing.len(), 1, "{code} needs one failing example");
        let problems = failing[0].problems().expect("a block that is read");
        let found: Vec<_> = problems.iter().map(|d| d.code).collect();
        assert!(!found.is_empty() && found.iter().all(|c| c == code), "{code}: {problems}");
        assert!(
            blocks.iter().any(|b| !b.is("error") && b.problems().is_some_and(|p| p.is_empty())),
            "{code} is not repaired"
        );
    }
}

#[test]
fn outputs_are_what_seg_says() {
    for path in markdown_files() {
        let text = std::fs::read_to_string(&path).expect("a text");
        assert!(with_outputs(&text) == text, "{} is out of date: run `cargo xtask codegen`", path.display());
    }
}
