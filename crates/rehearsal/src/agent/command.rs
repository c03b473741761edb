//! Runs a shell command and passes on what it puts out, while it runs.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::cancel::Cancel;

/// Most output that is kept of one command.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;
/// How often a cancel is looked for, and output passed on.
const TICK: Duration = Duration::from_millis(50);
/// Output is passed on at most this often.
const PROGRESS: Duration = Duration::from_millis(200);
/// How long output of left-over children is waited for after the command itself has ended.
const LEFT_OVER: Duration = Duration::from_millis(200);
/// Pieces of output on their way.
const PIECES_MAX: usize = 64;

/// How a command ended.
pub struct Ran {
    /// Output of both streams in the order it came, cut at a bound.
    pub output: String,
    /// None if it was killed because of a cancel.
    pub status: Option<ExitStatus>,
}

/// Runs `sh -c script sh args…` in the workspace, in a process group of its own. `progress` is given all output so far.
pub fn run(
    workspace: &Path,
    script: &str,
    args: &[&str],
    cancel: &Cancel,
    mut progress: impl FnMut(&str),
) -> Result<Ran, String> {
    let failed = |error: std::io::Error| format!("the command cannot be started: {error}");
    let (reader, writer) = std::io::pipe().map_err(failed)?;
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg("sh").args(args).current_dir(workspace).process_group(0);
    command.stdin(Stdio::null()).stdout(writer.try_clone().map_err(failed)?).stderr(writer);
    let mut child = command.spawn().map_err(failed)?;
    // The command holds our ends of the pipe; it has to go for the output to end.
    drop(command);
    let pieces = pieces_of(reader).map_err(failed)?;

    let mut output = Output::default();
    let mut shown_at = Instant::now();
    let mut exited: Option<(ExitStatus, Instant)> = None;
    loop {
        match pieces.recv_timeout(TICK) {
            Ok(piece) => output.add(&piece),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if cancel.is_cancelled() {
            kill(&mut child);
            return Ok(Ran { output: output.text(), status: None });
        }
        if exited.is_none() {
            exited = child.try_wait().ok().flatten().map(|status| (status, Instant::now()));
        }
        if exited.is_some_and(|(_, at)| at.elapsed() > LEFT_OVER) {
            break;
        }
        if output.changed && shown_at.elapsed() >= PROGRESS {
            progress(&output.text());
            output.changed = false;
            shown_at = Instant::now();
        }
    }
    let status = wait(&mut child, cancel);
    Ok(Ran { output: output.text(), status })
}

/// Waits for a command that has closed its output but may still run.
fn wait(child: &mut Child, cancel: &Cancel) -> Option<ExitStatus> {
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if cancel.wait(Some(TICK)) {
            kill(child);
            return None;
        }
    }
}

fn kill(child: &mut Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended by itself in the meantime.
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let _ = child.wait();
}

fn pieces_of(mut reader: std::io::PipeReader) -> std::io::Result<Receiver<Vec<u8>>> {
    let (sender, receiver) = sync_channel(PIECES_MAX);
    std::thread::Builder::new().name("command output".into()).spawn(move || {
        let mut buffer = [0; 8 * 1024];
        while let Ok(length @ 1..) = reader.read(&mut buffer) {
            if sender.send(buffer[..length].to_vec()).is_err() {
                break;
            }
        }
    })?;
    Ok(receiver)
}

#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    left_out: usize,
    changed: bool,
}

impl Output {
    fn add(&mut self, piece: &[u8]) {
        let room = OUTPUT_BYTES_MAX - self.bytes.len();
        self.bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        self.left_out += piece.len().saturating_sub(room);
        self.changed = true;
    }

    fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.bytes).into_owned();
        if self.left_out > 0 {
            text.push_str(&format!("\n… {} more bytes", self.left_out));
        }
        text
    }
}
