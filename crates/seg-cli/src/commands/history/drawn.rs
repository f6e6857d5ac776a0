//! A history as a drawing.

use super::expected::Shown;
use super::shown::Counted;
use crate::charts::{Ahead, Bars, Line, Multiple, Multiples, one};
use crate::output::{grouped, people, signed};
use seg::unstable::data::shown::short_day;
use seg::unstable::history::{Step, size_before};

impl Counted<'_> {
    /// The only segment with its entries and exits, or several beside each other.
    pub fn svg(&self, project: &str) -> String {
        let (first, last) = (self.first, self.days.last().copied().unwrap_or(self.first));
        let period = format!("{} to {}", short_day(first, self.zone), short_day(last, self.zone));
        if let ([name], [steps]) = (self.names.as_slice(), self.steps.as_slice()) {
            return self.svg_of(name, steps, &period);
        }
        let segment = |(name, steps): (&&str, &&[Step])| Multiple {
            name: (*name).to_owned(),
            sizes: sizes(steps),
            says: says(steps),
        };
        let segments: Vec<Multiple> = self.names.iter().zip(&self.steps).map(segment).collect();
        Multiples { heading: &format!("{project}, {period}"), segments: &segments }.svg()
    }

    fn svg_of(&self, name: &str, steps: &[Step], period: &str) -> String {
        let to_come = self.ahead.as_ref().map_or(&[][..], |ahead| &ahead.days);
        let all = std::iter::once(&self.first).chain(self.days).chain(to_come);
        let days: Vec<String> = all.map(|at| short_day(*at, self.zone)).collect();
        let ahead = self.ahead.as_ref().map_or(Vec::new(), drawn);
        let (sizes, moves) = (sizes(steps), steps.iter().map(|step| (step.entries, step.exits)).collect::<Vec<_>>());
        let year = self.year_says().map_or(String::new(), |says| format!("; dashed, {says}"));
        let title = format!("{name}, {period}: {}{year}", says(steps));
        let year_before = self.year_before.as_deref().unwrap_or(&[]);
        let line = Line { title: &title, sizes: &sizes, ahead: &ahead, year_before, days: &days };
        let moved = moved(steps);
        let bars = Bars { title: &moved, moves: &moves, n_ahead: ahead.len(), label_chars: line.label_chars() };
        one(name, &format!("{period}: {}, {moved}{year}", says(steps)), &line, &bars)
    }
}

/// What is expected of the only segment.
fn drawn(shown: &Shown) -> Vec<Ahead> {
    shown.forecasts.iter().take(1).flatten().map(|forecast| Ahead::of(&forecast.size)).collect()
}

/// How large it was at the beginning and after each step.
fn sizes(steps: &[Step]) -> Vec<u64> {
    std::iter::once(size_before(steps)).chain(steps.iter().map(|step| step.size)).collect()
}

/// `1,449 people, +12`
fn says(steps: &[Step]) -> String {
    let (before, now) = (size_before(steps), steps.last().map_or(0, |step| step.size));
    format!("{}, {}", people(now), signed(now as i64 - before as i64))
}

fn moved(steps: &[Step]) -> String {
    let sum = |of: fn(&Step) -> u64| grouped(steps.iter().map(of).sum());
    format!("{} in, {} out", sum(|step| step.entries), sum(|step| step.exits))
}
