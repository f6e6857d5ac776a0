//! The front end on one text, with all that its meaning depends on.

use seg_data::{Schema, Zone};
use seg_hir::{Lists, Settings};
use seg_syntax::diag::Diagnostic;
use seg_syntax::parse;
use seg_syntax::source::SourceMap;

/// What a text means beside its words.
pub struct FrontEnd {
    /// What segments are about.
    pub schema: Schema,
    /// The zone of the project.
    pub zone: Option<Zone>,
    /// The contents of lists, by their paths.
    pub lists: Lists,
}

impl FrontEnd {
    /// A front end for the text of a schema.
    pub fn new(schema: &str, zone: Option<Zone>, lists: Lists) -> FrontEnd {
        FrontEnd { schema: seg_data::schema::parse(schema).0, zone, lists }
    }

    /// What a text means, printed, and what is wrong with it.
    pub fn check(&self, text: &str) -> (String, Vec<Diagnostic>) {
        let mut sources = SourceMap::default();
        let parsed = parse(sources.add("case.seg", text), text);
        let settings = Settings { zone: self.zone, ..Settings::default() };
        let checked = seg_hir::check([&parsed], &sources, &self.schema, settings, &self.lists);
        let meaning = seg_hir::hir::print(&checked.module, &self.schema);
        (meaning, parsed.diagnostics.into_iter().chain(checked.diagnostics).collect())
    }

    /// What a text means; nothing where it is refused.
    pub fn meaning(&self, text: &str) -> Option<String> {
        let (meaning, problems) = self.check(text);
        (!problems.iter().any(Diagnostic::is_error)).then_some(meaning)
    }

    /// What is wrong with a text, without the warnings.
    pub fn errors(&self, text: &str) -> Vec<Diagnostic> {
        self.check(text).1.into_iter().filter(Diagnostic::is_error).collect()
    }
}
