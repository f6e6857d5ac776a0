//! What people do once they are in the segments, by the goal of the project.

use super::Judged;
use crate::commands::conversion::{Shown, Words, read_goal, refused, usual_period};
use crate::commands::run;
use crate::exit::Failure;
use crate::output::{Output, percent};
use seg::unstable::conversion::{Asked, Conversions, Goal, GoalWords, conversions};
use seg::unstable::data::shown::short_day;
use seg::unstable::io::Manifest;
use seg::{Project, Timestamp};

/// A goal, and what it is called in the settings or the schema.
pub struct Asking {
    goal: Goal,
    words: Words,
}

/// What a project hopes that people do: `Ok(None)` where neither settings nor schema say so, and
/// the error of words that have problems, which were shown.
///
/// # Errors
/// Words that are no goal.
pub fn asking(project: &Project, manifest: &Manifest, output: &Output) -> Result<Option<Asking>, Failure> {
    let Some(words) = Words::of_project(project.schema(), manifest) else { return Ok(None) };
    let asked = GoalWords { goal: &words.goal, revenue: words.revenue.as_deref(), less: None, sent: None };
    match read_goal(project, asked, crate::args::Format::Text, output)? {
        Some(goal) => Ok(Some(Asking { goal, words })),
        None => Err(Failure { code: crate::exit::Exit::Errors, message: "nothing was reported".to_owned() }),
    }
}

/// What came of the people of all segments.
pub struct Reached {
    asking: Asking,
    found: Conversions,
    period: (Timestamp, Timestamp),
}

impl Reached {
    /// Of the people who entered in the last days that leave each of them the time of the goal.
    ///
    /// # Errors
    /// Data that cannot be evaluated.
    pub fn of(asking: Asking, judged: &Judged<'_>) -> Result<Reached, Failure> {
        let period = usual_period(&asking.goal, judged.now);
        let segments: Vec<usize> = (0..judged.masks.len()).collect();
        let found = conversions(Asked {
            program: judged.program,
            batch: judged.batch,
            goal: &asking.goal,
            segments: &segments,
            period,
            at: judged.now,
            zone: judged.zone,
            holdout: None,
            options: &run::options(),
        });
        let found = found.map_err(|error| refused(error, None))?;
        Ok(Reached { asking, found, period })
    }

    /// What it is about, for the page.
    pub fn says(&self, judged: &Judged<'_>) -> String {
        let [from, to] = [self.period.0, self.period.1].map(|at| short_day(at, judged.zone));
        let revenue =
            self.asking.words.revenue.as_ref().map_or(String::new(), |value| format!(", which brings `{value}`"));
        format!("Who came in from {from} on and before {to}, and then: `{}`{revenue}.", self.asking.words.goal)
    }

    /// The rate of a segment, for its row.
    pub fn rate(&self, at: usize) -> String {
        percent(self.found.segments.get(at).and_then(|conversion| conversion.all.converted().rate()))
    }

    /// What is said of a segment, a word and what it is about, as `seg conversion` says it.
    pub fn lines(&self, judged: &Judged<'_>, at: usize) -> Vec<(&'static str, String)> {
        let names: Vec<&str> = judged.program.segment_names().collect();
        let shown = Shown {
            names: &names,
            found: &self.found,
            goal: &self.asking.goal,
            words: &self.asking.words,
            holdout: None,
            sent: None,
            currency: judged.project.schema().currency.as_deref(),
            period: self.period,
            now: judged.now,
            zone: judged.manifest.zone,
        };
        self.found.segments.get(at).map_or(Vec::new(), |conversion| shown.lines(conversion))
    }
}
