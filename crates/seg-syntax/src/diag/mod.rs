//! Diagnostics: what is wrong, where, and what would be right.
//!
//! A [`Diagnostic`] is plain data. [`render`] draws it for people, [`json`]
//! writes it for tools; nothing else in Seg formats one.

mod code;
pub mod json;
pub mod render;

pub use code::{ALL_CODES, Code};

use crate::source::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing is refused.
    Warning,
    /// Nothing runs while it stands.
    Error,
}

/// A place with what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its position in the text.
    pub span: Span,
    /// What is here. May be empty.
    pub text: String,
}

/// A replacement that repairs the problem when applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What the edit does, in the imperative.
    pub title: String,
    /// What to replace.
    pub span: Span,
    /// By what.
    pub replacement: String,
}

/// One problem found in a source file, a schema or a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its number in the registry.
    pub code: Code,
    /// One line: what is wrong. Lower case, no full stop.
    pub message: String,
    /// Where it is wrong.
    pub primary: Label,
    /// Other places that matter.
    pub secondary: Vec<Label>,
    /// What to write instead.
    pub helps: Vec<String>,
    /// The rule or background behind it.
    pub notes: Vec<String>,
    /// Edits a tool can apply.
    pub fixes: Vec<Fix>,
}

impl Diagnostic {
    /// A diagnostic at `span`; the builder methods add the rest.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            message: message.into(),
            primary: Label { span, text: String::new() },
            secondary: Vec::new(),
            helps: Vec::new(),
            notes: Vec::new(),
            fixes: Vec::new(),
        }
    }

    /// Says what is at the primary place.
    pub fn label(mut self, text: impl Into<String>) -> Diagnostic {
        self.primary.text = text.into();
        self
    }

    /// Points at another place.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Says what to write.
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.helps.push(text.into());
        self
    }

    /// Gives the rule behind the problem.
    pub fn note(mut self, text: impl Into<String>) -> Diagnostic {
        self.notes.push(text.into());
        self
    }

    /// Adds an edit that repairs the problem, and says it as a help line.
    pub fn fix(mut self, span: Span, replacement: impl Into<String>, title: impl Into<String>) -> Diagnostic {
        let title = title.into();
        self.helps.push(title.clone());
        self.fixes.push(Fix { title, span, replacement: replacement.into() });
        self
    }

    /// Offers a text for a place, and says when it is the right one.
    pub fn offer(self, span: Span, when: impl std::fmt::Display, text: impl Into<String>) -> Diagnostic {
        let text = text.into();
        let title = format!("{when}: `{text}`");
        self.fix(span, text, title)
    }

    /// The severity of its code.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// Whether it stops a run.
    pub fn is_error(&self) -> bool {
        self.severity() == Severity::Error
    }
}

/// Orders diagnostics as a reader meets them: by file, then place, then code.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|d| (d.primary.span, d.code.number()));
}
