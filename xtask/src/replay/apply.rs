//! The agent of a replay: it does to its folder exactly what was written down for one commit.
//!
//! A plain command without a protocol. Its prompt names a folder with the list of the files that differ and their new
//! content, as bytes. A second prompt is a conflict or a comment, which it cannot answer.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::JobResult;

/// Begins the line of a prompt that names the folder.
pub const LINE: &str = "change: ";
const LIST: &str = "list";
const REFUSED: &str = "refused";
const DONE: &str = "done";

#[derive(clap::Args)]
pub struct Options {
    /// The prompt
    prompt: String,
}

/// One file: written with a mode and the content of a file beside the list, or removed.
pub struct Step {
    pub path: Vec<u8>,
    pub content: Option<(String, String)>,
}

/// Writes down what is to be done: mode, content file and path of each step, each ended by a NUL.
pub fn write(dir: &Path, steps: &[Step]) -> io::Result<()> {
    let mut list = Vec::new();
    for step in steps {
        let (mode, file) = step.content.as_ref().map_or(("-", "-"), |(mode, file)| (mode, file));
        for part in [mode.as_bytes(), file.as_bytes(), &step.path] {
            list.extend_from_slice(part);
            list.push(0);
        }
    }
    fs::write(dir.join(LIST), list)
}

/// Writes down that the commit cannot be picked.
pub fn refuse(dir: &Path) -> io::Result<()> {
    fs::write(dir.join(REFUSED), b"")
}

/// Carries out, in the present folder, what a prompt asks for.
pub fn run(options: &Options) -> JobResult {
    let named = options.prompt.lines().find_map(|line| line.strip_prefix(LINE));
    let dir = PathBuf::from(named.ok_or("the prompt names no change")?);
    if dir.join(REFUSED).exists() {
        return Err("this commit rests on an earlier one and does not apply to the base".into());
    }
    if dir.join(DONE).exists() {
        return Err("this commit is applied already, and more than that cannot be done".into());
    }
    let steps = read(&dir)?;
    // Removals first: a file may make room for a folder of its name.
    for step in steps.iter().filter(|step| step.content.is_none()) {
        remove(Path::new(OsStr::from_bytes(&step.path)))?;
    }
    for step in &steps {
        let path = Path::new(OsStr::from_bytes(&step.path));
        let Some((mode, file)) = &step.content else { continue };
        let content = fs::read(dir.join(file))?;
        put(path, mode, &content).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    fs::write(dir.join(DONE), b"")?;
    println!("{} files changed", steps.len());
    Ok(())
}

fn read(dir: &Path) -> JobResult<Vec<Step>> {
    let list = fs::read(dir.join(LIST))?;
    let parts: Vec<&[u8]> = list.split(|byte| *byte == 0).collect();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let step = |parts: &[&[u8]]| Step {
        path: parts[2].to_vec(),
        content: (parts[0] != b"-").then(|| (text(parts[0]), text(parts[1]))),
    };
    Ok(parts.chunks_exact(3).map(step).collect())
}

/// Removes a file and the folders that are empty then, as git does.
fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    for folder in path.ancestors().skip(1).take_while(|folder| !folder.as_os_str().is_empty()) {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

fn put(path: &Path, mode: &str, content: &[u8]) -> io::Result<()> {
    if path.symlink_metadata().is_ok() {
        fs::remove_file(path)?;
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if mode == "120000" {
        return symlink(OsStr::from_bytes(content), path);
    }
    fs::write(path, content)?;
    let mode = if mode == "100755" { 0o755 } else { 0o644 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_down_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let steps = [
            Step { path: b"a\nb\xff".to_vec(), content: Some(("100755".into(), "0".into())) },
            Step { path: b"gone".to_vec(), content: None },
        ];
        write(dir.path(), &steps).unwrap();
        let back = read(dir.path()).unwrap();
        assert_eq!(back.len(), 2);
        assert_eq!((&back[0].path, &back[0].content), (&steps[0].path, &steps[0].content));
        assert_eq!((&back[1].path, &back[1].content), (&steps[1].path, &None));
    }
}
