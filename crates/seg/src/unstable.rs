//! What the command line needs beyond the facade: stages and parts of a project.
//! Without any promise; whatever an embedder needs belongs into the facade.

use crate::prepared::Prepared;
use crate::{Diagnostics, Engine, Evaluation, Program, Project, Reason};
use seg_data::{Batch, Mask, Schema, Timestamp};
use seg_hir::{Checked, Settings};
use seg_syntax::Parse;
use seg_syntax::diag::Diagnostic;
use seg_syntax::source::{SourceId, SourceMap};
use std::path::Path;
use std::sync::Arc;

pub use crate::conversion;
pub use crate::decided;
pub use crate::diff;
pub use crate::drawn::drawn;
pub use crate::dwell;
pub use crate::explain::{near_misses, segment_like};
pub use crate::forecast;
pub use crate::frozen;
pub use crate::guards;
pub use crate::history;
pub use crate::outlook::{ByTime, Outlook, Standing, inexact};
pub use crate::overlap;
pub use crate::spells::{Stay, StayParts};
pub use crate::trigger::{GivenValue, Happening, Trigger};
pub use crate::waiting::Waiting;
pub use seg_data as data;
pub use seg_hir::explain::{Fewest, Join, place};
pub use seg_hir::hir;
pub use seg_plan as plan;
pub use seg_syntax::{ast, diag, names, source, token};

#[cfg(feature = "io")]
pub use crate::doctor;
#[cfg(feature = "io")]
pub use crate::example;
#[cfg(feature = "io")]
pub use crate::inputs::{Input, InputKind, input_files, pattern_of};
#[cfg(feature = "io")]
pub use crate::lists::{ComparedLists, tell_of_lists};
#[cfg(feature = "io")]
pub use crate::mutants::{Mutant, Mutants, mutants};
#[cfg(feature = "io")]
pub use crate::stream::{Grouping, Stream, StreamError, StreamPart};
#[cfg(feature = "io")]
pub use crate::sums::Sums;
pub use seg_hir::suggestion;

#[cfg(feature = "io")]
pub use crate::sql;
#[cfg(feature = "jit")]
pub use seg_exec as exec;
#[cfg(feature = "io")]
pub use seg_io as io;

/// The parts of a project.
pub struct Parts<'p> {
    /// Where it is; empty for a project from strings.
    pub dir: &'p Path,
    /// Its `seg.toml`, when it has one without errors.
    #[cfg(feature = "io")]
    pub manifest: Option<&'p seg_io::Manifest>,
    /// What its segments are about.
    pub schema: &'p Arc<Schema>,
    /// Whose calendar, and when weeks begin.
    pub settings: Settings,
    /// All its texts.
    pub sources: &'p SourceMap,
    /// The files that hold segments.
    pub segment_files: &'p [SourceId],
}

/// The parts of a project.
pub fn parts(project: &Project) -> Parts<'_> {
    Parts {
        dir: &project.dir,
        #[cfg(feature = "io")]
        manifest: project.manifest.as_ref(),
        schema: &project.schema,
        settings: project.settings,
        sources: &project.sources,
        segment_files: &project.segment_files,
    }
}

/// Lets a project's data be in a packed store of this folder, whatever its `seg.toml` says.
#[cfg(feature = "io")]
pub fn set_store(project: &mut Project, folder: &Path) {
    if let Some(manifest) = &mut project.manifest {
        manifest.data.store = Some(folder.to_string_lossy().into_owned());
    }
}

/// Gives what came through the standard input, and was kept, to a project that reads it.
#[cfg(feature = "io")]
pub fn set_standard_input(project: &mut Project, file: seg_io::DataFile) {
    if let Some(manifest) = &mut project.manifest {
        manifest.data.elsewhere.standard_input = Some(file);
    }
}

/// Lets a project's data be in object stores.
#[cfg(feature = "io")]
pub fn set_objects(project: &mut Project, objects: seg_io::objects::ObjectStores) {
    if let Some(manifest) = &mut project.manifest {
        manifest.data.elsewhere.objects = Some(objects);
    }
}

/// The first stages: tokens and trees of every `.seg` file, in the project's order.
pub fn parse(project: &Project) -> Vec<Parse> {
    crate::compile::parse(project)
}

/// The next stage: what the parsed files mean.
pub fn check(project: &Project, parses: &[Parse]) -> Checked {
    crate::compile::check(project, parses)
}

/// What the segments of a program mean.
pub fn module(program: &Program) -> &hir::Module {
    program.module()
}

/// The segment that each person goes to by the project's order of precedence, out of who is in
/// each segment.
pub fn winners(program: &Program, masks: &[Mask]) -> Option<Vec<Option<usize>>> {
    crate::evaluation::winners(program, masks)
}

/// How the segments of a program run: one graph for all of them.
pub fn plan_of(program: &Program) -> &plan::Plan {
    program.plan()
}

/// Who is in each segment of a program, as partitions of the data were evaluated apart by an
/// engine; `None` where there is not a mask a segment.
pub fn evaluation_of_partitions(program: &Program, masks: Vec<Mask>, engine: Engine) -> Option<Evaluation> {
    let is_whole = masks.len() == program.segment_names().count();
    is_whole.then(|| Evaluation::new(program, masks, engine, Reason::Partitions))
}

/// What the segments of a program read.
pub fn needs(program: &Program) -> &plan::Needs {
    program.needs()
}

/// The plan as it runs over a batch: without what the extent of its events decides.
pub fn fitted_plan(prepared: &Prepared, batch: &Batch, now: Timestamp) -> plan::Plan {
    prepared.fitted_plan(batch, now)
}

/// How native code decides each condition of the fitted plan over a batch; or why
/// there is none.
pub fn physical(prepared: &Prepared, batch: &Batch, now: Timestamp) -> String {
    prepared.physical(batch, now).unwrap_or_else(|failure| match failure {
        crate::native::Failure::Unavailable(why) => format!("{why}\n"),
        crate::native::Failure::Cancelled => String::new(),
    })
}

/// Diagnostics of a project's texts.
pub fn diagnostics(items: Vec<Diagnostic>, project: &Project) -> Diagnostics {
    Diagnostics::new(items, project.sources.clone())
}
