//! Facts: what is gathered of a person once and compared many times.
//!
//! Thresholds on one value share it: the value is gathered for a block of
//! profiles and held against each bound. Values that code is generated for are
//! gathered by a kernel; last times, rows of events, texts met and active days by
//! the precompiled kernels of this file, which docs/engines.md tells of.

use crate::zone;
use arrow_array::Array;
use arrow_buffer::NullBuffer;
use seg_data::batch::{ActivityKey, Events, Layout, LayoutKey};
use seg_data::time::DAY;
use seg_data::{Batch, EventId, Instant, Period, PropertyId, Value, Zone};
use seg_hir::hir::{CompareOp, Length, PeriodUnit};
use seg_plan::{Literal, Node, NodeId, Plan, Query};
use std::num::NonZero;
use std::sync::{Arc, OnceLock};

/// The most days that a layout of active days has, in words.
const ACTIVITY_WORDS_MAX: i64 = 6;

/// The time of the last event from which a row of events goes on, or from which
/// it does not.
pub(crate) struct LastChain<'b> {
    firsts: &'b Events,
    steps: Vec<&'b Events>,
    /// How long after the first the last step may be.
    within: i64,
    /// Whether events are meant from which no row goes on.
    is_negative: bool,
    now: i64,
    /// The least bound that it is held against, where there are only lower ones:
    /// earlier times need not be told apart from none.
    least: Option<i64>,
    /// The event without which there is no such row.
    rarest: EventId,
    /// People's last times of it.
    latest: Option<Arc<Layout>>,
}

impl<'b> LastChain<'b> {
    /// For a value of a plan that is such a time, where a walk by the earliest
    /// next step decides: different names, no filters, and one length of time.
    pub fn find(plan: &Plan, id: NodeId, batch: &'b Batch, now: Instant) -> Option<LastChain<'b>> {
        let Node::EventTime { end: seg_hir::hir::End::Last, n: 1, query } = plan.node(id)? else { return None };
        let first = plain(query)?;
        let (chain, is_negative) = match plan.node(query.filter?)? {
            Node::Chain(chain) => (chain, false),
            Node::Not(inner) => match plan.node(*inner)? {
                Node::Chain(chain) => (chain, true),
                _ => return None,
            },
            _ => return None,
        };
        if chain.is_before || !chain.same.is_empty() {
            return None;
        }
        // Of two or more steps the earliest next one is best only when no step
        // has a limit of its own.
        let within = match chain.steps.as_slice() {
            [(_, within)] => shorter(fixed(*within)?, fixed(chain.whole)?),
            steps if steps.iter().all(|(_, within)| within.is_none()) => fixed(chain.whole)?,
            _ => return None,
        };
        let mut names = vec![first];
        for (query, _) in &chain.steps {
            let event = plain(query).filter(|_| query.filter.is_none())?;
            if names.contains(&event) {
                return None;
            }
            names.push(event);
        }
        let firsts = batch.events(first)?;
        let steps = names.iter().skip(1).map(|event| batch.events(*event)).collect::<Option<Vec<_>>>()?;
        let within = within.unwrap_or(i64::MAX);
        let rarest = if is_negative { first } else { names.last().copied().unwrap_or(first) };
        Some(LastChain { firsts, steps, within, is_negative, now: now.0, least: None, rarest, latest: None })
    }

    /// Says that the time is held against a lower bound, as all others are.
    /// `latest_of` gives people's last times of an event, where they are kept.
    pub fn hold_against(&mut self, bound: i64, latest_of: impl FnOnce(EventId) -> Option<Arc<Layout>>) {
        self.least = Some(self.least.map_or(bound, |least| least.min(bound)));
        if self.latest.is_none() {
            self.latest = latest_of(self.rarest);
        }
    }

    /// Whether a person has what the row ends with (or where none shall go on,
    /// begins with) late enough.
    fn is_late(&self, row: usize) -> bool {
        let (Some(least), Some(latest)) = (self.least, &self.latest) else { return true };
        latest.words.get(row).is_none_or(|last| *last as i64 >= least)
    }

    /// The time for a person.
    pub fn of(&self, row: usize) -> Option<i64> {
        if !self.is_late(row) {
            return None;
        }
        // How many steps each have begun, from behind: as the first event moves
        // back, so does the earliest event of every step.
        let mut steps = [const { (&[] as &[i64], 0_usize) }; 4];
        let mut more = Vec::new();
        let steps = match steps.get_mut(..self.steps.len()) {
            Some(few) => few,
            None => {
                more.resize(self.steps.len(), (&[] as &[i64], 0));
                more.as_mut_slice()
            }
        };
        let firsts = || self.firsts.times().get(self.firsts.range(row)).unwrap_or(&[]);
        if self.is_negative && firsts().last().is_none_or(|last| self.least.is_some_and(|least| *last < least)) {
            return None;
        }
        // Later steps are the rarer ones, and most people lack the last.
        for (slot, events) in steps.iter_mut().zip(&self.steps).rev() {
            let times = events.times().get(events.range(row)).unwrap_or(&[]);
            let is_past = times.last().is_none_or(|t| *t <= self.now);
            let n_known = if is_past { times.len() } else { times.partition_point(|t| *t <= self.now) };
            // No step is earlier than the first event.
            let last = n_known.checked_sub(1).and_then(|at| times.get(at));
            if !self.is_negative && last.is_none_or(|last| self.least.is_some_and(|least| *last < least)) {
                return None;
            }
            *slot = (times.get(..n_known).unwrap_or(&[]), n_known);
        }
        let mut firsts = firsts();
        loop {
            let (first, earlier) = firsts.split_last()?;
            if self.least.is_some_and(|least| *first < least) {
                return None;
            }
            firsts = earlier;
            if *first > self.now {
                continue;
            }
            let end = follow(*first, steps);
            if end.is_ok_and(|end| end.saturating_sub(*first) <= self.within) != self.is_negative {
                return Some(*first);
            }
            if !self.is_negative {
                // Nothing between goes on either: it would meet the same last
                // step from further away, or none at all.
                let latest = match end {
                    Ok(_) => before(steps)?,
                    Err(latest) => latest,
                };
                if earlier.last().is_some_and(|first| *first > latest) {
                    firsts = earlier.get(..earlier.partition_point(|t| *t <= latest)).unwrap_or(&[]);
                }
            }
        }
    }
}

/// The time of the last step when each is taken as early as it can be. Where a
/// step cannot be taken, the time of the last event that could be it.
fn follow(first: i64, steps: &mut [(&[i64], usize)]) -> Result<i64, i64> {
    let mut at = first;
    for (times, next) in steps {
        while let Some(time) = next.checked_sub(1).and_then(|before| times.get(before)) {
            if *time < at {
                break;
            }
            *next -= 1;
        }
        at = *times.get(*next).ok_or(times.last().copied().unwrap_or(i64::MIN))?;
    }
    Ok(at)
}

/// The time of the event before the one that was taken as the last step.
fn before(steps: &[(&[i64], usize)]) -> Option<i64> {
    let (times, next) = steps.last()?;
    times.get(next.checked_sub(1)?).copied()
}

/// The times of the last events of one name, so many from behind.
pub(crate) struct LastTimes<'b> {
    event: EventId,
    events: &'b Events,
    now: i64,
    /// Which from behind, and the fact that each is.
    pub wanted: Vec<(usize, usize)>,
}

impl<'b> LastTimes<'b> {
    /// What a value of a plan is, where it is such a time: the event, and which
    /// from behind.
    pub fn asked(plan: &Plan, id: NodeId) -> Option<(EventId, usize)> {
        let Node::EventTime { end: seg_hir::hir::End::Last, n, query } = plan.node(id)? else { return None };
        let event = plain(query).filter(|_| query.filter.is_none())?;
        Some((event, *n as usize))
    }

    /// None of them yet.
    pub fn new(batch: &'b Batch, event: EventId, now: Instant) -> Option<LastTimes<'b>> {
        Some(LastTimes { event, events: batch.events(event)?, now: now.0, wanted: Vec::new() })
    }

    /// Whose times they are.
    pub fn event(&self) -> EventId {
        self.event
    }

    /// The times of a person's events that there are, the last at the end.
    pub fn known(&self, row: usize) -> &[i64] {
        let times = self.events.times().get(self.events.range(row)).unwrap_or(&[]);
        match times.last() {
            Some(last) if *last > self.now => times.get(..times.partition_point(|t| *t <= self.now)).unwrap_or(&[]),
            _ => times,
        }
    }
}

/// The only event of a query that asks for nothing but its filter.
pub(crate) fn plain(query: &Query) -> Option<EventId> {
    let is_plain = query.interval == Default::default() && query.known_at.is_none();
    match query.events.as_slice() {
        [one] if is_plain => Some(*one),
        _ => None,
    }
}

fn text(literal: &Literal) -> Option<&str> {
    match &literal.0 {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// A length of fixed size; `None` for one of the calendar.
#[allow(clippy::option_option)] // Whether it can be said, and whether there is one.
fn fixed(length: Option<Length>) -> Option<Option<i64>> {
    match length.map(|l| l.period) {
        None => Some(None),
        Some(Period::Fixed(micros)) => Some(Some(micros)),
        Some(Period::Months(_)) => None,
    }
}

fn shorter(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    a.into_iter().chain(b).min()
}

/// Which texts a property of a person's events has had: a bit a text that is
/// asked for.
pub(crate) struct TextsMet<'b> {
    events: &'b Events,
    keys: &'b [i32],
    nulls: Option<&'b NullBuffer>,
    /// For each key the bits of its text.
    masks: Vec<u64>,
    texts: Vec<String>,
}

impl<'b> TextsMet<'b> {
    /// What a condition asks for, where it is whether an event ever had one of some
    /// texts.
    pub fn asked(plan: &Plan, id: NodeId) -> Option<(EventId, PropertyId, Vec<&str>)> {
        let Node::Known(time) = plan.node(id)? else { return None };
        let Node::EventTime { n: 1, query, .. } = plan.node(*time)? else { return None };
        let event = plain(query)?;
        let (left, texts) = match plan.node(query.filter?)? {
            Node::Compare(CompareOp::Equal, left, right) => match plan.node(*right)? {
                Node::Literal(literal) => (left, vec![text(literal)?]),
                _ => return None,
            },
            Node::OneOf(left, texts) => (left, texts.iter().map(text).collect::<Option<Vec<&str>>>()?),
            _ => return None,
        };
        let Node::Property(ids, _) = plan.node(*left)? else { return None };
        let (_, property) = ids.iter().find(|(of, _)| *of == event)?;
        Some((event, *property, texts))
    }

    /// For the texts of a column of which no event is later than now.
    pub fn new(batch: &'b Batch, event: EventId, property: PropertyId, now: Instant) -> Option<TextsMet<'b>> {
        let events = batch.events(event)?;
        if events.extent().is_some_and(|(_, last)| last > now) {
            return None;
        }
        let (coded, values) = events.property_column(property)?.texts()?;
        let nulls = coded.nulls().filter(|n| n.null_count() > 0);
        Some(TextsMet { events, keys: coded.keys().values(), nulls, masks: vec![0; values.len()], texts: Vec::new() })
    }

    /// The bit of a text; none where there are too many.
    pub fn bit(&mut self, batch: &Batch, event: EventId, property: PropertyId, text: &str) -> Option<u32> {
        if let Some(at) = self.texts.iter().position(|t| t == text) {
            return Some(at as u32);
        }
        let bit = u32::try_from(self.texts.len()).ok().filter(|bit| *bit < 64)?;
        let (_, values) = batch.events(event)?.property_column(property)?.texts()?;
        for (mask, value) in self.masks.iter_mut().zip(values) {
            *mask |= u64::from(value == Some(text)) << bit;
        }
        self.texts.push(text.to_owned());
        Some(bit)
    }

    /// The bits of a person.
    pub fn of(&self, row: usize) -> i64 {
        let range = self.events.range(row);
        let first = range.start;
        let keys = self.keys.get(range).unwrap_or(&[]);
        let mask = |key: &i32| self.masks.get(*key as usize).copied().unwrap_or(0);
        let bits = match self.nulls {
            None => keys.iter().fold(0, |bits, key| bits | mask(key)),
            Some(nulls) => {
                let known = keys.iter().enumerate().filter(|(at, _)| nulls.is_valid(first + at));
                known.fold(0, |bits, (_, key)| bits | mask(key))
            }
        };
        bits as i64
    }
}

/// On how many days people did any of some events since an instant.
pub(crate) struct ActiveDays<'b> {
    batch: &'b Batch,
    events: Vec<&'b Events>,
    key: ActivityKey,
    offsets: Vec<(i64, i64)>,
    from: i64,
    /// The local day of `from`.
    from_day: i64,
    layout: OnceLock<Arc<Layout>>,
    /// Bit n: whether n days and n + 1 are told apart by what they are held
    /// against; counts above 63 always are.
    distinctions: u64,
}

impl<'b> ActiveDays<'b> {
    /// For a value of a plan that counts such days, up to now, where a bit a day
    /// is kept: some months at most, and events not later than now.
    pub fn find(plan: &Plan, id: NodeId, batch: &'b Batch, now: Instant) -> Option<ActiveDays<'b>> {
        let Node::Periods { unit: PeriodUnit::Day, zone, query } = plan.node(id)? else { return None };
        if query.filter.is_some() || query.known_at.is_some() || !ends_now(query) {
            return None;
        }
        let bound = query.interval.from?;
        let from = bound.moment.at(now).0.saturating_add(i64::from(!bound.is_closed));
        let events: Vec<&Events> = query.events.iter().filter_map(|e| batch.events(*e)).collect();
        let is_past = |events: &&Events| events.extent().is_none_or(|(_, last)| last <= now);
        if from > now.0 || !events.iter().all(is_past) {
            return None;
        }
        let offsets = zone::offsets(*zone, Instant(from.saturating_sub(2 * DAY)), now);
        let (from_day, last_day) = (day(&offsets, from), day(&offsets, now.0));
        let n_words = (last_day - from_day) / 64 + 1;
        if n_words > ACTIVITY_WORDS_MAX || !days_ascend(&offsets) {
            return None;
        }
        let first_day = last_day - 64 * n_words + 1;
        // The layout reaches further back than the window.
        let offsets = zone::offsets(*zone, Instant((first_day - 2) * DAY), now);
        if !days_ascend(&offsets) {
            return None;
        }
        let key = ActivityKey { events: query.events.clone(), zone: *zone, first_day, n_words: n_words as usize };
        Some(ActiveDays { batch, events, key, offsets, from, from_day, layout: OnceLock::new(), distinctions: 0 })
    }

    /// Says that the number of days is held against a bound.
    pub fn hold_against(&mut self, op: CompareOp, bound: i64) {
        let (below, at) = match op {
            CompareOp::GreaterOrEqual | CompareOp::Less => (true, false),
            CompareOp::Greater | CompareOp::LessOrEqual => (false, true),
            CompareOp::Equal => (true, true),
        };
        let mut mark = |count: i64| {
            self.distinctions |= u32::try_from(count).ok().map_or(0, |n| 1_u64.checked_shl(n).unwrap_or(0))
        };
        if below {
            mark(bound - 1);
        }
        if at {
            mark(bound);
        }
    }

    /// Makes the layout, unless the batch has it already.
    pub fn prepare(&self, n_threads: NonZero<usize>) {
        let key = LayoutKey::Activity(self.key.clone());
        let make = || Layout { words: self.activity(&self.key, n_threads), latest: Vec::new() };
        self.layout.get_or_init(|| self.batch.layout(&key, make));
    }

    fn activity(&self, key: &ActivityKey, n_threads: NonZero<usize>) -> Vec<u64> {
        let mut words = vec![0_u64; self.batch.len() * key.n_words];
        let per_thread = self.batch.len().div_ceil(n_threads.get()).max(1);
        std::thread::scope(|scope| {
            for (at, chunk) in words.chunks_mut(per_thread * key.n_words).enumerate() {
                scope.spawn(move || {
                    for (row, words) in chunk.chunks_mut(key.n_words).enumerate() {
                        self.days_of(at * per_thread + row, words);
                    }
                });
            }
        });
        words
    }

    fn days_of(&self, row: usize, words: &mut [u64]) {
        for events in &self.events {
            let times = events.times().get(events.range(row)).unwrap_or(&[]);
            for time in times.iter().rev() {
                let Ok(place) = usize::try_from(day(&self.offsets, *time) - self.key.first_day) else { break };
                if let Some(word) = words.get_mut(place / 64) {
                    *word |= 1 << (place % 64);
                }
            }
        }
    }

    /// On how many days a person was active, as exactly as what it is held against
    /// can tell.
    pub fn of(&self, row: usize) -> i64 {
        let layout = self.layout.get();
        let words = layout.and_then(|l| l.words.get(row * self.key.n_words..(row + 1) * self.key.n_words));
        let Some(words) = words else { return 0 };
        // The day in which the window begins counts only from then on.
        let place = (self.from_day - self.key.first_day) as usize;
        let mut count = 0;
        for (at, word) in words.iter().enumerate().skip(place / 64) {
            let is_first = at == place / 64;
            let later = if is_first { (word >> (place % 64)) >> 1 } else { *word };
            count += i64::from(later.count_ones());
        }
        // Looking at events costs more than all the rest, so only where it matters.
        let matters = count > 63 || self.distinctions >> count & 1 == 1;
        let is_edge = matters && words.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1);
        count + i64::from(is_edge && self.is_active_on_edge(row))
    }

    /// Whether an event lies in the first day of the window and inside it.
    fn is_active_on_edge(&self, row: usize) -> bool {
        self.events.iter().any(|events| {
            let times = events.times().get(events.range(row)).unwrap_or(&[]);
            let first = times.partition_point(|t| *t < self.from);
            times.get(first).is_some_and(|t| day(&self.offsets, *t) == self.from_day)
        })
    }
}

/// The local day of an instant.
fn day(offsets: &[(i64, i64)], time: i64) -> i64 {
    let offset = match offsets {
        [(_, only)] => *only,
        steps => {
            let after = steps.partition_point(|(from, _)| *from <= time);
            after.checked_sub(1).and_then(|at| steps.get(at)).map_or(0, |(_, offset)| *offset)
        }
    };
    time.saturating_add(offset).div_euclid(DAY)
}

/// Whether a later instant never has an earlier day, as where clocks go back
/// over midnight.
fn days_ascend(offsets: &[(i64, i64)]) -> bool {
    let changes = offsets.iter().zip(offsets.iter().skip(1));
    changes
        .into_iter()
        .all(|((_, before), (at, after))| (at - 1 + before).div_euclid(DAY) <= (at + after).div_euclid(DAY))
}

fn ends_now(query: &Query) -> bool {
    use seg_hir::hir::{Bound, Moment};
    let now = |bound: Bound| matches!(bound, Bound { moment: Moment::Before(Period::Fixed(0), _), is_closed: true });
    query.interval.to.is_none_or(now)
}

/// A number that a threshold is held against.
pub(crate) fn bound(plan: &Plan, id: NodeId, now: Instant) -> Option<i64> {
    let bound = match plan.node(id)? {
        Node::Moment(moment) => moment.at(now).0,
        Node::Literal(Literal(Value::Integer(n) | Value::Money(n))) => i64::try_from(*n).ok()?,
        Node::Literal(Literal(Value::Timestamp(at))) => at.0,
        _ => return None,
    };
    // Values beyond 64 bits are cut to the extremes.
    (bound != i64::MIN && bound != i64::MAX).then_some(bound)
}

/// The bits of a word of values that compare so with a bound.
pub(crate) fn compare(op: CompareOp, values: &[i64], bound: i64) -> u64 {
    match op {
        CompareOp::Less => bits(values, |v| v < bound),
        CompareOp::LessOrEqual => bits(values, |v| v <= bound),
        CompareOp::Equal => bits(values, |v| v == bound),
        CompareOp::GreaterOrEqual => bits(values, |v| v >= bound),
        CompareOp::Greater => bits(values, |v| v > bound),
    }
}

/// A bit for each of up to 64 values. First a byte each, which is done many at a
/// time, then eight bytes to a byte by one multiplication that moves the bit of
/// byte k to bit 56 + k.
fn bits(values: &[i64], holds: impl Fn(i64) -> bool) -> u64 {
    let mut bytes = [0_u8; 64];
    bytes.iter_mut().zip(values).for_each(|(byte, value)| *byte = u8::from(holds(*value)));
    let (eights, _) = bytes.as_chunks::<8>();
    let pack = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().enumerate().fold(0, |word, (at, eight)| word | pack(eight) << (8 * at))
}

/// Whose days they are, for messages.
impl std::fmt::Debug for ActiveDays<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let zone: Zone = self.key.zone;
        write!(f, "ActiveDays({}, {} words)", zone.name(), self.key.n_words)
    }
}
