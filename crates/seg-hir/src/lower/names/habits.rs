//! What people call things by habit that a schema has under other words: money spent,
//! carts left, people asked for.

use crate::lower::{Lower, Lowered};
use crate::names::LENGTH_MAX;
use seg_data::schema::{Field, Role, Target, fold_name};
use seg_data::{EventId, Type};
use seg_syntax::ast::{Age, Condition, Modifier, ModifierKind, Name, OperandKind, Window};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::names::display;
use seg_syntax::source::Span;

/// What is called the sum of all purchases.
const TOTALS: [&str; 14] = [
    "amount spent",
    "clv",
    "customer lifetime value",
    "lifetime value",
    "ltv",
    "money spent",
    "order value",
    "revenue",
    "spend",
    "spending",
    "spent",
    "total order value",
    "total revenue",
    "total spend",
];

/// What is called the mean of all purchases.
const AVERAGES: [&str; 8] = [
    "aov",
    "average basket",
    "average basket value",
    "average order",
    "average order size",
    "average order value",
    "average purchase value",
    "average spend",
];

/// Who a condition speaks of without being told.
const PEOPLE: [&str; 12] = [
    "buyers",
    "clients",
    "contacts",
    "customers",
    "everybody",
    "members",
    "people",
    "profiles",
    "shoppers",
    "subscribers",
    "those",
    "users",
];

/// What stands for a thing that was named before.
const PRONOUNS: [&str; 4] = ["it", "one", "them", "this"];

/// What was probably meant by a name that the schema does not have.
pub(super) enum Meant {
    /// These words instead of those at a place, and how a message says it.
    Words(Span, String, String),
    /// A sentence that says it in other words.
    Sentence(String),
}

impl Meant {
    pub(super) fn told(self, diagnostic: Diagnostic) -> Diagnostic {
        match self {
            Meant::Words(at, right, title) => diagnostic.fix(at, right, title),
            Meant::Sentence(help) => diagnostic.help(help),
        }
    }
}

impl Lower<'_> {
    /// What was meant by an unknown name.
    pub(super) fn meant(&self, name: &Name) -> Option<Meant> {
        if name.is_quoted || name.text.len() > LENGTH_MAX {
            return None;
        }
        let folded = fold_name(&name.text);
        self.value_of_purchases(name, &folded)
            .or_else(|| self.without_its_verb(name, &folded))
            .or_else(|| self.people_asked_for(name, &folded))
            .or_else(|| self.left_behind(&folded))
            .or_else(|| self.begun_phrase(name, &folded))
    }

    /// `spent more than 1000 in the past 90 days`: all of the condition, put the way it is
    /// said of events.
    pub(in crate::lower) fn spent(&self, c: &Condition) -> Option<Diagnostic> {
        // Few conditions have this form, so that it is looked at before any name.
        let [compared, window] = c.modifiers.as_slice() else { return None };
        let (ModifierKind::Comparison(_), ModifierKind::Window(_)) = (&compared.kind, &window.kind) else {
            return None;
        };
        let OperandKind::Name(name) = &c.subject.kind else { return None };
        if name.is_quoted || name.text.len() > LENGTH_MAX || !self.schema.lookup(&name.text).is_empty() {
            return None;
        }
        let folded = fold_name(&name.text);
        let total = self.of_purchases(&folded)?;
        let (compared, window, at) =
            (self.words(compared.span), self.words(window.span), c.subject.span.to(window.span));
        let is = if compared.starts_with("is ") || compared.starts_with("was ") { "" } else { "is " };
        let right = format!("{total} {window} {is}{compared}");
        let title = format!("for what their purchases come to: `{right}`");
        Some(self.not_known(name).fix(at, right, title))
    }

    fn value_of_purchases(&self, name: &Name, folded: &str) -> Option<Meant> {
        let right = self.of_purchases(folded)?;
        let title = format!("for what their purchases come to: `{right}`");
        Some(Meant::Words(name.span, right, title))
    }

    /// `total amount of Order Completed`, where one event is a purchase and has one sum of
    /// money.
    fn of_purchases(&self, folded: &str) -> Option<String> {
        let function = match folded {
            _ if TOTALS.contains(&folded) => "total",
            _ if AVERAGES.contains(&folded) => "average",
            _ => return None,
        };
        let purchase = self.only_with_role(Role::Purchase)?;
        let sum = self.only_sum_of(&[purchase])?;
        Some(format!("{function} {sum} of {}", display(&self.schema.event(purchase)?.name)))
    }

    /// The one property of an event that is an amount of money.
    pub(in crate::lower) fn only_sum_of(&self, events: &[EventId]) -> Option<String> {
        let [event] = events else { return None };
        let mut sums = self.schema.event(*event)?.properties.iter().filter(|p| p.ty == Type::Money);
        match (sums.next(), sums.next()) {
            (Some(sum), None) => Some(display(&sum.name)),
            _ => None,
        }
    }

    fn only_with_role(&self, role: Role) -> Option<EventId> {
        let mut found = (0..).map(EventId).zip(&self.schema.events).filter(|(_, event)| event.role == Some(role));
        match (found.next(), found.next()) {
            (Some((id, _)), None) => Some(id),
            _ => None,
        }
    }

    /// `with loyalty points above 1000`, `without email consent`
    fn without_its_verb(&self, name: &Name, folded: &str) -> Option<Meant> {
        let (verb, rest) = folded.split_once(' ')?;
        let text = self.sources.text(name.span);
        let at = text.find(char::is_whitespace)?;
        let from = at + text.get(at..)?.find(|c: char| !c.is_whitespace())?;
        let words: Vec<&str> = rest.split(' ').collect();
        let known = (1..=words.len()).rev().find_map(|n| {
            let known = words.get(..n)?.join(" ");
            let [target] = self.schema.lookup(&known) else { return None };
            Some((n == words.len(), *target))
        })?;
        match (verb, known) {
            ("with" | "having", (_, Target::Attribute(_))) => {
                let leading = Span { end: name.span.start + from as u32, ..name.span };
                Some(Meant::Words(leading, String::new(), format!("leave `{verb}` out")))
            }
            ("without", (true, Target::Attribute(id))) => {
                let state = match self.schema.attribute(id)?.ty {
                    Type::Boolean => "is false or unknown",
                    _ => "is unknown",
                };
                let right = format!("{} {state}", text.get(from..)?);
                let title = format!("write `{right}`");
                Some(Meant::Words(name.span, right, title))
            }
            ("without", (true, Target::Event(_) | Target::Group(_))) => {
                let right = format!("did not do {}", display(self.schema.name_of(known.1)));
                let title = format!("write `{right}`");
                Some(Meant::Words(name.span, right, title))
            }
            _ => None,
        }
    }

    /// `bought shoes`, `bought category shoes`: what stands behind an event as the value of one
    /// of its properties.
    pub(super) fn property_of(&self, known: &str, rest: &str) -> Option<(String, String)> {
        const PREPOSITIONS: [&str; 10] = ["at", "before", "by", "during", "for", "from", "in", "on", "since", "with"];
        let [Target::Event(event)] = self.schema.lookup(known) else { return None };
        if rest.len() > LENGTH_MAX {
            return None;
        }
        let texts = || self.schema.event(*event).into_iter().flat_map(|e| &e.properties).filter(|p| p.ty == Type::Text);
        let words: Vec<&str> = rest.split(' ').collect();
        if words.first().is_some_and(|first| PREPOSITIONS.contains(&first.to_lowercase().as_str())) {
            return None;
        }
        let said_first = (1..words.len()).find_map(|n| {
            let (name, value) = (words.get(..n)?.join(" "), words.get(n..)?.join(" "));
            let property = self.schema.event(*event)?.property(&name)?;
            let field = self.schema.event(*event)?.properties.get(property.idx())?;
            (field.ty == Type::Text).then_some((field.name.as_str(), value))
        });
        let mut others = texts().map(|field| field.name.as_str()).filter(|name| !is_id(name));
        let (name, value) = match (said_first, others.next(), others.next()) {
            (Some(said), _, _) => said,
            (None, Some(only), None) => (only, rest.to_owned()),
            (None, _, _) => return None,
        };
        let right = format!("where {} is \"{value}\"", display(name));
        let title = format!("for what it was of: `{known} {right}`");
        Some((format!(" {right}"), title))
    }

    /// `customers with more than 5 orders`
    fn people_asked_for(&self, name: &Name, folded: &str) -> Option<Meant> {
        if !PEOPLE.contains(&folded) {
            return None;
        }
        let after = self.sources.get(name.span.source)?.text.get(name.span.end as usize..)?;
        let word = after.split_whitespace().next().filter(|word| ["with", "having"].contains(word))?;
        let behind = after.find(word)? + word.len();
        let end = behind + after.get(behind..)?.find(|c: char| !c.is_whitespace())?;
        let at = Span { end: name.span.end + u32::try_from(end).ok()?, ..name.span };
        let title = format!("every condition is about people already: leave `{folded} {word}` out");
        Some(Meant::Words(at, String::new(), title))
    }

    /// `abandoned cart`, `inactive`
    fn left_behind(&self, folded: &str) -> Option<Meant> {
        let event = |role| Some(display(&self.schema.event(self.only_with_role(role)?)?.name));
        let first = folded.split(' ').next()?;
        let is_of = |words: &[&str]| words.iter().any(|word| folded.contains(word));
        match first {
            "abandoned" | "abandon" | "abandons" | "left" => {
                let begun = match is_of(&["checkout"]) {
                    true => event(Role::Checkout),
                    false if is_of(&["cart", "basket", "bag"]) => event(Role::Cart).or_else(|| event(Role::Checkout)),
                    false => None,
                }?;
                let purchase = event(Role::Purchase)?;
                let sentence = format!("did {begun} in the past 2 days with no {purchase} since");
                Some(Meant::Sentence(format!("for what was begun and not bought: `{sentence}`")))
            }
            "inactive" | "dormant" | "lapsed" | "churned" | "sleeping" => Some(Meant::Sentence(
                "say since when nothing was done: `did not do anything in the past 90 days`".to_owned(),
            )),
            "active" | "engaged" => {
                Some(Meant::Sentence("say what was done, and when: `did anything in the past 30 days`".to_owned()))
            }
            _ => None,
        }
    }

    /// `opened` or `clicked it`, where names begin with the word: `opened an email`.
    fn begun_phrase(&self, name: &Name, folded: &str) -> Option<Meant> {
        let begun = match folded.rsplit_once(' ') {
            Some((verb, pronoun)) if PRONOUNS.contains(&pronoun) => verb,
            _ => folded,
        };
        let goes_on = |known: &str| fold_name(known).strip_prefix(begun).is_some_and(|rest| rest.starts_with(' '));
        let found: Vec<(&str, Target)> = self
            .schema
            .all_names()
            .filter(|(known, ..)| goes_on(known))
            .map(|(known, target, _)| (known, target))
            .collect();
        let (_, target) = found.first()?;
        if found.iter().any(|(_, other)| other != target) {
            return None;
        }
        let has_article = |known: &str| known.split(' ').any(|word| word == "a" || word == "an");
        let (known, _) = found.iter().max_by_key(|(known, _)| (has_article(known), std::cmp::Reverse(known.len())))?;
        let right = display(known);
        let title = format!("did you mean `{right}`?");
        Some(Meant::Words(name.span, right, title))
    }

    /// What a schema has, for somebody whose words are like none of its names.
    pub(super) fn what_there_is(&self) -> Vec<String> {
        const SHOWN: usize = 6;
        let listed = |kind: &str, names: Vec<String>| {
            let (shown, n) =
                (names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>(), names.len());
            let rest = match n.saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            (n > 0).then(|| format!("{kind}: {}{rest}", shown.join(", ")))
        };
        let attributes = self.schema.attributes.iter().map(|field| display(&field.name)).collect();
        let events = self.schema.events.iter().map(|event| display(&event.name)).collect();
        [listed("attributes of people", attributes), listed("events", events)].into_iter().flatten().collect()
    }

    /// `last order more than 60 days ago`, `their first order`: what may be said of one event.
    pub(in crate::lower) fn nothing_said_of_end(&mut self, c: &Condition, events: &[EventId]) -> Lowered {
        let words = self.words(c.subject.span);
        let message = format!("`{words}` alone says nothing of a person");
        let last = c.modifiers.last().map_or(c.subject.span, |modifier| modifier.span);
        let diagnostic = Diagnostic::new(Code::NeedsComparison, c.subject.span.to(last), message).label("one event");
        let window = match c.modifiers.as_slice() {
            [Modifier { kind: ModifierKind::Window(window), span }] if is_span_of_time(window) => {
                Some(self.words(*span))
            }
            _ => None,
        };
        let diagnostic = match window {
            Some(window) => {
                let at = Span { start: c.subject.span.end, ..c.subject.span };
                diagnostic.fix(at, " was", format!("for when it was: `{words} was {window}`"))
            }
            None => diagnostic.help(format!("for when it was: `{} was more than 30 days ago`", their(&words))),
        };
        let event = events.first().and_then(|event| self.schema.event(*event));
        let is_text = |field: &&Field| field.ty == Type::Text && !is_id(&field.name);
        let text = event.and_then(|event| event.properties.iter().find(is_text));
        let diagnostic = match text {
            Some(text) => {
                let value = text.allowed.as_ref().and_then(|allowed| allowed.first()).map_or("shoes", String::as_str);
                diagnostic.help(format!("for what it was: `{} had {} \"{value}\"`", their(&words), display(&text.name)))
            }
            None => diagnostic,
        };
        self.report(diagnostic);
        Lowered::error()
    }
}

/// Whether a property tells things apart rather than what they are.
fn is_id(name: &str) -> bool {
    name == "id" || name.ends_with("_id") || name.ends_with(" id")
}

fn their(words: &str) -> String {
    match words.starts_with("their ") {
        true => words.to_owned(),
        false => format!("their {words}"),
    }
}

/// Whether a window says of one moment whether it lies within.
fn is_span_of_time(window: &Window) -> bool {
    match window {
        Window::Past(_) | Window::Calendar { .. } | Window::Between(..) | Window::Beside(..) | Window::Dates(..) => {
            true
        }
        Window::Ago(age) => !matches!(age, Age::Exactly(_)),
        Window::Dated(..) | Window::PastNamed(_) => true,
        Window::Next(_) | Window::Ahead(_) | Window::Anchored(..) | Window::Ever => false,
    }
}
