//! What the kernel says of processes: memory, time used, and who is left over.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use crate::Result;

/// Memory of a process in megabytes (of 1,000,000 bytes).
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Pages in memory, those shared with others too.
    pub resident: f64,
    /// Pages that it has alone.
    pub private: f64,
}

/// Reads it from the kernel.
pub fn memory(pid: u32) -> Result<Memory> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let kilobytes = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)).and_then(|n| n.parse().ok()).unwrap_or_default()
    };
    let megabytes = |kilobytes: f64| kilobytes * 1024.0 / 1e6;
    let private = kilobytes("Private_Clean:") + kilobytes("Private_Dirty:");
    Ok(Memory { resident: megabytes(kilobytes("Rss:")), private: megabytes(private) })
}

/// Seconds of processor time of a process, its ended threads too; in steps of a hundredth.
pub fn processor_seconds(pid: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in brackets may hold anything; the 14th and 15th fields are the 12th and 13th after it.
    let (_, fields) = text.rsplit_once(") ").ok_or("a process has no figures")?;
    let ticks: Vec<u64> = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    Ok(ticks.iter().sum::<u64>() as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// How often each of its threads gave the processor up to wait.
pub fn waits(pid: u32) -> Result<BTreeMap<OsString, u64>> {
    let mut counts = BTreeMap::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
        // A thread may end between the listing and the reading.
        let text = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        counts.insert(thread.file_name(), line.and_then(|n| n.trim().parse().ok()).unwrap_or_default());
    }
    Ok(counts)
}

/// The parent of a process.
pub fn parent(pid: u32) -> Result<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("PPid:")).ok_or("a process has no parent")?;
    Ok(line.trim().parse()?)
}

/// Ends every process but this one whose environment, arguments or folder lie below `root`: only what this run started
/// has that.
pub fn end_below(root: &Path) {
    let needle = root.as_os_str().as_encoded_bytes();
    let has = |bytes: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    // Ending one may start another, so this looks again until there is nobody.
    for _ in 0..50 {
        let mut found = false;
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
                continue;
            };
            if pid.cast_unsigned() == std::process::id() {
                continue;
            }
            let folder = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
            let is_ours = folder.starts_with(root)
                || ["cmdline", "environ"]
                    .iter()
                    .any(|file| fs::read(entry.path().join(file)).is_ok_and(|b| has(&b)));
            if is_ours && let Some(pid) = rustix::process::Pid::from_raw(pid) {
                found |= rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok();
            }
        }
        if !found {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
