//! Taking what is left in the pipes when the child is gone.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use super::dir;
use super::journal::{Drain, Drained};
use super::os;
use super::spec::{Spec, Stderr};

/// Time between two tries when the disk is full.
const SPACE_RETRY: Duration = Duration::from_millis(500);
/// Longest pause between two looks at whether the output has been taken.
const LOOK_MAX: Duration = Duration::from_millis(100);

/// Stays until the output is in the journal, and puts it there itself if there is no shim to do it.
pub(super) fn until_drained(launch: &Path, spec: &Spec, outputs: &[OwnedFd]) {
    let mut look = Duration::from_millis(1);
    while outputs.iter().any(|fifo| rustix::io::ioctl_fionread(fifo).unwrap_or(0) > 0) {
        let drained = match dir::lock_journal(launch) {
            Ok(None) => {
                std::thread::sleep(look);
                look = (look * 2).min(LOOK_MAX);
                continue;
            }
            Ok(Some(journal)) => drain_all(launch, spec, journal),
            Err(error) => Err(error),
        };
        match drained {
            Ok(true) => {}
            Ok(false) => std::thread::sleep(SPACE_RETRY),
            // Somebody removed the directory, and with it the journal.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => {
                os::complain(&format!("init: draining: {error}"));
                std::thread::sleep(SPACE_RETRY);
            }
        }
    }
}

/// Takes all that is left, whatever the bound says: it is at most what the pipes hold. `false` if there is no space.
fn drain_all(launch: &Path, spec: &Spec, journal: File) -> io::Result<bool> {
    let mut drains = vec![Drain::journal(launch, journal, u64::MAX)?];
    if spec.stderr == Stderr::Log {
        drains.push(Drain::log(launch, spec.err_cap)?);
    }
    for drain in &mut drains {
        loop {
            match drain.turn()? {
                Drained::Empty => break,
                Drained::More => {}
                Drained::Paused(_) => return Ok(false),
            }
        }
    }
    Ok(true)
}
