//! `seg explain`

mod ahead;

use super::test::why_json;
use super::{compiled, input, load, run};
use crate::args::{Explain, Format};
use crate::exit::{Exit, Failure};
use crate::output::{Output, print_json, print_text};
use seg::unstable::data::shown;
use seg::unstable::{Join, parts};
use seg::{Explained, Explanation, PersonExplanation, Role, Schema, Timestamp, Why, Zone};
use std::fmt::Write;

/// The instant of a verdict stands from this column on, where there is room.
const COLUMN: usize = 64;
/// So many of the conditions that turn are named beside the instant.
const TURNING_MAX: usize = 2;

pub fn run(args: &Explain, output: &Output) -> Result<Exit, Failure> {
    let mut project = load(&args.dir)?;
    let Some(program) = compiled(&project, args.format, "explained", output)? else { return Ok(Exit::Errors) };
    let _input = input::take(&mut project)?;
    let Some(manifest) = parts(&project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let (now, said_by) = run::now(args.at.as_deref(), manifest)?;
    let wanted = program.wanted(now).of_all_times();
    let loaded = run::read(&project, manifest, (&wanted, &wanted), output)?;
    let (project, program, batch) = (&project, &program, &loaded.batch);
    let segment = args.segment.as_deref();
    let of = Explained { project, program, batch, segment, person: &args.person, now };
    let explained = seg::explain(of).map_err(Failure::usage)?;
    if args.format == Format::Json {
        print_json(&json(args, &explained, now))?;
        return Ok(Exit::Success);
    }
    let zone = manifest.zone.unwrap_or(Zone::UTC);
    let shown = Shown { output, person: &args.person, now, said_by, zone, schema: project.schema() };
    print_text(&match (&args.segment, explained.segments.as_slice()) {
        (Some(_), [one]) => shown.one(one, &explained),
        (Some(_) | None, _) => shown.all(&explained),
    })?;
    tell!("{}", run::problems(&loaded.report));
    Ok(Exit::Success)
}

/// How explanations are shown.
struct Shown<'a> {
    output: &'a Output,
    /// The id that was asked for.
    person: &'a str,
    now: Timestamp,
    /// Who said as of when.
    said_by: &'a str,
    zone: Zone,
    schema: &'a Schema,
}

/// A condition as it is written, and what part it plays.
pub struct Condition<'w> {
    pub why: &'w Why,
    /// Whether people are excluded by it.
    excludes: bool,
    /// Whether it is asked that it does not hold.
    is_negated: bool,
    is_before: bool,
}

impl Shown<'_> {
    /// The verdict and what decides it.
    fn one(&self, of: &Explanation, person: &PersonExplanation) -> String {
        let mut text = self.verdict(of, person);
        if self.output.shows_all() {
            of.why.parts.iter().for_each(|part| self.unfolded(&mut text, part, false, 2));
        } else {
            self.deciding(&mut text, of);
        }
        // Of whom nobody knows yet there is nothing to wait for.
        if !of.why.parts.is_empty() || of.changes_at.is_some() {
            let _ = writeln!(text, "  {}", self.next(of));
        }
        text
    }

    fn verdict(&self, of: &Explanation, person: &PersonExplanation) -> String {
        let is = if of.why.holds { "is in" } else { "is not in" };
        let also = match person.id == self.person {
            true => String::new(),
            false => format!(" (who goes by {})", person.id.escape_debug()),
        };
        let verdict = format!("{}{also} {is} \"{}\"", self.person.escape_debug(), of.segment);
        let at = shown::full_instant(self.now, self.zone);
        let mark = self.output.mark(of.why.holds);
        let mut text = format!("{mark} {verdict:COLUMN$}  {at} (from {})\n", self.said_by);
        for detail in &of.why.details {
            // Writing to a string does not fail.
            let _ = writeln!(text, "    {detail}");
        }
        text
    }

    /// What keeps somebody out and what does not; or what makes them be in.
    fn deciding(&self, text: &mut String, of: &Explanation) {
        let conditions = conditions(&of.why);
        let named = |number: &usize| conditions.iter().find(|condition| condition.why.condition == Some(*number));
        let mut told: Vec<String> = Vec::new();
        // What a rule asks for and the segment too, or what holds in both views of a grace
        // period, is told of once.
        let mut line = |condition: &Condition<'_>, is_good: bool, more: &str| {
            let line = format!("    {} {}{more}", self.output.mark(is_good), said_of(condition, is_good));
            if !told.contains(&line) {
                // Writing to a string does not fail.
                let _ = writeln!(text, "{line}");
                told.push(line);
            }
        };
        if of.why.holds {
            of.proof.iter().filter_map(named).for_each(|condition| line(condition, true, ""));
            return;
        }
        let fewest: &[usize] = of.fewest.as_ref().map_or(&[], |fewest| &fewest.conditions);
        for (nth, condition) in fewest.iter().filter_map(named).enumerate() {
            let more = match (fewest.len(), nth) {
                (0 | 1, _) | (_, 1..) => "",
                (2, 0) => "  (both would have to change)",
                (_, 0) => "  (all of these would have to change)",
            };
            line(condition, false, more);
        }
        let good = of.why.told_parts().filter(|part| part.holds != (part.role == Role::Exclude));
        let proofs: Vec<usize> = good.flat_map(Why::proof).filter(|number| !fewest.contains(number)).collect();
        proofs.iter().filter_map(named).for_each(|condition| line(condition, true, ""));
        if of.fewest.as_ref().is_some_and(|fewest| !fewest.is_proved) {
            text.push_str("    it is not proved that these are the fewest that would have to change\n");
        }
    }

    /// Every condition, with all that is known of it.
    fn unfolded(&self, text: &mut String, why: &Why, is_negated: bool, depth: usize) {
        let is_negated = is_negated != (why.role == Role::Exclude);
        let (indent, mark) = ("  ".repeat(depth), self.output.mark(why.holds != is_negated));
        let role = match why.role {
            Role::Include => "include ",
            Role::Exclude => "exclude ",
            Role::Rule => "everyone must ",
            Role::Segment | Role::Before | Role::Condition => "",
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{indent}{mark} {role}{}", why.said);
        for detail in &why.details {
            let _ = writeln!(text, "{indent}    {detail}");
        }
        let is_negated = is_negated != (why.join == Join::Not || why.join == Join::Several(0, Some(0)));
        why.parts.iter().for_each(|part| self.unfolded(text, part, is_negated, depth + 1));
    }

    /// When the answer changes, and by what.
    fn next(&self, of: &Explanation) -> String {
        let horizon = match of.looked_until {
            Some(until) => format!(" before {}", shown::instant(until, self.zone, self.now)),
            None => String::new(),
        };
        let by = ahead::triggers(of, self.schema, self.zone, self.now);
        let Some(at) = of.changes_at else {
            return match (of.why.holds, by) {
                (true, Some(by)) => format!("stays in{horizon}; leaves {by}"),
                (true, None) => format!("stays in{horizon}, unless something happens"),
                (false, Some(by)) => format!("comes in {by}"),
                (false, None) => format!("waiting does not help{horizon}{}", ahead::waiting(of, self.zone, self.now)),
            };
        };
        let conditions = of.why.conditions();
        let turning = of.turning.iter().filter_map(|number| conditions.get(*number)).take(TURNING_MAX);
        let turning: Vec<String> = turning
            .map(|why| format!("{} {}", if why.holds { "no longer" } else { "then" }, bare(&why.said)))
            .collect();
        let turning = if turning.is_empty() { String::new() } else { format!(": {}", turning.join(", ")) };
        let verb = if of.why.holds { "leaves" } else { "comes in" };
        let sooner = by.map_or(String::new(), |by| format!("; sooner {by}"));
        format!("{verb} {}{turning}{sooner}", shown::instant(at, self.zone, self.now))
    }

    /// A line for each segment, or with all conditions.
    fn all(&self, of: &PersonExplanation) -> String {
        if self.output.shows_all() {
            let each: Vec<String> = of.segments.iter().map(|segment| self.one(segment, of)).collect();
            return each.join("\n") + &winner(of);
        }
        let also = match of.id == self.person {
            true => String::new(),
            false => format!(", who goes by {},", of.id.escape_debug()),
        };
        let at = shown::full_instant(self.now, self.zone);
        let mut text = format!("{}{also} at {at} (from {})\n", self.person.escape_debug(), self.said_by);
        let width = of.segments.iter().map(|segment| segment.segment.chars().count()).max().unwrap_or(0);
        for segment in &of.segments {
            let (mark, name) = (self.output.mark(segment.why.holds), &segment.segment);
            let why = self.in_short(segment);
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {mark} {name:width$}  {why}");
        }
        text + &winner(of)
    }

    /// Until when somebody is in, or what keeps them out.
    fn in_short(&self, of: &Explanation) -> String {
        if of.why.holds {
            return match of.changes_at {
                Some(at) => format!("leaves {}", shown::instant(at, self.zone, self.now)),
                None => "stays in".to_owned(),
            };
        }
        let conditions = conditions(&of.why);
        let first = of.fewest.as_ref().and_then(|fewest| fewest.conditions.first());
        let first = conditions.iter().find(|condition| condition.why.condition.as_ref() == first && first.is_some());
        let more = match of.fewest.as_ref().map_or(0, |fewest| fewest.conditions.len()) {
            0 | 1 => String::new(),
            n => format!(", and {} more", n - 1),
        };
        match first {
            Some(condition) => format!("{}{more}", said_of(condition, false)),
            None => of.why.details.first().cloned().unwrap_or_else(|| "nobody can be in it".to_owned()),
        }
    }
}

/// Each segment with whether somebody is in it and why, in the words of the command without
/// colours.
pub fn told<'e>(
    of: &'e PersonExplanation,
    schema: &Schema,
    (now, zone): (Timestamp, Zone),
    output: &Output,
) -> impl Iterator<Item = (&'e Explanation, String)> {
    of.segments.iter().map(move |segment| {
        let shown = Shown { output, person: &of.id, now, said_by: "now", zone, schema };
        let text = shown.one(segment, of);
        // Of when it is is said by whoever asks.
        let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
        let is = if segment.why.holds { "is in" } else { "is not in" };
        let mark = output.mark(segment.why.holds);
        (segment, format!("{mark} {} {is} \"{}\"\n{rest}", of.id.escape_debug(), segment.segment))
    })
}

/// The segment that somebody goes to, where the project says in which order.
fn winner(of: &PersonExplanation) -> String {
    of.winner.as_ref().map_or(String::new(), |winner| format!("goes to \"{winner}\", by the order of precedence\n"))
}

/// The fact that decides a condition, and what is wanted where it is not so.
pub fn said_of(condition: &Condition<'_>, is_good: bool) -> String {
    let Condition { why, excludes, is_negated, is_before } = condition;
    let fact = bare(why.fact.as_deref().unwrap_or(&why.said));
    let before = if *is_before { "before the grace period: " } else { "" };
    match (excludes, is_good) {
        (true, true) => format!("{before}not excluded: {fact}"),
        (true, false) => format!("{before}excluded: {fact}"),
        (false, true) => format!("{before}{fact}"),
        // A count says what is wanted already.
        (false, false) if fact.ends_with(" wanted") => format!("{before}{fact}"),
        (false, false) if *is_negated => format!("{before}{fact}; wanted: not {}", bare(&why.said)),
        (false, false) => format!("{before}{fact}; wanted: {}", bare(&why.said)),
    }
}

/// The words of a condition without what leads to them.
pub(super) fn bare(said: &str) -> &str {
    ["who ", "whose "].iter().find_map(|lead| said.strip_prefix(lead)).unwrap_or(said)
}

/// The conditions of a segment as they are written, in the order of the sentence.
pub fn conditions(why: &Why) -> Vec<Condition<'_>> {
    fn walk<'w>(why: &'w Why, mut of: (bool, bool, bool), found: &mut Vec<Condition<'w>>) {
        of.0 |= why.role == Role::Exclude;
        of.2 |= why.role == Role::Before;
        let (excludes, is_negated, is_before) = of;
        if why.join == Join::Condition {
            found.push(Condition { why, excludes, is_negated, is_before });
            return;
        }
        let is_negated = is_negated != (why.join == Join::Not || why.join == Join::Several(0, Some(0)));
        why.parts.iter().for_each(|part| walk(part, (excludes, is_negated, is_before), found));
    }
    let mut found = Vec::new();
    walk(why, (false, false, false), &mut found);
    found
}

fn json(args: &Explain, of: &PersonExplanation, now: Timestamp) -> serde_json::Value {
    let segment = |of: &Explanation| {
        let conditions = of.why.conditions();
        let conditions: Vec<_> = conditions
            .iter()
            .map(|why| serde_json::json!({ "said": why.said, "holds": why.holds, "fact": why.fact }))
            .collect();
        let fewest = of
            .fewest
            .as_ref()
            .map(|fewest| serde_json::json!({ "conditions": fewest.conditions, "is_proved": fewest.is_proved }));
        serde_json::json!({
            "segment": of.segment,
            "is_in": of.why.holds,
            "changes_at": of.changes_at.map(|at| at.to_string()),
            "looked_until": of.looked_until.map(|at| at.to_string()),
            "conditions": conditions,
            "proof": of.proof,
            "fewest": fewest,
            "turning": of.turning,
            "triggers": of.triggers.iter().map(ahead::trigger_json).collect::<Vec<_>>(),
            "waiting": of.waiting.as_ref().map(ahead::waiting_json),
            "why": why_json(&of.why),
        })
    };
    let mut json =
        serde_json::json!({ "at": now.to_string(), "person": args.person, "id": of.id, "winner": of.winner });
    let Some(object) = json.as_object_mut() else { return json };
    match (&args.segment, of.segments.as_slice()) {
        // Of one segment it stands beside the person, of several in a list.
        (Some(_), [one]) => {
            if let serde_json::Value::Object(one) = segment(one) {
                object.extend(one);
            }
        }
        (Some(_) | None, several) => {
            object.insert("segments".to_owned(), several.iter().map(segment).collect());
        }
    }
    json
}
