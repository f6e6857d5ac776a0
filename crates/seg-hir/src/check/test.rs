//! Test blocks: facts with the schema's types, expectations of known people.

use crate::hir::{Expectation, Expected, ExprKind, Test, TestEvent, TestProfile};
use crate::lower::Lower;
use seg_data::schema::{Target, fold_name};
use seg_data::{AttributeId, EventId, PropertyId, Timestamp, Type, Value, Zone};
use seg_syntax::ast::{self, Fact, FactTime, FactValue, LiteralAt, Name, Title};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

/// What a test means; `None` when that was reported.
pub(super) fn lower(lower: &mut Lower<'_>, test: &ast::Test) -> Option<Test> {
    let n_before = lower.diagnostics.len();
    let at = lower.test_instant(test)?;
    let mut profiles: Vec<TestProfile> = Vec::new();
    for profile in &test.profiles {
        if profiles.iter().any(|p| p.id == profile.id.text) {
            lower.diagnostics.push(
                Diagnostic::new(
                    Code::DuplicateDeclaration,
                    profile.id.span,
                    format!("\"{}\" is there twice", profile.id.text),
                )
                .label("the second")
                .help("write all facts of a person behind one `profile`, separated by commas"),
            );
        }
        profiles.push(lower.profile(profile, at));
    }
    let mut expectations = Vec::new();
    for expected in &test.expectations {
        expectations.extend(lower.expectation(expected, &profiles, at));
    }
    if expectations.is_empty() && lower.diagnostics.len() == n_before {
        lower.diagnostics.push(
            Diagnostic::new(
                Code::EmptyTest,
                test.name.span,
                format!("the test \"{}\" expects nothing", test.name.text),
            )
            .label("it could not fail")
            .help("add a line such as `expect \"ann\" in \"VIP\"`"),
        );
    }
    let (name, span) = (test.name.text.clone(), test.name.span);
    Some(Test { name, span, at, profiles, expectations })
}

impl Lower<'_> {
    fn test_instant(&mut self, test: &ast::Test) -> Option<Timestamp> {
        let Some((date, span)) = &test.at else {
            self.diagnostics.push(
                Diagnostic::new(Code::EmptyTest, test.name.span, format!("when is \"{}\" judged?", test.name.text))
                    .label("no instant")
                    .help("add a line such as `at 2026-06-01 12:00`"),
            );
            return None;
        };
        self.instant(date, *span)
    }

    /// A written date as an instant: its first, where it is a whole day.
    fn instant(&mut self, date: &ast::DateLiteral, span: Span) -> Option<Timestamp> {
        let expr = self.date_literal(date, span);
        match expr.kind {
            ExprKind::Literal(Value::Timestamp(at)) => Some(at),
            ExprKind::Literal(Value::Date(day)) => self.zone(span).map(|zone| zone.start_of_day(day)),
            _ => None,
        }
    }

    fn fact_time(&mut self, time: &FactTime, at: Timestamp) -> Option<Timestamp> {
        match time {
            FactTime::Ago(length) => self.length(length).map(|length| length.before(at)),
            FactTime::At(date, span) => self.instant(date, *span),
        }
    }

    fn profile(&mut self, profile: &ast::Profile, at: Timestamp) -> TestProfile {
        let mut known = TestProfile { id: profile.id.text.clone(), ..TestProfile::default() };
        for fact in &profile.facts {
            match fact {
                Fact::Did { event, time, properties } => {
                    let event = self.event_named(event);
                    let time = self.fact_time(time, at);
                    if let (Some(event), Some(time)) = (event, time) {
                        let mut did = TestEvent { event, time, properties: Vec::new(), records: Vec::new() };
                        properties.iter().for_each(|(name, value)| self.property_is(&mut did, name, value));
                        known.events.push(did);
                    }
                }
                Fact::Is { attribute, values, since } => {
                    let Some((id, ty)) = self.attribute_named(attribute) else { continue };
                    let Some(value) = self.fact_value(attribute, &ty, values) else { continue };
                    match since {
                        None => known.attributes.push((id, value)),
                        Some(since) => {
                            let since = self.since(id, attribute, since, at);
                            known.changes.extend(since.map(|since| (since, id, value)));
                        }
                    }
                }
                Fact::WasAt { attribute, time } => {
                    let Some((id, ty)) = self.attribute_named(attribute) else { continue };
                    let is_day = ty == Type::Date;
                    let zone = if is_day { self.zone(attribute.span) } else { Some(Zone::UTC) };
                    let (Some(time), Some(zone)) = (self.fact_time(time, at), zone) else { continue };
                    match ty {
                        Type::Timestamp => known.attributes.push((id, Value::Timestamp(time))),
                        Type::Date => known.attributes.push((id, Value::Date(zone.date(time)))),
                        _ => self.wrong_fact(attribute, &ty),
                    }
                }
            }
        }
        known
    }

    /// When an attribute was set, if it may be said of it.
    fn since(&mut self, id: AttributeId, name: &Name, since: &FactTime, at: Timestamp) -> Option<Timestamp> {
        if !self.schema().attribute(id).is_some_and(|a| a.keeps_history) {
            let message = format!("no history is kept of `{}`", name.text);
            let diagnostic = Diagnostic::new(Code::TypeMismatch, name.span, message)
                .label("has one value, whatever the time")
                .help(format!("leave `since` out, or write `history = true` at `{}` in the schema", name.text));
            self.diagnostics.push(diagnostic);
            return None;
        }
        self.fact_time(since, at)
    }

    fn event_named(&mut self, name: &Name) -> Option<EventId> {
        match self.schema().lookup(&name.text) {
            [Target::Event(id)] => Some(*id),
            [_] => {
                self.diagnostics.push(
                    Diagnostic::new(Code::NotAnEvent, name.span, format!("`{}` is not one event", name.text))
                        .label("an event is needed here")
                        .help("say what the person did, by the event's own name"),
                );
                None
            }
            _ => {
                let diagnostic = self.unknown_name(name);
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    fn attribute_named(&mut self, name: &Name) -> Option<(AttributeId, Type)> {
        let found = match self.schema().lookup(&name.text) {
            [Target::Attribute(id)] => self.schema().attribute(*id).map(|field| (*id, field.ty.clone())),
            _ => None,
        };
        if found.is_none() {
            let diagnostic = self.unknown_name(name);
            self.diagnostics.push(diagnostic);
        }
        found
    }

    /// Adds a property to an event, or a record to the list that one is.
    fn property_is(&mut self, did: &mut TestEvent, name: &Name, value: &FactValue) {
        let Some((id, ty)) = self.property_named(did.event, name) else { return };
        match (value, &ty) {
            (FactValue::Literal(value), _) => {
                let value = self.fact_value(name, &ty, std::slice::from_ref(value));
                did.properties.extend(value.map(|value| (id, value)));
            }
            (FactValue::Record(said), Type::Records(fields)) => {
                let mut record = Vec::with_capacity(said.len());
                for (field, value) in said {
                    let known = fields.iter().find(|(name, _)| fold_name(name) == fold_name(&field.text));
                    let Some((known, ty)) = known else {
                        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
                        self.diagnostics.push(
                            Diagnostic::new(
                                Code::UnknownName,
                                field.span,
                                format!("`{}` has no field `{}`", name.text, field.text),
                            )
                            .label("not a field of these records")
                            .help(format!("the fields are `{}`", names.join("`, `"))),
                        );
                        continue;
                    };
                    let value = self.fact_value(field, ty, std::slice::from_ref(value));
                    record.extend(value.map(|value| (known.clone(), value)));
                }
                did.records.push((id, record));
            }
            (FactValue::Record(_), _) => self.wrong_fact(name, &ty),
        }
    }

    fn property_named(&mut self, event: EventId, name: &Name) -> Option<(PropertyId, Type)> {
        let of = self.schema().event(event)?;
        let found = of.property(&name.text).and_then(|id| Some((id, of.properties.get(id.idx())?.ty.clone())));
        if found.is_none() {
            let diagnostic = self.unknown_property(name, &[event]);
            self.diagnostics.push(diagnostic);
        }
        found
    }

    /// A literal, or several, as a value of a type.
    fn fact_value(&mut self, name: &Name, ty: &Type, values: &[LiteralAt]) -> Option<Value> {
        let one_ty = match ty {
            Type::List(element) => element.ty(),
            ty => ty.clone(),
        };
        let mut items = Vec::new();
        for at in values {
            let value = self.value_of_literal(&at.literal, at.span, &one_ty);
            match value.kind {
                ExprKind::Literal(Value::Integer(n)) if one_ty == Type::Money => {
                    items.extend(seg_data::Money::from_integer(n).map(Value::from));
                }
                ExprKind::Literal(Value::Integer(n)) if one_ty == Type::Number => items.extend(Value::number(n as f64)),
                ExprKind::Literal(Value::Date(day)) if one_ty == Type::Timestamp => {
                    items.extend(self.zone(at.span).map(|zone| Value::Timestamp(zone.start_of_day(day))));
                }
                ExprKind::Literal(value_is) if value.ty == one_ty => items.push(value_is),
                ExprKind::Error => return None,
                _ => {
                    self.wrong_fact(name, ty);
                    return None;
                }
            }
        }
        match (ty, items.len()) {
            (Type::List(_), _) => Some(Value::List(items)),
            (_, 1) => items.pop(),
            _ => {
                self.wrong_fact(name, ty);
                None
            }
        }
    }

    fn wrong_fact(&mut self, name: &Name, ty: &Type) {
        self.diagnostics.push(
            Diagnostic::new(Code::TypeMismatch, name.span, format!("`{}` is {}", name.text, ty.one()))
                .label("given another kind of value")
                .note(match ty {
                    Type::Records(fields) => {
                        let field = fields.first().map_or("field", |(name, _)| name);
                        format!("write each record in brackets: `{} ({field} …)`", name.text)
                    }
                    _ => "give it a value of that kind".to_owned(),
                }),
        );
    }

    fn expectation(
        &mut self,
        expected: &ast::Expectation,
        profiles: &[TestProfile],
        at: Timestamp,
    ) -> Option<Expectation> {
        let id = expected.id.text.clone();
        if !profiles.iter().any(|p| p.id == id) {
            let known: Vec<&str> = profiles.iter().map(|p| p.id.as_str()).collect();
            let diagnostic =
                Diagnostic::new(Code::UnknownName, expected.id.span, format!("the test has no profile \"{id}\""))
                    .label("nobody of that name");
            self.diagnostics.push(match crate::names::suggestion(&id, known.iter().copied()) {
                Some(near) => {
                    diagnostic.fix(expected.id.span, format!("\"{near}\""), format!("did you mean `\"{near}\"`?"))
                }
                None => diagnostic.help(format!("add `profile \"{id}\"` with what is known of them")),
            });
            return None;
        }
        let at = match &expected.later {
            Some(later) => self.length(later)?.after(at),
            None => at,
        };
        let what = match &expected.what {
            ast::Expected::In(title) => Expected::In(self.segment_named(title)?),
            ast::Expected::NotIn(title) => Expected::NotIn(self.segment_named(title)?),
            ast::Expected::Wins(Some(title)) => Expected::Wins(Some(self.segment_named(title)?)),
            ast::Expected::Wins(None) => Expected::Wins(None),
        };
        Some(Expectation { at, id, what, span: expected.span })
    }

    pub(super) fn segment_named(&mut self, title: &Title) -> Option<crate::hir::SegmentId> {
        match self.resolve_segment(title) {
            Ok(id) => Some(id),
            Err(diagnostic) => {
                self.diagnostics.extend(diagnostic.map(|d| *d));
                None
            }
        }
    }
}
