//! What of this machine the supervision of children can use.

use std::fs;

use rustix::process::{PidfdFlags, getpid, pidfd_open};

use super::cgroup::CgroupPlace;

/// What was found. Shown by `divisi doctor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Support {
    /// Processes can be held and signalled without a race (Linux 5.3). Needed.
    pub pidfd: bool,
    /// A pidfd's inode tells a process from all others (Linux 6.9). Without it, the start time has to do.
    pub pidfd_inode: bool,
    /// Orphans come to the init process. Needed.
    pub subreaper: bool,
    /// Where control groups can be made.
    pub cgroup: CgroupPlace,
    /// The systemd service that this process runs in, if it does.
    pub service: Option<String>,
}

/// How well launches are supervised here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Everything: trees end at one stroke, and launches outlive a stop of the daemon's service.
    Full,
    /// Trees end at one stroke. In a service, launches end with it unless its unit says `KillMode=process`.
    OneStroke,
    /// Trees are ended process by process.
    Tree,
    /// Launches cannot be supervised.
    Unsupported,
}

/// Looks. Changes nothing but, where groups can be made, the empty group of shims.
pub fn probe() -> Support {
    let own = pidfd_open(getpid(), PidfdFlags::empty());
    let inode = |fd: &std::os::fd::OwnedFd| rustix::fs::fstat(fd).map(|stat| stat.st_ino).ok();
    let parent = rustix::process::getppid().and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    let inodes = (own.as_ref().ok().and_then(inode), parent.as_ref().and_then(inode));
    let group = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    Support {
        pidfd: own.is_ok(),
        pidfd_inode: matches!(inodes, (Some(own), Some(parent)) if own != parent),
        subreaper: rustix::process::child_subreaper().is_ok(),
        cgroup: CgroupPlace::find(),
        service: service(&group),
    }
}

impl Support {
    /// The sum of it.
    pub fn level(&self) -> Level {
        match &self.cgroup {
            _ if !self.pidfd || !self.subreaper => Level::Unsupported,
            CgroupPlace::Beside(_) => Level::Full,
            CgroupPlace::Below(_) => Level::OneStroke,
            CgroupPlace::Nowhere(_) => Level::Tree,
        }
    }

    /// Whether running agents go on when the daemon's service is stopped, as far as its unit leaves that to us.
    pub fn outlives_service(&self) -> bool {
        self.service.is_none() || self.level() == Level::Full
    }
}

/// The last `.service` in the path of our group, but not the one that stands for the user's whole session.
fn service(groups: &str) -> Option<String> {
    let path = groups
        .lines()
        .find_map(|line| line.strip_prefix("0::").or(line.split_once("name=systemd:").map(|x| x.1)))?;
    let name = path.rsplit('/').find(|part| part.ends_with(".service"))?;
    (!name.starts_with("user@")).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_told_from_a_login() {
        let user = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/";
        assert_eq!(service(&format!("{user}divisi.service\n")), Some("divisi.service".to_owned()));
        assert_eq!(service(&format!("{user}app-terminal.scope\n")), None);
        assert_eq!(
            service("1:name=systemd:/system.slice/divisi.service\n"),
            Some("divisi.service".to_owned())
        );
        assert_eq!(service(""), None);
    }

    #[test]
    fn this_machine_can_supervise() {
        assert_ne!(probe().level(), Level::Unsupported, "{:?}", probe());
    }
}
