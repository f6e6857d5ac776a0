//! What `seg diff` says, to people and to tools.

use crate::commands::test::{why_json, write_why};
use crate::exit::Failure;
use crate::output::{csv_text, grouped, people};
use seg::unstable::diff::{Basis, Change, Replaced, SegmentDiff};
use seg::unstable::io::Manifest;
use seg::{Explanation, Timestamp};
use std::fmt::Write;

/// One person each who enters and leaves, and why the new version has them in or not.
pub struct Moving {
    pub enters: Option<(String, Option<Explanation>)>,
    pub leaves: Option<(String, Option<Explanation>)>,
}

/// Two versions beside each other.
pub struct Shown<'a> {
    pub diffs: &'a [SegmentDiff],
    /// One for each of them.
    pub moving: &'a [Moving],
    /// The old version and the new one, as the arguments call them.
    pub names: [&'a str; 2],
    pub manifest: &'a Manifest,
    pub now: Timestamp,
    pub said_by: &'static str,
    pub n_people: usize,
}

/// How many segments changed, and how.
struct Sum {
    of: usize,
    meaning: usize,
    wording: usize,
    added: usize,
    removed: usize,
    enter: u64,
    leave: u64,
}

impl Shown<'_> {
    fn sum(&self) -> Sum {
        let mut sum = Sum { of: 0, meaning: 0, wording: 0, added: 0, removed: 0, enter: 0, leave: 0 };
        for diff in self.diffs {
            match diff.change {
                Change::Same => {}
                Change::Wording => sum.wording += 1,
                Change::Narrower | Change::Wider | Change::Different => sum.meaning += 1,
                Change::Added => sum.added += 1,
                Change::Removed => sum.removed += 1,
            }
            sum.of += usize::from(!matches!(diff.change, Change::Added | Change::Removed));
            sum.enter += diff.enter.count;
            sum.leave += diff.leave.count;
        }
        sum
    }

    pub fn text(&self) -> String {
        let [old, new] = self.names;
        let now = self.now.in_zone(self.manifest.zone);
        let sum = self.sum();
        let mut out = self.sentence(&sum);
        // Writing to a string does not fail.
        let _ = writeln!(
            out,
            "{old} → {new}, {} people, judged at {now} (from {})",
            grouped(self.n_people as u64),
            self.said_by
        );
        for (diff, moving) in self.diffs.iter().zip(self.moving) {
            if diff.change != Change::Same {
                out.push('\n');
                self.write_segment(&mut out, diff, moving);
            }
        }
        out
    }

    /// `1 of 7 changes meaning: 513 enter, 0 leave; 2 in words only`
    fn sentence(&self, sum: &Sum) -> String {
        let (of, wording) = (sum.of, sum.wording);
        let mut parts = vec![match sum.meaning {
            0 => format!("0 of {of} change meaning"),
            n => {
                let change = if n == 1 { "changes" } else { "change" };
                let (enter, leave) = (grouped(sum.enter), grouped(sum.leave));
                format!("{n} of {of} {change} meaning: {enter} enter, {leave} leave")
            }
        }];
        parts.extend((wording > 0).then(|| format!("{wording} in words only")));
        parts.extend((sum.added > 0).then(|| format!("{} added", sum.added)));
        parts.extend((sum.removed > 0).then(|| format!("{} removed", sum.removed)));
        parts.join("; ") + "\n"
    }

    fn write_segment(&self, out: &mut String, diff: &SegmentDiff, moving: &Moving) {
        let size = |size: Option<u64>| size.map_or("–".to_owned(), grouped);
        let basis = match (diff.change, diff.basis) {
            (Change::Narrower | Change::Wider, Basis::Proved) => ", proved",
            (Change::Narrower | Change::Wider | Change::Different, Basis::InData) => ", in this data",
            (Change::Same | Change::Wording | Change::Different | Change::Added | Change::Removed, _) => "",
        };
        // Writing to a string does not fail.
        let _ = writeln!(out, "\"{}\": {}{basis}", diff.name, word(diff.change));
        match diff.change {
            Change::Same => return,
            Change::Wording => return write_replaced(out, &diff.replaced),
            Change::Added => return write_size(out, diff.size_new, "in it"),
            Change::Removed => return write_size(out, diff.size_old, "in it before"),
            Change::Narrower | Change::Wider | Change::Different => {}
        }
        let (before, after) = (size(diff.size_old), size(diff.size_new));
        let (enter, leave) = (grouped(diff.enter.count), grouped(diff.leave.count));
        let _ = writeln!(out, "  {before} → {after} people: {enter} enter, {leave} leave");
        if diff.replaced.is_empty() {
            out.push_str("  the conditions read as before; something that they refer to has changed\n");
        }
        write_replaced(out, &diff.replaced);
        write_person(out, "enters", moving.enters.as_ref());
        write_person(out, "leaves", moving.leaves.as_ref());
    }

    pub fn csv(&self) -> Result<String, Failure> {
        let head = ["segment", "change", "basis", "at", "size_old", "size_new", "enter", "leave"];
        let size = |size: Option<u64>| size.map_or(String::new(), |size| size.to_string());
        let rows = self.diffs.iter().map(|diff| {
            vec![
                diff.name.clone(),
                slug(diff.change).to_owned(),
                basis(diff.basis).to_owned(),
                self.now.to_string(),
                size(diff.size_old),
                size(diff.size_new),
                diff.enter.count.to_string(),
                diff.leave.count.to_string(),
            ]
        });
        csv_text(std::iter::once(head.map(str::to_owned).to_vec()).chain(rows))
    }

    pub fn json(&self) -> serde_json::Value {
        let sum = self.sum();
        let person = |moving: &Option<(String, Option<Explanation>)>| {
            moving.as_ref().map(|(id, explained)| {
                let why = explained.as_ref().map(|explained| why_json(&explained.why));
                serde_json::json!({ "person": id, "why": why })
            })
        };
        let segments = self.diffs.iter().zip(self.moving).map(|(diff, moving)| {
            let replaced = diff.replaced.iter();
            let replaced = replaced.map(|Replaced { part, before, after }| {
                serde_json::json!({ "part": part, "before": before, "after": after })
            });
            serde_json::json!({
                "segment": diff.name,
                "change": slug(diff.change),
                "basis": basis(diff.basis),
                "size_old": diff.size_old,
                "size_new": diff.size_new,
                "enter": diff.enter.count,
                "leave": diff.leave.count,
                "conditions": replaced.collect::<Vec<_>>(),
                "enters": person(&moving.enters),
                "leaves": person(&moving.leaves),
            })
        });
        serde_json::json!({
            "old": self.names[0],
            "new": self.names[1],
            "at": self.now.to_string(),
            "people": self.n_people,
            "sum": {
                "segments": sum.of,
                "meaning": sum.meaning,
                "wording": sum.wording,
                "added": sum.added,
                "removed": sum.removed,
                "enter": sum.enter,
                "leave": sum.leave,
            },
            "segments": segments.collect::<Vec<_>>(),
        })
    }
}

fn write_size(out: &mut String, size: Option<u64>, verb: &str) {
    let words = people(size.unwrap_or(0));
    // Writing to a string does not fail.
    let _ = writeln!(out, "  {words} {verb}");
}

/// The conditions that differ, as they were and as they are.
fn write_replaced(out: &mut String, replaced: &[Replaced]) {
    for Replaced { part, before, after } in replaced {
        // Writing to a string does not fail.
        let _ = writeln!(out, "  {part}");
        if before == after {
            let words = before.as_deref().unwrap_or_default();
            let _ = writeln!(out, "    {words}, of which something that it refers to has changed");
            continue;
        }
        for (mark, words) in [("−", before), ("+", after)] {
            let _ = words.as_ref().map(|words| writeln!(out, "    {mark} {words}"));
        }
    }
}

/// Why somebody enters or leaves. The one place in which a comparison explains a person.
fn write_person(out: &mut String, verb: &str, moving: Option<&(String, Option<Explanation>)>) {
    let Some((id, explained)) = moving else { return };
    // Writing to a string does not fail.
    let _ = writeln!(out, "  {verb}, for example, {}", id.escape_debug());
    if let Some(explained) = explained {
        for detail in &explained.why.details {
            let _ = writeln!(out, "      {detail}");
        }
        explained.why.parts.iter().for_each(|part| write_why(out, part, 2));
    }
}

fn word(change: Change) -> &'static str {
    match change {
        Change::Same => "the same",
        Change::Wording => "other words, the same meaning",
        Change::Narrower => "narrower",
        Change::Wider => "wider",
        Change::Different => "different",
        Change::Added => "added",
        Change::Removed => "removed",
    }
}

fn slug(change: Change) -> &'static str {
    match change {
        Change::Same => "same",
        Change::Wording => "wording",
        Change::Narrower => "narrower",
        Change::Wider => "wider",
        Change::Different => "different",
        Change::Added => "added",
        Change::Removed => "removed",
    }
}

fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Proved => "proved",
        Basis::InData => "in-data",
    }
}
