//! What an attempt uses at this moment, and where its workspace stands.

use divisi_engine::{Resources, Standing};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// What an attempt uses at this moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct ResourcesView {
    /// When it was looked at.
    pub at: Timestamp,
    /// Processes that live; 0 while no agent does.
    pub processes: usize,
    /// Processor time since each of them began, in milliseconds: the difference of two looks is the load.
    pub cpu_millis: u64,
    /// Memory that they hold, in bytes. What several share is counted for each.
    pub memory_bytes: u64,
    /// The largest of them.
    pub largest: Vec<ProcessView>,
    /// Bytes received and sent; nothing where it cannot be told, because the agent shares the machine's network.
    pub network: Option<NetworkView>,
    /// What the workspace takes on the disk, without what it shares with others; nothing while there is none.
    pub disk: Option<DiskView>,
}

/// One process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct ProcessView {
    /// Its id on this machine.
    pub pid: i32,
    /// The name that it gives itself.
    pub name: String,
    /// Processor time, in milliseconds.
    pub cpu_millis: u64,
    /// Memory, in bytes.
    pub memory_bytes: u64,
}

/// Bytes over the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct NetworkView {
    /// Received.
    pub received: u64,
    /// Sent.
    pub sent: u64,
}

/// Room on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct DiskView {
    /// Bytes that are taken.
    pub bytes: u64,
    /// Files and folders.
    pub files: u64,
    /// Not all of them were looked at.
    pub at_least: bool,
}

/// Where an attempt's workspace stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct StandingView {
    /// The commit that its work is compared with.
    pub base: String,
    /// Where the target branch is now; nothing if it is gone.
    pub target: Option<String>,
    /// Commits of its result that the base does not have.
    pub ahead: u64,
    /// Commits of the target that the base does not have; nothing if that cannot be told.
    pub behind: Option<u64>,
    /// Files that differ from the base now; nothing while there is no workspace.
    pub changed: Option<usize>,
    /// Its ports.
    pub ports: Vec<PortView>,
}

/// One port of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct PortView {
    /// The port.
    pub port: u16,
    /// Whether somebody listens there.
    pub listening: bool,
    /// Whether that belongs to the attempt.
    pub own: bool,
    /// The name of the process, where it can be told.
    pub process: Option<String>,
}

impl ResourcesView {
    /// What was seen at a moment.
    pub fn of(seen: Resources, at: Timestamp) -> Self {
        let usage = seen.usage.unwrap_or_default();
        let process = |process: divisi_workspace::launch::ProcessUse| ProcessView {
            pid: process.pid,
            name: process.name,
            cpu_millis: process.cpu_millis,
            memory_bytes: process.memory_bytes,
        };
        Self {
            at,
            processes: usage.processes,
            cpu_millis: usage.cpu_millis,
            memory_bytes: usage.memory_bytes,
            largest: usage.largest.into_iter().map(process).collect(),
            network: usage.network.map(|(received, sent)| NetworkView { received, sent }),
            disk: seen.disk.map(|disk| DiskView {
                bytes: disk.bytes,
                files: disk.files,
                at_least: disk.at_least,
            }),
        }
    }
}

impl From<Standing> for StandingView {
    fn from(standing: Standing) -> Self {
        let port = |(port, listener): (u16, Option<divisi_workspace::launch::Listener>)| PortView {
            port,
            listening: listener.is_some(),
            own: listener.as_ref().is_some_and(|listener| listener.own),
            process: listener.and_then(|listener| listener.process).map(|(_, name)| name),
        };
        Self {
            base: standing.base.to_string(),
            target: standing.target.map(|target| target.to_string()),
            ahead: standing.ahead,
            behind: standing.behind,
            changed: standing.changed,
            ports: standing.ports.into_iter().map(port).collect(),
        }
    }
}
