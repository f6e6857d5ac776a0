//! What a project declares under which names, and the likely meanings of names
//! that are not known.

use crate::hir::{ListRef, SegmentId};
use seg_data::{WeekStart, Zone};
use seg_syntax::ast;
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

/// What a project says about all its segments.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// Whose calendar; without one, calendar words are errors.
    pub zone: Option<Zone>,
    /// When weeks begin.
    pub week_start: WeekStart,
}

/// Where a segment refers to another.
pub(crate) struct Reference {
    pub to: SegmentId,
    pub at: Span,
}

/// What a project declares besides its segments, with their names.
#[derive(Default)]
pub(crate) struct Declared<'a> {
    pub segments: SegmentNames,
    /// By name, as names are compared.
    pub definitions: HashMap<String, &'a ast::Definition>,
    pub lists: HashMap<String, DeclaredList>,
}

/// The names of all segments, and of those that could not be parsed.
#[derive(Default)]
pub(crate) struct SegmentNames {
    pub ids: HashMap<String, SegmentId>,
    pub broken: HashSet<String>,
}

impl SegmentNames {
    /// The segment of a name; an unknown name is reported unless its segment
    /// is broken, for then that has been reported.
    pub(crate) fn resolve(&self, title: &ast::Title) -> Result<SegmentId, Option<Box<Diagnostic>>> {
        if let Some(id) = self.ids.get(&title.text) {
            return Ok(*id);
        }
        if self.broken.contains(&title.text) {
            return Err(None);
        }
        let message = format!("there is no segment \"{}\"", title.text);
        let mut diagnostic = Diagnostic::new(Code::UnknownSegment, title.span, message).label("unknown segment");
        if let Some(near) = suggestion(&title.text, self.ids.keys().map(String::as_str)) {
            diagnostic = diagnostic.fix(title.span, format!("\"{near}\""), format!("did you mean `\"{near}\"`?"));
        }
        Err(Some(Box::new(diagnostic)))
    }
}

/// A list from a file, and the same list for comparing without regard to case,
/// which is made when the first sentence asks for it.
pub(crate) struct DeclaredList {
    /// As the file has it.
    pub plain: ListRef,
    folded: OnceLock<ListRef>,
}

impl DeclaredList {
    pub(crate) fn new(plain: ListRef) -> DeclaredList {
        DeclaredList { plain, folded: OnceLock::new() }
    }

    /// The list with its texts in simple case folding.
    pub(crate) fn folded(&self) -> &ListRef {
        self.folded.get_or_init(|| self.plain.folded())
    }
}

/// The longest name for which slips are looked for, in bytes.
pub(crate) const LENGTH_MAX: usize = 120;

/// A name as messages repeat it.
pub(crate) fn shortened(name: &str) -> String {
    match name.char_indices().nth(LENGTH_MAX) {
        Some((at, _)) => format!("{}…", name.get(..at).unwrap_or("")),
        None => name.to_owned(),
    }
}

/// The known name that is closest to what was written, when it is close
/// enough to be a slip.
pub fn suggestion<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody misspells a name of that length, and measuring it would take long.
    if written.len() > LENGTH_MAX {
        return None;
    }
    let written = written.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(&written, &name.to_lowercase()), name))
        .filter(|(score, name)| *score >= 0.65 && has_same_words(&written, &name.to_lowercase()))
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, name)| name)
}

/// Whether two names of several words differ by slips within words, not by a word for
/// another: `received emails` is not a slip for `clicked emails`.
fn has_same_words(written: &str, known: &str) -> bool {
    let (written, known): (Vec<&str>, Vec<&str>) = (written.split(' ').collect(), known.split(' ').collect());
    written.len() < 2
        || written.len() != known.len()
        || written.iter().zip(&known).all(|(a, b)| strsim::normalized_damerau_levenshtein(a, b) >= 0.5)
}
