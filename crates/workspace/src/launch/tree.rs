//! Finding and ending everything that came out of a process.
//!
//! The init process is a sub-reaper: whatever loses its parent becomes its child, so neither `setsid` nor a double
//! fork leads out of its tree. Each process is compared again through its pidfd before it is signalled.

use std::collections::HashSet;
use std::fs;
use std::io;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Rounds of stopping until no new process turns up; each leaves fewer that could fork.
const STOP_ROUNDS_MAX: usize = 50;

/// What `/proc/PID/stat` says about a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    /// Process id.
    pub(super) pid: i32,
    /// Its parent.
    pub(super) parent: i32,
    /// Its session: the id of the process that began it.
    pub(super) session: i32,
    /// `R`, `S`, `D`, `Z`…
    pub(super) state: u8,
    /// Start time in clock ticks since boot.
    pub(super) started_ticks: u64,
}

impl Process {
    /// Reads one process.
    pub(super) fn read(pid: i32) -> io::Result<Process> {
        let stat = fs::read(format!("/proc/{pid}/stat"))?;
        Process::parse(pid, &stat)
            .ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat has an unknown form")))
    }

    /// Whether it has ended and only waits to be reaped.
    pub(super) fn is_dead(&self) -> bool {
        matches!(self.state, b'Z' | b'X')
    }

    /// The name stands in brackets and may itself hold any bytes, so the fields are counted from its end.
    fn parse(pid: i32, stat: &[u8]) -> Option<Process> {
        let end = stat.iter().rposition(|byte| *byte == b')')?;
        let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        Some(Process {
            pid,
            parent: fields.get(1)?.parse().ok()?,
            session: fields.get(3)?.parse().ok()?,
            state: *fields.first()?.as_bytes().first()?,
            started_ticks: fields.get(19)?.parse().ok()?,
        })
    }

    /// Signals it if it is still the process that was read.
    pub(super) fn signal(&self, signal: Signal) -> bool {
        let Some(pid) = Pid::from_raw(self.pid) else { return false };
        let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
        let same = Process::read(self.pid).is_ok_and(|now| now.started_ticks == self.started_ticks);
        same && pidfd_send_signal(&pidfd, signal).is_ok()
    }
}

/// Every process of this machine that can be seen.
pub(super) fn processes() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: i32| Process::read(pid).ok()).collect()
}

/// All living processes below `root`, without it.
pub(super) fn descendants(root: i32) -> Vec<Process> {
    let all = processes();
    let mut inside = HashSet::from([root]);
    // A parent may have a larger id than its child, so one pass need not be enough.
    loop {
        let before = inside.len();
        inside.extend(all.iter().filter(|p| inside.contains(&p.parent)).map(|p| p.pid).collect::<Vec<_>>());
        if inside.len() == before {
            break;
        }
    }
    all.into_iter().filter(|p| p.pid != root && inside.contains(&p.pid) && !p.is_dead()).collect()
}

/// Signals all living processes below `root`; returns how many there were.
pub(super) fn signal_all(root: i32, signal: Signal) -> usize {
    let found = descendants(root);
    found.iter().filter(|process| process.signal(signal)).count()
}

/// Kills all that `find` finds: first everything is stopped until nothing new turns up, so that no process can
/// fork away between the look and the kill. Returns how many there were.
pub(super) fn kill_all(find: impl Fn() -> Vec<Process>) -> usize {
    let mut stopped = HashSet::new();
    let mut found = Vec::new();
    for _ in 0..STOP_ROUNDS_MAX {
        found = find();
        let new: Vec<_> = found.iter().filter(|p| stopped.insert((p.pid, p.started_ticks))).collect();
        if new.is_empty() {
            break;
        }
        for process in new {
            process.signal(Signal::STOP);
        }
    }
    found.iter().filter(|process| process.signal(Signal::KILL)).count()
}

/// All living processes that carry the mark of a launch in their environment.
pub(super) fn marked(variable: &str, id: &str) -> Vec<Process> {
    let mark = format!("{variable}={id}");
    let carries = |process: &Process| {
        let environment = fs::read(format!("/proc/{}/environ", process.pid)).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
    };
    processes().into_iter().filter(|process| !process.is_dead() && carries(process)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let mut stat = b"77 (a) S 1 (b\xff) R 42 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 ".to_vec();
        stat.extend_from_slice(b"998877 1 2 3");
        let process = Process::parse(77, &stat).unwrap();
        assert_eq!(process, Process { pid: 77, parent: 42, session: 7, state: b'R', started_ticks: 998_877 });
        assert_eq!(Process::parse(77, b"77 (x) R 42"), None);
        assert_eq!(Process::parse(77, b""), None);
    }
}
