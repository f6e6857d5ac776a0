//! The page: from what needs somebody to what the figures mean.

mod data;
mod overlap;
mod segment;
mod words;

use super::figures::{Chip, Figures, Need, SegmentFigures, Tone};
use crate::charts::{self, lines, sparkline};
use crate::output::{counted, grouped, signed};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use seg::unstable::data::shown::length;

/// Nothing is loaded, no script runs, no form is sent.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The page as HTML.
pub fn page(of: &Figures) -> String {
    let title = format!("{}: segments at {}", of.project, of.at);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) }
                style { (PreEscaped(style())) }
            }
            body {
                a.skip href="#todo" { "To what needs you" }
                header {
                    h1 { (of.project) }
                    (facts(of))
                }
                (navigation(of))
                main {
                    (needs(of))
                    (segments(of))
                    @for (nth, segment) in of.segments.iter().enumerate() { (segment::section(of, segment, nth)) }
                    (overlap::section(of))
                    (data::section(of))
                    (words::section(of))
                }
                footer {
                    p {
                        "Made by seg report " (of.version) ". Nothing in this file is loaded from elsewhere; "
                        (ids(of))
                    }
                }
            }
        }
    };
    without_optional_tags(&page.into_string())
}

fn style() -> String {
    charts::variables() + &lines(charts::STYLE) + &lines(include_str!("page/style.css"))
}

/// End tags that HTML lets one leave out, and those of shapes that hold nothing, are half of a
/// table of small numbers. Text cannot hold one, for what it holds is escaped.
fn without_optional_tags(page: &str) -> String {
    let ends = ["</td>", "</th>", "</tr>", "</li>", "</dt>", "</dd>", "</thead>", "</tbody>", "</body></html>"];
    let page = ends.iter().fold(page.to_owned(), |page, end| page.replace(end, ""));
    let shapes = ["rect", "line", "polyline", "polygon", "path", "circle"];
    shapes.iter().fold(page, |page, shape| page.replace(&format!("></{shape}>"), "/>"))
}

/// How many people can be told from it.
fn ids(of: &Figures) -> String {
    match of.segments.iter().map(|segment| segment.people.len()).sum::<usize>() {
        0 => "it holds no ids of people.".to_owned(),
        1 => "it holds the id of 1 person.".to_owned(),
        n => format!("it holds the ids of at most {} people.", grouped(n as u64)),
    }
}

fn facts(of: &Figures) -> Markup {
    html! {
        p.facts {
            span { "judged at " b { (of.at) } " " (of.zone) ", from " (of.said_by) }
            span { b { (grouped(of.n_people)) } " people" }
            span { b { (grouped(of.segments.len() as u64)) } " segments" }
            @match &of.freshness_in_all {
                Some(all) => {
                    @let (word, tone) = if all.is_stale() { ("stale", Tone::Warning) } else { ("fresh", Tone::Good) };
                    span { "newest event " b { (length(all.age)) " old" } " " (chip(&Chip { says: word.to_owned(), tone })) }
                }
                None => span { (chip(&Chip { says: "no events yet".to_owned(), tone: Tone::Warning })) }
            }
        }
    }
}

fn navigation(of: &Figures) -> Markup {
    html! {
        nav aria-label="Sections" {
            div {
                a href="#todo" { "Needs you" }
                a href="#segs" { "Segments" }
                @if of.segments.len() > 1 { a href="#overlap" { "Overlap" } }
                a href="#data" { "Data" }
                a href="#words" { "What the figures mean" }
            }
        }
    }
}

fn needs(of: &Figures) -> Markup {
    html! {
        h2 #todo { "Needs you" }
        div.card {
            @if of.needs.is_empty() { p.calm { "Nothing: data and segments are in a state to send by." } }
            ol.todo {
                @for need in &of.needs { (one_need(need)) }
            }
            @if of.n_more_needs > 0 {
                p.mut { "And " (grouped(of.n_more_needs as u64)) " more of other kinds: " code { "seg doctor" } " tells them all." }
            }
        }
    }
}

fn one_need(need: &Need) -> Markup {
    html! {
        li {
            b { (with_code(&need.says)) }
            span.do { (with_code(&need.write)) }
            @if !need.more.is_empty() {
                details {
                    summary { (need.more.len()) " more like this" }
                    ul {
                        @for (says, write) in &need.more {
                            li { (with_code(says)) @if *write != need.write { span.do { (with_code(write)) } } }
                        }
                    }
                }
            }
        }
    }
}

/// A row a segment.
fn segments(of: &Figures) -> Markup {
    let n_recent = of.segments.first().map_or(0, |segment| segment.n_recent);
    let (n_days, recent) = (days(of.n_days), days(n_recent));
    html! {
        h2 #segs { "Segments" }
        div.card.scroll tabindex="0" role="region" aria-label="Segments" {
            table.seg role="table" {
                thead role="rowgroup" {
                    tr role="row" {
                        th role="columnheader" scope="col" { "segment" }
                        th.n role="columnheader" scope="col" { "size" }
                        th.n role="columnheader" scope="col" { (recent) }
                        th role="columnheader" scope="col" { (n_days) }
                        th.n role="columnheader" scope="col" { "in" br; (recent) }
                        th.n role="columnheader" scope="col" { "out" br; (recent) }
                        @for column in &of.columns { th.n role="columnheader" scope="col" { (column) } }
                    }
                }
                tbody role="rowgroup" {
                    @for (nth, segment) in of.segments.iter().enumerate() { (segment_row(of, segment, nth, &n_days)) }
                }
            }
        }
    }
}

fn segment_row(of: &Figures, segment: &SegmentFigures, nth: usize, n_days: &str) -> Markup {
    let (first, last) = (segment.sizes.first().copied().unwrap_or(0), segment.sizes.last().copied().unwrap_or(0));
    let title = format!("{n_days}: from {} to {}", grouped(first), grouped(last));
    let recent = segment.moves.iter().rev().take(segment.n_recent);
    let (entered, left) = recent.fold((0, 0), |(entered, left), day| (entered + day.0, left + day.1));
    html! {
        tr role="row" {
            th role="rowheader" scope="row" {
                a href={ "#s" (nth) } { (segment.name) }
                @for said in &segment.chips { " " (chip(said)) }
            }
            td.n role="cell" data-l="size" { (grouped(last)) }
            td.n role="cell" data-l="change" { (signed(entered as i64 - left as i64)) }
            td.g role="cell" data-l=(n_days) { (sparkline(&title, &segment.sizes)) }
            td.n role="cell" data-l="in" { (grouped(entered)) }
            td.n role="cell" data-l="out" { (grouped(left)) }
            @for (column, cell) in of.columns.iter().zip(&segment.row) { td.n role="cell" data-l=(column) { (cell) } }
        }
    }
}

/// `7 days`
fn days(n: usize) -> String {
    counted(n, "day")
}

fn chip(of: &Chip) -> Markup {
    let class = match of.tone {
        Tone::Good => "chip ok",
        Tone::Warning => "chip w",
    };
    html! { span class=(class) { (of.says) } }
}

/// Text whose back-ticks stand around what is written in files.
fn with_code(text: &str) -> Markup {
    html! {
        @for (nth, part) in text.split('`').enumerate() {
            @if nth % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// A share of a whole as a bar, whose figure stands beside it.
fn bar(part: f64) -> Markup {
    html! {
        svg.part viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" {
            rect.all width="100" height="8" {}
            rect.of width=(format!("{:.0}", part * 100.0)) height="8" {}
        }
    }
}
