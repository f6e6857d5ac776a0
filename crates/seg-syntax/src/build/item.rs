//! Declarations: segments with their headers, definitions, lists, rules, the
//! order of precedence, tests.

use super::Builder;
use super::time::unit_of;
use crate::ast::{
    DateLiteral, Definition, Expectation, Expected, Fact, FactTime, FactValue, Header, Item, ListDeclaration,
    LiteralAt, Name, Overlap, Precedence, Profile, Segment, SizeChange, Test, Title, Unit, Used,
};
use crate::grammar::Rule;
use crate::source::Span;
use pest::iterators::Pair;

impl Builder<'_> {
    pub(super) fn item(&mut self, pair: Pair<'_, Rule>) -> Option<Item> {
        match pair.as_rule() {
            Rule::segment => self.segment(pair).map(Item::Segment),
            Rule::definition => self.definition(pair).map(Item::Definition),
            Rule::list_declaration => {
                let span = self.span(&pair);
                let mut texts = pair.into_inner().filter(|p| p.as_rule() == Rule::text);
                let (name, path) = (self.title(&texts.next()?), self.title(&texts.next()?));
                Some(Item::List(ListDeclaration { name, path, span }))
            }
            Rule::universal_rule => {
                let span = self.span(&pair);
                let channel = pair.clone().into_inner().find(|p| p.as_rule() == Rule::channel);
                let channel = channel.map(|c| self.channel(c));
                let body = self.expression_in(pair);
                Some(Item::Rule(crate::ast::Rule { channel, body, span }))
            }
            Rule::precedence => {
                let span = self.span(&pair);
                let names = pair.into_inner().filter(|p| p.as_rule() == Rule::text).map(|p| self.title(&p)).collect();
                Some(Item::Precedence(Precedence { names, span }))
            }
            Rule::test => self.test(pair).map(Item::Test),
            _ => None,
        }
    }

    fn segment(&mut self, pair: Pair<'_, Rule>) -> Option<Segment> {
        let span = self.span(&pair);
        let mut name = None;
        let mut header = Header::default();
        let mut include = None;
        let mut excludes = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::text => name = Some(self.title(&part)),
                Rule::header => {
                    if let Some(line) = part.into_inner().next() {
                        self.header_line(&mut header, line);
                    }
                }
                Rule::include => include = Some(self.expression_in(part)),
                Rule::exclude => excludes.push(self.expression_in(part)),
                _ => {}
            }
        }
        Some(Segment { name: name?, span, header, include: include?, excludes })
    }

    fn header_line(&mut self, header: &mut Header, line: Pair<'_, Rule>) {
        let span = self.span(&line);
        let text = line.clone().into_inner().find(|p| p.as_rule() == Rule::text).map(|p| self.title(&p));
        let is_repeated = match line.as_rule() {
            Rule::used_by => {
                header.uses.extend(self.used(line));
                false
            }
            Rule::owned_by => std::mem::replace(&mut header.owner, text).is_some(),
            Rule::described_as => std::mem::replace(&mut header.description, text).is_some(),
            Rule::archived => header.archived.replace(span).is_some(),
            Rule::regardless => std::mem::replace(&mut header.regardless, text).is_some(),
            Rule::grace => {
                let length = line.into_inner().find(|p| p.as_rule() == Rule::length);
                let length = length.and_then(|length| self.length(length));
                std::mem::replace(&mut header.grace, length).is_some()
            }
            Rule::expect_size => {
                let quantity = line.into_inner().find(|p| p.as_rule() == Rule::quantity);
                let quantity = quantity.and_then(|q| self.quantity(q));
                std::mem::replace(&mut header.size, quantity).is_some()
            }
            Rule::expect_overlap => {
                let mut percent = String::new();
                for part in line.into_inner() {
                    match part.as_rule() {
                        Rule::number => percent = part.as_str().replace('_', ""),
                        Rule::text => {
                            let other = self.title(&part);
                            header.overlaps.push(Overlap { percent: std::mem::take(&mut percent), other, span });
                        }
                        _ => {}
                    }
                }
                false
            }
            Rule::expect_change => {
                let mut change = SizeChange { percent: String::new(), per: Unit::Day, span };
                for part in line.into_inner() {
                    match part.as_rule() {
                        Rule::number => change.percent = part.as_str().replace('_', ""),
                        Rule::unit => change.per = unit_of(&part),
                        _ => {}
                    }
                }
                header.change.replace(change).is_some()
            }
            Rule::frozen => self.frozen(header, line),
            Rule::allowed => {
                let code = line.into_inner().find(|p| p.as_rule() == Rule::lint_code);
                let code = code.map_or(String::new(), |c| c.as_str().to_uppercase());
                header.allowed.extend(text.map(|why| (code, why)));
                false
            }
            Rule::in_zone => {
                let zone = line.into_inner().find(|p| p.as_rule() == Rule::zone_name);
                let zone = zone.map(|z| (z.as_str().to_owned(), span));
                std::mem::replace(&mut header.zone, zone).is_some()
            }
            _ => false,
        };
        if is_repeated {
            header.repeated.push(span);
        }
    }

    fn frozen(&mut self, header: &mut Header, line: Pair<'_, Rule>) -> bool {
        let mut is_until = false;
        let mut date = None;
        for part in line.into_inner() {
            match part.as_rule() {
                Rule::kw_until => is_until = true,
                Rule::date => date = self.date_at(part),
                _ => {}
            }
        }
        let slot = if is_until { &mut header.frozen_until } else { &mut header.frozen_since };
        std::mem::replace(slot, date).is_some()
    }

    fn date_at(&mut self, pair: Pair<'_, Rule>) -> Option<(DateLiteral, Span)> {
        let operand = self.date_operand(pair);
        match operand.kind {
            crate::ast::OperandKind::Literal(crate::ast::Literal::Date(date)) => Some((date, operand.span)),
            _ => None,
        }
    }

    fn used(&mut self, pair: Pair<'_, Rule>) -> Option<Used> {
        let mut kind = "campaign";
        let mut by = None;
        let mut channels = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_journey => kind = "journey",
                Rule::kw_flow => kind = "flow",
                Rule::text => by = Some(self.title(&part)),
                Rule::channel => channels.push(self.channel(part)),
                _ => {}
            }
        }
        Some(Used { kind: kind.to_owned(), by: by?, channels })
    }

    /// A channel by a word or by a text.
    fn channel(&mut self, pair: Pair<'_, Rule>) -> Title {
        let span = self.span(&pair);
        match pair.clone().into_inner().find(|p| p.as_rule() == Rule::text) {
            Some(text) => self.title(&text),
            None => Title { text: super::single_spaced(pair.as_str()), span },
        }
    }

    fn definition(&mut self, pair: Pair<'_, Rule>) -> Option<Definition> {
        let span = self.span(&pair);
        let mut name = None;
        let mut parameters = Vec::new();
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::text => name = Some(self.title(&part)),
                Rule::parameters => {
                    for parameter in part.into_inner().filter(|p| p.as_rule() == Rule::bare_name) {
                        let at = self.span(&parameter);
                        let text = super::single_spaced(parameter.as_str());
                        parameters.push(Name { text, is_quoted: false, their: false, span: at });
                    }
                }
                _ => {}
            }
        }
        let body = self.expression_in(pair);
        Some(Definition { name: name?, parameters, body, span })
    }

    fn test(&mut self, pair: Pair<'_, Rule>) -> Option<Test> {
        let span = self.span(&pair);
        let mut name = None;
        let (mut at, mut profiles, mut expectations) = (None, Vec::new(), Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::text => name = Some(self.title(&part)),
                Rule::test_line => {
                    let Some(line) = part.into_inner().next() else { continue };
                    match line.as_rule() {
                        Rule::test_at => {
                            let date = line.into_inner().find(|p| p.as_rule() == Rule::date);
                            at = date.and_then(|d| self.date_at(d)).or(at);
                        }
                        Rule::profile => profiles.extend(self.profile(line)),
                        Rule::expectation => expectations.extend(self.expectation(line)),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Some(Test { name: name?, at, profiles, expectations, span })
    }

    fn profile(&mut self, pair: Pair<'_, Rule>) -> Option<Profile> {
        let mut id = None;
        let mut facts = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::text => id = Some(self.title(&part)),
                Rule::fact => {
                    let fact = part.into_inner().next().and_then(|f| self.fact(f));
                    facts.extend(fact);
                }
                _ => {}
            }
        }
        Some(Profile { id: id?, facts })
    }

    fn fact(&mut self, pair: Pair<'_, Rule>) -> Option<Fact> {
        let is_event = pair.as_rule() == Rule::fact_did;
        let (mut name, mut time, mut since) = (None, None, None);
        let (mut values, mut properties) = (Vec::new(), Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.name(part, false)),
                Rule::fact_time => time = Some(self.fact_time(part)?),
                Rule::literal => values.push(self.literal_at(part)),
                Rule::fact_since => {
                    let time = part.into_inner().find(|p| p.as_rule() == Rule::fact_time);
                    since = time.and_then(|time| self.fact_time(time));
                }
                Rule::fact_property => properties.extend(self.fact_property(part)),
                _ => {}
            }
        }
        let name = name?;
        Some(match (is_event, time) {
            (true, Some(time)) => Fact::Did { event: name, time, properties },
            (true, None) => return None,
            (false, Some(time)) => Fact::WasAt { attribute: name, time },
            (false, None) => Fact::Is { attribute: name, values, since },
        })
    }

    fn fact_time(&mut self, pair: Pair<'_, Rule>) -> Option<FactTime> {
        let inner = pair.into_inner().find(|p| matches!(p.as_rule(), Rule::length | Rule::date))?;
        match inner.as_rule() {
            Rule::length => self.length(inner).map(FactTime::Ago),
            _ => self.date_at(inner).map(|(date, span)| FactTime::At(date, span)),
        }
    }

    fn fact_property(&mut self, pair: Pair<'_, Rule>) -> Option<(Name, FactValue)> {
        let (mut name, mut value) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::of_name => name = Some(self.name(part, false)),
                Rule::literal => value = Some(FactValue::Literal(self.literal_at(part))),
                Rule::fact_record => {
                    let fields = part.into_inner().filter(|p| p.as_rule() == Rule::fact_field);
                    value = Some(FactValue::Record(fields.filter_map(|field| self.fact_field(field)).collect()));
                }
                _ => {}
            }
        }
        Some((name?, value?))
    }

    fn fact_field(&mut self, pair: Pair<'_, Rule>) -> Option<(Name, LiteralAt)> {
        let (mut name, mut value) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::of_name => name = Some(self.name(part, false)),
                Rule::literal => value = Some(self.literal_at(part)),
                _ => {}
            }
        }
        Some((name?, value?))
    }

    fn expectation(&mut self, pair: Pair<'_, Rule>) -> Option<Expectation> {
        let span = self.span(&pair);
        let (mut later, mut is_not, mut wins) = (None, false, false);
        let mut texts = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::length => later = Some(self.length(part)?),
                Rule::kw_not => is_not = true,
                Rule::kw_wins => wins = true,
                Rule::text => texts.push(self.title(&part)),
                _ => {}
            }
        }
        let mut texts = texts.into_iter();
        let id = texts.next()?;
        let segment = texts.next();
        let what = match (wins, is_not, segment) {
            (true, _, segment) => Expected::Wins(segment),
            (false, false, segment) => Expected::In(segment?),
            (false, true, segment) => Expected::NotIn(segment?),
        };
        Some(Expectation { later, id, what, span })
    }
}
