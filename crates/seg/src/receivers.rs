//! Receivers of changes, whose segments `seg.toml` names.

use crate::project::Project;
use seg_hir::hir::Module;
use seg_hir::suggestion;
use seg_io::manifest::MANIFEST_FILE;
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

/// Segments that receivers want and that are not run.
pub(crate) fn unknown_segments(project: &Project, module: &Module) -> Vec<Diagnostic> {
    let settings = project.sources.iter().find(|(_, file)| file.name == MANIFEST_FILE);
    let (Some((source, _)), Some(manifest)) = (settings, &project.manifest) else { return Vec::new() };
    let known = || module.run().map(|(_, segment)| segment.name.as_str());
    let named = manifest.live.sinks.iter().flat_map(|sink| sink.segments.iter().map(|segment| (&sink.name, segment)));
    let unknown = named.filter(|(_, (name, _))| !known().any(|known| known == name));
    unknown
        .map(|(sink, (name, at))| {
            let span = Span::new(source, at.start as u32, at.end as u32);
            let message = format!("`{sink}` wants changes of `{name}`, and no such segment is run");
            let diagnostic = Diagnostic::new(Code::ProjectFile, span, message).label("here");
            match suggestion(name, known()) {
                Some(near) => diagnostic.help(format!("did you mean \"{near}\"?")),
                None => diagnostic.help("name a segment of the project, or leave it out"),
            }
        })
        .collect()
}
