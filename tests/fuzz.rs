//! Fuzz targets, and inputs made by mutating the texts of this repository.
//!
//! `cargo xtask fuzz` runs them for as long as it is told; the tests run the
//! first few thousand inputs, which are the same everywhere.

use crate::{root, schema_text};
use seg::{Project, Settings, Zone};
use seg_syntax::source::SourceId;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// What must hold for every input.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// What it is called on the command line.
    pub name: &'static str,
    /// Fails, or panics, where it does not hold.
    pub check: fn(&[u8]) -> Result<(), String>,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "any-bytes", check: any_bytes },
    Target { name: "lexer-grammar", check: lexer_grammar },
    Target { name: "schema", check: schema },
];

/// Compiles bytes as segments, prints every stage and draws every problem.
fn any_bytes(bytes: &[u8]) -> Result<(), String> {
    front_end(&schema_text("shop"), &String::from_utf8_lossy(bytes));
    Ok(())
}

/// Every leaf of a parse covers whole tokens.
fn lexer_grammar(bytes: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    for item in text.split("\nsegment ").skip(1) {
        leaves_cover_tokens(format!("segment {item}").trim())?;
    }
    Ok(())
}

/// Reads bytes as a schema and as settings.
fn schema(bytes: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    front_end(&text, "segment \"a\" include everyone");
    let _ = seg_io::manifest::parse(&text);
    Ok(())
}

/// Compiles, prints every stage and draws every problem; how much was printed.
pub fn front_end(schema: &str, text: &str) -> usize {
    let settings = Settings { zone: Zone::parse("Europe/Berlin"), ..Settings::default() };
    let project = Project::from_text(schema, [("x.seg", text)], settings);
    let parses = seg::unstable::parse(&project);
    let checked = seg::unstable::check(&project, &parses);
    let mut printed = seg_hir::hir::print(&checked.module, project.schema()).len();
    printed += parses.iter().map(|p| p.file.to_string().len() + p.tokens.print(text).to_string().len()).sum::<usize>();
    match seg::compile(&project) {
        Ok(program) => printed + program.warnings().to_string().len(),
        Err(diagnostics) => {
            assert!(diagnostics.n_errors() > 0);
            assert!(!diagnostics.to_json().is_empty());
            printed + diagnostics.to_string().len()
        }
    }
}

/// Every leaf of a parse covers whole tokens, so that the lexer and the grammar
/// never cut a word in different places. Says whether the text parsed.
///
/// # Errors
/// The leaf that does not.
pub fn leaves_cover_tokens(text: &str) -> Result<bool, String> {
    let Some(leaves) = seg_syntax::leaves(text) else { return Ok(false) };
    let tokens = seg_syntax::lex(SourceId(0), text);
    // Such tokens are refused before the grammar sees them.
    if ["CommaNumber", "NumberWord", "CurlyText"].iter().any(|kind| tokens.print(text).to_string().contains(kind)) {
        return Ok(false);
    }
    let bounds: Vec<usize> =
        tokens.as_slice().iter().flat_map(|t| [t.span.start as usize, t.span.end as usize]).collect();
    for (start, end) in leaves {
        // A rule that ends in an optional piece takes the space before it.
        let end = start + text[start..end].trim_end().len();
        if bounds.binary_search(&start).is_err() || bounds.binary_search(&end).is_err() {
            return Err(format!("`{}` is not a run of tokens in {text:?}", &text[start..end]));
        }
    }
    Ok(true)
}

/// The texts under a directory of this repository whose names end in `.ending`.
pub fn texts(dir: &str, ending: &str) -> Vec<String> {
    let mut paths = Vec::new();
    gather(&root().join(dir), ending, &mut paths);
    paths.sort();
    assert!(!paths.is_empty());
    paths.iter().map(|path| std::fs::read_to_string(path).expect("a text")).collect()
}

fn gather(dir: &Path, ending: &str, paths: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(&path, ending, paths);
        } else if path.extension().is_some_and(|e| e == ending) {
            paths.push(path);
        }
    }
}

/// Inputs without end, the same for the same seed.
pub struct Inputs {
    seeds: Vec<Vec<u8>>,
    state: u64,
}

impl Inputs {
    /// Inputs like those that a target is about.
    pub fn new(target: &Target, seed: u64) -> Inputs {
        let texts = match target.name {
            "schema" => texts("tests/schemas", "toml"),
            _ => [texts("tests/suite", "seg"), texts("examples", "seg")].concat(),
        };
        Inputs { seeds: texts.into_iter().map(String::into_bytes).collect(), state: seed }
    }

    /// SplitMix64, after Steele, Lea and Flood (2014).
    fn random(&mut self, below: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below.max(1) as u64) as usize
    }

    /// A stretch of one of the texts, of whole lines if it can be.
    fn stretch(&mut self) -> Vec<u8> {
        let at = self.random(self.seeds.len());
        let n_lines = self.seeds[at].split(|b| *b == b'\n').count();
        let (from, len) = (self.random(n_lines), 1 + self.random(12));
        self.seeds[at].split(|b| *b == b'\n').skip(from).take(len).collect::<Vec<_>>().join(&b'\n')
    }

    /// The next input: stretches of texts, cut, doubled, swapped and broken.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.stretch();
        for _ in 0..self.random(6) {
            let (at, len) = (self.random(input.len() + 1), self.random(20));
            let end = (at + len).min(input.len());
            match self.random(6) {
                0 => drop(input.drain(at..end)),
                1 => {
                    let piece = input[at..end].to_vec();
                    let to = self.random(input.len() + 1);
                    input.splice(to..to, piece);
                }
                2 => {
                    let piece = self.stretch();
                    input.splice(at..end, piece);
                }
                3 => input.splice(at..at, *b"\nsegment \"z\" include people who ").for_each(drop),
                4 => {
                    let byte = self.random(256) as u8;
                    input.splice(at..at, [byte]).for_each(drop);
                }
                _ => {
                    const SYMBOLS: &[&str] = &["(", ")", "\"", ",", " and ", " not ", " ", "\u{201c}", "1", "ä", "=>"];
                    let symbol = SYMBOLS[self.random(SYMBOLS.len())];
                    input.splice(at..at, symbol.bytes()).for_each(drop);
                }
            }
        }
        input
    }
}

/// Checks one input.
///
/// # Errors
/// What does not hold, or how it panicked.
pub fn check(target: &Target, input: &[u8]) -> Result<(), String> {
    match catch_unwind(AssertUnwindSafe(|| (target.check)(input))) {
        Ok(outcome) => outcome,
        Err(panic) => {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            Err(format!("it panicked: {}", said.unwrap_or_default()))
        }
    }
}
