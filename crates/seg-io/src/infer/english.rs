//! What the names of data say in English: verbs, nouns and roles of events, days of every
//! year, channels, groups. All of it is a guess from names, and is written down as one.

use seg_data::schema::{Noun, Verb, article, base_of_past, fold_name};
use std::collections::BTreeMap;

/// What is guessed of one event.
#[derive(Default)]
pub(crate) struct Guess {
    /// Verbs in their base form: `open an email`.
    pub verbs: Vec<String>,
    /// A noun in the singular: `order`.
    pub noun: Option<String>,
    /// `purchase`, `checkout`, `cart`, `view` or `message`.
    pub role: Option<&'static str>,
}

/// Events whose names begin with one word.
pub(crate) struct Group<'a> {
    /// The word, as the first of them has it.
    pub begins: &'a str,
    n_events: usize,
}

impl Group<'_> {
    /// What they are called together: `Email activity`.
    pub(crate) fn name(&self) -> String {
        format!("{} activity", self.begins)
    }
}

/// Words that no name of a sentence begins with, or whose past is one.
const RESERVED: [&str; 23] = [
    "is",
    "are",
    "was",
    "were",
    "do",
    "does",
    "did",
    "have",
    "has",
    "had",
    "include",
    "exclude",
    "contain",
    "match",
    "equal",
    "exist",
    "follow",
    "precede",
    "perform",
    "performed",
    "done",
    "divide",
    "differ",
];

/// Words that sentences are made of, so that what is called by one would be read as something
/// else: `placed 3 times`, `completed a match`.
#[rustfmt::skip]
const OF_SENTENCES: [&str; 93] = [
    "a", "after", "ago", "all", "an", "and", "any", "are", "been", "before", "between", "but", "contain", "contains",
    "did", "differs", "divided", "do", "does", "during", "eight", "either", "equals", "ever", "every", "everyone",
    "exactly", "exclude", "exists", "false", "fewer", "five", "followed", "four", "greater", "had", "has", "have",
    "hour", "include", "includes", "is", "less", "match", "matches", "minus", "minute", "more", "neither", "never",
    "nine", "no", "none", "nor", "not", "once", "one", "or", "people", "plus", "preceded", "second", "seven",
    "since", "six", "ten", "than", "the", "their", "then", "three", "time", "times", "today", "tomorrow", "true",
    "twice", "two", "under", "unless", "until", "was", "week", "were", "where", "who", "whose", "with", "within",
    "year", "yes", "yesterday", "zero",
];

/// Whether a sentence can speak of something by these words.
fn can_be_said(words: &str) -> bool {
    words.split(' ').all(|word| !OF_SENTENCES.contains(&word))
}

/// Verbs that events are named by in their base form: `purchase`, `view_item`.
const BASE_FORMS: [&str; 32] = [
    "add",
    "begin",
    "book",
    "buy",
    "cancel",
    "click",
    "complete",
    "create",
    "delete",
    "download",
    "install",
    "invite",
    "join",
    "like",
    "open",
    "order",
    "pay",
    "play",
    "purchase",
    "rate",
    "redeem",
    "refund",
    "register",
    "remove",
    "search",
    "send",
    "share",
    "start",
    "subscribe",
    "upgrade",
    "view",
    "visit",
];

/// Verbs of which each event is one more of what they are done to.
const MAKING: [&str; 12] =
    ["complete", "create", "issue", "leave", "make", "order", "pay", "place", "send", "start", "submit", "write"];

/// Which events are guessed of, so that no two words are the same.
pub(crate) struct Words {
    /// Everything that has a name already, and the event whose it is.
    taken: BTreeMap<String, String>,
    /// What events of the data are about, with how many there are of each.
    objects: Vec<String>,
}

impl Words {
    /// The words of a schema with these names, of events of these names.
    pub(crate) fn new<'a>(attributes: impl Iterator<Item = &'a str>, events: &[&'a str]) -> Words {
        let of_events = events.iter().map(|event| (fold_name(event), fold_name(event)));
        let taken = attributes.map(|name| (fold_name(name), String::new())).chain(of_events).collect();
        let objects = events.iter().filter_map(|event| split(event).map(|(_, object)| object)).collect();
        Words { taken, objects }
    }

    /// The English of an event, as far as its name says it and nothing else is called so.
    pub(crate) fn guess(&mut self, event: &str) -> Guess {
        let role = role(&fold_words(event));
        let own = fold_name(event);
        let (verb, object) = match split(event) {
            Some((base, object)) if object.is_empty() => (Some(base), object),
            Some((base, object)) if begins_with_preposition(&object) => (Some(format!("{base} {object}")), object),
            Some((base, object)) => (Some(format!("{base} {} {object}", article(&object))), object),
            None => (None, String::new()),
        };
        // A message is sent to somebody, and what becomes of it on the way is not their doing.
        let verb = match verb {
            Some(verb) if role == Some("message") => match verb.split_once(' ') {
                Some(("send", object)) => Some(format!("be sent {object}")),
                Some(("deliver" | "bounce" | "drop" | "defer" | "fail", _)) => None,
                Some(_) | None => Some(verb),
            },
            other => other,
        };
        // Who completed an order has ordered.
        let short = Some(&object).filter(|object| role == Some("purchase") && BASE_FORMS.contains(&object.as_str()));
        let has_verb = verb.is_some();
        let mut verbs: Vec<String> = short.cloned().into_iter().chain(verb).collect();
        // What is done to people begins with words of sentences, and is read with them.
        let begins_well = |base: &str, forms: &[String]| {
            let is_word = !begins_with_preposition(base);
            base.starts_with("be ")
                || is_word && forms.iter().filter_map(|form| form.split(' ').next()).all(can_be_said)
        };
        verbs.retain(|base| {
            let forms = Verb { base: base.clone(), past: None, participle: None }.forms();
            can_be_said(&object) && begins_well(base, &forms) && self.takes(&own, &forms)
        });
        // One word is what there is: `refund`, `login`.
        let is_word = fold_words(event).len() == 1 && (!has_verb || BASE_FORMS.contains(&own.as_str()));
        let object = if is_word { own.clone() } else { object };
        // What is placed or sent is what there is of it; what is viewed is not.
        let is_made = verbs.iter().any(|base| base.split(' ').next().is_some_and(|first| MAKING.contains(&first)));
        let is_one =
            self.objects.iter().filter(|other| **other == object).count() == 1 || is_word || role == Some("purchase");
        let noun = Some(object)
            .filter(|noun| !noun.is_empty() && is_one && (is_made || is_word) && !begins_with_preposition(noun));
        let noun = noun.filter(|noun| {
            let forms = Noun { singular: noun.clone(), plural: None }.forms();
            forms.iter().all(|form| can_be_said(form)) && self.takes(&own, &forms)
        });
        Guess { verbs, noun, role }
    }

    /// Events of these names that begin alike, as one: what they begin with. Messages of a
    /// channel are two or more, others three.
    pub(crate) fn groups<'a>(&mut self, events: &[&'a str]) -> Vec<Group<'a>> {
        let mut groups: Vec<(String, Group<'a>)> = Vec::new();
        for event in events {
            let Some((first, rest)) = event.split_once([' ', '_']) else { continue };
            let folded = fold_name(first);
            if rest.is_empty() || folded.is_empty() || base_of_past(&folded).is_some() {
                continue;
            }
            match groups.iter_mut().find(|(known, _)| *known == folded) {
                Some((_, group)) => group.n_events += 1,
                None => groups.push((folded, Group { begins: first, n_events: 1 })),
            }
        }
        let is_channel = |word: &String| ["email", "sms", "push", "whatsapp", "message"].contains(&word.as_str());
        groups.retain(|(word, group)| group.n_events >= if is_channel(word) { 2 } else { 3 });
        groups.retain(|(word, group)| self.takes(word, &[group.name().to_lowercase()]));
        groups.into_iter().map(|(_, group)| group).collect()
    }

    /// Takes words for an event, if none of them is taken by something else.
    fn takes(&mut self, own: &str, forms: &[String]) -> bool {
        let begins = |form: &String| form.split(' ').next().is_some_and(|first| RESERVED.contains(&first));
        let is_others = |form: &String| self.taken.get(&fold_name(form)).is_some_and(|owner| owner != own);
        let is_free = !forms.iter().any(|form| begins(form) || is_others(form));
        if is_free {
            self.taken.extend(forms.iter().map(|form| (fold_name(form), own.to_owned())));
        }
        is_free
    }
}

/// `Order Completed`, `Added to Cart`, `signed_up`: the base form of the verb in a name,
/// and the words beside it. A name that is one word and no such form is what there is.
fn split(event: &str) -> Option<(String, String)> {
    const AUXILIARY: [&str; 3] = ["do", "have", "be"];
    let verb = |word: &String| base_of_past(word).filter(|base| !AUXILIARY.contains(&base.as_str()));
    let words = fold_words(event);
    let (last, before) = words.split_last()?;
    if let Some(base) = verb(last) {
        return Some((base, before.join(" ")));
    }
    let (first, rest) = words.split_first()?;
    let base = verb(first).or_else(|| BASE_FORMS.contains(&first.as_str()).then(|| first.clone()))?;
    Some((base, rest.join(" ")))
}

/// The one event of the rows of a file, by its name: `data/orders.csv.gz` has each an
/// `Order`.
pub(crate) fn event_of_file(name: &str) -> String {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let words = fold_words(file.split('.').next().unwrap_or(file));
    let words: Vec<&str> =
        words.iter().map(String::as_str).filter(|word| !word.bytes().all(|b| b.is_ascii_digit())).collect();
    let one = words.join(" ");
    let one = match one.strip_suffix("ies") {
        Some(stem) if stem.len() > 2 => format!("{stem}y"),
        _ => one.strip_suffix('s').filter(|stem| !stem.ends_with('s') && stem.len() > 2).unwrap_or(&one).to_owned(),
    };
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    };
    let title: Vec<String> = one.split(' ').map(capital).collect();
    if one.is_empty() { "Event".to_owned() } else { title.join(" ") }
}

/// The words of a name in lower case: `OrderCompleted`, `order_completed` and `Order
/// Completed` alike.
fn fold_words(name: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(name.len() + 4);
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && was_lower {
            spaced.push(' ');
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
        spaced.push(c);
    }
    fold_name(&spaced).split_whitespace().map(str::to_owned).collect()
}

fn begins_with_preposition(object: &str) -> bool {
    let first = object.split(' ').next().unwrap_or("");
    ["to", "from", "in", "on", "up", "out", "off", "for", "with", "at"].contains(&first)
}

fn role(words: &[String]) -> Option<&'static str> {
    let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
    let is_done = has(&["completed", "placed", "succeeded", "made", "paid", "done", "complete", "purchased"]);
    if has(&["purchase", "purchased", "bought"]) || is_done && has(&["order", "payment", "booking", "checkout"]) {
        return Some("purchase");
    }
    if has(&["checkout"]) && has(&["started", "start", "begin", "began", "begun", "initiated"]) {
        return Some("checkout");
    }
    if has(&["cart", "basket"]) && has(&["add", "added"]) {
        return Some("cart");
    }
    if has(&["viewed", "view", "views", "visited"]) {
        return Some("view");
    }
    (has(&["email", "sms", "push", "message"]) && has(&["sent", "delivered", "received"])).then_some("message")
}

/// The channel that a yes-or-no attribute says the consent for: `sms_consent`.
pub(crate) fn channel_of(attribute: &str) -> Option<&'static str> {
    const CONSENT: [&str; 8] =
        ["consent", "optin", "opt in", "opted in", "subscribed", "enabled", "marketing", "accepts"];
    let name = fold_name(attribute);
    let says_so = CONSENT.iter().any(|word| name.contains(word));
    let channels =
        [("email", "email"), ("e mail", "email"), ("sms", "sms"), ("push", "push"), ("whatsapp", "whatsapp")];
    channels.into_iter().find(|(word, _)| says_so && name.contains(word)).map(|(_, channel)| channel)
}

/// Whether a column holds what tells one event from another.
pub(crate) fn is_event_id(name: &str) -> bool {
    let name = fold_name(name);
    ["event id", "message id", "insert id", "$insert id", "event uuid", "uuid"].contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_sent_to_somebody() {
        let events = ["Email Sent", "Email Delivered", "Email Opened", "Invite Sent"];
        let mut words = Words::new(std::iter::empty(), &events);
        let verbs = |words: &mut Words, event: &str| words.guess(event).verbs.join(", ");
        assert_eq!(verbs(&mut words, "Email Sent"), "be sent an email");
        assert_eq!(verbs(&mut words, "Email Delivered"), "");
        assert_eq!(verbs(&mut words, "Email Opened"), "open an email");
        assert_eq!(verbs(&mut words, "Invite Sent"), "send an invite");
    }
}
