//! The figures of each segment.

use super::Judged;
use super::goal::Reached;
use super::people::Sampling;
use crate::charts::Ahead;
use crate::commands::history::year_says;
use crate::output::{counted, grouped, percent};
use crate::report::{Card, Chip, Mark, Reads, SegmentFigures, Tone};
use seg::Mask;
use seg::unstable::ast::Item;
use seg::unstable::data::shown::{length, short_day};
use seg::unstable::doctor::{Health, SegmentHealth};
use seg::unstable::dwell::{Dwell, dwell};
use seg::unstable::forecast::{Expected, Method};
use seg::unstable::hir::{Header, SegmentId, with_references};
use seg::unstable::history::{Step, size_before};
use seg::unstable::token::{Token, TokenKind};
use seg::unstable::{module, parse, parts, plan};

/// So many days make the change that stands in the row of a segment.
const RECENT_DAYS: usize = 7;

pub fn figures(
    judged: &Judged<'_>,
    (health, reached): (&Health, Option<&Reached>),
    sampling: Option<&Sampling<'_>>,
    n_people: u64,
) -> Vec<SegmentFigures> {
    let mut sentences = sentences(judged).into_iter();
    let chips = chips(&health.segments);
    let run = module(judged.program).run().enumerate();
    run.map(|(at, (id, segment))| {
        let steps = shown_steps(judged, at);
        let forecasts = judged.forecasts.get(at).map_or(&[][..], Vec::as_slice);
        let last = forecasts.last().map(|forecast| &forecast.size);
        let mut sizes = vec![size_before(steps)];
        sizes.extend(steps.iter().map(|step| step.size));
        let n_recent = RECENT_DAYS.min(steps.len());
        let year_before = judged.year_before.as_ref().and_then(|of| of.get(at).cloned()).unwrap_or_default();
        let sizes_now = sizes.last().copied();
        SegmentFigures {
            name: segment.name.clone(),
            chips: chips.get(at).cloned().unwrap_or_default(),
            sentence: sentences.next().unwrap_or_default(),
            purpose: purpose(&segment.header),
            moves: steps.iter().map(|step| (step.entries, step.exits)).collect(),
            cards: cards(judged, at, steps, &sizes, n_people),
            n_recent,
            sizes,
            ahead: forecasts.iter().map(|forecast| Ahead::of(&forecast.size)).collect(),
            ahead_says: last.map(method),
            year_says: year_before
                .get(steps.len())
                .copied()
                .flatten()
                .zip(sizes_now)
                .map(|(before, now)| year_says(before, now)),
            year_before,
            row: [last.map_or("–".to_owned(), range)]
                .into_iter()
                .chain(reached.map(|reached| reached.rate(at)))
                .collect(),
            goal: reached.map_or(Vec::new(), |reached| reached.lines(judged, at)),
            people: sampling.map_or(Vec::new(), |sampling| sampling.of_segment(at)),
            reads: reads(judged, id),
        }
    })
    .collect()
}

/// What happened to a segment on the days that are shown.
fn shown_steps<'j>(judged: &'j Judged<'_>, at: usize) -> &'j [Step] {
    let steps = judged.steps.get(at).map_or(&[][..], Vec::as_slice);
    steps.get(steps.len().saturating_sub(judged.n_days)..).unwrap_or(&[])
}

/// The sentence of each segment that is run as it was written, in pieces, of which those that
/// one changes stand out.
fn sentences(judged: &Judged<'_>) -> Vec<Vec<Mark>> {
    let parses = parse(judged.project);
    let sources = parts(judged.project).sources;
    let named = |name: &str| {
        let written = parses.iter().find_map(|parse| {
            let is_named = |item: &&Item| matches!(item, Item::Segment(segment) if segment.name.text == name);
            let Some(Item::Segment(segment)) = parse.file.items.iter().find(is_named) else { return None };
            Some((parse, segment.span))
        });
        let Some((parse, span)) = written else { return Vec::new() };
        let inside = |token: &&Token| span.start <= token.span.start && token.span.end <= span.end;
        let mut marks: Vec<Mark> = Vec::new();
        for token in parse.tokens.as_slice().iter().filter(inside) {
            let (is_value, piece) = (is_value(token.kind), sources.text(token.span));
            match marks.last_mut() {
                Some(last) if last.is_value == is_value => last.text.push_str(piece),
                Some(_) | None => marks.push(Mark { text: piece.to_owned(), is_value }),
            }
        }
        marks
    };
    judged.program.segment_names().map(named).collect()
}

/// Whether it is what one changes in a sentence: a number, a date or a text.
fn is_value(kind: TokenKind) -> bool {
    match kind {
        TokenKind::Number | TokenKind::Date | TokenKind::Clock | TokenKind::Timestamp | TokenKind::Text => true,
        TokenKind::Whitespace
        | TokenKind::Newline
        | TokenKind::Comment
        | TokenKind::Word
        | TokenKind::CommaNumber
        | TokenKind::NumberWord
        | TokenKind::UnterminatedText
        | TokenKind::CurlyText
        | TokenKind::OpenBracket
        | TokenKind::CloseBracket
        | TokenKind::Comma
        | TokenKind::Dot
        | TokenKind::Symbol
        | TokenKind::Unknown => false,
    }
}

/// What a segment is for, and who answers for it.
fn purpose(header: &Header) -> String {
    let uses: Vec<String> = header
        .uses
        .iter()
        .map(|used| match used.channels.is_empty() {
            true => format!("{} \"{}\"", used.kind, used.name),
            false => format!("{} \"{}\" over {}", used.kind, used.name, used.channels.join(", ")),
        })
        .collect();
    let uses = match uses.is_empty() {
        true => "Nothing says what it is used by.".to_owned(),
        false => format!("Used by {}.", uses.join(", ")),
    };
    let owner = header.owner.as_ref().map_or(String::new(), |owner| format!(" {owner} answers for it."));
    let description = header.description.as_ref().map_or(String::new(), |words| format!("{words} "));
    format!("{description}{uses}{owner}")
}

/// A word, and of which segments it is said.
type Told = (&'static str, fn(&SegmentHealth) -> bool);

/// What stands beside the names. What is so of every segment says nothing of any.
fn chips(segments: &[SegmentHealth]) -> Vec<Vec<Chip>> {
    let said: [Told; 3] = [
        ("not used", |segment| !segment.is_used),
        ("nobody enters", |segment| segment.entered == 0),
        ("too small", |segment| segment.is_too_small && segment.entered > 0),
    ];
    let said: Vec<_> =
        said.into_iter().filter(|(_, is_so)| segments.len() == 1 || !segments.iter().all(is_so)).collect();
    let of = |segment: &SegmentHealth| {
        let said = said.iter().filter(|(_, is_so)| is_so(segment));
        said.map(|(says, _)| Chip { says: (*says).to_owned(), tone: Tone::Warning }).collect()
    };
    segments.iter().map(of).collect()
}

fn cards(judged: &Judged<'_>, at: usize, steps: &[Step], sizes: &[u64], n_people: u64) -> Vec<Card> {
    let (Some(spells), Some(mask)) = (judged.spells.get(at), judged.masks.get(at)) else { return Vec::new() };
    let first = judged.shown_instants().first().copied().unwrap_or(judged.now);
    let days = counted(judged.n_days, "day");
    let dwell = dwell(spells, (first, judged.now), judged.now);
    let churn = churn(&spells.members_at(first), mask, &short_day(first, judged.zone));
    let forecasts = judged.forecasts.get(at).and_then(|forecasts| forecasts.last());
    let expected = forecasts.map(|forecast| expected_card(forecast.ahead, &forecast.size));
    let mut cards = vec![size_card(sizes, n_people), moves_card(steps, &days, &churn), dwell_card(&dwell, &days)];
    // Beside the size of now.
    cards.splice(1..1, expected);
    cards
}

fn size_card(sizes: &[u64], n_people: u64) -> Card {
    let size = sizes.last().copied().unwrap_or(0);
    let n_recent = RECENT_DAYS.min(sizes.len().saturating_sub(1));
    let then = sizes.iter().rev().nth(n_recent).copied().unwrap_or(size);
    let share = percent((n_people > 0).then(|| size as f64 / n_people as f64));
    let ago = format!("{} ago", counted(n_recent, "day"));
    let change = match size.cmp(&then) {
        std::cmp::Ordering::Equal => format!("as many as {ago}"),
        std::cmp::Ordering::Greater => format!("{} more than {ago}", grouped(size - then)),
        std::cmp::Ordering::Less => format!("{} fewer than {ago}", grouped(then - size)),
    };
    Card {
        what: "size".to_owned(),
        figure: grouped(size),
        says: format!("{share} of {} people; {change}", grouped(n_people)),
    }
}

/// How large it is expected to be, and whether such ranges held.
fn expected_card(ahead: usize, expected: &Expected) -> Card {
    let tested = expected.tested.iter().find(|tested| tested.method == expected.method);
    let held = tested.filter(|tested| tested.n_ranges > 0).map_or(String::new(), |tested| {
        format!("; such a range held on {} of {} so far", tested.n_held, counted(tested.n_ranges, "day"))
    });
    let about = grouped(expected.value.max(0.0).round() as u64);
    Card {
        what: format!("in {}", counted(ahead, "day")),
        figure: range(expected),
        says: format!("about {about}{held}"),
    }
}

/// `1,443–1,523`, or the number alone where there is no range.
fn range(expected: &Expected) -> String {
    let whole = |n: f64| grouped(n.max(0.0).round() as u64);
    match expected.range {
        Some((from, to)) => format!("{}–{}", whole(from), whole(to)),
        None => whole(expected.value),
    }
}

/// By what a number was found, and how far off that was so far.
fn method(expected: &Expected) -> String {
    let how = match expected.method {
        Method::DecidedAndUsual => "What time alone decides, and what usually comes",
        Method::LastValue => "The last value, for nothing did better",
        Method::LastWeek => "The same weekday of last week",
        Method::UsualWeekday => "The median of the weekday in eight weeks",
    };
    let error = |method: Method| expected.tested.iter().find(|tested| tested.method == method)?.error;
    let off = error(expected.method).map_or(String::new(), |error| format!("; off by {error:.1} people so far"));
    let naive = error(Method::LastValue).filter(|_| expected.method != Method::LastValue);
    let naive = naive.map_or(String::new(), |error| format!(", the last value by {error:.1}"));
    format!("{how}{off}{naive}.")
}

fn moves_card(steps: &[Step], days: &str, churn: &str) -> Card {
    let sum = |of: fn(&Step) -> u64| steps.iter().map(of).sum::<u64>();
    let (entries, exits, by_event) =
        (sum(|step| step.entries), sum(|step| step.exits), sum(|step| step.exits_by_event));
    let by_time = match exits - by_event {
        0 => String::new(),
        n => format!(", {} of them by time alone", grouped(n)),
    };
    Card {
        what: format!("came in within {days}"),
        figure: grouped(entries),
        says: format!("{} went out{by_time}; {churn}", grouped(exits)),
    }
}

/// The share of those who were in at the beginning and are not in now.
fn churn(before: &Mask, now: &Mask, first: &str) -> String {
    let (n, left) = (before.count() as u64, before.without(now).count() as u64);
    match n {
        0 => format!("nobody was in on {first}"),
        n => {
            let share = percent(Some(left as f64 / n as f64));
            format!("churn {share}, {} of {} who were in on {first}", grouped(left), grouped(n))
        }
    }
}

fn dwell_card(dwell: &Dwell, days: &str) -> Card {
    let [quarter, half, three_quarters] = dwell.quartiles;
    let within = |what: &str, micros: Option<i64>| micros.map(|micros| format!("{what} within {}", length(micros)));
    let stays = match (dwell.n_spells, dwell.n_open()) {
        (0, _) => format!("nobody came in within {days}"),
        (n, 0) => format!("all {} that began within {days} have ended", counted(n, "stay")),
        (n, open) => {
            format!("of {} that began within {days}, {} are still open", counted(n, "stay"), grouped(open as u64))
        }
    };
    let says = [within("a quarter", quarter), within("three quarters", three_quarters), Some(stays)];
    Card {
        what: "half leave within".to_owned(),
        figure: half.map_or("not seen".to_owned(), length),
        says: says.into_iter().flatten().collect::<Vec<String>>().join("; "),
    }
}

/// The events and attributes that a segment is decided by, those of the segments it refers to
/// as well.
fn reads(judged: &Judged<'_>, id: SegmentId) -> Vec<Reads> {
    let needs = plan::needs(&plan::lower(&with_references(module(judged.program), id)));
    let schema = judged.program.schema();
    let events = needs.events.iter().filter_map(|(event, of)| {
        let event = schema.events.get(event.idx())?;
        let properties = of.properties.iter().filter_map(|id| Some(event.properties.get(id.idx())?.name.clone()));
        Some(Reads { name: event.name.clone(), properties: properties.collect() })
    });
    let attributes = needs
        .attributes
        .iter()
        .filter_map(|id| Some(Reads { name: schema.attributes.get(id.idx())?.name.clone(), properties: Vec::new() }));
    events.chain(attributes).collect()
}
