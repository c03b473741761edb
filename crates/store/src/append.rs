//! Appending to a stream: the checks first, then the rows and the fold, all in the transaction of the group.

use std::sync::Arc;

use divisi_model::{Actor, Envelope, Event, Stream};
use jiff::Timestamp;

use crate::error::{AppendError, StoreError};
use crate::limits::{APPEND_EVENTS_MAX, EVENT_BYTES_MAX};
use crate::recent::Kept;
use crate::rows::{self, Head, Insert, Written};
use crate::tables;
use crate::writer::Group;

/// Events that want to be appended. All that can be done without the log is done already, on the thread that asks.
#[derive(Debug)]
pub(crate) struct Append {
    stream: Stream,
    expected: u64,
    head: Head,
    events: Vec<Fresh>,
}

/// An event of an append. Whoever asked for it lets go of it, since the writer has more to do.
#[derive(Debug)]
pub(crate) struct Fresh {
    /// Its number in the log is 0 until it is appended.
    pub(crate) envelope: Arc<Envelope>,
    written: Written,
}

impl Append {
    pub(crate) fn new(
        stream: Stream,
        expected: u64,
        actor: Actor,
        at: Timestamp,
        events: Vec<Event>,
    ) -> Result<Self, AppendError> {
        if events.len() > APPEND_EVENTS_MAX {
            let what = format!("{} events in one append", events.len());
            return Err(AppendError::TooLarge { what, limit: APPEND_EVENTS_MAX });
        }
        let head = Head::of(stream, at, &actor)?;
        let write = |(event, version): (Event, u64)| {
            let written = Written::of(&event)?;
            let bytes = written.data().map_or(0, str::len);
            if bytes > EVENT_BYTES_MAX {
                let what = format!("`{}` with {bytes} bytes", written.kind());
                return Err(AppendError::TooLarge { what, limit: EVENT_BYTES_MAX });
            }
            let envelope = Envelope { seq: 0, stream, version, at, actor: actor.clone(), event };
            Ok(Fresh { envelope: Arc::new(envelope), written })
        };
        // A writer that is wrong about the version, however wrong, is refused by the log.
        let versions = (1..).map(|n| expected.saturating_add(n));
        let events = events.into_iter().zip(versions).map(write);
        Ok(Self { stream, expected, head, events: events.collect::<Result<_, _>>()? })
    }

    /// The work inside the group.
    pub(crate) fn work(
        mut self,
        group: &mut Group<'_>,
    ) -> Result<Result<Vec<Fresh>, AppendError>, StoreError> {
        if let Err(refused) = self.check(group)? {
            return Ok(Err(refused));
        }
        let mut insert = Insert::new(group.sql, &self.head)?;
        for Fresh { envelope, written } in &mut self.events {
            group.state.last_seq += 1;
            // Nobody else holds it yet, so nothing is copied.
            let known = Arc::make_mut(envelope);
            known.seq = group.state.last_seq;
            insert.put(known.seq, known.version, written)?;
            let bytes = size_of::<Envelope>() + written.data().map_or(0, str::len);
            group.state.fresh.push(Kept { envelope: Arc::clone(envelope), bytes });
        }
        drop(insert);
        tables::fold_in(group, self.stream, self.events.iter().map(|fresh| &*fresh.envelope))?;
        Ok(Ok(self.events))
    }

    fn check(&self, group: &Group<'_>) -> Result<Result<(), AppendError>, StoreError> {
        let known = match self.stream {
            Stream::Task(id) => group.state.tasks.version(id),
            Stream::Project(_) => None,
        };
        let found = known.map_or_else(|| rows::version(group.sql, self.stream), Ok)?;
        if found != self.expected {
            return Ok(Err(AppendError::Stale { stream: self.stream, expected: self.expected, found }));
        }
        for Fresh { envelope, written } in &self.events {
            let (version, event) = (envelope.version, &envelope.event);
            if !fits(self.stream, version, event) {
                let kind = written.kind().to_owned();
                return Ok(Err(AppendError::Misplaced { stream: self.stream, version, kind }));
            }
            if let Event::TaskAdded { spec } = event
                && tables::number_taken(group.sql, spec.number)?
            {
                return Ok(Err(AppendError::NumberTaken { number: spec.number }));
            }
        }
        Ok(Ok(()))
    }
}

/// Appends envelopes of another log as they are, one after the other.
pub(crate) fn copy(
    group: &mut Group<'_>,
    envelopes: Vec<Envelope>,
) -> Result<Result<(), AppendError>, StoreError> {
    let first = group.state.last_seq + 1;
    // Looked at before the first write: what is refused has written nothing.
    if let Some((expected, found)) =
        (first..).zip(&envelopes).find(|(expected, envelope)| *expected != envelope.seq)
    {
        return Ok(Err(AppendError::OutOfOrder { expected, found: found.seq }));
    }
    for envelope in envelopes {
        let Envelope { stream, version, at, actor, event, .. } = envelope;
        let append = match Append::new(stream, version.saturating_sub(1), actor, at, vec![event]) {
            Ok(append) => append,
            Err(refused) => return Err(refused.into_store()),
        };
        if let Err(refused) = append.work(group)? {
            return Err(refused.into_store());
        }
    }
    Ok(Ok(()))
}

/// A project's stream says where the project is; a task's stream begins with the task, once.
fn fits(stream: Stream, version: u64, event: &Event) -> bool {
    match (stream, event) {
        (Stream::Project(id), Event::ProjectAdded { project }) => project.id == id,
        (Stream::Project(_), _) | (Stream::Task(_), Event::ProjectAdded { .. }) => false,
        (Stream::Task(_), event) => matches!(event, Event::TaskAdded { .. }) == (version == 1),
    }
}
