//! The code blocks of the documentation, and what Seg says of them.
//!
//! A block's info string says how it is read: `seg`, with `schema=NAME` for
//! another schema than the shop's, `lints` where lints show, `zone=none` for a project without a zone and
//! `error` for a block that is wrong on purpose; `toml schema` and `toml project`
//! for the two kinds of settings.

use crate::folder::Folder;
use crate::schema_text;
use seg::{Diagnostics, Project, Settings, Zone};
use seg_syntax::diag::render::Style;

/// A fenced block of a Markdown file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its info string.
    pub info: String,
    /// Its lines.
    pub text: String,
}

impl Block {
    /// Whether a word stands in the info string.
    pub fn is(&self, word: &str) -> bool {
        self.info.split_whitespace().any(|w| w == word)
    }

    fn option(&self, key: &str) -> Option<&str> {
        self.info.split_whitespace().find_map(|w| w.strip_prefix(key)?.strip_prefix('='))
    }

    /// The expectations of its tests, and how many of them come true.
    pub fn expectations(&self) -> (usize, usize) {
        let schema = schema_text(self.option("schema").unwrap_or("shop"));
        let settings = Settings { zone: Some(Zone::UTC), ..Settings::default() };
        let project = Project::from_text(&schema, [("example.seg", self.text.as_str())], settings);
        seg::test(&project).map_or((0, 0), |report| report.counts())
    }

    /// What Seg finds wrong with it; `None` for blocks it cannot read.
    pub fn problems(&self) -> Option<Diagnostics> {
        let zone = if self.option("zone") == Some("none") { None } else { Some(Zone::UTC) };
        let settings = Settings { zone, ..Settings::default() };
        match self.info.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["seg", ..] => {
                let schema = schema_text(self.option("schema").unwrap_or("shop"));
                let project = Project::from_text(&schema, [("example.seg", self.text.as_str())], settings);
                // What is wrong with the schema is not the block's doing.
                let all = compiled(&project);
                let is_shown = |number: &str| number != "W1701" && (self.is("lints") || !number.starts_with("W08"));
                Some(Diagnostics::new(
                    all.iter().filter(|d| is_shown(d.code.number())).cloned().collect(),
                    seg::unstable::parts(&project).sources.clone(),
                ))
            }
            ["toml", "schema", ..] => Some(compiled(&Project::from_text(&self.text, [], settings))),
            ["toml", "project", ..] => {
                let dir = Folder::new();
                std::fs::write(dir.path().join("seg.toml"), &self.text).expect("written");
                std::fs::write(dir.path().join("schema.toml"), "").expect("written");
                Some(compiled(&Project::load(dir.path()).expect("a project")))
            }
            _ => None,
        }
    }
}

fn compiled(project: &Project) -> Diagnostics {
    match seg::compile(project) {
        Ok(program) => program.warnings().clone(),
        Err(diagnostics) => diagnostics,
    }
}

/// The fenced blocks of a Markdown text, in order.
pub fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in markdown.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(info), None) => open = Some(Block { info: info.trim().to_owned(), text: String::new() }),
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    blocks
}

/// A Markdown text in which every `<!-- output -->` line, and the text block
/// that may follow it, is replaced by what Seg says of the block before.
pub fn with_outputs(markdown: &str) -> String {
    let mut out = String::new();
    let mut before = String::new();
    let mut lines = markdown.lines().peekable();
    while let Some(line) = lines.next() {
        before.push_str(line);
        before.push('\n');
        out.push_str(line);
        out.push('\n');
        if line != "<!-- output -->" {
            continue;
        }
        if lines.peek().is_some_and(|l| l.is_empty()) {
            lines.next();
        }
        if lines.peek().is_some_and(|l| l.starts_with("```text")) {
            for skipped in lines.by_ref() {
                if skipped == "```" {
                    break;
                }
            }
            if lines.peek().is_some_and(|l| l.is_empty()) {
                lines.next();
            }
        }
        let said = blocks(&before).last().and_then(Block::problems);
        let said = said.map_or(String::new(), |d| d.render(Style::default()));
        out.push_str(&format!("\n```text\n{said}```\n\n"));
    }
    out
}
