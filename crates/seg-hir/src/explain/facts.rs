//! What is known of a person that decides a condition, in a line of the schema's words.

use super::Walk;
use crate::hir::{
    Aggregate, Bound, Chain, ChainOrder, ChainStep, CompareOp, Cond, Expr, ExprKind, Interval, Moment, OfHistory, Query,
};
use seg_data::{EventId, Period, Timestamp, Value, Zone, shown};

/// So many values or instants stand in a line.
const SHOWN_MAX: usize = 3;

/// How many there are to be.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Wanted {
    min: u64,
    max: Option<u64>,
}

/// A condition that counts events, or the different values of something of theirs.
struct Counted<'c> {
    query: &'c Query,
    /// Of what the different values are counted.
    of: Option<&'c Expr>,
    wanted: Wanted,
}

impl Walk<'_, '_> {
    /// What decides a condition for the person, and by how many a count misses what is wanted.
    pub(super) fn fact(&self, cond: &Cond, said: &str, holds: bool) -> (String, Option<u64>) {
        if let Some(counted) = counted(cond) {
            return match counted.of {
                None => self.events_counted(&counted, said),
                Some(of) => self.values_counted(&counted, of, said),
            };
        }
        let fact = match cond {
            Cond::InSegment(id) => {
                let name = self.explain.module.segments.get(id.idx()).map_or("?", |segment| segment.name.as_str());
                return (format!("{}in segment \"{name}\"", if holds { "" } else { "not " }), None);
            }
            Cond::Const(_)
            | Cond::All(_)
            | Cond::Any(_)
            | Cond::Cardinality { .. }
            | Cond::Not(_)
            | Cond::Known(_)
            | Cond::Compare(..)
            | Cond::OneOf(..)
            | Cond::Text(..)
            | Cond::Has(..)
            | Cond::FirstOrLastN { .. }
            | Cond::Chain(_)
            | Cond::Items { .. }
            | Cond::Sample { .. }
            | Cond::InList(..)
            | Cond::Profile(_)
            | Cond::Elements { .. } => self.values_of(cond),
        };
        let fact = match (fact, holds) {
            (Some(fact), _) => fact,
            (None, true) => said.to_owned(),
            (None, false) => format!("not so: {said}"),
        };
        (fact, None)
    }

    /// `purchased once in the past 90 days (11 June 09:11), at least 2 wanted`
    fn events_counted(&self, counted: &Counted<'_>, said: &str) -> (String, Option<u64>) {
        let Counted { query, wanted, .. } = counted;
        let did = self.did(&query.events, said);
        let found: Vec<Timestamp> =
            self.evaluator.found(query, self.person).into_iter().map(|(_, time)| time).collect();
        let (n, last) = (found.len() as u64, found.last().copied());
        let short_by = wanted.min.checked_sub(n).filter(|n| *n > 0);
        let fact = match (wanted, last) {
            (Wanted { min: 0 | 1, max: None } | Wanted { min: 0, max: Some(0) }, Some(last)) => {
                format!("{did} {}", self.ago(last))
            }
            (Wanted { min: 0 | 1, max: None } | Wanted { min: 0, max: Some(0) }, None) => {
                if let Some(undone) = self.undone(query, said) {
                    return (format!("{did} {undone}"), short_by);
                }
                let any = Query::of(query.events.clone(), query.known_at);
                match self.evaluator.found(&any, self.person).last() {
                    Some((_, last)) => format!("last {did} {}", self.ago(*last)),
                    None => format!("never {did}"),
                }
            }
            (wanted, _) => {
                let what = format!("{did} {}{}{}", times(n), window(query), self.dates(&found));
                missed(what, n, *wanted)
            }
        };
        (fact, short_by)
    }

    /// `1 hour ago, 1 June 12:30, then ordered 10 minutes ago, 1 June 13:50`: the last of the
    /// events that does not count, for what was not to follow did.
    fn undone(&self, query: &Query, said: &str) -> Option<String> {
        let mut unwanted = Vec::new();
        unwanted_chains(query.filter.as_deref()?, &mut unwanted);
        unwanted.into_iter().find_map(|chain| {
            let ([step], ChainOrder::After) = (chain.steps.as_slice(), chain.order) else { return None };
            let followed = |interval: Interval, chain: Chain| {
                let filter = Some(Box::new(Cond::Chain(Box::new(chain))));
                self.evaluator.found(&Query { interval, filter, ..query.clone() }, self.person)
            };
            let (_, start) = followed(query.interval, chain.clone()).pop()?;
            // The first of those after it with which it is followed as it was not to be.
            let at = |time: Timestamp| Some(Bound { moment: Moment::At(time), is_closed: true });
            let is_followed_by = |until: Timestamp| {
                let within =
                    Query { interval: Interval { to: at(until), ..step.query.interval }, ..step.query.clone() };
                let chain = Chain { steps: vec![ChainStep { query: within, ..step.clone() }], ..chain.clone() };
                !followed(Interval { from: at(start), to: at(start) }, chain).is_empty()
            };
            let others = self.evaluator.found(&step.query, self.person);
            let first = others.partition_point(|(_, time)| !is_followed_by(*time));
            let (_, then) = others.get(first)?;
            let did = self.did(&step.query.events, said);
            Some(format!("{}, then {did} {}", self.ago(start), self.ago(*then)))
        })
    }

    /// `2 different invoice in the past 180 days (581483, 580000), at least 3 wanted`
    fn values_counted(&self, counted: &Counted<'_>, of: &Expr, said: &str) -> (String, Option<u64>) {
        let Counted { query, wanted, .. } = counted;
        let measured = self.evaluator.measured(query, of, self.person);
        let mut values: Vec<(Value, Timestamp)> = Vec::new();
        for (time, value) in measured.into_iter().filter_map(|(time, value)| Some((time, value?))) {
            match values.iter_mut().find(|(known, _)| *known == value) {
                Some((_, last)) => *last = time,
                None => values.push((value, time)),
            }
        }
        let n = values.len() as u64;
        let last = values.iter().rev().take(SHOWN_MAX);
        let bare = |value: &Value| match value {
            Value::Text(text) => text.clone(),
            other => other.to_string(),
        };
        let last: Vec<String> = last.map(|(value, time)| format!("{} on {}", bare(value), self.day(*time))).collect();
        let more = if values.len() > SHOWN_MAX { ", …" } else { "" };
        let shown = if last.is_empty() { String::new() } else { format!(" ({}{more})", last.join(", ")) };
        let (mut name, did) = (self.name_of(of), self.did(&query.events, said));
        if n != 1 && !name.ends_with('s') {
            name.push('s');
        }
        let what = format!("{did} with {n} different {name}{}{shown}", window(query));
        (missed(what, n, *wanted), wanted.min.checked_sub(n).filter(|n| *n > 0))
    }

    /// The values that a condition looks at, as they are.
    fn values_of(&self, cond: &Cond) -> Option<String> {
        let mut facts: Vec<String> = Vec::new();
        self.look_at(cond, &mut facts);
        let mut told: Vec<String> = Vec::new();
        facts.into_iter().for_each(|fact| {
            if !told.contains(&fact) {
                told.push(fact);
            }
        });
        (!told.is_empty()).then(|| told.join(", "))
    }

    fn look_at(&self, cond: &Cond, facts: &mut Vec<String>) {
        match cond {
            Cond::All(members) | Cond::Any(members) | Cond::Cardinality { members, .. } => {
                members.iter().for_each(|member| self.look_at(member, facts));
            }
            Cond::Not(inner) => self.look_at(inner, facts),
            Cond::Known(value)
            | Cond::OneOf(value, _)
            | Cond::Text(_, value, _)
            | Cond::Has(value, _)
            | Cond::InList(value, _) => facts.extend(self.value_fact(value)),
            Cond::Compare(_, left, right) => {
                facts.extend([left, right].into_iter().filter_map(|side| self.value_fact(side)));
            }
            Cond::FirstOrLastN { query, .. } => {
                let found = self.evaluator.found(query, self.person);
                let last = found.last().map(|(_, time)| format!(", last {}", self.ago(*time)));
                facts.push(format!(
                    "{} {}{}",
                    self.did(&query.events, ""),
                    times(found.len() as u64),
                    last.unwrap_or_default()
                ));
            }
            Cond::Profile(_) => {
                facts.push(format!("profile id is {}", self.explain.batch.id(self.person.row())));
            }
            Cond::Sample { .. }
            | Cond::Elements { .. }
            | Cond::Const(_)
            | Cond::InSegment(_)
            | Cond::Chain(_)
            | Cond::Items { .. } => {}
        }
    }

    fn value_fact(&self, expr: &Expr) -> Option<String> {
        let value = || self.evaluator.value_of(expr, self.person);
        let shown = |value: Option<Value>| value.map_or("missing".to_owned(), |value| self.shown(&value));
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::Moment(_) | ExprKind::Today { .. } => None,
            ExprKind::Attribute(id) => {
                let name = &self.explain.schema.attribute(*id)?.name;
                Some(format!("{name} is {}", shown(value())))
            }
            ExprKind::EventTime { end, query } => {
                let (did, end) = (self.did(&query.events, ""), end.word());
                Some(match value() {
                    Some(Value::Timestamp(time)) => format!("{end} {did} {}", self.ago(time)),
                    _ => format!("never {did}{}", window(query)),
                })
            }
            ExprKind::Seen(end, _) => Some(match value() {
                Some(Value::Timestamp(time)) => format!("{} seen {}", end.word(), self.ago(time)),
                _ => "never seen".to_owned(),
            }),
            ExprKind::Aggregate { function: Aggregate::Count, measure: None, items: None, query } => {
                let n = self.evaluator.found(query, self.person).len() as u64;
                Some(format!("{} {}{}", self.did(&query.events, ""), times(n), window(query)))
            }
            ExprKind::Aggregate { function, measure, query, .. } => {
                let of = measure.as_ref().map_or(String::new(), |of| format!(" {}", self.name_of(of)));
                Some(format!("{}{of}{} is {}", function.word(), window(query), shown(value())))
            }
            ExprKind::Elapsed(of) => match self.evaluator.value_of(of, self.person) {
                Some(Value::Timestamp(time)) => Some(format!("it was {}", self.ago(time))),
                _ => Some("it never was".to_owned()),
            },
            ExprKind::UsualGap(_) => Some(match value() {
                Some(Value::Integer(micros)) => format!("usual gap is {}", shown::length(micros as i64)),
                _ => "no usual gap yet: it needs three gaps".to_owned(),
            }),
            ExprKind::Periods { unit, query, .. } => {
                Some(format!("{} different {}{}", shown(value()), unit.word(), window(query)))
            }
            ExprKind::MostWithin { .. } => Some(format!("at most {} of them so close together", shown(value()))),
            ExprKind::Distance { .. } => Some(format!("{} km away", shown(value()))),
            ExprKind::History { of: OfHistory::Since, .. } => match value() {
                Some(Value::Timestamp(time)) if time > Timestamp::MIN => Some(format!("so since {}", self.ago(time))),
                Some(_) => Some("so from the beginning".to_owned()),
                None => Some("not so now".to_owned()),
            },
            ExprKind::History { attribute, .. } => {
                let name = &self.explain.schema.attribute(*attribute)?.name;
                Some(format!("{name}: {} times", shown(value())))
            }
            ExprKind::Property(_)
            | ExprKind::Time
            | ExprKind::Field { .. }
            | ExprKind::Element { .. }
            | ExprKind::HeldValue { .. }
            | ExprKind::Error => None,
            ExprKind::Shift { .. }
            | ExprKind::DayOf(..)
            | ExprKind::Part(..)
            | ExprKind::Anniversary(..)
            | ExprKind::Arithmetic(..)
            | ExprKind::Scale { .. }
            | ExprKind::Convert(_)
            | ExprKind::FoldCase(_)
            | ExprKind::ListLength(_) => {
                let facts: Vec<String> =
                    expr.operands().into_iter().filter_map(|operand| self.value_fact(operand)).collect();
                (!facts.is_empty()).then(|| facts.join(", "))
            }
        }
    }

    /// What somebody did, as the sentence or the schema says it: `added to cart`.
    fn did(&self, events: &[EventId], said: &str) -> String {
        let schema = self.explain.schema;
        let group = schema.groups.iter().find(|group| events.len() > 1 && group.events == events);
        if let Some(group) = group {
            return in_words(&group.also, said).unwrap_or_else(|| format!("did {}", group.name));
        }
        let one = |id: &EventId| {
            let event = schema.event(*id)?;
            let past = event.verbs.first().map(|verb| {
                let forms = verb.forms();
                // The base form, that of the third person, the past; what is done to somebody
                // has no other form.
                match verb.base.strip_prefix("be ") {
                    Some(done) => format!("was {done}"),
                    None => forms.get(2).or(forms.first()).cloned().unwrap_or_default(),
                }
            });
            Some(past.or_else(|| in_words(&event.also, said)).unwrap_or_else(|| format!("did {}", event.name)))
        };
        let did: Vec<String> = events.iter().take(SHOWN_MAX).filter_map(one).collect();
        match events.len() {
            n if n > SHOWN_MAX => format!("{}, …", did.join(" or ")),
            _ => did.join(" or "),
        }
    }

    fn name_of(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Property(ids) => {
                let name = ids.first().and_then(|(event, property)| {
                    let field = self.explain.schema.event(*event)?.properties.get(property.idx())?;
                    Some(field.also.first().unwrap_or(&field.name).clone())
                });
                name.unwrap_or_else(|| "value".to_owned())
            }
            _ => "values".to_owned(),
        }
    }

    fn zone(&self) -> Zone {
        self.explain.settings.zone.unwrap_or(Zone::UTC)
    }

    /// `2 days 9 hours ago, 27 June 14:10`
    fn ago(&self, time: Timestamp) -> String {
        let now = self.explain.now;
        let at = shown::instant(time, self.zone(), now);
        let micros = now.0.saturating_sub(time.0);
        match micros {
            0 => format!("just now, {at}"),
            1.. => format!("{} ago, {at}", shown::length(micros)),
            _ => format!("in {}, {at}", shown::length(micros)),
        }
    }

    fn day(&self, time: Timestamp) -> String {
        let instant = shown::instant(time, self.zone(), self.explain.now);
        instant.rsplit_once(' ').map_or(instant.clone(), |(day, _)| day.to_owned())
    }

    /// The last few instants, in brackets.
    fn dates(&self, times: &[Timestamp]) -> String {
        let last = times.iter().rev().take(SHOWN_MAX);
        let last: Vec<String> = last.map(|time| shown::instant(*time, self.zone(), self.explain.now)).collect();
        match (last.is_empty(), times.len() > SHOWN_MAX) {
            (true, _) => String::new(),
            (false, false) => format!(" ({})", last.join(", ")),
            (false, true) => format!(" (last {}, …)", last.join(", ")),
        }
    }

    fn shown(&self, value: &Value) -> String {
        match value {
            Value::Timestamp(time) => self.ago(*time),
            Value::Text(text) => format!("{text:?}"),
            other => other.to_string(),
        }
    }
}

/// What somebody did, of the names that something has: one that the sentence says, else the
/// first.
fn in_words(names: &[String], said: &str) -> Option<String> {
    const IRREGULAR: [&str; 16] = [
        "bought", "began", "made", "had", "sent", "got", "left", "went", "took", "saw", "read", "wrote", "paid",
        "sold", "gave", "was",
    ];
    let is_past = |name: &&String| {
        let first = name.split(' ').next().unwrap_or_default();
        first.ends_with("ed") || IRREGULAR.contains(&first)
    };
    let past = || names.iter().filter(is_past);
    past().find(|name| said.contains(name.as_str())).or(past().next()).cloned()
}

fn times(n: u64) -> String {
    match n {
        0 => "not once".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}

/// A window as it is said most often, with a space before it.
fn window(query: &Query) -> String {
    let is_now = query.interval.to.is_none_or(|to| to.moment == Moment::NOW);
    match query.interval.from.map(|from| from.moment) {
        Some(Moment::Before(Period::Fixed(length), _)) if is_now => format!(" in the past {}", shown::length(length)),
        Some(Moment::Before(Period::Months(1), _)) if is_now => " in the past month".to_owned(),
        Some(Moment::Before(Period::Months(n), _)) if is_now => format!(" in the past {n} months"),
        None if query.interval.to.is_none() => String::new(),
        Some(_) | None => " in that time".to_owned(),
    }
}

/// What is said where a count is not what is wanted.
fn missed(what: String, n: u64, wanted: Wanted) -> String {
    let by = |n: u64| if n == 1 { "one".to_owned() } else { n.to_string() };
    match wanted {
        Wanted { min, .. } if n < min => format!("{} short: {what}, at least {min} wanted", by(min - n)),
        Wanted { max: Some(max), .. } if n > max => format!("{} too many: {what}, at most {max} wanted", by(n - max)),
        Wanted { .. } => what,
    }
}

/// What is not to follow an event for it to count.
fn unwanted_chains<'c>(filter: &'c Cond, found: &mut Vec<&'c Chain>) {
    match filter {
        Cond::All(members) => members.iter().for_each(|member| unwanted_chains(member, found)),
        Cond::Not(inner) => {
            if let Cond::Chain(chain) = inner.as_ref() {
                found.push(chain);
            }
        }
        Cond::Const(_)
        | Cond::Any(_)
        | Cond::Cardinality { .. }
        | Cond::InSegment(_)
        | Cond::Known(_)
        | Cond::Compare(..)
        | Cond::OneOf(..)
        | Cond::Text(..)
        | Cond::Has(..)
        | Cond::FirstOrLastN { .. }
        | Cond::Chain(_)
        | Cond::Items { .. }
        | Cond::Sample { .. }
        | Cond::InList(..)
        | Cond::Profile(_)
        | Cond::Elements { .. } => {}
    }
}

fn counted(cond: &Cond) -> Option<Counted<'_>> {
    match cond {
        Cond::Compare(op, left, right) => {
            let ExprKind::Literal(Value::Integer(n)) = &right.kind else { return None };
            let n = u64::try_from(*n).ok()?;
            let wanted = match op {
                CompareOp::Equal => Wanted { min: n, max: Some(n) },
                CompareOp::Less => Wanted { min: 0, max: Some(n.checked_sub(1)?) },
                CompareOp::LessOrEqual => Wanted { min: 0, max: Some(n) },
                CompareOp::Greater => Wanted { min: n + 1, max: None },
                CompareOp::GreaterOrEqual => Wanted { min: n, max: None },
            };
            match &left.kind {
                ExprKind::Aggregate { function: Aggregate::Count, measure: None, items: None, query } => {
                    Some(Counted { query, of: None, wanted })
                }
                ExprKind::Aggregate { function: Aggregate::CountDifferent, measure: Some(of), items: None, query } => {
                    Some(Counted { query, of: Some(of), wanted })
                }
                _ => None,
            }
        }
        Cond::Not(inner) => {
            let Counted { query, of, wanted } = counted(inner)?;
            let wanted = match wanted {
                Wanted { min: 0, max: Some(max) } => Wanted { min: max + 1, max: None },
                Wanted { min, max: None } if min > 0 => Wanted { min: 0, max: Some(min - 1) },
                _ => return None,
            };
            Some(Counted { query, of, wanted })
        }
        Cond::All(members) => match members.as_slice() {
            [one, other] => {
                let (one, other) = (counted(one)?, counted(other)?);
                let is_same = one.query == other.query && one.of == other.of;
                let min = one.wanted.min.max(other.wanted.min);
                let max = one.wanted.max.into_iter().chain(other.wanted.max).min();
                is_same.then_some(Counted { query: one.query, of: one.of, wanted: Wanted { min, max } })
            }
            _ => None,
        },
        Cond::Const(_)
        | Cond::Any(_)
        | Cond::Cardinality { .. }
        | Cond::InSegment(_)
        | Cond::Known(_)
        | Cond::OneOf(..)
        | Cond::Text(..)
        | Cond::Has(..)
        | Cond::FirstOrLastN { .. }
        | Cond::Chain(_)
        | Cond::Items { .. }
        | Cond::Sample { .. }
        | Cond::InList(..)
        | Cond::Profile(_)
        | Cond::Elements { .. } => None,
    }
}
