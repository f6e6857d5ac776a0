//! Projects to programs.

use crate::diagnostics::Diagnostics;
use crate::project::Project;
use seg_data::{Schema, Timestamp, Wanted};
use seg_hir::{Checked, hir};
use seg_plan::{Needs, Plan};
use seg_syntax::Parse;
use seg_syntax::diag::{Code, Diagnostic};
use std::sync::Arc;

/// Compiles all segments of a project.
///
/// # Errors
/// Every problem of the project, when at least one of them is an error.
pub fn compile(project: &Project) -> Result<Program, Diagnostics> {
    let parses = parse(project);
    let Checked { module, diagnostics } = check(project, &parses);
    let mut problems: Vec<Diagnostic> = parses.iter().flat_map(|p| &p.diagnostics).cloned().collect();
    // Of a schema that cannot be read every name is unknown, which says nothing of sentences.
    if !project.problems.iter().any(|problem| problem.code == Code::SchemaSyntax) {
        problems.extend(diagnostics);
    }
    let lists = project.lists(&parses);
    let context = seg_hir::fixes::Context { schema: &project.schema, settings: project.settings, lists: &lists };
    seg_hir::fixes::keep_those_that_compile(&mut problems, &parses, &project.sources, context);
    problems.splice(0..0, project.problems.iter().cloned());
    #[cfg_attr(not(feature = "io"), expect(unused_mut, reason = "only settings in files add to them"))]
    let mut warnings = Diagnostics::new(problems, project.sources.clone());
    #[cfg(feature = "io")]
    if warnings.n_errors() == 0 {
        // Of segments with errors it is not known which there are.
        let unknown = crate::receivers::unknown_segments(project, &module);
        warnings = warnings.joined(&Diagnostics::new(unknown, project.sources.clone()));
    }
    if warnings.n_errors() > 0 {
        return Err(warnings);
    }
    let lowered = seg_plan::lower(&module);
    let needs = seg_plan::needs(&lowered);
    let plan = Arc::new(seg_plan::optimize(&lowered, |_| {}));
    let mut found = seg_hir::lints(&module, &project.schema);
    found.extend(crate::lint::lints(&module, &plan));
    let warnings = warnings.joined(&Diagnostics::new(found, project.sources.clone()));
    let schema = Arc::clone(&project.schema);
    Ok(Program(Arc::new(Compiled { module, needs, plan, schema, warnings })))
}

/// The first stages: tokens and trees of every `.seg` file, in the project's
/// order.
pub(crate) fn parse(project: &Project) -> Vec<Parse> {
    let text = |id| project.sources.get(id).map_or("", |f| f.text.as_str());
    project.segment_files.iter().map(|id| seg_syntax::parse(*id, text(*id))).collect()
}

/// The next stage: what the parsed files mean.
pub(crate) fn check(project: &Project, parses: &[Parse]) -> Checked {
    let lists = project.lists(parses);
    seg_hir::check(parses, &project.sources, &project.schema, project.settings, &lists)
}

/// Segments that have no errors. Clones are handles to the same program, which
/// threads may share.
#[derive(Debug, Clone)]
pub struct Program(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    module: hir::Module,
    needs: Needs,
    plan: Arc<Plan>,
    schema: Arc<Schema>,
    warnings: Diagnostics,
}

impl Program {
    /// A module without errors as a program, without any warnings.
    pub(crate) fn of_module(module: hir::Module, schema: &Arc<Schema>) -> Program {
        let lowered = seg_plan::lower(&module);
        let needs = seg_plan::needs(&lowered);
        let plan = Arc::new(seg_plan::optimize(&lowered, |_| {}));
        let (schema, warnings) = (Arc::clone(schema), Diagnostics::default());
        Program(Arc::new(Compiled { module, needs, plan, schema, warnings }))
    }

    /// The segments' names, in the order in which masks come.
    pub fn segment_names(&self) -> impl Iterator<Item = &str> {
        self.0.module.run().map(|(_, s)| s.name.as_str())
    }

    /// What the segments are about.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.0.schema
    }

    /// What is worth knowing, though it stops nothing.
    pub fn warnings(&self) -> &Diagnostics {
        &self.0.warnings
    }

    /// What a reader must bring for an evaluation as of `now`, so that it can leave
    /// the rest of the data behind.
    pub fn wanted(&self, now: Timestamp) -> Wanted {
        self.0.needs.wanted(&self.0.schema, now)
    }

    /// Which attributes, events and properties the segments read, how far back, and
    /// whether their answer changes as time passes: in words, a line each.
    pub fn describe_needs(&self) -> String {
        self.0.needs.describe(&self.0.schema)
    }

    /// How the segments run: one graph for all of them.
    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.0.plan
    }

    /// What the segments read.
    pub(crate) fn needs(&self) -> &Needs {
        &self.0.needs
    }

    /// What the segments mean.
    pub(crate) fn module(&self) -> &hir::Module {
        &self.0.module
    }
}
