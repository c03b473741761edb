//! Where everything happens. ext4 without a journal looks through recently deleted inodes at every create and spoils
//! every number (WORKSPACES 1f of the study), so the place is a journaled image in memory where one can be mounted, and
//! a tmpfs where not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::file_system::{self, Kind};

/// Most that the image may hold; it takes as much memory as is written.
const IMAGE_BYTES: u64 = 14 << 30;
/// A folder in memory.
const MEMORY: &str = "/dev/shm";

/// A folder for one run; removed with everything in it at the end.
pub struct Place {
    pub root: PathBuf,
    /// Repositories that are made once.
    pub fixtures: PathBuf,
    pub facts: Facts,
    /// What is removed beside `root`.
    holds: PathBuf,
}

/// What must be known of the machine to read the numbers.
#[derive(Clone, Debug)]
pub struct Facts {
    pub cores: usize,
    pub processor: String,
    pub memory_gb: u64,
    pub kernel: String,
    pub place: String,
    pub git: String,
    pub user: &'static str,
    pub load: String,
    pub when: String,
}

impl Place {
    /// Makes the place; must be called before the process has a second thread.
    pub fn make(wanted: Option<&Path>) -> Result<Self> {
        let program = std::env::current_exe()?;
        let target = program.ancestors().nth(2).ok_or("the program lies in no target folder")?;
        let fixtures = target.join("bench");
        fs::create_dir_all(&fixtures)?;
        let name = format!("divisi-bench-{}", std::process::id());
        let (holds, root, kind) = match wanted {
            Some(folder) => {
                let holds = folder.canonicalize()?.join(&name);
                fs::create_dir_all(&holds)?;
                (holds.clone(), holds.join("place"), file_system::of(&holds)?)
            }
            None => {
                let holds = Path::new(MEMORY).join(&name);
                fs::create_dir_all(&holds).map_err(|error| {
                    format!("cannot write in {MEMORY} ({error}); name a folder with --place FOLDER")
                })?;
                match mount_image(&holds) {
                    Ok(root) => {
                        let name = "ext4 with journal, an image in memory (loop device)".to_owned();
                        (holds, root, Kind { name, spoils: false })
                    }
                    Err(why) => {
                        eprintln!("no journaled image can be mounted ({why}); a tmpfs it is");
                        (holds.clone(), holds.join("place"), file_system::of(&holds)?)
                    }
                }
            }
        };
        fs::create_dir_all(&root)?;
        fs::set_permissions(&root, fs::Permissions::from_mode(0o700))?;
        if kind.spoils {
            fs::remove_dir_all(&holds)?;
            let why =
                format!("{} spoils every number: choose another folder, with --place FOLDER", kind.name);
            return Err(why.into());
        }
        let kind = kind.name;
        Ok(Self { root, fixtures, facts: Facts::look(kind), holds })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.holds.join("image").exists() {
            // Gone at once for this process, and for good with the last one that has a file open in it.
            if let Err(error) = rustix::mount::unmount(&self.root, rustix::mount::UnmountFlags::DETACH) {
                eprintln!("{} stays mounted: {error}", self.root.display());
            }
        }
        if let Err(error) = fs::remove_dir_all(&self.holds) {
            eprintln!("{} is left: {error}", self.holds.display());
        }
    }
}

/// An ext4 with a journal in a file in memory, mounted where only this process and its children see it.
fn mount_image(holds: &Path) -> Result<PathBuf> {
    if !rustix::process::geteuid().is_root() {
        return Err("only root may mount".into());
    }
    let image = holds.join("image");
    fs::File::create(&image)?.set_len(IMAGE_BYTES)?;
    require(Command::new("mkfs.ext4").args(["-q", "-F", "-N", "900000"]).arg(&image))?;
    // SAFETY: no file descriptors are unshared, and no other thread exists yet.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNS) }?;
    require(Command::new("mount").args(["--make-rprivate", "/"]))?;
    let root = holds.join("disk");
    fs::create_dir_all(&root)?;
    require(Command::new("mount").args(["-o", "loop,noinit_itable,discard"]).arg(&image).arg(&root))?;
    Ok(root)
}

fn require(command: &mut Command) -> Result {
    let done = command.output()?;
    match done.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&done.stderr).trim().to_owned().into()),
    }
}

impl Facts {
    fn look(place: String) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(':'))
                .map(|(_, value)| value.trim().to_owned())
                .unwrap_or_default()
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kilobytes: u64 = memory.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or_default();
        let git = Command::new("git").arg("--version").output().map(|done| done.stdout).unwrap_or_default();
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: field(&read("/proc/cpuinfo"), "model name"),
            memory_gb: kilobytes >> 20,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            place,
            git: String::from_utf8_lossy(&git).trim().to_owned(),
            user: if rustix::process::geteuid().is_root() { "root" } else { "an ordinary user" },
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
            when: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
        }
    }

    /// One line for people.
    pub fn lines(&self) -> String {
        let Self { cores, processor, memory_gb, kernel, place, git, user, load, when } = self;
        format!(
            "{when}, {cores} cores ({processor}), {memory_gb} GB, Linux {kernel}, as {user}, {git}, on {place}; \
             load average before the run {load}"
        )
    }
}
