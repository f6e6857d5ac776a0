//! `seg overlap`

use super::judged::{Judged, Judging, segments_named};
use super::{compiled, input, load, run};
use crate::args::{Overlap, TableFormat};
use crate::exit::{Exit, Failure};
use crate::output::{Output, counted, csv_text, grouped, percent, plain_table, print_json, print_text, right};
use comfy_table::Cell;
use seg::unstable::overlap::{Contained, Pair, Taken, declared_order, pairs, waterfall};
use std::fmt::Write;

pub fn run(args: &Overlap, output: &Output) -> Result<Exit, Failure> {
    let mut project = load(&args.dir)?;
    let Some(program) = compiled(&project, args.format.of_problems(), "compared", output)? else {
        return Ok(Exit::Errors);
    };
    let _input = input::take(&mut project)?;
    let names: Vec<&str> = program.segment_names().collect();
    let segments = match args.segments.is_empty() {
        true => (0..names.len()).collect(),
        false => {
            let mut named = segments_named(&program, &args.segments)?;
            named.sort_unstable();
            named
        }
    };
    let order = match args.order.is_empty() {
        true => declared_order(&program),
        false => segments_named(&program, &args.order)?,
    };
    let judging = Judging { project: &project, program: &program, at: args.at.as_deref(), max_bad: args.max_bad };
    let judged = judging.judge(output)?;
    let masks = judged.evaluation.masks();
    let shown = Shown {
        names: &names,
        pairs: if args.waterfall { None } else { Some(pairs(&program, masks, &segments, &order)) },
        taken: waterfall(masks, &order),
        is_declared: args.order.is_empty(),
        max: output.shown_max(),
    };
    match args.format {
        TableFormat::Json => print_json(&shown.json(&judged))?,
        TableFormat::Csv => print_text(&shown.csv()?)?,
        TableFormat::Text => print_text(&shown.text(&judged))?,
    }
    tell!("{}", if args.format == TableFormat::Json { String::new() } else { run::problems(&judged.loaded.report) });
    Ok(Exit::Success)
}

/// What is said of segments beside each other.
struct Shown<'a> {
    names: &'a [&'a str],
    /// None where only the waterfall is asked for.
    pairs: Option<Vec<Pair>>,
    taken: Vec<Taken>,
    /// Whether the order is the project's own.
    is_declared: bool,
    /// So many pairs of a kind are shown to people.
    max: usize,
}

impl Shown<'_> {
    fn name(&self, at: usize) -> &str {
        self.names.get(at).copied().unwrap_or("")
    }

    fn text(&self, judged: &Judged<'_>) -> String {
        let now = judged.now.in_zone(judged.manifest.zone);
        let (name, n_people) = (&judged.manifest.name, grouped(judged.n_people as u64));
        let mut out = format!("{name}: {n_people} people, judged at {now} (from {})\n", judged.said_by);
        if let Some(pairs) = &self.pairs {
            let (unordered, rest): (Vec<&Pair>, Vec<&Pair>) =
                pairs.iter().filter(|pair| pair.both > 0).partition(|pair| pair.is_unordered);
            if !unordered.is_empty() {
                out.push_str("\nboth used, with people in common and no order: they get both\n");
                self.write_pairs(&mut out, &unordered);
                let (a, b) = unordered.first().map_or(("", ""), |pair| (self.name(pair.a), self.name(pair.b)));
                // Writing to a string does not fail.
                let _ = writeln!(
                    out,
                    "write for example `when people are in several, prefer \"{a}\", then \"{b}\"`, \
                     or exclude one from the other"
                );
            }
            if !rest.is_empty() {
                out.push_str("\nwith people in common\n");
                self.write_pairs(&mut out, &rest);
            }
            let line = match pairs.iter().filter(|pair| pair.both == 0).count() {
                0 => String::new(),
                1 => "1 pair has nobody in common\n".to_owned(),
                n => format!("{} pairs have nobody in common\n", grouped(n as u64)),
            };
            out.push_str(if rest.is_empty() && !line.is_empty() { "\n" } else { "" });
            out.push_str(&line);
        }
        self.write_waterfall(&mut out);
        out
    }

    /// Two rows a pair, for names are long.
    fn write_pairs(&self, out: &mut String, pairs: &[&Pair]) {
        let mut table = plain_table();
        table.set_header([Cell::new("segments"), right("people"), right("in both"), right("share"), right("Jaccard")]);
        let mut contained_in = String::new();
        for pair in pairs.iter().take(self.max) {
            let jaccard = pair.jaccard().map_or("–".to_owned(), |jaccard| format!("{jaccard:.2}"));
            let one = |name: String, size: u64, share: Option<f64>, both: &str, jaccard: &str| {
                [Cell::new(name), right(&grouped(size)), right(both), right(&percent(share)), right(jaccard)]
            };
            let (a, b) = (self.name(pair.a).to_owned(), format!("  {}", self.name(pair.b)));
            table.add_row(one(a, pair.size_a, pair.share_of_a(), &grouped(pair.both), &jaccard));
            table.add_row(one(b, pair.size_b, pair.share_of_b(), "", ""));
            for (contained, inner, outer) in [(pair.a_in_b, pair.a, pair.b), (pair.b_in_a, pair.b, pair.a)] {
                let words = match contained {
                    Contained::No => continue,
                    Contained::InData => "in this data",
                    Contained::Proved => "always, by the conditions",
                };
                let (inner, outer) = (self.name(inner), self.name(outer));
                let _ = writeln!(contained_in, "all of \"{inner}\" are in \"{outer}\": {words}");
            }
        }
        for line in table.lines() {
            let _ = writeln!(out, "{}", line.trim_end());
        }
        let n_more = pairs.len().saturating_sub(self.max);
        if n_more > 0 {
            let _ = writeln!(out, "{} like these; `--all` shows them", counted(n_more, "more pair"));
        }
        out.push_str(&contained_in);
    }

    fn write_waterfall(&self, out: &mut String) {
        if self.taken.is_empty() {
            out.push_str(
                "\nno order of precedence is declared; `when people are in several, prefer \"…\", then \"…\"` \
                 declares one, `--order` tries one\n",
            );
            return;
        }
        let by = if self.is_declared { "the order of precedence" } else { "--order" };
        // Writing to a string does not fail.
        let _ = writeln!(out, "\nwho goes where, by {by}");
        let mut table = plain_table();
        table.set_header([Cell::new("segment"), right("people"), right("kept"), right("taken")]);
        for taken in &self.taken {
            let (members, kept) = (right(&grouped(taken.members)), right(&grouped(taken.kept)));
            let lost = taken.members.saturating_sub(taken.kept);
            table.add_row([Cell::new(self.name(taken.segment)), members, kept, right(&grouped(lost))]);
            for (other, n) in self.taken.iter().zip(&taken.goes_to).filter(|(_, n)| **n > 0) {
                let name = Cell::new(format!("  by {}", self.name(other.segment)));
                table.add_row([name, right(""), right(""), right(&grouped(*n))]);
            }
        }
        for line in table.lines() {
            let _ = writeln!(out, "{}", line.trim_end());
        }
    }

    fn csv(&self) -> Result<String, Failure> {
        let number = |n: Option<f64>| n.map_or(String::new(), |n| format!("{n:.6}"));
        let Some(pairs) = &self.pairs else {
            let goes_to = self.taken.iter().map(|taken| format!("goes_to: {}", self.name(taken.segment)));
            let head = ["segment", "members", "kept"].map(str::to_owned).into_iter().chain(goes_to).collect();
            let rows = self.taken.iter().map(|taken| {
                let own = [self.name(taken.segment).to_owned(), taken.members.to_string(), taken.kept.to_string()];
                // Nobody goes from a segment to itself.
                let goes_to = taken.goes_to.iter().zip(&self.taken).map(|(n, other)| match other.segment {
                    at if at == taken.segment => String::new(),
                    _ => n.to_string(),
                });
                own.into_iter().chain(goes_to).collect()
            });
            return csv_text(std::iter::once(head).chain(rows));
        };
        let head = ["a", "b", "size_a", "size_b", "both", "share_of_a", "share_of_b", "jaccard"];
        let rows = pairs.iter().map(|pair| {
            vec![
                self.name(pair.a).to_owned(),
                self.name(pair.b).to_owned(),
                pair.size_a.to_string(),
                pair.size_b.to_string(),
                pair.both.to_string(),
                number(pair.share_of_a()),
                number(pair.share_of_b()),
                number(pair.jaccard()),
            ]
        });
        csv_text(std::iter::once(head.map(str::to_owned).to_vec()).chain(rows))
    }

    fn json(&self, judged: &Judged<'_>) -> serde_json::Value {
        let word = |contained: Contained| match contained {
            Contained::No => serde_json::Value::Null,
            Contained::InData => "in-data".into(),
            Contained::Proved => "proved".into(),
        };
        let pair = |pair: &Pair| {
            serde_json::json!({
                "a": self.name(pair.a),
                "b": self.name(pair.b),
                "size_a": pair.size_a,
                "size_b": pair.size_b,
                "both": pair.both,
                "share_of_a": pair.share_of_a(),
                "share_of_b": pair.share_of_b(),
                "jaccard": pair.jaccard(),
                "a_in_b": word(pair.a_in_b),
                "b_in_a": word(pair.b_in_a),
                "needs_order": pair.is_unordered,
            })
        };
        let taken = |taken: &Taken| {
            let others = self.taken.iter().zip(&taken.goes_to).filter(|(other, _)| other.segment != taken.segment);
            let goes_to: serde_json::Map<String, serde_json::Value> =
                others.map(|(other, n)| (self.name(other.segment).to_owned(), (*n).into())).collect();
            serde_json::json!({
                "segment": self.name(taken.segment),
                "members": taken.members,
                "kept": taken.kept,
                "goes_to": goes_to,
            })
        };
        serde_json::json!({
            "at": judged.now.to_string(),
            "people": judged.n_people,
            "pairs": self.pairs.as_ref().map(|pairs| pairs.iter().map(pair).collect::<Vec<_>>()),
            "waterfall": self.taken.iter().map(taken).collect::<Vec<_>>(),
            "data": run::data_json(&judged.loaded.report),
        })
    }
}
