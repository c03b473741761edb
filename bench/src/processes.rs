//! What the kernel says of processes: memory, time used, and who is left over.

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

/// Seconds of processor time of all living threads of a process.
pub fn processor_seconds(pid: u32) -> Result<f64> {
    let mut nanos = 0u64;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
        // A thread may end between the listing and the reading.
        let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        nanos += text.split(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or_default();
    }
    Ok(nanos as f64 / 1e9)
}

/// How often its threads gave the processor up to wait.
pub fn wake_ups(pid: u32) -> Result<u64> {
    let mut count = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
        let text = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        count += line.and_then(|n| n.trim().parse::<u64>().ok()).unwrap_or_default();
    }
    Ok(count)
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
