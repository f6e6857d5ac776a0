//! Values over events that are compared: which of two the words behind them
//! belong to.

use crate::lower::{Lower, Scope};
use seg_data::EventId;
use seg_data::schema::{Target, fold_name};
use seg_syntax::ast::{
    self, AggregateFunction, Condition, Modifier, ModifierKind, Name, Operand, OperandKind, Relation,
};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::names::display;

/// The words for what is made of a property, before its name: `average order value`.
const BEFORE_PROPERTY: [(&str, AggregateFunction); 4] = [
    ("total ", AggregateFunction::Total),
    ("average ", AggregateFunction::Average),
    ("smallest ", AggregateFunction::Smallest),
    ("largest ", AggregateFunction::Largest),
];

impl Lower<'_> {
    /// `average order value` as `average amount of Order Completed`, where `order value` is a
    /// property of one event alone, or `order` an event with a property `value`, and nothing
    /// has the whole name. Of several, none is meant, which is reported.
    pub(in crate::lower) fn aggregate_in_words(&mut self, name: &Name, scope: Scope<'_>) -> Option<ast::Aggregate> {
        if name.is_quoted {
            return None;
        }
        // Most names begin with no such word, and nothing is made of them.
        let begins = |word: &str| name.text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        let (word, function) = BEFORE_PROPERTY.iter().find(|(word, _)| begins(word))?;
        let folded = fold_name(name.text.get(word.len()..)?);
        let (rest, function) = (folded.as_str(), *function);
        if self.try_resolve(name, scope).is_some() {
            return None;
        }
        let found = self.properties_called(rest);
        let at = |text: String| Operand {
            span: name.span,
            kind: OperandKind::Name(Name { text, is_quoted: true, their: false, span: name.span }),
        };
        match found.as_slice() {
            [] => None,
            [(property, event)] => Some(ast::Aggregate {
                function,
                measure: Some(at(property.clone())),
                event: at(event.clone()),
                modifiers: Vec::new(),
                as_name: name.clone(),
            }),
            several => {
                let word = self.words(name.span).split(' ').next().unwrap_or("").to_owned();
                let diagnostic =
                    Diagnostic::new(Code::AmbiguousName, name.span, format!("`{}` of which events?", name.text))
                        .label("several events have such a property");
                let offered = several.iter().take(3).map(|(property, event)| {
                    let right = format!("{word} {} of {}", display(property), display(event));
                    (right.clone(), format!("for one of them: `{right}`"))
                });
                let diagnostic = offered.fold(diagnostic, |d, (right, title)| d.fix(name.span, right, title));
                self.report(diagnostic);
                Some(ast::Aggregate {
                    function,
                    measure: None,
                    event: Operand { span: name.span, kind: OperandKind::Error },
                    modifiers: Vec::new(),
                    as_name: name.clone(),
                })
            }
        }
    }

    /// The properties of that name, and those whose name stands behind that of their event:
    /// each with its event.
    fn properties_called(&self, words: &str) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = Vec::new();
        let mut add = |event: EventId, name: &str| {
            let Some(event) = self.schema.event(event) else { return };
            let property = event.property(name).and_then(|id| event.properties.get(id.idx()));
            let pair = property.map(|property| (property.name.clone(), event.name.clone()));
            found.extend(pair.filter(|pair| !found.contains(pair)));
        };
        for event in self.all_events() {
            add(event, words);
        }
        for (at, _) in words.match_indices(' ') {
            let Some((event, property)) = words.split_at_checked(at) else { continue };
            if let [Target::Event(event)] = self.schema.lookup(event) {
                add(*event, property.trim_start());
            }
        }
        found
    }

    /// `where amount is more than average amount of E in the past 30 days`: whose
    /// window? Reported.
    pub(in crate::lower) fn window_of_aggregate(&mut self, c: &Condition) -> bool {
        let at = c.modifiers.iter().position(compares_in_filter);
        let (Some(filter), Some(window)) =
            (at.and_then(|at| c.modifiers.get(at)), at.and_then(|at| c.modifiers.get(at + 1)))
        else {
            return false;
        };
        if !matches!(window.kind, ModifierKind::Window(_)) {
            return false;
        }
        let (event, words, said) = (self.words(c.subject.span), self.words(window.span), self.words(filter.span));
        self.report(
            Diagnostic::new(
                Code::TailAfterComparison,
                window.span,
                format!("is `{words}` said of the value before it, or of `{event}`?"),
            )
            .label("stands behind both")
            .also(filter.span, "this compares with a value over events")
            .help(format!("for the value: `{}`", bracketed(&said, &words)))
            .help(format!("for the event, put it first: `{event} {words} {said}`")),
        );
        true
    }
}

/// `where amount is more than average amount of E`, without brackets.
fn compares_in_filter(modifier: &Modifier) -> bool {
    let ModifierKind::Where(ast::Expr::Condition(c)) = &modifier.kind else { return false };
    c.modifiers.last().is_some_and(compares_with_aggregate)
}

/// Two values over events that are compared, each with its own window: what
/// stands after the second belongs to it where the first has a window already,
/// as in `number of A in the past 7 days is less than number of A last month`.
pub(in crate::lower) fn compared_aggregates(before: &[Modifier], from: &[Modifier]) -> Vec<Modifier> {
    let Some((Modifier { kind: ModifierKind::Comparison(comparison), span }, after)) = from.split_first() else {
        return from.to_vec();
    };
    let is_window = |t: &Modifier| matches!(t.kind, ModifierKind::Window(_));
    let fits = after.iter().all(|t| is_window(t) || matches!(t.kind, ModifierKind::Where(_)));
    let is_clear = before.iter().any(is_window) || !after.iter().any(is_window);
    let mut comparison = comparison.clone();
    if after.is_empty() || !fits || !is_clear {
        return from.to_vec();
    }
    let Relation::Order(_, right) = &mut comparison.relation else { return from.to_vec() };
    let Some(aggregate) = aggregate_in(right) else { return from.to_vec() };
    aggregate.modifiers.extend(after.iter().cloned());
    let end = after.last().map_or(*span, |t| t.span);
    vec![Modifier { kind: ModifierKind::Comparison(comparison), span: span.to(end) }]
}

/// The one value over events in an operand, where nothing was said of its events.
fn aggregate_in(operand: &mut Operand) -> Option<&mut ast::Aggregate> {
    match &mut operand.kind {
        OperandKind::Aggregate(aggregate) if aggregate.modifiers.is_empty() => Some(aggregate),
        OperandKind::Arithmetic(_, left, right) => match (&left.kind, &right.kind) {
            (_, OperandKind::Literal(_)) => aggregate_in(left),
            (OperandKind::Literal(_), _) => aggregate_in(right),
            _ => None,
        },
        _ => None,
    }
}

/// `is more than average amount of Order Completed`
pub(in crate::lower) fn compares_with_aggregate(modifier: &Modifier) -> bool {
    let ModifierKind::Comparison(comparison) = &modifier.kind else { return false };
    matches!(&comparison.relation, Relation::Order(_, Operand { kind: OperandKind::Aggregate(_), .. }))
}

/// `is more than average amount of X` and a window as `is more than (average
/// amount of X in the past 30 days)`.
pub(in crate::lower) fn bracketed(comparison: &str, window: &str) -> String {
    const STARTS: &[&str] = &["total ", "average ", "smallest ", "largest ", "number of "];
    match STARTS.iter().filter_map(|s| comparison.find(s)).min().and_then(|at| comparison.split_at_checked(at)) {
        Some((before, aggregate)) => format!("{before}({aggregate} {window})"),
        None => format!("({comparison} {window})"),
    }
}
