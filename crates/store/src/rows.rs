//! Events as rows.

use std::borrow::Cow;

use divisi_model::{Envelope, Event, Stream};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::StoreError;

/// An event's kind, and its data as JSON: the two columns that it is kept in.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) kind: String,
    pub(crate) data: Option<String>,
}

/// An event's JSON, in pieces.
#[derive(Deserialize)]
struct Pieces<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl Written {
    pub(crate) fn of(event: &Event) -> Result<Self, StoreError> {
        let unreadable = || StoreError::unreadable(|| "an event".to_owned());
        let json = serde_json::to_string(event).map_err(unreadable())?;
        let pieces: Pieces<'_> = serde_json::from_str(&json).map_err(unreadable())?;
        Ok(Self { kind: pieces.kind.into_owned(), data: pieces.data.map(|data| data.get().to_owned()) })
    }
}

pub(crate) fn insert(sql: &Connection, envelope: &Envelope, written: &Written) -> Result<(), StoreError> {
    let actor =
        serde_json::to_string(&envelope.actor).map_err(StoreError::unreadable(|| "an actor".to_owned()))?;
    let mut statement = sql.prepare_cached(
        "INSERT INTO events (seq, stream, version, at, actor, kind, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    statement.execute(params![
        number(envelope.seq),
        envelope.stream.to_string(),
        number(envelope.version),
        envelope.at.to_string(),
        actor,
        written.kind,
        written.data,
    ])?;
    Ok(())
}

/// Events of the whole log after a number, in order.
pub(crate) fn read(sql: &Connection, after: u64, limit: usize) -> Result<Vec<Envelope>, StoreError> {
    let mut statement = sql.prepare_cached(
        "SELECT seq, stream, version, at, actor, kind, data FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    let mut rows = statement.query(params![number(after), count(limit)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(envelope(row)?);
    }
    Ok(found)
}

/// Events of one stream after a version, in order.
pub(crate) fn read_stream(
    sql: &Connection,
    stream: Stream,
    after: u64,
    limit: usize,
) -> Result<Vec<Envelope>, StoreError> {
    let mut statement = sql.prepare_cached(
        "SELECT seq, stream, version, at, actor, kind, data FROM events \
         WHERE stream = ?1 AND version > ?2 ORDER BY version LIMIT ?3",
    )?;
    let mut rows = statement.query(params![stream.to_string(), number(after), count(limit)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(envelope(row)?);
    }
    Ok(found)
}

/// Calls `each` for every event of the log, in order, without holding them all.
pub(crate) fn for_each<E: From<StoreError>>(
    sql: &Connection,
    mut each: impl FnMut(Result<Envelope, StoreError>) -> Result<(), E>,
) -> Result<(), E> {
    let all = "SELECT seq, stream, version, at, actor, kind, data FROM events ORDER BY seq";
    let mut statement = sql.prepare(all).map_err(StoreError::from)?;
    let mut rows = statement.query([]).map_err(StoreError::from)?;
    while let Some(row) = rows.next().map_err(StoreError::from)? {
        each(envelope(row))?;
    }
    Ok(())
}

/// Calls `each` for every event of a task that is not in the task's row yet, stream by stream, in order.
pub(crate) fn for_each_behind(sql: &Connection, mut each: impl FnMut(Envelope)) -> Result<(), StoreError> {
    let mut statement = sql.prepare_cached(
        "SELECT e.seq, e.stream, e.version, e.at, e.actor, e.kind, e.data \
         FROM tasks AS t CROSS JOIN events AS e ON e.stream = 'task/' || t.id AND e.version > t.version \
         ORDER BY e.stream, e.version",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(envelope(row)?);
    }
    Ok(())
}

/// The number of the last event, 0 in an empty log.
pub(crate) fn last_seq(sql: &Connection) -> Result<u64, StoreError> {
    let last: Option<i64> = sql.query_row("SELECT max(seq) FROM events", [], |row| row.get(0))?;
    Ok(last.map_or(0, i64::cast_unsigned))
}

/// The version of a stream, 0 where it has no event.
pub(crate) fn version(sql: &Connection, stream: Stream) -> Result<u64, StoreError> {
    let mut statement =
        sql.prepare_cached("SELECT version FROM events WHERE stream = ?1 ORDER BY version DESC LIMIT 1")?;
    let last: Option<i64> = statement.query_row([stream.to_string()], |row| row.get(0)).optional()?;
    Ok(last.map_or(0, i64::cast_unsigned))
}

/// A number as SQLite keeps it; beyond its largest there is nothing anyway.
pub(crate) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A count of rows within the bounds of one read.
pub(crate) fn count(limit: usize) -> i64 {
    i64::try_from(limit.min(crate::limits::READ_MAX)).unwrap_or(i64::MAX)
}

fn envelope(row: &Row<'_>) -> Result<Envelope, StoreError> {
    let seq = row.get::<_, i64>(0)?.cast_unsigned();
    let what = |part: &'static str| move || format!("the {part} of event {seq}");
    let kind: String = row.get(5)?;
    let data: Option<String> = row.get(6)?;
    Ok(Envelope {
        seq,
        stream: Stream::try_from(row.get::<_, String>(1)?).map_err(StoreError::unreadable(what("stream")))?,
        version: row.get::<_, i64>(2)?.cast_unsigned(),
        at: row.get::<_, String>(3)?.parse().map_err(StoreError::unreadable(what("time")))?,
        actor: serde_json::from_str(&row.get::<_, String>(4)?)
            .map_err(StoreError::unreadable(what("actor")))?,
        event: event(&kind, data.as_deref()).map_err(StoreError::unreadable(what("content")))?,
    })
}

fn event(kind: &str, data: Option<&str>) -> Result<Event, serde_json::Error> {
    let kind = serde_json::to_string(kind)?;
    match data {
        Some(data) => serde_json::from_str(&format!(r#"{{"kind":{kind},"data":{data}}}"#)),
        None => serde_json::from_str(&format!(r#"{{"kind":{kind}}}"#)),
    }
}
