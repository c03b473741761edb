//! Nothing of a test outlives it: its processes are found by what they know of its folder, and its folder goes.

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How often the processes of an environment are looked for and killed; each round may uncover new children.
const KILL_ROUNDS_MAX: u32 = 100;

/// A process that belongs to an environment.
#[derive(Debug, Clone)]
pub struct LivingProcess {
    /// Its process id.
    pub pid: i32,
    /// Its arguments, joined by spaces.
    pub command_line: String,
}

/// Every living process (zombies are not) whose environment, working folder or arguments lie below `root`.
pub fn living(root: &Path) -> Vec<LivingProcess> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| *pid != own)
        .filter_map(|pid| belongs(pid, root))
        .collect()
}

/// Kills whatever still lives in `root`, by process id, until nothing is left.
pub fn kill_all(root: &Path) {
    for _ in 0..KILL_ROUNDS_MAX {
        let processes = living(root);
        if processes.is_empty() {
            return;
        }
        for process in processes {
            if let Some(pid) = Pid::from_raw(process.pid) {
                // It may have ended by itself in the meantime.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Removes a folder even if something in it was made read-only.
pub fn remove(root: TempDir) {
    let path = root.keep();
    if fs::remove_dir_all(&path).is_ok() {
        return;
    }
    make_writable(&path);
    if let Err(error) = fs::remove_dir_all(&path) {
        say(&format!("cannot remove {}: {error}", path.display()));
    }
}

/// A line for the person who reads the test's output.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "testkit: {line}");
}

fn belongs(pid: i32, root: &Path) -> Option<LivingProcess> {
    let folder = PathBuf::from(format!("/proc/{pid}"));
    let arguments = fs::read(folder.join("cmdline")).ok()?;
    // A zombie has no arguments any more and needs no killing.
    if arguments.is_empty() {
        return None;
    }
    let needle = root.as_os_str().as_bytes();
    let inside = fs::read_link(folder.join("cwd")).is_ok_and(|cwd| cwd.starts_with(root))
        || contains(&arguments, needle)
        || fs::read(folder.join("environ")).is_ok_and(|environment| contains(&environment, needle));
    let command_line = String::from_utf8_lossy(&arguments).replace('\0', " ").trim().to_owned();
    inside.then_some(LivingProcess { pid, command_line })
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn make_writable(folder: &Path) {
    let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            make_writable(&entry.path());
        }
    }
}
