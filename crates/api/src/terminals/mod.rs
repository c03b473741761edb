//! The shells of people in workspaces: opened by a request, kept here, and spoken to over a connection that may come
//! back. This never decides who may open one.

mod connect;
mod keep;
mod kept;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use divisi_model::{AttemptId, TaskId};
use divisi_workspace::TerminalEnd;
use jiff::Timestamp;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::access;
use crate::auth::Caller;
use crate::problem::ApiError;
use crate::server::App;
use crate::types::{Problem, ProblemKind, TerminalRequest, TerminalView};
use kept::Kept;

pub(crate) use connect::{MESSAGE_BYTES_MAX, connect};

/// Shells at once.
const TERMINALS_MAX: usize = 8;
/// What is typed and not yet taken, in messages.
const TYPED_MAX: usize = 8;
/// How long one that gives its place to another may take to end.
const PLACE_WAIT_MAX: Duration = Duration::from_secs(5);

/// All shells. Clones share them.
#[derive(Clone)]
pub(crate) struct Terminals(Arc<Inner>);

struct Inner {
    open: Mutex<Vec<Arc<Held>>>,
    places: Arc<Semaphore>,
    keepers: TaskTracker,
}

/// A shell, as everybody who has to do with it knows it.
pub(crate) struct Held {
    id: String,
    of: AttemptId,
    /// The device that opened it; none: a program.
    by: Option<Uuid>,
    opened: Timestamp,
    kept: Mutex<Kept>,
    written: watch::Sender<Written>,
    /// Bytes that are on the screen of whoever is connected.
    shown: watch::Sender<u64>,
    place: watch::Sender<Place>,
    size: watch::Sender<TerminalRequest>,
    typed: mpsc::Sender<Vec<u8>>,
    /// Cancelled when it shall end.
    end: CancellationToken,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    bytes: u64,
    over: Option<Over>,
}

/// Why there is nothing more.
#[derive(Clone, Copy, Debug)]
enum Over {
    /// The program ended.
    Ended(TerminalEnd),
    /// It was ended.
    Cut,
}

/// Who is connected.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Counts the connections; the last one has the terminal.
    connection: u64,
    /// Since when nobody is connected.
    away: Option<Instant>,
}

impl Terminals {
    pub(crate) fn new() -> Self {
        let places = Arc::new(Semaphore::new(TERMINALS_MAX));
        Self(Arc::new(Inner { open: Mutex::default(), places, keepers: TaskTracker::new() }))
    }

    /// Opens a shell in the workspace of an attempt.
    pub(crate) async fn open(
        &self,
        app: &App,
        caller: &Caller,
        of: AttemptId,
        size: TerminalRequest,
    ) -> Result<TerminalView, ApiError> {
        let place = self.place().await?;
        let id = access::random::<16>().map_err(|error| {
            Problem::new(ProblemKind::Internal, format!("there is no randomness: {error}"), "")
        })?;
        let terminal = app.engine.terminal(of, keep::size(size)).await?;
        let (typed, typing) = mpsc::channel(TYPED_MAX);
        let held = Arc::new(Held {
            id,
            of,
            by: device(caller),
            opened: Timestamp::now(),
            kept: Mutex::default(),
            written: watch::Sender::default(),
            shown: watch::Sender::new(0),
            place: watch::Sender::new(Place { connection: 0, away: Some(Instant::now()) }),
            size: watch::Sender::new(size),
            typed,
            end: CancellationToken::new(),
        });
        self.list().push(Arc::clone(&held));
        let view = held.view();
        let (all, caller, stop) = (self.clone(), caller.clone(), app.stop.clone());
        self.0.keepers.spawn(async move {
            keep::keep(terminal, &held, typing, &caller, &stop).await;
            keep::until_seen(&held, &caller, &stop).await;
            all.list().retain(|known| !Arc::ptr_eq(known, &held));
            drop(place);
        });
        Ok(view)
    }

    /// Those of an attempt that the caller has opened.
    pub(crate) fn of(&self, caller: &Caller, of: AttemptId) -> Vec<TerminalView> {
        let by = device(caller);
        self.list().iter().filter(|held| held.of == of && held.by == by).map(|held| held.view()).collect()
    }

    /// One that the caller has opened.
    pub(crate) fn find(&self, caller: &Caller, of: AttemptId, id: &str) -> Result<Arc<Held>, Problem> {
        let by = device(caller);
        let found = self.list().iter().find(|held| held.of == of && held.by == by && held.id == id).cloned();
        found.ok_or_else(|| Problem::not_found("this terminal is closed", "open another"))
    }

    /// Ends those of a task, because its workspaces go.
    pub(crate) fn end_of(&self, task: TaskId) {
        self.list().iter().filter(|held| held.of.task == task).for_each(|held| held.end());
    }

    /// Waits until all of them have ended; for the end of the daemon.
    pub(crate) async fn ended(&self) {
        self.0.keepers.close();
        self.0.keepers.wait().await;
    }

    /// A place for one more; the one that nobody has been connected to for the longest time gives its own.
    async fn place(&self) -> Result<tokio::sync::OwnedSemaphorePermit, Problem> {
        let places = Arc::clone(&self.0.places);
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            return Ok(place);
        }
        let away = {
            let list = self.list();
            let away = list.iter().filter_map(|held| Some((held.place.borrow().away?, Arc::clone(held))));
            away.min_by_key(|(since, _)| *since)
        };
        if let Some((_, held)) = away {
            held.end.cancel();
            if let Ok(Ok(place)) = tokio::time::timeout(PLACE_WAIT_MAX, places.acquire_owned()).await {
                return Ok(place);
            }
        }
        let message = format!("{TERMINALS_MAX} terminals are open");
        Err(Problem::new(ProblemKind::Limit, message, "close one of them"))
    }

    fn list(&self) -> MutexGuard<'_, Vec<Arc<Held>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Ends it, with everything that came out of it.
    pub(crate) fn end(&self) {
        self.end.cancel();
    }

    fn view(&self) -> TerminalView {
        let connected = self.place.borrow().away.is_none();
        TerminalView { terminal: self.id.clone(), opened: self.opened, connected }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, bytes: &[u8]) {
        let end = {
            let mut kept = self.kept();
            kept.add(bytes);
            kept.end()
        };
        self.written.send_modify(|written| written.bytes = end);
    }

    fn over(&self, over: Over) {
        self.written.send_modify(|written| written.over = Some(over));
    }
}

fn device(caller: &Caller) -> Option<Uuid> {
    match caller {
        Caller::Device(known) => Some(known.id),
        Caller::Program => None,
    }
}
