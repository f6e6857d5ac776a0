//! The data behind the figures: how fresh, late and complete they are.

use super::{chip, with_code};
use crate::output::{grouped, percent};
use crate::report::figures::{Chip, Figures, Tone};
use maud::{Markup, html};
use seg::unstable::data::shown::length;
use seg::unstable::doctor::{Cycle, Freshness};

pub fn section(of: &Figures) -> Markup {
    html! {
        h2 #data { "Data" }
        div.card {
            p { (grouped(of.n_rows)) " rows of " (files(of.n_files)) ", " (grouped(of.n_people)) " people." }
            @if !of.freshness.is_empty() {
                div.scroll tabindex="0" role="region" aria-label="Events" { (events(&of.freshness)) }
            }
            (lateness(of))
            (incomplete(of))
            @if let Some(cycle) = &of.cycle { (buying_cycle(cycle)) }
            @if !of.problems.is_empty() {
                h3 { "What was found while reading" }
                ul { @for problem in &of.problems { li { (with_code(problem)) } } }
            }
        }
    }
}

fn files(n: u64) -> String {
    if n == 1 { "1 file".to_owned() } else { format!("{} files", grouped(n)) }
}

fn events(events: &[Freshness]) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th { "event" } th.n { "rows" } th.n { "newest" }
                    th.n { "longest pause, 90 days" } th { "state" }
                }
            }
            tbody {
                @for event in events {
                    @let (word, tone) = if event.is_stale() { ("stale", Tone::Warning) } else { ("fresh", Tone::Good) };
                    tr {
                        th { (event.event.as_deref().unwrap_or("all")) }
                        td { (grouped(event.events)) }
                        td { (length(event.age)) " ago" }
                        td { @if event.events > 1 { (length(event.longest_pause)) } @else { "–" } }
                        td.words { (chip(&Chip { says: word.to_owned(), tone })) }
                    }
                }
            }
        }
    }
}

fn lateness(of: &Figures) -> Markup {
    html! {
        @if let Some(why) = of.not_late { p.mut { "Whether events arrive late is not known: " (with_code(why)) "." } }
        @if !of.lateness.is_empty() {
            h3 { "How late events arrive" }
            div.scroll tabindex="0" role="region" aria-label="How late events arrive" {
                table {
                    thead {
                        tr {
                            th { "event" } th.n { "half within" } th.n { "95 of 100 within" }
                            th.n { "99 of 100 within" } th.n { "later than they should be" }
                        }
                    }
                    tbody {
                        @for late in &of.lateness {
                            tr {
                                th { (late.event) }
                                td { (length(late.p50)) }
                                td { (length(late.p95)) }
                                td { (length(late.p99)) }
                                td {
                                    @match late.arrives_within {
                                        Some(within) => { (percent(share(late.over, late.events))) ", " (length(within)) },
                                        None => "not said",
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn incomplete(of: &Figures) -> Markup {
    html! {
        @if !of.incomplete.is_empty() {
            details {
                summary { "What lacks values" }
                div.scroll tabindex="0" role="region" aria-label="What lacks values" {
                    table {
                        thead {
                            tr { th { "value" } th.n { "without one, 30 days" } th.n { "before" } }
                        }
                        tbody {
                            @for found in &of.incomplete {
                                tr {
                                    th { @if let Some(event) = &found.event { (event) ", " } (found.name) }
                                    td { (percent(found.recent.share())) }
                                    td { (percent(found.before.share())) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn buying_cycle(cycle: &Cycle) -> Markup {
    let at = |percent: u64| cycle.percentiles.iter().find(|(of, _)| *of == percent).map_or(0, |(_, days)| *days);
    let asked: Vec<_> = cycle.waits.iter().filter(|wait| !wait.segments.is_empty()).collect();
    html! {
        h3 { "How long people wait between purchases" }
        p {
            "Half of " (grouped(cycle.gaps)) " waits that ended in a purchase took " (day_count(at(50))) " or less, 9 in 10 "
            (day_count(at(90))) " or less."
        }
        @if !asked.is_empty() {
            ul {
                @for wait in asked {
                    li {
                        (percent(cycle.share_over(wait.days))) " were over " (day_count(wait.days)) ", which "
                        (wait.segments.join(", ")) (if wait.segments.len() == 1 { " waits" } else { " wait" }) " for"
                    }
                }
            }
        }
    }
}

fn day_count(n: i64) -> String {
    super::days(usize::try_from(n).unwrap_or(0))
}

fn share(n: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| n as f64 / of as f64)
}
