//! Diagnostics as JSON for tools. The shape is part of the public contract.

use super::{Diagnostic, Label, Severity};
use crate::source::SourceMap;
use serde::Serialize;

/// One diagnostic with places resolved to file, line and column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JsonDiagnostic {
    /// `E0201`.
    pub code: &'static str,
    /// `unknown-name`.
    pub slug: &'static str,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// What is wrong.
    pub message: String,
    /// Its position in the text.
    pub place: JsonPlace,
    /// Other places that matter.
    pub also: Vec<JsonPlace>,
    /// What to write instead.
    pub helps: Vec<String>,
    /// The rule behind it.
    pub notes: Vec<String>,
    /// Edits that repair it.
    pub fixes: Vec<JsonFix>,
}

/// A place: bytes for machines, line and column (from 1) for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JsonPlace {
    /// The file's name.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// What is here.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
}

/// A replacement of one range by a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JsonFix {
    /// What the edit does.
    pub title: String,
    /// What is replaced.
    pub place: JsonPlace,
    /// By what.
    pub replacement: String,
}

/// Resolves a diagnostic's places.
pub fn to_json(diagnostic: &Diagnostic, sources: &SourceMap) -> JsonDiagnostic {
    JsonDiagnostic {
        code: diagnostic.code.number(),
        slug: diagnostic.code.slug(),
        severity: match diagnostic.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        message: diagnostic.message.clone(),
        place: place(&diagnostic.primary, sources),
        also: diagnostic.secondary.iter().map(|l| place(l, sources)).collect(),
        helps: diagnostic.helps.clone(),
        notes: diagnostic.notes.clone(),
        fixes: diagnostic
            .fixes
            .iter()
            .map(|f| JsonFix {
                title: f.title.clone(),
                place: place(&Label { span: f.span, text: String::new() }, sources),
                replacement: f.replacement.clone(),
            })
            .collect(),
    }
}

fn place(label: &Label, sources: &SourceMap) -> JsonPlace {
    let span = label.span;
    let (file, (line, column)) = match sources.get(span.source) {
        Some(f) => (f.name.clone(), f.line_column(span.start)),
        None => (String::new(), (1, 1)),
    };
    JsonPlace { file, line, column, start: span.start, end: span.end, label: label.text.clone() }
}
