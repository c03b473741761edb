//! Programs that are neither git nor children of an attempt: the daemon of this very program, and agents that are
//! asked for their version. They get exactly the environment they are given.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// How much of a program's answer is read, in bytes; what comes after it is not.
const ANSWER_BYTES_MAX: u64 = 16 * 1024;
/// Pause between two looks whether a program has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Runs a program in a group of its own for at most `time_max` and gives what it printed on standard output. Its whole
/// group is ended before this returns. Blocks.
pub fn ask_program(
    program: &Path,
    args: &[String],
    environment: &BTreeMap<String, String>,
    folder: &Path,
    time_max: Duration,
) -> io::Result<String> {
    let mut command = Command::new(program);
    command.args(args).env_clear().envs(environment).current_dir(folder).process_group(0);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let group = Pid::from_child(&child);
    let answer = child.stdout.take().map(|stdout| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stdout.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes);
            bytes
        })
    });
    let started = Instant::now();
    let mut ended = child.try_wait()?;
    while ended.is_none() && started.elapsed() < time_max {
        std::thread::sleep(LOOK_AGAIN);
        ended = child.try_wait()?;
    }
    // A helper that the program left behind would hold its output open for ever.
    let _ = kill_process_group(group, Signal::KILL);
    if ended.is_none() {
        child.wait()?;
        return Err(io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time"));
    }
    let bytes = answer.and_then(|thread| thread.join().ok()).unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Starts a program that goes on when this one ends, with `log` as its output. The program itself makes its own session
/// by [`leave_session`].
pub fn start_detached(
    program: &Path,
    args: &[OsString],
    environment: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
    folder: &Path,
    log: File,
) -> io::Result<Child> {
    let errors = log.try_clone()?;
    let mut command = Command::new(program);
    command.args(args).env_clear().envs(environment).current_dir(folder);
    command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn()
}

/// Makes a session of its own, without the terminal, so that this process is not ended with whoever started it.
pub fn leave_session() -> io::Result<()> {
    rustix::process::setsid()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(script: &str, time_max: Duration) -> io::Result<String> {
        let environment = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        let args = ["-c".to_owned(), script.to_owned()];
        ask_program(Path::new("/bin/sh"), &args, &environment, Path::new("/"), time_max)
    }

    #[test]
    fn an_answer_is_what_was_printed() {
        assert_eq!(ask("echo 1.2.3; echo no >&2", Duration::from_secs(60)).unwrap(), "1.2.3\n");
        assert_eq!(ask("echo $HOME", Duration::from_secs(60)).unwrap(), "\n");
    }

    #[test]
    fn a_program_that_hangs_or_leaves_a_helper_is_ended() {
        assert_eq!(ask("sleep 600 & echo ok", Duration::from_secs(60)).unwrap(), "ok\n");
        let hung = ask("sleep 600", Duration::from_millis(50)).unwrap_err();
        assert_eq!(hung.kind(), io::ErrorKind::TimedOut);
    }
}
