//! `seg watch`

use super::{check, input, load_with_store, run};
use crate::args::{Format, Watch};
use crate::exit::{Exit, Failure};
use crate::output::{Output, grouped, plain_table, print_more, right};
use comfy_table::Cell;
use seg::unstable::io::{Loaded, Manifest};
use seg::unstable::{InputKind, input_files, parts};
use seg::{Program, Project, Timestamp, Wanted};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::thread::sleep;
use std::time::Duration;

/// How often it is looked whether a file has changed.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Counts again whenever a file of the project changes, until somebody ends the command.
pub fn run(args: &Watch, output: &Output) -> Result<Exit, Failure> {
    let mut watched = Watched { args, output, seen: None, data: None, sizes: None };
    while watched.look()? {
        sleep(LOOK_EVERY);
    }
    Ok(Exit::Success)
}

/// A project that is watched.
struct Watched<'a> {
    args: &'a Watch,
    output: &'a Output,
    /// The files as they were when they were looked at last.
    seen: Option<Result<Texts, String>>,
    /// The data, and what stood in the settings and the schema by which they were read.
    data: Option<(Vec<String>, Loaded)>,
    /// How large segments were the last time that there was no error.
    sizes: Option<BTreeMap<String, u64>>,
}

/// The files of a project by name: what stands in them, of lists when they were changed.
pub type Texts = BTreeMap<String, String>;

impl Watched<'_> {
    /// Looks at the files, and where they are others than before says what comes of them. Says
    /// whether anybody still reads.
    fn look(&mut self) -> Result<bool, Failure> {
        let project = load_with_store(&self.args.dir, self.args.store.as_deref());
        let now = match &project {
            Ok(project) => Ok(texts(project)),
            Err(failure) => Err(failure.message.clone()),
        };
        if self.seen.as_ref() == Some(&now) {
            return Ok(true);
        }
        let is_first = self.seen.replace(now).is_none();
        match project {
            Ok(project) => self.judge(project),
            // A directory without a project is a slip; a file that is being saved is there again soon.
            Err(failure) if is_first => Err(failure),
            Err(failure) => self.told(&failure),
        }
    }

    /// Says what is wrong, and goes on.
    fn told(&self, failure: &Failure) -> Result<bool, Failure> {
        match self.args.format {
            Format::Json => line(&serde_json::json!({ "error": failure.message })),
            Format::Text => {
                self.output.failure(failure);
                Ok(true)
            }
        }
    }

    fn judge(&mut self, mut project: Project) -> Result<bool, Failure> {
        let program = match seg::compile(&project) {
            Ok(program) => program,
            Err(diagnostics) => {
                return match self.args.format {
                    Format::Json => line(&serde_json::json!({ "diagnostics": diagnostics.to_json() })),
                    Format::Text => {
                        self.output.diagnostics(&diagnostics, Format::Text)?;
                        tell_line!("{}; waiting for the next change\n", check::summary(&diagnostics));
                        Ok(true)
                    }
                };
            }
        };
        match self.count(&mut project, &program) {
            Ok(text) => print_more(&text),
            Err(failure) => self.told(&failure),
        }
    }

    /// The sizes of segments, and what has become of them.
    fn count(&mut self, project: &mut Project, program: &Program) -> Result<String, Failure> {
        self.read(project)?;
        let manifest = settings(project)?;
        let Some((_, loaded)) = &self.data else { return Ok(String::new()) };
        let (now, _) = run::now(self.args.at.as_deref(), manifest)?;
        let evaluation = program.prepare().evaluate_with(&loaded.batch, now, &run::options()).map_err(run::refused)?;
        let people = run::n_existing(&loaded.batch, now) as u64;
        let names = program.segment_names().map(str::to_owned);
        let sizes: Vec<(String, u64)> = names.zip(evaluation.masks().iter().map(|mask| mask.count() as u64)).collect();
        let before = self.sizes.replace(sizes.iter().cloned().collect());
        let rows: Vec<Row> = sizes.into_iter().map(|(name, size)| Row::new(name, size, before.as_ref())).collect();
        let is_gone = |name: &&String| !rows.iter().any(|row| row.name == **name);
        let gone: Vec<&String> = before.iter().flat_map(BTreeMap::keys).filter(is_gone).collect();
        Ok(match self.args.format {
            Format::Json => format!("{}\n", json(now, people, &rows, &gone)),
            Format::Text => {
                let judged = now.in_zone(manifest.zone);
                let header = format!("{}: {} people, judged at {judged}\n", manifest.name, grouped(people));
                header + &table(&rows, &gone) + "\n"
            }
        })
    }

    /// Reads the data, unless they were read by the same settings and the same schema.
    fn read(&mut self, project: &mut Project) -> Result<(), Failure> {
        let key: Vec<String> = {
            let parts = parts(project);
            let is_segments = |id: &_| parts.segment_files.contains(id);
            let others = parts.sources.iter().filter(|(id, _)| !is_segments(id));
            others.map(|(_, source)| source.text.clone()).collect()
        };
        if self.data.as_ref().is_some_and(|(known, _)| *known == key) {
            return Ok(());
        }
        self.data = None;
        let _input = input::take(project)?;
        let manifest = settings(project)?;
        // Whatever segments will ask about.
        let everything = Wanted::everything(project.schema());
        let nothing = Wanted::default();
        let loaded = run::read(project, manifest, (&everything, &nothing), self.output)?;
        run::refuse_lost(&loaded.report, self.args.max_bad)?;
        self.data = Some((key, loaded));
        Ok(())
    }
}

fn settings(project: &Project) -> Result<&Manifest, Failure> {
    parts(project).manifest.ok_or_else(|| Failure::new("the project's settings could not be read"))
}

/// What stands in the files of a project. Lists may be long: of them it is when they changed.
pub fn texts(project: &Project) -> Texts {
    let sources = parts(project).sources;
    let mut texts: Texts = sources.iter().map(|(_, source)| (source.name.clone(), source.text.clone())).collect();
    let lists = input_files(project).unwrap_or_default().into_iter().filter(|input| input.kind == InputKind::List);
    for list in lists {
        let state = std::fs::metadata(&list.path).ok().map(|found| (found.modified().ok(), found.len()));
        texts.insert(list.name, format!("{state:?}"));
    }
    texts
}

/// A segment with its size.
struct Row {
    name: String,
    size: u64,
    /// None where it was not there before, or nothing was.
    change: Option<i64>,
    is_new: bool,
}

impl Row {
    fn new(name: String, size: u64, before: Option<&BTreeMap<String, u64>>) -> Row {
        let size_before = before.and_then(|before| before.get(&name));
        let change = size_before.map(|before| size as i64 - *before as i64);
        Row { is_new: before.is_some() && change.is_none(), name, size, change }
    }

    fn shown(&self) -> String {
        match self.change {
            None if self.is_new => "new".to_owned(),
            None | Some(0) => String::new(),
            Some(change) => {
                format!("{}{}", if change < 0 { "−" } else { "+" }, grouped(change.unsigned_abs()))
            }
        }
    }
}

fn table(rows: &[Row], gone: &[&String]) -> String {
    let mut table = plain_table();
    table.set_header([Cell::new("segment"), right("members"), right("change")]);
    for row in rows {
        table.add_row([Cell::new(&row.name), right(&grouped(row.size)), right(&row.shown())]);
    }
    for name in gone {
        table.add_row([Cell::new(name), right(""), right("gone")]);
    }
    let mut out = String::new();
    for line in table.lines() {
        // Writing to a string does not fail.
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

fn json(now: Timestamp, people: u64, rows: &[Row], gone: &[&String]) -> serde_json::Value {
    let segment = |row: &Row| serde_json::json!({ "segment": row.name, "members": row.size, "change": row.change });
    let segments: Vec<_> = rows.iter().map(segment).collect();
    serde_json::json!({ "at": now.to_string(), "people": people, "segments": segments, "gone": gone })
}

/// A value as a line of its own.
fn line(value: &serde_json::Value) -> Result<bool, Failure> {
    print_more(&format!("{value}\n"))
}
