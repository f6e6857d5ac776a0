//! How long people wait between purchases, beside the waits that segments ask about.

use super::words::{between, count, percent};
use super::{Examined, Finding, FindingKind};
use crate::figures::percentile;
use seg_data::schema::Role;
use seg_data::time::DAY;
use seg_data::{EventId, Period, Zone};
use seg_hir::hir::{CompareOp, End, Moment, SegmentId, with_references};
use seg_plan::{Compared, Comparison, Node, NodeId, NthTime, Test};
use std::collections::HashSet;

/// Waits of so many days are always told of, beside those that segments ask about.
const USUAL_DAYS: [i64; 6] = [7, 14, 30, 60, 90, 180];
/// The percentiles that are told of.
const PERCENTILES: [u64; 6] = [10, 25, 50, 75, 90, 95];

/// The waits between the successive days on which a person buys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// How many people have a purchase.
    pub people: u64,
    /// How many waits ended in a purchase; what nobody has ended is not among them.
    pub gaps: u64,
    /// Percentiles with the days of the wait there, by nearest rank.
    pub percentiles: Vec<(u64, i64)>,
    /// How many waits were longer than so many days.
    pub waits: Vec<Wait>,
    /// The days of every wait, ascending.
    days: Vec<i64>,
}

/// A length of time without a purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Of so many days.
    pub days: i64,
    /// How many waits were longer.
    pub longer: u64,
    /// The segments that ask for it.
    pub segments: Vec<String>,
}

impl Cycle {
    /// The part of the waits that were longer than so many days; none of none.
    pub fn share_over(&self, days: i64) -> Option<f64> {
        (self.gaps > 0).then(|| self.n_over(days) as f64 / self.gaps as f64)
    }

    fn n_over(&self, days: i64) -> u64 {
        (self.days.len() - self.days.partition_point(|gap| *gap <= days)) as u64
    }
}

/// The cycle, where the schema says what a purchase is and somebody has one.
pub(super) fn of(of: Examined<'_>) -> Option<Cycle> {
    let purchases = purchases(of);
    let zone = of.zone.unwrap_or(Zone::UTC);
    let (mut people, mut gaps) = (0, Vec::new());
    for row in 0..of.batch.len() {
        let mut days: Vec<i32> = Vec::new();
        for events in purchases.iter().filter_map(|id| of.batch.events(*id)) {
            let times = events.range(row).map(|idx| events.time(idx)).take_while(|time| *time <= of.now);
            days.extend(times.map(|time| zone.date(time).0));
        }
        days.sort_unstable();
        days.dedup();
        people += u64::from(!days.is_empty());
        gaps.extend(days.windows(2).filter_map(|two| Some(i64::from(two.get(1)? - two.first()?))));
    }
    if people == 0 {
        return None;
    }
    gaps.sort_unstable();
    let percentiles = PERCENTILES.into_iter().filter_map(|percent| Some((percent, percentile(&gaps, percent)?)));
    let (percentiles, n) = (percentiles.collect(), gaps.len() as u64);
    let mut cycle = Cycle { people, gaps: n, percentiles, waits: Vec::new(), days: gaps };
    let mut waits: Vec<Wait> = USUAL_DAYS.map(|days| Wait { days, longer: 0, segments: Vec::new() }).to_vec();
    for (id, segment) in of.program.module().run() {
        for days in waits_of(of, id, &purchases) {
            let at = waits.iter().position(|wait| wait.days == days).unwrap_or_else(|| {
                waits.push(Wait { days, longer: 0, segments: Vec::new() });
                waits.len() - 1
            });
            waits.get_mut(at).into_iter().for_each(|wait| wait.segments.push(segment.name.clone()));
        }
    }
    waits.sort_by_key(|wait| wait.days);
    waits.iter_mut().for_each(|wait| wait.longer = cycle.n_over(wait.days));
    cycle.waits = waits;
    Some(cycle)
}

fn purchases(of: Examined<'_>) -> Vec<EventId> {
    let events = of.program.schema().events.iter().enumerate();
    events.filter(|(_, event)| event.role == Some(Role::Purchase)).map(|(at, _)| EventId(at as u32)).collect()
}

/// For how many days a segment asks that there was no purchase, each number once.
fn waits_of(of: Examined<'_>, id: SegmentId, purchases: &[EventId]) -> Vec<i64> {
    let lowered = seg_plan::lower(&with_references(of.program.module(), id));
    // A count of none is the absence of a last one.
    let plan = seg_plan::optimize(&lowered, |_| {});
    let is_last_purchase = |time: &NthTime<'_>| {
        let is_plain = time.filter.is_none() && time.known_at.is_none() && time.n == 1 && time.end == End::Last;
        is_plain && !time.events.is_empty() && time.events.iter().all(|event| purchases.contains(event))
    };
    let days_back = |moment: Moment| match moment {
        Moment::Before(period, zone) if period != Period::Fixed(0) => {
            Some(between(period.before(of.now, zone), of.now) / DAY)
        }
        Moment::Before(..) | Moment::At(_) | Moment::After(..) | Moment::StartOf(..) => None,
    };
    let mut found: Vec<i64> = Vec::new();
    let negated: HashSet<NodeId> = plan.nodes().iter().filter_map(as_negated).collect();
    for (at, node) in plan.nodes().iter().enumerate() {
        let is_negated = negated.contains(&NodeId(at as u32));
        let Some(compared) = Comparison::of(node, |id| plan.node(id)) else { continue };
        let Compared::Time(time) = compared.compared else { continue };
        if !is_last_purchase(&time) {
            continue;
        }
        let moment = match compared.test {
            Test::Edge(op, moment) => Some((op, moment)),
            Test::Value(op, other) => {
                if let Some(Node::Moment(moment)) = plan.node(other) {
                    Some((op, *moment))
                } else {
                    None
                }
            }
            Test::IsValid => None,
        };
        let Some((op, moment)) = moment else { continue };
        // Not since then, or the last of all before then.
        let is_absence = match op {
            CompareOp::Greater | CompareOp::GreaterOrEqual => is_negated,
            CompareOp::Less | CompareOp::LessOrEqual => !is_negated,
            CompareOp::Equal => false,
        };
        found.extend(days_back(moment).filter(|days| is_absence && *days > 0));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The condition whose opposite a node is.
fn as_negated(node: &Node) -> Option<NodeId> {
    if let Node::Not(inner) = node { Some(*inner) } else { None }
}

pub(super) fn tell(of: Examined<'_>, cycle: &Cycle, findings: &mut Vec<Finding>) {
    let at = |percent: u64| percentile(&cycle.days, percent);
    let Some((from, to)) = at(of.limits.cycle_from).zip(at(of.limits.cycle_to)) else { return };
    for wait in cycle.waits.iter().filter(|wait| !wait.segments.is_empty()) {
        let (side, limit, write) = if wait.days < from {
            ("under", from, "wait longer: most of those who come back have not come back yet")
        } else if wait.days > to {
            ("over", to, "wait less: hardly anybody who waited so long came back")
        } else {
            continue;
        };
        let percentile = if side == "under" { of.limits.cycle_from } else { of.limits.cycle_to };
        let (share, days) = (cycle.share_over(wait.days).unwrap_or(0.0), count(wait.days.unsigned_abs(), "day"));
        findings.push(Finding {
            kind: FindingKind::BuyingCycle,
            about: wait.segments.clone(),
            says: format!(
                "no purchase in {days}, {side} the {} of percentile {percentile}: {} of waits that ended in a purchase \
                 were over {days}; open waits are not in it",
                count(limit.unsigned_abs(), "day"),
                percent(share),
            ),
            write: write.to_owned(),
            figure: Some(wait.days as f64),
            limit: Some(limit as f64),
        });
    }
}
