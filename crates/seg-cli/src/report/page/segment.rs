//! One segment: its sentence, its figures, its charts and some of its people.

use super::{chip, days, with_code};
use crate::charts::{Ahead, Bars, Line, Timeline};
use crate::output::grouped;
use crate::report::figures::{Card, Chip, Figures, Person, Reads, SegmentFigures, Tone};
use maud::{Markup, html};

pub fn section(of: &Figures, segment: &SegmentFigures, nth: usize) -> Markup {
    html! {
        section.one id={ "s" (nth) } aria-labelledby={ "h" (nth) } {
            h2 id={ "h" (nth) } {
                (segment.name)
                @for said in &segment.chips { " " (chip(said)) }
            }
            p.mut { (segment.purpose) " " a href="#segs" { "All segments" } }
            pre { @for mark in &segment.sentence { @if mark.is_value { i { (mark.text) } } @else { (mark.text) } } }
            div.cards { @for card in &segment.cards { (one_card(card)) } }
            (charts(of, segment))
            @if let Some(goal) = &of.goal { (reached(goal, &segment.goal)) }
            @if let Some(ends) = &of.timeline_ends { (people(segment, (&ends.0, &ends.1))) }
            (reads(&segment.reads))
        }
    }
}

fn one_card(card: &Card) -> Markup {
    html! {
        div.card {
            div.mut { (card.what) }
            div.big { (card.figure) }
            (card.says)
        }
    }
}

fn charts(of: &Figures, segment: &SegmentFigures) -> Markup {
    let title = size_title(of, segment);
    let year_before = &segment.year_before;
    let line = Line { title: &title, sizes: &segment.sizes, ahead: &segment.ahead, year_before, days: &of.days };
    let (entered, left) = segment.moves.iter().fold((0, 0), |(entered, left), day| (entered + day.0, left + day.1));
    let moved = format!("{}: {} in, {} out", days(of.n_days), grouped(entered), grouped(left));
    let n_ahead = segment.ahead.len();
    let bars = Bars { title: &moved, moves: &segment.moves, n_ahead, label_chars: line.label_chars() };
    html! {
        div.card {
            h3 { @if n_ahead > 0 { "Size, and what to expect" } @else { "Size" } }
            (line.svg())
            @if let Some(says) = &segment.ahead_says { p.mut { (says) } }
            @if let Some(says) = &segment.year_says { p.mut { "Dashed grey, " (says) "." } }
            h3 { "In and out, each day" }
            (bars.svg())
            details {
                summary { "The same as a table" }
                (table(of, segment))
            }
        }
    }
}

/// What came of those who entered.
fn reached(goal: &str, lines: &[(&str, String)]) -> Markup {
    html! {
        div.card {
            h3 { "Who reaches the goal" }
            p.mut { (with_code(goal)) }
            table {
                tbody { @for (word, says) in lines { tr { th scope="row" { (word) } td.words { (with_code(says)) } } } }
            }
        }
    }
}

/// What the chart of sizes shows.
fn size_title(of: &Figures, segment: &SegmentFigures) -> String {
    let (first, last) = (segment.sizes.first().copied().unwrap_or(0), segment.sizes.last().copied().unwrap_or(0));
    let n_days = days(of.n_days);
    let ahead = segment
        .ahead
        .last()
        .zip(of.days.last())
        .map_or(String::new(), |(day, name)| format!("; {} expected on {name}", range(day)));
    format!("{}: size each day over {n_days}, from {} to {}{ahead}", segment.name, grouped(first), grouped(last))
}

fn range(day: &Ahead) -> String {
    let whole = |n: f64| grouped(n.max(0.0).round() as u64);
    format!("{}–{}", whole(day.from), whole(day.to))
}

fn table(of: &Figures, segment: &SegmentFigures) -> Markup {
    let past = of.days.iter().skip(1).zip(segment.sizes.iter().skip(1)).zip(&segment.moves);
    let past: Vec<_> = past.collect();
    let has_year = segment.year_before.iter().any(Option::is_some);
    let to_come: Vec<_> = of.days.iter().skip(segment.sizes.len()).zip(&segment.ahead).collect();
    html! {
        div.two {
            table {
                thead {
                    tr {
                        th { "day" } th.n { "size" } th.n { "in" } th.n { "out" }
                        @if has_year { th.n { "a year before" } }
                    }
                }
                tbody {
                    @for (nth, ((day, size), (entered, left))) in past.into_iter().enumerate().rev() {
                        tr {
                            th { (day) } td { (grouped(*size)) } td { (entered) } td { (left) }
                            @if has_year {
                                td { (segment.year_before.get(nth + 1).copied().flatten().map_or("–".to_owned(), grouped)) }
                            }
                        }
                    }
                }
            }
            @if !to_come.is_empty() {
                table {
                    thead { tr { th { "day" } th.n { "expected" } th.n { "8 times in 10" } } }
                    tbody {
                        @for (day, ahead) in to_come {
                            tr { th { (day) } td { (grouped(ahead.expected.max(0.0).round() as u64)) } td { (range(ahead)) } }
                        }
                    }
                }
            }
        }
    }
}

fn people(segment: &SegmentFigures, ends: (&str, &str)) -> Markup {
    html! {
        div.card {
            h3 { (if segment.people.is_empty() { "Nobody is in it, or nearly" } else { "Some people" }) }
            @if !segment.people.is_empty() {
                p.mut {
                    "Chosen by the segment's name and their ids, always the same. The band is when they were in it; "
                    "a dot is a day on which they did something, larger where they did it more often."
                }
                @for person in &segment.people { (one_person(segment, person, ends)) }
                @if segment.people.iter().any(|person| !person.lanes.is_empty() || !person.stays_say.is_empty()) {
                    details {
                        summary { "The same as a table" }
                        (table_of_people(&segment.people))
                    }
                }
            }
        }
    }
}

fn one_person(segment: &SegmentFigures, person: &Person, ends: (&str, &str)) -> Markup {
    let done: Vec<String> = person.lanes.iter().map(|lane| format!("{} {}", lane.name, total(&lane.days))).collect();
    let title = format!(
        "{} from {} to {}: {}",
        person.id,
        ends.0,
        ends.1,
        if done.is_empty() { "no events".to_owned() } else { done.join(", ") }
    );
    let timeline = Timeline { title: &title, stays: &person.stays, lanes: &person.lanes, ends };
    let state = match person.is_in {
        true => Chip { says: "in".to_owned(), tone: Tone::Good },
        false => Chip { says: "just misses".to_owned(), tone: Tone::Warning },
    };
    html! {
        article.who aria-label={ (person.id) " and " (segment.name) } {
            h4 { (person.id) " " (chip(&state)) }
            (timeline.svg())
            ul { @for why in &person.why { li { (why) } } }
            p.mut { (person.when) }
        }
    }
}

fn total(days: &[(f64, u64)]) -> u64 {
    days.iter().map(|(_, n)| n).sum()
}

/// What the timelines show.
fn table_of_people(people: &[Person]) -> Markup {
    html! {
        table {
            thead { tr { th { "person" } th { "what" } th { "when" } } }
            tbody {
                @for person in people {
                    @for lane in &person.lanes {
                        tr { th { (person.id) } td.words { (lane.name) } td.words { (total(&lane.days)) " on " (days(lane.days.len())) } }
                    }
                    @for stay in &person.stays_say { tr { th { (person.id) } td.words { "in it" } td.words { (stay) } } }
                }
            }
        }
    }
}

fn reads(reads: &[Reads]) -> Markup {
    html! {
        @if !reads.is_empty() {
            p.mut {
                "Reads "
                @for (nth, read) in reads.iter().enumerate() {
                    @if nth > 0 { ", " }
                    code { (read.name) }
                    @if !read.properties.is_empty() { " (" (read.properties.join(", ")) ")" }
                }
                "."
            }
        }
    }
}
