//! Events as rows.

use std::ops::Range;

use divisi_model::{Actor, Envelope, Event, Stream};
use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use crate::error::StoreError;

/// The most frequent actor as it is kept; read without a parser.
const DIVISI: &str = r#"{"who":"divisi"}"#;

/// An event's kind, and its data as JSON: the two columns that it is kept in.
#[derive(Debug)]
pub(crate) struct Written {
    /// The event as JSON; both are parts of it, since taking them out would copy them.
    json: String,
    kind: Range<usize>,
    data: Option<Range<usize>>,
}

impl Written {
    pub(crate) fn of(event: &Event) -> Result<Self, StoreError> {
        let unreadable = || StoreError::unreadable(|| "an event".to_owned());
        let json = serde_json::to_string(event).map_err(unreadable())?;
        let odd = || unreadable()(serde::de::Error::custom("its JSON is not its kind and its data"));
        let kind_to = json.strip_prefix(KIND).and_then(|rest| rest.find('"')).ok_or_else(odd)? + KIND.len();
        let rest = json[kind_to + 1..].strip_suffix('}').ok_or_else(odd)?;
        let data = match rest.strip_prefix(DATA) {
            None if rest.is_empty() => None,
            None => return Err(odd()),
            Some(data) => Some(json.len() - 1 - data.len()..json.len() - 1),
        };
        Ok(Self { kind: KIND.len()..kind_to, data, json })
    }

    pub(crate) fn kind(&self) -> &str {
        &self.json[self.kind.clone()]
    }

    pub(crate) fn data(&self) -> Option<&str> {
        self.data.clone().map(|data| &self.json[data])
    }
}

/// How an event's JSON begins, and what stands between its kind and its data: `Event` is tagged so.
const KIND: &str = r#"{"kind":""#;
const DATA: &str = r#","data":"#;

/// What the events of one append have in common, as it is kept.
#[derive(Debug)]
pub(crate) struct Head {
    stream: String,
    at: String,
    actor: String,
}

impl Head {
    pub(crate) fn of(stream: Stream, at: Timestamp, actor: &Actor) -> Result<Self, StoreError> {
        let actor = serde_json::to_string(actor).map_err(StoreError::unreadable(|| "an actor".to_owned()))?;
        Ok(Self { stream: stream.to_string(), at: at.to_string(), actor })
    }
}

/// Puts events of one append into the log.
pub(crate) struct Insert<'a> {
    statement: CachedStatement<'a>,
    head: &'a Head,
}

impl<'a> Insert<'a> {
    pub(crate) fn new(sql: &'a Connection, head: &'a Head) -> Result<Self, StoreError> {
        let statement = sql.prepare_cached(
            "INSERT INTO events (seq, stream, version, at, actor, kind, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        Ok(Self { statement, head })
    }

    /// The next one.
    pub(crate) fn put(&mut self, seq: u64, version: u64, written: &Written) -> Result<(), StoreError> {
        let (seq, version) = (number(seq), number(version));
        let Head { stream, at, actor } = self.head;
        self.statement.execute(params![seq, stream, version, at, actor, written.kind(), written.data()])?;
        Ok(())
    }
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
    let text = |column: usize| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    let data = row.get_ref(6)?.as_str_or_null().map_err(rusqlite::Error::from)?;
    Ok(Envelope {
        seq,
        stream: Stream::try_from(row.get::<_, String>(1)?).map_err(StoreError::unreadable(what("stream")))?,
        version: row.get::<_, i64>(2)?.cast_unsigned(),
        at: text(3)?.parse().map_err(StoreError::unreadable(what("time")))?,
        actor: match text(4)? {
            DIVISI => Actor::Divisi,
            other => serde_json::from_str(other).map_err(StoreError::unreadable(what("actor")))?,
        },
        event: event(text(5)?, data).map_err(StoreError::unreadable(what("content")))?,
    })
}

fn event(kind: &str, data: Option<&str>) -> Result<Event, serde_json::Error> {
    let kind = serde_json::to_string(kind)?;
    match data {
        Some(data) => serde_json::from_str(&format!(r#"{{"kind":{kind},"data":{data}}}"#)),
        None => serde_json::from_str(&format!(r#"{{"kind":{kind}}}"#)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_kept_as_its_kind_and_its_data() {
        let with = Event::TurnCancelRequested { attempt: 3, turn: 7 };
        for event in [with.clone(), Event::TaskArchived] {
            let written = Written::of(&event).unwrap();
            assert_eq!(super::event(written.kind(), written.data()).unwrap(), event);
        }
        let written = Written::of(&with).unwrap();
        assert_eq!(
            (written.kind(), written.data()),
            ("turn_cancel_requested", Some(r#"{"attempt":3,"turn":7}"#))
        );
        assert_eq!(Written::of(&Event::TaskArchived).unwrap().data(), None);
        assert_eq!(serde_json::from_str::<Actor>(DIVISI).unwrap(), Actor::Divisi);
    }
}
