//! Sizes against what the days before let expect.

use super::Guards;
use seg::unstable::decided::{Days, DecidedSizes};
use seg::unstable::forecast::{DAYS_LEAST, Known, expected_now, n_days_of_guard};
use seg::unstable::history::{days_before, first_known, size_before, steps};
use seg::unstable::io::results::PartitionDays;
use seg::{Batch, EvaluateError, Options, Prepared, Program, Timestamp, Wanted, Zone};

/// The sizes of the days up to a run, and what was decided of each a day before.
pub struct Expected {
    /// The part of days on which a range is to hold.
    share: f64,
    /// An instant a day, the last of which is that of the run.
    instants: Vec<Timestamp>,
    /// For each segment, at each of the instants.
    sizes: Vec<Vec<u64>>,
    /// For each segment, as of all but the last of them.
    decided: Vec<DecidedSizes>,
    first_known: Option<Timestamp>,
}

impl Expected {
    /// Of no people yet.
    pub fn new(share: f64, now: Timestamp, zone: Zone) -> Expected {
        let instants = days_before(now, zone, n_days_of_guard() as u32);
        Expected { share, instants, sizes: Vec::new(), decided: Vec::new(), first_known: None }
    }

    /// How many days are looked at.
    pub fn n_days(&self) -> u32 {
        self.instants.len() as u32
    }

    /// The first instant that is looked at.
    fn first(&self) -> Timestamp {
        self.instants.first().copied().unwrap_or(Timestamp::MAX)
    }

    /// What is read for it: whatever the earliest day looks at, the later ones look at too. Who has
    /// an event now may have had none then, so that any one of them is not enough.
    pub fn wanted(&self, program: &Program) -> Wanted {
        let mut wanted = program.wanted(self.first());
        wanted.events.values_mut().for_each(|event| event.is_existence = false);
        wanted
    }

    /// Looks at people who are in none of the batches before.
    ///
    /// # Errors
    /// See [`EvaluateError`].
    pub fn look(&mut self, prepared: &Prepared, batch: &Batch, options: &Options) -> Result<(), EvaluateError> {
        let segments: Vec<usize> = (0..prepared.program().segment_names().count()).collect();
        let Some(last) = self.instants.last() else { return Ok(()) };
        let spells = prepared.spells(batch, (self.first(), *last), &segments, options)?;
        let days = Days { instants: &self.instants, n_ahead: 1 };
        let decided = prepared.decided(batch, days, (&segments, &spells), options)?;
        self.sizes.resize(segments.len(), vec![0; self.instants.len()]);
        self.decided.resize(segments.len(), vec![vec![0]; days.origins().len()]);
        for (of, spells) in self.sizes.iter_mut().zip(&spells) {
            let steps = steps(spells, &self.instants);
            let own = [size_before(&steps)].into_iter().chain(steps.iter().map(|step| step.size));
            of.iter_mut().zip(own).for_each(|(size, own)| *size += own);
        }
        for (of, own) in self.decided.iter_mut().flatten().flatten().zip(decided.iter().flatten().flatten()) {
            *of += own;
        }
        self.first_known = self.first_known.into_iter().chain(first_known(batch)).min();
        Ok(())
    }

    /// What was seen so far, to be sent to where everybody is seen.
    pub fn found(&self) -> PartitionDays {
        let first_known = self.first_known.map(|at| at.0);
        PartitionDays { sizes: self.sizes.clone(), decided: self.decided.clone(), first_known }
    }

    /// Adds what was seen of other people.
    pub fn add(&mut self, found: &PartitionDays) {
        self.sizes.resize(self.sizes.len().max(found.sizes.len()), vec![0; self.instants.len()]);
        for (of, own) in self.sizes.iter_mut().zip(&found.sizes) {
            of.iter_mut().zip(own).for_each(|(size, own)| *size += own);
        }
        match self.decided.is_empty() {
            true => self.decided.clone_from(&found.decided),
            false => {
                let all = self.decided.iter_mut().flatten().flatten();
                all.zip(found.decided.iter().flatten().flatten()).for_each(|(of, own)| *of += own);
            }
        }
        let first_known = found.first_known.map(Timestamp);
        self.first_known = self.first_known.into_iter().chain(first_known).min();
    }

    /// Which segments have a size that was not expected.
    pub fn judge<'n>(&self, names: impl Iterator<Item = &'n str>, guards: &mut Guards) {
        let first_known = self.first_known.unwrap_or(Timestamp::MIN);
        let first = self.instants.partition_point(|at| *at < first_known);
        let mut is_known = false;
        for ((name, sizes), decided) in names.zip(&self.sizes).zip(&self.decided) {
            let Some(expected) = expected_now(Known { sizes, entries: &[], decided, first }, self.share) else {
                continue;
            };
            is_known = true;
            let (low, high) = expected.1;
            let size = sizes.last().copied().unwrap_or(0);
            // Of a range whole people are outside who are so after rounding.
            let (low, high) = (low.floor() as u64, high.ceil() as u64);
            if size < low || high < size {
                guards.broken.push(format!(
                    "\"{name}\" has {size} people, and {low} to {high} were expected by the days before"
                ));
            }
        }
        if !is_known && !self.sizes.is_empty() {
            guards.notes.push(format!(
                "whether sizes were expected by the days before was not judged, for there are fewer than {DAYS_LEAST} of them"
            ));
        }
    }
}
