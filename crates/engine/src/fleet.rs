//! What the fleet did over a time, and what it does to this machine.

use std::path::Path;
use std::sync::Arc;

use divisi_model::spans::{Span, spans};
use divisi_model::{Refusal, Stream, TaskState};
use jiff::Timestamp;

use crate::authority::{internal, with_sources};
use crate::context::{Context, blocking};

/// A task and what its attempts did.
#[derive(Clone, Debug)]
pub struct Work {
    /// The task as it is now.
    pub task: Arc<TaskState>,
    /// What its attempts did in the time that was asked about, and what reaches into it.
    pub spans: Vec<Span>,
}

/// What this machine is, and has left. What cannot be seen is not told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Machine {
    /// Processor cores that Divisi may use.
    pub cores: usize,
    /// Processes that ran or wanted to, on average over the last minute.
    pub load: Option<f64>,
    /// Memory in bytes: all of it, and what could still be had.
    pub memory: Option<(u64, u64)>,
    /// The disk of the data folder in bytes: all of it, and what is free for this user.
    pub disk: Option<(u64, u64)>,
}

/// The tasks that something happened to since then, with what their attempts did.
pub(crate) async fn work(context: &Arc<Context>, from: Timestamp) -> Result<Vec<Work>, Refusal> {
    let store = context.authority.store().clone();
    let going_on = |task: &TaskState| !task.archived && task.attempts.iter().any(|attempt| !attempt.ended());
    let tasks = context.authority.tasks();
    let tasks: Vec<_> = tasks.into_iter().filter(|task| task.changed >= from || going_on(task)).collect();
    let work = move || {
        let mut all = Vec::new();
        for task in tasks {
            let events = store.read_stream(Stream::Task(task.id), 0, usize::MAX)?;
            let mut spans = spans(task.id, &events);
            spans.retain(|span| span.to.is_none_or(|to| to >= from));
            all.push(Work { task, spans });
        }
        Ok::<_, divisi_store::StoreError>(all)
    };
    let done = blocking(work).await.map_err(|error| internal(error.0))?;
    done.map_err(|error| internal(with_sources(&error)))
}

/// This machine as it is now.
pub(crate) fn machine(data: &Path) -> Machine {
    let load = std::fs::read_to_string("/proc/loadavg").ok();
    let load = load.and_then(|text| text.split(' ').next()?.parse().ok());
    let memory = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| memory(&text));
    let disk = rustix::fs::statvfs(data).ok();
    let disk = disk.map(|disk| {
        (disk.f_blocks.saturating_mul(disk.f_frsize), disk.f_bavail.saturating_mul(disk.f_frsize))
    });
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Machine { cores, load, memory, disk }
}

fn memory(text: &str) -> Option<(u64, u64)> {
    let kilobytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
    };
    Some((kilobytes("MemTotal")?, kilobytes("MemAvailable")?))
}

#[cfg(test)]
mod tests {
    #[test]
    fn memory_is_read_in_bytes() {
        let text = "MemTotal:       8139412 kB\nMemFree:  1 kB\nMemAvailable:   4000000 kB\n";
        assert_eq!(super::memory(text), Some((8_139_412 * 1024, 4_000_000 * 1024)));
        assert_eq!(super::memory(""), None);
    }

    #[test]
    fn this_machine_is_seen() {
        let seen = super::machine(std::path::Path::new("/"));
        assert!(seen.cores > 0 && seen.disk.is_some_and(|(all, free)| free <= all));
    }
}
