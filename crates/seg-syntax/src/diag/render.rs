//! Diagnostics drawn for people. The only file that knows ariadne.

use super::{Diagnostic, Severity};
use crate::source::{SourceMap, Span};
use ariadne::{CharSet, Color, Config, Fmt, IndexType, Label, Report, ReportKind, Source};
use std::collections::HashMap;

/// How to draw.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// ANSI colours; only ever for a terminal.
    pub color: bool,
}

/// Lines longer than this are shown in part.
const LINE_BYTES_MAX: usize = 400;
/// How much of a long line is shown on either side of the problem.
const AROUND_BYTES: usize = 60;

/// Draws diagnostics about some sources.
pub struct Renderer<'a> {
    sources: &'a SourceMap,
    files: FileCache,
    style: Style,
}

impl<'a> Renderer<'a> {
    /// Prepares the sources once for any number of diagnostics.
    pub fn new(sources: &'a SourceMap, style: Style) -> Renderer<'a> {
        let files: HashMap<String, Source<String>> =
            sources.iter().map(|(_, f)| (f.name.clone(), Source::from(f.text.clone()))).collect();
        Renderer { sources, files: FileCache { files, empty: Source::from(String::new()) }, style }
    }

    /// Draws one diagnostic under the source lines it is about. The result
    /// ends in a line break.
    pub fn render(&mut self, diagnostic: &Diagnostic) -> String {
        let (word, color) = match diagnostic.severity() {
            Severity::Error => ("error", Color::Red),
            Severity::Warning => ("warning", Color::Yellow),
        };
        let heading = heading(word, color, diagnostic, self.style);
        if let Some(excerpt) = self.excerpt(diagnostic) {
            return heading + &excerpt;
        }
        let mut out = Vec::new();
        let written = self.report(diagnostic, color).write(&mut self.files, &mut out);
        match written {
            // Ariadne's first line is a heading of its own shape; ours puts the
            // code where people look for it.
            Ok(()) => {
                let drawn = String::from_utf8_lossy(&out);
                heading + &trim_line_ends(drawn.split_once('\n').map_or("", |(_, rest)| rest))
            }
            // Writing to memory does not fail; if it ever did, the message alone
            // would still be worth printing.
            Err(_) => heading,
        }
    }

    fn report(&self, diagnostic: &Diagnostic, color: Color) -> Report<'static, Place> {
        let primary = place(diagnostic.primary.span, self.sources);
        let config = Config::default()
            .with_color(self.style.color)
            .with_char_set(CharSet::Unicode)
            .with_index_type(IndexType::Byte);
        let mut report = Report::build(ReportKind::Error, primary.clone()).with_config(config);
        let mut label = Label::new(primary).with_color(color);
        if !diagnostic.primary.text.is_empty() {
            label = label.with_message(&diagnostic.primary.text);
        }
        report = report.with_label(label);
        for other in &diagnostic.secondary {
            let mut label = Label::new(place(other.span, self.sources)).with_color(Color::Blue);
            if !other.text.is_empty() {
                label = label.with_message(&other.text);
            }
            report = report.with_label(label);
        }
        for help in &diagnostic.helps {
            report = report.with_help(help);
        }
        for note in &diagnostic.notes {
            report = report.with_note(note);
        }
        report.finish()
    }

    /// A problem in a line too long to show: the words around it.
    fn excerpt(&self, diagnostic: &Diagnostic) -> Option<String> {
        let span = diagnostic.primary.span;
        let file = self.sources.get(span.source)?;
        let (_, line) = file.line_at(span.start);
        if line.len() <= LINE_BYTES_MAX {
            return None;
        }
        let (_, here) = place(span, self.sources);
        let boundary = |mut at: usize| {
            while !file.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let from = boundary(here.start.saturating_sub(AROUND_BYTES).max(line.start));
        let marked = here.start..boundary(here.end.min(here.start + AROUND_BYTES).max(here.start));
        let to = boundary((marked.end + AROUND_BYTES).min(line.end.max(marked.end)));
        let shown = |range: std::ops::Range<usize>| file.text.get(range).unwrap_or("").replace(['\n', '\r', '\t'], " ");
        let before = shown(from..marked.start);
        let text = format!("{before}{}", shown(marked.start..to));
        let under = "─".repeat(shown(marked).chars().count().max(1));
        let (number, column) = file.line_column(span.start);
        let mut out = format!("   ╭─[ {}:{number}:{column} ]\n   │\n   │ …{text}…\n", file.name);
        let indent = " ".repeat(before.chars().count());
        out.push_str(&format!("   │  {indent}{under} {}\n   │\n", diagnostic.primary.text));
        let helps = diagnostic.helps.iter().map(|h| format!("Help: {h}"));
        for line in helps.chain(diagnostic.notes.iter().map(|n| format!("Note: {n}"))) {
            out.push_str(&format!("   │ {line}\n"));
        }
        out.push_str("───╯\n");
        Some(trim_line_ends(&out))
    }
}

fn heading(word: &str, color: Color, diagnostic: &Diagnostic, style: Style) -> String {
    let start = format!("{word}[{}]", diagnostic.code);
    match style.color {
        true => format!("{}: {}\n", start.fg(color), diagnostic.message),
        false => format!("{start}: {}\n", diagnostic.message),
    }
}

type Place = (String, std::ops::Range<usize>);

/// The span as ariadne wants it: on character boundaries and inside the text,
/// since it panics on anything else.
fn place(span: Span, sources: &SourceMap) -> Place {
    let Some(file) = sources.get(span.source) else {
        return (String::new(), 0..0);
    };
    let text = &file.text;
    let mut start = (span.start as usize).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = (span.end as usize).clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    (file.name.clone(), start..end)
}

struct FileCache {
    files: HashMap<String, Source<String>>,
    empty: Source<String>,
}

impl ariadne::Cache<String> for FileCache {
    type Storage = String;

    fn fetch(&mut self, id: &String) -> Result<&Source<String>, impl std::fmt::Debug> {
        Ok::<_, std::convert::Infallible>(self.files.get(id).unwrap_or(&self.empty))
    }

    fn display<'a>(&self, id: &'a String) -> Option<impl std::fmt::Display + 'a> {
        Some(id)
    }
}

fn trim_line_ends(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
