//! Changes as posts to a web server, as the Standard Webhooks specification, 1.0.0, has them.

use super::parcel::{Outcome, Parcel, Parceled, Receiver};
use super::secret::Secret;
use crate::clock::machine_now;
use chrono::DateTime;
use seg::Timestamp;
use serde_json::json;
use std::time::Duration;
use ureq::http::{HeaderMap, StatusCode, Uri};
use ureq::{Agent, Error};

/// Changes of one post.
const CHANGES_MAX: usize = 100;
/// What is read of an answer, so that the connection serves again. Nothing is made of it.
const ANSWER_BYTES: u64 = 16 << 10;
const HEADER_BYTES: usize = 16 << 10;
const SECOND: i64 = 1_000_000;

/// A web server.
pub(crate) struct Webhook {
    agent: Agent,
    url: String,
    host: String,
    secrets: Vec<Secret>,
    time_out: Duration,
    /// The last gap, and when it was first told of.
    gap: Option<(u64, u64, Timestamp)>,
}

/// What is sent, the same however often.
#[derive(Debug, PartialEq, Eq)]
struct Post {
    id: String,
    body: Vec<u8>,
}

impl Webhook {
    pub fn new(url: &str, secrets: Vec<Secret>, time_out: Duration) -> Result<Webhook, String> {
        let uri: Option<Uri> = url.parse().ok();
        let is_web = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https"));
        let host = uri.filter(is_web).and_then(|uri| Some(uri.authority()?.host().to_owned()));
        let Some(host) = host.filter(|host| !host.is_empty()) else {
            return Err(format!("`{url}` is not the address of a web server, which begins with `https://`"));
        };
        if secrets.is_empty() {
            return Err("there is no secret to sign with".to_owned());
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // The environment is not asked.
            .proxy(None)
            .timeout_global(Some(time_out))
            .max_response_header_size(HEADER_BYTES)
            .user_agent(concat!("seg/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Webhook { agent: config.new_agent(), url: url.to_owned(), host, secrets, time_out, gap: None })
    }

    fn post(&mut self, parcel: &Parcel, now: Timestamp) -> Post {
        match parcel {
            Parcel::Changes(changes) => post_of(changes),
            Parcel::Gap(from, to) => {
                let since = self.gap.filter(|(first, last, _)| (first, last) == (from, to));
                let (.., since) = *self.gap.insert(since.unwrap_or((*from, *to, now)));
                let body = json!({
                    "type": "segment.gap",
                    "timestamp": since.to_string(),
                    "data": { "type": "gap", "from": from, "to": to },
                });
                Post { id: format!("gap-{from}-{to}-{:x}", since.0), body: body.to_string().into_bytes() }
            }
        }
    }

    fn send(&self, post: &Post, now: Timestamp) -> Outcome {
        let second = now.0.div_euclid(SECOND);
        let signatures: Vec<String> =
            self.secrets.iter().map(|secret| secret.sign(&post.id, second, &post.body)).collect();
        let request = self.agent.post(&self.url).header("content-type", "application/json");
        let request = request.header("webhook-id", &post.id).header("webhook-timestamp", second.to_string());
        match request.header("webhook-signature", signatures.join(" ")).send(&post.body) {
            Ok(mut answer) => {
                let outcome = self.outcome(answer.status(), asked(answer.headers(), now));
                // The status says everything, also when what follows breaks off.
                let _ = answer.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec();
                outcome
            }
            Err(error) => Outcome::Failed(self.words(&error), None),
        }
    }

    fn outcome(&self, status: StatusCode, asked: Option<Duration>) -> Outcome {
        let host = &self.host;
        if status.is_success() {
            return Outcome::Taken;
        }
        if status == StatusCode::GONE {
            return Outcome::Unwanted(format!("{host} answers {status}: it wants no more"));
        }
        let why = match status.is_redirection() {
            true => format!("{host} answers {status}; redirects are not followed: write the new address"),
            false => format!("{host} answers {status}"),
        };
        Outcome::Failed(why, asked)
    }

    /// What went wrong, without the address, which may hold a key.
    fn words(&self, error: &Error) -> String {
        let host = &self.host;
        match error {
            Error::Timeout(_) => format!("{host} does not answer within {} seconds", self.time_out.as_secs_f64()),
            Error::HostNotFound => format!("there is no host {host}"),
            Error::Io(error) => format!("{host} cannot be reached: {error}"),
            Error::ConnectionFailed => format!("{host} cannot be reached"),
            other => format!("{host} does not answer as a web server: {other}"),
        }
    }
}

impl Receiver for Webhook {
    fn changes_max(&self) -> usize {
        CHANGES_MAX
    }

    fn hand_over(&mut self, parcel: &Parcel) -> Outcome {
        let now = machine_now();
        let post = self.post(parcel, now);
        self.send(&post, now)
    }
}

/// A post of changes: its id and its time are those of the changes.
fn post_of(changes: &[Parceled]) -> Post {
    let (Some(first), Some(last)) = (changes.first(), changes.last()) else {
        return Post { id: String::new(), body: Vec::new() };
    };
    let head = format!("{{\"type\":\"segment.changes\",\"timestamp\":\"{}\",\"data\":{{\"changes\":[", last.change.at);
    let mut body = head.into_bytes();
    for (nth, of) in changes.iter().enumerate() {
        if nth > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&of.json);
    }
    body.extend_from_slice(b"]}}");
    Post { id: format!("{}-{}", first.change.id, last.change.seq), body }
}

/// For how long a receiver wants to be left alone: `Retry-After`, in seconds or as an instant (RFC
/// 9110, section 10.2.3).
fn asked(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?;
    let micros = at.timestamp_micros().saturating_sub(now.0);
    Some(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Cause, Change, Direction};

    fn parceled(seq: u64) -> Parceled {
        let change = Change {
            id: format!("i-{seq}"),
            seq,
            segment: "Recent".to_owned(),
            person: "ann".to_owned(),
            change: Direction::Entered,
            at: Timestamp::read("2026-05-01T00:00:00Z", None).expect("an instant"),
            cause: Cause::Event,
            event_id: None,
            program: 1,
            backfill: false,
        };
        let json = serde_json::to_vec(&change).expect("JSON");
        Parceled { change, json }
    }

    fn webhook(url: &str) -> Result<Webhook, String> {
        let secret = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
        Webhook::new(url, vec![secret], Duration::from_secs(1))
    }

    #[test]
    fn a_post_is_the_same_however_often_it_is_made() {
        let post = post_of(&[parceled(7), parceled(8)]);
        assert_eq!(post.id, "i-7-8");
        let body: serde_json::Value = serde_json::from_slice(&post.body).expect("JSON");
        assert_eq!((&body["type"], &body["timestamp"]), (&json!("segment.changes"), &json!("2026-05-01T00:00:00Z")));
        assert_eq!(body["data"]["changes"][1]["id"], "i-8");
        let mut webhook = webhook("https://example.com/hook").expect("an address");
        let first = webhook.post(&Parcel::Gap(3, 9), Timestamp(1_000_000));
        assert_eq!(webhook.post(&Parcel::Gap(3, 9), Timestamp(99_000_000)), first);
        let body: serde_json::Value = serde_json::from_slice(&first.body).expect("JSON");
        assert_eq!(body["data"], json!({ "type": "gap", "from": 3, "to": 9 }));
        assert_ne!(webhook.post(&Parcel::Gap(3, 10), Timestamp(99_000_000)).id, first.id);
    }

    #[test]
    fn addresses_that_are_none_are_refused() {
        for url in ["example.com/hook", "ftp://example.com", "https://", "", "http:///x", "https://a b"] {
            assert!(webhook(url).is_err(), "{url}");
        }
        assert!(webhook("http://localhost:8080").is_ok());
    }

    #[test]
    fn a_receiver_says_when_it_wants_to_be_asked_again() {
        let now = Timestamp::read("2026-11-06T08:49:00Z", None).expect("an instant");
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", text.parse().expect("a header"));
            asked(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(of("120"), Some(120));
        assert_eq!(of("Fri, 06 Nov 2026 08:49:37 GMT"), Some(37));
        assert_eq!(of("Fri, 06 Nov 2026 08:40:00 GMT"), Some(0));
        assert_eq!(of("soon"), None);
        assert_eq!(asked(&HeaderMap::new(), now), None);
    }
}
