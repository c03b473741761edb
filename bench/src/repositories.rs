//! Generated repositories of 200, 5,000 and 80,000 files: the same on every machine, made once into the target folder,
//! and cloned into the place of each run.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::place::Place;

/// Changes with what is generated, so that old ones are made anew.
const VERSION: u32 = 2;
/// Files in one folder, on average; real projects have three to ten.
const FILES_PER_FOLDER: usize = 5;
/// Folders in a folder.
const FOLDERS_PER_FOLDER: usize = 6;
/// Files that differ in a new base.
pub const CHANGED: usize = 500;

/// A repository with a checkout of its one commit on `main`.
pub struct Repository {
    pub path: PathBuf,
}

impl Repository {
    /// One with this many files, at `<place>/<name>`.
    pub fn make(place: &Place, name: &str, files: usize) -> Result<Self> {
        let fixture = place.fixtures.join(format!("files-{files}-v{VERSION}.git"));
        if !fixture.is_dir() {
            generate(&fixture, files)?;
        }
        let path = place.root.join(name);
        let (from, to) = (fixture.display().to_string(), path.display().to_string());
        git(&place.root, ["clone", "--quiet", "--no-hardlinks", "--branch", "main", &from, &to])?;
        git(&path, ["config", "user.name", "Bench"])?;
        git(&path, ["config", "user.email", "bench@localhost"])?;
        Ok(Self { path })
    }

    /// Runs git in it, as a person would.
    pub fn git(&self, arguments: &[&str]) -> Result<String> {
        git(&self.path, arguments)
    }
}

/// Paths of some of its files, spread over it.
pub fn some_files(files: usize, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |n| path_of(n * files / count))
}

/// A git with settings that are nobody's.
pub fn git_command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(folder).env_clear().envs(environment());
    command
}

/// The environment of git and of everything else here: of the machine's, only `PATH`.
pub fn environment() -> Vec<(&'static str, std::ffi::OsString)> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    let mut variables = vec![("PATH", path)];
    let fixed = [
        ("HOME", "/nonexistent"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "UTC"),
        ("GIT_AUTHOR_NAME", "Bench"),
        ("GIT_AUTHOR_EMAIL", "bench@localhost"),
    ];
    variables.extend(fixed.map(|(name, value)| (name, value.into())));
    variables
}

fn git(folder: &Path, arguments: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>) -> Result<String> {
    let done = git_command(folder).args(arguments).output()?;
    if !done.status.success() {
        return Err(format!("git failed: {}", String::from_utf8_lossy(&done.stderr).trim()).into());
    }
    Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

/// Makes the bare repository by `git fast-import`, beside its name first so that a half-made one is never used.
fn generate(fixture: &Path, files: usize) -> Result {
    eprintln!("making {} once", fixture.display());
    let beside = fixture.with_extension("new");
    let _ = fs::remove_dir_all(&beside);
    fs::create_dir_all(&beside)?;
    git(&beside, ["init", "--quiet", "--bare", "--initial-branch=main"])?;
    let mut import = git_command(&beside)
        .args(["-c", "core.bigFileThreshold=0", "fast-import", "--quiet", "--done"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    let mut to = BufWriter::new(import.stdin.take().ok_or("git has no input")?);
    let who = "Bench <bench@localhost> 1700000000 +0000";
    writeln!(to, "commit refs/heads/main\ncommitter {who}\ndata 4\nwork")?;
    for n in 0..files {
        put(&mut to, n)?;
    }
    writeln!(to, "\ndone")?;
    to.flush()?;
    drop(to);
    if !import.wait()?.success() {
        return Err("git fast-import failed".into());
    }
    Ok(fs::rename(&beside, fixture)?)
}

fn put(to: &mut impl Write, n: usize) -> std::io::Result<()> {
    let text = text_of(n as u64);
    writeln!(to, "M 100644 inline {}\ndata {}", path_of(n), text.len())?;
    to.write_all(text.as_bytes())?;
    writeln!(to)
}

/// `src/c/e/module_17.rs`: folders in folders, as in a grown project.
fn path_of(n: usize) -> String {
    let mut folder = n / FILES_PER_FOLDER;
    let mut names = Vec::new();
    while folder > 0 {
        names.push(char::from(b'a' + u8::try_from(folder % FOLDERS_PER_FOLDER).unwrap_or(0)));
        folder /= FOLDERS_PER_FOLDER;
    }
    let folders: String = names.iter().rev().map(|name| format!("{name}part/")).collect();
    format!("src/{folders}module_{n}.rs")
}

/// Lines of words: a few hundred bytes to some 20 kB, about 3 kB on average; most files are small, some are not.
fn text_of(n: u64) -> String {
    const WORDS: [&str; 16] = [
        "let", "value", "state", "of", "the", "reader", "returns", "when", "nothing", "waits", "for",
        "result", "index", "while", "open", "path",
    ];
    let mut random = Random(n.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x1234_5678);
    let shape = random.next() % 100;
    let bytes = match shape {
        0..60 => 300 + random.next() % 1_500,
        60..90 => 1_800 + random.next() % 4_000,
        _ => 5_800 + random.next() % 14_000,
    };
    let mut text = format!("// Module {n}.\n");
    while (text.len() as u64) < bytes {
        text.push_str(WORDS[(random.next() % 16) as usize]);
        text.push(if random.next().is_multiple_of(9) { '\n' } else { ' ' });
    }
    text.push('\n');
    text
}

/// Numbers that look like chance and are always the same (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_generated_is_always_the_same_and_no_path_comes_twice() {
        assert_eq!(path_of(0), "src/module_0.rs");
        assert_eq!(path_of(80), "src/cpart/epart/module_80.rs");
        let paths: std::collections::BTreeSet<String> = (0..5_000).map(path_of).collect();
        assert_eq!(paths.len(), 5_000);
        let bytes: usize = (0..1_000).map(|n| text_of(n).len()).sum();
        assert!((2_000_000..5_000_000).contains(&bytes), "{bytes} bytes in 1,000 files");
        assert_eq!(text_of(7), text_of(7));
        assert_ne!(text_of(7), text_of(8));
        assert_eq!(some_files(80_000, 3).last(), Some(path_of(53_333)));
    }
}
