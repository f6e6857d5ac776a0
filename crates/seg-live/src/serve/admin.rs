//! Where operators look, on an address of its own.

use super::Describe;
use super::auth::{TOKEN, has_token, is_same};
use super::decide::{Ask, Readings};
use super::intake::{error, in_json, json};
use super::metrics::Metrics;
use super::pending::Reply;
use crate::change::Change;
use crate::clock::machine_now;
use crate::core::Core;
use crate::outbox::Outbox;
use crate::sinks::{SinkState, Sinks};
use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use seg::unstable::data::time::SECOND;
use seg::unstable::io::facts::FactLine;
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};

/// How long an answer of the deciding thread is waited for.
const ANSWER: Duration = Duration::from_secs(10);
/// Members and changes of one answer, unless fewer are asked for, and at most.
const PAGE: usize = 1_000;
const PAGE_MAX: usize = 100_000;
/// The sizes of segments are sent to pages this often, if they have changed.
const SIZES_EVERY: Duration = Duration::from_secs(1);
/// Pages that are open at a time.
const PAGES: usize = 64;
/// It is behind when somebody has waited so long.
const BEHIND: i64 = 60 * SECOND;

/// What all requests share.
pub(super) struct Admin {
    /// The name of the project.
    pub project: String,
    pub token: String,
    pub asks: Sender<Ask>,
    pub readings: Readings,
    pub metrics: Arc<Metrics>,
    pub outbox: Outbox,
    pub sinks: Arc<Sinks>,
    pub describe: Describe,
    pub watchers: broadcast::Sender<Arc<Vec<Change>>>,
    pub durable: Arc<AtomicU64>,
    pub is_draining: Arc<AtomicBool>,
    /// Told when segments are to be read again.
    pub reload: mpsc::Sender<()>,
}

type Shared = State<Arc<Admin>>;

/// The addresses.
pub(super) fn router(admin: Arc<Admin>) -> Router {
    let guarded = Router::new()
        .route("/", get(page))
        .route("/page.css", get(|| async { text("text/css", include_str!("page/page.css")) }))
        .route("/page.js", get(|| async { text("text/javascript", include_str!("page/page.js")) }))
        .route("/metrics", get(metrics))
        .route("/segments", get(segments))
        .route("/segments/{name}/members", get(members))
        .route("/people/{id}", get(person).delete(forget))
        .route("/changes", get(changes))
        .route("/stream", get(stream))
        .route("/reload", post(reload))
        .layer(from_fn_with_state(Arc::clone(&admin), guard));
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .merge(guarded)
        .fallback(|| async { error(StatusCode::NOT_FOUND, "unknown_address", "there is nothing at this address") })
        .method_not_allowed_fallback(|| async {
            error(StatusCode::METHOD_NOT_ALLOWED, "unknown_method", "this address takes requests of another method")
        })
        .layer(map_response(in_json))
        .with_state(admin)
}

/// Lets those pass who show the token. A browser that brings it in the address gets a cookie,
/// so that the address need not be kept.
async fn guard(State(admin): Shared, request: Request, next: Next) -> Response {
    let brought = request.uri().query().unwrap_or_default().split('&').find_map(|part| part.strip_prefix("token="));
    if request.uri().path() == "/" && brought.is_some_and(|token| is_same(token, &admin.token)) {
        let cookie = format!("{TOKEN}={}; HttpOnly; SameSite=Strict; Path=/", admin.token);
        return (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie.as_str()), (LOCATION, "/")]).into_response();
    }
    if has_token(request.headers(), &admin.token) {
        return next.run(request).await;
    }
    error(StatusCode::UNAUTHORIZED, "invalid_token", "operators show their token: `Authorization: Bearer …`")
}

fn text(kind: &'static str, body: &'static str) -> Response {
    ([(CONTENT_TYPE, format!("{kind}; charset=utf-8"))], body).into_response()
}

async fn page() -> Response {
    // Nothing comes from elsewhere, and nothing is run but the page's own file.
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
                  base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let mut response = text("text/html", include_str!("page/page.html"));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, axum::http::HeaderValue::from_static(policy));
    response
}

impl Admin {
    /// What the deciding thread says of the state; nothing where it does not answer.
    async fn look<T: Send + 'static>(&self, look: impl FnOnce(&Core) -> T + Send + 'static) -> Option<T> {
        let (to, answer) = oneshot::channel();
        let look = move |core: &Core| {
            // Whoever asked may have gone.
            let _ = to.send(look(core));
        };
        self.asks.send(Ask::Look(Box::new(look))).ok()?;
        timeout(ANSWER, answer).await.ok()?.ok()
    }
}

fn no_answer() -> Response {
    error(StatusCode::SERVICE_UNAVAILABLE, "no_answer", "there was no answer in time")
}

async fn metrics(State(admin): Shared) -> Response {
    let counted = Arc::clone(&admin.metrics);
    let took = admin.look(move |core| {
        counted.take(core.counts());
        counted.take_sizes(core.n_people(), core.sizes());
    });
    if took.await.is_none() {
        return no_answer();
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], admin.metrics.text()).into_response()
}

/// How it is, in words: what is wrong first.
async fn state_of(admin: &Admin) -> (bool, Value) {
    let looked = admin.look(|core| {
        let behind = core.next_due().map_or(0, |due| machine_now().0.saturating_sub(due.0).max(0));
        let refused: Vec<(&str, u64)> = core.counts().refused.iter().map(|(why, n)| (why.words(), *n)).collect();
        (core.now(), behind, core.n_stale(), core.n_people(), core.counts().received, core.program(), refused)
    });
    let Some((now, behind, n_stale, n_people, received, program, refused)) = looked.await else {
        return (false, json!({ "ok": false, "words": ["memberships are not kept: there is no answer"] }));
    };
    let mut words = Vec::new();
    let is_draining = admin.is_draining.load(Ordering::Acquire);
    if is_draining {
        words.push("the process is ending".to_owned());
    }
    if behind > BEHIND {
        words.push(format!("some memberships are {} seconds late", behind / SECOND));
    }
    if n_stale > 0 {
        words.push(format!("{n_stale} people wait to be judged by changed segments"));
    }
    let sinks = admin.sinks.states();
    let failing = sinks.iter().filter_map(|sink| Some((&sink.name, sink.error.as_ref()?)));
    words.extend(failing.map(|(name, why)| format!("changes do not reach \"{name}\": {why}")));
    let refused: Vec<Value> = refused.into_iter().map(|(why, n)| json!({ "reason": why, "records": n })).collect();
    let state = json!({
        "ok": true,
        "project": admin.project,
        "words": words,
        "now": now.to_string(),
        "behind_seconds": behind / SECOND,
        "people": n_people,
        "people_waiting": n_stale,
        "records": received,
        "refused": refused,
        "changes": admin.durable.load(Ordering::Acquire),
        "program": program,
        "sinks": sinks.iter().map(sink).collect::<Vec<Value>>(),
    });
    (true, state)
}

fn sink(state: &SinkState) -> Value {
    json!({
        "name": state.name,
        "delivered": state.delivered,
        "waiting": state.n_waiting,
        "error": state.error,
        "failing_since": state.failing_since.map(|since| since.to_string()),
        "retries": state.n_retries,
        "gaps": state.n_gaps,
        "stopped": state.is_stopped,
    })
}

async fn health(State(admin): Shared, headers: HeaderMap) -> Response {
    let (is_well, state) = state_of(&admin).await;
    let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    // Whoever has no token is told no more than whether it goes.
    match has_token(&headers, &admin.token) {
        true => json(status, state.to_string()),
        false => json(status, json!({ "ok": is_well }).to_string()),
    }
}

async fn ready(State(admin): Shared) -> Response {
    match admin.is_draining.load(Ordering::Acquire) {
        false => json(StatusCode::OK, json!({ "ready": true }).to_string()),
        true => json(StatusCode::SERVICE_UNAVAILABLE, json!({ "ready": false }).to_string()),
    }
}

fn sizes(core: &Core) -> Value {
    Value::Array(core.sizes().map(|(segment, n)| json!({ "segment": segment, "people": n })).collect())
}

async fn segments(State(admin): Shared) -> Response {
    admin.look(sizes).await.map_or_else(no_answer, |sizes| json(StatusCode::OK, sizes.to_string()))
}

/// Which part of a list is asked for.
#[derive(Deserialize)]
struct Part<A> {
    after: Option<A>,
    limit: Option<usize>,
}

impl<A> Part<A> {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX)
    }
}

async fn members(State(admin): Shared, Path(name): Path<String>, Query(part): Query<Part<String>>) -> Response {
    let limit = part.limit();
    let looked = admin.look(move |core| {
        let ids = core.members(&name, part.after.as_deref(), limit)?;
        Some((core.seq(), ids.into_iter().map(str::to_owned).collect::<Vec<String>>()))
    });
    match looked.await {
        None => no_answer(),
        Some(None) => error(StatusCode::NOT_FOUND, "unknown_segment", "there is no segment of this name"),
        Some(Some((seq, ids))) => {
            let next = (ids.len() == limit).then(|| ids.last().cloned()).flatten();
            json(StatusCode::OK, json!({ "seq": seq, "members": ids, "next": next }).to_string())
        }
    }
}

async fn person(State(admin): Shared, Path(id): Path<String>) -> Response {
    let person = match admin.look(move |core| core.person(&id).map(|person| (core.now(), person))).await {
        None => return no_answer(),
        Some(Err(why)) => return error(StatusCode::INTERNAL_SERVER_ERROR, "damaged", &why.to_string()),
        Some(Ok((_, None))) => return error(StatusCode::NOT_FOUND, "unknown_person", "nobody is known by this id"),
        Some(Ok((now, Some(person)))) => (now.max(machine_now()), person),
    };
    let zone = admin.readings.read().unwrap_or_else(PoisonError::into_inner).zone;
    let describe = Arc::clone(&admin.describe);
    let described = tokio::task::spawn_blocking(move || describe(&person.1, person.0, zone)).await;
    described.map_or_else(|_| no_answer(), |described| json(StatusCode::OK, described.to_string()))
}

/// Forgets somebody, and answers when that is durable.
async fn forget(State(admin): Shared, Path(id): Path<String>) -> Response {
    let is_known = {
        let id = id.clone();
        admin.look(move |core| core.knows(&id)).await
    };
    match is_known {
        None => return no_answer(),
        Some(false) => return error(StatusCode::NOT_FOUND, "unknown_person", "nobody is known by this id"),
        Some(true) => {}
    }
    let (to, done) = oneshot::channel();
    let reply = Reply { arrived: Instant::now(), to, _room: None };
    if admin.asks.send(Ask::Records(vec![FactLine::forget(id)], reply)).is_err() {
        return no_answer();
    }
    match done.await {
        Ok(()) => json(StatusCode::OK, json!({ "forgotten": true }).to_string()),
        Err(_) => no_answer(),
    }
}

async fn changes(State(admin): Shared, Query(part): Query<Part<u64>>) -> Response {
    let (from, limit) = (part.after.unwrap_or(0).saturating_add(1), part.limit());
    let outbox = admin.outbox.clone();
    let durable = admin.durable.load(Ordering::Acquire);
    let read = move || Ok::<_, crate::StoreError>((outbox.first_seq()?, outbox.changes_from(from, limit)?));
    let Ok(read) = tokio::task::spawn_blocking(read).await else { return no_answer() };
    match read {
        Err(why) => error(StatusCode::INTERNAL_SERVER_ERROR, "damaged", &why.to_string()),
        // Those between are no longer there: whoever follows has to read members again.
        Ok((first, _)) if is_gone(first, from, durable) => {
            let body = json!({ "success": false, "code": "gone", "message": "changes before `first` are no longer kept", "first": first });
            json(StatusCode::GONE, body.to_string())
        }
        Ok((_, rows)) => {
            let rows: Vec<Value> = rows.iter().filter_map(|row| serde_json::from_slice(row).ok()).collect();
            json(StatusCode::OK, json!({ "changes": rows, "last": durable }).to_string())
        }
    }
}

/// Whether the change with a `seq` was there and is no longer kept.
fn is_gone(first: Option<u64>, seq: u64, durable: u64) -> bool {
    // Whoever begins at the beginning reads members first anyway.
    seq > 1 && seq <= durable && first.is_none_or(|first| first > seq)
}

async fn reload(State(admin): Shared) -> Response {
    // One that waits already will do.
    let _ = admin.reload.try_send(());
    json(StatusCode::ACCEPTED, json!({ "reloading": true }).to_string())
}

/// Sizes, changes and how it is, as they come.
async fn stream(State(admin): Shared) -> Response {
    if admin.watchers.receiver_count() >= PAGES {
        return error(StatusCode::SERVICE_UNAVAILABLE, "busy", "too many pages are open");
    }
    let changes = admin.watchers.subscribe();
    let (to, events) = mpsc::channel(64);
    tokio::spawn(watch(admin, changes, to));
    let events: std::pin::Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>> =
        Box::pin(ReceiverStream::new(events).map(Ok));
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

async fn watch(admin: Arc<Admin>, mut changes: broadcast::Receiver<Arc<Vec<Change>>>, to: mpsc::Sender<Event>) {
    let mut tick = tokio::time::interval(SIZES_EVERY);
    let mut last = (Value::Null, Value::Null);
    loop {
        let event = tokio::select! {
            _ = tick.tick() => {
                let Some(sizes) = admin.look(sizes).await else { return };
                let state = state_of(&admin).await.1;
                let is_same = last.0 == sizes && last.1 == state;
                last = (sizes, state);
                if is_same {
                    continue;
                }
                Event::default().event("state").data(json!({ "segments": last.0, "health": last.1 }).to_string())
            }
            told = changes.recv() => match told {
                Ok(told) => {
                    // A page shows the last, however many there are.
                    let shown: Vec<&Change> = told.iter().rev().take(50).rev().collect();
                    let data = json!({ "n": told.len(), "changes": shown });
                    Event::default().event("changes").data(data.to_string())
                }
                Err(broadcast::error::RecvError::Lagged(_)) => continue,
                Err(broadcast::error::RecvError::Closed) => return,
            },
            () = to.closed() => return,
        };
        if to.send(event).await.is_err() || admin.is_draining.load(Ordering::Acquire) {
            return;
        }
    }
}
