//! The test runner: the one on this machine, or a pinned one in the target folder.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::{JobResult, dirs, run};

/// The version that is installed where the machine has none.
const VERSION: &str = "0.9.143";

/// A command that starts `cargo nextest`, which is installed first if need be.
pub fn command() -> JobResult<Command> {
    let mut on_this_machine = dirs::cargo();
    if answers(on_this_machine.args(["nextest", "--version"])) {
        let mut command = dirs::cargo();
        command.arg("nextest");
        return Ok(command);
    }
    let own = own_program()?;
    if !answers(Command::new(&own).args(["nextest", "--version"])) {
        install()?;
    }
    let mut command = Command::new(own);
    command.current_dir(dirs::repository()).arg("nextest");
    Ok(command)
}

fn install() -> JobResult {
    eprintln!(
        "cargo-nextest is not on this machine: building {VERSION} in the target folder (some minutes, once)"
    );
    let root = dirs::target()?.join("tools");
    let mut cargo = dirs::cargo();
    cargo
        // Unoptimised: the runner waits for tests most of the time, and this halves the build.
        .args(["install", "--debug", "--locked", "cargo-nextest", "--version", VERSION, "--root"])
        .arg(&root)
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .env("CARGO_TARGET_DIR", root.join("build"));
    run::require(
        &mut cargo,
        "cargo-nextest could not be built; `cargo install --locked cargo-nextest` shows why",
    )?;
    // The build folder is large and never needed again; a left-over would only cost disk.
    let _ = std::fs::remove_dir_all(root.join("build"));
    Ok(())
}

fn own_program() -> JobResult<PathBuf> {
    let name = OsString::from(format!("cargo-nextest{}", std::env::consts::EXE_SUFFIX));
    Ok(dirs::target()?.join("tools").join("bin").join(name))
}

fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}
