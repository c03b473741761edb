//! The job `dev`: the daemon from this checkout, with a home of its own, so that a developer's real one is never touched.

use std::fs;
use std::process::Command;

use crate::{JobResult, dirs, run};

#[derive(clap::Args)]
pub struct Options {
    /// What follows goes to `divisi` (default: `serve`)
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

/// Builds `divisi` and runs it in the foreground until it ends.
pub fn run(options: &Options) -> JobResult {
    run::require(dirs::cargo().args(["build", "--package", "divisi-cli"]), "divisi does not build")?;
    let home = dirs::target()?.join("dev").join("home");
    fs::create_dir_all(&home)?;
    let program = dirs::target()?.join("debug").join(format!("divisi{}", std::env::consts::EXE_SUFFIX));
    let mut divisi = Command::new(&program);
    if options.arguments.is_empty() {
        divisi.arg("serve");
    }
    divisi.args(&options.arguments).env("HOME", &home);
    for variable in
        ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"]
    {
        divisi.env_remove(variable);
    }
    eprintln!("\n$ HOME={} {}", home.display(), run::describe(&divisi));
    let status = divisi.status()?;
    if status.success() { Ok(()) } else { Err(format!("divisi ended with {status}").into()) }
}
