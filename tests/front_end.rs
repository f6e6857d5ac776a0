//! The front end on one text, with all that its meaning depends on.

use seg_data::{Schema, Zone};
use seg_hir::fixes::{Context, keep_those_that_compile};
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

    /// What a text means; nothing where it is refused.
    pub fn meaning(&self, text: &str) -> Option<String> {
        let mut sources = SourceMap::default();
        let parsed = parse(sources.add("case.seg", text), text);
        let checked = seg_hir::check([&parsed], &sources, &self.schema, self.settings(), &self.lists);
        let is_refused = parsed.diagnostics.iter().chain(&checked.diagnostics).any(Diagnostic::is_error);
        (!is_refused).then(|| seg_hir::hir::print(&checked.module, &self.schema))
    }

    /// What is wrong with a text, without the warnings; its fixes have been tried.
    pub fn errors(&self, text: &str) -> Vec<Diagnostic> {
        let mut sources = SourceMap::default();
        let parsed = parse(sources.add("case.seg", text), text);
        let checked = seg_hir::check([&parsed], &sources, &self.schema, self.settings(), &self.lists);
        let mut errors: Vec<Diagnostic> =
            parsed.diagnostics.iter().cloned().chain(checked.diagnostics).filter(Diagnostic::is_error).collect();
        let context = Context { schema: &self.schema, settings: self.settings(), lists: &self.lists };
        keep_those_that_compile(&mut errors, std::slice::from_ref(&parsed), &sources, context);
        errors
    }

    fn settings(&self) -> Settings {
        Settings { zone: self.zone, ..Settings::default() }
    }
}
