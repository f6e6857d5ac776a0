//! What came of the people of segments, for people and for tools.

use super::Words;
use crate::exit::Failure;
use crate::output::{csv_text, grouped, people, percent, seconds};
use seg::unstable::conversion::{Conversion, Conversions, Difference, Goal, Group, Share, Split};
use seg::unstable::data::shown::length;
use seg::unstable::data::time::SECOND;
use seg::unstable::data::{Value, money};
use seg::{Timestamp, Zone};
use serde_json::json;
use std::fmt::Write;

/// What was counted, and what was asked.
pub struct Shown<'a> {
    pub names: &'a [&'a str],
    pub found: &'a Conversions,
    pub goal: &'a Goal,
    pub words: &'a Words,
    pub holdout: Option<&'a str>,
    pub sent: Option<&'a str>,
    pub currency: Option<&'a str>,
    pub period: (Timestamp, Timestamp),
    pub now: Timestamp,
    pub zone: Option<Zone>,
}

impl Shown<'_> {
    fn name(&self, at: usize) -> &str {
        self.names.get(at).copied().unwrap_or("")
    }

    fn instant(&self, at: Timestamp) -> String {
        at.in_zone(self.zone).to_string()
    }

    /// A few lines a segment.
    pub fn text(&self, project: &str, n_people: usize, said_by: &str) -> String {
        let (people, now) = (grouped(n_people as u64), self.instant(self.now));
        let newest =
            self.found.data_end.map_or("no events".to_owned(), |at| format!("events up to {}", self.instant(at)));
        let [from, to] = [self.period.0, self.period.1].map(|at| self.instant(at));
        let mut out = format!("{project}: {people} people, judged at {now} (from {said_by}), {newest}\n");
        // Writing to a string does not fail.
        let _ = writeln!(out, "who entered from {from} on and before {to}");
        let revenue = self.words.revenue.as_ref().map_or(String::new(), |value| format!("; revenue: {value}"));
        let _ = writeln!(out, "goal: {}{revenue}", self.words.goal);
        for conversion in &self.found.segments {
            let _ = writeln!(out, "\n\"{}\"", self.name(conversion.segment));
            for (label, words) in self.lines(conversion) {
                let _ = writeln!(out, "  {label:13}{words}");
            }
        }
        if let Some(winners) = &self.found.winners {
            out.push_str("\neverybody once, by the first of them that they went to\n");
            let mut lines = vec![("entered", crate::output::people(winners.all.people))];
            self.group(&winners.all, &mut lines);
            for (label, words) in lines {
                let _ = writeln!(out, "  {label:13}{words}");
            }
        }
        out
    }

    /// What is said of a segment: a word, and what it is about.
    pub fn lines(&self, conversion: &Conversion) -> Vec<(&'static str, String)> {
        let mut lines = vec![("entered", self.entered(conversion))];
        match &conversion.split {
            Some(split) => self.split(split, &mut lines),
            None => self.group(&conversion.all, &mut lines),
        }
        if let Some(rate) = conversion.outside.as_ref().and_then(|outside| outside.rate()) {
            lines
                .push(("not in it", format!("{} of the people who were not in it on these days", percent(Some(rate)))));
        }
        if conversion.all.may_be_same_act() {
            let (soon, all) = (conversion.all.soon, conversion.all.converted().part);
            let words = "came within an hour of the event by which they entered;";
            lines.push(("beware", format!("{} of {} {words}", grouped(soon), grouped(all))));
            lines.push(("", "`with another …` at the end of the goal leaves out what belongs to it".to_owned()));
        }
        lines
    }

    fn entered(&self, conversion: &Conversion) -> String {
        let n_entered = conversion.all.people + conversion.all.not_sent;
        let mut words = people(n_entered);
        if conversion.entries > n_entered {
            let _ = write!(words, ", {} times", grouped(conversion.entries));
        }
        if conversion.already_in > 0 {
            let were = if conversion.already_in == 1 { "was" } else { "were" };
            let _ = write!(words, "; {} {were} in it before", grouped(conversion.already_in));
        }
        if let Some(sent) = self.sent {
            let _ = write!(words, "; {} had `{sent}` and count from it on", grouped(conversion.all.people));
        }
        words
    }

    fn group(&self, group: &Group, lines: &mut Vec<(&'static str, String)>) {
        lines.push(("reached", reached(group)));
        if let (Some(half), Some(most)) = (group.time(50), group.time(90)) {
            lines.push(("after", format!("{} for half of them, {} for nine in ten", length(half), length(most))));
        }
        if let (Some(all), Some(each)) = (&group.revenue, group.revenue_per_person()) {
            lines.push(("revenue", format!("{}, {} a person", self.amount(all), self.amount(&each))));
        }
        self.incomplete(group, lines);
    }

    fn incomplete(&self, group: &Group, lines: &mut Vec<(&'static str, String)>) {
        if group.incomplete() > 0 {
            let (n, already) = (people(group.incomplete()), grouped(group.incomplete_with_goal));
            lines.push(("not yet", format!("{n} had less time than the goal gives; {already} reached it already")));
        }
    }

    fn split(&self, split: &Split, lines: &mut Vec<(&'static str, String)>) {
        for (label, group) in [("held out", &split.held_out), ("not held out", &split.others)] {
            let each =
                group.revenue_per_person().map_or(String::new(), |each| format!(", {} a person", self.amount(&each)));
            lines.push((label, reached(group) + &each));
            self.incomplete(group, lines);
        }
        if let Some(difference) = split.difference() {
            lines.push(("difference", points(&difference)));
        }
    }

    /// Money with two places and its currency.
    fn amount(&self, value: &Value) -> String {
        let currency = self.currency.map_or(String::new(), |currency| format!(" {currency}"));
        match value {
            Value::Money(scaled) => {
                let cents = money::divide_half_even(*scaled, i128::from(money::MONEY_SCALE / 100)).unwrap_or(0);
                let sign = if cents < 0 { "−" } else { "" };
                let (whole, part) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
                let whole = u64::try_from(whole).map_or_else(|_| whole.to_string(), grouped);
                format!("{sign}{whole}.{part:02}{currency}")
            }
            Value::Integer(whole) => whole.to_string(),
            Value::Number(number) => format!("{number:.2}"),
            Value::Boolean(_) | Value::Text(_) | Value::Timestamp(_) | Value::Date(_) | Value::List(_) => {
                "–".to_owned()
            }
        }
    }

    /// A row a segment, or a group of its people where some are held out.
    pub fn csv(&self) -> Result<String, Failure> {
        let head = [
            "segment",
            "from",
            "to",
            "goal",
            "group",
            "already_in",
            "entries",
            "people_entered",
            "complete",
            "incomplete",
            "incomplete_with_goal",
            "converted",
            "rate",
            "wilson_low",
            "wilson_high",
            "median_s",
            "p90_s",
            "revenue",
            "revenue_per_person",
            "not_in_it_rate",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for conversion in &self.found.segments {
            rows.push(self.row(conversion, "all", &conversion.all));
            if let Some(split) = &conversion.split {
                rows.push(self.row(conversion, "held out", &split.held_out));
                rows.push(self.row(conversion, "not held out", &split.others));
            }
        }
        for (segment, group) in self.found.winners.iter().flat_map(|winners| &winners.segments) {
            rows.push(self.cells(self.name(*segment), "went to it", group));
        }
        rows.extend(self.found.winners.iter().map(|winners| self.cells("", "everybody once", &winners.all)));
        csv_text(rows)
    }

    fn row(&self, conversion: &Conversion, group_name: &str, group: &Group) -> Vec<String> {
        let mut cells = self.cells(self.name(conversion.segment), group_name, group);
        let is_all = group_name == "all";
        let outside = conversion.outside.as_ref().filter(|_| is_all).and_then(|outside| outside.rate());
        let entries = if is_all { conversion.entries.to_string() } else { String::new() };
        for (at, cell) in [(ALREADY_IN, conversion.already_in.to_string()), (ENTRIES, entries)] {
            cells.get_mut(at).into_iter().for_each(|known| known.clone_from(&cell));
        }
        cells.last_mut().into_iter().for_each(|known| *known = in_six(outside));
        cells
    }

    /// The row of a group, without what is known of a segment alone.
    fn cells(&self, segment: &str, group_name: &str, group: &Group) -> Vec<String> {
        let converted = group.converted();
        let (low, high) = converted.range().unzip();
        let whole_seconds = |percent| group.time(percent).map_or(String::new(), in_seconds);
        vec![
            segment.to_owned(),
            self.period.0.to_string(),
            self.period.1.to_string(),
            self.words.goal.clone(),
            group_name.to_owned(),
            String::new(),
            String::new(),
            group.people.to_string(),
            group.complete.to_string(),
            group.incomplete().to_string(),
            group.incomplete_with_goal.to_string(),
            converted.part.to_string(),
            in_six(converted.rate()),
            in_six(low),
            in_six(high),
            whole_seconds(50),
            whole_seconds(90),
            group.revenue.as_ref().map_or(String::new(), exact),
            group.revenue_per_person().as_ref().map_or(String::new(), exact),
            String::new(),
        ]
    }

    pub fn json(&self, data: serde_json::Value) -> serde_json::Value {
        let segment = |conversion: &Conversion| {
            let outside = conversion.outside.as_ref().map(|outside| {
                let day = |day: &seg::unstable::conversion::OutsideDay| {
                    json!({
                        "day": day.day.to_string(),
                        "entered": day.entered,
                        "people": day.outside.whole,
                        "converted": day.outside.part,
                        "rate": day.outside.rate(),
                    })
                };
                json!({ "rate": outside.rate(), "days": outside.days.iter().map(day).collect::<Vec<_>>() })
            });
            let split = conversion.split.as_ref().map(|split| {
                let difference = split.difference().map(|d| json!({ "by": d.by, "low": d.low, "high": d.high }));
                json!({
                    "held_out": self.group_json(&split.held_out),
                    "not_held_out": self.group_json(&split.others),
                    "difference": difference,
                })
            });
            json!({
                "segment": self.name(conversion.segment),
                "already_in": conversion.already_in,
                "entries": conversion.entries,
                "all": self.group_json(&conversion.all),
                "holdout": split,
                "not_in_it": outside,
            })
        };
        let winners = self.found.winners.as_ref().map(|winners| {
            let segment = |(segment, group): &(usize, Group)| {
                json!({ "segment": self.name(*segment), "all": self.group_json(group) })
            };
            let segments: Vec<serde_json::Value> = winners.segments.iter().map(segment).collect();
            json!({ "segments": segments, "all": self.group_json(&winners.all) })
        });
        json!({
            "at": self.now.to_string(),
            "data_end": self.found.data_end.map(|at| at.to_string()),
            "from": self.period.0.to_string(),
            "to": self.period.1.to_string(),
            "goal": self.words.goal,
            "revenue": self.words.revenue,
            "currency": self.goal.revenue_type().and(self.currency),
            "holdout": self.holdout,
            "sent": self.sent,
            "segments": self.found.segments.iter().map(segment).collect::<Vec<_>>(),
            "winners": winners,
            "data": data,
        })
    }

    fn group_json(&self, group: &Group) -> serde_json::Value {
        let converted = group.converted();
        let range = converted.range().map(|(low, high)| json!({ "low": low, "high": high }));
        json!({
            "people": group.people,
            "not_sent": self.sent.map(|_| group.not_sent),
            "complete": group.complete,
            "incomplete": group.incomplete(),
            "incomplete_with_goal": group.incomplete_with_goal,
            "converted": converted.part,
            "rate": converted.rate(),
            "range": range,
            "median_seconds": group.time(50).map(seconds),
            "p90_seconds": group.time(90).map(seconds),
            "within_an_hour": group.soon,
            "revenue": group.revenue.as_ref().map(exact),
            "revenue_per_person": group.revenue_per_person().as_ref().map(exact),
        })
    }
}

/// The columns of a row that are of a segment, not of a group.
const ALREADY_IN: usize = 5;
const ENTRIES: usize = 6;

/// A rate with six places, where there is one.
fn in_six(rate: Option<f64>) -> String {
    rate.map_or(String::new(), |rate| format!("{rate:.6}"))
}

/// `33 of 255, 12.9% (9.4 to 17.6)`
fn reached(group: &Group) -> String {
    let share: Share = group.converted();
    let (Some(rate), Some((low, high))) = (share.rate(), share.range()) else {
        return "–, for nobody has had the time that the goal gives".to_owned();
    };
    let [low, high] = [low, high].map(|rate| format!("{:.1}", rate * 100.0));
    format!("{} of {}, {} ({low} to {high})", grouped(share.part), grouped(share.whole), percent(Some(rate)))
}

/// `+3.1 points (−5.2 to +11.4): chance alone may make it`
fn points(difference: &Difference) -> String {
    let signed = |rate: f64| {
        let sign = if rate < 0.0 { "−" } else { "+" };
        format!("{sign}{:.1}", rate.abs() * 100.0)
    };
    let words = if difference.may_be_chance() { "chance alone may make it" } else { "more than chance makes" };
    let [by, low, high] = [difference.by, difference.low, difference.high].map(signed);
    format!("{by} points ({low} to {high}): {words}")
}

/// Seconds with six places.
fn in_seconds(micros: i64) -> String {
    format!("{}.{:06}", micros / SECOND, micros % SECOND)
}

/// Money with four places, else the number as it is.
fn exact(value: &Value) -> String {
    match value {
        Value::Money(scaled) => {
            let sign = if *scaled < 0 { "-" } else { "" };
            let scale = money::MONEY_SCALE.unsigned_abs();
            let (whole, part) = (scaled.unsigned_abs() / u128::from(scale), scaled.unsigned_abs() % u128::from(scale));
            format!("{sign}{whole}.{part:04}")
        }
        Value::Integer(whole) => whole.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Boolean(_) | Value::Text(_) | Value::Timestamp(_) | Value::Date(_) | Value::List(_) => String::new(),
    }
}
