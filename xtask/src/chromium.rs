//! The browser that the dashboard is tested in: the machine's own Chromium, never one that we download.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{JobResult, run};

/// Names a Chromium that lies elsewhere.
pub const VARIABLE: &str = "DIVISI_CHROMIUM";

/// What distributions call it.
const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

const INSTALL: &[&str] = &["install", "-y", "--no-install-recommends", "chromium"];

/// The Chromium of this machine. A pipeline's machine, where everything is ours, gets one.
pub fn require() -> JobResult<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
        let named = PathBuf::from(named);
        return match runs(&named) {
            true => Ok(named),
            false => Err(format!("{VARIABLE} names {}, which does not run", named.display()).into()),
        };
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    if may_install() {
        install()?;
        return find().ok_or_else(|| "apt-get brought no Chromium that runs".into());
    }
    Err(format!(
        "this machine lacks 1 thing(s):\n  - chromium is not installed; the dashboard is tested in it.\n    sudo apt-get {}\n    \
         or name another Chromium in {VARIABLE}",
        INSTALL.join(" ")
    )
    .into())
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = NAMES.iter().flat_map(|name| in_path(&path, name));
    found.find(|program| runs(program))
}

/// Where `PATH` has a program, in its order.
fn in_path(path: &std::ffi::OsStr, name: &str) -> Vec<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(name)).filter(|program| program.is_file()).collect()
}

fn runs(program: &Path) -> bool {
    let answer = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    answer.is_ok_and(|status| status.success())
}

/// Only where nobody would mind: in a pipeline, as root, with apt.
fn may_install() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::var_os("CI").is_some_and(|ci| ci == "true")
        && rustix::process::geteuid().is_root()
        && !in_path(&path, "apt-get").is_empty()
}

fn install() -> JobResult {
    let apt = |arguments: &[&str]| {
        run::show(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    // A fresh machine may never have read the list of packages.
    if apt(INSTALL)?.ok || (apt(&["update"])?.ok && apt(INSTALL)?.ok) {
        return Ok(());
    }
    Err(format!("`apt-get {}` failed; the lines above say why", INSTALL.join(" ")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_where_path_says() {
        let folder = std::env::temp_dir();
        let here = std::env::current_exe().unwrap();
        let path = std::env::join_paths([folder.as_path(), here.parent().unwrap()]).unwrap();
        let name = here.file_name().unwrap().to_str().unwrap();
        assert_eq!(in_path(&path, name), std::slice::from_ref(&here));
        assert!(in_path(&path, "no-such-program-here").is_empty());
        assert!(!runs(Path::new("no-such-program-here")));
    }
}
