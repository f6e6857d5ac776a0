//! All problems of a run, with the texts they point into.

use seg_syntax::diag::{self, Code, Diagnostic, json, render};
use seg_syntax::source::SourceMap;
use std::collections::BTreeMap;
use std::fmt;

/// Problems with the sources they are about. Displays as it is shown to people,
/// without colour.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
    sources: SourceMap,
}

impl Diagnostics {
    /// Problems, put in the order of the files.
    #[doc(hidden)]
    pub fn new(mut items: Vec<Diagnostic>, sources: SourceMap) -> Diagnostics {
        diag::sort(&mut items);
        Diagnostics { items, sources }
    }

    /// These and others of the same project.
    #[doc(hidden)]
    pub fn joined(&self, other: &Diagnostics) -> Diagnostics {
        Diagnostics::new(self.items.iter().chain(&other.items).cloned().collect(), self.sources.clone())
    }

    /// The problems in order.
    #[doc(hidden)]
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.items.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many of them stop a run.
    pub fn n_errors(&self) -> usize {
        self.items.iter().filter(|d| d.is_error()).count()
    }

    /// Draws all of them, with a blank line between.
    #[doc(hidden)]
    pub fn render(&self, style: render::Style) -> String {
        let mut renderer = render::Renderer::new(&self.sources, style);
        let drawn: Vec<String> = self.items.iter().map(|d| renderer.render(d)).collect();
        drawn.join("\n")
    }

    /// Draws the first so many of each code, and says of which code how many more there
    /// are, in the order of the codes.
    #[doc(hidden)]
    pub fn render_first(&self, max: usize, style: render::Style) -> (String, Vec<(Code, usize)>) {
        let mut renderer = render::Renderer::new(&self.sources, style);
        let mut counts: BTreeMap<&'static str, (Code, usize)> = BTreeMap::new();
        let mut drawn = Vec::new();
        for diagnostic in &self.items {
            let (_, n) = counts.entry(diagnostic.code.number()).or_insert((diagnostic.code, 0));
            *n += 1;
            if *n <= max {
                drawn.push(renderer.render(diagnostic));
            }
        }
        let more = counts.into_values().filter(|(_, n)| *n > max).map(|(code, n)| (code, n - max));
        (drawn.join("\n"), more.collect())
    }

    /// All of them for tools.
    #[doc(hidden)]
    pub fn to_json(&self) -> Vec<json::JsonDiagnostic> {
        self.items.iter().map(|d| json::to_json(d, &self.sources)).collect()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(render::Style::default()))
    }
}

impl std::error::Error for Diagnostics {}
