//! What is to be launched: the content of `spec.json`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::os_text;
use crate::sandbox::Sandbox;

/// The layout of `spec.json` that this version writes. Fields are only ever added.
pub const SPEC_VERSION: u32 = 1;
/// The environment variable by which every process of a launch can be known again.
pub const LAUNCH_VARIABLE: &str = "DIVISI_LAUNCH";
/// How large `out.journal` may grow unless the spec says otherwise, in bytes.
pub const JOURNAL_CAP_DEFAULT: u64 = 1 << 30;
/// How large `err.log` may grow before it is rotated to `err.old.log`, in bytes.
pub const ERR_CAP_DEFAULT: u64 = 16 << 20;
/// Time between the request to end and the kill, unless the spec says otherwise.
pub const GRACE_DEFAULT: Duration = Duration::from_secs(5);

/// A child and everything it runs with. Complete: nothing is inherited from the daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// Layout version, [`SPEC_VERSION`].
    pub version: u32,
    /// Tells this launch from every other; given to the child as [`LAUNCH_VARIABLE`].
    pub id: String,
    /// Program and arguments. A program without a slash is looked up in the `PATH` of `env`.
    #[serde(with = "os_text::list")]
    pub argv: Vec<OsString>,
    /// The whole environment of the child, but for [`LAUNCH_VARIABLE`].
    #[serde(with = "os_text::map")]
    pub env: BTreeMap<OsString, OsString>,
    /// Working directory, absolute.
    #[serde(with = "os_text::path")]
    pub cwd: PathBuf,
    /// Where the child's standard input comes from.
    #[serde(default)]
    pub stdin: Stdin,
    /// Where the child's standard error goes to.
    #[serde(default)]
    pub stderr: Stderr,
    /// Resource limits.
    #[serde(default)]
    pub limits: Limits,
    /// Value for `oom_score_adj`, so that the kernel ends agents before it ends Divisi. 0 to 1000.
    #[serde(default)]
    pub oom_score_adj: Option<i32>,
    /// Wall-clock limit in milliseconds; `None` for agents.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// Milliseconds between SIGTERM and SIGKILL.
    pub grace_ms: u64,
    /// Bound on `out.journal`, in bytes. May be exceeded by one pipe's content (64 KiB).
    pub journal_cap: u64,
    /// What happens when the bound is reached.
    #[serde(default)]
    pub on_cap: OnCap,
    /// Bound on `err.log`, in bytes; with `err.old.log` twice that is kept.
    pub err_cap: u64,
    /// What it may see and touch; without one, all that the daemon may.
    #[serde(default)]
    pub sandbox: Option<Sandbox>,
}

/// Where standard input comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "from", content = "path")]
pub enum Stdin {
    /// `/dev/null`.
    #[default]
    Null,
    /// A file, opened once, read from its beginning.
    File(#[serde(with = "os_text::path")] PathBuf),
    /// What the daemon writes, by way of `in.journal`.
    Journaled,
}

/// Where standard error goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stderr {
    /// Into `err.log`.
    #[default]
    Log,
    /// Into `out.journal`, in the order of writing, as a terminal would show it.
    Journal,
}

/// What happens when `out.journal` has reached its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCap {
    /// The child waits in its write until the bound is raised, or the launch is ended.
    #[default]
    Pause,
    /// The launch is ended, and its exit says so.
    End,
}

/// Resource limits of the child, inherited by all that it starts. `None` leaves what the daemon has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Largest core file in bytes. None at all by default: agents hold secrets in memory.
    pub core: Option<u64>,
    /// Open files per process.
    pub nofile: Option<u64>,
    /// Processes and threads of the user.
    pub nproc: Option<u64>,
    /// Largest file in bytes.
    pub fsize: Option<u64>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { core: Some(0), nofile: None, nproc: None, fsize: None }
    }
}

/// Why a spec cannot be launched.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SpecError {
    /// There is no program to run.
    #[error("the launch names no program")]
    NoProgram,
    /// The working directory is relative, so its meaning would depend on who starts it.
    #[error("the working directory {0:?} is not an absolute path")]
    RelativeCwd(PathBuf),
    /// A newer version of Divisi wrote it.
    #[error("the launch was written in layout {0}, newer than the {SPEC_VERSION} known here")]
    Newer(u32),
    /// An argument or variable has a NUL byte, or a variable's name has `=` or is empty.
    #[error("{0:?} cannot be an argument or a variable of a process")]
    BadText(OsString),
}

impl Spec {
    /// A launch of `argv` in `cwd` with an empty environment, no input and the usual bounds.
    pub fn new<A: Into<OsString>>(argv: impl IntoIterator<Item = A>, cwd: impl Into<PathBuf>) -> Spec {
        Spec {
            version: SPEC_VERSION,
            id: new_id(),
            argv: argv.into_iter().map(Into::into).collect(),
            env: BTreeMap::new(),
            cwd: cwd.into(),
            stdin: Stdin::Null,
            stderr: Stderr::Log,
            limits: Limits::default(),
            oom_score_adj: None,
            timeout_ms: None,
            grace_ms: GRACE_DEFAULT.as_millis() as u64,
            journal_cap: JOURNAL_CAP_DEFAULT,
            on_cap: OnCap::Pause,
            err_cap: ERR_CAP_DEFAULT,
            sandbox: None,
        }
    }

    /// Whether a process can be made of it at all.
    pub fn check(&self) -> Result<(), SpecError> {
        if self.version > SPEC_VERSION {
            return Err(SpecError::Newer(self.version));
        }
        if self.argv.first().is_none_or(|program| program.is_empty()) {
            return Err(SpecError::NoProgram);
        }
        if !self.cwd.is_absolute() {
            return Err(SpecError::RelativeCwd(self.cwd.clone()));
        }
        let has = |text: &OsString, byte: u8| text.as_encoded_bytes().contains(&byte);
        let names = self.env.keys().find(|name| name.is_empty() || has(name, b'='));
        let texts = self.argv.iter().chain(self.env.keys()).chain(self.env.values());
        match names.or_else(|| texts.into_iter().find(|text| has(text, 0))) {
            Some(bad) => Err(SpecError::BadText(bad.clone())),
            None => Ok(()),
        }
    }
}

/// A name that no other launch of this machine has.
pub(crate) fn new_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_nanos());
    format!("{nanos:x}-{:x}-{:x}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn every_byte_of_it_comes_back_from_json() {
        let odd = OsString::from_vec(vec![b'a', 0xff, b'b']);
        let mut spec = Spec::new(["/bin/true", "ü"], PathBuf::from(odd.clone()));
        spec.argv.push(odd.clone());
        spec.env.insert(odd.clone(), odd.clone());
        spec.env.insert("HOME".into(), "/home/x".into());
        spec.stdin = Stdin::File(odd.into());
        let json = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<Spec>(&json).unwrap(), spec);
        assert!(json.contains(r#""HOME","/home/x""#), "plain text stays readable: {json}");
    }

    #[test]
    fn what_no_process_can_have_is_refused() {
        let good = Spec::new(["x"], "/");
        assert_eq!(good.check(), Ok(()));
        let with = |change: fn(&mut Spec)| {
            let mut spec = good.clone();
            change(&mut spec);
            spec.check().unwrap_err()
        };
        assert_eq!(with(|s| s.argv.clear()), SpecError::NoProgram);
        assert_eq!(with(|s| s.cwd = "here".into()), SpecError::RelativeCwd("here".into()));
        assert_eq!(with(|s| s.version = 9), SpecError::Newer(9));
        assert_eq!(with(|s| s.argv.push("a\0b".into())), SpecError::BadText("a\0b".into()));
        let bad = with(|s| drop(s.env.insert("A=B".into(), "".into())));
        assert_eq!(bad, SpecError::BadText("A=B".into()));
    }
}
