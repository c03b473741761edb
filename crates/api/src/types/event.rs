//! The log and the transcripts, as they are followed live.

use divisi_model::transcript::Entry;
use divisi_model::{Actor, Envelope, Stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;
use utoipa::ToSchema;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct EventView {
    /// Its place in the whole log, from 1 without gaps.
    pub seq: u64,
    /// The stream it belongs to: `task/…` or `project/…`.
    pub stream: String,
    /// The handle of the task it is about.
    pub task: Option<String>,
    /// Its place in its stream, from 1 without gaps.
    pub version: u64,
    /// When it was appended.
    pub at: Timestamp,
    /// Who caused it.
    pub actor: ActorView,
    /// What kind of event: `turn_ended`, `landed`, …
    pub kind: String,
    /// Its data; the fields depend on the kind.
    #[schema(value_type = Object)]
    pub data: Value,
}

/// Who caused an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct ActorView {
    /// `person`, `agent` or `divisi`.
    pub who: String,
    /// The name of the person or agent.
    pub name: Option<String>,
    /// The paired device that a person did it with.
    #[serde(default)]
    pub device: Option<String>,
}

/// One entry of a transcript, in its newest state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct TranscriptEntryView {
    /// The revision at which it was stored; follow on from here.
    pub rev: u64,
    /// The session it belongs to, from 1. Session and `seq` together name an entry: one seen again replaces the first.
    pub session: u32,
    /// The entry: `seq`, `at`, `turn`, `entry` (its kind) and the fields of that kind.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub entry: Entry,
}

impl EventView {
    /// Shows an envelope; `task` is the handle of its task.
    pub fn of(envelope: &Envelope, task: Option<String>) -> Self {
        let event = serde_json::to_value(&envelope.event).unwrap_or_default();
        Self {
            seq: envelope.seq,
            stream: envelope.stream.to_string(),
            task: match envelope.stream {
                Stream::Task(_) => task,
                Stream::Project(_) => None,
            },
            version: envelope.version,
            at: envelope.at,
            actor: ActorView::from(&envelope.actor),
            kind: event.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned(),
            data: event.get("data").cloned().unwrap_or(Value::Null),
        }
    }

    /// The number of the attempt it is about.
    pub fn attempt(&self) -> Option<u64> {
        self.data.get("attempt").and_then(Value::as_u64)
    }
}

impl From<&Actor> for ActorView {
    fn from(actor: &Actor) -> Self {
        match actor {
            Actor::Person { name, device } => {
                Self { who: "person".to_owned(), name: Some(name.clone()), device: device.clone() }
            }
            Actor::Agent { name } => Self { who: "agent".to_owned(), name: Some(name.clone()), device: None },
            Actor::Divisi => Self { who: "divisi".to_owned(), name: None, device: None },
        }
    }
}
