//! Launches in temporary directories, and waiting for what they do.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use divisi_workspace::launch::{Exit, Followed, Launch, LaunchError, ShimCommand, Spec, State, Status};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The most a test waits for a condition before it fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The program of the test's processes.
pub fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_divisi-shim-test").into()
}

/// As the daemon does it: one fork server for all launches of a test.
pub fn shim() -> ShimCommand {
    static SHIM: LazyLock<ShimCommand> =
        LazyLock::new(|| ShimCommand::new(program(), ["shim"]).with_fork_server());
    SHIM.clone()
}

/// A directory for one launch.
pub struct Place {
    pub root: TempDir,
}

impl Place {
    pub fn new() -> Place {
        Place { root: TempDir::new().unwrap() }
    }

    pub fn launch_dir(&self) -> PathBuf {
        self.root.path().join("launch")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A spec of a habit of the test's own program.
    pub fn spec(&self, habit: &[&str]) -> Spec {
        let program = program().into_os_string();
        let argv = std::iter::once(program).chain(habit.iter().map(Into::into));
        let mut spec = Spec::new(argv, self.root.path());
        spec.env.insert("PATH".into(), std::env::var_os("PATH").unwrap_or_default());
        spec
    }

    pub fn shell(&self, script: &str) -> Spec {
        let mut spec = self.spec(&[]);
        spec.argv = vec!["/bin/sh".into(), "-c".into(), script.into()];
        spec
    }

    pub async fn start(&self, spec: &Spec) -> Launch {
        Launch::start(&self.launch_dir(), spec, &shim()).await.unwrap()
    }

    pub async fn attach(&self) -> Launch {
        Launch::attach(&self.launch_dir(), &shim()).await.unwrap()
    }

    /// The process ids that a habit wrote into a file.
    pub fn pids(&self, name: &str) -> Vec<i32> {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        text.lines().map(|line| line.parse().unwrap()).collect()
    }

    /// The process that listens on the launch's socket.
    pub fn shim_pid(&self) -> Option<i32> {
        shim_of(&self.launch_dir())
    }

    /// Kills the shim, if one is there at the moment.
    pub fn kill_shim(&self) -> bool {
        self.shim_pid().is_some_and(|pid| kill(pid, Signal::KILL))
    }
}

pub fn kill(pid: i32, signal: Signal) -> bool {
    kill_process(Pid::from_raw(pid).unwrap(), signal).is_ok()
}

/// The shim of a launch directory is the process that has the lock of its journal.
pub fn shim_of(dir: &Path) -> Option<i32> {
    use std::os::unix::fs::MetadataExt;
    let inode = std::fs::metadata(dir.join("out.journal")).ok()?.ino();
    let locks = locks().ok()?;
    let line = locks.lines().find(|line| line.contains("FLOCK") && line.contains(&format!(":{inode} ")))?;
    // A daemon, which here is the test itself, has the lock too while it looks whether there is a shim.
    let is_shim = |pid: &i32| *pid > 0 && *pid as u32 != std::process::id();
    line.split_ascii_whitespace().nth(4)?.parse().ok().filter(is_shim)
}

/// All file locks of the machine. The kernel lets go of its list between two reads, and then an entry is passed over
/// for each one before it that was let go meanwhile. So a list counts only if one read held all of it, or if it came
/// out the same twice.
fn locks() -> std::io::Result<String> {
    use std::io::Read;
    let mut before = None;
    loop {
        let mut list = std::fs::File::open("/proc/locks")?;
        let mut bytes = vec![0; 64 << 10];
        let (mut len, mut reads) = (0, 0);
        loop {
            let read = list.read(&mut bytes[len..])?;
            if read == 0 {
                break;
            }
            (len, reads) = (len + read, reads + 1);
        }
        bytes.truncate(len);
        let list = String::from_utf8_lossy(&bytes).into_owned();
        if reads <= 1 || before.as_ref() == Some(&list) {
            return Ok(list);
        }
        before = Some(list);
    }
}

pub fn is_alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

pub async fn exit(launch: &Launch) -> Exit {
    tokio::time::timeout(PATIENCE, launch.wait()).await.expect("the launch does not end")
}

/// All output to the end.
pub async fn output(launch: &Launch) -> Vec<u8> {
    let mut follower = launch.follow(0).unwrap();
    let mut all = Vec::new();
    let reading = async {
        while let Followed::Bytes { offset, bytes } = follower.next().await.unwrap() {
            assert_eq!(offset, all.len() as u64);
            all.extend_from_slice(&bytes);
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("the output does not end");
    all
}

/// Output until it holds `text`.
pub async fn output_with(launch: &Launch, text: &str) -> String {
    let mut follower = launch.follow(0).unwrap();
    let mut all = String::new();
    let reading = async {
        while !all.contains(text) {
            match follower.next().await.unwrap() {
                Followed::Bytes { bytes, .. } => all.push_str(&String::from_utf8_lossy(&bytes)),
                Followed::Ended(exit) => panic!("ended without {text:?}: {exit:?}, wrote {all:?}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("the text does not come");
    all
}

/// Waits until `condition` holds.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never came: {what}"));
}

pub fn numbered(count: u64) -> Vec<u8> {
    (0..count).flat_map(|n| format!("line {n}\n").into_bytes()).collect()
}

/// The living processes that carry the mark of a launch.
pub fn marked(id: &str) -> Vec<i32> {
    let pids = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mark = format!("DIVISI_LAUNCH={id}");
    let carries = |pid: &i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
    };
    pids.filter(carries).filter(|pid| is_alive(*pid)).collect()
}

pub async fn try_attach(place: &Place) -> Result<(), LaunchError> {
    Launch::attach(&place.launch_dir(), &shim()).await.map(drop)
}

/// Waits for a status.
pub async fn status_when(launch: &Launch, condition: impl Fn(&Status) -> bool) -> Status {
    let waiting = async {
        let mut status = launch.status();
        while !condition(&status) {
            assert!(!matches!(status.state, State::Ended(_)), "ended before: {status:?}");
            status = launch.changed(&status).await;
        }
        status
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("never came: {:?}", launch.status()))
}

#[test]
fn a_lock_is_found_while_others_come_and_go() {
    let place = Place::new();
    std::fs::create_dir(place.launch_dir()).unwrap();
    let journal = std::fs::File::create(place.launch_dir().join("out.journal")).unwrap();
    journal.lock().unwrap();
    let mark = std::os::unix::fs::MetadataExt::ino(&journal.metadata().unwrap()).to_string();
    let other = place.path("other");
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(std::sync::atomic::Ordering::Relaxed) {
                std::fs::File::create(&other).unwrap().lock().unwrap();
            }
        });
        let missed = (0..5000).filter(|_| !locks().unwrap().contains(&mark)).count();
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(missed, 0);
    });
}
