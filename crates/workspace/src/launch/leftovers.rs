//! Ending what nobody is the parent of any more: what an init process left when it was killed itself, and what came out
//! of a terminal.

use std::time::{Duration, Instant};

use rustix::process::{Signal, getpid};

use super::cgroup::Cgroup;
use super::spec::LAUNCH_VARIABLE;
use super::tree;

/// Rounds of killing, as long as new processes turn up.
const ROUNDS_MAX: usize = 100;
/// Pause between two rounds, for the killed to be gone.
const ROUND_PAUSE: Duration = Duration::from_millis(5);
/// Time that what came out of a terminal has to end by itself.
const HANG_UP_GRACE: Duration = Duration::from_millis(500);
/// Pause between two looks whether it has.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Hangs up on every process of a session and on what came out of it, as a window that is closed does, and ends what does
/// not end by itself. `leader` began the session and has not been reaped; `id` marks its environment. Blocks.
pub(crate) fn end_session(leader: i32, id: &str) {
    let find = || {
        let all = tree::processes().into_iter();
        let mut found: Vec<_> = all.filter(|one| one.session == leader && !one.is_dead()).collect();
        found.extend(tree::descendants(leader));
        found.extend(tree::marked(LAUNCH_VARIABLE, id));
        found.sort_by_key(|process| process.pid);
        found.dedup_by_key(|process| process.pid);
        found
    };
    for process in find() {
        process.signal(Signal::HUP);
        // One that is stopped hears it only when it goes on.
        process.signal(Signal::CONT);
    }
    let started = Instant::now();
    while started.elapsed() < HANG_UP_GRACE && !find().is_empty() {
        std::thread::sleep(LOOK_AGAIN);
    }
    for _ in 0..ROUNDS_MAX {
        if tree::kill_all(find) == 0 {
            return;
        }
        std::thread::sleep(ROUND_PAUSE);
    }
}

/// Ends every process of a launch whose init process is gone: those in its group, below `root`, and with the mark.
pub(super) fn end_leftovers(id: &str, cgroup: Option<&Cgroup>, root: Option<i32>) -> usize {
    let find = || {
        let mut found = root.map(tree::descendants).unwrap_or_default();
        let own = getpid().as_raw_nonzero().get();
        found.extend(tree::marked(LAUNCH_VARIABLE, id).into_iter().filter(|process| process.pid != own));
        found.sort_by_key(|process| process.pid);
        found.dedup_by_key(|process| process.pid);
        found
    };
    let mut ended = 0;
    for _ in 0..ROUNDS_MAX {
        let killed = tree::kill_all(find);
        ended = ended.max(killed);
        if let Some(cgroup) = cgroup {
            cgroup.kill();
        }
        if killed == 0 {
            break;
        }
        std::thread::sleep(ROUND_PAUSE);
    }
    if let Some(cgroup) = cgroup {
        cgroup.remove();
    }
    ended
}
