//! The server: records come by HTTP, and changes go out as they are known.
//!
//! ```text
//! intake ──▶ decide ──▶ write ──▶ replies, outlets, pages
//!  tokio     a thread   a thread
//! ```
//!
//! Who posts is answered when what they sent is on disk. While one batch is written the next is
//! decided, and a third comes in. When the process is told to end it takes nothing any more,
//! and ends when everything that it took is written.

mod admin;
mod auth;
mod calls;
mod decide;
mod intake;
mod metrics;
mod notice;
mod pending;
mod sent;
mod write;

pub use auth::Keys;
pub use notice::{Log, Notice};

use crate::clock::machine_now;
use crate::error::LiveError;
use crate::person::Person;
use crate::session::Session;
use crate::sinks::Sinks;
use crate::store::Embedded;
use admin::Admin;
use decide::{Ask, Decide, Reading};
use intake::{BYTES_READING, CALLS_WAITING, Intake};
use pending::Pending;
use seg::{Prepared, Timestamp, Zone};
use sent::Sent;
use serde_json::Value;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock, mpsc as threads};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, broadcast, mpsc, watch};
use write::Writing;

/// Files of segments are looked at this often.
const RELOAD_EVERY: Duration = Duration::from_secs(2);
/// Requests that are there when the process is to end have so long.
const GRACE: Duration = Duration::from_secs(15);
/// Sinks have so long to send what is durable.
const SENDING: Duration = Duration::from_secs(5);
/// Batches of changes that a page may be behind.
const WATCHED: usize = 1_000;

/// Tells of a person as of an instant, in the zone of the project.
pub type Describe = Arc<dyn Fn(&Person, Timestamp, Option<Zone>) -> Value + Send + Sync>;

/// What the files of the segments are by now.
pub enum Reload {
    /// As they were when they were last looked at.
    Same,
    /// Others, with errors, which were told.
    Broken,
    /// Others, compiled, and whose clock a time without an offset means.
    Program(Box<Prepared>, Option<Zone>),
}

/// Where and how it is served.
pub struct Serve {
    /// The name of the project.
    pub project: String,
    /// Where records are posted.
    pub listen: SocketAddr,
    /// Where operators look.
    pub admin: SocketAddr,
    /// Who may post.
    pub keys: Keys,
    /// What operators show.
    pub token: String,
    /// Whose clock a time without an offset means.
    pub zone: Option<Zone>,
    /// Where changes go.
    pub sinks: Arc<Sinks>,
    /// Tells of a person.
    pub describe: Describe,
    /// Looks at the files of the segments; asked at most every two seconds, or when the process
    /// gets the signal to (then with `true`: to look whatever the files seem to be).
    pub reload: Box<dyn FnMut(bool) -> Reload + Send>,
    /// Told of what happens.
    pub log: Log,
}

/// Why serving ended.
#[derive(Debug)]
pub enum ServeError {
    /// An address cannot be had.
    Listen(SocketAddr, io::Error),
    /// The machine refuses threads or signals.
    Machine(io::Error),
    /// Memberships cannot be kept.
    Live(LiveError),
}

impl Serve {
    /// Serves until the process is told to end, and what was taken is written.
    ///
    /// # Errors
    /// See [`ServeError`]. Nobody was told that something was taken that is not on disk.
    pub fn run(self, session: Session<Embedded>) -> Result<(), ServeError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.map_err(ServeError::Machine)?.block_on(self.serve(session))
    }

    async fn serve(self, session: Session<Embedded>) -> Result<(), ServeError> {
        let (intake_at, admin_at) = (bound(self.listen).await?, bound(self.admin).await?);
        let (core, store) = session.into_parts();
        let (asks, asked) = threads::channel();
        let pending: Arc<Pending> = Arc::default();
        let metrics: Arc<metrics::Metrics> = Arc::default();
        let readings = Arc::new(RwLock::new(Reading::of(&core, self.zone)));
        let durable = Arc::new(AtomicU64::new(core.seq()));
        let is_draining: Arc<AtomicBool> = Arc::default();
        let watchers = broadcast::channel(WATCHED).0;
        let (reload, reloads) = mpsc::channel(1);
        let admin = Admin {
            project: self.project,
            token: self.token,
            asks: asks.clone(),
            readings: Arc::clone(&readings),
            metrics: Arc::clone(&metrics),
            outbox: store.outbox(),
            sinks: Arc::clone(&self.sinks),
            describe: self.describe,
            watchers: watchers.clone(),
            durable: Arc::clone(&durable),
            is_draining: Arc::clone(&is_draining),
            reload,
        };
        let intake = Intake {
            keys: self.keys,
            asks: asks.clone(),
            readings: Arc::clone(&readings),
            metrics: Arc::clone(&metrics),
            is_draining: Arc::clone(&is_draining),
            room: Arc::new(Semaphore::new(CALLS_WAITING)),
            bytes: Arc::new(Semaphore::new(BYTES_READING)),
        };
        let (log, sinks) = (Arc::clone(&self.log), self.sinks);
        let decide = Decide {
            core,
            asks: asked,
            pending: Arc::clone(&pending),
            readings,
            metrics: Arc::clone(&metrics),
            sent: Sent::new(Arc::clone(&sinks)),
            log: Arc::clone(&log),
        };
        let writing = Writing {
            store,
            pending: Arc::clone(&pending),
            metrics,
            watchers,
            durable,
            sinks: Arc::clone(&sinks),
            cleared: 0,
        };
        let decides = std::thread::Builder::new().name("decide".to_owned()).spawn(move || decide.run());
        let decides = decides.map_err(ServeError::Machine)?;
        let writes = std::thread::Builder::new().name("write".to_owned()).spawn(move || writing.run(machine_now));
        let writes = writes.map_err(ServeError::Machine)?;
        // Whoever reads that it listens may send a signal at once, which ends a process that does not expect it.
        let expected = |kind: SignalKind| signal(kind).map_err(ServeError::Machine);
        let ends = [expected(SignalKind::terminate())?, expected(SignalKind::interrupt())?];
        let reloads = Reloads { asked: reloads, hung_up: expected(SignalKind::hangup())? };
        let reloading = tokio::spawn(reloading(self.reload, asks.clone(), reloads, Arc::clone(&log)));
        let (intake_address, admin_address) = (address(&intake_at, self.listen), address(&admin_at, self.admin));
        log(Notice::Listening { intake: intake_address, admin: admin_address });

        // Both end together, the intake first: whoever looks sees that it drains.
        let (end, ended) = watch::channel(false);
        let intakes = tokio::spawn(served(intake_at, intake::router(Arc::new(intake)), ended.clone()));
        let admins = tokio::spawn(served(admin_at, admin::router(Arc::new(admin)), ended));
        until_told_to_end(ends, &pending).await;
        is_draining.store(true, Ordering::Release);
        log(Notice::Draining);
        let _ = end.send(true);
        let _ = tokio::time::timeout(GRACE, intakes).await;
        // Whoever has not sent their body by now is told that it was not taken.
        let _ = asks.send(Ask::End);
        reloading.abort();
        admins.abort();
        let joined = tokio::task::spawn_blocking(move || decides.join().and_then(|()| writes.join())).await;
        match (pending.failure(), joined) {
            (Some(why), _) => Err(ServeError::Live(why)),
            (None, Ok(Ok(()))) => {
                let _ = tokio::task::spawn_blocking(move || sinks.stop(SENDING)).await;
                log(Notice::Drained);
                Ok(())
            }
            (None, _) => Err(ServeError::Machine(io::Error::other("a thread ended before its time"))),
        }
    }
}

async fn bound(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen(address, error))
}

/// The address that was had, of which the port may have been chosen by the machine.
fn address(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}

/// Serves until told to end, and whoever is there to their end.
async fn served(listener: TcpListener, router: axum::Router, mut ended: watch::Receiver<bool>) {
    let end = async move {
        // A sender that is gone has ended as well.
        let _ = ended.wait_for(|ended| *ended).await;
    };
    // Connections that fail are the matter of whoever made them.
    let _ = axum::serve(listener, router).with_graceful_shutdown(end).await;
}

/// Waits for a signal to end, or for what can no longer be written.
async fn until_told_to_end([mut terminated, mut interrupted]: [Signal; 2], pending: &Pending) {
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            _ = terminated.recv() => return,
            _ = interrupted.recv() => return,
            _ = tick.tick() => {
                if pending.has_failed() {
                    return;
                }
            }
        }
    }
}

/// What asks for another look at the files of the segments.
struct Reloads {
    /// The operators' address.
    asked: mpsc::Receiver<()>,
    hung_up: Signal,
}

/// Looks at the files of the segments from time to time, and when it is asked to.
async fn reloading(
    mut reload: Box<dyn FnMut(bool) -> Reload + Send>,
    asks: threads::Sender<Ask>,
    Reloads { mut asked, mut hung_up }: Reloads,
    log: Log,
) {
    let mut tick = tokio::time::interval(RELOAD_EVERY);
    loop {
        let is_asked = tokio::select! {
            _ = tick.tick() => false,
            _ = hung_up.recv() => true,
            told = asked.recv() => match told {
                Some(()) => true,
                None => return,
            },
        };
        let looked = tokio::task::spawn_blocking(move || {
            let outcome = reload(is_asked);
            (reload, outcome)
        });
        let Ok((again, outcome)) = looked.await else { return };
        reload = again;
        match outcome {
            Reload::Same => {}
            Reload::Broken => log(Notice::Broken),
            Reload::Program(prepared, zone) => {
                if asks.send(Ask::Reload(prepared, zone)).is_err() {
                    return;
                }
            }
        }
    }
}
