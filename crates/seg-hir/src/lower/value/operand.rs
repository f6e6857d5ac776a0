//! Operands to typed expressions.

use crate::hir::{Aggregate, ArithmeticOp, Expr, ExprKind, Query};
use crate::lower::names::resolve::{Speaks, Subject};
use crate::lower::{Lower, Scope};
use crate::names::suggestion;
use seg_data::money::MoneyError;
use seg_data::{EventId, Money, PropertyId, Type, Value};
use seg_syntax::ast::{self, AggregateFunction, Literal, Modifier, Operand, OperandKind};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

/// Whether a word says in other languages that there is no value.
fn is_no_value(word: &str) -> bool {
    ["null", "nil", "undefined", "unset", "blank"].iter().any(|other| word.eq_ignore_ascii_case(other))
}

impl Lower<'_> {
    /// A value; something that has none is reported. `hint` is the type of
    /// what it meets, which decides what a literal number is.
    pub(in crate::lower) fn value(&mut self, operand: &Operand, scope: Scope<'_>, hint: Option<&Type>) -> Expr {
        if let OperandKind::Name(name) = &operand.kind
            && let Some(aggregate) = self.aggregate_in_words(name, scope)
        {
            return self.aggregate(&aggregate, &[], scope, operand.span);
        }
        match &operand.kind {
            OperandKind::Name(name) if self.parameter(name).is_some() => {
                let value = self.parameter(name).map(|at| at.literal.clone());
                value.map_or_else(Expr::error, |literal| self.literal(&literal, operand.span, scope, hint))
            }
            OperandKind::Name(name) if is_no_value(&name.text) && self.try_resolve(name, scope).is_none() => {
                let title = "a value that is not there is `missing`".to_owned();
                let diagnostic = self.not_known(name).fix(operand.span, "missing", title);
                self.report(diagnostic);
                Expr::error()
            }
            OperandKind::Name(name) if hint == Some(&Type::Text) && self.try_resolve(name, scope).is_none() => {
                let text = format!("\"{}\"", name.text);
                let title = format!("write the text in quotes: `{text}`");
                let diagnostic = self.not_known(name);
                let state = suggestion(&name.text, ["known", "missing", "unknown", "set"]);
                let diagnostic = match state {
                    Some(state) => diagnostic.fix(operand.span, state, format!("did you mean `{state}`?")),
                    None => diagnostic.fix(operand.span, text, title),
                };
                self.report(diagnostic);
                Expr::error()
            }
            OperandKind::Name(name) => match self.resolve_as(name, scope, Speaks::Values) {
                Subject::Value(expr) => expr,
                Subject::Error => Expr::error(),
                Subject::Ends(end, events)
                    if matches!(scope, Scope::Person) && matches!(hint, Some(Type::Timestamp | Type::Date)) =>
                {
                    self.end_time(end, events)
                }
                Subject::Events(_) | Subject::Ends(..) => self.event_as_value(operand.span),
            },
            OperandKind::Literal(literal) => self.literal(literal, operand.span, scope, hint),
            OperandKind::Arithmetic(op, left, right) => self.arithmetic(*op, left, right, operand.span, scope),
            OperandKind::Aggregate(aggregate) => self.aggregate(aggregate, &[], scope, operand.span),
            OperandKind::Events(_) | OperandKind::Anything | OperandKind::FirstOrLastN(_) => {
                self.event_as_value(operand.span)
            }
            OperandKind::UsualGap(event) => self.usual_gap(event.as_deref(), &[], operand.span),
            OperandKind::Elapsed(name) => self.elapsed(name),
            OperandKind::Items(..) | OperandKind::Anniversary(_) => {
                let words = self.words(operand.span);
                self.report(
                    Diagnostic::new(
                        Code::BadArithmetic,
                        operand.span,
                        format!("`{words}` is no value to compare with"),
                    )
                    .label("stands at the wrong place")
                    .note("put it first: `anniversary of … is …`, `any of … has (…)`"),
                );
                Expr::error()
            }
            OperandKind::Bracketed(inner) => match inner.as_operand() {
                Some(inner) => self.value(&inner, scope, hint),
                None => {
                    if !matches!(inner.as_ref(), ast::Expr::Error(_)) {
                        self.report(
                            Diagnostic::new(Code::BadArithmetic, operand.span, "a condition is not a value")
                                .label("true or false, so nothing to compare or calculate with")
                                .help("compare attributes, properties or totals"),
                        );
                    }
                    Expr::error()
                }
            },
            OperandKind::Error => Expr::error(),
        }
    }

    fn event_as_value(&mut self, span: Span) -> Expr {
        let words = self.words(span);
        self.report(
            Diagnostic::new(Code::OperatorNeedsType, span, format!("`{words}` is an event and has no value"))
                .label("a value is needed here")
                .fix(span, format!("number of {words}"), format!("for how often it happened: `number of {words}`")),
        );
        Expr::error()
    }

    pub(crate) fn literal(&mut self, literal: &Literal, span: Span, scope: Scope<'_>, hint: Option<&Type>) -> Expr {
        match literal {
            Literal::Text(text) => {
                // A text may be a quoted name where a text makes no sense.
                if hint.is_some_and(|ty| *ty != Type::Text) {
                    let name = ast::Name { text: text.clone(), is_quoted: true, their: false, span };
                    if let Some(Subject::Value(expr)) = self.try_resolve(&name, scope) {
                        return expr;
                    }
                }
                Expr::literal(Value::Text(text.clone()), Type::Text)
            }
            Literal::Boolean(value) => Expr::literal(Value::Boolean(*value), Type::Boolean),
            Literal::Number(digits) => self.number(digits, span, hint),
            Literal::Percent(digits) => match digits.parse::<f64>().ok().and_then(|n| Value::number(n / 100.0)) {
                Some(value) => Expr::literal(value, Type::Number),
                None => self.out_of_range(span, "it does not fit a number"),
            },
            Literal::Amount { digits, currency } => self.amount(digits, currency, span),
            Literal::Date(date) => self.date_literal(date, span),
            Literal::Duration(length) => match self.fixed(length) {
                Some(micros) => Expr::literal(Value::Integer(micros.into()), Type::Duration),
                None => Expr::error(),
            },
        }
    }

    fn number(&mut self, digits: &str, span: Span, hint: Option<&Type>) -> Expr {
        if hint == Some(&Type::Money) {
            return self.money(digits, span);
        }
        if !digits.contains('.') && hint != Some(&Type::Number) {
            return match digits.parse::<i64>() {
                Ok(n) => Expr::literal(Value::Integer(n.into()), Type::Integer),
                Err(_) => self.out_of_range(span, "integers reach to 9_223_372_036_854_775_807"),
            };
        }
        match digits.parse::<f64>().ok().and_then(Value::number) {
            Some(value) => Expr::literal(value, Type::Number),
            None => self.out_of_range(span, "it does not fit a number"),
        }
    }

    fn money(&mut self, digits: &str, span: Span) -> Expr {
        match Money::parse(digits) {
            Ok(money) => Expr::literal(money.into(), Type::Money),
            Err(MoneyError::TooFine) => self.out_of_range(span, "money has at most four places after the point"),
            Err(_) => self.out_of_range(span, "money reaches to 922_337_203_685_477.5807"),
        }
    }

    fn out_of_range(&mut self, span: Span, why: &str) -> Expr {
        let words = self.words(span);
        self.report(
            Diagnostic::new(Code::NumberOutOfRange, span, format!("`{words}` is out of range"))
                .label(why)
                .help("write a smaller or a rounder number"),
        );
        Expr::error()
    }

    fn amount(&mut self, digits: &str, currency: &str, span: Span) -> Expr {
        match &self.schema.currency {
            Some(declared) if declared == currency => self.money(digits, span),
            declared => {
                let help = match declared {
                    Some(declared) => {
                        format!("amounts are in {declared}: write `{digits} {declared}` or just `{digits}`")
                    }
                    None => format!(
                        "the schema declares no currency: write `{digits}`, or declare `currency = \"{currency}\"`"
                    ),
                };
                self.report(
                    Diagnostic::new(Code::WrongCurrency, span, format!("`{digits} {currency}` is in another currency"))
                        .label("nothing is converted")
                        .help(help),
                );
                Expr::error()
            }
        }
    }

    fn arithmetic(
        &mut self,
        op: ast::ArithmeticOp,
        left: &Operand,
        right: &Operand,
        span: Span,
        scope: Scope<'_>,
    ) -> Expr {
        let op = match op {
            ast::ArithmeticOp::Plus => ArithmeticOp::Add,
            ast::ArithmeticOp::Minus => ArithmeticOp::Subtract,
            ast::ArithmeticOp::Times => ArithmeticOp::Multiply,
            ast::ArithmeticOp::DividedBy => ArithmeticOp::Divide,
        };
        let is_sum = matches!(op, ArithmeticOp::Add | ArithmeticOp::Subtract);
        // The side that is not a literal says what a literal is.
        let (l, r) = if as_digits(left).is_some() {
            let r = self.value(right, scope, None);
            let hint = (is_sum || !r.ty.is_numeric()).then(|| r.ty.clone());
            (self.value(left, scope, hint.as_ref()), r)
        } else {
            let l = self.value(left, scope, None);
            let hint = is_sum.then(|| l.ty.clone());
            let r = self.value(right, scope, hint.as_ref());
            (l, r)
        };
        if l.is_error() || r.is_error() {
            return Expr::error();
        }
        if matches!(l.ty, Type::Money | Type::Duration)
            && !is_sum
            && let Some(digits) = as_digits(right)
        {
            return self.scale(l, digits, op, right.span);
        }
        if matches!(r.ty, Type::Money | Type::Duration)
            && op == ArithmeticOp::Multiply
            && let Some(digits) = as_digits(left)
        {
            return self.scale(r, digits, op, left.span);
        }
        match combined(op, &l.ty, &r.ty) {
            Some(ty) => {
                let operand_ty = match is_sum {
                    true => ty.clone(),
                    false => wider(&l.ty, &r.ty),
                };
                let may_be_missing = l.may_be_missing || r.may_be_missing || op == ArithmeticOp::Divide;
                let (l, r) = match (op, &l.ty, &r.ty) {
                    // Money meets plain numbers as they are.
                    (ArithmeticOp::Multiply | ArithmeticOp::Divide, Type::Money, _)
                    | (ArithmeticOp::Multiply | ArithmeticOp::Divide, _, Type::Money) => (l, r),
                    _ => (convert(l, &operand_ty), convert(r, &operand_ty)),
                };
                Expr { kind: ExprKind::Arithmetic(op, Box::new(l), Box::new(r)), ty, may_be_missing }
            }
            None => {
                self.no_result(op, (left.span, &l.ty), (right.span, &r.ty), span);
                Expr::error()
            }
        }
    }

    fn no_result(&mut self, op: ArithmeticOp, left: (Span, &Type), right: (Span, &Type), span: Span) {
        let ((left, l), (right, r)) = (left, right);
        let verb = match op {
            ArithmeticOp::Add => "added",
            ArithmeticOp::Subtract => "subtracted",
            ArithmeticOp::Multiply => "multiplied",
            ArithmeticOp::Divide => "divided",
        };
        self.report(
            Diagnostic::new(Code::BadArithmetic, span, format!("{l} and {r} cannot be {verb}"))
                .label("no result")
                .also(left, l.to_string())
                .also(right, r.to_string())
                .help(
                    "calculate with integers, numbers and money; money can be multiplied and divided by plain numbers",
                ),
        );
    }

    /// Money times or divided by a literal, exactly.
    fn scale(&mut self, money: Expr, digits: &str, op: ArithmeticOp, span: Span) -> Expr {
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let joined = format!("{whole}{fraction}").parse::<i64>().ok();
        let power = u32::try_from(fraction.len()).ok().and_then(|places| 10_i64.checked_pow(places));
        let (Some(joined), Some(power)) = (joined, power) else {
            return self.out_of_range(span, "too many digits");
        };
        let (numerator, denominator) = match op {
            ArithmeticOp::Divide => (power, joined),
            ArithmeticOp::Add | ArithmeticOp::Subtract | ArithmeticOp::Multiply => (joined, power),
        };
        let may_be_missing = money.may_be_missing || denominator == 0;
        let ty = money.ty.clone();
        let kind =
            ExprKind::Scale { money: Box::new(money), numerator: numerator.into(), denominator: denominator.into() };
        Expr { kind, ty, may_be_missing }
    }

    /// An aggregate, with `modifiers` (a `where`, a window) said of its events.
    pub(in crate::lower) fn aggregate(
        &mut self,
        aggregate: &ast::Aggregate,
        modifiers: &[&Modifier],
        scope: Scope<'_>,
        span: Span,
    ) -> Expr {
        // Inside a filter it is the same value for each of the events.
        let is_person = matches!(scope, Scope::Person);
        if let Some(attribute) = self.aggregate_as_name(aggregate, span).filter(|_| is_person) {
            return attribute;
        }
        if aggregate.function == AggregateFunction::Count
            && modifiers.is_empty()
            && aggregate.modifiers.is_empty()
            && let Some(length) = self.list_length(&aggregate.event, scope)
        {
            return length;
        }
        let all_modifiers: Vec<&Modifier> = aggregate.modifiers.iter().chain(modifiers.iter().copied()).collect();
        let of_items = self.items_of_event(&aggregate.event);
        let (events, measure, items) = match of_items {
            Some((items, _)) => {
                let measure = aggregate.measure.as_ref().map(|m| self.value(m, Scope::Item(&items), None));
                (items.events, measure, Some(items.list))
            }
            None => {
                let Some(events) = self.event_operand(&aggregate.event) else { return Expr::error() };
                let measure = aggregate.measure.as_ref().map(|m| self.value(m, Scope::Event(&events), None));
                (events, measure, None)
            }
        };
        let query = self.query(events);
        let Some(query) = self.narrowed(query, &all_modifiers) else { return Expr::error() };
        let function = match aggregate.function {
            AggregateFunction::Count => Aggregate::Count,
            AggregateFunction::CountDifferent => Aggregate::CountDifferent,
            AggregateFunction::Total => Aggregate::Total,
            AggregateFunction::Average => Aggregate::Average,
            AggregateFunction::Smallest => Aggregate::Smallest,
            AggregateFunction::Largest => Aggregate::Largest,
            AggregateFunction::MostFrequent => Aggregate::MostFrequent,
        };
        let Some(measure) = measure else {
            let kind = ExprKind::Aggregate { function, measure: None, items, query };
            return Expr { kind, ty: Type::Integer, may_be_missing: false };
        };
        let at = aggregate.measure.as_ref().map_or(span, |m| m.span);
        self.measured(function, measure, (query, items), at)
    }

    fn measured(&mut self, function: Aggregate, measure: Expr, of: (Query, Option<List>), at: Span) -> Expr {
        let (query, items) = of;
        if measure.is_error() {
            return Expr::error();
        }
        let is_scalar = !matches!(measure.ty, Type::List(_) | Type::Records(_));
        let fits = if function.takes_any() { is_scalar } else { measure.ty.is_numeric() };
        if !fits {
            let words = self.words(at);
            let (what, help) = match is_scalar {
                true => ("not a number", format!("count how many there are: `number of different {words} of …`")),
                false => ("a list", "name a property that holds one value".to_owned()),
            };
            self.report(
                Diagnostic::new(Code::OperatorNeedsType, at, format!("`{words}` is {what}"))
                    .label(format!("of type {}", measure.ty))
                    .help(help),
            );
            return Expr::error();
        }
        let (ty, may_be_missing) = (function.result(&measure.ty), function.may_be_missing());
        let kind = ExprKind::Aggregate { function, measure: Some(Box::new(measure)), items, query };
        Expr { kind, ty, may_be_missing }
    }

    /// `number of orders` where that is an attribute's name.
    pub(in crate::lower) fn aggregate_as_name(&mut self, aggregate: &ast::Aggregate, span: Span) -> Option<Expr> {
        if self.schema.lookup(&aggregate.as_name.text).is_empty() {
            return None;
        }
        if let Some(Subject::Value(expr)) = self.try_resolve(&aggregate.as_name, Scope::Person) {
            let event_too = matches!(&aggregate.event.kind, OperandKind::Name(n) if matches!(
                self.try_resolve(n, Scope::Person), Some(Subject::Events(_))));
            if !event_too {
                return Some(expr);
            }
            let words = self.words(span);
            self.report(
                Diagnostic::new(Code::AmbiguousName, span, format!("`{words}` fits more than one thing"))
                    .label("the attribute of this name, or a value over events?")
                    .help("for the attribute write its name in quotes"),
            );
            return Some(Expr::error());
        }
        None
    }

    /// `number of tags`, `number of lines` of the event at hand.
    fn list_length(&mut self, operand: &Operand, scope: Scope<'_>) -> Option<Expr> {
        let OperandKind::Name(name) = &operand.kind else { return None };
        let resolved = self.try_resolve_as(name, scope, Speaks::Events);
        let Some(Subject::Value(list)) = resolved else { return None };
        if !matches!(list.ty, Type::List(_) | Type::Records(_)) {
            return None;
        }
        let may_be_missing = list.may_be_missing;
        Some(Expr { kind: ExprKind::ListLength(Box::new(list)), ty: Type::Integer, may_be_missing })
    }
}

fn as_digits(operand: &Operand) -> Option<&str> {
    match &operand.kind {
        OperandKind::Literal(Literal::Number(digits)) => Some(digits),
        _ => None,
    }
}

/// A list of records on events.
type List = Vec<(EventId, PropertyId)>;

/// The type of `left op right`, unless it has none.
fn combined(op: ArithmeticOp, left: &Type, right: &Type) -> Option<Type> {
    use ArithmeticOp::{Add, Divide, Multiply, Subtract};
    use Type::{Integer, Money, Number};
    Some(match (op, left, right) {
        (Divide, Integer, Integer) => Number,
        (_, Integer, Integer) => Integer,
        (_, Integer | Number, Integer | Number) => Number,
        (Add | Subtract, Money, Money | Integer) | (Add | Subtract, Integer, Money) => Money,
        (Multiply, Money, Integer | Number) | (Multiply, Integer | Number, Money) => Money,
        (Divide, Money, Integer | Number) => Money,
        (Divide, Money, Money) => Number,
        (Add | Subtract, Type::Duration, Type::Duration) => Type::Duration,
        _ => return None,
    })
}

fn wider(left: &Type, right: &Type) -> Type {
    match (left, right) {
        (Type::Integer, Type::Integer) => Type::Integer,
        _ => Type::Number,
    }
}

/// An integer as a number or as money; everything else as it is.
pub(in crate::lower) fn convert(expr: Expr, ty: &Type) -> Expr {
    if expr.ty != Type::Integer || !matches!(ty, Type::Number | Type::Money) {
        return expr;
    }
    let may_be_missing = expr.may_be_missing;
    Expr { kind: ExprKind::Convert(Box::new(expr)), ty: ty.clone(), may_be_missing }
}
