//! What is said of several events, of parts of the calendar, of samples and
//! places: modifiers and heads that stand on their own.

use super::Builder;
use super::condition::error_operand;
use super::since::before_window;
use super::time::unit_of;
use crate::ast::{
    Between, DistanceUnit, Expr, Followed, Group, GroupForm, LiteralAt, Modifier, ModifierKind, Near, Operand,
    OperandKind, Periods, Quantifier, Recurring, Sample, Unit, Use, Within, WithinOf,
};
use crate::diag::{Code, Diagnostic};
use crate::grammar::Rule;
use crate::source::Span;
use pest::iterators::Pair;

impl Builder<'_> {
    /// `then Added to Cart`; a step that must not happen is said otherwise. Behind
    /// `directly` nothing at all happened in between.
    pub(super) fn then_modifier(&mut self, pair: Pair<'_, Rule>) -> Vec<Modifier> {
        let first = pair.clone().into_inner().find(|p| p.as_rule() != Rule::comma);
        let span = Span { start: first.map_or(self.span(&pair), |p| self.span(&p)).start, ..self.span(&pair) };
        let mut event = error_operand(span);
        let (mut negative, mut directly) = (None, None);
        for part in pair.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::step_prefix => {
                    let word = part.into_inner().next().map(|p| p.as_rule());
                    if matches!(word, Some(Rule::kw_not | Rule::kw_never | Rule::kw_no)) {
                        negative = Some(at);
                    }
                }
                Rule::kw_directly => directly = Some(at),
                Rule::event_ref => event = self.event_ref(part),
                _ => {}
            }
        }
        if let Some(at) = negative {
            let name = self.words(event.span);
            self.report(
                Diagnostic::new(Code::MisplacedWords, at, "a step that must not happen is not a step")
                    .label("a negative inside a sequence")
                    .note(format!("for what must not come after: `not followed by {name} within …`"))
                    .help("for no such sequence at all: put the negative before its first step"),
            );
            return Vec::new();
        }
        let then = Modifier { kind: ModifierKind::Then(event), span };
        let nothing = directly.map(|span| {
            let event = Operand { kind: OperandKind::Anything, span };
            Modifier { kind: ModifierKind::NoneBetween(Between { event, filter: None }), span }
        });
        std::iter::once(then).chain(nothing).collect()
    }

    /// `not followed by Order Completed`
    pub(super) fn followed_modifier(&mut self, pair: Pair<'_, Rule>) -> ModifierKind {
        let mut followed =
            Followed { not: false, is_before: false, is_since: false, event: error_operand(self.span(&pair)) };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_not => followed.not = true,
                Rule::kw_preceded => followed.is_before = true,
                Rule::event_ref => followed.event = self.event_ref(part),
                _ => {}
            }
        }
        ModifierKind::Followed(followed)
    }

    /// `with no Order Completed since`: what did not follow. Without `since` it
    /// could be said of the person as well.
    pub(super) fn with_no(&mut self, pair: Pair<'_, Rule>) -> Vec<Modifier> {
        let mut span = self.span(&pair);
        let mut event = error_operand(span);
        let mut modifiers = Vec::new();
        // Where the event before has no window of its own, this one may be that.
        let window = pair.clone().into_inner().find(|p| p.as_rule() == Rule::window);
        if let (Some(window), Some(before)) = (&window, before_window(&pair)) {
            span.end = self.span(&before).end;
            let (at, kind) = (self.span(window), self.window(window.clone()));
            modifiers.extend(kind.map(|kind| Modifier { kind: ModifierKind::Window(kind), span: at }));
        }
        let words = self.words(span);
        let (mut says_since, mut says_between) = (false, false);
        for part in pair.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::event_ref => event = self.event_ref(part),
                Rule::where_modifier => modifiers.extend(self.where_modifier(part)),
                Rule::with_modifier => {
                    modifiers.push(Modifier { kind: ModifierKind::Where(self.property_test(part)), span: at })
                }
                Rule::same_modifier => {
                    let name = part.into_inner().find(|p| p.as_rule() == Rule::of_name);
                    let name = name.map(|name| self.name(name, false));
                    modifiers.extend(name.map(|name| Modifier { kind: ModifierKind::Same(name), span: at }));
                }
                Rule::since_then => says_since = true,
                Rule::in_between => says_between = true,
                _ => {}
            }
        }
        if says_between {
            return self.none_between(event, modifiers, span);
        }
        if !says_since {
            self.report(
                Diagnostic::new(
                    Code::MisplacedWords,
                    span,
                    format!("`{words}` could be said of the event or of the person"),
                )
                .label("no such event at all, or none since?")
                .fix(span, format!("{words} since"), format!("for what did not follow the event: `{words} since`"))
                .fix(
                    span,
                    format!("{words} in between"),
                    format!("for what did not come between two steps: `{words} in between`"),
                )
                .note(format!("for a condition of its own: `and {words} …`")),
            );
            return modifiers.into_iter().filter(|t| matches!(t.kind, ModifierKind::Window(_))).collect();
        }
        let followed = Followed { not: true, is_before: false, is_since: true, event };
        modifiers.insert(0, Modifier { kind: ModifierKind::Followed(followed), span });
        modifiers
    }

    /// `with no Order Completed in between`
    fn none_between(&mut self, event: Operand, mut modifiers: Vec<Modifier>, span: Span) -> Vec<Modifier> {
        if let Some(same) = modifiers.iter().find(|t| matches!(t.kind, ModifierKind::Same(_))) {
            let words = self.words(same.span);
            self.report(
                Diagnostic::new(Code::MisplacedWords, same.span, format!("`{words}` does not fit here"))
                    .label("said of what is not in between")
                    .help("leave it out, or say it behind the steps, of all of them"),
            );
            return Vec::new();
        }
        let filter = modifiers.pop().map(Box::new);
        vec![Modifier { kind: ModifierKind::NoneBetween(Between { event, filter }), span }]
    }

    /// `within 2 hours`, `all within 24 hours`, `within any 24 hours`
    pub(super) fn within_modifier(&mut self, pair: Pair<'_, Rule>) -> Option<ModifierKind> {
        let mut of = if pair.as_rule() == Rule::any_within { WithinOf::Any } else { WithinOf::Step };
        let mut length = None;
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::kw_all => of = WithinOf::All,
                Rule::kw_each => of = WithinOf::Each,
                Rule::length => length = Some(self.length(part)?),
                Rule::unit => length = Some(self.checked_duration(1, unit_of(&part), span)?),
                _ => {}
            }
        }
        Some(ModifierKind::Within(Within { of, length: length? }))
    }

    /// `in at least 3 of the past 5 weeks`
    pub(super) fn regular(&mut self, pair: Pair<'_, Rule>) -> Option<ModifierKind> {
        let mut quantity = None;
        let mut periods = None;
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::quantity => quantity = Some(self.quantity(part)?),
                Rule::duration => {
                    let (mut count, mut unit, mut calendar) = (1, Unit::Week, None);
                    for piece in part.into_inner() {
                        match piece.as_rule() {
                            Rule::duration_count => count = self.count(piece)?,
                            Rule::unit => unit = unit_of(&piece),
                            Rule::day_kind => {
                                calendar = Some(piece.into_inner().any(|p| p.as_rule() == Rule::kw_full));
                            }
                            _ => {}
                        }
                    }
                    self.checked_duration(count, unit, span)?;
                    periods = Some(Periods { count, length: 1, unit, calendar, span });
                }
                Rule::periods_of => {
                    let (mut count, mut length) = (1, None);
                    for piece in part.into_inner() {
                        match piece.as_rule() {
                            Rule::count => count = self.count(piece)?,
                            Rule::length => length = Some(self.length(piece)?),
                            _ => {}
                        }
                    }
                    let length = length?;
                    self.checked_duration(count.saturating_mul(length.count), length.unit, span)?;
                    periods = Some(Periods { count, length: length.count, unit: length.unit, calendar: None, span });
                }
                _ => {}
            }
        }
        Some(ModifierKind::Regular(quantity, periods?))
    }

    /// `on a weekend`, `in December`, `between 18:00 and 23:00`
    pub(super) fn recurring(&mut self, pair: Pair<'_, Rule>) -> Option<Recurring> {
        let inner = match pair.as_rule() {
            Rule::days_named => pair,
            _ => pair
                .into_inner()
                .find(|p| matches!(p.as_rule(), Rule::days_named | Rule::months_named | Rule::hours))?,
        };
        let span = self.span(&inner);
        match inner.as_rule() {
            Rule::days_named => {
                let named = inner.into_inner().filter(|p| p.as_rule() == Rule::day_named);
                Some(Recurring::Days(
                    named.filter_map(|d| d.into_inner().next()).fold(0, |all, d| all | days(d.as_rule())),
                ))
            }
            Rule::months_named => {
                let named = inner.into_inner().filter(|p| p.as_rule() == Rule::month_named);
                let months = named.filter_map(|m| m.into_inner().next()).map(|m| 1 << (month_of(m.as_rule()) - 1));
                Some(Recurring::Months(months.fold(0, |all, m| all | m)))
            }
            _ => {
                let mut times = Vec::new();
                for time in inner.into_inner().filter(|p| p.as_rule() == Rule::time_of_day) {
                    let at = self.span(&time);
                    times.push(self.time_of_day(time.as_str(), at)?);
                }
                match times.as_slice() {
                    [from, to] if from == to => {
                        self.report(
                            Diagnostic::new(Code::EmptyRange, span, "nothing lies between a time of day and itself")
                                .label("begins where it ends")
                                .help("for the whole day leave it out"),
                        );
                        None
                    }
                    [from, to] => Some(Recurring::Hours(*from, *to)),
                    _ => None,
                }
            }
        }
    }

    fn time_of_day(&mut self, text: &str, span: Span) -> Option<u32> {
        let parts: Vec<u32> = text.trim().split(':').filter_map(|p| p.parse().ok()).collect();
        let seconds = match *parts.as_slice() {
            [h, m] if h < 24 && m < 60 || (h, m) == (24, 0) => Some(h * 3600 + m * 60),
            [h, m, s] if h < 24 && m < 60 && s < 60 => Some(h * 3600 + m * 60 + s),
            _ => None,
        };
        if seconds.is_none() {
            self.report(
                Diagnostic::new(Code::BadDate, span, format!("`{text}` is not a time of day"))
                    .label("hours go from 0 to 24, minutes and seconds from 0 to 59")
                    .help("write a time as `18:00` or `18:00:30`"),
            );
        }
        seconds
    }

    /// `any of products`
    pub(super) fn items_of(&mut self, pair: Pair<'_, Rule>) -> Operand {
        let span = self.span(&pair);
        let mut quantifier = Quantifier::Any;
        let mut name = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_all => quantifier = Quantifier::All,
                Rule::kw_none => quantifier = Quantifier::None,
                Rule::of_name => name = Some(self.name(part, false)),
                _ => {}
            }
        }
        match name {
            Some(name) => Operand { kind: OperandKind::Items(quantifier, name), span },
            None => error_operand(span),
        }
    }

    /// `any of lines with category "shoes"`, as `any of lines has (category is "shoes")`.
    pub(super) fn items_with(&mut self, pair: Pair<'_, Rule>) -> (Operand, Modifier) {
        let mut at = self.span(&pair);
        let mut said = Expr::Error(at);
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::kw_with => at = self.span(&part).to(self.span(&pair)),
                Rule::group => said = self.expression_in(part),
                Rule::item_test => said = self.property_test(part),
                _ => {}
            }
        }
        let name = pair.clone().into_inner().find(|p| p.as_rule() == Rule::of_name);
        let end = name.map_or(at.start, |name| self.span(&name).end);
        let list = self.items_of(pair);
        (Operand { span: Span { end, ..list.span }, ..list }, Modifier { kind: ModifierKind::Had(said), span: at })
    }

    /// `in at least 2 of "a", "b" and "c"`
    /// `in segments "a", "b" and "c"`: all of them, with `or` any.
    pub(super) fn in_each(&mut self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let span = self.span(&pair);
        let (mut members, mut quantifiers, mut titles) = (Vec::new(), Vec::new(), Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_and => quantifiers.push(Quantifier::All),
                Rule::kw_or => quantifiers.push(Quantifier::Any),
                Rule::text => {
                    titles.push(self.words(self.span(&part)));
                    members.push(Expr::InSegment(self.title(&part)));
                }
                _ => {}
            }
        }
        let first = quantifiers.first().copied();
        if let Some(quantifier) = first
            && quantifiers.iter().all(|other| *other == quantifier)
        {
            return Some(Expr::Group(Group { quantifier, members, form: GroupForm::List, span }));
        }
        let texts = |word: &str| format!("in {word} of {}", titles.join(", "));
        self.report(
            Diagnostic::new(Code::MixedAndOr, span, "in all of these segments, or in any of them?")
                .label("one word for all of them is needed")
                .offer(span, "for all", texts("all"))
                .offer(span, "for any", texts("any")),
        );
        None
    }

    pub(super) fn in_several(&mut self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let span = self.span(&pair);
        let mut quantifier = Quantifier::Any;
        let mut members = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_all => quantifier = Quantifier::All,
                Rule::kw_none => quantifier = Quantifier::None,
                Rule::quantity => {
                    let quantity = self.quantity(part)?;
                    quantifier = Quantifier::Cardinality { min: quantity.min, max: quantity.max };
                }
                Rule::text => members.push(Expr::InSegment(self.title(&part))),
                _ => {}
            }
        }
        if let Quantifier::Cardinality { min, .. } = quantifier
            && min > members.len() as u64
        {
            let n = members.len();
            self.report(
                Diagnostic::new(Code::EmptyRange, span, format!("nobody can be in {min} of {n} segments"))
                    .label(format!("there are {n}"))
                    .note(format!("for all of them: `in all of …`; for some: `in at least {n} of …` or fewer")),
            );
            return None;
        }
        Some(Expr::Group(Group { quantifier, members, form: GroupForm::List, span }))
    }

    /// `in a random 10% of people, by "winter-test"`
    pub(super) fn sample(&mut self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let span = self.span(&pair);
        let (mut is_other, mut percent, mut name) = (false, String::new(), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_other => is_other = true,
                Rule::number => percent = part.as_str().replace('_', ""),
                Rule::text => name = Some(self.title(&part)),
                _ => {}
            }
        }
        Some(Expr::Sample(Sample { percent, is_other, name: name?, span }))
    }

    /// `within 25 km of (51.5074, -0.1278)`
    pub(super) fn near(&mut self, pair: Pair<'_, Rule>) -> Near {
        let span = self.span(&pair);
        let mut numbers = Vec::new();
        let mut unit = DistanceUnit::Kilometers;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::number => numbers.push(part.as_str().replace('_', "")),
                Rule::distance_unit => {
                    unit = match part.into_inner().next().map(|p| p.as_rule()) {
                        Some(Rule::miles) => DistanceUnit::Miles,
                        Some(Rule::meters) => DistanceUnit::Meters,
                        _ => DistanceUnit::Kilometers,
                    }
                }
                _ => {}
            }
        }
        let mut numbers = numbers.into_iter();
        let mut next = || numbers.next().unwrap_or_default();
        let (distance, latitude, longitude) = (next(), next(), next());
        Near { distance, unit, latitude, longitude, span }
    }

    /// `"bought in" (30 days)`
    pub(super) fn use_with_values(&mut self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let span = self.span(&pair);
        let mut name = None;
        let mut values = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::text => name = Some(self.title(&part)),
                Rule::argument => {
                    let at = self.span(&part);
                    let inner = part.into_inner().next()?;
                    let literal = match inner.as_rule() {
                        Rule::length => crate::ast::Literal::Duration(self.length(inner)?),
                        _ => self.literal(inner),
                    };
                    values.push(LiteralAt { literal, span: at });
                }
                _ => {}
            }
        }
        Some(Expr::Use(Use { name: name?, values, span }))
    }
}

/// The days of a word, Monday in bit 0.
fn days(rule: Rule) -> u8 {
    match rule {
        Rule::monday => 1,
        Rule::tuesday => 1 << 1,
        Rule::wednesday => 1 << 2,
        Rule::thursday => 1 << 3,
        Rule::friday => 1 << 4,
        Rule::saturday => 1 << 5,
        Rule::sunday => 1 << 6,
        Rule::weekend => 0b110_0000,
        _ => 0b001_1111,
    }
}

/// A month by its number in the year, from 1.
pub(super) fn month_of(rule: Rule) -> u16 {
    const MONTHS: [Rule; 12] = [
        Rule::january,
        Rule::february,
        Rule::march,
        Rule::april,
        Rule::may,
        Rule::june,
        Rule::july,
        Rule::august,
        Rule::september,
        Rule::october,
        Rule::november,
        Rule::december,
    ];
    MONTHS.iter().position(|m| *m == rule).map_or(1, |n| n as u16 + 1)
}
