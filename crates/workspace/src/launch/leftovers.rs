//! Ending what an init process left when it was killed itself.

use std::time::Duration;

use rustix::process::getpid;

use super::cgroup::Cgroup;
use super::spec::LAUNCH_VARIABLE;
use super::tree;

/// Rounds of killing, as long as new processes turn up.
const ROUNDS_MAX: usize = 100;
/// Pause between two rounds, for the killed to be gone.
const ROUND_PAUSE: Duration = Duration::from_millis(5);

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
