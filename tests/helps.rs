//! Whether messages keep what they promise: every text that a help offers is put in
//! where it belongs, and compiles; an error touches what was broken.
//!
//! Sentences are broken by one word in ten ways. What comes of them is measured in
//! three numbers: offers that do not compile, first errors that do not touch the broken
//! word or one beside it, and messages with words that the writer did not write.

use crate::{FrontEnd, root, schema_text};
use seg_data::Zone;
use seg_hir::Lists;
use seg_syntax::diag::Diagnostic;
use seg_syntax::lex;
use seg_syntax::source::{SourceMap, Span};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

/// How far around an error the place of an offer is looked for, in tokens.
const TOKENS_AROUND: usize = 40;

/// What one offer, or one error, is judged by.
#[derive(Debug, Default)]
pub struct Judged {
    /// Texts that were offered.
    pub n_offers: usize,
    /// Errors that stood first.
    pub n_errors: usize,
    /// Offers that do not compile wherever they are put, with the text that was broken.
    pub refused: Vec<String>,
    /// First errors that touch nothing that was changed.
    pub elsewhere: Vec<String>,
    /// Messages with words in back-ticks that nobody wrote.
    pub foreign: Vec<String>,
}

impl Judged {
    /// Takes in what another judged.
    pub fn add(&mut self, other: Judged) {
        self.n_offers += other.n_offers;
        self.n_errors += other.n_errors;
        self.refused.extend(other.refused);
        self.elsewhere.extend(other.elsewhere);
        self.foreign.extend(other.foreign);
    }

    /// Judges every error of a text, and the first by where it stands, if something in
    /// the text was changed on purpose.
    pub fn text(&mut self, front_end: &FrontEnd, text: &str, changed: Option<Range<usize>>) {
        let errors = front_end.errors(text);
        for error in &errors {
            self.offers(front_end, text, &errors, error);
        }
        let Some(first) = errors.first() else { return };
        self.n_errors += 1;
        if let Some(changed) = changed
            && !touches(text, first, &changed)
        {
            self.elsewhere.push(described(text, first));
        }
        let foreign = quoted(&first.message).find(|words| !is_written(front_end, text, words));
        if let Some(words) = foreign {
            self.foreign.push(format!("`{words}`: {}", described(text, first)));
        }
    }

    fn offers(&mut self, front_end: &FrontEnd, text: &str, errors: &[Diagnostic], error: &Diagnostic) {
        for fix in &error.fixes {
            self.n_offers += 1;
            let mended = replaced(text, fix.span.range(), &fix.replacement);
            if !mends(front_end, errors, error, &mended) {
                self.refused.push(format!("`{}`: {}", fix.replacement, described(text, error)));
            }
        }
        let is_fix = |help: &String| error.fixes.iter().any(|fix| fix.title == **help);
        for help in error.helps.iter().filter(|help| !is_fix(help)) {
            for offer in offered(help) {
                self.n_offers += 1;
                let is_whole = !offer.contains('…');
                let fits = |place: Range<usize>| mends(front_end, errors, error, &replaced(text, place, offer));
                if !is_whole || !places(text, error).into_iter().any(fits) {
                    self.refused.push(format!("`{offer}`: {}", described(text, error)));
                }
            }
        }
    }
}

/// An error in one line, with the text that it is about.
fn described(text: &str, error: &Diagnostic) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{} {}\n    in {one_line}", error.code, error.message)
}

fn replaced(text: &str, place: Range<usize>, by: &str) -> String {
    format!("{}{by}{}", &text[..place.start], &text[place.end..])
}

/// Whether a text no longer has an error, and no new one.
fn mends(front_end: &FrontEnd, before: &[Diagnostic], error: &Diagnostic, mended: &str) -> bool {
    let count = |errors: &[Diagnostic]| {
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        errors.iter().for_each(|error| *counts.entry(error.code.number()).or_default() += 1);
        counts
    };
    let (mut allowed, after) = (count(before), count(&front_end.errors(mended)));
    *allowed.entry(error.code.number()).or_default() -= 1;
    after.iter().all(|(code, n)| allowed.get(code).is_some_and(|allowed| n <= allowed))
}

/// The stretches of a text that an offer may stand for: they cover the error or what
/// else it points at, the shorter ones first.
fn places(text: &str, error: &Diagnostic) -> Vec<Range<usize>> {
    let tokens = tokens(text);
    let marked = std::iter::once(&error.primary).chain(&error.secondary).map(|label| label.span);
    let mut places = Vec::new();
    for span in marked.collect::<HashSet<Span>>() {
        let range = span.range();
        let first = tokens.iter().position(|t| t.end > range.start).unwrap_or(tokens.len());
        let last = tokens.iter().rposition(|t| t.start < range.end.max(range.start + 1)).unwrap_or(0);
        let from = first.saturating_sub(TOKENS_AROUND);
        let to = (last + TOKENS_AROUND).min(tokens.len().saturating_sub(1));
        for start in (from..=first.min(to)).rev() {
            for end in last.max(start)..=to {
                places.push(tokens[start].start..tokens[end].end);
            }
        }
    }
    places.sort_by_key(|place| (place.len(), place.start));
    places.dedup();
    places
}

fn tokens(text: &str) -> Vec<Range<usize>> {
    let tokens = lex(SourceMap::default().add("case.seg", text), text);
    tokens.as_slice().iter().filter(|t| !t.kind.is_trivia()).map(|t| t.span.range()).collect()
}

/// The texts that a help offers: in back-ticks, behind a colon or a word that offers.
fn offered(help: &str) -> Vec<&str> {
    const OFFERING: [&str; 7] = [": ", "write ", "either ", "or ", "say ", "did you mean ", "use "];
    let mut offers = Vec::new();
    let mut rest = help;
    let mut at = 0;
    while let Some(start) = rest.find('`') {
        let Some(len) = rest[start + 1..].find('`') else { break };
        let before = help[..at + start].to_lowercase();
        if OFFERING.iter().any(|word| before.ends_with(word)) {
            offers.push(&rest[start + 1..start + 1 + len]);
        }
        at += start + len + 2;
        rest = &rest[start + len + 2..];
    }
    offers
}

/// What stands in back-ticks.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    message.split('`').skip(1).step_by(2)
}

fn is_written(front_end: &FrontEnd, text: &str, words: &str) -> bool {
    let fold = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let words = fold(words.trim_end_matches('…'));
    fold(text).contains(&words) || front_end.schema.all_names().any(|(name, ..)| fold(name) == words)
}

/// Whether an error's place touches what was changed, or a token beside it.
fn touches(text: &str, error: &Diagnostic, changed: &Range<usize>) -> bool {
    let tokens = tokens(text);
    let before = tokens.iter().rev().find(|t| t.end <= changed.start).map_or(changed.start, |t| t.start);
    let after = tokens.iter().find(|t| t.start >= changed.end).map_or(changed.end, |t| t.end);
    let at = error.primary.span.range();
    at.start <= after && before <= at.end
}

// ── Broken sentences ─────────────────────────────────────────────────────────────────

/// The ways in which one word of a sentence is broken.
pub const WAYS: [&str; 10] = [
    "dropped",
    "doubled",
    "swapped",
    "letters swapped",
    "a letter dropped",
    "a mark dropped",
    "inflected",
    "another",
    "inserted",
    "a quote dropped",
];

/// A sentence broken in one way at one of its words, and where; nothing where that way
/// changes nothing.
pub fn broken(text: &str, way: usize, at: usize) -> Option<(String, Range<usize>)> {
    let tokens = tokens(text);
    // The words that declare it are left as they are.
    let first = tokens.iter().position(|t| text[t.clone()].eq_ignore_ascii_case("include"))? + 1;
    let own = tokens.get(first..)?;
    let token = own.get(at % own.len().max(1))?.clone();
    let word = &text[token.clone()];
    let is_word = word.chars().all(char::is_alphabetic);
    let (place, by) = match way {
        0 => (token, String::new()),
        1 => (token, format!("{word} {word}")),
        2 => {
            let next = own.iter().find(|t| t.start >= token.end)?;
            (token.start..next.end, format!("{} {word}", &text[next.clone()]))
        }
        3 if is_word && word.len() > 3 => {
            let mut letters: Vec<char> = word.chars().collect();
            let middle = 1 + at % (letters.len() - 2);
            letters.swap(middle - 1, middle);
            (token, letters.into_iter().collect())
        }
        4 if is_word && word.len() > 3 => {
            let dropped = 1 + at % (word.chars().count() - 1);
            (token, word.chars().enumerate().filter(|(n, _)| *n != dropped).map(|(_, c)| c).collect())
        }
        5 if matches!(word, "(" | ")" | ",") => (token, String::new()),
        6 if is_word => (token, inflected(word)?),
        7 => (token, another(word)?.to_owned()),
        8 => (token, format!("the {word}")),
        9 if word.starts_with('"') && word.len() > 2 => (token.clone(), word.trim_end_matches('"').to_owned()),
        _ => return None,
    };
    let changed = place.start..place.start + by.len();
    let broken = replaced(text, place, &by);
    (broken != text).then_some((broken, changed))
}

fn inflected(word: &str) -> Option<String> {
    let lower = word.to_lowercase();
    if let Some(stem) = lower.strip_suffix("ed") {
        return Some(stem.to_owned());
    }
    match lower.strip_suffix('s') {
        Some(stem) if stem.len() > 2 => Some(stem.to_owned()),
        _ if lower.len() > 2 => Some(format!("{lower}s")),
        _ => None,
    }
}

/// A word that people say instead.
fn another(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "in" => "on",
        "on" => "at",
        "within" => "inside",
        "past" => "previous",
        "is" => "equals",
        "and" => "plus",
        "or" => "nor",
        "at" => "by",
        "least" => "minimum",
        "most" => "maximum",
        "more" => "larger",
        "than" => "then",
        "where" => "when",
        "with" => "having",
        "did" => "made",
        "never" => "not ever",
        "days" => "d",
        "times" => "time",
        "between" => "from",
        "contains" => "has",
        "known" => "present",
        "missing" => "null",
        "before" => "prior to",
        "since" => "from",
        "ago" => "before",
        _ => return None,
    })
}

// ── Where sentences come from ────────────────────────────────────────────────────────

/// The sentences of the cases of all engines that speak of the shop, whole segments.
pub fn sentences() -> Vec<String> {
    let dir = root().join("tests/suite/eval");
    let mut sentences = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(dir).expect("the suite").map(|e| e.expect("an entry").path()).collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a case");
        if text.lines().any(|line| line.starts_with("schema = ") && line != "schema = \"shop\"") {
            continue;
        }
        let value: toml::Table = text.parse().expect("a case is TOML");
        let cases = value.get("case").and_then(toml::Value::as_array);
        for case in cases.into_iter().flatten() {
            let Some(sentence) = case.get("segment").and_then(toml::Value::as_str) else { continue };
            if !sentence.contains("include people") {
                sentences.push(format!("segment \"s\" include people who {sentence}"));
            }
        }
    }
    sentences
}

/// Every segment of the diagnostics cases that speak of the shop, with what its file says
/// before the first.
pub fn cases() -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root().join("tests/suite/diagnostics")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("the suite").map(|e| e.expect("an entry").path());
            open.extend(entries);
        } else if path.extension().is_some_and(|e| e == "seg") {
            let text = std::fs::read_to_string(&path).expect("a case");
            if text.contains("#! schema: shop") {
                // What others refer to stays with them.
                if text.contains("\ntest ") {
                    found.push(text);
                    continue;
                }
                let mut segments = text.split("\nsegment ");
                let before = segments.next().unwrap_or("");
                found.extend(segments.map(|segment| format!("{before}\nsegment {segment}")));
            }
        }
    }
    found.sort();
    found
}

/// The front end of the shop, with the list that sentences name.
pub fn shop() -> FrontEnd {
    let lists = Lists::from([("staff.csv".to_owned(), Ok(HashSet::from(["x".to_owned()])))]);
    FrontEnd::new(&schema_text("shop"), Some(Zone::UTC), lists)
}

/// Breaks so many sentences, and judges what is said of them.
pub fn judge_broken(n: usize, seed: u64) -> (Judged, usize) {
    let (front_end, sentences) = (shop(), sentences());
    let (mut judged, mut random, mut n_refused) = (Judged::default(), seed, 0);
    for at in 0..n {
        // The generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
        random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = random;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        let sentence = &sentences[(bits % sentences.len() as u64) as usize];
        let Some((text, changed)) = broken(sentence, at % WAYS.len(), (bits >> 32) as usize) else { continue };
        if front_end.errors(sentence).is_empty() && !front_end.errors(&text).is_empty() {
            n_refused += 1;
            judged.text(&front_end, &text, Some(changed));
        }
    }
    (judged, n_refused)
}

/// The table of `cargo xtask helps`: of the cases, and of sentences that were broken.
pub fn report(n: usize, seed: u64) -> String {
    let mut of_cases = Judged::default();
    let front_end = shop();
    for text in cases() {
        of_cases.text(&front_end, &text, None);
    }
    let (of_broken, n_refused) = judge_broken(n, seed);
    let mut out = String::new();
    for (name, judged) in [("cases", &of_cases), ("broken", &of_broken)] {
        for (what, found) in
            [("refused", &judged.refused), ("elsewhere", &judged.elsewhere), ("foreign", &judged.foreign)]
        {
            found.iter().for_each(|one| out.push_str(&format!("{name}, {what}: {one}\n")));
        }
    }
    out.push_str(&format!("{n} sentences broken by one word, {n_refused} of them refused\n"));
    for (name, judged) in [("cases", &of_cases), ("broken", &of_broken)] {
        out.push_str(&format!(
            "{name}: {} texts offered, {} of them refused; {} first errors, {} of them elsewhere, {} with foreign words\n",
            judged.n_offers,
            judged.refused.len(),
            judged.n_errors,
            judged.elsewhere.len(),
            judged.foreign.len(),
        ));
    }
    out
}
