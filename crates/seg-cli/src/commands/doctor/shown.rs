//! What `seg doctor` says, to people and to tools.

use crate::output::{counted, grouped, seconds};
use seg::Timestamp;
use seg::unstable::doctor::{
    Completeness, Cycle, Finding, FindingKind, Freshness, Health, Lateness, Part, SegmentHealth, Wait,
};
use seg::unstable::io::Manifest;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The health of data and segments.
pub struct Shown<'a> {
    pub health: &'a Health,
    pub manifest: &'a Manifest,
    pub now: Timestamp,
    pub said_by: &'static str,
    pub n_people: usize,
    /// The kinds of finding that fail the command.
    pub denies: &'a BTreeSet<FindingKind>,
    /// So many findings of a kind are shown to people.
    pub max: usize,
    /// Why it is not known how late events arrive, where it is not.
    pub not_late: Option<&'static str>,
}

impl Shown<'_> {
    pub fn text(&self) -> String {
        let (name, n_people) = (&self.manifest.name, grouped(self.n_people as u64));
        let now = self.now.in_zone(self.manifest.zone);
        let mut out = format!("{name}: {n_people} people, judged at {now} (from {})\n", self.said_by);
        self.write_figures(&mut out);
        for kind in FindingKind::ALL {
            let of_kind = self.health.findings.iter().filter(|finding| finding.kind == kind);
            self.write_findings(&mut out, kind, &of_kind.collect::<Vec<_>>());
        }
        out.push('\n');
        out.push_str(&self.sum());
        out
    }

    fn write_findings(&self, out: &mut String, kind: FindingKind, findings: &[&Finding]) {
        if findings.is_empty() {
            return;
        }
        let denied = if self.denies.contains(&kind) { " (denied)" } else { "" };
        // Writing to a string does not fail.
        let _ = writeln!(out, "\n{}{denied}", kind.slug().replace('-', " "));
        let shown = findings.get(..self.max).unwrap_or(findings);
        for (at, finding) in shown.iter().enumerate() {
            let _ = writeln!(out, "  {}", finding.says);
            // What helps several that stand together is said once.
            if shown.get(at + 1).is_none_or(|next| next.write != finding.write) {
                let _ = writeln!(out, "    → {}", finding.write);
            }
        }
        let n_more = findings.len() - shown.len();
        if n_more > 0 {
            let _ = writeln!(out, "  {n_more} more like these; `--all` shows them");
        }
    }

    /// What is told whether it is well or not.
    fn write_figures(&self, out: &mut String) {
        if let Some(all) = self.health.freshness_in_all.as_ref().filter(|all| !all.is_stale()) {
            // Writing to a string does not fail.
            let _ = writeln!(out, "the newest event is of {}", all.last.in_zone(self.manifest.zone));
        }
        if let Some(cycle) = &self.health.cycle {
            let at = |percent: u64| cycle.percentiles.iter().find(|(of, _)| *of == percent).map(|(_, days)| *days);
            if let (Some(p10), Some(p50), Some(p95)) = (at(10), at(50), at(95)) {
                let _ = writeln!(
                    out,
                    "between purchases: half of {} waits took {p50} days or less, from {p10} (percentile 10) to {p95} (percentile 95)",
                    grouped(cycle.gaps)
                );
            }
            for wait in cycle.waits.iter().filter(|wait| !wait.segments.is_empty()) {
                let share = cycle.share_over(wait.days).unwrap_or(0.0) * 100.0;
                let names: Vec<String> = wait.segments.iter().map(|name| format!("\"{name}\"")).collect();
                let (days, names) = (counted(wait.days as usize, "day"), names.join(", "));
                let _ = writeln!(out, "  {share:.1} % of waits that ended in a purchase were over {days}: {names}");
            }
        }
        if let Some(why) = self.not_late {
            let _ = writeln!(out, "whether events arrive late is not known: {why}");
        }
    }

    /// `3 findings: 1 stale, 2 orphaned`
    fn sum(&self) -> String {
        let findings = &self.health.findings;
        if findings.is_empty() {
            return "nothing to tell\n".to_owned();
        }
        let of_kind = |kind: FindingKind| findings.iter().filter(|finding| finding.kind == kind).count();
        let kinds = FindingKind::ALL.into_iter().map(|kind| (kind, of_kind(kind))).filter(|(_, n)| *n > 0);
        let kinds: Vec<String> = kinds.map(|(kind, n)| format!("{n} {}", kind.slug())).collect();
        let s = if findings.len() == 1 { "" } else { "s" };
        format!("{} finding{s}: {}\n", findings.len(), kinds.join(", "))
    }

    pub fn json(&self) -> Value {
        let health = self.health;
        json!({
            "at": self.now.to_string(),
            "people": self.n_people,
            "findings": health.findings.iter().map(|found| self.finding(found)).collect::<Value>(),
            "freshness": health.freshness.iter().map(freshness).collect::<Value>(),
            "freshness_in_all": health.freshness_in_all.as_ref().map(freshness),
            "lateness": health.lateness.iter().map(lateness).collect::<Value>(),
            "completeness": health.completeness.iter().map(completeness).collect::<Value>(),
            "buying_cycle": health.cycle.as_ref().map(cycle),
            "segments": health.segments.iter().map(segment).collect::<Value>(),
            "audiences": health.audiences,
        })
    }

    fn finding(&self, finding: &Finding) -> Value {
        json!({
            "kind": finding.kind.slug(),
            "denied": self.denies.contains(&finding.kind),
            "about": finding.about,
            "message": finding.says,
            "write": finding.write,
            "figure": finding.figure,
            "limit": finding.limit,
        })
    }
}

fn freshness(freshness: &Freshness) -> Value {
    json!({
        "event": freshness.event,
        "events": freshness.events,
        "first": freshness.first.to_string(),
        "last": freshness.last.to_string(),
        "age_s": seconds(freshness.age),
        "longest_gap_90d_s": seconds(freshness.longest_pause),
        "limit_s": seconds(freshness.limit),
        "verdict": if freshness.is_stale() { "stale" } else { "fresh" },
    })
}

fn lateness(late: &Lateness) -> Value {
    let share = |n: u64| n as f64 / late.events as f64;
    json!({
        "event": late.event,
        "events": late.events,
        "p50_s": seconds(late.p50),
        "p95_s": seconds(late.p95),
        "p99_s": seconds(late.p99),
        "arrives_within_s": late.arrives_within.map(seconds),
        "share_over": late.arrives_within.map(|_| share(late.over)),
        "share_below_zero": share(late.below_zero),
    })
}

fn completeness(found: &Completeness) -> Value {
    let part = |part: Part| json!({ "missing": part.missing, "of": part.of, "share": part.share() });
    json!({
        "event": found.event,
        "name": found.name,
        "required": found.is_required,
        "recent": part(found.recent),
        "before": part(found.before),
    })
}

fn cycle(cycle: &Cycle) -> Value {
    let percentiles: serde_json::Map<String, Value> =
        cycle.percentiles.iter().map(|(percent, days)| (format!("p{percent}_days"), (*days).into())).collect();
    let wait = |wait: &Wait| {
        json!({
            "days": wait.days,
            "longer": wait.longer,
            "share": cycle.share_over(wait.days),
            "segments": wait.segments,
        })
    };
    json!({
        "people_with_a_purchase": cycle.people,
        "gaps": cycle.gaps,
        "percentiles": percentiles,
        "waits": cycle.waits.iter().map(wait).collect::<Value>(),
    })
}

fn segment(segment: &SegmentHealth) -> Value {
    json!({
        "segment": segment.segment,
        "members": segment.members,
        "entered": segment.entered,
        "used": segment.is_used,
        "too_small": segment.is_too_small,
    })
}
