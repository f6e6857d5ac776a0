//! Parse failures in words: what was found, what would fit, and the likely slip.

use crate::diag::{Code, Diagnostic};
use crate::grammar::Rule;
use crate::others::comparison_with_others;
use crate::repair::Broken;
use crate::source::Span;
use crate::token::{Token, TokenKind, Tokens};
use pest::error::{Error, ErrorVariant, InputLocation};

/// Turns pest's failure on the item at `item` into a diagnostic.
///
/// `left` is how much text may be read again to find a repair.
pub(crate) fn syntax_error(
    failure: &Error<Rule>,
    item: Span,
    text: &str,
    (tokens, own): (&Tokens, &[Token]),
    left: &mut usize,
) -> Diagnostic {
    let offset = match failure.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at as u32,
    };
    let at = item.start + offset;
    let found = tokens.significant_at(at).filter(|t| t.span.start < item.end);
    let span = found.map_or(item.end_point(), |t| t.span);
    let found_text = found.and_then(|t| text.get(t.span.range()));
    let expected = match &failure.variant {
        ErrorVariant::ParsingError { positives, .. } => phrases(positives),
        ErrorVariant::CustomError { .. } => Vec::new(),
    };
    if let ErrorVariant::CustomError { message } = &failure.variant
        && message.contains("limit")
    {
        return Diagnostic::new(Code::NestingTooDeep, span, "this sentence is nested too deeply")
            .label("too many brackets around this")
            .note("give the inner conditions a segment of their own and write `in segment \"…\"`");
    }
    if let Some(date) = found.and_then(|token| other_date(start_of_run(token.span, tokens), item, text)) {
        return date;
    }
    let before = text.get(item.start as usize..at as usize).unwrap_or("").to_lowercase();
    let has_past = before.rsplit(['(', '"', ',']).next().is_some_and(|last| last.contains(" past "));
    if let (Some(token), Some("ago"), true) = (found, found_text, has_past) {
        return Diagnostic::new(Code::MisplacedWords, token.span, "`ago` and `in the past` say two things")
            .label("a window up to now has no `ago`")
            .help("for a window up to now, leave `ago` out: `in the past 30 days`")
            .help("for a time that long ago: `more than 30 days ago`, `30 to 45 days ago`");
    }
    if let Some(others) = comparison_with_others(item, text) {
        return others;
    }
    let broken = Broken { text: text.get(item.range()).unwrap_or(""), item, tokens: own, at };
    if let Some(slip) = broken.slip(left) {
        return slip;
    }
    let message = match found_text {
        Some(word) => format!("{} does not fit here", ticked(word)),
        None => "the sentence ends too early".to_owned(),
    };
    let label = match expected.as_slice() {
        [] => "not expected here".to_owned(),
        [one] => format!("expected {one}"),
        [rest @ .., last] => format!("expected {} or {last}", rest.join(", ")),
    };
    let diagnostic = Diagnostic::new(Code::UnexpectedText, span, message).label(label);
    let diagnostic = slip(diagnostic, found, at, item, text, tokens);
    if !diagnostic.helps.is_empty() || !diagnostic.notes.is_empty() {
        return diagnostic;
    }
    if let Some(other) = broken.other_word(left) {
        return other;
    }
    match found {
        Some(_) => diagnostic,
        None => diagnostic.note("a whole sentence is `include people who ordered in the past 30 days`"),
    }
}

/// The first of the tokens up to one that stand without a space between them.
fn start_of_run(at: Span, tokens: &Tokens) -> Span {
    let before = tokens.as_slice().iter().rev().skip_while(|t| t.span.start >= at.start);
    let mut run = at;
    for token in before.take_while(|t| !t.kind.is_trivia()).take(4) {
        if token.span.end != run.start || token.kind == TokenKind::Word {
            break;
        }
        run = Span { start: token.span.start, ..run };
    }
    run
}

/// `31/12/2026`, `12/31/2026`, `1.5.2026`: dates as some countries write them.
/// Where day and month could be each other, both are shown.
fn other_date(at: Span, item: Span, text: &str) -> Option<Diagnostic> {
    let rest = text.get(at.start as usize..item.end as usize)?;
    let end = rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, '/' | '.' | '-'))).unwrap_or(rest.len());
    let written = rest.get(..end)?.trim_end_matches('.');
    let parts: Vec<&str> = written.split(['/', '.', '-']).collect();
    let [a, b, year] = *parts.as_slice() else { return None };
    let number = |part: &str| part.parse::<u32>().ok().filter(|_| (1..=2).contains(&part.len()));
    let (a, b) = (number(a)?, number(b)?);
    if year.len() != 4 || year.parse::<u32>().is_err() {
        return None;
    }
    let span = Span::new(at.source, at.start, at.start + written.len() as u32);
    let date = |day: u32, month: u32| format!("{year}-{month:02}-{day:02}");
    let is_date = |day: u32, month: u32| (1..=31).contains(&day) && (1..=12).contains(&month);
    let is_unclear = is_date(a, b) && is_date(b, a) && a != b;
    let message = match is_unclear {
        true => format!("`{written}` is one day in some countries and another in others"),
        false => format!("`{written}` is not how dates are written here"),
    };
    let diagnostic = Diagnostic::new(Code::BadDate, span, message).label("dates are written as year, month, day");
    Some(match (is_date(a, b), is_date(b, a)) {
        (true, true) if is_unclear => diagnostic
            .help(format!("for day {a} of month {b}: `{}`", date(a, b)))
            .help(format!("for day {b} of month {a}: `{}`", date(b, a))),
        (true, _) => diagnostic.fix(span, date(a, b), format!("write `{}`", date(a, b))),
        (_, true) => diagnostic.fix(span, date(b, a), format!("write `{}`", date(b, a))),
        _ => diagnostic.help("write a date as `2026-01-31`"),
    })
}

fn ticked(word: &str) -> String {
    let short: String = word.chars().take(40).collect();
    if short.len() < word.len() { format!("`{short}…`") } else { format!("`{short}`") }
}

/// Adds help for the slips that are seen most.
fn slip(diagnostic: Diagnostic, found: Option<&Token>, at: u32, item: Span, text: &str, tokens: &Tokens) -> Diagnostic {
    let before: Vec<&Token> = tokens
        .as_slice()
        .iter()
        .rev()
        .filter(|t| !t.kind.is_trivia() && t.span.end <= at && t.span.start >= item.start)
        .take(2)
        .collect();
    let word_of = |t: Option<&&Token>| t.and_then(|t| text.get(t.span.range())).unwrap_or("");
    let (before_word, before_kind) = (word_of(before.first()), before.first().map(|t| t.kind));
    let second = word_of(before.get(1));
    if is_unit(&before_word.to_lowercase())
        && let [unit, number] = *before.as_slice()
        && number.kind == TokenKind::Number
    {
        return two_windows(diagnostic, number.span.to(unit.span), &format!("{second} {before_word}"));
    }
    if found.is_none() && before_word.eq_ignore_ascii_case("since") {
        return diagnostic.note("say since when: `since 2026-01-31`").note(
            "what did not follow an event is said of that event: `did Checkout Started with no Order Completed since`",
        );
    }
    let Some(found) = found else { return diagnostic };
    let word = text.get(found.span.range()).unwrap_or("");
    let lower = word.to_lowercase();
    if is_unit(&lower) && matches!(before_kind, Some(TokenKind::Number)) {
        let at = before.first().map_or(found.span, |number| number.span.to(found.span));
        return two_windows(diagnostic, at, &format!("{before_word} {word}"));
    }
    if before_kind == Some(TokenKind::Text) && found.kind == TokenKind::Text {
        return diagnostic.help("put a comma between the values; conditions are joined with `and` and `or`");
    }
    if found.kind == TokenKind::Text && before_kind == Some(TokenKind::Word) {
        let at = Span { end: found.span.start, ..found.span };
        return diagnostic.fix(at, "is ", format!("to compare, say how: `{before_word} is {word}`"));
    }
    if found.kind == TokenKind::Word && before_word.eq_ignore_ascii_case("segment") {
        return diagnostic.help("write the segment's name in quotes");
    }
    if found.kind == TokenKind::Clock && !before_word.is_empty() && before_kind != Some(TokenKind::Date) {
        return diagnostic
            .note("a time of day follows a date: `2026-01-31 14:00`")
            .note("hours of every day are a range: `between 18:00 and 23:00`");
    }
    if found.kind == TokenKind::Number && before_kind == Some(TokenKind::Word) {
        return diagnostic
            .note(format!("a value is compared with `is {word}`"))
            .note(format!("events are counted with `exactly {word} times` or `at least {word} times`"));
    }
    diagnostic
}

/// `3 days` alone: up to now, or longer ago.
fn two_windows(diagnostic: Diagnostic, at: Span, length: &str) -> Diagnostic {
    let (past, ago) = (format!("in the past {length}"), format!("more than {length} ago"));
    diagnostic.fix(at, past.as_str(), format!("for a window up to now, write `{past}`")).fix(
        at,
        ago.as_str(),
        format!("for a time longer ago, write `{ago}`"),
    )
}

fn is_unit(word: &str) -> bool {
    let singular = word.strip_suffix('s').unwrap_or(word);
    ["second", "minute", "hour", "day", "week", "month", "year"].contains(&singular)
}

/// What would fit, in a few phrases, most telling first.
fn phrases(rules: &[Rule]) -> Vec<String> {
    let mut seen: Vec<(u8, String)> = rules.iter().filter_map(|r| phrase(*r)).collect();
    seen.sort();
    seen.dedup();
    seen.truncate(5);
    seen.into_iter().map(|(_, words)| words).collect()
}

/// A rule as a reader would call it, with its rank among others. Rules that
/// belong to a larger phrase speak as that phrase.
fn phrase(rule: Rule) -> Option<(u8, String)> {
    let some = |rank: u8, words: &str| Some((rank, words.to_owned()));
    match rule {
        Rule::text => some(1, "a text in quotes"),
        Rule::include | Rule::kw_include => some(0, "`include people who …`"),
        Rule::exclude | Rule::kw_exclude => some(6, "`exclude people who …`"),
        Rule::expression
        | Rule::clause
        | Rule::head
        | Rule::prefix
        | Rule::in_segment
        | Rule::everyone
        | Rule::filter => some(1, "a condition"),
        Rule::connective | Rule::kw_and | Rule::kw_or | Rule::kw_but | Rule::mistake_and | Rule::mistake_or => {
            some(4, "`and` or `or` with another condition")
        }
        Rule::modifier
        | Rule::comparison
        | Rule::copula
        | Rule::relation
        | Rule::symbolic
        | Rule::comparison_symbol => some(2, "a comparison such as `is at least 5`"),
        Rule::window
        | Rule::past
        | Rule::ago
        | Rule::dated
        | Rule::ever
        | Rule::between_dates
        | Rule::mistake_within => some(3, "a window such as `in the past 30 days`"),
        Rule::any_time | Rule::held_for => some(5, "`at any time` or `for at least 30 days`"),
        Rule::operand
        | Rule::factor
        | Rule::literal
        | Rule::amount
        | Rule::literal_list
        | Rule::bound_value
        | Rule::measure
        | Rule::measure_factor => some(1, "a value"),
        Rule::name
        | Rule::ended_name
        | Rule::end_word
        | Rule::bare_name
        | Rule::of_name
        | Rule::of_run
        | Rule::event_ref => some(1, "a name"),
        Rule::number | Rule::number_word | Rule::count | Rule::quantity | Rule::duration_count => some(1, "a number"),
        Rule::unit
        | Rule::second
        | Rule::minute
        | Rule::hour
        | Rule::day
        | Rule::week
        | Rule::month
        | Rule::year
        | Rule::duration => some(1, "a length of time such as `3 days`"),
        Rule::date | Rule::day_date | Rule::instant | Rule::moment => some(1, "a date such as `2026-01-31`"),
        Rule::clock => some(5, "a time of day"),
        Rule::open => some(1, "`(`"),
        Rule::close => some(5, "`)`"),
        Rule::comma => some(5, "`,`"),
        Rule::EOI => some(7, "the end of the segment"),
        Rule::kw_ago => some(2, "`ago`"),
        Rule::kw_times => some(3, "`times`"),
        Rule::kw_of => some(2, "`of`"),
        Rule::kw_over => some(2, "`over`"),
        Rule::kw_to => some(2, "`to`"),
        Rule::kw_with => some(2, "`with`"),
        Rule::kw_case => some(1, "`case`"),
        Rule::kw_segment => some(1, "`segment`"),
        _ => None,
    }
}
