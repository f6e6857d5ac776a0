//! Colour, progress and what goes to which stream.

use crate::args::{Color, Format};
use crate::exit::Failure;
use comfy_table::{Cell, CellAlignment, LineStyle, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use seg::Diagnostics;
pub use seg::unstable::data::shown::grouped;
use seg::unstable::diag::render::Style;
use seg::unstable::io::Progress;
use std::io::IsTerminal;
use std::num::NonZero;

/// How many threads this machine runs at once.
pub fn threads() -> NonZero<usize> {
    std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// Where and how to print.
#[derive(Clone)]
pub struct Output {
    color: Color,
    /// Whether every problem is drawn, however often its code comes.
    draws_all: bool,
}

/// So many problems of one code are drawn, unless all are asked for.
const DRAWN_MAX: usize = 10;

impl Output {
    pub fn new(color: Color, draws_all: bool) -> Output {
        Output { color, draws_all }
    }

    /// Whether everything is asked for, rather than what matters most.
    pub fn shows_all(&self) -> bool {
        self.draws_all
    }

    /// `✓` for what is good and `✗` for what is not, in colour where that is shown.
    pub fn mark(&self, is_good: bool) -> String {
        match (is_good, self.colors_stdout()) {
            (true, true) => "\u{1b}[32m✓\u{1b}[0m".to_owned(),
            (false, true) => "\u{1b}[31m✗\u{1b}[0m".to_owned(),
            (true, false) => "✓".to_owned(),
            (false, false) => "✗".to_owned(),
        }
    }

    /// So many problems of one kind are shown.
    pub fn shown_max(&self) -> usize {
        if self.draws_all { usize::MAX } else { DRAWN_MAX }
    }

    /// Whether to colour a stream that is a terminal or not.
    fn style(&self, is_terminal: bool) -> Style {
        let color = match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        };
        Style { color }
    }

    /// Whether to colour what is printed.
    pub fn colors_stdout(&self) -> bool {
        self.style(std::io::stdout().is_terminal()).color
    }

    /// One line on why the command stopped.
    pub fn failure(&self, failure: &Failure) {
        tell_line!("seg: {}", failure.message);
    }

    /// Problems: drawn on standard error, or as JSON on standard output.
    pub fn diagnostics(&self, diagnostics: &Diagnostics, format: Format) -> Result<(), Failure> {
        match format {
            Format::Json => print_json(&serde_json::json!({ "diagnostics": diagnostics.to_json() })),
            Format::Text => {
                if !diagnostics.is_empty() {
                    let max = self.shown_max();
                    let (drawn, more) = diagnostics.render_first(max, self.style(std::io::stderr().is_terminal()));
                    tell_line!("{drawn}");
                    for (code, n) in &more {
                        tell_line!("{} more of {}: {}", grouped(*n as u64), code.number(), code.title());
                    }
                    if !more.is_empty() {
                        tell_line!("`--all` draws them\n");
                    }
                }
                Ok(())
            }
        }
    }

    /// A bar on a terminal, nothing in a pipe.
    pub fn progress(&self) -> Bar {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let template = "reading data {bar:30} {percent}% ({msg} rows, {binary_bytes_per_sec}, {eta} left)";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Bar { bar }
    }

    /// The same for what is written, of which nobody knows how much it will be.
    pub fn writing(&self, what: &str) -> Writing {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} writing {prefix} for {elapsed} {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(100));
        Writing { bar, n_files: 0 }
    }
}

/// How far reading has come, drawn.
pub struct Bar {
    bar: ProgressBar,
}

impl Bar {
    pub fn update(&self, progress: Progress) {
        self.bar.set_length(progress.bytes_total);
        self.bar.set_position(progress.bytes);
        self.bar.set_message(grouped(progress.rows));
    }

    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// How much has been written, drawn.
pub struct Writing {
    bar: ProgressBar,
    n_files: u64,
}

impl Writing {
    /// A file more is begun.
    pub fn file(&mut self) {
        self.n_files += 1;
        self.bar.set_message(format!("({})", counted(self.n_files as usize, "file")));
    }

    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// JSON on standard output, indented.
pub fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(Failure::new)?;
    print_text(&format!("{text}\n"))
}

/// A length of time in seconds, whole where it is.
pub fn seconds(micros: i64) -> serde_json::Value {
    match micros % 1_000_000 {
        0 => (micros / 1_000_000).into(),
        _ => (micros as f64 / 1e6).into(),
    }
}

/// Text on standard output. A reader that has seen enough is no failure.
pub fn print_text(text: &str) -> Result<(), Failure> {
    print_more(text).map(|_| ())
}

/// The same where more will follow: whether anybody still reads.
pub fn print_more(text: &str) -> Result<bool, Failure> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::new(error)),
    }
}

/// Rows as CSV, the first of which are the columns' names.
///
/// # Errors
/// Rows of different lengths.
pub fn csv_text(rows: impl IntoIterator<Item = Vec<String>>) -> Result<String, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    rows.into_iter().try_for_each(|row| writer.write_record(row)).map_err(Failure::new)?;
    let bytes = writer.into_inner().map_err(Failure::new)?;
    String::from_utf8(bytes).map_err(Failure::new)
}

/// A table with nothing but a line below its header.
pub fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING.header_separator(LineStyle::none().fill('─').junction('─')));
    table
}

/// A cell of a column of numbers.
pub fn right(text: &str) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// `1 day`, `1,234 days`
pub fn counted(n: usize, word: &str) -> String {
    format!("{} {word}{}", grouped(n as u64), if n == 1 { "" } else { "s" })
}

/// `1 person`, `1,234 people`
pub fn people(n: u64) -> String {
    if n == 1 { "1 person".to_owned() } else { format!("{} people", grouped(n)) }
}

/// A text of no more letters than fit, the last of which says where one was cut.
pub fn shortened(text: &str, max: usize) -> String {
    match text.chars().count() > max {
        true => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

/// A share in words for people.
pub fn percent(share: Option<f64>) -> String {
    share.map_or("–".to_owned(), |share| format!("{:.1}%", share * 100.0))
}

/// A change in words for people: `+3`, `−1,200`, `±0`.
pub fn signed(n: i64) -> String {
    let sign = match n {
        0 => "±",
        1.. => "+",
        _ => "−",
    };
    format!("{sign}{}", grouped(n.unsigned_abs()))
}
