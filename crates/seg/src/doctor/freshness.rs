//! How old the newest event is, and how far back the data goes.

use super::words::{between, count, lasting, seconds};
use super::{Examined, Finding, FindingKind};
use seg_data::time::DAY;
use seg_data::{EventId, Period, Timestamp, Zone};
use seg_hir::hir::{Moment, SegmentId, with_references};
use seg_plan::Node;

/// Pauses are looked for in so many days before the newest event.
const PAUSE_DAYS: i64 = 90;

/// How old the newest event is, beside how long it has been silent before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freshness {
    /// The name of the events; none where all are meant.
    pub event: Option<String>,
    /// How many there are up to now.
    pub events: u64,
    /// The oldest.
    pub first: Timestamp,
    /// The newest.
    pub last: Timestamp,
    /// How long ago the newest was, in microseconds.
    pub age: i64,
    /// The longest pause between two of them in the 90 days before the newest, in
    /// microseconds; 0 where there is but one.
    pub longest_pause: i64,
    /// The age above which the data is stale, in microseconds.
    pub limit: i64,
}

impl Freshness {
    /// Whether the newest event is older than what is usual.
    pub fn is_stale(&self) -> bool {
        self.age > self.limit
    }

    fn of(event: Option<&str>, mut times: Vec<i64>, of: Examined<'_>) -> Option<Freshness> {
        times.sort_unstable();
        let (first, last) = (Timestamp(*times.first()?), Timestamp(*times.last()?));
        let from = last.0.saturating_sub(PAUSE_DAYS * DAY);
        let recent = times.get(times.partition_point(|time| *time < from)..).unwrap_or(&[]);
        let longest_pause = recent.windows(2).filter_map(|two| Some(two.get(1)? - two.first()?)).max().unwrap_or(0);
        let limits = of.limits;
        let limit = (limits.stale_days * DAY as f64).max(limits.stale_pauses * longest_pause as f64) as i64;
        let (event, events, age) = (event.map(str::to_owned), times.len() as u64, between(last, of.now));
        Some(Freshness { event, events, first, last, age, longest_pause, limit })
    }
}

/// Of all events, and of those of each name that has some.
pub(super) fn of(of: Examined<'_>) -> (Option<Freshness>, Vec<Freshness>) {
    let mut all: Vec<i64> = Vec::new();
    let mut by_name = Vec::new();
    for (at, event) in of.batch.schema().events.iter().enumerate() {
        let Some(events) = of.batch.events(EventId(at as u32)) else { continue };
        let ranges = (0..events.n_profiles()).flat_map(|row| events.range(row));
        let times: Vec<i64> = ranges.map(|idx| events.time(idx).0).filter(|time| *time <= of.now.0).collect();
        all.extend(&times);
        by_name.extend(Freshness::of(Some(&event.name), times, of));
    }
    (Freshness::of(None, all, of), by_name)
}

pub(super) fn tell(of: Examined<'_>, in_all: Option<&Freshness>, by_name: &[Freshness], findings: &mut Vec<Finding>) {
    let stale = |freshness: &Freshness, whose: &str| Finding {
        kind: FindingKind::Stale,
        about: freshness.event.iter().cloned().collect(),
        says: format!(
            "newest {whose} is {} old, more than {}: sizes follow the clock, not people",
            lasting(freshness.age),
            lasting(freshness.limit)
        ),
        write: "load newer data, or judge at an earlier instant with `--at`".to_owned(),
        figure: Some(seconds(freshness.age)),
        limit: Some(seconds(freshness.limit)),
    };
    match in_all {
        // What has all come to an end is said once.
        Some(all) if all.is_stale() => findings.push(stale(all, "event")),
        Some(_) | None => {
            let stale_names = by_name.iter().filter(|freshness| freshness.is_stale());
            findings.extend(stale_names.map(|freshness| {
                let name = format!("`{}`", freshness.event.as_deref().unwrap_or_default());
                stale(freshness, &name)
            }));
        }
    }
    match in_all {
        None => findings.push(Finding {
            kind: FindingKind::Early,
            about: Vec::new(),
            says: format!("there is no event up to {}", of.now.in_zone(of.zone)),
            write: "judge at a later instant with `--at`".to_owned(),
            figure: None,
            limit: None,
        }),
        Some(all) => early(of, all.first, findings),
    }
}

/// Windows that begin before the data does see less than they say.
fn early(of: Examined<'_>, first: Timestamp, findings: &mut Vec<Finding>) {
    let known = between(first, of.now);
    for (id, segment) in of.program.module().run() {
        let Some((period, begins)) = longest_window(of, id).filter(|(_, begins)| *begins < first) else { continue };
        let length = match period {
            Period::Fixed(micros) => lasting(micros),
            Period::Months(months) => count(months.unsigned_abs(), "month"),
        };
        findings.push(Finding {
            kind: FindingKind::Early,
            about: vec![segment.name.clone()],
            says: format!("\"{}\" looks back {length}, and the data begin {} before now", segment.name, lasting(known)),
            write: "load older data, or shorten the window".to_owned(),
            figure: Some(seconds(known)),
            limit: Some(seconds(between(begins, of.now))),
        });
    }
}

/// The longest window over events in a segment, and where it begins.
fn longest_window(of: Examined<'_>, id: SegmentId) -> Option<(Period, Timestamp)> {
    let plan = seg_plan::lower(&with_references(of.program.module(), id));
    let mut found: Vec<(Period, Zone)> = Vec::new();
    for node in plan.nodes() {
        let bounds = node.queries().into_iter().flat_map(|query| [query.interval.from, query.interval.to]);
        found.extend(bounds.flatten().filter_map(|bound| back(bound.moment)));
        // `their last order was more than 90 days ago` compares the time of an event.
        if let Node::Compare(_, left, right) = node
            && let (Some(Node::EventTime { .. }), Some(Node::Moment(moment))) = (plan.node(*left), plan.node(*right))
        {
            found.extend(back(*moment));
        }
    }
    let begins = found.into_iter().map(|(period, zone)| (period, period.before(of.now, zone)));
    begins.min_by_key(|(_, begins)| *begins)
}

/// How far a moment lies behind now.
fn back(moment: Moment) -> Option<(Period, Zone)> {
    match moment {
        Moment::Before(period, zone) => Some((period, zone)),
        Moment::At(_) | Moment::After(..) | Moment::StartOf(..) => None,
    }
}
