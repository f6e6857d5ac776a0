//! Operands, literals and names.

use super::condition::error_operand;
use super::time::number_word;
use super::{Builder, single_spaced, unquote};
use crate::ast::{
    Aggregate, AggregateFunction, ArithmeticOp, DateLiteral, Duration, Expr, Literal, Name, Operand, OperandKind, Unit,
};
use crate::diag::{Code, Diagnostic};
use crate::grammar::Rule;
use crate::limits::ARITHMETIC_TERMS_MAX;
use crate::source::Span;
use pest::iterators::Pair;

impl Builder<'_> {
    /// Factors joined by arithmetic; times and divided bind tighter.
    pub(super) fn operand(&mut self, pair: Pair<'_, Rule>) -> Operand {
        let span = self.span(&pair);
        let mut sums: Vec<(ArithmeticOp, Operand)> = Vec::new();
        let mut op = ArithmeticOp::Plus;
        // Checked before anything is built: a chain becomes a tree as deep as
        // the chain is long.
        let n_factors = pair.clone().into_inner().filter(|p| p.as_rule() != Rule::arithmetic).count();
        if n_factors > ARITHMETIC_TERMS_MAX {
            return self.too_much_arithmetic(span);
        }
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::arithmetic => op = self.arithmetic_op(part),
                Rule::factor | Rule::measure_factor => {
                    let right = self.factor(part);
                    match op {
                        ArithmeticOp::Times | ArithmeticOp::DividedBy => match sums.pop() {
                            Some((before, left)) => sums.push((before, arithmetic(op, left, right))),
                            None => sums.push((op, right)),
                        },
                        _ => sums.push((op, right)),
                    }
                }
                _ => {}
            }
        }
        let is_arithmetic =
            sums.len() > 1 || matches!(sums.first(), Some((_, o)) if matches!(o.kind, OperandKind::Arithmetic(..)));
        if is_arithmetic {
            for (_, operand) in &mut sums {
                self.unwrap_brackets(operand);
            }
        }
        let mut sums = sums.into_iter();
        let Some((_, first)) = sums.next() else { return error_operand(span) };
        let whole = sums.fold(first, |left, (op, right)| arithmetic(op, left, right));
        if terms(&whole) > ARITHMETIC_TERMS_MAX { self.too_much_arithmetic(span) } else { whole }
    }

    fn too_much_arithmetic(&mut self, span: Span) -> Operand {
        self.report(
            Diagnostic::new(Code::TooMuchArithmetic, span, "too many values in one calculation")
                .label(format!("at most {ARITHMETIC_TERMS_MAX} values"))
                .help("have the data deliver the result as an attribute or a property"),
        );
        error_operand(span)
    }

    /// Brackets inside arithmetic hold one operand, not a condition.
    fn unwrap_brackets(&mut self, operand: &mut Operand) {
        let span = operand.span;
        match &mut operand.kind {
            OperandKind::Arithmetic(_, left, right) => {
                self.unwrap_brackets(left);
                self.unwrap_brackets(right);
            }
            OperandKind::Bracketed(inner) => {
                let replacement = match inner.as_operand() {
                    Some(inner) => inner.kind,
                    None => {
                        if !matches!(inner.as_ref(), Expr::Error(_)) {
                            self.report(
                                Diagnostic::new(Code::BadArithmetic, span, "a condition is not a number")
                                    .label("true or false, so nothing to calculate with")
                                    .help("calculate with attributes, properties or totals"),
                            );
                        }
                        OperandKind::Error
                    }
                };
                operand.kind = replacement;
                // Brackets may stand in brackets.
                self.unwrap_brackets(operand);
            }
            _ => {}
        }
    }

    fn arithmetic_op(&mut self, pair: Pair<'_, Rule>) -> ArithmeticOp {
        let Some(inner) = pair.into_inner().next() else { return ArithmeticOp::Plus };
        match inner.as_rule() {
            Rule::kw_plus | Rule::plus_sign => ArithmeticOp::Plus,
            Rule::kw_times | Rule::times_sign => ArithmeticOp::Times,
            Rule::kw_divided | Rule::divide_sign => ArithmeticOp::DividedBy,
            Rule::minus_sign => {
                self.check_minus(self.span(&inner));
                ArithmeticOp::Minus
            }
            _ => ArithmeticOp::Minus,
        }
    }

    /// `price is 5-3` could be a name or a range elsewhere: subtraction has a
    /// space on both sides.
    fn check_minus(&mut self, span: Span) {
        let at = (span.start - self.base) as usize;
        let spaced_before = self.text.get(..at).is_some_and(|t| t.ends_with(char::is_whitespace));
        let spaced_after = self.text.get(at + 1..).is_some_and(|t| t.starts_with(char::is_whitespace));
        if !(spaced_before && spaced_after) {
            self.report(
                Diagnostic::new(Code::MinusNeedsSpaces, span, "a minus needs a space on both sides")
                    .label("subtraction, a range, or part of a name?")
                    .fix(span, " - ", "for subtraction write ` - ` with spaces, or `minus`")
                    .note("for a range write `to`: `30 to 45 days`"),
            );
        }
    }

    /// One value: the inside of `factor`, `measure_factor`, `bound_value`.
    pub(super) fn factor(&mut self, pair: Pair<'_, Rule>) -> Operand {
        let span = self.span(&pair);
        let mut their = false;
        for part in pair.into_inner() {
            let at = self.span(&part);
            let kind = match part.as_rule() {
                Rule::kw_their => {
                    their = true;
                    continue;
                }
                Rule::literal => OperandKind::Literal(self.literal(part)),
                Rule::group => OperandKind::Bracketed(Box::new(self.expression_in(part))),
                Rule::listing => OperandKind::Bracketed(Box::new(self.listing(part))),
                Rule::aggregate => OperandKind::Aggregate(Box::new(self.aggregate(part))),
                Rule::fraction => return self.fraction(part),
                Rule::usual_gap => {
                    let event = part.into_inner().find(|p| p.as_rule() == Rule::event_ref);
                    OperandKind::UsualGap(event.map(|e| Box::new(self.event_ref(e))))
                }
                Rule::elapsed | Rule::anniversary => {
                    let is_elapsed = part.as_rule() == Rule::elapsed;
                    let Some(name) = part.into_inner().find(|p| p.as_rule() == Rule::name) else { continue };
                    let name = self.name(name, false);
                    if is_elapsed { OperandKind::Elapsed(name) } else { OperandKind::Anniversary(name) }
                }
                Rule::measure => return Operand { span: at, ..self.operand(part) },
                Rule::name | Rule::of_name => {
                    let name = self.name(part, their);
                    return Operand { span: name.span, kind: OperandKind::Name(name) };
                }
                _ => continue,
            };
            return Operand { kind, span: at };
        }
        error_operand(span)
    }

    /// `half of …`, `20% of …`: a value times or divided by a number.
    fn fraction(&mut self, pair: Pair<'_, Rule>) -> Operand {
        let span = self.span(&pair);
        let (mut op, mut digits, mut of, mut at) = (ArithmeticOp::Times, "0.5".to_owned(), error_operand(span), span);
        for part in pair.into_inner() {
            let here = self.span(&part);
            match part.as_rule() {
                Rule::kw_twice | Rule::kw_double => (digits, at) = ("2".to_owned(), here),
                Rule::kw_third => (op, digits, at) = (ArithmeticOp::DividedBy, "3".to_owned(), here),
                Rule::kw_quarter => (digits, at) = ("0.25".to_owned(), here),
                Rule::number => (digits, at) = (hundredth(&part.as_str().replace('_', "")), here),
                Rule::fraction_of => of = self.factor(part),
                _ => {}
            }
        }
        self.unwrap_brackets(&mut of);
        let number = Operand { kind: OperandKind::Literal(Literal::Number(digits)), span: at };
        Operand { kind: OperandKind::Arithmetic(op, Box::new(of), Box::new(number)), span }
    }

    pub(super) fn name(&mut self, pair: Pair<'_, Rule>, their: bool) -> Name {
        let span = self.span(&pair);
        let raw = pair.as_str();
        let inner = pair.clone().into_inner().next();
        if let Some(ended) = inner.filter(|p| p.as_rule() == Rule::ended_name) {
            // Quotes say where the event's name begins; what `last` means is the
            // same with and without them.
            let words = ended.into_inner().map(|part| match part.as_rule() {
                Rule::text => unquote(part.as_str()),
                _ => single_spaced(part.as_str()),
            });
            let text = words.collect::<Vec<_>>().join(" ");
            return Name { text, is_quoted: false, their, span };
        }
        let is_quoted = raw.starts_with('"');
        let text = if is_quoted { unquote(raw.trim_end()) } else { single_spaced(raw) };
        Name { text, is_quoted, their, span }
    }

    fn aggregate(&mut self, pair: Pair<'_, Rule>) -> Aggregate {
        let span = self.span(&pair);
        let words = self.all_words(span);
        let mut function = AggregateFunction::Total;
        let mut measure = None;
        let mut event = error_operand(span);
        let mut parts: Vec<Pair<'_, Rule>> = pair.into_inner().collect();
        if let [only] = parts.as_slice()
            && only.as_rule() == Rule::number_of
        {
            function = AggregateFunction::Count;
            parts = only.clone().into_inner().collect();
        }
        for part in parts {
            match part.as_rule() {
                Rule::kw_average => function = AggregateFunction::Average,
                Rule::kw_smallest => function = AggregateFunction::Smallest,
                Rule::kw_largest => function = AggregateFunction::Largest,
                Rule::kw_frequent => function = AggregateFunction::MostFrequent,
                Rule::different => function = AggregateFunction::CountDifferent,
                Rule::measure => measure = Some(self.operand(part)),
                Rule::event_ref => event = self.event_ref(part),
                _ => {}
            }
        }
        let as_name = Name { text: words, is_quoted: false, their: false, span };
        Aggregate { function, measure, event, modifiers: Vec::new(), as_name }
    }

    pub(super) fn literal(&mut self, pair: Pair<'_, Rule>) -> Literal {
        let Some(inner) = pair.into_inner().next() else { return Literal::Boolean(false) };
        match inner.as_rule() {
            Rule::text => Literal::Text(unquote(inner.as_str())),
            Rule::boolean => {
                let is_true = inner.into_inner().any(|w| matches!(w.as_rule(), Rule::kw_true | Rule::kw_yes));
                Literal::Boolean(is_true)
            }
            Rule::date => Literal::Date(date(inner)),
            Rule::length_of_time => {
                let span = self.span(&inner);
                self.length(inner)
                    .map_or(Literal::Duration(Duration { count: 0, unit: Unit::Day, span }), Literal::Duration)
            }
            _ => amount(inner),
        }
    }

    pub(super) fn date_operand(&mut self, pair: Pair<'_, Rule>) -> Operand {
        let span = self.span(&pair);
        Operand { kind: OperandKind::Literal(Literal::Date(date(pair))), span }
    }
}

pub(super) fn amount(pair: Pair<'_, Rule>) -> Literal {
    let mut digits = String::new();
    let mut literal = None;
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::number => digits = part.as_str().replace('_', ""),
            Rule::number_word => digits = number_word(part.as_str()).to_string(),
            Rule::percent => literal = Some(Literal::Percent(digits.clone())),
            Rule::currency => {
                literal = Some(Literal::Amount { digits: digits.clone(), currency: part.as_str().to_owned() });
            }
            _ => {}
        }
    }
    literal.unwrap_or(Literal::Number(digits))
}

fn date(pair: Pair<'_, Rule>) -> DateLiteral {
    let mut literal = DateLiteral { day: String::new(), clock: None };
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::day_date => literal.day = part.as_str().to_owned(),
            Rule::clock => literal.clock = Some(part.as_str().to_owned()),
            Rule::instant => {
                if let Some((day, clock)) = part.as_str().split_once('T') {
                    literal = DateLiteral { day: day.to_owned(), clock: Some(clock.to_owned()) };
                }
            }
            _ => {}
        }
    }
    literal
}

/// Decimal digits divided by a hundred.
fn hundredth(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let padded = format!("{whole:0>3}");
    let (whole, cents) = padded.split_at(padded.len() - 2);
    format!("{sign}{whole}.{cents}{fraction}")
}

/// How many values a calculation joins.
fn terms(operand: &Operand) -> usize {
    match &operand.kind {
        OperandKind::Arithmetic(_, left, right) => terms(left) + terms(right),
        _ => 1,
    }
}

fn arithmetic(op: ArithmeticOp, left: Operand, right: Operand) -> Operand {
    let span = left.span.to(right.span);
    Operand { kind: OperandKind::Arithmetic(op, Box::new(left), Box::new(right)), span }
}
