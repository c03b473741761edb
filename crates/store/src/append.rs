//! Appending to a stream: the checks first, then the rows and the fold, all in the transaction of the group.

use divisi_model::{Actor, Envelope, Event, Stream};
use jiff::Timestamp;

use crate::error::{AppendError, StoreError};
use crate::limits::{APPEND_EVENTS_MAX, EVENT_BYTES_MAX};
use crate::rows::{self, Insert, Written};
use crate::tables;
use crate::writer::Group;

/// Events that want to be appended, written out already on the thread that asks.
#[derive(Debug)]
pub(crate) struct Append {
    stream: Stream,
    expected: u64,
    actor: Actor,
    at: Timestamp,
    events: Vec<(Event, Written)>,
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
        let write = |event: Event| {
            let written = Written::of(&event)?;
            let bytes = written.data.as_ref().map_or(0, String::len);
            if bytes > EVENT_BYTES_MAX {
                let what = format!("`{}` with {bytes} bytes", written.kind);
                return Err(AppendError::TooLarge { what, limit: EVENT_BYTES_MAX });
            }
            Ok((event, written))
        };
        let events = events.into_iter().map(write).collect::<Result<_, _>>()?;
        Ok(Self { stream, expected, actor, at, events })
    }

    /// The work inside the group.
    pub(crate) fn work(
        self,
        group: &mut Group<'_>,
    ) -> Result<Result<Vec<Envelope>, AppendError>, StoreError> {
        if let Err(refused) = self.check(group)? {
            return Ok(Err(refused));
        }
        let mut envelopes = Vec::with_capacity(self.events.len());
        let mut insert = Insert::new(group.sql, self.stream, self.at, &self.actor)?;
        for (version, (event, written)) in (self.expected + 1..).zip(self.events) {
            group.state.last_seq += 1;
            let seq = group.state.last_seq;
            let (stream, at, actor) = (self.stream, self.at, self.actor.clone());
            insert.put(seq, version, &written)?;
            envelopes.push(Envelope { seq, stream, version, at, actor, event });
        }
        drop(insert);
        tables::fold_in(group, self.stream, &envelopes)?;
        Ok(Ok(envelopes))
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
        for (version, (event, written)) in (self.expected + 1..).zip(&self.events) {
            if !fits(self.stream, version, event) {
                let kind = written.kind.clone();
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
