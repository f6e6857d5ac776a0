//! What stands elsewhere: definitions, lists from files, samples, places.

use super::comparison::Compared;
use super::{Lower, Lowered};
use crate::hir::{CompareOp, Cond, Expr, ExprKind, ListRef};
use crate::names::suggestion;
use seg_data::schema::{PlaceOf, fold_name};
use seg_data::{Place, Type, Value, sample};
use seg_syntax::ast::{self, Condition, DistanceUnit, LiteralAt, Name, Near, Relation, Sample, TailKind, Title};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

/// How deep definitions may use definitions.
const DEFINITIONS_MAX: usize = 32;

impl Lower<'_> {
    /// `home is within 25 km of …`, or a definition used by its name.
    pub(super) fn place_or_definition(&mut self, c: &Condition, name: &Name) -> Option<Lowered> {
        if let [ast::Tail { kind: TailKind::Comparison(comparison), span }] = c.tails.as_slice()
            && let Relation::Near(near) = &comparison.relation
        {
            let place = self.schema.places.iter().find(|p| fold_name(&p.name) == fold_name(&name.text)).cloned();
            let Some(place) = place else {
                self.unknown_place(name, *span);
                return Some(Lowered::error());
            };
            let lowered = self.near(&place, near);
            let is_not = comparison.not.is_some();
            if is_not {
                self.negative_place(name, near);
                return Some(Lowered::error());
            }
            return Some(if c.leads.negative.is_some() { Lowered::plain(lowered.cond.negate()) } else { lowered });
        }
        let is_defined = self.declared.definitions.contains_key(&fold_name(&name.text));
        if !is_defined || !self.schema.lookup(&name.text).is_empty() {
            return None;
        }
        if let Some(tail) = c.tails.first() {
            let (words, rest) = (self.words(c.subject.span), self.words(tail.span));
            self.report(
                Diagnostic::new(Code::MisplacedWords, tail.span, format!("`{words}` is a whole condition already"))
                    .label(format!("`{rest}` does not fit a definition"))
                    .help("say it inside the definition, or join another condition with `and`")
                    .help("a definition may take values: `define \"bought in\" (period) as …`"),
            );
            return Some(Lowered::error());
        }
        let title = Title { text: name.text.clone(), span: name.span };
        let lowered = self.definition(&title, &[], name.span);
        Some(match c.leads.negative {
            Some(_) => Lowered::plain(lowered.cond.negate()),
            None => Lowered::plain(lowered.cond),
        })
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
            .help("without them: join `… is known` of its attributes to that with `and`"),
        );
    }

    /// What a definition means where it is used.
    pub(super) fn definition(&mut self, title: &Title, values: &[LiteralAt], span: Span) -> Lowered {
        let key = fold_name(&title.text);
        let Some(definition) = self.declared.definitions.get(&key).copied() else {
            let message = format!("there is no definition \"{}\"", title.text);
            let mut diagnostic = Diagnostic::new(Code::UnknownDefinition, title.span, message).label("not defined");
            let known = self.declared.definitions.values().map(|d| d.name.text.as_str());
            diagnostic = match suggestion(&title.text, known) {
                Some(near) => diagnostic.fix(title.span, format!("\"{near}\""), format!("did you mean `\"{near}\"`?")),
                None => diagnostic.help(format!("declare it: `define \"{}\" as …`", title.text)),
            };
            self.report(diagnostic);
            return Lowered::error();
        };
        if let Some(from) = self.reading.iter().position(|r| *r == key) {
            let mut steps: Vec<String> = self.reading.iter().skip(from).map(|r| format!("\"{r}\"")).collect();
            steps.push(format!("\"{key}\""));
            self.report(
                Diagnostic::new(Code::DefinitionCycle, span, "definitions use each other in a circle")
                    .label("this use closes the circle")
                    .help("leave one of these uses out")
                    .note(steps.join(" → ")),
            );
            return Lowered::error();
        }
        if self.reading.len() >= DEFINITIONS_MAX {
            self.report(
                Diagnostic::new(Code::NestingTooDeep, span, "definitions use definitions too deeply")
                    .label(format!("more than {DEFINITIONS_MAX} in each other"))
                    .help("write the inner ones out"),
            );
            return Lowered::error();
        }
        if definition.parameters.len() != values.len() {
            let (n, m) = (definition.parameters.len(), values.len());
            let wanted: Vec<&str> = definition.parameters.iter().map(|p| p.text.as_str()).collect();
            let form = match n {
                0 => format!("\"{}\"", definition.name.text),
                _ => format!("\"{}\" ({})", definition.name.text, wanted.join(", ")),
            };
            self.report(
                Diagnostic::new(
                    Code::WrongValues,
                    span,
                    format!("\"{}\" takes {n} value{}, not {m}", definition.name.text, if n == 1 { "" } else { "s" }),
                )
                .label(format!("{m} here"))
                .help(format!("write `{form}`, with a value for each name")),
            );
            return Lowered::error();
        }
        // A value may be a value of the definition around this one.
        let bound = definition.parameters.iter().zip(values);
        let bound = bound.map(|(p, v)| (fold_name(&p.text), v.clone())).collect();
        let outer = std::mem::replace(&mut self.parameters, bound);
        self.reading.push(key);
        let n_before = self.diagnostics.len();
        let cond = self.expr(&definition.body).cond;
        self.reading.pop();
        self.parameters = outer;
        if !self.reading.is_empty() {
            return Lowered::plain(cond);
        }
        // A problem inside shows at the definition, which may be read often.
        let found = self.diagnostics.split_off(n_before.min(self.diagnostics.len()));
        for diagnostic in found {
            if self.in_definitions.insert((diagnostic.primary.span, diagnostic.code.number())) {
                self.diagnostics.push(diagnostic);
            }
        }
        Lowered::plain(cond)
    }

    /// The value that stands for a name inside a definition.
    pub(super) fn parameter(&self, name: &Name) -> Option<&LiteralAt> {
        let key = fold_name(&name.text);
        self.parameters.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// `email is in list "vip"`
    pub(super) fn in_list(&mut self, left: &Compared<'_>, title: &Title) -> Option<Cond> {
        let Some(list) = self.declared.lists.get(&title.text).cloned() else {
            let message = format!("there is no list \"{}\"", title.text);
            let mut diagnostic = Diagnostic::new(Code::UnknownList, title.span, message).label("not declared");
            diagnostic = match suggestion(&title.text, self.declared.lists.keys().map(String::as_str)) {
                Some(near) => diagnostic.fix(title.span, format!("\"{near}\""), format!("did you mean `\"{near}\"`?")),
                None => diagnostic.help(format!("declare it: `list \"{}\" from \"lists/….csv\"`", title.text)),
            };
            self.report(diagnostic);
            return None;
        };
        if left.value.ty != Type::Text {
            let words = self.words(left.span);
            self.report(
                Diagnostic::new(
                    Code::OperatorNeedsType,
                    left.span,
                    format!("lists hold texts, and `{words}` is {}", left.value.ty.one()),
                )
                .label("not a text")
                .help("compare a text with a list, such as an email or an id"),
            );
            return None;
        }
        Some(Cond::InList(left.value.clone(), ListRef(list.0)))
    }

    /// `in a random 10% of people, by "winter-test"`
    pub(super) fn sample(&mut self, sample: &Sample) -> Lowered {
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
    pub(super) fn near_any_place(&mut self, near: &Near) -> Lowered {
        match self.schema.places.as_slice() {
            [place] => {
                let place = place.clone();
                self.near(&place, near)
            }
            [] => {
                self.report(
                    Diagnostic::new(Code::UnknownName, near.span, "the schema does not say where people are")
                        .label("of which place?")
                        .help("declare one in the schema: `[places]` with `home = { latitude = \"…\", longitude = \"…\" }`"),
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
            _ => diagnostic.help(format!("the places are {}", super::resolve::quoted_list(&known))),
        });
    }

    fn near(&mut self, place: &PlaceOf, near: &Near) -> Lowered {
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
            return Lowered::error();
        };
        let degrees = |id| Box::new(self.attribute(id));
        let (latitude, longitude) = (degrees(place.latitude), degrees(place.longitude));
        let distance =
            Expr { kind: ExprKind::Distance { latitude, longitude, to }, ty: Type::Number, may_be_missing: true };
        Lowered::plain(Cond::Compare(CompareOp::LessOrEqual, distance, Expr::literal(far, Type::Number)))
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
