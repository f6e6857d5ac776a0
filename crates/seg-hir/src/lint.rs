//! Lints: segments that are valid, and likely not what was wanted.

use crate::hir::{
    Aggregate, ArithmeticOp, CompareOp, Cond, End, Expr, ExprKind, Interval, Module, Moment, Query, Segment, SegmentId,
    references,
};
use seg_data::schema::{Role, Target, fold_name};
use seg_data::{AttributeId, EventId, Period, Schema, Type};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::names::display;
use std::collections::HashSet;

pub(crate) mod named;
mod rhythm;

/// A segment of more conditions than this is hard to read.
const CONDITIONS_MAX: usize = 12;

/// What is likely wrong with the segments of a module that has no errors,
/// except what they allow.
pub fn lints(module: &Module, schema: &Schema) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let referred = referred(module);
    let wholes = wholes(module);
    let says_uses = module.segments.iter().any(|s| !s.header.uses.is_empty());
    for (id, segment) in module.run() {
        let seen = Seen::of(segment, &wholes);
        let mut lint = Lint { segment, schema, seen, found: Vec::new() };
        if !segment.header.uses.is_empty() {
            lint.no_purchase_exclusion();
            lint.no_consent();
            lint.broad_event();
            lint.silent_name();
        }
        if says_uses && segment.header.uses.is_empty() && !referred.contains(&id) {
            lint.unused();
        }
        lint.absence_in_name();
        lint.first_seen();
        lint.beyond_retention();
        lint.too_many_conditions();
        lint.late_event();
        lint.share_of_nothing();
        lint.count_beside_usual_gap();
        let allowed = &segment.header.allowed;
        found.extend(lint.found.into_iter().filter(|d| !allowed.iter().any(|code| code == d.code.number())));
    }
    found
}

/// The segments that others refer to, and those that compete for people.
fn referred(module: &Module) -> HashSet<SegmentId> {
    let mut referred: HashSet<SegmentId> = module.precedence.iter().copied().collect();
    for segment in &module.segments {
        let conds = std::iter::once(&segment.include).chain(&segment.excludes).chain(&segment.rules);
        conds.for_each(|cond| references(cond, &mut referred));
    }
    referred
}

/// What a segment looks at, with all segments it refers to. Few things are
/// looked at by any, so a long row of references costs no more than it is long.
#[derive(Default, Clone)]
struct Whole {
    events: HashSet<EventId>,
    attributes: HashSet<AttributeId>,
}

/// What every segment speaks of, with what the segments speak of that it refers to.
fn wholes(module: &Module) -> Vec<Whole> {
    let mut wholes = vec![Whole::default(); module.segments.len()];
    for id in &module.order {
        let Some(segment) = module.segments.get(id.idx()) else { continue };
        let (mut seen, mut referred) = (Seen::default(), HashSet::new());
        for cond in std::iter::once(&segment.include).chain(&segment.excludes) {
            seen.cond(cond, true);
            references(cond, &mut referred);
        }
        let mut whole = Whole { events: seen.events, attributes: seen.attributes };
        for other in referred.iter().filter_map(|id| wholes.get(id.idx())) {
            whole.events.extend(&other.events);
            whole.attributes.extend(&other.attributes);
        }
        if let Some(slot) = wholes.get_mut(id.idx()) {
            *slot = whole;
        }
    }
    wholes
}

/// What a segment looks at.
#[derive(Default)]
struct Seen {
    /// Whether it asks when people were first seen, and of other segments.
    asks_first_seen: bool,
    refers: bool,
    /// Every query of its own conditions: whether it is asked for positively.
    queries: Vec<(Query, bool)>,
    attributes: HashSet<AttributeId>,
    /// Events that are looked at anywhere, in segments it refers to as well.
    events: HashSet<EventId>,
    n_conditions: usize,
}

impl Seen {
    fn of(segment: &Segment, wholes: &[Whole]) -> Seen {
        let mut seen = Seen::default();
        seen.cond(&segment.include, true);
        segment.excludes.iter().for_each(|e| seen.cond(e, false));
        seen.n_conditions /= if segment.header_is_graced() { 2 } else { 1 };
        let own = seen.n_conditions;
        segment.rules.iter().for_each(|rule| seen.cond(rule, true));
        seen.n_conditions = own;
        // What the segments say that it refers to.
        let mut referred = HashSet::new();
        let conds = std::iter::once(&segment.include).chain(&segment.excludes).chain(&segment.rules);
        conds.for_each(|cond| references(cond, &mut referred));
        seen.refers = !referred.is_empty();
        for whole in referred.iter().filter_map(|id| wholes.get(id.idx())) {
            seen.events.extend(&whole.events);
            seen.attributes.extend(&whole.attributes);
        }
        seen
    }

    fn cond(&mut self, cond: &Cond, positive: bool) {
        let is_leaf =
            !matches!(cond, Cond::All(_) | Cond::Any(_) | Cond::Cardinality { .. } | Cond::Not(_) | Cond::Const(_));
        self.n_conditions += usize::from(is_leaf);
        match cond {
            Cond::All(members) | Cond::Any(members) | Cond::Cardinality { members, .. } => {
                members.iter().for_each(|m| self.cond(m, positive));
            }
            // Who was never seen is asked for, and not left out.
            Cond::Not(inner) if matches!(&**inner, Cond::Known(Expr { kind: ExprKind::Seen(..), .. })) => {}
            Cond::Not(inner) => self.cond(inner, !positive),
            Cond::Known(value)
            | Cond::OneOf(value, _)
            | Cond::Text(_, value, _)
            | Cond::Has(value, _)
            | Cond::InList(value, _) => self.expr(value, positive),
            Cond::Compare(op, left, right) => {
                use crate::hir::CompareOp::{Equal, Less, LessOrEqual};
                // `fewer than 3` asks for what is not there.
                let is_few = matches!(op, Less | LessOrEqual)
                    || *op == Equal && matches!(&right.kind, ExprKind::Literal(seg_data::Value::Integer(0)));
                self.expr(left, positive != is_few);
                self.expr(right, positive);
            }
            Cond::FirstOrLastN { query, .. } => self.query(query, positive),
            Cond::Chain(chain) => chain.steps.iter().for_each(|step| {
                self.query(&step.query, positive);
                step.none_between.iter().for_each(|none| self.query(none, !positive));
            }),
            Cond::Elements { list, filter, .. } => {
                self.attributes.insert(*list);
                let n = self.n_conditions;
                self.cond(filter, positive);
                self.n_conditions = n;
            }
            Cond::Const(_) | Cond::InSegment(_) | Cond::Items { .. } | Cond::Sample { .. } | Cond::Profile(_) => {}
        }
    }

    fn expr(&mut self, expr: &Expr, positive: bool) {
        match &expr.kind {
            ExprKind::Attribute(id) => {
                self.attributes.insert(*id);
            }
            ExprKind::History { attribute, filter, .. } => {
                self.attributes.insert(*attribute);
                let n = self.n_conditions;
                self.cond(filter, positive);
                self.n_conditions = n;
            }
            ExprKind::Seen(end, _) => self.asks_first_seen |= *end == End::First,
            ExprKind::Aggregate { query, .. }
            | ExprKind::Periods { query, .. }
            | ExprKind::EventTime { query, .. }
            | ExprKind::UsualGap(query)
            | ExprKind::MostWithin { query, .. } => self.query(query, positive),
            ExprKind::Arithmetic(..)
            | ExprKind::Anniversary(..)
            | ExprKind::Distance { .. }
            | ExprKind::Scale { .. }
            | ExprKind::Convert(_)
            | ExprKind::FoldCase(_)
            | ExprKind::ListLength(_)
            | ExprKind::Shift { .. }
            | ExprKind::DayOf(..)
            | ExprKind::Part(..)
            | ExprKind::Elapsed(_)
            | ExprKind::Literal(_)
            | ExprKind::Property(_)
            | ExprKind::Moment(_)
            | ExprKind::Today { .. }
            | ExprKind::Time
            | ExprKind::Field { .. }
            | ExprKind::Element { .. }
            | ExprKind::HeldValue { .. }
            | ExprKind::Error => expr.operands().into_iter().for_each(|operand| self.expr(operand, positive)),
        }
    }

    fn query(&mut self, query: &Query, positive: bool) {
        self.events.extend(&query.events);
        self.queries.push((query.clone(), positive));
        if let Some(filter) = &query.filter {
            let n = self.n_conditions;
            self.cond(filter, positive);
            self.n_conditions = n;
        }
    }
}

impl Segment {
    /// Whether its conditions are there in two views.
    pub fn header_is_graced(&self) -> bool {
        let mut seen = Seen::default();
        seen.cond(&self.include, true);
        seen.queries.iter().any(|(q, _)| q.known_at.is_some())
    }
}

struct Lint<'a> {
    segment: &'a Segment,
    schema: &'a Schema,
    seen: Seen,
    found: Vec<Diagnostic>,
}

impl Lint<'_> {
    fn add(&mut self, code: Code, message: String, label: &str, help: String) {
        let allow = format!("if it is meant: `allow {} because \"…\"` under the segment's name", code.number());
        let diagnostic = Diagnostic::new(code, self.segment.span, message).label(label).help(help).note(allow);
        self.found.push(diagnostic);
    }

    fn role(&self, event: EventId) -> Option<Role> {
        self.schema.event(event)?.role
    }

    fn event_name(&self, event: EventId) -> String {
        self.schema.event(event).map_or(String::new(), |e| e.name.clone())
    }

    fn no_purchase_exclusion(&mut self) {
        let has_role = |event: &EventId, roles: &[Role]| self.role(*event).is_some_and(|r| roles.contains(&r));
        let purchases: Vec<EventId> = (0..self.schema.events.len() as u32).map(EventId).collect();
        let purchase = purchases.iter().find(|e| has_role(e, &[Role::Purchase]));
        let wants = self.seen.queries.iter().find_map(|(query, positive)| {
            let is_recent = query.interval.from.is_some() && *positive;
            query.events.iter().find(|e| is_recent && has_role(e, &[Role::Checkout, Role::Cart, Role::View])).copied()
        });
        let looks = self.seen.events.iter().any(|e| has_role(e, &[Role::Purchase]));
        if let (Some(purchase), Some(event), false) = (purchase, wants, looks) {
            let (event, purchase) = (self.event_name(event), self.event_name(*purchase));
            let message = format!("who did {event} and has bought since is still in \"{}\"", self.segment.name);
            let help = format!("leave buyers out: `exclude people who did {purchase} in the past 24 hours`");
            self.add(Code::NoPurchaseExclusion, message, "no purchase is looked at", help);
        }
    }

    fn no_consent(&mut self) {
        let channels: Vec<String> = self.segment.header.uses.iter().flat_map(|u| u.channels.clone()).collect();
        for channel in channels {
            let declared = self.schema.channels.iter().find(|c| fold_name(&c.name) == fold_name(&channel));
            let Some(consent) = declared.and_then(|c| c.consent) else { continue };
            if self.seen.attributes.contains(&consent) {
                continue;
            }
            let attribute = self.schema.attribute(consent).map_or("", |a| &a.name).to_owned();
            let message = format!("\"{}\" goes over {channel} and does not ask for consent", self.segment.name);
            let help =
                format!("for every segment over {channel}: `everyone on {channel} must have {attribute} is true`");
            self.add(Code::NoConsent, message, "people may not be reached so", help);
        }
    }

    fn broad_event(&mut self) {
        let broad = self.seen.queries.iter().find_map(|(query, positive)| {
            let is_open = query.filter.is_none() && *positive;
            query.events.iter().find(|e| is_open && self.role(**e) == Some(Role::View)).copied()
        });
        if let Some(event) = broad {
            let event = self.event_name(event);
            let message = format!("nearly everyone does {event}");
            let help = format!("say which: `did {event} where category is \"…\"`");
            self.add(Code::BroadEvent, message, "no property narrows it", help);
        }
    }

    fn silent_name(&mut self) {
        let has_window = self.seen.queries.iter().any(|(q, _)| q.interval != Interval::default());
        let says_when = self.segment.name.chars().any(|c| c.is_ascii_digit());
        if has_window && !says_when {
            let message = format!("the name \"{}\" does not say of when", self.segment.name);
            let help = "say what is wanted, of when, and who is out: `Cart Abandon, checkout 0-2h, no purchase`";
            self.add(Code::SilentName, message, "its conditions have windows", help.to_owned());
        }
    }

    /// `Carts 0-2h, no purchase`, without a condition that there is none.
    fn absence_in_name(&mut self) {
        if self.seen.refers {
            return;
        }
        let found = named::absences(&self.segment.name).into_iter().find_map(|(said, what)| {
            let (events, name) = self.events_called(&what)?;
            let asks = |(query, positive): &(Query, bool)| !positive && query.events.iter().any(|e| events.contains(e));
            // An attribute may hold what events say: `total_orders is 0`.
            let is_attribute = |id: &AttributeId| {
                let words =
                    [what.to_lowercase(), name.to_lowercase()].map(|w| w.split(' ').next().unwrap_or("").to_owned());
                let attribute = self.schema.attribute(*id).map_or(String::new(), |a| a.name.to_lowercase());
                words.iter().any(|word| attribute.contains(word.as_str()))
            };
            let is_asked = self.seen.queries.iter().any(asks) || self.seen.attributes.iter().any(is_attribute);
            (!is_asked).then_some((said, name))
        });
        if let Some((said, name)) = found {
            let message = format!("the name says `{said}`, and no condition of \"{}\" does", self.segment.name);
            let help = format!("leave those people out: `exclude people who did {} ever`", display(&name));
            self.add(Code::NameSaysOtherwise, message, "the name promises what nobody asks", help);
        }
    }

    /// The events that a name of the schema, or of a role, stands for; and the name of one
    /// of them.
    fn events_called(&self, words: &str) -> Option<(Vec<EventId>, String)> {
        let role = match fold_name(words).as_str() {
            "purchase" | "purchases" => Some(Role::Purchase),
            "checkout" => Some(Role::Checkout),
            _ => None,
        };
        let all = (0..self.schema.events.len() as u32).map(EventId);
        let events: Vec<EventId> = match self.schema.lookup(words) {
            [Target::Event(id)] => vec![*id],
            [Target::Group(id)] => self.schema.group(*id).map(|g| g.events.clone()).unwrap_or_default(),
            _ => all.filter(|e| role.is_some() && self.role(*e) == role).collect(),
        };
        let name = self.event_name(*events.first()?);
        Some((events, name))
    }

    /// `first seen at least 7 days ago`, where only events say when that was.
    fn first_seen(&mut self) {
        if !self.seen.asks_first_seen || self.schema.first_seen.is_some() {
            return;
        }
        let message = format!("\"{}\" leaves out people of whom no event is known", self.segment.name);
        let times = self.schema.attributes.iter().filter(|a| a.ty == Type::Timestamp);
        let is_it = |name: &str| ["sign", "creat", "regist", "join", "since", "first"].iter().any(|w| name.contains(w));
        let attribute = times.map(|a| a.name.as_str()).find(|name| is_it(&name.to_lowercase()));
        let help = format!(
            "if an attribute says when somebody came, name it at the top of the schema: `first_seen = \"{}\"`",
            attribute.unwrap_or("signed_up")
        );
        self.add(Code::FirstSeenUnsaid, message, "they were never seen", help);
    }

    fn unused(&mut self) {
        let message = format!("no campaign and no segment uses \"{}\"", self.segment.name);
        let help = "say what it is for: `used by campaign \"…\"`, or `archived`".to_owned();
        self.add(Code::UnusedSegment, message, "used by nothing", help);
    }

    fn beyond_retention(&mut self) {
        let Some(Period::Fixed(kept)) = self.schema.retention else { return };
        let is_longer = |q: &Query| match q.interval.from.map(|b| b.moment) {
            Some(Moment::Before(Period::Fixed(length), _)) => length > kept,
            Some(Moment::Before(Period::Months(months), _)) => months.saturating_mul(28 * seg_data::time::DAY) > kept,
            _ => false,
        };
        if self.seen.queries.iter().any(|(q, _)| is_longer(q)) {
            let days = kept / seg_data::time::DAY;
            let message =
                format!("\"{}\" looks back further than the {days} days that data is kept", self.segment.name);
            self.add(
                Code::BeyondRetention,
                message,
                "the beginning of the window is empty",
                "use a shorter window".to_owned(),
            );
        }
    }

    fn too_many_conditions(&mut self) {
        let n = self.seen.n_conditions;
        if n > CONDITIONS_MAX {
            let message = format!("\"{}\" has {n} conditions", self.segment.name);
            let help = "give some of them a name: `define \"engaged\" as …`, or a segment of their own".to_owned();
            self.add(Code::TooManyConditions, message, "hard to read at once", help);
        }
    }

    /// An event that may still arrive, asked not to be there: where none may be, or few,
    /// also behind another event, and in a window that is not over for so long.
    fn late_event(&mut self) {
        let is_over = |query: &Query, within: Period| match query.interval.to.map(|b| b.moment) {
            Some(Moment::Before(ago, _)) => match (ago, within) {
                (Period::Fixed(ago), Period::Fixed(within)) => ago >= within,
                (Period::Months(months), Period::Fixed(within)) => {
                    months.saturating_mul(28 * seg_data::time::DAY) >= within
                }
                (_, Period::Months(_)) => false,
            },
            // What the calendar says may have ended just now, or long ago.
            Some(Moment::At(_)) => true,
            Some(Moment::StartOf(_, periods, _)) => periods <= 0,
            Some(Moment::After(..)) | None => false,
        };
        let late = self.seen.queries.iter().find_map(|(query, positive)| {
            let is_known = query.known_at.is_some() || self.segment.header_is_graced();
            let arrives_late = |event: &&EventId| {
                let within = self.schema.event(**event).and_then(|e| e.arrives_within);
                within.is_some_and(|within| !is_over(query, within))
            };
            query.events.iter().find(arrives_late).filter(|_| !positive && !is_known).copied()
        });
        if let Some(event) = late {
            let name = self.event_name(event);
            let within =
                self.schema.event(event).and_then(|e| e.arrives_within).map_or(String::new(), |p| p.to_string());
            let message = format!(
                "{name} may arrive up to {within} late, and \"{}\" asks that it is not there",
                self.segment.name
            );
            let help = "wait for it: `grace period …` under the segment's name".to_owned();
            self.add(Code::LateEvent, message, "people may be in by mistake for a while", help);
        }
    }

    /// `number of A is at least 80% of number of B`, which 0 of 0 is as well.
    fn share_of_nothing(&mut self) {
        let members = match &self.segment.include {
            Cond::All(members) => members.as_slice(),
            other => std::slice::from_ref(other),
        };
        let found = members.iter().find_map(|member| {
            let Cond::Compare(CompareOp::Equal | CompareOp::LessOrEqual | CompareOp::GreaterOrEqual, left, right) =
                member
            else {
                return None;
            };
            // One side is a share of the other: two counts alone are two counts.
            let is_share = |expr: &Expr| !matches!(bare(expr).kind, ExprKind::Aggregate { .. });
            let (a, b) = (nothing_of(left)?, nothing_of(right)?);
            let asks = |query: &Query| self.seen.queries.iter().filter(|(q, _)| q.events == query.events).count();
            let n_own = if a.events == b.events { 2 } else { 1 };
            // Another condition about these events may well ask that there are some.
            let mut events: Vec<EventId> = b.events.iter().chain(&a.events).copied().collect();
            let mut met = HashSet::new();
            events.retain(|event| met.insert(*event));
            ((is_share(left) || is_share(right)) && asks(a) <= n_own && asks(b) <= n_own).then_some(events)
        });
        if let Some(events) = found {
            let names: Vec<String> = events.iter().map(|event| self.event_name(*event)).collect();
            let (segment, any) = (&self.segment.name, names.join(" or "));
            let message = format!("a condition of \"{segment}\" also holds for people without any {any}");
            let name = names.first().map_or("", String::as_str);
            let help = format!("leave them out: `and did {} at least once`", display(name));
            self.add(Code::ShareOfNothing, message, "nothing is any share of nothing", help);
        }
    }
}

/// A value without what makes money or a number of it.
fn bare(expr: &Expr) -> &Expr {
    match &expr.kind {
        ExprKind::Convert(inner) => bare(inner),
        _ => expr,
    }
}

/// The events whose absence makes a value 0: those of a count, a total, or a part of one.
fn nothing_of(expr: &Expr) -> Option<&Query> {
    match &bare(expr).kind {
        ExprKind::Aggregate {
            function: Aggregate::Count | Aggregate::CountDifferent | Aggregate::Total,
            query,
            ..
        } => Some(query),
        ExprKind::Scale { money, .. } => nothing_of(money),
        ExprKind::Arithmetic(op @ (ArithmeticOp::Multiply | ArithmeticOp::Divide), value, factor) => {
            match (&bare(value).kind, op, &bare(factor).kind) {
                // Divided by nothing it is missing.
                (ExprKind::Literal(_), ArithmeticOp::Multiply, _) => nothing_of(factor),
                (_, _, ExprKind::Literal(_)) => nothing_of(value),
                _ => None,
            }
        }
        _ => None,
    }
}
