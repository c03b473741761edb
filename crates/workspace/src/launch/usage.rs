//! What the processes of a launch use at this moment, read from `/proc` when somebody asks and at no other time.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::Path;

use super::dir::{self, ReadError};
use super::identity::Identity;
use super::tree::descendants;

/// Most processes that are named.
const NAMED_MAX: usize = 50;
/// Most open files of one process that are looked through for sockets.
const FILES_MAX: usize = 4_096;
/// `TCP_LISTEN` of the kernel, as `/proc/net/tcp` writes it.
const LISTENING: &str = "0A";

/// What the processes of a launch use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many there are.
    pub processes: usize,
    /// Processor time since each began, with that of children that have ended, in milliseconds.
    pub cpu_millis: u64,
    /// Memory that they hold, in bytes. What several share is counted for each of them.
    pub memory_bytes: u64,
    /// The largest of them.
    pub largest: Vec<ProcessUse>,
    /// Bytes received and sent, where the launch has a network of its own; otherwise nobody counts them by process.
    pub network: Option<(u64, u64)>,
}

/// What one process uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessUse {
    /// Its id outside of any namespace.
    pub pid: i32,
    /// The name that it gives itself.
    pub name: String,
    /// Processor time, in milliseconds.
    pub cpu_millis: u64,
    /// Memory, in bytes.
    pub memory_bytes: u64,
}

/// Who listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The process and its name, where it can be told.
    pub process: Option<(i32, String)>,
    /// Whether it belongs to the launch.
    pub own: bool,
}

/// What the processes of the launch in `dir` use; nothing if it is over, or never began.
pub fn usage(dir: &Path) -> Result<Option<Usage>, ReadError> {
    let Some(tree) = tree(dir)? else { return Ok(None) };
    let mut all: Vec<ProcessUse> = tree.iter().filter_map(|pid| read(*pid).ok()).collect();
    all.sort_by_key(|process| std::cmp::Reverse((process.memory_bytes, process.pid)));
    let network = tree.first().and_then(|init| own_network(*init));
    Ok(Some(Usage {
        processes: all.len(),
        cpu_millis: all.iter().map(|process| process.cpu_millis).sum(),
        memory_bytes: all.iter().map(|process| process.memory_bytes).sum(),
        network,
        largest: all.into_iter().take(NAMED_MAX).collect(),
    }))
}

/// Who listens on which of these ports, as the launches in `dirs` see the network, or as this process does.
pub fn listeners(dirs: &[&Path], ports: &[u16]) -> Result<BTreeMap<u16, Listener>, ReadError> {
    let mut trees = Vec::new();
    for dir in dirs {
        trees.extend(tree(dir)?.unwrap_or_default());
    }
    let mut sockets: HashMap<u64, u16> = HashMap::new();
    let seen_from = trees.first().map_or_else(|| "self".to_owned(), i32::to_string);
    for table in ["tcp", "tcp6"] {
        let text = fs::read_to_string(format!("/proc/{seen_from}/net/{table}")).unwrap_or_default();
        sockets.extend(text.lines().skip(1).filter_map(listening).filter(|(_, port)| ports.contains(port)));
    }
    let mut found: BTreeMap<u16, Listener> =
        sockets.values().map(|port| (*port, Listener { process: None, own: false })).collect();
    for pid in &trees {
        for inode in sockets_of(*pid) {
            if let Some(listener) = sockets.get(&inode).and_then(|port| found.get_mut(port)) {
                let name = read(*pid).map(|process| process.name).unwrap_or_default();
                *listener = Listener { process: Some((*pid, name)), own: true };
            }
        }
    }
    Ok(found)
}

/// The living processes of a launch, its init process first; nothing if it is over.
fn tree(dir: &Path) -> Result<Option<Vec<i32>>, ReadError> {
    let Some(identity) = dir::read_json::<Identity>(dir, dir::IDENTITY)? else { return Ok(None) };
    // Another process may have its number by now.
    let Ok(Some(_held)) = identity.open_init() else { return Ok(None) };
    let init = identity.init.pid;
    let below = descendants(init).into_iter().map(|process| process.pid);
    Ok(Some(std::iter::once(init).chain(below).collect()))
}

fn read(pid: i32) -> io::Result<ProcessUse> {
    let stat = fs::read(format!("/proc/{pid}/stat"))?;
    parse(pid, &stat).ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat has an unknown form")))
}

/// The name stands in brackets and may itself hold any bytes, so the fields are counted from its end.
fn parse(pid: i32, stat: &[u8]) -> Option<ProcessUse> {
    let begin = stat.iter().position(|byte| *byte == b'(')?;
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let name = String::from_utf8_lossy(stat.get(begin + 1..end)?).into_owned();
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let ticks: u64 = [11, 12, 13, 14].into_iter().filter_map(number).sum();
    let second = rustix::param::clock_ticks_per_second().max(1);
    let pages = number(21)?;
    let page = u64::try_from(rustix::param::page_size()).unwrap_or_default();
    Some(ProcessUse {
        pid,
        name,
        cpu_millis: ticks.saturating_mul(1000) / second,
        memory_bytes: pages.saturating_mul(page),
    })
}

/// Socket and port of a line of `/proc/net/tcp` that listens.
fn listening(line: &str) -> Option<(u64, u16)> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let (_, port) = fields.get(1)?.rsplit_once(':')?;
    let inode = fields.get(9)?.parse().ok()?;
    (*fields.get(3)? == LISTENING).then_some((inode, u16::from_str_radix(port, 16).ok()?))
}

fn sockets_of(pid: i32) -> Vec<u64> {
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
    let links = files.take(FILES_MAX).filter_map(|file| fs::read_link(file.ok()?.path()).ok());
    links
        .filter_map(|link| link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
        .collect()
}

/// What went over the network of a process that has one of its own, without loopback.
fn own_network(pid: i32) -> Option<(u64, u64)> {
    let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).ok();
    if namespace(&pid.to_string())? == namespace("self")? {
        return None;
    }
    let text = fs::read_to_string(format!("/proc/{pid}/net/dev")).ok()?;
    Some(text.lines().skip(2).filter_map(interface).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1)))
}

fn interface(line: &str) -> Option<(u64, u64)> {
    let (name, counts) = line.split_once(':')?;
    let counts: Vec<u64> = counts.split_ascii_whitespace().filter_map(|count| count.parse().ok()).collect();
    (name.trim() != "lo").then_some((*counts.first()?, *counts.get(8)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_it_calls_itself() {
        let own = i32::try_from(std::process::id()).unwrap();
        let found = read(own).unwrap();
        assert!(found.memory_bytes > 100_000 && found.pid == own, "{found:?}");
        let stat = b"7 (a) S (b\xff) R 1 7 7 0 -1 4 1 2 3 4 10 20 30 40 20 0 1 0 99 5 3 1";
        let parsed = parse(7, stat).unwrap();
        assert_eq!(parsed.name, "a) S (b\u{fffd}");
        assert_eq!(parsed.cpu_millis, 100 * 1000 / rustix::param::clock_ticks_per_second());
    }

    #[test]
    fn only_what_listens_counts() {
        let line = "   0: 0100007F:4E20 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1";
        assert_eq!(listening(line), Some((4242, 20_000)));
        assert_eq!(listening(&line.replace(" 0A ", " 01 ")), None);
        assert_eq!(interface("  lo:  1 0 0 0 0 0 0 0 2 0"), None);
        assert_eq!(interface("eth0:  1 0 0 0 0 0 0 0 2 0"), Some((1, 2)));
    }

    #[test]
    fn a_listener_of_somebody_else_is_not_the_launchs() {
        let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        let found = listeners(&[], &[port]).unwrap();
        assert_eq!(found[&port], Listener { process: None, own: false });
    }
}
