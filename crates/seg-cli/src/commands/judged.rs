//! A project's segments evaluated as of one instant, for the commands that say something of the
//! people in them.

use super::run;
use crate::args::Share;
use crate::exit::Failure;
use crate::output::Output;
use seg::unstable::io::{Loaded, Manifest};
use seg::unstable::{parts, segment_like};
use seg::{Evaluation, Program, Project, Timestamp};

/// Who is in which segment at an instant.
pub struct Judged<'p> {
    pub manifest: &'p Manifest,
    pub loaded: Loaded,
    pub evaluation: Evaluation,
    pub now: Timestamp,
    /// Who says that instant.
    pub said_by: &'static str,
    /// How many people exist then.
    pub n_people: usize,
}

/// What is judged.
pub struct Judging<'a> {
    pub project: &'a Project,
    pub program: &'a Program,
    /// The instant that was asked for, where one was.
    pub at: Option<&'a str>,
    pub max_bad: Share,
}

impl<'a> Judging<'a> {
    /// Reads the data and says who is in.
    ///
    /// # Errors
    /// Data that cannot be read, or of which too much is lost.
    pub fn judge(self, output: &Output) -> Result<Judged<'a>, Failure> {
        let Some(manifest) = parts(self.project).manifest else {
            return Err(Failure::new("the project's settings could not be read"));
        };
        let (now, said_by) = run::now(self.at, manifest)?;
        let wanted = self.program.wanted(now);
        let loaded = run::read_as_of(self.project, manifest, (&wanted, &wanted), Some(now), output)?;
        run::refuse_lost(&loaded.report, self.max_bad)?;
        let evaluation =
            self.program.prepare().evaluate_with(&loaded.batch, now, &run::options()).map_err(run::refused)?;
        let n_people = run::n_existing(&loaded.batch, now);
        Ok(Judged { manifest, loaded, evaluation, now, said_by, n_people })
    }
}

/// The position of a segment among those that are run.
///
/// # Errors
/// A name that no segment has; the nearest is suggested.
pub fn segment_named(program: &Program, name: &str) -> Result<usize, Failure> {
    program.segment_names().position(|known| known == name).ok_or_else(|| {
        let near = segment_like(program, name);
        let help = near.map_or(String::new(), |near| format!(" (did you mean \"{near}\"?)"));
        Failure::usage(format!("there is no segment \"{}\" that is run{help}", name.escape_debug()))
    })
}

/// The positions of segments that arguments name, each once.
///
/// # Errors
/// A name that no segment has, or that stands there twice.
pub fn segments_named(program: &Program, names: &[String]) -> Result<Vec<usize>, Failure> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let at = segment_named(program, name)?;
        if found.contains(&at) {
            return Err(Failure::usage(format!("\"{}\" is named twice", name.escape_debug())));
        }
        found.push(at);
    }
    Ok(found)
}
