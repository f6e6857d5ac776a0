//! What the figures mean.

use crate::report::figures::Figures;
use maud::{Markup, html};

pub fn section(of: &Figures) -> Markup {
    let has_ahead = of.segments.iter().any(|segment| !segment.ahead.is_empty());
    html! {
        h2 #words { "What the figures mean" }
        dl.card {
            dt { "judged at" }
            dd { "The instant that everything is about. Events after it do not exist; a day is a step to that time of the day, by the clocks of the project's zone." }
            dt { "size" }
            dd { "People who are in the segment then, rules and exclusions applied, as " code { "seg run" } " counts them. Nobody is in before they exist." }
            dt { "in, out" }
            dd { "Instants at which somebody came in or went out, not two days compared: who came and went within a day counts in both. Size before, and in, less out, is size." }
            dt { "churn" }
            dd { "Of those who were in at the beginning, the share who are not in now. It is not out divided by size." }
            dt { "how long they stay" }
            dd { "Over stays that began in these days. Those who are still in count for as long as they are seen (Kaplan and Meier), so that the long stays are not left out." }
            @if has_ahead {
                dt { "expected" }
                dd { "What time alone decides, and what usually comes, or the last value where that did better so far. The range is as wide as 8 of 10 past errors of the same forecast; how often such ranges held is said beside it." }
            }
            @if of.goal.is_some() {
                dt { "reach the goal" }
                dd { "Of those who came in, each by the first time, and had all of the goal's time before the newest event, the share who reached it after they came in. In brackets, within which rates the true one lies with 95 % (Wilson). People who were not in it differ in more than the segment: that is no effect of it." }
            }
            dt { "in both, kept" }
            dd { "People who are in two segments at the instant. By an order of precedence each person goes to the first segment of it that they are in; kept and given away add up to the size." }
            dt { "fresh, stale" }
            dd { "An event is stale when its newest is older than twice the longest pause between two of them in the 90 days before it, and than a day, unless the settings say otherwise. Sizes then follow the clock, not people." }
            dt { "too small" }
            dd { "Fewer people entered in 28 days than a test needs to show a change of the conversion by half." }
        }
    }
}
