//! Where people are, and in which random part of all people.

use crate::hir::{CompareOp, Cond, Expr, ExprKind};
use crate::lower::{Lower, Lowered};
use seg_data::schema::{PlaceOf, fold_name};
use seg_data::{Place, Type, Value, sample};
use seg_syntax::ast::{Comparison, Condition, DistanceUnit, Name, Near, Sample};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

impl Lower<'_> {
    /// `home is within 25 km of (…)`
    pub(in crate::lower) fn place(
        &mut self,
        c: &Condition,
        name: &Name,
        said: (&Comparison, &Near),
        span: Span,
    ) -> Lowered {
        let (comparison, near) = said;
        let place = self.schema.places.iter().find(|p| fold_name(&p.name) == fold_name(&name.text)).cloned();
        let Some(place) = place else {
            self.unknown_place(name, span);
            return Lowered::error();
        };
        let Some(distance) = self.distance(&place, near) else { return Lowered::error() };
        self.reads(span);
        let is_near = Cond::Compare(CompareOp::LessOrEqual, distance.0.clone(), distance.1);
        comparison.or_unknown.iter().for_each(|words| self.reads(*words));
        let cond = match (comparison.not.is_some(), comparison.or_unknown.is_some()) {
            (false, false) => is_near,
            (false, true) => Cond::any(vec![is_near, Cond::Known(distance.0).negate()]),
            (true, true) => is_near.negate(),
            (true, false) => {
                self.negative_place(name, near);
                return Lowered::error();
            }
        };
        let is_negative = self.reads_negative(c);
        Lowered::plain(cond).negated(is_negative)
    }

    fn negative_place(&mut self, name: &Name, near: &Near) {
        let (place, words) = (self.words(name.span), self.words(near.span));
        self.report(
            Diagnostic::new(
                Code::NegativeOnMissing,
                near.span,
                format!("`{place}` may be missing, so this could mean two things"),
            )
            .label("are people without a place meant too?")
            .help(format!("with them: `not ({place} is {words})`"))
            .note("without them: join `… is known` of its attributes to that with `and`"),
        );
    }

    /// `in a random 10% of people, by "winter-test"`
    pub(in crate::lower) fn sample(&mut self, sample: &Sample) -> Lowered {
        let Some(places) = sample::places_below(&sample.percent) else {
            let words = self.words(sample.span);
            self.report(
                Diagnostic::new(Code::NumberOutOfRange, sample.span, format!("`{words}` is no part of all people"))
                    .label("between 0% and 100%, with at most twelve places")
                    .help("write for example `in a random 10% of people, by \"winter-test\"`"),
            );
            return Lowered::error();
        };
        let name = sample.name.text.clone();
        // The other 90% are all but the random 10%.
        let below = match sample.is_other {
            false => places,
            true => match complement(&sample.percent).and_then(|rest| sample::places_below(&rest)) {
                Some(rest) => rest,
                None => sample::PLACES - places,
            },
        };
        Lowered::plain(Cond::Sample { name, below, is_complement: sample.is_other })
    }

    /// `within 25 km of (…)`, of the one place that the schema declares.
    pub(in crate::lower) fn near_any_place(&mut self, near: &Near) -> Lowered {
        match self.schema.places.as_slice() {
            [place] => {
                let place = place.clone();
                match self.distance(&place, near) {
                    Some((distance, far)) => Lowered::plain(Cond::Compare(CompareOp::LessOrEqual, distance, far)),
                    None => Lowered::error(),
                }
            }
            [] => {
                self.report(
                    Diagnostic::new(Code::UnknownName, near.span, "the schema does not say where people are")
                        .label("of which place?")
                        .note("declare one in the schema: `[places]` with `home = { latitude = \"…\", longitude = \"…\" }`"),
                );
                Lowered::error()
            }
            several => {
                let names: Vec<String> =
                    several.iter().map(|p| format!("`{} is {}`", p.name, self.words(near.span))).collect();
                self.report(
                    Diagnostic::new(Code::AmbiguousName, near.span, "the schema has more than one place")
                        .label("of which place?")
                        .help(format!("write {}", names.join(" or "))),
                );
                Lowered::error()
            }
        }
    }

    fn unknown_place(&mut self, name: &Name, span: Span) {
        let words = self.words(name.span);
        let known: Vec<&str> = self.schema.places.iter().map(|p| p.name.as_str()).collect();
        let diagnostic = Diagnostic::new(Code::UnknownName, name.span, format!("the schema has no place `{words}`"))
            .label("unknown place")
            .also(span, "this needs a place");
        self.report(match known.as_slice() {
            [] => diagnostic.help("declare one in the schema, under `[places]`"),
            _ => diagnostic.help(format!("the places are {}", crate::lower::names::resolve::quoted_list(&known))),
        });
    }

    /// How far somebody is from the place that is named, and how far they may be.
    fn distance(&mut self, place: &PlaceOf, near: &Near) -> Option<(Expr, Expr)> {
        let number = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite());
        let to = number(&near.latitude).zip(number(&near.longitude)).and_then(|(n, e)| Place::new(n, e));
        let factor = match near.unit {
            DistanceUnit::Kilometers => 1.0,
            DistanceUnit::Miles => 1.609_344,
            DistanceUnit::Meters => 0.001,
        };
        let far = number(&near.distance).filter(|n| *n >= 0.0).and_then(|n| Value::number(n * factor));
        let (Some(to), Some(far)) = (to, far) else {
            let words = self.words(near.span);
            self.report(
                Diagnostic::new(Code::NumberOutOfRange, near.span, format!("`{words}` is no place or no distance"))
                    .label("latitudes go from -90 to 90, longitudes from -180 to 180")
                    .help("write for example `within 25 km of (51.5074, -0.1278)`, the latitude first"),
            );
            return None;
        };
        let degrees = |id| Box::new(self.attribute(id));
        let (latitude, longitude) = (degrees(place.latitude), degrees(place.longitude));
        let distance =
            Expr { kind: ExprKind::Distance { latitude, longitude, to }, ty: Type::Number, may_be_missing: true };
        Some((distance, Expr::literal(far, Type::Number)))
    }
}

/// What is left of a hundred percent, in decimal digits.
fn complement(percent: &str) -> Option<String> {
    let (whole, fraction) = percent.split_once('.').unwrap_or((percent, ""));
    let places = fraction.len() as u32;
    let digits: u64 = format!("{whole}{fraction}").parse().ok()?;
    let rest = (100 * 10_u64.checked_pow(places)?).checked_sub(digits)?;
    let padded = format!("{rest:0>width$}", width = fraction.len() + 1);
    let (whole, fraction) = padded.split_at(padded.len() - fraction.len());
    Some(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
}
