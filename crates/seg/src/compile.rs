//! Projects to programs.

use crate::diagnostics::Diagnostics;
use crate::project::Project;
use seg_data::{Instant, Schema, Wanted};
use seg_exec::Jit;
use seg_hir::{Checked, hir};
use seg_plan::{Needs, Plan};
use seg_syntax::Parse;
use std::sync::Arc;

/// Compiles all segments of a project.
///
/// # Errors
/// Every problem of the project, when at least one of them is an error.
pub fn compile(project: &Project) -> Result<Program, Diagnostics> {
    let parses = parse(project);
    let Checked { module, diagnostics } = check(project, &parses);
    let mut problems = project.problems.clone();
    problems.extend(parses.into_iter().flat_map(|p| p.diagnostics));
    problems.extend(diagnostics);
    let warnings = Diagnostics::new(problems, project.sources.clone());
    if warnings.n_errors() > 0 {
        return Err(warnings);
    }
    let lowered = seg_plan::lower(&module);
    let needs = seg_plan::needs(&lowered);
    let plan = seg_plan::optimize(&lowered, |_| {});
    let mut found = seg_hir::lints(&module, &project.schema);
    found.extend(crate::lint::lints(&module, &lowered, &plan));
    let warnings = warnings.joined(&Diagnostics::new(found, project.sources.clone()));
    Ok(Program { module, needs, plan, jit: Arc::default(), schema: Arc::clone(&project.schema), warnings })
}

/// The first stages: tokens and trees of every `.seg` file, in the project's
/// order.
pub fn parse(project: &Project) -> Vec<Parse> {
    let text = |id| project.sources.get(id).map_or("", |f| f.text.as_str());
    project.segment_files.iter().map(|id| seg_syntax::parse(*id, text(*id))).collect()
}

/// The next stage: what the parsed files mean.
pub fn check(project: &Project, parses: &[Parse]) -> Checked {
    let lists = project.lists(parses);
    seg_hir::check(parses, &project.sources, &project.schema, project.settings, &lists)
}

/// Segments that have no errors, ready to run. May be shared by threads;
/// clones share the code that is compiled for them.
#[derive(Debug, Clone)]
pub struct Program {
    module: hir::Module,
    needs: Needs,
    plan: Plan,
    jit: Arc<Jit>,
    schema: Arc<Schema>,
    warnings: Diagnostics,
}

impl Program {
    /// The segments' names, in the order in which masks come.
    pub fn segment_names(&self) -> impl Iterator<Item = &str> {
        self.module.run().map(|(_, s)| s.name.as_str())
    }

    /// What the segments are about.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// What is worth knowing, though it stops nothing.
    pub fn warnings(&self) -> &Diagnostics {
        &self.warnings
    }

    /// How the segments run: one graph for all of them.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Which attributes, events and properties the segments read, how far back,
    /// and whether their answer changes as time passes.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// What a reader must bring for an evaluation at `now`, so that it can leave
    /// the rest of the data behind; see [`seg_io::load`].
    pub fn wanted(&self, now: Instant) -> Wanted {
        self.needs.wanted(&self.schema, now)
    }

    /// What the segments mean.
    pub fn module(&self) -> &hir::Module {
        &self.module
    }

    /// The native code that this program has so far.
    pub(crate) fn jit(&self) -> &Jit {
        &self.jit
    }
}
