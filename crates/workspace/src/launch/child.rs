//! The child as a command: its input, its limits, and what to say when it cannot be started.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Resource, Rlimit};

use super::os;
use super::spec::{LAUNCH_VARIABLE, Spec, Stdin};
use super::stdin::Sending;
use crate::sandbox::Confined;

/// Opens a file that the child reads from, if it is to read from one.
pub(super) fn open_file(spec: &Spec) -> Result<Option<File>, String> {
    let Stdin::File(path) = &spec.stdin else { return Ok(None) };
    let file = File::open(path);
    file.map(Some).map_err(|error| format!("cannot open {} as standard input: {error}", path.display()))
}

/// Opens what the child reads from, unless it is the `file` that is open; with the half that sends, if it is fed by the daemon.
pub(super) fn open_stdin(
    launch: &Path,
    spec: &Spec,
    file: Option<File>,
) -> Result<(Option<Sending>, Stdio), String> {
    match &spec.stdin {
        Stdin::Null | Stdin::File(_) => Ok((None, file.map_or_else(Stdio::null, Stdio::from))),
        Stdin::Journaled => match Sending::new(launch) {
            Ok((sending, child)) => Ok((Some(sending), child.into())),
            Err(error) => Err(format!("cannot make the standard input: {error}")),
        },
    }
}

/// The child with all that its spec says. Between fork and exec it sets limits and signals.
pub(super) fn command(spec: &Spec, input: Stdio, out: OwnedFd, err: OwnedFd) -> Command {
    let (program, arguments) = spec.argv.split_first().map_or((None, &[][..]), |(p, a)| (Some(p), a));
    let mut command = Command::new(program.map_or("".as_ref(), |program| program.as_os_str()));
    command.args(arguments).env_clear().envs(&spec.env).env(LAUNCH_VARIABLE, &spec.id).current_dir(&spec.cwd);
    command.stdin(input).stdout(out).stderr(err).process_group(0);
    let limits = [
        (Resource::Core, spec.limits.core),
        (Resource::Nofile, spec.limits.nofile),
        (Resource::Nproc, spec.limits.nproc),
        (Resource::Fsize, spec.limits.fsize),
    ];
    let oom_score = spec.oom_score_adj.map(|score| score.clamp(0, 1000).to_string());
    let mut confined = spec.sandbox.as_ref().map(Confined::new);
    let prepare = move || {
        for (resource, limit) in limits {
            if let Some(limit) = limit {
                // A limit above the present hard one cannot be had; the hard one is the nearest.
                let limit =
                    rustix::process::getrlimit(resource).maximum.map_or(limit, |hard| hard.min(limit));
                rustix::process::setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
            }
        }
        if let Some(score) = &oom_score {
            std::fs::write("/proc/self/oom_score_adj", score)?;
        }
        os::reset_signals();
        confined.as_mut().map_or(Ok(()), Confined::give_up)
    };
    // SAFETY: the init process has one thread, so its forked child may allocate and open files.
    unsafe { command.pre_exec(prepare) };
    command
}

/// `exec` says "no such file" for a missing program, a missing interpreter and a missing directory alike.
pub(super) fn not_started(spec: &Spec, error: io::Error) -> String {
    let program = spec.argv.first().map(|program| program.display().to_string()).unwrap_or_default();
    if spec.cwd.is_dir() {
        format!("cannot start {program}: {error}")
    } else {
        format!("cannot start {program}: there is no directory {}", spec.cwd.display())
    }
}
