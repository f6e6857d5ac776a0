//! `seg conversion`

mod shown;

use super::judged::segments_named;
use super::{check, compiled, input, instant, load, run};
use crate::args::{Conversion, Format, TableFormat};
use crate::exit::{Exit, Failure};
use crate::output::{Output, print_json, print_text};
use seg::unstable::conversion::Conversion as Counted;
use seg::unstable::conversion::{Asked, ConversionError, Goal, GoalError, GoalWords, conversions};
use seg::unstable::data::WantedEvents;
use seg::unstable::data::schema::Role;
use seg::unstable::data::time::DAY;
use seg::unstable::data::{EventId, Type};
use seg::unstable::io::Manifest;
use seg::unstable::names::display;
use seg::unstable::parts;
use seg::{Batch, Program, Project, Schema, Timestamp, Wanted, Zone};
pub use shown::Shown;

/// People count who entered in so many days, unless a period is given.
const PERIOD_DAYS: i64 = 28;

pub fn run(args: &Conversion, output: &Output) -> Result<Exit, Failure> {
    let mut project = load(&args.dir)?;
    let format = args.format.of_problems();
    let Some(program) = compiled(&project, format, "counted", output)? else { return Ok(Exit::Errors) };
    let _input = input::take(&mut project)?;
    let Some(manifest) = parts(&project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let names: Vec<&str> = program.segment_names().collect();
    let segments = match args.segments.is_empty() {
        true => (0..names.len()).collect(),
        false => segments_named(&program, &args.segments)?,
    };
    let words = Words::of(args, &project, manifest)?;
    let Some(goal) = read_goal(&project, words.as_asked(args), format, output)? else { return Ok(Exit::Errors) };
    let (now, said_by) = run::now(args.at.as_deref(), manifest)?;
    let period = period(args, &goal, now, manifest.zone)?;
    let wanted = wanted(&program, &goal, now);
    let loaded = run::read(&project, manifest, (&wanted, &wanted), output)?;
    run::refuse_lost(&loaded.report, args.max_bad)?;
    let asked = Asked {
        program: &program,
        batch: &loaded.batch,
        goal: &goal,
        segments: &segments,
        period,
        at: now,
        zone: manifest.zone.unwrap_or(Zone::UTC),
        holdout: args.holdout.as_deref(),
        options: &run::options(),
    };
    let found = conversions(asked).map_err(|error| refused(error, args.holdout.as_deref()))?;
    let shown = Shown {
        names: &names,
        found: &found,
        goal: &goal,
        words: &words,
        holdout: args.holdout.as_deref(),
        sent: args.sent.as_deref(),
        currency: project.schema().currency.as_deref(),
        period,
        now,
        zone: manifest.zone,
    };
    match args.format {
        TableFormat::Json => print_json(&shown.json(run::data_json(&loaded.report)))?,
        TableFormat::Csv => print_text(&shown.csv()?)?,
        TableFormat::Text => {
            print_text(&shown.text(&manifest.name, run::n_existing(&loaded.batch, now), said_by))?;
            tell!("{}", run::problems(&loaded.report));
        }
    }
    Ok(Exit::Success)
}

/// What people are hoped to do, and what it brings.
pub struct Words {
    pub goal: String,
    pub revenue: Option<String>,
}

impl Words {
    /// As the arguments say, else the settings, else the schema.
    fn of(args: &Conversion, project: &Project, manifest: &Manifest) -> Result<Words, Failure> {
        if let Some(goal) = &args.goal {
            return Ok(Words { goal: goal.clone(), revenue: args.revenue.clone() });
        }
        let usual = Words::of_project(project.schema(), manifest).ok_or_else(|| {
            Failure::usage("no event of the schema has the role purchase; say what people are hoped to do: --goal \"… within 14 days\"")
        })?;
        Ok(Words { revenue: args.revenue.clone().or(usual.revenue), ..usual })
    }

    /// As the settings of a project say, else its schema: the first event with the role
    /// purchase, and the first amount of money among its properties. None where no event has it.
    pub fn of_project(schema: &Schema, manifest: &Manifest) -> Option<Words> {
        if let Some(goal) = &manifest.report.goal {
            return Some(Words { goal: goal.clone(), revenue: manifest.report.revenue.clone() });
        }
        let purchase = schema.events.iter().find(|event| event.role == Some(Role::Purchase))?;
        let money = purchase.properties.iter().find(|property| property.ty == Type::Money);
        let revenue = manifest.report.revenue.clone().or(money.map(|property| display(&property.name)));
        Some(Words { goal: format!("{} within 14 days", display(&purchase.name)), revenue })
    }

    pub fn as_asked<'w>(&'w self, args: &'w Conversion) -> GoalWords<'w> {
        GoalWords {
            goal: &self.goal,
            revenue: self.revenue.as_deref(),
            less: args.less.as_deref(),
            sent: args.sent.as_deref(),
        }
    }
}

/// The goal; none where its words have problems, which were shown.
///
/// # Errors
/// Words that are no goal.
pub fn read_goal(
    project: &Project,
    words: GoalWords<'_>,
    format: Format,
    output: &Output,
) -> Result<Option<Goal>, Failure> {
    match Goal::read(project, words) {
        Ok(goal) => Ok(Some(goal)),
        Err(GoalError::Problems(problems)) => {
            output.diagnostics(&problems, format)?;
            if format == Format::Text {
                tell_line!("{}; nothing was counted", check::summary(&problems));
            }
            Ok(None)
        }
        Err(error @ (GoalError::NoLength { .. } | GoalError::NoEvent { .. })) => Err(Failure::usage(error)),
    }
}

/// Which part of those who entered each segment reached the goal of the project, of those who
/// had all of their time by now; none where nobody did, and nothing where there is no goal.
pub fn usual_rates(
    (project, program, manifest): (&Project, &Program, &Manifest),
    batch: &Batch,
    now: Timestamp,
) -> Result<Vec<Option<f64>>, Failure> {
    let Some(words) = Words::of_project(project.schema(), manifest) else { return Ok(Vec::new()) };
    let asked = GoalWords { goal: &words.goal, revenue: None, less: None, sent: None };
    // Whoever asks for figures of the goal is told what is wrong with it.
    let Ok(goal) = Goal::read(project, asked) else { return Ok(Vec::new()) };
    let segments: Vec<usize> = (0..program.segment_names().count()).collect();
    let found = conversions(Asked {
        program,
        batch,
        goal: &goal,
        segments: &segments,
        period: usual_period(&goal, now),
        at: now,
        zone: manifest.zone.unwrap_or(Zone::UTC),
        holdout: None,
        options: &run::options(),
    });
    let found = found.map_err(|error| refused(error, None))?;
    let rate = |conversion: &Counted| conversion.all.converted().rate().filter(|rate| *rate > 0.0);
    Ok(found.segments.iter().map(rate).collect())
}

/// What the segments and the goal read, and when anything happened at all: goals are looked for
/// up to the newest event.
pub fn wanted(program: &Program, goal: &Goal, now: Timestamp) -> Wanted {
    let times = (0..program.schema().events.len() as u32).map(|event| (EventId(event), WantedEvents::default()));
    let times = Wanted { events: times.collect(), ..Wanted::default() };
    program.wanted(now).of_all_times().and(goal.wanted(now)).and(times)
}

/// When people may enter who had all of their time by an instant: the last days before it.
pub fn usual_period(goal: &Goal, now: Timestamp) -> (Timestamp, Timestamp) {
    let to = goal.within().before(now);
    (Timestamp(to.0.saturating_sub(PERIOD_DAYS * DAY)), to)
}

/// When people may enter.
fn period(
    args: &Conversion,
    goal: &Goal,
    now: Timestamp,
    zone: Option<Zone>,
) -> Result<(Timestamp, Timestamp), Failure> {
    let (_, usual_to) = usual_period(goal, now);
    let to = args.to.as_deref().map_or(Ok(usual_to), |text| day_or_instant(text, zone))?;
    let from = match &args.from {
        Some(text) => day_or_instant(text, zone)?,
        None => Timestamp(to.0.saturating_sub(PERIOD_DAYS * DAY)),
    };
    if to <= from {
        let (from, to) = (from.in_zone(zone), to.in_zone(zone));
        return Err(Failure::usage(format!("nobody can enter from {from} on and before {to}: --from must be earlier")));
    }
    if now <= from {
        let (from, now) = (from.in_zone(zone), now.in_zone(zone));
        return Err(Failure::usage(format!("everything is judged at {now}, and the period begins at {from}")));
    }
    Ok((from, to))
}

/// An instant, or the beginning of a day by the clocks of the zone.
fn day_or_instant(text: &str, zone: Option<Zone>) -> Result<Timestamp, Failure> {
    let midnight = format!("{text} 00:00");
    match Timestamp::read(&midnight, Some(zone.unwrap_or(Zone::UTC))) {
        Ok(day) => Ok(day),
        Err(_) => instant(text, zone),
    }
}

/// Why what came of people cannot be said.
pub fn refused(error: ConversionError, holdout: Option<&str>) -> Failure {
    let segment = match error {
        ConversionError::Evaluate(error) => return run::refused(error),
        ConversionError::NoHoldout { segment } => segment,
    };
    let name = holdout.unwrap_or_default().escape_debug();
    Failure::usage(format!(
        "\"{segment}\" holds nobody out by \"{name}\"; write `exclude people in a random 10% of people, by \"{name}\"`"
    ))
}
