//! Days that come every year, such as birthdays: what is asked of the day with its year,
//! and what of its anniversary.

use crate::hir::{CompareOp, Cond, Expr, ExprKind};
use crate::lower::Lower;
use crate::lower::event::is_ahead_of_now;
use seg_data::Type;
use seg_data::schema::{Field, comes_every_year};
use seg_syntax::ast::{Age, CalendarUnit, DatedOp, Duration, FromNow, Unit, Window};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::names::display;
use seg_syntax::source::Span;

/// Days in a year, for telling lengths under one.
const YEAR: u64 = 365;

/// Which day a window is said of, where a date comes every year.
enum SaidOf {
    /// Of the date with its year: `more than 18 years ago`.
    Day,
    /// Of the day that comes every year: `within the next 7 days`.
    Anniversary,
    /// Of neither, for it begins or ends within a year and has no other end.
    Neither,
}

impl Lower<'_> {
    /// What a window says of a date, if the schema calls it recurring and the window is
    /// one of its anniversary. The inner `None` has been reported.
    #[expect(clippy::option_option, reason = "reported, or said of the day itself")]
    pub(super) fn yearly_test(&mut self, value: &Expr, window: &Window, span: Span) -> Option<Option<Cond>> {
        let ExprKind::Attribute(id) = &value.kind else { return None };
        let field = self.schema.attribute(*id)?;
        let said_of = self.said_of(window);
        match (field.recurring, said_of) {
            (Some(false), _) | (_, SaidOf::Day) => None,
            (None, SaidOf::Anniversary) => {
                self.warn_of_yearly(field, span);
                None
            }
            (None, SaidOf::Neither) => None,
            (Some(true), SaidOf::Anniversary) => Some(self.days_around_today(window, span).and_then(|days| {
                let (from, to, op) = days?;
                Some(anniversary_until(value.clone(), from, op, to))
            })),
            (Some(true), SaidOf::Neither) => {
                self.report_unclear_year(field, window, span);
                Some(None)
            }
        }
    }

    fn said_of(&mut self, window: &Window) -> SaidOf {
        let both = |a: bool, b: bool| match (a, b) {
            (true, true) => SaidOf::Anniversary,
            (false, false) => SaidOf::Day,
            _ => SaidOf::Neither,
        };
        match window {
            Window::Past(d) | Window::Next(d) => both(is_under_a_year(d), is_under_a_year(d)),
            // Whether it names a length is reported where its days are asked for.
            Window::PastNamed(_) | Window::Dates(..) | Window::Dated(..) | Window::Anchored(..) | Window::Ever => {
                SaidOf::Day
            }
            Window::Ago(age) | Window::Ahead(age) => match age {
                Age::Exactly(d) => both(is_under_a_year(d), is_under_a_year(d)),
                Age::Between(a, b) => both(is_under_a_year(a), is_under_a_year(b)),
                Age::MoreThan(d) | Age::AtLeast(d) | Age::LessThan(d) | Age::AtMost(d) => match is_under_a_year(d) {
                    true => SaidOf::Neither,
                    false => SaidOf::Day,
                },
            },
            Window::Between(a, b) => {
                let length = |moment: &FromNow| match moment {
                    FromNow::Ago(d) => -days(d),
                    FromNow::Ahead(d) => days(d),
                    FromNow::Now | FromNow::Period(..) => 0,
                };
                let (a, b, year) = (length(a), length(b), i128::from(YEAR));
                match (a.abs() < year, b.abs() < year) {
                    (true, true) if (a - b).abs() >= year => SaidOf::Neither,
                    (a, b) => both(a, b),
                }
            }
            Window::Beside(DatedOp::On, FromNow::Period(CalendarUnit::Day, _)) => SaidOf::Anniversary,
            Window::Beside(_, FromNow::Now | FromNow::Period(..)) => SaidOf::Day,
            Window::Beside(_, FromNow::Ago(d) | FromNow::Ahead(d)) => match is_under_a_year(d) {
                true => SaidOf::Neither,
                false => SaidOf::Day,
            },
            Window::Calendar { unit, from, to } => {
                let a_year = match unit {
                    CalendarUnit::Day => 365,
                    CalendarUnit::Week => 52,
                    CalendarUnit::Month => 12,
                    CalendarUnit::Quarter => 4,
                    CalendarUnit::Year => 0,
                };
                match from.unsigned_abs() < a_year && to.unsigned_abs() <= a_year && from.abs_diff(*to) < a_year {
                    true => SaidOf::Anniversary,
                    false => SaidOf::Day,
                }
            }
        }
    }

    /// `birthday is today`, where the schema does not say whether the year counts.
    fn warn_of_yearly(&mut self, field: &Field, span: Span) {
        if !std::iter::once(&field.name).chain(&field.also).any(|name| comes_every_year(name)) {
            return;
        }
        let (name, words) = (display(&field.name), self.words(span));
        // The words of the condition, of which the verb may be left out.
        let when = [" is ", " are ", " was ", " were "].iter().find_map(|verb| Some(words.rsplit_once(verb)?.1));
        let help = when.map(|when| format!("for the day that comes every year: `anniversary of {name} is {when}`"));
        let key = toml_key(&field.name);
        let mut diagnostic = Diagnostic::new(Code::YearlyDay, span, format!("`{words}` asks for a day with its year"))
            .label(format!("`{name}` is hardly anybody's, if it is meant to come every year"));
        diagnostic.helps.extend(help);
        let diagnostic = diagnostic
            .help(format!(
                "if the year is meant, say so in the schema: `{key} = {{ type = \"date\", recurring = false }}`"
            ))
            .note("with `recurring = true` in the schema, the sentence means the day that comes every year");
        if !self.warnings.iter().any(|known| known.primary.span == span) {
            self.warnings.push(diagnostic);
        }
    }

    /// `birthday is more than 30 days ago`: of this year, or of all years?
    fn report_unclear_year(&mut self, field: &Field, window: &Window, span: Span) {
        let (name, words) = (display(&field.name), self.words(span));
        let near = if is_ahead_of_now(window) { "within the next 30 days" } else { "within the past 30 days" };
        self.report(
            Diagnostic::new(
                Code::UnclearWindow,
                span,
                format!("`{name}` comes every year: is `{words}` said of its anniversary?"),
            )
            .label("under a year, and with one end")
            .help(format!("for the day of every year, say both ends: `{name} is {near}`"))
            .help(format!("for the day itself, count years: `{name} is more than 18 years ago`")),
        );
    }
}

/// Whether the next anniversary from one day on is before another, or on it.
pub(super) fn anniversary_until(day: Expr, from: Expr, op: CompareOp, to: Expr) -> Cond {
    let may_be_missing = day.may_be_missing;
    let kind = ExprKind::Anniversary(Box::new(day), Box::new(from));
    Cond::Compare(op, Expr { kind, ty: Type::Date, may_be_missing }, to)
}

fn toml_key(name: &str) -> String {
    let is_bare = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if is_bare { name.to_owned() } else { format!("{name:?}") }
}

/// 12 months, 52 weeks and 365 days are a year.
fn is_under_a_year(d: &Duration) -> bool {
    match d.unit {
        Unit::Second => d.count < YEAR * 86_400,
        Unit::Minute => d.count < YEAR * 1_440,
        Unit::Hour => d.count < YEAR * 24,
        Unit::Day => d.count < YEAR,
        Unit::Week => d.count < 52,
        Unit::Month => d.count < 12,
        Unit::Year => d.count < 1,
    }
}

/// About how many days a length has; a year where it is not under one.
fn days(d: &Duration) -> i128 {
    let days = match d.unit {
        Unit::Second | Unit::Minute | Unit::Hour => 1,
        Unit::Day => i128::from(d.count),
        Unit::Week => i128::from(d.count) * 7,
        Unit::Month => i128::from(d.count) * 30,
        Unit::Year => i128::from(d.count) * 365,
    };
    if is_under_a_year(d) { days } else { days.max(i128::from(YEAR)) }
}
