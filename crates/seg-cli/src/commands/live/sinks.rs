//! Receivers of changes that `seg.toml` names.

use crate::exit::Failure;
use crate::output::grouped;
use seg::Project;
use seg::unstable::io::manifest::{LiveReceiver, LiveSink};
use seg::unstable::parts;
use seg_live::{Embedded, LiveError, Schedule, Secret, Session, SinkSettings, SinkState, SinkTo, Sinks, cursor_name};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// What waits when the input has ended is sent within this, or by the next process.
const END_WITHIN: Duration = Duration::from_secs(60);

/// Begins to send to all receivers of a project, and to one more if there is one; nothing where
/// there is none.
///
/// # Errors
/// A secret that is not there or is none, and a receiver that cannot be begun.
pub fn begin(
    project: &Project,
    session: &Session<Embedded>,
    more: Option<SinkSettings>,
) -> Result<Option<Sinks>, Failure> {
    let parts = parts(project);
    let sinks = parts.manifest.map_or(&[][..], |manifest| &manifest.live.sinks);
    let mut settings = sinks.iter().map(|sink| settings(sink, parts.dir)).collect::<Result<Vec<_>, Failure>>()?;
    settings.extend(more);
    if settings.is_empty() {
        return Ok(None);
    }
    let cursor = |sink: &SinkSettings| (sink.name.clone(), session.core().input(&cursor_name(&sink.name)));
    let cursors: BTreeMap<String, u64> = settings.iter().map(cursor).collect();
    // Processes that begin together do not send again together.
    let seed = u64::from(std::process::id()) ^ chrono::Utc::now().timestamp_micros().unsigned_abs();
    Sinks::start(settings, &session.store().outbox(), &cursors, seed).map(Some).map_err(Failure::new)
}

fn settings(sink: &LiveSink, dir: &Path) -> Result<SinkSettings, Failure> {
    let to = match &sink.to {
        LiveReceiver::Webhook { url, secret_env, answer_within } => SinkTo::Webhook {
            url: url.clone(),
            secrets: secret_env.iter().map(|name| secret(&sink.name, name)).collect::<Result<_, Failure>>()?,
            time_out: *answer_within,
        },
        #[cfg(feature = "nats")]
        LiveReceiver::Nats { url, subject, credentials_env } => SinkTo::Nats {
            url: url.clone(),
            subject: subject.clone(),
            credentials: credentials_env.as_ref().map(|name| variable(&sink.name, name)).transpose()?,
            time_out: Duration::from_secs(5),
        },
        #[cfg(not(feature = "nats"))]
        LiveReceiver::Nats { .. } => {
            let name = &sink.name;
            let why =
                format!("`{name}` is a NATS server, and this `seg` was built without: `cargo build --features nats`");
            return Err(Failure::new(why));
        }
        LiveReceiver::File(path) => SinkTo::File(dir.join(path)),
    };
    let segments = sink.segments.iter().map(|(name, _)| name.clone()).collect();
    Ok(SinkSettings { name: sink.name.clone(), segments, to, schedule: Schedule { longest: sink.longest_wait } })
}

/// The secret in a variable of the environment.
fn secret(sink: &str, name: &str) -> Result<Secret, Failure> {
    Secret::read(&variable(sink, name)?).map_err(|why| unfit(sink, name, why))
}

fn variable(sink: &str, name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| unfit(sink, name, "it is not set, or is no text"))
}

fn unfit(sink: &str, variable: &str, why: &str) -> Failure {
    Failure::new(format!("the secret of `{sink}` is read from the variable `{variable}`: {why}"))
}

/// Lets receivers have what waits, keeps how far each came, and says what still waits.
///
/// # Errors
/// What the store says.
pub fn end(sinks: &Sinks, session: &mut Session<Embedded>) -> Result<String, LiveError> {
    sinks.stop(END_WITHIN);
    sinks.after_commit(session);
    session.turn(seg::Timestamp::MIN, 0)?;
    session.commit()?;
    let mut out = String::new();
    for SinkState { name, n_waiting, error, n_gaps, is_stopped, .. } in sinks.states() {
        if n_gaps > 0 {
            let _ = writeln!(out, "`{name}` was told of {} in what it was sent", gaps(n_gaps));
        }
        let why = error.map_or(String::new(), |why| format!(": {why}"));
        if is_stopped {
            let _ = writeln!(out, "nothing more is sent to `{name}`{why}");
        } else if n_waiting > 0 {
            let _ = writeln!(out, "{} changes for `{name}` wait for the next `seg live`{why}", grouped(n_waiting));
        }
    }
    Ok(out)
}

fn gaps(n: u64) -> String {
    if n == 1 { "a gap".to_owned() } else { format!("{} gaps", grouped(n)) }
}
