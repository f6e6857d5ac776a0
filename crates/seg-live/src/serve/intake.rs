//! Where analytics SDKs post: the addresses, answers and codes that they know.
//!
//! What they do with answers decides what is answered. A redirect counts as delivered, so there
//! is none. 400, 401 and 413 are not tried again, and end the process of some clients, so that
//! single calls that cannot be used are counted instead. Without a `code` some try everything
//! again. Who is refused for want of room is answered late and told to come again.

use super::auth::Keys;
use super::calls::{BadBody, CALLS, calls_of};
use super::decide::{Ask, Readings};
use super::metrics::Metrics;
use super::pending::Reply;
use crate::clock::machine_now;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use flate2::read::MultiGzDecoder;
use seg::unstable::io::facts::read_facts;
use std::borrow::Cow;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;
use tower_http::cors::{Any, CorsLayer};

/// A body as it comes, and unpacked.
const BODY_BYTES: usize = 4 << 20;
const UNPACKED_BYTES: usize = 8 << 20;
/// Calls that wait to be decided and written, and the bytes of bodies that are being read.
pub(super) const CALLS_WAITING: usize = 20_000;
pub(super) const BYTES_READING: usize = 64 << 20;
/// How long somebody waits for room, and for their body.
const WAIT: Duration = Duration::from_secs(8);
const READ: Duration = Duration::from_secs(30);

/// What all requests share.
pub(super) struct Intake {
    pub keys: Keys,
    pub asks: Sender<Ask>,
    pub readings: Readings,
    pub metrics: Arc<Metrics>,
    pub is_draining: Arc<AtomicBool>,
    /// Room for calls, and for bytes.
    pub room: Arc<Semaphore>,
    pub bytes: Arc<Semaphore>,
}

/// Why a request is answered with an error.
enum Refused {
    Body(BadBody),
    NoText,
    NoKey,
    TooLarge,
    TooSlow,
    Busy,
    Draining,
    NotWritten,
}

impl Refused {
    /// Its status, its code and its words.
    fn parts(&self) -> (StatusCode, &'static str, Cow<'static, str>) {
        match self {
            Refused::Body(BadBody::NoCall) => {
                let words = "the body is neither a call nor an object with a `batch` of calls";
                (StatusCode::BAD_REQUEST, "invalid_json", words.into())
            }
            Refused::Body(BadBody::TooMany) => {
                let words = format!("a batch has at most {CALLS} calls");
                (StatusCode::PAYLOAD_TOO_LARGE, "too_many_calls", words.into())
            }
            Refused::Body(BadBody::TooDeep) => {
                (StatusCode::BAD_REQUEST, "too_deep", "there are more than 64 objects within each other".into())
            }
            Refused::NoText => (StatusCode::BAD_REQUEST, "unreadable", "the body is no text in UTF-8 or gzip".into()),
            Refused::NoKey => (StatusCode::UNAUTHORIZED, "invalid_key", "the write key is missing or unknown".into()),
            Refused::TooLarge => {
                let words = "a body has at most 4 MiB, and 8 MiB when it is unpacked";
                (StatusCode::PAYLOAD_TOO_LARGE, "too_large", words.into())
            }
            Refused::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow", "the body did not come in time".into()),
            Refused::Busy => (StatusCode::TOO_MANY_REQUESTS, "busy", "there is no room now; try again".into()),
            Refused::Draining => {
                (StatusCode::SERVICE_UNAVAILABLE, "draining", "the process is ending; try again".into())
            }
            Refused::NotWritten => {
                let words = "it is not known whether the calls were written; try again";
                (StatusCode::SERVICE_UNAVAILABLE, "not_written", words.into())
            }
        }
    }
}

/// The addresses.
pub(super) fn router(intake: Arc<Intake>) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(Any)
        .max_age(Duration::from_secs(86_400));
    Router::new()
        .route("/v1/{kind}", post(take))
        .route("/v1/projects/{key}/settings", get(settings))
        .fallback(|| async { error(StatusCode::NOT_FOUND, "unknown_address", "there is nothing at this address") })
        .method_not_allowed_fallback(|| async {
            error(StatusCode::METHOD_NOT_ALLOWED, "unknown_method", "calls are posted")
        })
        .layer(map_response(in_json))
        .layer(cors)
        .with_state(intake)
}

/// The type of the calls of an address; none where each says it itself.
fn kind_of(address: &str) -> Option<Option<&'static str>> {
    Some(match address {
        "batch" | "b" | "import" => None,
        "identify" | "i" => Some("identify"),
        "track" | "t" => Some("track"),
        "page" | "p" => Some("page"),
        "screen" | "s" => Some("screen"),
        "group" | "g" => Some("group"),
        "alias" | "a" => Some("alias"),
        _ => return None,
    })
}

async fn take(
    State(intake): State<Arc<Intake>>,
    Path(address): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Some(kind) = kind_of(&address) else {
        return error(StatusCode::NOT_FOUND, "unknown_address", "there is nothing at this address");
    };
    match intake.take(kind, &headers, body).await {
        Ok(()) => json(StatusCode::OK, "{\"success\":true}".to_owned()),
        Err(refused) => {
            let (status, code, words) = refused.parts();
            intake.metrics.reject(code);
            error(status, code, &words)
        }
    }
}

impl Intake {
    /// Takes the calls of a body, and returns when they are durable.
    async fn take(&self, kind: Option<&'static str>, headers: &HeaderMap, body: Body) -> Result<(), Refused> {
        let arrived = Instant::now();
        let received = machine_now();
        if self.is_draining.load(Ordering::Acquire) {
            return Err(Refused::Draining);
        }
        let _reading = room(&self.bytes, length(headers)).await?;
        let bytes = timeout(READ, to_bytes(body, BODY_BYTES)).await.map_err(|_| Refused::TooSlow)?;
        let bytes = bytes.map_err(|_| Refused::TooLarge)?;
        let (text, _unpacked) = self.unpacked(&bytes).await?;
        let reading = self.readings.read().unwrap_or_else(PoisonError::into_inner).clone();
        let calls = calls_of(&text, kind, (received, reading.zone)).map_err(Refused::Body)?;
        if !self.keys.allow(headers, calls.key.as_deref()) {
            return Err(Refused::NoKey);
        }
        if calls.n == 0 {
            return Ok(());
        }
        let room = room(&self.room, calls.n).await?;
        let lines = read_facts((&reading.schema, &reading.names), reading.zone, &calls.lines);
        let lines = lines.map_err(|_| Refused::NoText)?;
        let (to, written) = oneshot::channel();
        let ask = Ask::Records(lines, Reply { arrived, to, _room: Some(room) });
        self.asks.send(ask).map_err(|_| Refused::NotWritten)?;
        written.await.map_err(|_| Refused::NotWritten)
    }
}

impl Intake {
    /// The text of a body, whatever its headers call it: what is packed begins as no JSON does.
    /// While it is unpacked it takes the room of the largest.
    async fn unpacked<'b>(&self, bytes: &'b [u8]) -> Result<(Cow<'b, str>, Option<OwnedSemaphorePermit>), Refused> {
        if !bytes.starts_with(&[0x1f, 0x8b]) {
            let text = std::str::from_utf8(bytes).map_err(|_| Refused::NoText)?;
            return Ok((Cow::Borrowed(text), None));
        }
        let mut room = room(&self.bytes, UNPACKED_BYTES).await?;
        let mut text = Vec::new();
        let read = MultiGzDecoder::new(bytes).take(UNPACKED_BYTES as u64 + 1).read_to_end(&mut text);
        if read.map_err(|_| Refused::NoText)? > UNPACKED_BYTES {
            return Err(Refused::TooLarge);
        }
        drop(room.split(UNPACKED_BYTES - text.len()));
        let text = String::from_utf8(text).map_err(|_| Refused::NoText)?;
        Ok((Cow::Owned(text), Some(room)))
    }
}

/// Room for so many, as soon as there is.
async fn room(of: &Arc<Semaphore>, n: usize) -> Result<OwnedSemaphorePermit, Refused> {
    let n = u32::try_from(n).unwrap_or(u32::MAX);
    let room = timeout(WAIT, Arc::clone(of).acquire_many_owned(n)).await;
    room.map_err(|_| Refused::Busy)?.map_err(|_| Refused::Draining)
}

/// The bytes that a body takes at most.
fn length(headers: &HeaderMap) -> usize {
    let said = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    said.unwrap_or(BODY_BYTES).min(BODY_BYTES)
}

/// What the SDK of browsers asks for before it posts.
async fn settings(Path(key): Path<String>, headers: HeaderMap) -> Response {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let body = serde_json::json!({
        "integrations": { "Segment.io": { "apiKey": key, "apiHost": format!("{host}/v1"), "addBundledMetadata": false } },
        "plan": { "track": { "__default": { "enabled": true, "integrations": {} } } },
        "edgeFunction": {},
        "analyticsNextEnabled": true,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": { "sampleRate": 0 },
        "legacyVideoPluginsEnabled": false,
        "remotePlugins": [],
    });
    json(StatusCode::OK, body.to_string())
}

/// What is refused before it reaches anybody here, such as an id that is no text or a query
/// that cannot be read, is told of as everything else is.
pub(super) async fn in_json(response: Response) -> Response {
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    match response.status() {
        status if status.is_client_error() && !is_json => error(
            status,
            "unreadable",
            "a part of the address is no text in UTF-8, or a value of its query is no number",
        ),
        _ => response,
    }
}

/// An answer in JSON.
pub(super) fn json(status: StatusCode, body: String) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}

/// An answer that says what is wrong.
pub(super) fn error(status: StatusCode, code: &str, words: &str) -> Response {
    let body = serde_json::json!({ "success": false, "code": code, "message": words });
    let mut response = json(status, body.to_string());
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
