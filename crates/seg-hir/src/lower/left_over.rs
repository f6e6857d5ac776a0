//! What nobody reads is an error.
//!
//! Whoever takes something that was said into the meaning of a condition says so
//! with [`Lower::reads`]. When the condition is done, the tree lists all that was
//! said in it; what is then left over would have been lost without a word.

use super::{Lower, Lowered, Scope};
use seg_syntax::ast::{Condition, ModifierKind};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

impl Lower<'_> {
    /// A condition, of which every phrase has been read.
    pub(super) fn condition(&mut self, c: &Condition, scope: Scope<'_>) -> Lowered {
        self.whole(&[c], |lower| lower.condition_in_zone(c, scope))
    }

    /// What a condition means, or several that are said of one thing, once all that is said
    /// in them has been read.
    pub(super) fn whole(&mut self, cs: &[&Condition], meaning: impl FnOnce(&mut Self) -> Lowered) -> Lowered {
        let (n_read, n_problems) = (self.read.len(), self.diagnostics.len());
        let mut lowered = meaning(self);
        if !lowered.is_error()
            && self.diagnostics.len() == n_problems
            && let Some((c, phrase)) = cs.iter().find_map(|c| Some((c, self.left_over(c, n_read)?)))
        {
            self.unread(c, phrase);
            lowered = Lowered::error();
        }
        self.read.truncate(n_read);
        lowered
    }

    /// Notes that a phrase has become part of a meaning.
    pub(super) fn reads(&mut self, phrase: Span) {
        self.read.push(phrase);
    }

    /// Whether a condition is negative; its negative is read.
    pub(super) fn reads_negative(&mut self, c: &Condition) -> bool {
        self.read.extend(c.prefix.negative.map(|(_, span)| span));
        c.prefix.negative.is_some()
    }

    /// The first phrase of a condition that is not among those read from a position on.
    fn left_over(&self, c: &Condition, from: usize) -> Option<Span> {
        let read = self.read.get(from..).unwrap_or(&[]);
        let mut left = None;
        c.each_phrase(&mut |phrase| {
            if left.is_none() && !read.contains(&phrase) {
                left = Some(phrase);
            }
        });
        left
    }

    fn unread(&mut self, c: &Condition, phrase: Span) {
        let (words, without) = (self.words(phrase), self.without(c.span, phrase));
        let diagnostic = Diagnostic::new(Code::MisplacedWords, phrase, format!("`{words}` changes nothing here"))
            .label("nothing in this condition goes with it")
            .help(format!("leave it out: `{without}`"));
        let is_own = c.modifiers.iter().any(|t| t.span == phrase && !matches!(t.kind, ModifierKind::Zone(_)));
        self.report(match is_own {
            true => diagnostic.help("or say what it belongs to in a condition of its own, joined with `and`"),
            false => diagnostic,
        });
    }

    /// The words of a condition without a phrase of it.
    pub(super) fn without(&self, whole: Span, phrase: Span) -> String {
        let before = Span { end: phrase.start, ..whole };
        let after = Span { start: phrase.end, ..whole };
        let (before, after) = (self.words(before), self.words(after));
        let before = bare(before.trim_end_matches(','));
        let gap = if after.starts_with(',') || after.is_empty() { "" } else { " " };
        format!("{before}{gap}{after}").trim().to_owned()
    }
}

/// A condition without the word that joins it to `people`.
pub(super) fn bare(words: &str) -> &str {
    ["who ", "whose "].iter().find_map(|word| words.strip_prefix(word)).unwrap_or(words)
}
