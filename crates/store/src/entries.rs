//! The index of transcripts: entries by attempt, session and number, each with the revision in which it changed last.

use divisi_model::AttemptId;
use divisi_model::transcript::Entry;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::StoreError;
use crate::rows::{count, number};
use crate::writer::Group;

/// An entry as the index holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredEntry {
    /// Grows with every change of any entry; a follower resumes after the highest that it has seen.
    pub rev: u64,
    /// The session of the attempt, from 1.
    pub session: u32,
    /// The entry, with the time at which it was stored first.
    pub entry: Entry,
}

/// An entry written out already on the thread that asks. Its number and time are columns; the body is the rest as JSON.
#[derive(Debug)]
pub(crate) struct WrittenEntry {
    seq: u64,
    at: String,
    kind: &'static str,
    body: String,
}

impl WrittenEntry {
    pub(crate) fn of_all(entries: &[Entry]) -> Result<Vec<Self>, StoreError> {
        entries.iter().map(Self::of).collect()
    }

    fn of(entry: &Entry) -> Result<Self, StoreError> {
        let unreadable = || StoreError::unreadable(|| format!("entry {}", entry.seq));
        let mut json = serde_json::to_value(entry).map_err(unreadable())?;
        if let Some(fields) = json.as_object_mut() {
            fields.remove("seq");
            fields.remove("at");
        }
        Ok(Self { seq: entry.seq, at: entry.at.to_string(), kind: entry.kind(), body: json.to_string() })
    }
}

/// Stores what is new or changed, and returns the newest revision.
pub(crate) fn put(
    group: &mut Group<'_>,
    attempt: AttemptId,
    session: u32,
    entries: &[WrittenEntry],
) -> Result<u64, StoreError> {
    let task = attempt.task.to_string();
    let mut find = group.sql.prepare_cached(
        "SELECT at, body FROM entries WHERE task = ?1 AND attempt = ?2 AND session = ?3 AND seq = ?4",
    )?;
    // Replacing makes a new row, and so a new revision.
    let mut replace = group.sql.prepare_cached(
        "INSERT OR REPLACE INTO entries (task, attempt, session, seq, at, kind, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for entry in entries {
        let seq = number(entry.seq);
        let known: Option<(String, String)> = find
            .query_row(params![task, attempt.number, session, seq], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if known.as_ref().is_some_and(|(_, body)| *body == entry.body) {
            continue;
        }
        let at = known.map_or_else(|| entry.at.clone(), |(at, _)| at);
        replace.execute(params![task, attempt.number, session, seq, at, entry.kind, entry.body])?;
        group.state.last_rev = group.sql.last_insert_rowid().cast_unsigned();
        group.state.changed.insert(attempt);
    }
    Ok(group.state.last_rev)
}

/// Takes a session's entries out, and returns how many there were.
pub(crate) fn forget(sql: &Connection, attempt: AttemptId, session: u32) -> Result<usize, StoreError> {
    let mut statement =
        sql.prepare_cached("DELETE FROM entries WHERE task = ?1 AND attempt = ?2 AND session = ?3")?;
    Ok(statement.execute(params![attempt.task.to_string(), attempt.number, session])?)
}

/// What changed after a revision, in the order of revisions.
pub(crate) fn after(
    sql: &Connection,
    attempt: AttemptId,
    rev: u64,
    limit: usize,
) -> Result<Vec<StoredEntry>, StoreError> {
    let mut statement = sql.prepare_cached(
        "SELECT rev, session, seq, at, body FROM entries \
         WHERE task = ?1 AND attempt = ?2 AND rev > ?3 ORDER BY rev LIMIT ?4",
    )?;
    let task = attempt.task.to_string();
    let mut rows = statement.query(params![task, attempt.number, number(rev), count(limit)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(stored(row)?);
    }
    Ok(found)
}

/// Calls `each` for every entry of every transcript, in the order of revisions, without holding them all.
pub(crate) fn for_each<E: From<StoreError>>(
    sql: &Connection,
    mut each: impl FnMut(AttemptId, StoredEntry) -> Result<(), E>,
) -> Result<(), E> {
    let all = "SELECT rev, session, seq, at, body, task, attempt FROM entries ORDER BY rev";
    let mut statement = sql.prepare(all).map_err(StoreError::from)?;
    let mut rows = statement.query([]).map_err(StoreError::from)?;
    while let Some(row) = rows.next().map_err(StoreError::from)? {
        each(attempt_of(row)?, stored(row)?)?;
    }
    Ok(())
}

/// The attempt of a row that has it in its last two columns.
fn attempt_of(row: &Row<'_>) -> Result<AttemptId, StoreError> {
    let task: String = row.get(5)?;
    let parsed = task.parse().map_err(StoreError::unreadable(|| format!("the task {task} of a transcript")));
    Ok(AttemptId { task: parsed?, number: row.get(6)? })
}

/// The end of a transcript, or of what stands before an entry, in its order.
pub(crate) fn latest(
    sql: &Connection,
    attempt: AttemptId,
    before: Option<(u32, u64)>,
    limit: usize,
) -> Result<Vec<StoredEntry>, StoreError> {
    let mut statement = sql.prepare_cached(
        "SELECT rev, session, seq, at, body FROM entries \
         WHERE task = ?1 AND attempt = ?2 AND (session, seq) < (?3, ?4) ORDER BY session DESC, seq DESC LIMIT ?5",
    )?;
    let (session, seq) = before.map_or((i64::MAX, 0), |(session, seq)| (i64::from(session), number(seq)));
    let task = attempt.task.to_string();
    let mut rows = statement.query(params![task, attempt.number, session, seq, count(limit)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(stored(row)?);
    }
    found.reverse();
    Ok(found)
}

/// The last revision that was ever given, also to an entry that was forgotten since.
pub(crate) fn last_rev(sql: &Connection) -> Result<u64, StoreError> {
    let mut statement = sql.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'entries'")?;
    let last: Option<i64> = statement.query_row([], |row| row.get(0)).optional()?;
    Ok(last.map_or(0, i64::cast_unsigned))
}

fn stored(row: &Row<'_>) -> Result<StoredEntry, StoreError> {
    let rev = row.get::<_, i64>(0)?.cast_unsigned();
    let seq = row.get::<_, i64>(2)?.cast_unsigned();
    let unreadable = || StoreError::unreadable(move || format!("the transcript entry with revision {rev}"));
    let mut json: Value = serde_json::from_str(&row.get::<_, String>(4)?).map_err(unreadable())?;
    if let Some(fields) = json.as_object_mut() {
        fields.insert("seq".to_owned(), seq.into());
        fields.insert("at".to_owned(), row.get::<_, String>(3)?.into());
    }
    let entry = serde_json::from_value(json).map_err(unreadable())?;
    Ok(StoredEntry { rev, session: row.get(1)?, entry })
}
