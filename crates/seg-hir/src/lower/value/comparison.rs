//! Comparisons of values.

use super::operand::convert;
use crate::hir::{CompareOp, Cond, Expr, ExprKind, TextOp};
use crate::lower::{Lower, Lowered, Scope};
use crate::names::suggestion;
use crate::text::{compile_pattern, fold_case};
use seg_data::{Type, Value};
use seg_syntax::ast::{self, Comparison, Literal, LiteralAt, Operand, OperandKind, OrderOp, Quantifier, Relation};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

/// The way out where numbers were declared as texts.
const NUMBERS_AS_TEXTS: &str = "where its values are numbers, the schema can say so: of type `integer` or `number`";

/// What a comparison is said of.
pub(in crate::lower) struct Compared<'a> {
    pub value: Expr,
    /// The words of the value.
    pub span: Span,
    pub scope: Scope<'a>,
}

impl Lower<'_> {
    /// `VALUE is …`, with the rule for negative words on what may be missing.
    pub(in crate::lower) fn comparison(&mut self, left: Compared<'_>, comparison: &Comparison, span: Span) -> Lowered {
        if left.value.is_error() {
            return Lowered::error();
        }
        if self.says_everyone(&left, comparison, span) {
            return Lowered::error();
        }
        if let Relation::Empty(emptiness) = comparison.relation {
            return self.emptiness(&left, emptiness, comparison, span);
        }
        let Some((cond, right_may_be_missing)) = self.relation(&left, &comparison.relation, comparison, span) else {
            return Lowered::error();
        };
        let is_negative_word = matches!(
            comparison.relation,
            Relation::Order(OrderOp::IsNot, _) | Relation::NoneOf(_) | Relation::Includes(Quantifier::None, _)
        );
        let is_negative = is_negative_word != comparison.not.is_some();
        let cond = match (&comparison.relation, is_negative) {
            // Neither says anything of people without a value that it does not say already.
            (Relation::Known | Relation::Missing, true) => cond.negate(),
            (Relation::Known | Relation::Missing, false) => cond,
            // Here `cond` is what must not hold.
            (Relation::KnownButNot(_), is_not) => {
                let cond = Cond::all(vec![Cond::Known(left.value), cond.negate()]);
                if is_not { cond.negate() } else { cond }
            }
            (_, is_not) if comparison.or_unknown.is_some() => {
                self.read.extend(comparison.or_unknown);
                if is_not { cond.negate() } else { Cond::any(vec![cond, Cond::Known(left.value).negate()]) }
            }
            (_, false) => cond,
            (_, true) => {
                let may_be_missing = left.value.may_be_missing && !self.known_besides.contains(&span);
                if may_be_missing || right_may_be_missing {
                    self.negative_on_missing(&left, comparison, span);
                    return Lowered::error();
                }
                // What the data owes and lacks is missing, on either side; another half of the
                // sentence may leave it out already.
                let mut tests = Vec::new();
                if !self.known_besides.contains(&span) {
                    tests.push(Cond::Known(left.value));
                }
                if let Cond::Compare(_, _, right) = &cond
                    && !matches!(right.kind, ExprKind::Literal(_) | ExprKind::Moment(_) | ExprKind::Today { .. })
                {
                    tests.push(Cond::Known(right.clone()));
                }
                tests.push(cond.negate());
                Cond::all(tests)
            }
        };
        Lowered::plain(cond)
    }

    /// Whether case counts in a comparison; asked by those that it makes a
    /// difference to.
    fn reads_case(&mut self, comparison: &Comparison) -> bool {
        self.read.extend(comparison.ignoring_case);
        comparison.ignoring_case.is_some()
    }

    /// `is known or unknown`, `is known but not "DE" or unknown`: what is said
    /// first and what is said last leave nobody out, or contradict each other.
    /// Reported.
    fn says_everyone(&mut self, left: &Compared<'_>, comparison: &Comparison, span: Span) -> bool {
        let Some(or_unknown) = comparison.or_unknown else { return false };
        let (subject, without) = (self.words(left.span), self.without(span, or_unknown));
        let words = self.words(or_unknown);
        let diagnostic = match &comparison.relation {
            Relation::KnownButNot(inner) => {
                let case = comparison.ignoring_case.map_or(String::new(), |at| format!(" {}", self.words(at)));
                let with = format!("{subject} {}{case} {words}", self.negative_of(inner));
                Diagnostic::new(
                    Code::MisplacedWords,
                    or_unknown,
                    format!("`is known` leaves out people without a value, and `{words}` lets them in"),
                )
                .label("contradicts `is known`")
                .help(format!("without them: `{without}`"))
                .help(format!("with them: `{with}`"))
            }
            Relation::Known | Relation::Missing
                if matches!(comparison.relation, Relation::Known) != comparison.not.is_some() =>
            {
                Diagnostic::new(Code::MisplacedWords, or_unknown, format!("`{without} {words}` is true of everyone"))
                    .label("known or unknown, so anything")
                    .help(format!("for people with a value: `{subject} is known`"))
                    .help(format!("for people without one: `{subject} is missing`"))
            }
            Relation::Known
            | Relation::Missing
            | Relation::Empty(_)
            | Relation::Order(..)
            | Relation::Between(..)
            | Relation::OneOf(_)
            | Relation::NoneOf(_)
            | Relation::Text(..)
            | Relation::Includes(..)
            | Relation::Window(_)
            | Relation::Recurring(_)
            | Relation::InList(_)
            | Relation::Near(_) => return false,
        };
        self.report(diagnostic);
        true
    }

    /// A relation said negatively: `is not "DE"`, `does not contain "x"`.
    fn negative_of(&self, relation: &Relation) -> String {
        let list = |values: &[LiteralAt]| {
            let values: Vec<String> = values.iter().map(|v| self.words(v.span)).collect();
            values.join(", ")
        };
        match relation {
            Relation::OneOf(values) => format!("is none of {}", list(values)),
            Relation::NoneOf(values) => format!("is one of {}", list(values)),
            Relation::InList(title) => format!("is not in list {}", self.words(title.span)),
            Relation::Order(_, right) => format!("is not {}", self.words(right.span)),
            Relation::Text(op, value) => {
                let verb = match op {
                    ast::TextOp::Contains => "contain",
                    ast::TextOp::StartsWith => "start with",
                    ast::TextOp::EndsWith => "end with",
                    ast::TextOp::Matches => "match",
                };
                format!("does not {verb} {}", self.words(value.span))
            }
            // None of these stands behind `is known but not`.
            Relation::Known
            | Relation::Missing
            | Relation::Empty(_)
            | Relation::KnownButNot(_)
            | Relation::Between(..)
            | Relation::Includes(..)
            | Relation::Window(_)
            | Relation::Recurring(_)
            | Relation::Near(_) => "is missing".to_owned(),
        }
    }

    /// `or unknwn` behind a negative: the slip is reported where it stands, instead of what
    /// it leaves open.
    fn reports_slip_in_unknown(&mut self, span: Span) -> bool {
        let rest = self.sources.rest_of_line(span);
        let mut words = rest.split_whitespace();
        let is_or = words.next().is_some_and(|word| word.eq_ignore_ascii_case("or"));
        let Some(word) = words.next().map(|word| word.trim_end_matches([')', ','])).filter(|_| is_or) else {
            return false;
        };
        if suggestion(word, ["unknown"]).is_none() || !self.schema.lookup(word).is_empty() {
            return false;
        }
        let start = span.end + (word.as_ptr() as usize - rest.as_ptr() as usize) as u32;
        let at = Span::new(span.source, start, start + word.len() as u32);
        // It is one problem, and nobody resolves the name without it being said.
        self.unknown.insert(word.to_owned());
        self.report(
            Diagnostic::new(Code::UnknownName, at, format!("the schema has no attribute or event `{word}`"))
                .label("unknown name")
                .fix(at, "unknown", "did you mean `unknown`?"),
        );
        true
    }

    fn negative_on_missing(&mut self, left: &Compared<'_>, comparison: &Comparison, span: Span) {
        if self.reports_slip_in_unknown(span) {
            return;
        }
        let subject = self.words(left.span);
        let whole = self.words(span);
        let said = whole.strip_prefix(subject.as_str()).unwrap_or(&whole).trim_start().to_owned();
        let continues = match &comparison.relation {
            Relation::Order(OrderOp::Is | OrderOp::IsNot, Operand { kind: OperandKind::Literal(_), span }) => {
                Some(self.words(*span))
            }
            Relation::OneOf(list) | Relation::NoneOf(list) => {
                let values: Vec<String> = list.iter().map(|v| self.words(v.span)).collect();
                Some(format!("one of {}", values.join(", ")))
            }
            Relation::Text(op, value) => Some(format!("{} {}", op, self.words(value.span))),
            _ => None,
        };
        let list = match &comparison.relation {
            Relation::Includes(Quantifier::Any | Quantifier::None, values) => {
                let values: Vec<String> = values.iter().map(|v| self.words(v.span)).collect();
                Some(format!("include none of {}", values.join(", ")))
            }
            _ => None,
        };
        // `last_order_date not within the past 90 days` leaves out what `or unknown` needs.
        let in_full = if said.starts_with("not ") { format!("is {said}") } else { said.clone() };
        let whole = match &list {
            Some(list) => format!("{subject} {list}"),
            None if in_full != said => format!("{subject} {in_full}"),
            None => whole,
        };
        let known = match (continues, list) {
            (Some(rest), _) => format!("{subject} is known but not {rest}"),
            (None, Some(list)) => format!("{subject} are known and {list}"),
            (None, None) => format!("{subject} is known and not ({})", positive(&subject, &in_full)),
        };
        let missing = match &comparison.relation {
            Relation::Order(_, right) if !left.value.may_be_missing => self.words(right.span),
            _ => subject.clone(),
        };
        self.report(
            Diagnostic::new(
                Code::NegativeOnMissing,
                span,
                format!("`{missing}` may be missing, so `{said}` could mean two things"),
            )
            .label("are people without a value meant too?")
            .help(format!("without them: `{known}`"))
            .help(format!("with them: `{whole} or unknown`"))
            .note("a value that the schema calls `required` needs neither"),
        );
    }

    /// The positive form of a relation, and whether its right side may be
    /// missing. `None` when reported.
    fn relation(
        &mut self,
        left: &Compared<'_>,
        relation: &Relation,
        comparison: &Comparison,
        span: Span,
    ) -> Option<(Cond, bool)> {
        if comparison.ignoring_case.is_some()
            && left.value.ty != Type::Text
            && left.value.ty != Type::List(seg_data::Element::Text)
        {
            self.needs_type(left, "ignoring case", "texts", span);
            return None;
        }
        let certain = |cond| Some((cond, false));
        match relation {
            Relation::Known => certain(Cond::Known(left.value.clone())),
            Relation::Missing => certain(Cond::Known(left.value.clone()).negate()),
            // Said with all that stands beside it.
            Relation::Empty(_) => None,
            Relation::KnownButNot(inner) => self.relation(left, inner, comparison, span),
            Relation::Window(window) => self.time_test(&left.value, window, span).map(|c| (c, false)),
            Relation::Recurring(recurring) => self.recurring_test(&left.value, recurring, span).and_then(certain),
            Relation::InList(list) => {
                let fold = self.reads_case(comparison);
                self.in_list(left, list, fold).and_then(certain)
            }
            Relation::Near(near) => {
                self.needs_type(left, "within … of", "places", near.span);
                None
            }
            // `interests (… but none of "golf")`
            Relation::NoneOf(list) if matches!(left.value.ty, Type::List(_)) => {
                let fold = self.reads_case(comparison);
                self.includes(left, Quantifier::None, list, fold, span).and_then(certain)
            }
            Relation::OneOf(list) | Relation::NoneOf(list) => {
                let fold = self.reads_case(comparison);
                self.one_of(left, list, fold).and_then(certain)
            }
            Relation::Text(op, value) => {
                let fold = self.reads_case(comparison);
                self.text_test(left, *op, value, fold, span).and_then(certain)
            }
            Relation::Includes(quantifier, list) => {
                let fold = self.reads_case(comparison);
                self.includes(left, *quantifier, list, fold, span).and_then(certain)
            }
            Relation::Order(op, right) => {
                let fold = self.reads_case(comparison);
                self.order(left, *op, right, fold, span)
            }
            Relation::Between(low, high) => {
                if matches!(left.value.ty, Type::Timestamp | Type::Date)
                    && [low, high].iter().all(|o| matches!(o.kind, OperandKind::Literal(Literal::Date(_))))
                {
                    let window = ast::Window::Dates(low.clone(), high.clone());
                    return self.time_test(&left.value, &window, span).and_then(certain);
                }
                let (from, a) = self.order(left, OrderOp::AtLeast, low, false, span)?;
                let (to, b) = self.order(left, OrderOp::AtMost, high, false, span)?;
                if let (Cond::Compare(_, _, l), Cond::Compare(_, _, h)) = (&from, &to)
                    && let (ExprKind::Literal(l), ExprKind::Literal(h)) = (&l.kind, &h.kind)
                    && crate::eval::compare(l, h) == Some(std::cmp::Ordering::Greater)
                {
                    self.empty_range(span, "the smaller number comes first");
                    return None;
                }
                Some((Cond::all(vec![from, to]), a || b))
            }
        }
    }

    fn order(
        &mut self,
        left: &Compared<'_>,
        op: OrderOp,
        right: &Operand,
        fold: bool,
        span: Span,
    ) -> Option<(Cond, bool)> {
        let is_time = matches!(left.value.ty, Type::Timestamp | Type::Date);
        if is_time && matches!(right.kind, OperandKind::Literal(Literal::Date(_))) {
            return self.date_order(op, &left.value, right).map(|c| (c, false));
        }
        let value = self.value(right, left.scope, Some(&left.value.ty));
        if value.is_error() {
            return None;
        }
        let is_equality = matches!(op, OrderOp::Is | OrderOp::IsNot);
        let (l, r) = match (&left.value.ty, &value.ty) {
            (Type::Integer | Type::Number, Type::Integer | Type::Number) => (left.value.clone(), value),
            (Type::Money, Type::Integer) | (Type::Integer, Type::Money) => {
                (convert(left.value.clone(), &Type::Money), convert(value, &Type::Money))
            }
            (Type::Text | Type::Boolean, b) if *b == left.value.ty && !is_equality => {
                let what = if *b == Type::Text { "texts" } else { "true and false" };
                let words = self.words(span);
                let diagnostic = Diagnostic::new(
                    Code::OperatorNeedsType,
                    span,
                    format!("`{words}` compares by size, and {what} have none"),
                )
                .label(format!("of type {b}"))
                .help("compare with `is`, `is one of` or another text operator");
                let is_number = |text: &str| text.trim().parse::<f64>().is_ok();
                self.report(match &right.kind {
                    OperandKind::Literal(Literal::Text(text)) if is_number(text) => diagnostic.note(NUMBERS_AS_TEXTS),
                    _ => diagnostic,
                });
                return None;
            }
            (a, b) if a == b && !matches!(a, Type::List(_) | Type::Records(_)) => (left.value.clone(), value),
            _ => {
                self.mismatch(left, right, &value.ty);
                return None;
            }
        };
        if l.ty == Type::Text
            && let ExprKind::Literal(Value::Text(text)) = &r.kind
        {
            self.check_allowed(&l, text, right.span, fold);
        }
        let (l, r) = if fold { (folded(l), folded(r)) } else { (l, r) };
        let op = match op {
            OrderOp::Is | OrderOp::IsNot => CompareOp::Equal,
            OrderOp::LessThan => CompareOp::Less,
            OrderOp::AtMost => CompareOp::LessOrEqual,
            OrderOp::MoreThan => CompareOp::Greater,
            OrderOp::AtLeast => CompareOp::GreaterOrEqual,
        };
        let may_be_missing = r.may_be_missing;
        Some((Cond::Compare(op, l, r), may_be_missing))
    }

    fn mismatch(&mut self, left: &Compared<'_>, right: &Operand, right_ty: &Type) {
        let (subject, words) = (self.words(left.span), self.words(right.span));
        let ty = &left.value.ty;
        let mut diagnostic = Diagnostic::new(
            Code::TypeMismatch,
            right.span,
            format!("`{subject}` is {}, and {words} is {}", ty.one(), right_ty.one()),
        )
        .label(format!("{} is needed", ty.one()))
        .also(left.span, ty.one());
        diagnostic = match (ty, &right.kind) {
            (Type::Text, OperandKind::Literal(Literal::Number(_))) => {
                let quoted = format!("\"{words}\"");
                diagnostic
                    .fix(right.span, quoted.clone(), format!("write the text in quotes: `{quoted}`"))
                    .note(NUMBERS_AS_TEXTS)
            }
            (Type::Timestamp | Type::Date, OperandKind::Literal(Literal::Text(text))) => {
                diagnostic.help(format!("write a date without quotes, as year, month, day: `{text}`"))
            }
            (Type::Boolean, _) => diagnostic.help(format!("write `{subject} is true` or `{subject} is false`")),
            (Type::Integer | Type::Number | Type::Money, OperandKind::Literal(Literal::Text(text))) => {
                diagnostic.help(format!("write the number without quotes: `{text}`"))
            }
            (Type::List(_), _) => diagnostic.help(format!("for one of its values: `{subject} include {words}`")),
            (Type::Timestamp | Type::Date, _) => {
                diagnostic.help(format!("say when, for example: `{subject} is within the past 30 days`"))
            }
            _ => diagnostic,
        };
        self.report(diagnostic);
    }

    fn needs_type(&mut self, left: &Compared<'_>, what: &str, types: &str, span: Span) {
        let subject = self.words(left.span);
        self.report(
            Diagnostic::new(
                Code::OperatorNeedsType,
                span,
                format!("`{what}` fits {types}, and `{subject}` is {}", left.value.ty.one()),
            )
            .label(format!("said of {}", left.value.ty.one()))
            .note(match left.value.ty {
                Type::Timestamp | Type::Date => format!("say when: `{subject} is within the past 30 days`"),
                Type::Boolean => format!("write `{subject} is true` or `{subject} is false`"),
                Type::List(_) => format!("for one of its values: `{subject} include …`"),
                _ => format!("compare it with `is`, `is more than`, `is between`: `{subject} is …`"),
            }),
        );
    }

    /// A literal as a value of the type on the left.
    fn literal_for(&mut self, left: &Compared<'_>, at: &LiteralAt, ty: &Type) -> Option<Value> {
        let right = Operand { kind: OperandKind::Literal(at.literal.clone()), span: at.span };
        let value = self.value(&right, left.scope, Some(ty));
        if value.is_error() {
            return None;
        }
        let fits =
            value.ty == *ty || matches!((ty, &value.ty), (Type::Number, Type::Integer) | (Type::Integer, Type::Number));
        match value.kind {
            ExprKind::Literal(literal) if fits => Some(literal),
            _ => {
                self.mismatch(left, &right, &value.ty);
                None
            }
        }
    }

    fn one_of(&mut self, left: &Compared<'_>, list: &[LiteralAt], fold: bool) -> Option<Cond> {
        if matches!(left.value.ty, Type::Timestamp | Type::List(_) | Type::Records(_)) {
            let span = list.first().map_or(left.span, |v| v.span);
            self.needs_type(left, "is one of", "single values", span);
            return None;
        }
        let values = self.literals(left, list, &left.value.ty.clone(), fold)?;
        let value = if fold { folded(left.value.clone()) } else { left.value.clone() };
        Some(Cond::OneOf(value, values))
    }

    /// The values of a list; all of its problems are reported.
    pub(super) fn literals(
        &mut self,
        left: &Compared<'_>,
        list: &[LiteralAt],
        ty: &Type,
        fold: bool,
    ) -> Option<Vec<Value>> {
        let mut values = Vec::with_capacity(list.len());
        let mut is_whole = true;
        for at in list {
            match self.literal_for(left, at, ty) {
                Some(Value::Text(text)) => {
                    self.check_allowed(&left.value, &text, at.span, fold);
                    values.push(Value::Text(if fold { fold_case(&text) } else { text }));
                }
                Some(value) => values.push(value),
                None => is_whole = false,
            }
        }
        is_whole.then_some(values)
    }

    fn text_test(
        &mut self,
        left: &Compared<'_>,
        op: ast::TextOp,
        at: &LiteralAt,
        fold: bool,
        span: Span,
    ) -> Option<Cond> {
        let words = self.words(at.span);
        let verb = op.to_string();
        if left.value.ty != Type::Text {
            self.needs_type(left, &verb, "texts", span);
            return None;
        }
        let Some(Value::Text(text)) = self.literal_for(left, at, &Type::Text) else { return None };
        if op == ast::TextOp::Matches
            && let Err(why) = compile_pattern(&text, fold)
        {
            self.report(
                Diagnostic::new(Code::BadPattern, at.span, format!("{words} is not a pattern"))
                    .label(why)
                    .help("put `\\` before a character that is meant as itself, such as `\\.`"),
            );
            return None;
        }
        let op = match op {
            ast::TextOp::Contains => TextOp::Contains,
            ast::TextOp::StartsWith => TextOp::StartsWith,
            ast::TextOp::EndsWith => TextOp::EndsWith,
            ast::TextOp::Matches => TextOp::Matches,
        };
        let value = left.value.clone();
        Some(match (fold, op) {
            (false, _) => Cond::Text(op, value, text),
            // A folded pattern would fold its escapes as well.
            (true, TextOp::Matches) => Cond::Text(op, folded(value), text),
            (true, _) => Cond::Text(op, folded(value), fold_case(&text)),
        })
    }

    fn includes(
        &mut self,
        left: &Compared<'_>,
        quantifier: Quantifier,
        list: &[LiteralAt],
        fold: bool,
        span: Span,
    ) -> Option<Cond> {
        let Type::List(element) = left.value.ty else {
            self.needs_type(left, "include", "lists", span);
            return None;
        };
        if element == seg_data::Element::Timestamp {
            let (subject, words) = (self.words(left.span), self.words(span));
            self.report(
                Diagnostic::new(
                    Code::OperatorNeedsType,
                    span,
                    format!("`{words}` asks a list of times for one of them"),
                )
                .label("no time is written so finely")
                .note(format!("ask when they are: `any of {subject} is within the past 30 days`")),
            );
            return None;
        }
        let values = self.literals(left, list, &element.ty(), fold)?;
        let subject = if fold { folded(left.value.clone()) } else { left.value.clone() };
        let tests = values.into_iter().map(|v| Cond::Has(subject.clone(), v)).collect();
        Some(match quantifier {
            Quantifier::Cardinality { min, max } => Cond::Cardinality { min, max, members: tests },
            Quantifier::All => Cond::all(tests),
            // `none of` is the negative of `any of`, negated by the caller.
            Quantifier::Any | Quantifier::None => Cond::any(tests),
        })
    }

    /// A value that the schema's `allowed` lacks can only be a slip.
    fn check_allowed(&mut self, value: &Expr, text: &str, span: Span, fold: bool) {
        let field = match &value.kind {
            ExprKind::Attribute(id) | ExprKind::HeldValue { attribute: id, .. } => self.schema.attribute(*id),
            ExprKind::Property(ids) => ids.first().and_then(|(e, p)| self.schema.event(*e)?.properties.get(p.idx())),
            _ => None,
        };
        let Some((field, allowed)) = field.and_then(|f| Some((f, f.allowed.as_ref()?))) else { return };
        let is_same = |a: &String| if fold { fold_case(a) == fold_case(text) } else { a == text };
        if allowed.iter().any(is_same) {
            return;
        }
        let names: Vec<&str> = allowed.iter().map(String::as_str).collect();
        let message = format!("`{}` is never \"{text}\"", field.name);
        let diagnostic =
            Diagnostic::new(Code::ValueNotAllowed, span, message).label("the schema does not allow this value");
        let same_but_case = names.iter().copied().find(|n| fold_case(n) == fold_case(text));
        let diagnostic = match same_but_case.or_else(|| suggestion(text, names.iter().copied())) {
            Some(near) => diagnostic.fix(span, format!("\"{near}\""), format!("did you mean `\"{near}\"`?")),
            None => diagnostic.note(format!("it is one of {}", crate::lower::names::resolve::quoted_list(&names))),
        };
        self.report(diagnostic);
    }
}

/// The positive form of what was said: `is not more than 5` to `is more than 5`.
fn positive(subject: &str, said: &str) -> String {
    const WORDS: &[(&str, &str)] = &[
        ("is not ", "is "),
        ("are not ", "are "),
        ("was not ", "was "),
        ("were not ", "were "),
        ("does not ", ""),
        ("differs from ", "is "),
        ("include none of ", "include any of "),
        ("!= ", "= "),
    ];
    let negative = WORDS.iter().find(|(negative, _)| said.contains(negative));
    let positive = negative.map_or(said.to_owned(), |(negative, positive)| said.replacen(negative, positive, 1));
    format!("{subject} {positive}")
}

/// A text, or a list of texts, with its case folded.
pub(in crate::lower) fn folded(expr: Expr) -> Expr {
    if let ExprKind::Literal(Value::Text(text)) = &expr.kind {
        return Expr::literal(Value::Text(fold_case(text)), Type::Text);
    }
    let (ty, may_be_missing) = (expr.ty.clone(), expr.may_be_missing);
    Expr { kind: ExprKind::FoldCase(Box::new(expr)), ty, may_be_missing }
}
