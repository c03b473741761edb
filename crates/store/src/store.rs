//! The handle that everybody holds.

use std::path::Path;
use std::sync::Arc;

use divisi_model::project::Project;
use divisi_model::transcript::Entry;
use divisi_model::{Actor, AttemptId, Envelope, Event, Stream, TaskId, TaskNumber, TaskState};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::append::Append;
use crate::connect::{self, Opened};
use crate::entries::{self, StoredEntry, WrittenEntry};
use crate::error::{AppendError, StoreError};
use crate::feed::{Feed, TranscriptFeed};
use crate::readers::Readers;
use crate::verify::{self, Report};
use crate::writer::{News, Writer};
use crate::{rows, tables};

/// The open log. Cheap to clone; the folder is released when the last clone is dropped, after everything that waits was
/// written.
///
/// What reads does so on the thread that calls, for some microseconds to milliseconds. What writes waits for its commit:
/// the async methods need no particular runtime, and the `_blocking` ones hold their thread up.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    // Before the writer, so that the writer closes the log last and can fold the write-ahead log in.
    readers: Arc<Readers>,
    news: News,
    writer: Writer,
}

/// What an acknowledged append survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// A power cut: for decisions, and for what happened outside because of them.
    Full,
    /// The end of the process, however it ends. A power cut may take the last of these away, never one in the middle.
    Normal,
}

impl Store {
    /// Opens the log in a folder, and makes both where they are missing. One process at a time has it open.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::start(connect::open(dir)?)
    }

    pub(crate) fn start(opened: Opened) -> Result<Self, StoreError> {
        let readers = Arc::new(Readers::new(opened.path.clone()));
        let (writer, news) = Writer::start(opened)?;
        Ok(Self { inner: Arc::new(Inner { readers, news, writer }) })
    }

    /// Appends events to a stream that is at `expected_version` (0 for a new one): all of them or none. They are folded
    /// into the tables in the same transaction. Once it was called, dropping the future does not take the events back.
    pub async fn append(
        &self,
        stream: Stream,
        expected_version: u64,
        actor: Actor,
        at: Timestamp,
        events: Vec<Event>,
        sync: Sync,
    ) -> Result<Vec<Envelope>, AppendError> {
        let append = Append::new(stream, expected_version, actor, at, events)?;
        self.inner.writer.ask(sync, |group| append.work(group)).await
    }

    /// [`Store::append`] for a thread that may block.
    pub fn append_blocking(
        &self,
        stream: Stream,
        expected_version: u64,
        actor: Actor,
        at: Timestamp,
        events: Vec<Event>,
        sync: Sync,
    ) -> Result<Vec<Envelope>, AppendError> {
        let append = Append::new(stream, expected_version, actor, at, events)?;
        self.inner.writer.ask_blocking(sync, |group| append.work(group))
    }

    /// A number that no task has. It is not reserved: where two take the same one, the second append is refused with
    /// [`AppendError::NumberTaken`] and asks again.
    pub fn next_task_number(&self) -> Result<TaskNumber, StoreError> {
        self.inner.readers.read(tables::next_number)
    }

    /// Events after a number, in order; at most `limit` and [`READ_MAX`](crate::READ_MAX).
    pub fn read(&self, after_seq: u64, limit: usize) -> Result<Vec<Envelope>, StoreError> {
        self.inner.readers.read(|sql| rows::read(sql, after_seq, limit))
    }

    /// Events of a stream after a version, in order; at most `limit` and [`READ_MAX`](crate::READ_MAX).
    pub fn read_stream(
        &self,
        stream: Stream,
        after_version: u64,
        limit: usize,
    ) -> Result<Vec<Envelope>, StoreError> {
        self.inner.readers.read(|sql| rows::read_stream(sql, stream, after_version, limit))
    }

    /// The number of the last committed event, 0 in an empty log.
    pub fn last_seq(&self) -> u64 {
        *self.inner.news.last_seq.borrow()
    }

    /// All tasks by number, also those put away.
    pub fn tasks(&self) -> Result<Vec<TaskState>, StoreError> {
        self.inner.readers.read(tables::tasks)
    }

    /// One task.
    pub fn task(&self, id: TaskId) -> Result<Option<TaskState>, StoreError> {
        self.inner.readers.read(|sql| tables::task(sql, id))
    }

    /// All projects.
    pub fn projects(&self) -> Result<Vec<Project>, StoreError> {
        self.inner.readers.read(tables::projects)
    }

    /// The number of the last committed event, as it changes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.news.last_seq.clone()
    }

    /// Replays the log after a number, then follows it.
    pub fn feed(&self, after_seq: u64) -> Feed {
        Feed::new(Arc::clone(&self.inner.readers), self.changes(), after_seq)
    }

    /// Stores entries of a session's transcript: new ones, and newer states of known ones. A known entry keeps the time
    /// stored first; one that is the same as stored is passed over. Returns the newest revision of the index.
    pub async fn put_entries(
        &self,
        attempt: AttemptId,
        session: u32,
        entries: &[Entry],
    ) -> Result<u64, StoreError> {
        let entries = WrittenEntry::of_all(entries)?;
        self.inner
            .writer
            .ask(Sync::Normal, move |group| entries::put(group, attempt, session, &entries).map(Ok))
            .await
    }

    /// [`Store::put_entries`] for a thread that may block.
    pub fn put_entries_blocking(
        &self,
        attempt: AttemptId,
        session: u32,
        entries: &[Entry],
    ) -> Result<u64, StoreError> {
        let entries = WrittenEntry::of_all(entries)?;
        self.inner
            .writer
            .ask_blocking(Sync::Normal, move |group| entries::put(group, attempt, session, &entries).map(Ok))
    }

    /// Takes a session's entries out of the index, so that it can be made again from the journals. Returns how many.
    pub async fn forget_entries(&self, attempt: AttemptId, session: u32) -> Result<usize, StoreError> {
        let forget = move |sql: &rusqlite::Connection| entries::forget(sql, attempt, session);
        self.inner.writer.ask(Sync::Normal, move |group| forget(group.sql).map(Ok)).await
    }

    /// An attempt's entries that changed after a revision, in the order in which they changed; at most `limit` and
    /// [`READ_MAX`](crate::READ_MAX).
    pub fn entries(
        &self,
        attempt: AttemptId,
        after_rev: u64,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        self.inner.readers.read(|sql| entries::after(sql, attempt, after_rev, limit))
    }

    /// The last `limit` entries of an attempt in the order of the transcript. To follow from there, take the highest
    /// revision among them.
    pub fn entries_latest(&self, attempt: AttemptId, limit: usize) -> Result<Vec<StoredEntry>, StoreError> {
        self.inner.readers.read(|sql| entries::latest(sql, attempt, limit))
    }

    /// The newest revision of the index of all transcripts, as it changes.
    pub fn transcript_changes(&self) -> watch::Receiver<u64> {
        self.inner.news.last_rev.clone()
    }

    /// Replays an attempt's entries after a revision, then follows them.
    pub fn transcript_feed(&self, attempt: AttemptId, after_rev: u64) -> TranscriptFeed {
        TranscriptFeed::new(Arc::clone(&self.inner.readers), self.transcript_changes(), attempt, after_rev)
    }

    /// Makes the tables again from the log.
    pub async fn rebuild_tables(&self) -> Result<(), StoreError> {
        let rebuild = |group: &mut crate::writer::Group<'_>| {
            group.state.tasks.forget();
            tables::rebuild(group.sql).map(Ok)
        };
        self.inner.writer.ask(Sync::Full, rebuild).await
    }

    /// Reads everything and says what is not as it should be: gaps, what cannot be read, tables that differ from the
    /// log, damage of the file. It reads the whole log, which takes about a second for every 100,000 events.
    pub fn verify(&self) -> Result<Report, StoreError> {
        self.inner.readers.read(verify::verify)
    }
}
