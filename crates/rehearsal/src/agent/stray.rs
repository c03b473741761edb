//! Starts a process that outlives the agent, its process group and its session: what a supervisor has to find.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Starts `command` in a session of its own, orphaned at once, holding none of the agent's pipes, and returns its pid
/// as the shell prints it.
pub fn start(workspace: &Path, command: &str) -> std::io::Result<String> {
    // The outer shell ends at once, which leaves the inner one to whoever adopts orphans.
    let script = r#"sh -c "$1" </dev/null >/dev/null 2>&1 & echo $!"#;
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script, "sh", command])
        .current_dir(workspace)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    // SAFETY: setsid is async-signal-safe and touches no memory of the parent.
    unsafe {
        shell.pre_exec(|| rustix::process::setsid().map(|_| ()).map_err(std::io::Error::from));
    }
    let output = shell.output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
