//! The English of an event: the forms of its verbs and nouns, as sentences use them.
//!
//! A verb is given in its base form, perhaps with what it is done to: `buy`, `open an
//! email`. A noun is given in the singular: `order`. The regular forms follow from the
//! spelling, the irregular ones of common verbs from a table; a schema can say any other.

/// What somebody does: `buy`, `open an email`, `sign up`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verb {
    /// The base form, with what stands behind it.
    pub base: String,
    /// The past form of its first word, where a schema says it.
    pub past: Option<String>,
    /// The form of its first word behind `has`, where a schema says it.
    pub participle: Option<String>,
}

/// What there is of it afterwards: `order`, `invite`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noun {
    /// One of them.
    pub singular: String,
    /// Several of them, where a schema says it.
    pub plural: Option<String>,
}

impl Verb {
    /// Every form that a sentence may use, each once: `open an email`, `opens an email`,
    /// `opened an email`, and with several of what it is done to, `opened emails`. What is
    /// done to somebody begins with `be`, for which sentences have `was`, `were` and `been`.
    pub fn forms(&self) -> Vec<String> {
        if let Some(done) = self.base.strip_prefix("be ") {
            return passive_forms(done);
        }
        let (first, rest) = self.base.split_once(' ').map_or((self.base.as_str(), ""), |(first, rest)| (first, rest));
        let mut words = vec![first.to_owned(), third_person(first)];
        match &self.past {
            Some(past) => words.push(past.clone()),
            None => words.extend(past_forms(first)),
        }
        match &self.participle {
            Some(participle) => words.push(participle.clone()),
            None if self.past.is_none() => words.extend(irregular(first).map(|(_, participle)| participle.to_owned())),
            None => {}
        }
        let mut forms = Vec::new();
        for object in objects(rest) {
            for word in &words {
                let form = if object.is_empty() { word.clone() } else { format!("{word} {object}") };
                if !forms.contains(&form) {
                    forms.push(form);
                }
            }
        }
        forms
    }
}

impl Noun {
    /// One and several: `order`, `orders`.
    pub fn forms(&self) -> Vec<String> {
        let several = self.several();
        if several == self.singular { vec![several] } else { vec![self.singular.clone(), several] }
    }

    /// What sentences may call it behind a verb of the event that has nothing behind it, and
    /// behind `placed` and `made`, which say no more than that it happened: `wrote an
    /// entry`, `placed an order`, `made orders`. An event or attribute of that name goes
    /// before.
    pub fn behind(&self, verbs: &[Verb]) -> Vec<String> {
        const LIGHT: [&str; 6] = ["place", "places", "placed", "make", "makes", "made"];
        let one = format!("{} {}", article(&self.singular), self.singular);
        let own = verbs.iter().filter(|verb| !verb.base.contains(' ')).flat_map(Verb::forms);
        let mut forms = Vec::new();
        for verb in own.chain(LIGHT.map(str::to_owned)) {
            for noun in self.forms().iter().chain([&one]) {
                forms.push(format!("{verb} {noun}"));
            }
        }
        forms
    }

    fn several(&self) -> String {
        self.plural.clone().unwrap_or_else(|| plural_phrase(&self.singular))
    }
}

/// What is done to somebody: `be sent an email`, `be sent emails`. What stands for `be` in a
/// sentence is read before the name.
fn passive_forms(done: &str) -> Vec<String> {
    let (participle, rest) = done.split_once(' ').map_or((done, ""), |(participle, rest)| (participle, rest));
    let forms = objects(rest).into_iter().map(|object| match object.is_empty() {
        true => format!("be {participle}"),
        false => format!("be {participle} {object}"),
    });
    forms.collect()
}

/// What a verb is done to, as it is given, one of it and several: `an email` gives
/// `email` and `emails` too.
fn objects(rest: &str) -> Vec<String> {
    let mut objects = vec![rest.to_owned()];
    if let Some(one) = rest.strip_prefix("an ").or_else(|| rest.strip_prefix("a ")) {
        objects.push(one.to_owned());
        objects.push(plural_phrase(one));
    }
    objects
}

/// `item in the shop` to `items in the shop`: the word before the first preposition.
fn plural_phrase(phrase: &str) -> String {
    const PREPOSITIONS: [&str; 10] = ["to", "from", "in", "on", "of", "for", "with", "at", "by", "about"];
    let words: Vec<&str> = phrase.split(' ').collect();
    let end = words.iter().position(|word| PREPOSITIONS.contains(word)).unwrap_or(words.len()).max(1);
    let last = end - 1;
    let words = words.iter().enumerate().map(|(at, word)| if at == last { plural(word) } else { (*word).to_owned() });
    words.collect::<Vec<_>>().join(" ")
}

fn plural(noun: &str) -> String {
    match noun {
        "person" => "people".to_owned(),
        "child" => "children".to_owned(),
        _ => with_s(noun),
    }
}

fn third_person(verb: &str) -> String {
    match verb {
        "have" => "has".to_owned(),
        "be" => "is".to_owned(),
        "do" | "go" => format!("{verb}es"),
        _ => with_s(verb),
    }
}

fn with_s(word: &str) -> String {
    match ends_in_y_of_its_own(word) {
        Some(stem) => format!("{stem}ies"),
        None if ["s", "x", "z", "ch", "sh"].iter().any(|end| word.ends_with(end)) => format!("{word}es"),
        None => format!("{word}s"),
    }
}

/// The past of a verb; two where both spellings are usual, as in `cancelled` and `canceled`.
fn past_forms(verb: &str) -> Vec<String> {
    if let Some((past, _)) = irregular(verb) {
        return vec![past.to_owned()];
    }
    if verb.ends_with('e') {
        return vec![format!("{verb}d")];
    }
    if let Some(stem) = ends_in_y_of_its_own(verb) {
        return vec![format!("{stem}ied")];
    }
    let Some(last) = verb.chars().last().filter(|_| doubles(verb)) else { return vec![format!("{verb}ed")] };
    match last {
        // `cancelled`, and `canceled` on the other side of the ocean.
        'l' if vowel_groups(verb) > 1 => vec![format!("{verb}led"), format!("{verb}ed")],
        _ => vec![format!("{verb}{last}ed")],
    }
}

/// Whether the last letter is written twice: `stop`, `cancel`, `submit`.
fn doubles(verb: &str) -> bool {
    const STRESSED_LAST: [&str; 11] =
        ["submit", "commit", "admit", "permit", "refer", "prefer", "transfer", "occur", "begin", "regret", "equip"];
    let letters: Vec<char> = verb.chars().rev().take(3).collect();
    let [last, middle, before] = *letters.as_slice() else { return false };
    let is_short = !is_vowel(last) && is_vowel(middle) && !is_vowel(before) && !matches!(last, 'w' | 'x' | 'y');
    is_short && (vowel_groups(verb) == 1 || last == 'l' || STRESSED_LAST.contains(&verb))
}

/// `try` gives `tr`, `play` gives nothing.
fn ends_in_y_of_its_own(word: &str) -> Option<&str> {
    let stem = word.strip_suffix('y')?;
    stem.chars().last().is_some_and(|before| !is_vowel(before)).then_some(stem)
}

fn vowel_groups(word: &str) -> usize {
    let is_start =
        |(at, c): (usize, char)| is_vowel(c) && !word.get(..at).and_then(|w| w.chars().last()).is_some_and(is_vowel);
    word.char_indices().filter(|found| is_start(*found)).count()
}

fn is_vowel(c: char) -> bool {
    matches!(c.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u')
}

/// Whether a date is called as those are that come every year: `birthday`, `date of birth`.
pub fn comes_every_year(name: &str) -> bool {
    let name = super::fold_name(name);
    name.contains("birth")
        || name.contains("anniversary")
        || name.split(' ').any(|word| word == "dob" || word == "bday")
}

/// `a` or `an`, by the first letter.
pub fn article(noun: &str) -> &'static str {
    if noun.chars().next().is_some_and(is_vowel) { "an" } else { "a" }
}

/// Past and participle of the verbs that events are about and that are not regular.
const IRREGULAR: [(&str, &str, &str); 55] = [
    ("be", "was", "been"),
    ("become", "became", "become"),
    ("begin", "began", "begun"),
    ("break", "broke", "broken"),
    ("bring", "brought", "brought"),
    ("build", "built", "built"),
    ("buy", "bought", "bought"),
    ("catch", "caught", "caught"),
    ("choose", "chose", "chosen"),
    ("come", "came", "come"),
    ("do", "did", "done"),
    ("draw", "drew", "drawn"),
    ("eat", "ate", "eaten"),
    ("find", "found", "found"),
    ("forget", "forgot", "forgotten"),
    ("get", "got", "got"),
    ("give", "gave", "given"),
    ("go", "went", "gone"),
    ("have", "had", "had"),
    ("hear", "heard", "heard"),
    ("hide", "hid", "hidden"),
    ("hold", "held", "held"),
    ("keep", "kept", "kept"),
    ("leave", "left", "left"),
    ("lend", "lent", "lent"),
    ("lose", "lost", "lost"),
    ("make", "made", "made"),
    ("meet", "met", "met"),
    ("pay", "paid", "paid"),
    ("read", "read", "read"),
    ("run", "ran", "run"),
    ("say", "said", "said"),
    ("see", "saw", "seen"),
    ("sell", "sold", "sold"),
    ("send", "sent", "sent"),
    ("set", "set", "set"),
    ("put", "put", "put"),
    ("cut", "cut", "cut"),
    ("hit", "hit", "hit"),
    ("let", "let", "let"),
    ("quit", "quit", "quit"),
    ("bet", "bet", "bet"),
    ("split", "split", "split"),
    ("shut", "shut", "shut"),
    ("speak", "spoke", "spoken"),
    ("spend", "spent", "spent"),
    ("take", "took", "taken"),
    ("teach", "taught", "taught"),
    ("tell", "told", "told"),
    ("think", "thought", "thought"),
    ("understand", "understood", "understood"),
    ("wear", "wore", "worn"),
    ("win", "won", "won"),
    ("withdraw", "withdrew", "withdrawn"),
    ("write", "wrote", "written"),
];

fn irregular(verb: &str) -> Option<(&'static str, &'static str)> {
    IRREGULAR.iter().find(|(base, ..)| *base == verb).map(|(_, past, participle)| (*past, *participle))
}

/// The base form of a verb in the past: `completed` gives `complete`, `sent` gives `send`;
/// nothing where a word is no such form. Of regular verbs it is a guess from the
/// spelling, which the past form of what was guessed confirms.
pub fn base_of_past(word: &str) -> Option<String> {
    // Words that are a base form as well say nothing.
    let is_past = |(base, past, _): &&(&str, &str, &str)| *past == word && *base != word;
    if let Some((base, ..)) = IRREGULAR.iter().find(is_past) {
        return Some((*base).to_owned());
    }
    // `need` and `feed` are no past forms.
    let is_past = |stem: &&str| stem.len() > 1 && !stem.ends_with('e') && stem.chars().any(is_vowel);
    let stem = word.strip_suffix("ed").filter(is_past)?;
    if let Some(stem) = stem.strip_suffix('i') {
        return Some(format!("{stem}y"));
    }
    let mut letters = stem.chars().rev();
    let (last, before) = (letters.next()?, letters.next()?);
    // `installed` has two of its own, `cancelled` got the second.
    let is_doubled = match last {
        's' | 'z' | 'f' => false,
        'l' => stem.ends_with("ell") && vowel_groups(stem) > 1,
        _ => !is_vowel(last),
    };
    if last == before && is_doubled {
        let single = stem.get(..stem.len() - last.len_utf8())?;
        if past_forms(single).iter().any(|past| past == word) {
            return Some(single.to_owned());
        }
    }
    let silent = format!("{stem}e");
    Some(if ends_in_silent_e(stem) { silent } else { stem.to_owned() })
}

/// Whether a verb whose past is so long without its `ed` has an `e` of its own: `complete`,
/// `create`, `purchase`, but `start`, `view`, `open`.
fn ends_in_silent_e(stem: &str) -> bool {
    const WITH_E: [&str; 46] = [
        "brows",
        "captur",
        "clos",
        "combin",
        "compet",
        "complet",
        "configur",
        "contribut",
        "decid",
        "declin",
        "defin",
        "delet",
        "dislik",
        "distribut",
        "downgrad",
        "enabl",
        "examin",
        "execut",
        "fil",
        "hid",
        "ignor",
        "imagin",
        "invit",
        "lik",
        "mak",
        "mov",
        "mut",
        "not",
        "pok",
        "promot",
        "provid",
        "quot",
        "renam",
        "rid",
        "schedul",
        "subscrib",
        "swip",
        "tak",
        "trad",
        "typ",
        "unmut",
        "unsubscrib",
        "upgrad",
        "us",
        "vot",
        "wav",
    ];
    const ENDS: [&str; 20] = [
        "at", "iz", "is", "as", "os", "ens", "v", "c", "g", "u", "bl", "pl", "dl", "tl", "gl", "quir", "hir", "pir",
        "shar", "par",
    ];
    const WITHOUT: [&str; 9] = ["repeat", "treat", "heat", "belong", "hang", "ping", "long", "log", "flag"];
    !WITHOUT.contains(&stem)
        && !stem.ends_with("ss")
        && (WITH_E.contains(&stem) || ENDS.iter().any(|end| stem.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verb(base: &str) -> String {
        Verb { base: base.to_owned(), past: None, participle: None }.forms().join(", ")
    }

    #[test]
    fn verbs_have_their_regular_forms() {
        assert_eq!(verb("order"), "order, orders, ordered");
        assert_eq!(verb("subscribe"), "subscribe, subscribes, subscribed");
        assert_eq!(verb("try"), "try, tries, tried");
        assert_eq!(verb("play"), "play, plays, played");
        assert_eq!(verb("stop"), "stop, stops, stopped");
        assert_eq!(verb("open"), "open, opens, opened");
        assert_eq!(verb("watch"), "watch, watches, watched");
        assert_eq!(verb("submit"), "submit, submits, submitted");
        assert_eq!(verb("cancel"), "cancel, cancels, cancelled, canceled");
        assert_eq!(verb("add to cart"), "add to cart, adds to cart, added to cart");
    }

    #[test]
    fn common_irregular_verbs_are_known() {
        assert_eq!(verb("buy"), "buy, buys, bought");
        assert_eq!(verb("write"), "write, writes, wrote, written");
        assert_eq!(verb("put"), "put, puts");
    }

    #[test]
    fn what_is_done_to_somebody_has_one_form_for_each_object() {
        assert_eq!(verb("be sent an email"), "be sent an email, be sent email, be sent emails");
        assert_eq!(verb("be invited"), "be invited");
    }

    #[test]
    fn the_past_tells_the_base() {
        let base = |word: &str| base_of_past(word).unwrap_or_default();
        for (past, verb) in [
            ("completed", "complete"),
            ("opened", "open"),
            ("clicked", "click"),
            ("viewed", "view"),
            ("started", "start"),
            ("sent", "send"),
            ("created", "create"),
            ("added", "add"),
            ("purchased", "purchase"),
            ("cancelled", "cancel"),
            ("submitted", "submit"),
            ("subscribed", "subscribe"),
            ("signed", "sign"),
            ("logged", "log"),
            ("installed", "install"),
            ("played", "play"),
            ("upgraded", "upgrade"),
            ("shared", "share"),
            ("received", "receive"),
            ("applied", "apply"),
            ("bought", "buy"),
            ("placed", "place"),
            ("finished", "finish"),
            ("delivered", "deliver"),
            ("refunded", "refund"),
            ("issued", "issue"),
            ("watched", "watch"),
            ("abandoned", "abandon"),
            ("searched", "search"),
            ("updated", "update"),
            ("removed", "remove"),
            ("visited", "visit"),
            ("renewed", "renew"),
            ("expired", "expire"),
            ("booked", "book"),
            ("downloaded", "download"),
            ("registered", "register"),
            ("passed", "pass"),
            ("failed", "fail"),
            ("redeemed", "redeem"),
            ("used", "use"),
            ("rated", "rate"),
            ("invited", "invite"),
            ("reached", "reach"),
            ("uploaded", "upload"),
            ("unsubscribed", "unsubscribe"),
        ] {
            assert_eq!(base(past), verb);
        }
        for word in ["order", "email", "need", "feed", "cart", "sms", "put"] {
            assert_eq!(base_of_past(word), None, "{word}");
        }
    }

    #[test]
    fn what_a_verb_is_done_to_may_be_several() {
        assert_eq!(
            verb("send an invite"),
            "send an invite, sends an invite, sent an invite, send invite, sends invite, sent invite, send invites, \
             sends invites, sent invites"
        );
        assert!(verb("add an item to the cart").ends_with("added items to the cart"));
    }

    #[test]
    fn a_schema_may_say_other_forms() {
        let verb = Verb { base: "bid".into(), past: Some("bid".into()), participle: Some("bidden".into()) };
        assert_eq!(verb.forms(), ["bid", "bids", "bidden"]);
        let noun = Noun { singular: "criterion".into(), plural: Some("criteria".into()) };
        assert_eq!(noun.forms(), ["criterion", "criteria"]);
    }

    #[test]
    fn nouns_have_two_forms_and_stand_behind_light_verbs() {
        let noun = |singular: &str| Noun { singular: singular.to_owned(), plural: None };
        assert_eq!(noun("order").forms(), ["order", "orders"]);
        assert_eq!(noun("entry").forms(), ["entry", "entries"]);
        assert_eq!(noun("purchase of a gift").forms(), ["purchase of a gift", "purchases of a gift"]);
        assert!(noun("order").behind(&[]).contains(&"placed an order".to_owned()));
        assert!(noun("deposit").behind(&[]).contains(&"made deposits".to_owned()));
    }
}
