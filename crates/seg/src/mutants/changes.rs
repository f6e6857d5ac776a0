//! Changes of one clause of a syntax tree: a threshold or a length of time by one, a length
//! doubled, an edge moved, a clause negated or dropped, an event swapped.
//!
//! One walk over the tree offers every change in turn, and makes the one that is wanted. What
//! a change does is decided on the tree; its words are for people.

use seg_data::Schema;
use seg_data::schema::Target;
use seg_syntax::ast::{
    Age, Comparison, Condition, Duration, End, Expr, FromNow, Group, GroupForm, Item, Literal, Modifier, ModifierKind,
    Name, Operand, OperandKind, OrderOp, Past, Quantifier, Quantity, Relation, Window,
};
use seg_syntax::ast::{File, LiteralAt};
use seg_syntax::source::Span;

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// The words that were changed.
    pub at: Span,
    /// What became of them.
    pub how: How,
}

/// What became of some words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum How {
    /// They were left out.
    Dropped,
    /// They are so where they were not.
    Negated,
    /// Some of them were replaced.
    Replaced {
        /// As they may be written: `2`, `two`, `at least`.
        from: Vec<String>,
        /// By these.
        to: String,
    },
}

/// The change of a file with this number, counted from 0; none past the last.
pub(super) fn change(file: &File, number: usize, schema: &Schema) -> Option<(File, Change)> {
    let mut changed = file.clone();
    let mut walk = Walk { schema, left: number, made: None };
    walk.file(&mut changed);
    walk.made.map(|made| (changed, made))
}

struct Walk<'s> {
    schema: &'s Schema,
    /// So many changes are passed over.
    left: usize,
    made: Option<Change>,
}

impl Walk<'_> {
    /// Whether the change that is offered is the one to make.
    fn is_it(&mut self, at: Span, how: impl FnOnce() -> How) -> bool {
        if self.made.is_some() {
            return false;
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                false
            }
            None => {
                self.made = Some(Change { at, how: how() });
                true
            }
        }
    }

    fn drops(&mut self, at: Span) -> bool {
        self.is_it(at, || How::Dropped)
    }

    fn replaces(&mut self, at: Span, from: &[&str], to: &str) -> bool {
        let from = from.iter().map(|word| (*word).to_owned()).collect();
        self.is_it(at, || How::Replaced { from, to: to.to_owned() })
    }

    fn file(&mut self, file: &mut File) {
        let mut dropped = None;
        for (at, item) in file.items.iter_mut().enumerate() {
            match item {
                Item::Segment(segment) if segment.header.archived.is_none() => {
                    if let Some(grace) = &mut segment.header.grace {
                        self.length(grace);
                    }
                    if segment.header.grace.is_some_and(|grace| self.drops(grace.span)) {
                        segment.header.grace = None;
                    }
                    self.expr(&mut segment.include);
                    self.droppable(&mut segment.excludes, Expr::span, 1);
                    segment.excludes.iter_mut().for_each(|exclude| self.expr(exclude));
                }
                Item::Definition(definition) => self.expr(&mut definition.body),
                Item::Rule(rule) => {
                    if self.drops(rule.span) {
                        dropped = Some(at);
                    }
                    self.expr(&mut rule.body);
                }
                Item::Precedence(order) => {
                    for first in 1..order.names.len() {
                        let words =
                            order.names.get(first).map_or(String::new(), |name| format!("\"{}\" first", name.text));
                        if self.replaces(order.span, &[], &words) {
                            order.names.swap(first - 1, first);
                        }
                    }
                }
                Item::Segment(_) | Item::List(_) | Item::Test(_) | Item::Error { .. } => {}
            }
        }
        dropped.into_iter().for_each(|at| drop(file.items.remove(at)));
    }

    /// Each of several may be dropped as long as so many stay.
    fn droppable<T>(&mut self, all: &mut Vec<T>, span: impl Fn(&T) -> Span, n_min: usize) {
        let at = (0..all.len())
            .filter(|_| all.len() >= n_min)
            .find(|at| all.get(*at).is_some_and(|one| self.drops(span(one))));
        at.into_iter().for_each(|at| drop(all.remove(at)));
    }

    fn expr(&mut self, expr: &mut Expr) {
        let span = expr.span();
        match expr {
            Expr::Not(inner, _) => {
                self.expr(inner);
                if self.is_it(span, || How::Negated) {
                    *expr = (**inner).clone();
                }
                return;
            }
            Expr::Condition(condition) => self.condition(condition),
            Expr::Group(group) => self.group(group),
            Expr::Sample(sample) => self.digits(&mut sample.percent, sample.span),
            Expr::Near(near) => self.digits(&mut near.distance, near.span),
            Expr::Use(used) => {
                let values = used.values.iter_mut();
                values.for_each(|LiteralAt { literal, span }| self.literal(literal, *span));
            }
            Expr::Everyone(_) | Expr::Error(_) => return,
            Expr::InSegment(_) => {}
        }
        // What is all of several is changed by changing one of them.
        if !matches!(expr, Expr::Group(_)) && self.is_it(span, || How::Negated) {
            *expr = Expr::Not(Box::new(expr.clone()), span);
        }
    }

    fn group(&mut self, group: &mut Group) {
        // Of other forms the members are not conditions of their own.
        let is_row = matches!(group.form, GroupForm::Chain | GroupForm::List);
        if is_row {
            self.droppable(&mut group.members, Expr::span, 2);
        }
        if let Quantifier::Cardinality { min, max } = group.quantifier {
            let mut quantity = Quantity { min, max, span: group.span };
            self.quantity(&mut quantity);
            group.quantifier = Quantifier::Cardinality { min: quantity.min, max: quantity.max };
        }
        group.members.iter_mut().for_each(|member| self.expr(member));
    }

    fn condition(&mut self, condition: &mut Condition) {
        if let Some(quantity) = &mut condition.quantity {
            self.quantity(quantity);
        }
        self.operand(&mut condition.subject);
        self.modifiers(&mut condition.modifiers);
    }

    fn modifiers(&mut self, modifiers: &mut Vec<Modifier>) {
        modifiers.iter_mut().for_each(|modifier| self.modifier(modifier));
        let at = modifiers.iter().position(|modifier| is_addition(&modifier.kind) && self.drops(modifier.span));
        at.into_iter().for_each(|at| drop(modifiers.remove(at)));
    }

    fn modifier(&mut self, modifier: &mut Modifier) {
        match &mut modifier.kind {
            ModifierKind::Comparison(comparison) => self.comparison(comparison, modifier.span),
            ModifierKind::Window(window) | ModifierKind::NotWindow(window) | ModifierKind::AllIn(window) => {
                self.window(window, modifier.span);
            }
            ModifierKind::Where(expr) | ModifierKind::Had(expr) => self.expr(expr),
            ModifierKind::Count(quantity)
            | ModifierKind::DifferentPeriods(quantity, _)
            | ModifierKind::CountPer(quantity, _)
            | ModifierKind::Regular(Some(quantity), _) => self.quantity(quantity),
            ModifierKind::Then(operand) => self.operand(operand),
            ModifierKind::Followed(followed) => {
                self.operand(&mut followed.event);
                if self.is_it(modifier.span, || How::Negated) {
                    followed.not = !followed.not;
                }
            }
            ModifierKind::NoneBetween(between) => self.operand(&mut between.event),
            ModifierKind::Within(within) => self.length(&mut within.length),
            ModifierKind::Limit(Some(length)) => self.length(length),
            ModifierKind::Past(Past::For(age)) => self.age(age, modifier.span),
            ModifierKind::FirstTime
            | ModifierKind::AnyOrder
            | ModifierKind::Same(_)
            | ModifierKind::Limit(None)
            | ModifierKind::Recurring(_)
            | ModifierKind::NotRecurring(_)
            | ModifierKind::Regular(None, _)
            | ModifierKind::Zone(_)
            | ModifierKind::Past(Past::AnyTime | Past::Changed(_)) => {}
        }
    }

    fn comparison(&mut self, comparison: &mut Comparison, span: Span) {
        match &mut comparison.relation {
            Relation::Order(op, operand) => {
                if let Some((other, from, to)) = other_edge(*op)
                    && self.replaces(span, from, to)
                {
                    *op = other;
                }
                self.operand(operand);
            }
            Relation::Between(low, high) => {
                self.operand(low);
                self.operand(high);
            }
            Relation::OneOf(values) | Relation::NoneOf(values) | Relation::Includes(_, values) => {
                self.droppable(values, |value| value.span, 2);
            }
            Relation::Window(window) => self.window(window, span),
            Relation::Near(near) => self.digits(&mut near.distance, near.span),
            Relation::Known
            | Relation::Missing
            | Relation::Empty(_)
            | Relation::KnownButNot(_)
            | Relation::Text(..)
            | Relation::Recurring(_)
            | Relation::InList(_) => {}
        }
    }

    fn window(&mut self, window: &mut Window, span: Span) {
        match window {
            Window::Past(length) | Window::Next(length) => self.length(length),
            Window::Ago(age) | Window::Ahead(age) => self.age(age, span),
            Window::Between(from, to) => {
                self.moment(from);
                self.moment(to);
            }
            Window::Beside(_, moment) => self.moment(moment),
            Window::Anchored(length, _, anchor) => {
                self.length(length);
                self.operand(anchor);
            }
            Window::Dated(_, anchor) => self.operand(anchor),
            Window::Dates(from, to) => {
                self.operand(from);
                self.operand(to);
            }
            Window::Calendar { from, .. } => {
                if self.replaces(span, &[], "from one period of the calendar earlier on") {
                    *from -= 1;
                }
            }
            Window::PastNamed(_) | Window::Ever => {}
        }
    }

    fn moment(&mut self, moment: &mut FromNow) {
        match moment {
            FromNow::Ago(length) | FromNow::Ahead(length) => self.length(length),
            FromNow::Now | FromNow::Period(..) => {}
        }
    }

    fn age(&mut self, age: &mut Age, span: Span) {
        let edge = match *age {
            Age::MoreThan(length) => Some((Age::AtLeast(length), "more than", "at least")),
            Age::AtLeast(length) => Some((Age::MoreThan(length), "at least", "more than")),
            Age::LessThan(length) => Some((Age::AtMost(length), "less than", "at most")),
            Age::AtMost(length) => Some((Age::LessThan(length), "at most", "less than")),
            Age::Between(..) | Age::Exactly(_) => None,
        };
        if let Some((other, from, to)) = edge
            && self.replaces(span, &[from], to)
        {
            *age = other;
        }
        match age {
            Age::MoreThan(length)
            | Age::AtLeast(length)
            | Age::LessThan(length)
            | Age::AtMost(length)
            | Age::Exactly(length) => self.length(length),
            Age::Between(from, to) => {
                self.length(from);
                self.length(to);
            }
        }
    }

    /// One more, one less, and twice as much.
    fn length(&mut self, length: &mut Duration) {
        let count = length.count;
        let others =
            [count.checked_add(1), count.checked_sub(1).filter(|n| *n > 0), count.checked_mul(2).filter(|_| count > 1)];
        for other in others.into_iter().flatten() {
            if self.number(length.span, count, other) {
                length.count = other;
            }
        }
    }

    fn quantity(&mut self, quantity: &mut Quantity) {
        let Quantity { min, max, span } = *quantity;
        // Both ends of an exact number are one.
        if max == Some(min) {
            for other in [min.checked_add(1), min.checked_sub(1)].into_iter().flatten() {
                if self.number(span, min, other) {
                    (quantity.min, quantity.max) = (other, Some(other));
                }
            }
            return;
        }
        for other in [min.checked_add(1), min.checked_sub(1)].into_iter().flatten().filter(|_| min > 0) {
            if self.number(span, min, other) {
                quantity.min = other;
            }
        }
        let Some(max) = max else { return };
        for other in [max.checked_add(1), max.checked_sub(1)].into_iter().flatten().filter(|other| *other >= min) {
            if self.number(span, max, other) {
                quantity.max = Some(other);
            }
        }
    }

    fn number(&mut self, at: Span, from: u64, to: u64) -> bool {
        let words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
        let digits = from.to_string();
        let mut ways = vec![digits.as_str()];
        ways.extend(usize::try_from(from).ok().and_then(|n| words.get(n)));
        match from {
            1 => ways.extend(["once", "an ", "a "]),
            2 => ways.push("twice"),
            _ => {}
        }
        self.replaces(at, &ways, &to.to_string())
    }

    /// A number as it is written, one more and one less.
    fn digits(&mut self, digits: &mut String, at: Span) {
        let (whole, rest) = digits.split_once('.').map_or((digits.as_str(), None), |(whole, rest)| (whole, Some(rest)));
        let Ok(whole) = whole.replace('_', "").parse::<i64>() else { return };
        let with = |whole: i64| rest.map_or(whole.to_string(), |rest| format!("{whole}.{rest}"));
        let others = [whole.checked_add(1), whole.checked_sub(1)].map(|other| other.map(with));
        let from = digits.clone();
        for other in others.into_iter().flatten() {
            if self.replaces(at, &[&from], &other) {
                *digits = other;
            }
        }
    }

    fn literal(&mut self, literal: &mut Literal, at: Span) {
        match literal {
            Literal::Number(digits) | Literal::Amount { digits, .. } | Literal::Percent(digits) => {
                self.digits(digits, at)
            }
            Literal::Duration(length) => self.length(length),
            Literal::Boolean(value) => {
                let (from, to) = if *value { (["true", "yes"], "false") } else { (["false", "no"], "true") };
                if self.replaces(at, &from, to) {
                    *value = !*value;
                }
            }
            Literal::Text(_) | Literal::Date(_) => {}
        }
    }

    fn operand(&mut self, operand: &mut Operand) {
        let span = operand.span;
        match &mut operand.kind {
            OperandKind::Name(name) => self.event(name),
            OperandKind::Literal(literal) => self.literal(literal, span),
            OperandKind::Arithmetic(_, left, right) => {
                self.operand(left);
                self.operand(right);
            }
            OperandKind::Aggregate(aggregate) => {
                self.operand(&mut aggregate.event);
                self.modifiers(&mut aggregate.modifiers);
            }
            OperandKind::FirstOrLastN(ends) => {
                let (other, from, to) = match ends.end {
                    End::First => (End::Last, "first", "last"),
                    End::Last => (End::First, "last", "first"),
                };
                if self.replaces(span, &[from], to) {
                    ends.end = other;
                }
                if ends.n > 1 && self.number(span, u64::from(ends.n), u64::from(ends.n) + 1) {
                    ends.n += 1;
                }
                self.operand(&mut ends.event);
            }
            OperandKind::Events(names) => {
                self.droppable(names, |name| name.span, 2);
                names.iter_mut().for_each(|name| self.event(name));
            }
            OperandKind::Bracketed(inner) => self.expr(inner),
            OperandKind::UsualGap(Some(event)) => self.operand(event),
            OperandKind::Elapsed(name) => self.event(name),
            OperandKind::Anything
            | OperandKind::Items(..)
            | OperandKind::UsualGap(None)
            | OperandKind::Anniversary(_)
            | OperandKind::Error => {}
        }
    }

    /// Another event of the schema in the place of one: the one that comes next in it.
    fn event(&mut self, name: &mut Name) {
        if let Some(other) = self.other_event(&name.text) {
            let words = format!("\"{other}\"");
            if self.replaces(name.span, &[&name.text], &words) {
                (name.text, name.is_quoted) = (other, true);
            }
            return;
        }
        // `last order`, which is no name of the schema.
        let Some((end, event)) = name.text.split_once(' ') else { return };
        let other_end = match end {
            "first" => "last",
            "last" => "first",
            _ => return,
        };
        let (end, event, other) = (end.to_owned(), event.to_owned(), self.other_event(event));
        if other.is_none() && event != "seen" {
            return;
        }
        if self.replaces(name.span, &[&end], other_end) {
            name.text = format!("{other_end} {event}");
        }
        if let Some(other) = other
            && self.replaces(name.span, &[&event], &format!("\"{other}\""))
        {
            name.text = format!("{end} {other}");
        }
    }

    /// The event that comes after one in the schema, where there is another.
    fn other_event(&self, name: &str) -> Option<String> {
        let [Target::Event(id)] = self.schema.lookup(name) else { return None };
        let n_events = self.schema.events.len();
        let next = self.schema.events.get((id.idx() + 1) % n_events.max(1)).filter(|_| n_events > 1);
        next.map(|event| event.name.clone())
    }
}

/// The comparison that treats the bound itself otherwise, with its words.
fn other_edge(op: OrderOp) -> Option<(OrderOp, &'static [&'static str], &'static str)> {
    match op {
        OrderOp::AtLeast => Some((OrderOp::MoreThan, &["at least", ">="], "more than")),
        OrderOp::MoreThan => Some((OrderOp::AtLeast, &["more than", "over", ">"], "at least")),
        OrderOp::AtMost => Some((OrderOp::LessThan, &["at most", "<="], "less than")),
        OrderOp::LessThan => Some((OrderOp::AtMost, &["less than", "under", "<"], "at most")),
        OrderOp::Is | OrderOp::IsNot => None,
    }
}

/// Whether a condition without it is one, too.
fn is_addition(kind: &ModifierKind) -> bool {
    match kind {
        ModifierKind::Window(Window::Ever) => false,
        ModifierKind::Window(_)
        | ModifierKind::Where(_)
        | ModifierKind::Count(_)
        | ModifierKind::DifferentPeriods(..)
        | ModifierKind::FirstTime
        | ModifierKind::Followed(_)
        | ModifierKind::NoneBetween(_)
        | ModifierKind::Within(_)
        | ModifierKind::AllIn(_)
        | ModifierKind::Same(_)
        | ModifierKind::Recurring(_)
        | ModifierKind::NotRecurring(_)
        | ModifierKind::NotWindow(_)
        | ModifierKind::Zone(_) => true,
        ModifierKind::Comparison(_)
        | ModifierKind::Had(_)
        | ModifierKind::Then(_)
        | ModifierKind::AnyOrder
        | ModifierKind::Limit(_)
        | ModifierKind::Regular(..)
        | ModifierKind::CountPer(..)
        | ModifierKind::Past(_) => false,
    }
}
