//! `seg history`

use super::{compiled, input, load, run};
use crate::args::{Format, History};
use crate::exit::{Exit, Failure};
use crate::output::{Output, grouped, print_json, print_text};
use comfy_table::{Cell, CellAlignment, LineStyle, Table, presets};
use seg::unstable::parts;
use seg::{Options, Timestamp};
use std::fmt::Write;

const DAY: i64 = 24 * 3_600_000_000;

pub fn run(args: &History, output: &Output) -> Result<Exit, Failure> {
    let mut project = load(&args.dir)?;
    let Some(program) = compiled(&project, args.format, "counted", output)? else { return Ok(Exit::Errors) };
    let _input = input::take(&mut project)?;
    let Some(manifest) = parts(&project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let (now, said_by) = run::now(args.at.as_deref(), manifest)?;
    let back = (0..i64::from(args.days)).rev().map(|days| Timestamp(now.0.saturating_sub(days * DAY)));
    // No calendar has the days before the year 1.
    let instants: Vec<Timestamp> = back.filter(|at| at.is_in_range()).collect();
    // Whatever the earliest day looks at, the later ones look at too.
    let wanted = program.wanted(instants.first().copied().unwrap_or(now));
    let loaded = run::read(&project, manifest, (&wanted, &wanted), output)?;
    if let Some(refusal) = run::too_many_lost(&loaded.report, args.max_bad) {
        eprint!("{}", run::problems(&loaded.report));
        return Err(refusal);
    }
    let options = args.max_cost.into_iter().fold(run::options(), Options::with_max_cost);
    let sizes = program.prepare().sizes_at(&loaded.batch, &instants, &options).map_err(run::refused)?;
    let people: Vec<usize> = instants.iter().map(|at| run::n_existing(&loaded.batch, *at)).collect();
    let names: Vec<&str> = program.segment_names().collect();
    if args.format == Format::Json {
        let at = |((now, people), sizes): ((&Timestamp, &usize), &Vec<u64>)| {
            let sizes: serde_json::Map<String, serde_json::Value> =
                names.iter().zip(sizes).map(|(name, size)| ((*name).to_owned(), (*size).into())).collect();
            serde_json::json!({ "at": now.to_string(), "people": people, "sizes": sizes })
        };
        let history: Vec<_> = instants.iter().zip(&people).zip(&sizes).map(at).collect();
        print_json(&serde_json::json!({ "people": loaded.report.profiles, "history": history }))?;
        return Ok(Exit::Success);
    }
    let (name, everybody) = (&manifest.name, grouped(loaded.report.profiles));
    let shown = now.in_zone(manifest.zone);
    let mut text = format!("{name}: {everybody} people, each day up to {shown} (from {said_by})\n");
    let mut table = Table::new();
    table.load_style(presets::NOTHING.header_separator(LineStyle::none().fill('─').junction('─')));
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    table.set_header(
        [Cell::new("at"), right("people".to_owned())]
            .into_iter()
            .chain(names.iter().map(|name| right((*name).to_owned()))),
    );
    for ((now, people), sizes) in instants.iter().zip(people).zip(&sizes) {
        let people = right(grouped(people as u64));
        table.add_row(
            [Cell::new(now.in_zone(manifest.zone)), people]
                .into_iter()
                .chain(sizes.iter().map(|size| right(grouped(*size)))),
        );
    }
    for line in table.lines() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    print_text(&text)?;
    eprint!("{}", run::problems(&loaded.report));
    Ok(Exit::Success)
}
