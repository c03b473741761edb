//! What of a sandbox this machine allows: each rung of the ladder is tried for real.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use landlock::{ABI, Access as _, AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _};
use serde::Serialize;

use super::apart::{Owner, apart};
use super::error::SandboxError;
use super::holder::try_overlay;
use super::spec::{Network, Sandbox};

/// The rungs of the ladder, the best one last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// Nothing: what runs may do all that its user may.
    Nothing,
    /// No namespaces. Files are written only where it is allowed; everything can be read, and the network is the
    /// machine's.
    WritesOnly,
    /// Namespaces, but no overlay: workspaces are full checkouts.
    NoOverlay,
    /// Everything.
    Full,
}

/// What of a sandbox this machine allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Level {
    /// How far up it goes.
    pub rung: Rung,
    /// Why it goes no further, in one sentence.
    pub why: Option<String>,
    /// What would help, if it is known.
    pub remedy: Option<String>,
}

impl Level {
    /// Whether launches can have namespaces.
    pub fn has_namespaces(&self) -> bool {
        self.rung >= Rung::NoOverlay
    }

    /// Whether workspaces can be overlays.
    pub fn has_overlay(&self) -> bool {
        self.rung == Rung::Full
    }
}

/// How often it is tried before a rung below the best counts.
const TRIES: usize = 3;
/// How long a rung below the best counts before it is tried again.
const COUNTS_FOR: Duration = Duration::from_secs(10);

/// Tries it, once per process and folder where everything is allowed. What was refused may have been refused by the
/// moment, and agents would run with less for as long as the daemon lives: so it is tried again, at once and later.
/// `data` is where the changes of overlays would be kept.
pub fn level(data: &Path) -> Level {
    static KNOWN: Mutex<BTreeMap<PathBuf, (Level, Instant)>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((level, tried)) = known.get(data)
        && (level.has_overlay() || tried.elapsed() < COUNTS_FOR)
    {
        return level.clone();
    }
    let level = best_of(TRIES, || probe(data));
    known.insert(data.to_owned(), (level.clone(), Instant::now()));
    level
}

/// The best rung that was reached, at most by the last try.
fn best_of(tries: usize, probe: impl Fn() -> Level) -> Level {
    let mut best = probe();
    for _ in 1..tries {
        if best.has_overlay() {
            break;
        }
        let again = probe();
        if again.rung > best.rung {
            best = again;
        }
    }
    best
}

fn probe(data: &Path) -> Level {
    let owner = Owner::now();
    let sandbox = Sandbox { network: Network::Loopback, ..Sandbox::default() };
    let refused = apart(sandbox.namespaces(), || sandbox.enter(owner, None).map(drop)).err();
    match refused {
        None => match try_overlay(data) {
            Ok(()) => Level { rung: Rung::Full, why: None, remedy: None },
            Err(error) => Level {
                rung: Rung::NoOverlay,
                why: Some(sentence(&error)),
                remedy: Some(format!(
                    "overlays need Linux 5.11 and a file system with user attributes, such as ext4, XFS or btrfs, below {}",
                    data.display()
                )),
            },
        },
        Some(error) => {
            let (why, remedy) = restriction().unwrap_or_else(|| (sentence(&error), None));
            let rung = if landlock_works() { Rung::WritesOnly } else { Rung::Nothing };
            Level { rung, why: Some(why), remedy }
        }
    }
}

fn sentence(error: &SandboxError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

/// A well-known reason why user namespaces are refused, and what helps.
fn restriction() -> Option<(String, Option<String>)> {
    let setting = |name: &str| -> Option<i64> {
        let text = fs::read_to_string(Path::new("/proc/sys").join(name)).ok()?;
        text.trim().parse().ok()
    };
    let (why, remedy) = if setting("user/max_user_namespaces") == Some(0) {
        ("user.max_user_namespaces is 0", "sudo sysctl user.max_user_namespaces=15000")
    } else if setting("kernel/unprivileged_userns_clone") == Some(0) {
        ("kernel.unprivileged_userns_clone is 0", "sudo sysctl kernel.unprivileged_userns_clone=1")
    } else if setting("kernel/apparmor_restrict_unprivileged_userns") == Some(1) {
        (
            "AppArmor keeps programs without a profile from making user namespaces",
            "give Divisi a profile: put `abi <abi/4.0>, profile divisi PATH_OF_DIVISI flags=(unconfined) { userns, }` \
             into /etc/apparmor.d/divisi and run `sudo apparmor_parser -r /etc/apparmor.d/divisi`",
        )
    } else if Path::new("/.dockerenv").exists() || Path::new("/run/.containerenv").exists() {
        (
            "this container may not make namespaces",
            "start it with `--security-opt seccomp=unconfined --security-opt systempaths=unconfined`",
        )
    } else {
        return None;
    };
    Some((why.to_owned(), Some(remedy.to_owned())))
}

/// Landlock is there and new enough to allow a rename from one folder into another (ABI 2, Linux 5.19).
fn landlock_works() -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V2))
        .and_then(Ruleset::create)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_goes_all_the_way_up_and_leaves_nothing_behind() {
        let data = tempfile::tempdir().unwrap();
        let level = level(data.path());
        assert_eq!(level, Level { rung: Rung::Full, why: None, remedy: None });
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
        assert!(
            std::env::current_dir().is_ok() && fs::metadata("/proc/self").is_ok(),
            "this process stays out"
        );
    }

    #[test]
    fn what_the_moment_refused_is_tried_again() {
        let at = |rung| Level { rung, why: None, remedy: None };
        let play = |rungs: &[Rung]| {
            let left = std::cell::RefCell::new(rungs.iter());
            let reached = best_of(TRIES, || at(*left.borrow_mut().next().unwrap())).rung;
            (reached, left.into_inner().count())
        };
        assert_eq!(play(&[Rung::Full, Rung::Nothing]), (Rung::Full, 1));
        assert_eq!(play(&[Rung::NoOverlay, Rung::Full, Rung::Nothing]), (Rung::Full, 1));
        assert_eq!(play(&[Rung::NoOverlay, Rung::WritesOnly, Rung::NoOverlay]), (Rung::NoOverlay, 0));
    }

    #[test]
    fn a_folder_that_takes_no_changes_has_no_overlay() {
        let level = level(Path::new("/proc"));
        assert_eq!(level.rung, Rung::NoOverlay);
        assert!(level.why.unwrap().starts_with("cannot write to /proc"));
    }
}
