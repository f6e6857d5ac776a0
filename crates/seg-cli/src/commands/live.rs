//! `seg live`

mod serve;
mod sinks;

use super::{compiled, instant, load};
use crate::args::{Format, Live, LiveAudit, LiveCommand, LiveExport};
use crate::exit::{Exit, Failure};
use crate::output::{Output, grouped, print_json, print_text};
use seg::unstable::io::read_unpacked;
use seg::unstable::{inexact, parts};
use seg::{Project, Timestamp, Zone};
use seg_live::{Clock, Embedded, Exported, Limits, LiveError, Pipe, PipeError, Session, added_to};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Records are read in pieces of so many bytes, as far as they are there.
const READ_BYTES: usize = 128 << 10;

/// Differences that an audit shows.
const SHOWN: usize = 20;

pub fn run(args: &Live, output: &Output) -> Result<Exit, Failure> {
    match &args.command {
        None if args.listen.is_some() => serve::run(args, output),
        None => keep(args, output),
        Some(LiveCommand::Audit(audit)) => self::audit(audit, output),
        Some(LiveCommand::Export(export)) => self::export(export, output),
    }
}

/// Where a project's memberships are kept.
fn folder(project: &Project, data: Option<&Path>) -> PathBuf {
    data.map_or_else(|| parts(project).dir.join("live"), Path::to_owned)
}

/// Memberships, and whose clock a time without an offset means.
type Opened = (Session<Embedded>, Option<Zone>);

/// What is kept, opened; none where the project has errors, which were shown.
fn opened(
    dir: &Path,
    data: Option<&Path>,
    (format, undone): (Format, &str),
    output: &Output,
) -> Result<Option<Opened>, Failure> {
    let project = load(dir)?;
    let Some(program) = compiled(&project, format, undone, output)? else { return Ok(None) };
    let Some(manifest) = parts(&project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let store = Embedded::open(&folder(&project, data)).map_err(Failure::new)?;
    // Two stores that are made at one instant by one process number are not met with.
    let instance = format!("{:x}-{:x}", chrono::Utc::now().timestamp_micros(), std::process::id());
    let session = Session::open(&program.prepare(), store, Limits::default(), &instance).map_err(failed)?;
    let inexact = inexact(&project, session.core().outlook());
    if inexact.n_errors() > 0 {
        output.diagnostics(&inexact, format)?;
        tell_line!("{}; nothing was {undone}", super::check::summary(&inexact));
        return Ok(None);
    }
    Ok(Some((session, manifest.zone)))
}

/// What is kept already, opened.
fn kept(
    dir: &Path,
    data: Option<&Path>,
    (format, undone): (Format, &str),
    output: &Output,
) -> Result<Option<Opened>, Failure> {
    let folder = folder(&load(dir)?, data);
    if !folder.is_dir() {
        let why = format!("{}: nothing is kept there; `seg live` keeps memberships", folder.display());
        return Err(Failure::new(why));
    }
    opened(dir, data, (format, undone), output)
}

fn keep(args: &Live, output: &Output) -> Result<Exit, Failure> {
    let opened = opened(&args.dir, args.data.as_deref(), (Format::Text, "kept"), output)?;
    let Some((mut session, zone)) = opened else { return Ok(Exit::Errors) };
    let until = args.until.as_deref().map(|text| instant(text, zone)).transpose()?;
    let is_stream = args.from == Path::new("-");
    let input: Box<dyn BufRead + Send> = match is_stream {
        true => Box::new(BufReader::with_capacity(READ_BYTES, std::io::stdin())),
        false => Box::new(BufReader::with_capacity(READ_BYTES, read_unpacked(&args.from).map_err(Failure::new)?)),
    };
    let mut changes: Box<dyn Write> = match args.changes == Path::new("-") {
        true => Box::new(BufWriter::new(std::io::stdout())),
        false => Box::new(BufWriter::new(added_to(&args.changes).map_err(|error| at(&args.changes, error))?)),
    };
    let name = (!is_stream).then(|| args.from.display().to_string());
    let clock = if args.replay { Clock::Records } else { Clock::Machine };
    let n_changes = session.core().seq();
    let pipe = Pipe { name, zone, clock, until };
    let sinks = sinks::begin(&load(&args.dir)?, &session, None)?;
    let ended = pipe.run_with(&mut session, (input, changes.as_mut()), sinks.as_ref());
    let waiting = match (&sinks, &ended) {
        // Nothing is kept by a session that failed.
        (None, _) | (_, Err(PipeError::Live(_))) => String::new(),
        (Some(sinks), _) => sinks::end(sinks, &mut session).map_err(failed)?,
    };
    tell!("{waiting}");
    match ended {
        Ok(()) => {}
        Err(PipeError::Live(error)) => return Err(failed(error)),
        Err(PipeError::Input(error)) if is_stream => return Err(at(Path::new("the standard input"), error)),
        Err(PipeError::Input(error)) => return Err(at(&args.from, error)),
        // A reader that has seen enough is no failure.
        Err(PipeError::Changes(error)) if error.kind() == ErrorKind::BrokenPipe => return Ok(Exit::Success),
        Err(PipeError::Changes(error)) => return Err(at(&args.changes, error)),
    }
    tell!("{}", told(&session, n_changes, zone));
    Ok(Exit::Success)
}

/// What became of the records.
fn told(session: &Session<Embedded>, n_changes: u64, zone: Option<Zone>) -> String {
    let core = session.core();
    let counts = core.counts();
    let n_people = core.people().count() as u64;
    let n_changes = core.seq().saturating_sub(n_changes);
    let mut out = format!(
        "{} records, {} changes; {} people are known",
        grouped(counts.received),
        grouped(n_changes),
        grouped(n_people)
    );
    if core.now() > Timestamp::MIN {
        let _ = write!(out, " as of {}", core.now().in_zone(zone));
    }
    out.push('\n');
    if counts.repeated > 0 {
        let _ = writeln!(out, "{} came again, and were taken once", grouped(counts.repeated));
    }
    for (why, n) in &counts.refused {
        let _ = writeln!(out, "{} refused: {}", grouped(*n), why.words());
    }
    if counts.unfit > 0 {
        let _ = writeln!(
            out,
            "{} values are not of the type that the schema gives; they are missing",
            grouped(counts.unfit)
        );
    }
    out
}

fn audit(args: &LiveAudit, output: &Output) -> Result<Exit, Failure> {
    let kept = kept(&args.dir, args.data.as_deref(), (args.format, "audited"), output)?;
    let Some((session, zone)) = kept else { return Ok(Exit::Errors) };
    let core = session.core();
    let (n_judged, differences) = core.audit().map_err(failed)?;
    let exit = if differences.is_empty() { Exit::Success } else { Exit::Errors };
    if args.format == Format::Json {
        let of = |difference: &seg_live::Difference| {
            serde_json::json!({
                "person": difference.person,
                "wrongly_in": difference.wrongly_in,
                "missing": difference.missing,
            })
        };
        let differences: Vec<serde_json::Value> = differences.iter().map(of).collect();
        print_json(&serde_json::json!({
            "at": core.now().to_string(),
            "people": n_judged,
            "differences": differences,
        }))?;
        return Ok(exit);
    }
    let at = core.now().in_zone(zone);
    let mut out =
        format!("{} people judged again as of {at}: {} differ\n", grouped(n_judged as u64), differences.len());
    for difference in differences.iter().take(SHOWN) {
        let _ = writeln!(out, "`{}`", difference.person);
        let _ = difference
            .wrongly_in
            .iter()
            .try_for_each(|name| writeln!(out, "  is said to be in \"{name}\", and is not"));
        let _ = difference.missing.iter().try_for_each(|name| writeln!(out, "  is in \"{name}\", which is not said"));
    }
    print_text(&out)?;
    Ok(exit)
}

fn export(args: &LiveExport, output: &Output) -> Result<Exit, Failure> {
    let kept = kept(&args.dir, args.data.as_deref(), (Format::Text, "exported"), output)?;
    let Some((session, _)) = kept else { return Ok(Exit::Errors) };
    std::fs::create_dir_all(&args.to).map_err(|error| at(&args.to, error))?;
    let mut begun = Begun { files: Vec::new(), is_whole: false };
    let (mut people, mut events, mut merges) =
        (begun.file(&args.to, PEOPLE)?, begun.file(&args.to, EVENTS)?, begun.file(&args.to, MERGES)?);
    let (mut n_rows, mut n_events, mut n_merges) = (0_u64, 0_u64, 0_u64);
    let exported = session.core().export(|line| {
        let (file, n, line) = match line {
            Exported::Row(line) => (&mut people, &mut n_rows, line),
            Exported::Event(line) => (&mut events, &mut n_events, line),
            Exported::Merge(line) => (&mut merges, &mut n_merges, line),
        };
        *n += 1;
        writeln!(file, "{}", serde_json::Value::Object(line))
    });
    let flushed = exported.and_then(|()| people.flush()).and_then(|()| events.flush()).and_then(|()| merges.flush());
    flushed.map_err(|error| at(&args.to, error))?;
    begun.is_whole = true;
    let [rows, events, merges] = [n_rows, n_events, n_merges].map(grouped);
    let now = session.core().now();
    print_text(&format!(
        "{rows} rows of people, {events} events and {merges} merges, as of {now}\n\nIn seg.toml they are read by\n\n{SETTINGS}"
    ))?;
    Ok(Exit::Success)
}

/// The files of an export, which are there together or not at all: unless they are whole, what
/// was begun is removed again. Files that were there before are never touched.
struct Begun {
    files: Vec<PathBuf>,
    is_whole: bool,
}

impl Begun {
    fn file(&mut self, folder: &Path, name: &str) -> Result<BufWriter<File>, Failure> {
        let path = folder.join(name);
        let file = File::create_new(&path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                Failure::new(format!("{}: there is such a file already; export to an empty folder", path.display()))
            }
            _ => at(&path, error),
        })?;
        self.files.push(path);
        Ok(BufWriter::new(file))
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.is_whole {
            // Whoever exports is told of the first error; that a part stays is no worse.
            self.files.iter().for_each(|path| drop(std::fs::remove_file(path)));
        }
    }
}

const PEOPLE: &str = "people.ndjson";
const EVENTS: &str = "events.ndjson";
const MERGES: &str = "merges.ndjson";

/// How the files of an export are described.
const SETTINGS: &str = "\
[data.profiles]
files = [\"people.ndjson\"]
id = \"id\"
time = \"time\"

[data.events]
files = [\"events.ndjson\"]
id = \"id\"
event = \"event\"
time = \"time\"

[data.merges]
files = [\"merges.ndjson\"]
from = \"from\"
into = \"into\"
";

fn at(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}

fn failed(error: LiveError) -> Failure {
    Failure::new(error)
}
