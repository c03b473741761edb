//! The one thread that writes. It commits together what waited while it committed what came before; nobody waits for
//! company, so a lone request is committed at once and many at a time share one sync.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use divisi_model::AttemptId;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};

use crate::checkpoints::Checkpoints;
use crate::connect::Opened;
use crate::error::StoreError;
use crate::followers::Followers;
use crate::in_place::{Faults, InPlace};
use crate::limits::{GROUP_MAX, QUEUE_FULL_PAUSE, QUEUE_MAX};
use crate::recent::{Kept, Recent};
use crate::store::Sync;
use crate::tables::Tasks;

/// What the work of a request sees: the transaction of its group and what the writer keeps between groups.
pub(crate) struct Group<'a> {
    pub(crate) sql: &'a Transaction<'a>,
    pub(crate) state: &'a mut State,
}

/// What the writer keeps between groups; read again from the log where a group failed.
#[derive(Debug)]
pub(crate) struct State {
    /// The number of the last event.
    pub(crate) last_seq: u64,
    /// The last revision of the transcript index.
    pub(crate) last_rev: u64,
    /// Tasks at hand.
    pub(crate) tasks: Tasks,
    /// Attempts whose transcript changed in this group.
    pub(crate) changed: BTreeSet<AttemptId>,
    /// Events of this group.
    pub(crate) fresh: Vec<Kept>,
}

/// The way to the writer. Dropped, it lets the writer finish what waits, and waits for that.
#[derive(Debug)]
pub(crate) enum Writer {
    /// To its thread; none once it was closed.
    Thread(Mutex<Option<Way>>),
    /// There is none: see [`InPlace`].
    InPlace(Arc<InPlace>),
}

/// The queue of the writer's thread, and the thread.
#[derive(Debug)]
pub(crate) struct Way {
    queue: mpsc::Sender<Box<dyn Request>>,
    thread: JoinHandle<()>,
}

/// What the writer tells whoever follows.
#[derive(Debug)]
pub(crate) struct News {
    pub(crate) last_seq: watch::Receiver<u64>,
    pub(crate) last_rev: watch::Receiver<u64>,
    pub(crate) followers: Arc<Followers>,
    /// What was committed last.
    pub(crate) recent: Arc<Recent>,
    /// Why the last commit failed, if it did.
    pub(crate) trouble: Arc<Mutex<Option<StoreError>>>,
}

impl Writer {
    pub(crate) fn start(opened: Opened) -> Result<(Self, News), StoreError> {
        let (queue, requests) = mpsc::channel(QUEUE_MAX);
        let path = opened.path.clone();
        let (mut room, news) = Room::new(opened, None)?;
        room.checkpoints = Some(Checkpoints::start(&path, &mut room.opened.sql)?);
        let thread = std::thread::Builder::new().name("divisi-store".to_owned());
        let thread = thread.spawn(move || room.run(requests)).map_err(StoreError::folder(&path))?;
        Ok((Self::Thread(Mutex::new(Some(Way { queue, thread }))), news))
    }

    pub(crate) fn in_place(opened: Opened, faults: Arc<dyn Faults>) -> Result<(Self, News), StoreError> {
        let (room, news) = Room::new(opened, Some(faults))?;
        Ok((Self::InPlace(InPlace::new(room)), news))
    }

    /// Has work done in a group and waits for its commit. `work` fails for its whole group with the outer error, and
    /// refuses for itself alone with the inner one, which must come before its first write.
    pub(crate) async fn ask<T, E, W>(&self, sync: Sync, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: FnOnce(&mut Group<'_>) -> Result<Result<T, E>, StoreError> + Send + 'static,
    {
        let queue = match self {
            Self::Thread(way) => queue_of(way)?,
            Self::InPlace(room) => return room.ask(sync, work).await,
        };
        let (reply, answer) = oneshot::channel();
        let reply = |result| reply.send(result).is_ok();
        let request = Box::new(Asked::new(sync, work, reply));
        queue.send(request).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// The same for a thread that may block. Tokio's own blocking calls panic inside a runtime; this one only holds its
    /// thread up, since the writer needs no runtime to go on.
    pub(crate) fn ask_blocking<T, E, W>(&self, sync: Sync, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: FnOnce(&mut Group<'_>) -> Result<Result<T, E>, StoreError> + Send + 'static,
    {
        let queue = match self {
            Self::Thread(way) => queue_of(way)?,
            Self::InPlace(room) => return room.ask_blocking(sync, work),
        };
        let (reply, answer) = std::sync::mpsc::sync_channel(1);
        let reply = move |result| reply.send(result).is_ok();
        let mut request: Box<dyn Request> = Box::new(Asked::new(sync, work, reply));
        while let Err(refused) = queue.try_send(request) {
            match refused {
                TrySendError::Full(back) => request = back,
                TrySendError::Closed(_) => return Err(StoreError::Closed.into()),
            }
            std::thread::sleep(QUEUE_FULL_PAUSE);
        }
        answer.recv().map_err(|_| StoreError::Closed)?
    }
}

impl Writer {
    /// Lets what waits be written, and closes the log. Whoever asks from then on is refused.
    pub(crate) fn close(&self) {
        let Self::Thread(way) = self else { return };
        let Some(Way { queue, thread }) = way.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        drop(queue);
        // A panic of the writer was reported on its own thread, and its callers got `Closed`.
        let _ended = thread.join();
    }
}

fn queue_of(way: &Mutex<Option<Way>>) -> Result<mpsc::Sender<Box<dyn Request>>, StoreError> {
    let way = way.lock().unwrap_or_else(PoisonError::into_inner);
    way.as_ref().map(|way| way.queue.clone()).ok_or(StoreError::Closed)
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

impl State {
    fn load(sql: &Connection) -> Result<Self, StoreError> {
        Ok(Self {
            last_seq: crate::rows::last_seq(sql)?,
            last_rev: crate::entries::last_rev(sql)?,
            tasks: Tasks::default(),
            changed: BTreeSet::new(),
            fresh: Vec::new(),
        })
    }
}

/// A request on its way through the writer.
pub(crate) trait Request: Send {
    fn sync(&self) -> Sync;
    /// Works inside the group; an error ends the whole group.
    fn work(&mut self, group: &mut Group<'_>) -> Result<(), StoreError>;
    /// Answers after the commit, or after the group failed.
    fn answer(self: Box<Self>, failed: Option<&StoreError>);
}

pub(crate) struct Asked<T, E, W, R> {
    sync: Sync,
    work: Option<W>,
    result: Option<Result<T, E>>,
    /// Gives the result to who asked, and says whether somebody still waited.
    reply: R,
}

impl<T, E, W, R> Asked<T, E, W, R> {
    pub(crate) fn new(sync: Sync, work: W, reply: R) -> Self {
        Self { sync, work: Some(work), result: None, reply }
    }
}

impl<T, E, W, R> Request for Asked<T, E, W, R>
where
    T: Send,
    E: From<StoreError> + Send,
    W: FnOnce(&mut Group<'_>) -> Result<Result<T, E>, StoreError> + Send,
    R: FnOnce(Result<T, E>) -> bool + Send,
{
    fn sync(&self) -> Sync {
        self.sync
    }

    fn work(&mut self, group: &mut Group<'_>) -> Result<(), StoreError> {
        if let Some(work) = self.work.take() {
            self.result = Some(work(group)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, failed: Option<&StoreError>) {
        let result = match failed {
            Some(error) => Err(error.clone().into()),
            None => self.result.unwrap_or(Err(StoreError::Closed.into())),
        };
        // Who no longer waits does not need the answer; what was committed stays.
        let _heard = (self.reply)(result);
    }
}

impl std::fmt::Debug for dyn Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a request with {:?} sync", self.sync())
    }
}

/// What the writer's thread owns.
#[derive(Debug)]
pub(crate) struct Room {
    opened: Opened,
    /// None where nothing has a thread of its own; SQLite then merges after every thousandth page.
    checkpoints: Option<Checkpoints>,
    state: State,
    /// How the next commit is synced, once that was set.
    sync: Option<Sync>,
    last_seq: watch::Sender<u64>,
    last_rev: watch::Sender<u64>,
    followers: Arc<Followers>,
    recent: Arc<Recent>,
    trouble: Arc<Mutex<Option<StoreError>>>,
    faults: Option<Arc<dyn Faults>>,
}

impl Room {
    fn new(opened: Opened, faults: Option<Arc<dyn Faults>>) -> Result<(Self, News), StoreError> {
        let state = State::load(&opened.sql)?;
        let (last_seq, seq_news) = watch::channel(state.last_seq);
        let (last_rev, rev_news) = watch::channel(state.last_rev);
        let followers = Arc::new(Followers::new());
        let told = Arc::clone(&followers);
        let (recent, trouble) = (Arc::default(), Arc::default());
        let news = News {
            last_seq: seq_news,
            last_rev: rev_news,
            followers,
            recent: Arc::clone(&recent),
            trouble: Arc::clone(&trouble),
        };
        let sync = None;
        let followers = told;
        let checkpoints = None;
        let room =
            Self { opened, checkpoints, state, sync, last_seq, last_rev, followers, recent, trouble, faults };
        Ok((room, news))
    }

    fn run(mut self, mut requests: mpsc::Receiver<Box<dyn Request>>) {
        while let Some(first) = requests.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP_MAX {
                match requests.try_recv() {
                    Ok(next) => group.push(next),
                    Err(_) => break,
                }
            }
            self.commit_and_answer(group);
        }
        self.followers.close();
        if let Some(checkpoints) = self.checkpoints.take() {
            checkpoints.end(&mut self.opened.sql);
        }
        // Where this fails, whoever opens the log next folds what the rows lack, and finds the write-ahead log.
        let _written = self.write_rows();
        let _merged = self.opened.sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }

    /// Commits a group, tells who follows, and then who asked.
    pub(crate) fn commit_and_answer(&mut self, mut group: Vec<Box<dyn Request>>) {
        let failed = self.commit(&mut group).err();
        if failed.is_some() {
            self.take_back();
        }
        let trouble = failed
            .clone()
            .filter(|error| !matches!(error, StoreError::Closed | StoreError::Unreadable { .. }));
        // Before anybody is told, so that whoever is told finds it.
        self.recent.add(self.state.fresh.drain(..));
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        self.last_seq
            .send_if_modified(|last| std::mem::replace(last, self.state.last_seq) != self.state.last_seq);
        self.last_rev
            .send_if_modified(|last| std::mem::replace(last, self.state.last_rev) != self.state.last_rev);
        self.followers.tell(std::mem::take(&mut self.state.changed), self.state.last_rev);
        for request in group {
            request.answer(failed.as_ref());
        }
    }

    fn write_rows(&mut self) -> Result<(), StoreError> {
        let sql = self.opened.sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
        self.state.tasks.write_rows(&sql)?;
        Ok(sql.commit()?)
    }

    fn commit(&mut self, requests: &mut [Box<dyn Request>]) -> Result<(), StoreError> {
        let full = requests.iter().any(|request| request.sync() == Sync::Full);
        let sync = if full { Sync::Full } else { Sync::Normal };
        self.set_sync(sync)?;
        self.faults.as_ref().map_or(Ok(()), |faults| faults.write())?;
        let sql = self.opened.sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut group = Group { sql: &sql, state: &mut self.state };
        for request in requests {
            request.work(&mut group)?;
        }
        self.faults.as_ref().map_or(Ok(()), |faults| faults.commit(sync))?;
        sql.commit()?;
        self.faults.iter().for_each(|faults| faults.committed());
        Ok(())
    }

    /// With FULL, SQLite syncs the write-ahead log after every commit, and with it all earlier commits; with NORMAL
    /// only before a checkpoint, so that a power cut (but no crash of the process) can take the last commits away.
    /// Source: sqlite.org/pragma.html#pragma_synchronous and sqlite.org/wal.html#performance_considerations.
    fn set_sync(&mut self, sync: Sync) -> Result<(), StoreError> {
        if self.sync != Some(sync) {
            let value = match sync {
                Sync::Full => "FULL",
                Sync::Normal => "NORMAL",
            };
            self.opened.sql.pragma_update(None, "synchronous", value)?;
            self.sync = Some(sync);
        }
        Ok(())
    }

    /// The transaction was rolled back when it was dropped; what was counted on in it goes too.
    fn take_back(&mut self) {
        self.state.last_seq = *self.last_seq.borrow();
        self.state.last_rev = *self.last_rev.borrow();
        self.state.tasks.forget();
        self.state.changed.clear();
        self.state.fresh.clear();
    }
}
