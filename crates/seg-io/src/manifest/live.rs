//! `[live]`: where changes of memberships go.

use super::ManifestProblem;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;

/// A post is answered within this, unless it is said otherwise.
const ANSWER: Duration = Duration::from_secs(15);
/// The longest wait before something is sent again, unless it is said otherwise.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);
/// What secrets of webhooks begin with.
const SECRET: &str = "whsec_";

/// Where changes of memberships go, beside what the command line says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LiveSettings {
    /// Each to a receiver of its own.
    pub sinks: Vec<LiveSink>,
}

/// A receiver of changes.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveSink {
    /// By which it is known: no two have the same.
    pub name: String,
    /// The segments whose changes it wants, with the bytes of the text that name them; without
    /// any, all.
    pub segments: Vec<(String, Range<usize>)>,
    /// No wait before something is sent again is longer.
    pub longest_wait: Duration,
    /// Who it is.
    pub to: LiveReceiver,
}

/// Who receives changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveReceiver {
    /// A web server.
    Webhook {
        /// `http:` or `https:`.
        url: String,
        /// The variables of the environment that hold the secrets by which posts are signed.
        secret_env: Vec<String>,
        /// Within which time a post is answered.
        answer_within: Duration,
    },
    /// A subject of a NATS server, whose stream takes in a message a change.
    Nats {
        /// `nats:` or `tls:`.
        url: String,
        /// The subject.
        subject: String,
        /// The variable of the environment that holds the text of a `.creds` file, where one is
        /// needed.
        credentials_env: Option<String>,
    },
    /// A file, relative to the project, to which lines are added.
    File(String),
}

/// The table as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LiveTable {
    #[serde(default)]
    webhook: Vec<WebhookTable>,
    #[serde(default)]
    nats: Vec<NatsTable>,
    #[serde(default)]
    file: Vec<FileTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookTable {
    name: Spanned<String>,
    url: Spanned<String>,
    secret_env: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    segments: Vec<Spanned<String>>,
    longest_wait_seconds: Option<Spanned<f64>>,
    answer_within_seconds: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NatsTable {
    name: Option<Spanned<String>>,
    url: Spanned<String>,
    subject: Spanned<String>,
    credentials_env: Option<Spanned<String>>,
    #[serde(default)]
    segments: Vec<Spanned<String>>,
    longest_wait_seconds: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTable {
    name: Option<Spanned<String>>,
    path: Spanned<String>,
    #[serde(default)]
    segments: Vec<Spanned<String>>,
}

impl LiveTable {
    /// The settings, and what is wrong with them.
    pub fn read(self) -> (LiveSettings, Vec<ManifestProblem>) {
        let mut reading = Reading { problems: Vec::new(), names: BTreeSet::new() };
        let mut sinks = Vec::new();
        for webhook in self.webhook {
            sinks.push(reading.webhook(webhook));
        }
        for nats in self.nats {
            sinks.push(reading.nats(nats));
        }
        for FileTable { name, path, segments } in self.file {
            let name = reading.name(name.as_ref().unwrap_or(&path));
            if path.get_ref().is_empty() || path.get_ref() == "-" {
                let message = format!("`{}` is not the path of a file", path.get_ref());
                reading.problem(path.span(), message, "write a path, relative to the project's directory");
            }
            let (segments, to) = (placed(segments), LiveReceiver::File(path.into_inner()));
            sinks.push(LiveSink { name, segments, longest_wait: LONGEST_WAIT, to });
        }
        (LiveSettings { sinks }, reading.problems)
    }
}

struct Reading {
    problems: Vec<ManifestProblem>,
    names: BTreeSet<String>,
}

impl Reading {
    fn problem(&mut self, at: Range<usize>, message: String, help: &str) {
        self.problems.push(ManifestProblem { message, help: Some(help.to_owned()), at });
    }

    fn name(&mut self, name: &Spanned<String>) -> String {
        let text = name.get_ref();
        if text.trim().is_empty() {
            self.problem(name.span(), "a receiver has no name".to_owned(), "write one, such as \"crm\"");
        } else if !self.names.insert(text.clone()) {
            let message = format!("two receivers of changes are called `{text}`");
            self.problem(name.span(), message, "give each its own `name`: what it has received is kept by it");
        }
        text.clone()
    }

    fn webhook(&mut self, webhook: WebhookTable) -> LiveSink {
        let WebhookTable { name, url, secret_env, segments, longest_wait_seconds, answer_within_seconds } = webhook;
        let name = self.name(&name);
        if !is_address(url.get_ref(), &["https://", "http://"]) {
            let message = format!("`{}` is not the address of a web server", url.get_ref());
            self.problem(url.span(), message, "write it as \"https://example.com/hooks/segments\"");
        }
        if secret_env.get_ref().is_empty() {
            let help = "name the variable of the environment that holds it: `secret_env = [\"CRM_SECRET\"]`";
            self.problem(secret_env.span(), "posts cannot be signed without a secret".to_owned(), help);
        }
        let secret_env = secret_env.into_inner();
        for variable in &secret_env {
            self.variable(variable);
        }
        let longest_wait = self.longest_wait(longest_wait_seconds);
        let answer_within = self.seconds(answer_within_seconds, (0.1, 120.0), ANSWER);
        let secret_env = secret_env.into_iter().map(Spanned::into_inner).collect();
        let to = LiveReceiver::Webhook { url: url.into_inner(), secret_env, answer_within };
        LiveSink { name, segments: placed(segments), longest_wait, to }
    }

    fn nats(&mut self, nats: NatsTable) -> LiveSink {
        let NatsTable { name, url, subject, credentials_env, segments, longest_wait_seconds } = nats;
        let name = self.name(name.as_ref().unwrap_or(&subject));
        let address = url.get_ref();
        if !is_address(address, &["nats://", "tls://"]) {
            let message = format!("`{address}` is not the address of a NATS server");
            self.problem(url.span(), message, "write it as \"nats://nats.example.com:4222\"");
        } else if address.contains('@') {
            // It is not shown again.
            let message = "this address holds a secret, which anybody can read here".to_owned();
            let help =
                "put the text of a `.creds` file into a variable, and write its name: `credentials_env = \"NATS\"`";
            self.problem(url.span(), message, help);
        }
        let is_subject =
            |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "*>".contains(c));
        if !subject.get_ref().split('.').all(is_subject) {
            let message = format!("nothing can be published to `{}`", subject.get_ref());
            self.problem(subject.span(), message, "write words with dots between them, such as \"segments.changes\"");
        }
        if let Some(variable) = &credentials_env {
            self.variable(variable);
        }
        let longest_wait = self.longest_wait(longest_wait_seconds);
        let credentials_env = credentials_env.map(Spanned::into_inner);
        let to = LiveReceiver::Nats { url: url.into_inner(), subject: subject.into_inner(), credentials_env };
        LiveSink { name, segments: placed(segments), longest_wait, to }
    }

    fn longest_wait(&mut self, seconds: Option<Spanned<f64>>) -> Duration {
        self.seconds(seconds, (0.1, LONGEST_WAIT.as_secs_f64()), LONGEST_WAIT)
    }

    fn variable(&mut self, variable: &Spanned<String>) {
        let text = variable.get_ref();
        let is_name = !text.is_empty()
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !text.starts_with(|c: char| c.is_ascii_digit());
        if text.starts_with(SECRET) {
            // It is not shown again.
            let message = "this is a secret, which anybody can read here".to_owned();
            self.problem(variable.span(), message, "put it into a variable of the environment, and write its name");
        } else if !is_name {
            let message = format!("`{text}` is not the name of a variable of the environment");
            self.problem(variable.span(), message, "write a name of letters, digits and `_`, such as \"CRM_SECRET\"");
        }
    }

    fn seconds(&mut self, seconds: Option<Spanned<f64>>, (min, max): (f64, f64), usual: Duration) -> Duration {
        let Some(seconds) = seconds else { return usual };
        match *seconds.get_ref() {
            given if (min..=max).contains(&given) => Duration::from_secs_f64(given),
            given => {
                let message = format!("{given} is not a number of seconds from {min} to {max}");
                self.problem(seconds.span(), message, "write a number within that range, or leave it out");
                usual
            }
        }
    }
}

fn placed(segments: Vec<Spanned<String>>) -> Vec<(String, Range<usize>)> {
    segments.into_iter().map(|name| (name.get_ref().clone(), name.span())).collect()
}

/// Whether a text is one of some schemes and a host, with whatever follows.
fn is_address(url: &str, schemes: &[&str]) -> bool {
    let rest = schemes.iter().find_map(|scheme| url.strip_prefix(scheme));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    host.is_some_and(|host| !host.is_empty() && !host.starts_with(':'))
        && !url.contains(|c: char| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    fn live(text: &str) -> Result<LiveSettings, Vec<ManifestProblem>> {
        parse(&format!("name = \"x\"\n{text}\n")).map(|manifest| manifest.live)
    }

    #[test]
    fn receivers_are_read() {
        assert_eq!(live(""), Ok(LiveSettings::default()));
        let settings = live(
            "[[live.webhook]]\nname = \"crm\"\nurl = \"https://crm.example/hook\"\nsecret_env = [\"NEW\", \"OLD\"]\n\
             segments = [\"Lapsed\"]\nlongest_wait_seconds = 300\n[[live.file]]\npath = \"changes.ndjson\"\n\
             [[live.nats]]\nurl = \"nats://localhost\"\nsubject = \"segments.changes\"\ncredentials_env = \"C\"",
        )
        .expect("settings");
        let [crm, nats, file] = settings.sinks.as_slice() else { panic!("{settings:?}") };
        let url = "https://crm.example/hook".to_owned();
        let secret_env = vec!["NEW".to_owned(), "OLD".to_owned()];
        assert_eq!(crm.to, LiveReceiver::Webhook { url, secret_env, answer_within: ANSWER });
        assert_eq!((crm.longest_wait.as_secs(), crm.segments[0].0.as_str()), (300, "Lapsed"));
        let (url, subject) = ("nats://localhost".to_owned(), "segments.changes".to_owned());
        assert_eq!(nats.name, subject);
        assert_eq!(nats.to, LiveReceiver::Nats { url, subject, credentials_env: Some("C".to_owned()) });
        assert_eq!((file.name.as_str(), &file.to), ("changes.ndjson", &LiveReceiver::File(file.name.clone())));
    }

    #[test]
    fn mistakes_are_told_where_they_are() {
        let webhook = |name: &str, url: &str, rest: &str| {
            format!("[[live.webhook]]\nname = \"{name}\"\nurl = \"{url}\"\n{rest}\n")
        };
        let nats = |url: &str, subject: &str| format!("[[live.nats]]\nurl = \"{url}\"\nsubject = \"{subject}\"");
        let good = "https://a.example";
        for (text, at, why) in [
            (webhook("a", "a.example", "secret_env = [\"S\"]"), "\"a.example\"", "not the address of a web server"),
            (webhook("a", "ftp://a", "secret_env = [\"S\"]"), "\"ftp://a\"", "not the address"),
            (webhook("a", good, "secret_env = []"), "[]", "cannot be signed"),
            (webhook("a", good, "secret_env = [\"whsec_abc\"]"), "\"whsec_abc\"", "this is a secret"),
            (webhook("a", good, "secret_env = [\"a b\"]"), "\"a b\"", "`a b` is not the name of a variable"),
            (webhook("", good, "secret_env = [\"S\"]"), "\"\"", "has no name"),
            (webhook("a", good, "secret_env = [\"S\"]\nlongest_wait_seconds = 0"), "0", "from 0.1 to 86400"),
            (webhook("a", good, "secret_env = [\"S\"]\nanswer_within_seconds = nan"), "nan", "NaN is not"),
            (webhook("a", good, "secrets_env = [\"S\"]"), "secrets_env", "no setting `secrets_env`"),
            (webhook("a", good, ""), "[[live.webhook]]", "`secret_env` is missing"),
            ("[[live.file]]\npath = \"-\"".to_owned(), "\"-\"", "not the path of a file"),
            (nats("nats://u:p@h", "a"), "\"nats://u:p@h\"", "holds a secret"),
            (nats("http://h", "a"), "\"http://h\"", "not the address of a NATS server"),
            (nats("nats://h", "a..b"), "\"a..b\"", "nothing can be published to `a..b`"),
            (nats("nats://h", "a.>"), "\"a.>\"", "nothing can be published"),
            ("[[live.files]]\npath = \"x\"".to_owned(), "files", "no setting `files`"),
            (
                "[[live.file]]\npath = \"x\"\n[[live.file]]\nname = \"x\"\npath = \"y\"".to_owned(),
                "\"x\"",
                "two receivers of changes are called `x`",
            ),
        ] {
            let problems = live(&text).expect_err(&text);
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            let of = format!("name = \"x\"\n{text}\n");
            let shown = of.get(problems[0].at.clone()).expect("a place");
            assert!(problems[0].message.contains(why) && shown.starts_with(at), "{text}: {problems:?} at {shown}");
            assert!(!problems[0].message.contains("whsec_"), "{problems:?}");
        }
    }
}
