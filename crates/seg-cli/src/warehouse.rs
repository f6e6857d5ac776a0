//! Queries run in a database by its own client, as a child process.
//!
//! A driver for each database would be built into everybody's Seg; the clients are where the
//! databases are. What they print is CSV, and a last row says that it is all there: an answer
//! that was cut off is none.

mod address;

pub use address::Address;

use address::Server;
use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The end of an answer, as a row behind those of people, who have ids that are not empty.
const END: &str = "end";
/// How a Python without the module ends.
const NO_MODULE: i32 = 86;
/// The seconds that PostgreSQL may take to connect, where nobody says otherwise.
const CONNECT_SECONDS: &str = "15";

/// DuckDB's command-line client as a few lines of Python.
const PYTHON: &str = r#"
import csv, sys
try:
    import duckdb
except ImportError:
    sys.exit(86)
sys.stdin.reconfigure(encoding="utf-8")
sys.stdout.reconfigure(encoding="utf-8", newline="")
try:
    database = duckdb.connect(sys.argv[1], read_only=True)
    out = csv.writer(sys.stdout)
    for statement in sys.stdin.read().split("\0"):
        answer = database.execute(statement)
        while rows := answer.fetchmany(10000):
            out.writerows(rows)
except duckdb.Error as error:
    sys.exit(str(error))
"#;

/// A row of an answer: the id of a person, and a sign for each segment.
pub type Row = (String, String);

/// Runs a query that gives a row a person, and no row with an empty id.
///
/// # Errors
/// What the database or its client says, in words in which no password stands.
pub fn rows(database: &Address, query: &str, limit: Option<Duration>) -> Result<Vec<Row>, String> {
    let printed = match database {
        Address::DuckDb(file) => duckdb(file.as_os_str(), query, limit),
        Address::Postgres(server) => postgres(server, query, limit),
    };
    let printed = printed.map_err(|why| match why {
        Unanswered::Said(told) => format!("{} says: {told}", database.dialect().title()),
        Unanswered::Late(limit) => {
            format!("{} had no answer within {limit:?}, and was stopped", database.dialect().title())
        }
        Unanswered::Client(told) => told,
    })?;
    read(&printed).ok_or_else(|| format!("the answer of {} is not whole", database.dialect().title()))
}

/// Why there is no answer.
enum Unanswered {
    /// What the database says.
    Said(String),
    /// It took longer than it may.
    Late(Duration),
    /// There is no client, or it cannot be run.
    Client(String),
}

/// The rows of an answer, unless its end is not there.
fn read(printed: &str) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    let mut has_end = false;
    for record in csv::ReaderBuilder::new().has_headers(false).from_reader(printed.as_bytes()).records() {
        let record = record.ok()?;
        let (id, signs) = (record.get(0)?, record.get(1)?);
        if has_end {
            return None;
        }
        match id.is_empty() {
            true => has_end = signs == END,
            false => rows.push((id.to_owned(), signs.to_owned())),
        }
    }
    has_end.then_some(rows)
}

/// By the command `duckdb`, else by Python's module.
fn duckdb(file: &OsStr, query: &str, limit: Option<Duration>) -> Result<String, Unanswered> {
    let end = format!("SELECT '' AS id, '{END}' AS signs");
    let mut command = Command::new("duckdb");
    command.args(["-batch", "-bail", "-readonly", "-no-init", "-csv", "-noheader"]).arg(file);
    if let Some(Ran { status, out, said }) = ran(&mut command, &format!("{query}\n{end};\n"), limit)? {
        return if status.success() && said.trim().is_empty() { Ok(out) } else { Err(Unanswered::Said(told(&said))) };
    }
    for python in ["python3", "python"] {
        let mut command = Command::new(python);
        command.args(["-c", PYTHON]).arg(file);
        match ran(&mut command, &format!("{query}\0{end}"), limit)? {
            Some(Ran { status, .. }) if status.code() == Some(NO_MODULE) => {}
            Some(Ran { status, out, .. }) if status.success() => return Ok(out),
            Some(Ran { said, .. }) => return Err(Unanswered::Said(told(&said))),
            None => {}
        }
    }
    let told = "DuckDB is run by its command `duckdb`, or by `python3` with the module `duckdb`, and neither is \
                there: install one of them, for example by `pip install duckdb`";
    Err(Unanswered::Client(told.to_owned()))
}

/// By `psql`, which reads what environments and files of PostgreSQL say, passwords above all.
fn postgres(server: &Server, query: &str, limit: Option<Duration>) -> Result<String, Unanswered> {
    let mut command = Command::new("psql");
    command.args(["--no-psqlrc", "--no-password", "--quiet", "--csv", "--tuples-only"]);
    command.args(["--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse"]).arg(&server.url);
    command.env("PGCLIENTENCODING", "UTF8").env("PGAPPNAME", "seg").env("LC_ALL", "C");
    if let Some(password) = &server.password {
        // An argument could be read by everybody on this machine.
        command.env("PGPASSWORD", password);
    }
    if std::env::var_os("PGCONNECT_TIMEOUT").is_none() && !server.url.contains("connect_timeout=") {
        command.env("PGCONNECT_TIMEOUT", CONNECT_SECONDS);
    }
    let limited = limit.map_or(String::new(), |limit| {
        format!("SET LOCAL statement_timeout = {};\n", limit.as_millis().clamp(1, i32::MAX as u128))
    });
    // Compiling a query of this size takes PostgreSQL longer than running it.
    let text =
        format!("BEGIN TRANSACTION READ ONLY;\nSET LOCAL jit = off;\n{limited}{query}\nSELECT '', '{END}';\nCOMMIT;\n");
    match ran(&mut command, &text, limit)? {
        Some(Ran { status, out, .. }) if status.success() => Ok(out),
        Some(Ran { said, .. }) => {
            let told = told(&said);
            Err(Unanswered::Said(match &server.password {
                Some(password) if password.len() > 1 => told.replace(password, "…"),
                _ => told,
            }))
        }
        None => {
            let told = "PostgreSQL is asked by its command `psql`, which is not there: install PostgreSQL's client";
            Err(Unanswered::Client(told.to_owned()))
        }
    }
}

/// How a client ended.
struct Ran {
    status: ExitStatus,
    out: String,
    said: String,
}

/// Runs a client that reads a text; none where there is no such program.
fn ran(command: &mut Command, text: &str, limit: Option<Duration>) -> Result<Option<Ran>, Unanswered> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| Unanswered::Client(format!("the command `{program}` cannot be run: {error}"));
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match piped.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let (input, out, said) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let end = limit.and_then(|limit| Instant::now().checked_add(limit));
    let (sender, receiver) = channel();
    let text = text.to_owned();
    // One that ends early closes its input: what it says tells more than that.
    thread::spawn(move || input.map(|mut input| input.write_all(text.as_bytes())));
    let bytes = |from: Option<Box<dyn Read + Send>>| {
        let mut bytes = Vec::new();
        from.map_or(Ok(0), |mut from| from.read_to_end(&mut bytes)).map(|_| bytes)
    };
    let said = said.map(|said| Box::new(said) as Box<dyn Read + Send>);
    let said = thread::spawn(move || bytes(said));
    let out = out.map(|out| Box::new(out) as Box<dyn Read + Send>);
    thread::spawn(move || sender.send(bytes(out)));
    let out = match end {
        None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        Some(end) => receiver.recv_timeout(end.saturating_duration_since(Instant::now())),
    };
    let out = match (out, limit) {
        (Ok(out), _) => out.map_err(failed)?,
        (Err(_), limit) => {
            stop(&mut child);
            return Err(Unanswered::Late(limit.unwrap_or_default()));
        }
    };
    let status = child.wait().map_err(failed)?;
    let said = said.join().unwrap_or_else(|_| Ok(Vec::new())).map_err(failed)?;
    let out = String::from_utf8(out)
        .map_err(|_| Unanswered::Client(format!("the command `{program}` printed what is no text")))?;
    Ok(Some(Ran { status, out, said: String::from_utf8_lossy(&said).into_owned() }))
}

/// Ends a client that had its time.
fn stop(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// What a client says, without its own name and without what it shows of the query.
fn told(said: &str) -> String {
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut lines = lines.map(|line| {
        let line = line.strip_prefix("psql: ").unwrap_or(line);
        ["error: ", "ERROR: ", "FATAL: ", "Error: "]
            .iter()
            .fold(line, |line, word| line.strip_prefix(word).unwrap_or(line).trim_start())
    });
    let mut told = String::new();
    // Of a long message the query is most.
    for line in lines.by_ref().take_while(|line| !line.starts_with("LINE ")).take(4) {
        if !told.is_empty() {
            told.push_str("; ");
        }
        // Where in a query that nobody has written helps nobody.
        let line = match line.rsplit_once(" at character ") {
            Some((line, at)) if at.bytes().all(|b| b.is_ascii_digit()) => line,
            Some(_) | None => line,
        };
        told.push_str(line.trim_end_matches('.'));
    }
    if told.is_empty() { "nothing, and ends".to_owned() } else { told }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_or_none() {
        let of = |text: &str| read(text);
        let row = |id: &str, signs: &str| (id.to_owned(), signs.to_owned());
        assert_eq!(of("ann,10\n\"b\"\"o\nb\",01\n,end\n"), Some(vec![row("ann", "10"), row("b\"o\nb", "01")]));
        assert_eq!(of("\"\",end\r\n"), Some(Vec::new()));
        assert_eq!(of("ann,10\n"), None);
        assert_eq!(of("ann,10\n\"bo"), None);
        assert_eq!(of("ann,10\n,end\nbob,01\n"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn what_clients_say_is_told_in_a_line() {
        assert_eq!(
            told("psql: error: connection to server at \"db\" failed: FATAL:  no pg_hba.conf entry\n"),
            "connection to server at \"db\" failed: FATAL:  no pg_hba.conf entry"
        );
        assert_eq!(told("ERROR:  relation \"crm.people\" does not exist at character 120\n"), {
            "relation \"crm.people\" does not exist"
        });
        assert_eq!(
            told(
                "Catalog Error: Table with name people does not exist!\nDid you mean \"folk\"?\n\nLINE 5:   FROM x\n   ^\n"
            ),
            "Catalog Error: Table with name people does not exist!; Did you mean \"folk\"?"
        );
    }
}
