//! Who is in several segments, and which of them takes whom.

use super::bar;
use crate::output::{grouped, percent};
use crate::report::figures::Figures;
use maud::{Markup, html};
use seg::unstable::overlap::{Contained, Pair, Taken};
use std::collections::HashMap;

/// Up to so many segments stand by name above the columns.
const NAMED_MAX: usize = 7;

pub fn section(of: &Figures) -> Markup {
    html! {
        @if of.segments.len() > 1 {
            h2 #overlap { "Who is in several" }
            div.card {
                p.mut {
                    "People in both; below, the share of the row's segment. "
                    "Framed: both are used and nothing says which goes first, so they get both messages."
                }
                div.scroll tabindex="0" role="region" aria-label="People in both" { (heat(of)) }
                (contained(of))
            }
            @if of.taken.is_empty() {
                p.mut {
                    "No order says which of several segments takes somebody. Write "
                    code { "when people are in several, prefer \"…\", then \"…\"" }
                    " to have one."
                }
            } @else {
                div.card {
                    h3 { "Who goes where, by the order of precedence" }
                    div.scroll tabindex="0" role="region" aria-label="Who goes where" { (waterfall(of)) }
                }
            }
        }
    }
}

fn heat(of: &Figures) -> Markup {
    let pairs: HashMap<(usize, usize), &Pair> = of.pairs.iter().map(|pair| ((pair.a, pair.b), pair)).collect();
    let is_named = of.segments.len() <= NAMED_MAX;
    html! {
        table.heat {
            thead {
                tr {
                    td {}
                    @for (nth, segment) in of.segments.iter().enumerate() {
                        @if is_named { th { (segment.name) } } @else { th title=(segment.name) { (nth + 1) } }
                    }
                }
            }
            tbody {
                @for (row, segment) in of.segments.iter().enumerate() {
                    tr {
                        th { @if !is_named { (row + 1) ". " } (segment.name) }
                        @for column in 0..of.segments.len() { (cell(of, &pairs, row, column)) }
                    }
                }
            }
        }
    }
}

fn cell(of: &Figures, pairs: &HashMap<(usize, usize), &Pair>, row: usize, column: usize) -> Markup {
    let size = of.segments.get(row).and_then(|segment| segment.sizes.last().copied()).unwrap_or(0);
    if row == column {
        return html! { td.self { (grouped(size)) } };
    }
    let Some(pair) = pairs.get(&(row.min(column), row.max(column))).filter(|pair| pair.both > 0) else {
        return html! { td { "·" } };
    };
    let share = if row < column { pair.share_of_a() } else { pair.share_of_b() };
    // Ten shades, of which the first is hardly any.
    let shade = (share.unwrap_or(0.0) * 10.0).ceil().clamp(1.0, 10.0) as u64;
    let class = format!("h{shade}{}", if pair.is_unordered { " w" } else { "" });
    html! { td class=(class) { (grouped(pair.both)) small { (whole_percent(share)) } } }
}

/// A share without its tenths, for cells are small; what is not nothing does not look so.
fn whole_percent(share: Option<f64>) -> String {
    match share {
        Some(share) if share > 0.0 && share < 0.005 => "<1%".to_owned(),
        Some(share) => format!("{:.0}%", share * 100.0),
        None => "–".to_owned(),
    }
}

/// Segments all of whose people are in another.
fn contained(of: &Figures) -> Markup {
    let name = |at: usize| of.segments.get(at).map_or("", |segment| segment.name.as_str());
    let both_ways = |pair: &Pair| [(pair.a_in_b, pair.a, pair.b), (pair.b_in_a, pair.b, pair.a)];
    let found: Vec<_> =
        of.pairs.iter().flat_map(both_ways).filter(|(contained, ..)| *contained != Contained::No).collect();
    html! {
        @if !found.is_empty() {
            details open[found.len() <= 5] {
                summary { (found.len()) " times all of a segment are in another" }
                ul {
                    @for (contained, inner, outer) in found {
                        li {
                            "All of " b { (name(inner)) } " are in " b { (name(outer)) }
                            @if contained == Contained::Proved { ", always, by the conditions" } @else { ", in this data" }
                        }
                    }
                }
            }
        }
    }
}

fn waterfall(of: &Figures) -> Markup {
    html! {
        table.falls {
            thead {
                tr {
                    th { "segment" } th.n { "people" } th.n { "keeps" }
                    th { "share kept" } th { "the rest goes to" }
                }
            }
            tbody {
                @for taken in &of.taken {
                    tr {
                        th { (of.segments.get(taken.segment).map_or("", |segment| segment.name.as_str())) }
                        td { (grouped(taken.members)) }
                        td { (grouped(taken.kept)) }
                        td.bar {
                            @let share = (taken.members > 0).then(|| taken.kept as f64 / taken.members as f64);
                            (percent(share)) @if let Some(share) = share { (bar(share)) }
                        }
                        td.words { (goes_to(of, taken)) }
                    }
                }
            }
        }
    }
}

/// `16 to Big spenders, 7 to Regulars`
fn goes_to(of: &Figures, taken: &Taken) -> String {
    let others = of.taken.iter().zip(&taken.goes_to).filter(|(_, n)| **n > 0);
    let name = |at: usize| of.segments.get(at).map_or("", |segment| segment.name.as_str());
    let others: Vec<String> = others.map(|(other, n)| format!("{} to {}", grouped(*n), name(other.segment))).collect();
    if others.is_empty() { "–".to_owned() } else { others.join(", ") }
}
