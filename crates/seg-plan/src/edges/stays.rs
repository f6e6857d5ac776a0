//! Until when the answers for a person stand, for whoever asks that often.
//!
//! [`Walk::first_change`](super::Walk::first_change) gives the exact instant and evaluates each
//! condition by itself. Here all conditions share one evaluation of the plan, and an instant is
//! looked for only as far as it decides: a false `and` stays false as long as the one of its
//! false members that stays longest, so that whom a country excludes nothing else concerns.

use super::asked::value_stands_still;
use super::moments::{Calendars, days_after, passes_day};
use super::values::Data;
use super::walk::{Person, between};
use super::window::Window;
use super::{Edges, Part};
use crate::eval::{Evaluated, PlanEvaluator};
use crate::needs::{Needs, needs};
use crate::plan::{Literal, Node, NodeId, Plan};
use seg_data::{AttributeId, Batch, EventId, Period, Timestamp, Value, Zone};
use seg_hir::hir::{CompareOp, DayOffset, Moment};
use std::cmp::Ordering;
use std::sync::Arc;

/// So many days ahead it is looked at what comes again for ever; who looks again then loses
/// little.
const DAYS_AHEAD: i64 = 9;
/// So many edges of a condition are looked at; at the next one the person is judged anew.
const LOOKS: usize = 8;
/// Beyond everything that is looked for.
const EVER: Timestamp = Timestamp::MAX;

/// What all segments of a plan ask that can change in time, made ready for evaluation after
/// evaluation.
#[derive(Debug)]
pub struct Stays {
    evaluator: PlanEvaluator,
    edges: Edges,
    /// How each of the leaves changes.
    leaves: Vec<Changes>,
    /// The parts that segments are, those first of which it is cheaply told when they change:
    /// what changes later than they do need not be looked for.
    order: Vec<usize>,
    /// Whether parts are made of each other through too many for recursion.
    is_deep: bool,
}

/// How time alone changes a condition.
#[derive(Debug)]
enum Changes {
    /// Not at all.
    Never,
    /// As events leave a window, and come into it; by the nodes of the whole plan.
    Window(Window),
    /// As a value that stands still is passed.
    Passes(Passed),
    /// Otherwise: at one of its edges.
    AtEdges(Alone),
}

/// A condition alone, for whoever asks it of one person at some instants.
#[derive(Debug)]
struct Alone {
    evaluator: PlanEvaluator,
    needs: Needs,
}

impl Alone {
    fn of(plan: &Plan) -> Alone {
        Alone { evaluator: PlanEvaluator::new(Arc::new(plan.clone())), needs: needs(plan) }
    }

    /// A row of a batch with what the condition reads.
    fn cut(&self, batch: &Batch, row: usize) -> Batch {
        let n_attributes = batch.schema().attributes.len();
        let is_read = |at: usize| match at.checked_sub(n_attributes) {
            None => self.needs.attributes.contains(&AttributeId(at as u32)) || self.needs.every_time,
            Some(event) => self.needs.events.contains_key(&EventId(event as u32)) || self.needs.every_time,
        };
        batch.slice(row..row + 1, is_read)
    }

    /// Whether it holds for the only person of a batch.
    fn holds(&self, person: &Batch, at: Timestamp) -> bool {
        let person = person.as_of(at);
        self.evaluator.over(&person, at).segments(0) == [true]
    }
}

/// A comparison of a value that stands still with what passes it.
#[derive(Debug, Clone, Copy)]
struct Passed {
    value: NodeId,
    op: CompareOp,
    by: Passing,
    /// Whether the value is on the right side.
    is_right: bool,
}

/// What passes a value that it is compared with.
#[derive(Debug, Clone, Copy)]
enum Passing {
    Moment(Moment),
    Day(Zone, DayOffset),
    /// The time since the value, and the length that this is compared with.
    Length(i64),
    /// The same, with a length that another value of the person's is.
    LengthOf(NodeId),
}

impl Stays {
    /// Of all segments of a plan.
    pub fn of(plan: &Arc<Plan>) -> Stays {
        let evaluator = PlanEvaluator::new(Arc::clone(plan));
        let mut edges = Edges::of_all(plan);
        let leaves = edges.leaves.iter().map(|leaf| {
            if leaf.asked.stands_still() {
                return Changes::Never;
            }
            let window = || Window::standing(plan, leaf.node).map(Changes::Window);
            window().or_else(|| passes(plan, leaf.node)).unwrap_or_else(|| Changes::AtEdges(Alone::of(&leaf.plan)))
        });
        let leaves: Vec<Changes> = leaves.collect();
        let order = cheapest_first(&mut edges, &leaves);
        Stays { is_deep: evaluator.is_deep(), evaluator, edges, leaves, order }
    }

    /// The plan with what its evaluation takes.
    pub fn evaluator(&self) -> &PlanEvaluator {
        &self.evaluator
    }

    /// A walk over people; it keeps what it found out about calendars.
    pub fn walk(&self) -> StayWalk<'_> {
        let parts = vec![None; self.edges.parts.len()];
        StayWalk { stays: self, calendars: Calendars::default(), parts, instants: Vec::new() }
    }
}

/// The parts that segments are, by how many of their conditions are asked edge by edge; what they
/// are made of is put into that order, too.
fn cheapest_first(edges: &mut Edges, leaves: &[Changes]) -> Vec<usize> {
    let mut costs: Vec<u64> = Vec::with_capacity(edges.parts.len());
    for part in &mut edges.parts {
        if let Part::Several(_, _, members) = part {
            members.sort_by_key(|member| costs.get(*member).copied().unwrap_or(0));
        }
        let of = |part: &usize| costs.get(*part).copied().unwrap_or(0);
        let cost = match part {
            Part::Const(_) => 0,
            Part::Leaf(leaf) => u64::from(matches!(leaves.get(*leaf), Some(Changes::AtEdges(_)))),
            Part::Not(inner) => of(inner),
            Part::Several(_, _, members) => members.iter().map(of).fold(0, u64::saturating_add),
        };
        costs.push(cost);
    }
    let mut order = edges.roots.clone();
    order.sort_by_key(|part| costs.get(*part).copied().unwrap_or(0));
    order.dedup();
    order
}

/// How a condition changes that compares a value that stands still with what passes it.
fn passes(plan: &Plan, condition: NodeId) -> Option<Changes> {
    let Node::Compare(op, left, right) = plan.node(condition)? else { return None };
    let passing = |node: NodeId, than: NodeId| match (plan.node(node)?, plan.node(than)?) {
        (Node::Moment(moment), _) => Some((than, Passing::Moment(*moment))),
        (Node::Today { zone, offset }, _) => Some((than, Passing::Day(*zone, *offset))),
        (Node::Elapsed(of), Node::Literal(Literal(Value::Integer(length)))) => {
            Some((*of, Passing::Length(i64::try_from(*length).ok()?)))
        }
        (Node::Elapsed(of), _) if value_stands_still(plan, than) => Some((*of, Passing::LengthOf(than))),
        _ => None,
    };
    let found = passing(*left, *right).map(|found| (found, true));
    let ((value, by), is_right) = found.or_else(|| Some((passing(*right, *left)?, false)))?;
    let passed = Passed { value, op: *op, by, is_right };
    value_stands_still(plan, value).then_some(Changes::Passes(passed))
}

/// A value that is no whole number of microseconds.
struct NoLength;

impl Passing {
    /// Adds the instants at which its order to a value can change.
    fn edges(self, value: &Value, calendars: &mut Calendars, out: &mut Vec<i64>) {
        match (self, value) {
            (Passing::Moment(moment), Value::Timestamp(time)) => calendars.passes(moment, *time, out),
            (Passing::Day(zone, offset), Value::Date(day)) => passes_day(zone, offset, *day, out),
            (Passing::Length(length), Value::Timestamp(time)) => {
                calendars.passes(Moment::Before(Period::Fixed(length), Zone::UTC), *time, out);
            }
            // What cannot be compared is never in any order.
            (Passing::Moment(_) | Passing::Day(..) | Passing::Length(_) | Passing::LengthOf(_), _) => {}
        }
    }

    /// Its order to a value at an instant.
    fn order(self, value: &Value, at: Timestamp) -> Option<Ordering> {
        Some(match (self, value) {
            (Passing::Moment(moment), Value::Timestamp(time)) => moment.at(at).cmp(time),
            (Passing::Day(zone, offset), Value::Date(day)) => offset.from(zone.date(at)).cmp(day),
            (Passing::Length(length), Value::Timestamp(time)) => {
                (i128::from(at.0) - i128::from(time.0)).cmp(&i128::from(length))
            }
            (Passing::Moment(_) | Passing::Day(..) | Passing::Length(_) | Passing::LengthOf(_), _) => return None,
        })
    }
}

impl Passed {
    /// What it is for a person; nothing where it never changes for them, since they lack the
    /// length, or nothing takes that long.
    fn for_one(&self, of: &mut Of<'_, '_>) -> Result<Option<Passed>, NoLength> {
        let by = match self.by {
            Passing::LengthOf(length) => match of.evaluated.value(length, of.row) {
                None => return Ok(None),
                Some(Value::Integer(length)) => match i64::try_from(length) {
                    Ok(length) => Passing::Length(length),
                    Err(_) => return Ok(None),
                },
                Some(_) => return Err(NoLength),
            },
            by @ (Passing::Moment(_) | Passing::Day(..) | Passing::Length(_)) => by,
        };
        Ok(Some(Passed { by, ..*self }))
    }

    fn holds(&self, value: &Value, at: Timestamp) -> bool {
        let order = self.by.order(value, at);
        order.is_some_and(|order| self.op.holds(if self.is_right { order } else { order.reverse() }))
    }
}

/// A walk over the people of evaluations, one after another.
pub struct StayWalk<'s> {
    stays: &'s Stays,
    calendars: Calendars,
    /// By part: until when the answer stands for the person at hand, as far as it was looked
    /// for.
    parts: Vec<Option<Timestamp>>,
    instants: Vec<i64>,
}

/// Whose answers they are.
struct Of<'e, 'p> {
    evaluated: &'e mut Evaluated<'p>,
    row: usize,
    person: Person<'p>,
}

impl StayWalk<'_> {
    /// The first instant after that of an evaluation of the plan at which the answers for a
    /// row have to be looked at again, if that is not after `until`: between the two none
    /// changes, if nothing else happens. It may be that none changes at it either. What the
    /// batch knows of that comes later has not happened, and must come after `until` if it is
    /// to count.
    pub fn until(&mut self, evaluated: &mut Evaluated<'_>, row: usize, until: Option<Timestamp>) -> Option<Timestamp> {
        let (batch, now) = (evaluated.batch(), evaluated.now());
        let mut limit = until.unwrap_or(Timestamp(EVER.0 - 1));
        // Nobody is in anything before they exist.
        if batch.exists_from(row).is_some_and(|begins| begins > now) || limit <= now {
            return until;
        }
        let Some(person) = Person::until_then(batch, row, now) else { return until };
        self.parts.iter_mut().for_each(|part| *part = None);
        let stays = self.stays;
        let mut of = Of { evaluated, row, person };
        if stays.is_deep {
            for part in 0..stays.edges.parts.len() {
                self.part(&mut of, part, limit);
            }
        }
        let mut found = until;
        for root in &stays.order {
            let at = self.part(&mut of, *root, limit);
            if at <= limit && found.is_none_or(|found| at < found) {
                (found, limit) = (Some(at), at);
            }
        }
        found
    }

    /// Until when the answer of a part stands. What is later than the limit is not told from
    /// one another; limits of one person only ever fall.
    fn part(&mut self, of: &mut Of<'_, '_>, part: usize, limit: Timestamp) -> Timestamp {
        if let Some(Some(known)) = self.parts.get(part) {
            return *known;
        }
        let stays = self.stays;
        let at = match stays.edges.parts.get(part) {
            None | Some(Part::Const(_)) => EVER,
            Some(Part::Not(inner)) => self.part(of, *inner, limit),
            Some(Part::Leaf(leaf)) => self.leaf(of, *leaf, limit),
            Some(Part::Several(min, max, members)) => self.several(of, (*min, *max), members, limit),
        };
        if let Some(slot) = self.parts.get_mut(part) {
            *slot = Some(at);
        }
        at
    }

    fn holds(&self, of: &mut Of<'_, '_>, part: usize) -> bool {
        let node = self.stays.edges.conditions.get(part);
        node.is_some_and(|node| of.evaluated.holds(*node, of.row))
    }

    /// Until when it stands how many of some parts hold, and so whether these are enough and
    /// not too many.
    fn several(
        &mut self,
        of: &mut Of<'_, '_>,
        (min, max): (u64, u64),
        members: &[usize],
        limit: Timestamp,
    ) -> Timestamp {
        let mut earliest = EVER;
        // Of how many of them it is known that they hold, or not, up to the limit.
        let (mut n_held, mut n_out) = (0_u64, 0_u64);
        for member in members {
            let at = self.part(of, *member, limit);
            earliest = earliest.min(at);
            if at > limit {
                *(if self.holds(of, *member) { &mut n_held } else { &mut n_out }) += 1;
                // The others decide nothing any more: whom a country excludes need not be asked
                // what is dear.
                let n_others = members.len() as u64 - n_out;
                if n_others < min || n_held > max || (n_held >= min && n_others <= max) {
                    return EVER;
                }
            }
        }
        // Where no member changes it need not be known which of them hold.
        if earliest > limit {
            return EVER;
        }
        let (mut holding, mut others): (Vec<Timestamp>, Vec<Timestamp>) = (Vec::new(), Vec::new());
        for member in members {
            let at = self.part(of, *member, limit);
            if self.holds(of, *member) { holding.push(at) } else { others.push(at) }
        }
        holding.sort_unstable();
        others.sort_unstable();
        let n = holding.len() as u64;
        // So many of them have to change before the answer can.
        let after = |stays: &[Timestamp], n: u64| {
            let at = usize::try_from(n).ok().and_then(|n| stays.get(n.checked_sub(1)?));
            at.copied().unwrap_or(EVER)
        };
        if n < min {
            return after(&others, min - n);
        }
        match n > max {
            true => after(&holding, n - max),
            false => after(&holding, n - min + 1).min(after(&others, (max - n).saturating_add(1))),
        }
    }

    /// Until when the answer of a condition stands.
    fn leaf(&mut self, of: &mut Of<'_, '_>, leaf: usize, limit: Timestamp) -> Timestamp {
        let stays = self.stays;
        match stays.leaves.get(leaf) {
            None | Some(Changes::Never) => EVER,
            Some(Changes::Window(window)) => window.first_change(of.evaluated, of.row, limit).unwrap_or(EVER),
            Some(Changes::Passes(passed)) => {
                let now = of.evaluated.now();
                let Some(value) = of.evaluated.value(passed.value, of.row) else { return EVER };
                let passed = match passed.for_one(of) {
                    Ok(Some(passed)) => passed,
                    Ok(None) => return EVER,
                    Err(NoLength) => return limit.min(days_after(now, DAYS_AHEAD)),
                };
                passed.by.edges(&value, &mut self.calendars, &mut self.instants);
                let before = passed.holds(&value, now);
                let changed = |at: &i64| now.0 < *at && passed.holds(&value, Timestamp(*at)) != before;
                let first = self.instants.drain(..).filter(changed).min();
                first.map_or(EVER, Timestamp)
            }
            Some(Changes::AtEdges(alone)) => self.at_edges(of, (leaf, alone), limit),
        }
    }

    /// The first edge of a condition at which its answer changes, or one before that.
    fn at_edges(&mut self, of: &mut Of<'_, '_>, (number, alone): (usize, &Alone), limit: Timestamp) -> Timestamp {
        let Some(leaf) = self.stays.edges.leaves.get(number) else { return EVER };
        let now = of.evaluated.now();
        let ahead = days_after(now, DAYS_AHEAD);
        // What comes again is looked for up to there alone.
        let is_cut = leaf.asked.is_bounded() && ahead < limit;
        let to = if is_cut { ahead } else { limit };
        let data = Data { plan: &leaf.plan, batch: of.person.batch, row: of.row, now };
        leaf.asked.edges(data, (now, to), &mut self.calendars, &mut self.instants);
        self.instants.retain(|at| now.0 < *at && *at <= to.0);
        self.instants.sort_unstable();
        self.instants.dedup();
        if !leaf.asked.orders().is_empty() {
            // Between two edges a time that passes meets what it is compared with.
            let first = self.instants.first().map_or(to, |at| Timestamp(*at));
            let met = between(leaf, &of.person, (now, first), &[]).into_iter().min().map(Timestamp);
            let is_edge = !self.instants.is_empty() || is_cut;
            self.instants.clear();
            return met.or(is_edge.then_some(first)).unwrap_or(EVER);
        }
        if self.instants.is_empty() {
            return if is_cut { to } else { EVER };
        }
        let before = of.evaluated.holds(leaf.node, of.row);
        let mut found = if is_cut { to } else { EVER };
        let person = alone.cut(of.person.batch, of.row);
        for (n, at) in self.instants.drain(..).map(Timestamp).enumerate() {
            if n == LOOKS || alone.holds(&person, at) != before {
                found = at;
                break;
            }
        }
        found
    }
}
