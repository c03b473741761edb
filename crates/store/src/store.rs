//! The handle that everybody holds.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use divisi_model::project::Project;
use divisi_model::transcript::Entry;
use divisi_model::{Actor, AttemptId, Envelope, Event, Stream, TaskId, TaskNumber, TaskState};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::append::{self, Append, Fresh};
use crate::connect::{self, Opened};
use crate::entries::{self, StoredEntry, WrittenEntry};
use crate::error::{AppendError, StoreError};
use crate::feed::{Feed, TranscriptFeed};
use crate::in_place::Faults;
use crate::readers::Readers;
use crate::verify::{self, Report};
use crate::writer::{Group, News, Writer};
use crate::{rows, tables};

/// The open log. Cheap to clone; the folder is released when the last clone is dropped, after everything that waits was
/// written.
///
/// Whatever is not async works on the thread that calls: reads for some microseconds to milliseconds, writes until their
/// commit. All of it can be called from anywhere; an async task better moves it to a thread for blocking work. What is
/// async needs no particular runtime.
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

    /// Opens the log for a simulation: whoever writes does it on its own thread, which must be that of a tokio runtime,
    /// and `faults` may go wrong.
    pub fn open_in_place(dir: &Path, faults: Arc<dyn Faults>) -> Result<Self, StoreError> {
        let opened = connect::open(dir)?;
        let path = opened.path.clone();
        let (writer, news) = Writer::in_place(opened, faults)?;
        let readers = Arc::new(Readers::new(path, Arc::clone(&news.recent)));
        Ok(Self { inner: Arc::new(Inner { readers, news, writer }) })
    }

    pub(crate) fn start(opened: Opened) -> Result<Self, StoreError> {
        let path = opened.path.clone();
        let (writer, news) = Writer::start(opened)?;
        let readers = Arc::new(Readers::new(path, Arc::clone(&news.recent)));
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
        self.inner.writer.ask(sync, |group| append.work(group)).await.map(own)
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
        self.inner.writer.ask_blocking(sync, |group| append.work(group)).map(own)
    }

    /// Why the log could not be written the last time; none when it could.
    pub fn trouble(&self) -> Option<StoreError> {
        self.inner.news.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tries whether the log can be written, without anything in it changing.
    pub async fn probe(&self) -> Result<(), StoreError> {
        let write = |group: &mut Group<'_>| {
            let version: i64 = group.sql.pragma_query_value(None, "user_version", |row| row.get(0))?;
            Ok(Ok(group.sql.pragma_update(None, "user_version", version)?))
        };
        self.inner.writer.ask(Sync::Full, write).await
    }

    /// Closes the log in good order, whoever still holds it: what waits is written, readers and followers end, the
    /// write-ahead log is merged into the file, and the folder is free. All that is asked of it later is refused with
    /// [`StoreError::Closed`]. Holds its thread up until then. Dropping the last clone does the same, but who knows
    /// when that is.
    pub fn close(&self) {
        self.inner.readers.close();
        self.inner.writer.close();
    }

    /// A number that no task has. It is not reserved: where two take the same one, the second append is refused with
    /// [`AppendError::NumberTaken`] and asks again.
    pub fn next_task_number(&self) -> Result<TaskNumber, StoreError> {
        self.inner.readers.read(tables::next_number)
    }

    /// Events after a number, in order; at most `limit` and [`READ_MAX`](crate::READ_MAX).
    pub fn read(&self, after_seq: u64, limit: usize) -> Result<Vec<Envelope>, StoreError> {
        self.inner.readers.events(after_seq, limit)
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
    /// stored first; one that is the same as stored is passed over. Returns the newest revision of the index. Holds its
    /// thread up until the commit.
    pub fn put_entries(
        &self,
        attempt: AttemptId,
        session: u32,
        entries: &[Entry],
    ) -> Result<u64, StoreError> {
        let entries = WrittenEntry::of_all(entries)?;
        let put = move |group: &mut Group<'_>| entries::put(group, attempt, session, &entries).map(Ok);
        self.inner.writer.ask_blocking(Sync::Normal, put)
    }

    /// Takes a session's entries out of the index, so that it can be made again from the journals. Returns how many.
    /// Holds its thread up until the commit.
    pub fn forget_entries(&self, attempt: AttemptId, session: u32) -> Result<usize, StoreError> {
        let forget = move |group: &mut Group<'_>| entries::forget(group.sql, attempt, session).map(Ok);
        self.inner.writer.ask_blocking(Sync::Normal, forget)
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
        self.entries_before(attempt, None, limit)
    }

    /// The last `limit` entries that stand before this one, given by session and number, or of all.
    pub fn entries_before(
        &self,
        attempt: AttemptId,
        before: Option<(u32, u64)>,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        self.inner.readers.read(|sql| entries::latest(sql, attempt, before, limit))
    }

    /// The newest revision of the index of all transcripts, as it changes.
    pub fn transcript_changes(&self) -> watch::Receiver<u64> {
        self.inner.news.last_rev.clone()
    }

    /// Replays an attempt's entries after a revision, then follows them.
    pub fn transcript_feed(&self, attempt: AttemptId, after_rev: u64) -> TranscriptFeed {
        let news = &self.inner.news;
        let changes = news.followers.follow(attempt, || *news.last_rev.borrow());
        TranscriptFeed::new(Arc::clone(&self.inner.readers), changes, attempt, after_rev)
    }

    /// Reads everything as it is at one moment, however long that takes: all events in order, then all entries of
    /// transcripts in the order of their revisions. Writers and other readers go on meanwhile.
    pub fn read_all<E: From<StoreError>>(
        &self,
        mut event: impl FnMut(Envelope) -> Result<(), E>,
        entry: impl FnMut(AttemptId, StoredEntry) -> Result<(), E>,
    ) -> Result<(), E> {
        self.inner.readers.read(|sql| {
            let moment = sql.unchecked_transaction()?;
            let events = rows::for_each(&moment, |envelope| event(envelope?));
            Ok(events.and_then(|()| entries::for_each(&moment, entry)))
        })?
    }

    /// Appends what another log holds, in its order, with its numbers, times and actors: this log must end right before
    /// the first of them. All or none. Holds its thread up until the commit.
    pub fn append_copies(&self, envelopes: Vec<Envelope>) -> Result<(), AppendError> {
        let work = move |group: &mut Group<'_>| append::copy(group, envelopes);
        self.inner.writer.ask_blocking(Sync::Normal, work)
    }

    /// Makes the tables again from the log. Holds its thread, and all who write, up until it is done.
    pub fn rebuild_tables(&self) -> Result<(), StoreError> {
        let rebuild = |group: &mut Group<'_>| {
            group.state.tasks.forget();
            tables::rebuild(group.sql).map(Ok)
        };
        self.inner.writer.ask_blocking(Sync::Full, rebuild)
    }

    /// Reads everything and says what is not as it should be: gaps, what cannot be read, tables that differ from the
    /// log, damage of the file. Writers and other readers go on meanwhile.
    pub fn verify(&self) -> Result<Report, StoreError> {
        self.inner.readers.read(verify::verify)
    }
}

/// Made here and not by the writer, which has more to do.
fn own(appended: Vec<Fresh>) -> Vec<Envelope> {
    appended.into_iter().map(|fresh| Arc::unwrap_or_clone(fresh.envelope)).collect()
}

#[cfg(test)]
mod tests {
    use divisi_model::ProjectId;
    use rusqlite::Connection;
    use uuid::Uuid;

    use super::*;

    fn append(store: &Store, n: u128, sync: Sync) -> Result<Vec<Envelope>, AppendError> {
        let id = ProjectId(Uuid::from_u128(n));
        let project = Project { id, name: "x".repeat(2_000), root: "/".to_owned() };
        let events = vec![Event::ProjectAdded { project }];
        store.append_blocking(Stream::Project(id), 0, Actor::Divisi, Timestamp::UNIX_EPOCH, events, sync)
    }

    fn start(dir: &Path, meddle: impl FnOnce(&Connection)) -> Store {
        let opened = connect::open(dir).unwrap();
        meddle(&opened.sql);
        Store::start(opened).unwrap()
    }

    #[test]
    fn a_full_disk_refuses_whole_appends_and_loses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = start(dir.path(), |sql| sql.pragma_update(None, "max_page_count", 60).unwrap());
        let failed_at = (1..).find(|n| append(&store, *n, Sync::Full).is_err()).unwrap();
        assert!(failed_at > 5);
        let refused = append(&store, failed_at, Sync::Full).unwrap_err();
        assert!(matches!(refused, AppendError::Store(StoreError::DiskFull(_))), "{refused}");
        let written = u64::try_from(failed_at - 1).unwrap();
        assert_eq!(store.last_seq(), written);
        drop(store);

        let store = Store::open(dir.path()).unwrap();
        assert_eq!((store.last_seq(), store.projects().unwrap().len() as u64), (written, written));
        assert_eq!(append(&store, failed_at, Sync::Full).unwrap()[0].seq, written + 1);
        assert!(store.verify().unwrap().sound());
    }

    #[test]
    fn a_log_that_cannot_be_written_says_so_and_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        append(&Store::open(dir.path()).unwrap(), 1, Sync::Normal).unwrap();
        let store = start(dir.path(), |sql| sql.pragma_update(None, "query_only", true).unwrap());
        let refused = append(&store, 2, Sync::Normal).unwrap_err();
        assert!(matches!(refused, AppendError::Store(StoreError::ReadOnly(_))), "{refused}");
        assert_eq!(store.read(0, 10).unwrap().len(), 1);
    }

    #[test]
    fn a_decision_is_committed_with_a_full_sync() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        // The numbers are SQLite's: 1 is NORMAL, 2 is FULL.
        for (sync, number) in [(Sync::Normal, 1), (Sync::Full, 2), (Sync::Full, 2), (Sync::Normal, 1)] {
            let ask = |group: &mut Group<'_>| {
                Ok(Ok::<i64, StoreError>(
                    group.sql.pragma_query_value(None, "synchronous", |row| row.get(0))?,
                ))
            };
            assert_eq!(store.inner.writer.ask_blocking(sync, ask).unwrap(), number);
        }
    }

    #[test]
    fn work_that_fails_takes_its_whole_group_back() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let (stream, log) = old_task();
        let append = |version, event| {
            Append::new(stream, version, Actor::Divisi, Timestamp::UNIX_EPOCH, vec![event]).unwrap()
        };
        let work = |append: Append| move |group: &mut Group<'_>| append.work(group);
        for (version, event) in (0..).zip(&log) {
            store.inner.writer.ask_blocking(Sync::Normal, work(append(version, event.clone()))).unwrap();
        }
        let fails = append(2, Event::TaskArchived);
        let ask = |group: &mut Group<'_>| {
            fails.work(group)?.unwrap();
            Err::<Result<(), StoreError>, _>(StoreError::Closed)
        };
        assert!(store.inner.writer.ask_blocking(Sync::Normal, ask).is_err());
        assert_eq!(store.read(2, 10).unwrap(), [], "nobody reads what was taken back");
        let next = append(2, log[1].clone());
        let appended = store.inner.writer.ask_blocking(Sync::Normal, work(next)).unwrap();
        let known = &appended[0].envelope;
        assert_eq!((known.seq, known.version), (3, 3));
        assert!(!store.tasks().unwrap()[0].archived);
        assert!(store.verify().unwrap().sound());
    }

    /// The first task of the oldest stored log, with its first two events.
    fn old_task() -> (Stream, Vec<Event>) {
        let lines = include_str!("../tests/logs/0.1.0.jsonl").lines();
        let log: Vec<Envelope> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        let task = |envelope: &&Envelope| matches!(envelope.stream, Stream::Task(_));
        let stream = log.iter().find(task).unwrap().stream;
        let events = log.into_iter().filter(|envelope| envelope.stream == stream).take(2);
        (stream, events.map(|envelope| envelope.event).collect())
    }
}
