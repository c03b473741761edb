//! The job `dev`: the daemon from this checkout, with a home of its own, so that a developer's real one is never touched;
//! and the dashboard by Vite before it, so that a change of its sources is seen at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::{JobResult, dirs, run};

#[derive(clap::Args)]
pub struct Options {
    /// What follows goes to `divisi`, in the same home; without it, the daemon and the dashboard run until one of them ends
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

/// How long the daemon may take to say where it is.
const START_MAX: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Builds `divisi` and runs it in the foreground until it ends.
pub fn run(options: &Options) -> JobResult {
    run::require(dirs::cargo().args(["build", "--package", "divisi-cli"]), "divisi does not build")?;
    let home = dirs::target()?.join("dev").join("home");
    fs::create_dir_all(&home)?;
    if options.arguments.is_empty() {
        return both(&home);
    }
    let mut divisi = divisi(&home)?;
    divisi.args(&options.arguments);
    eprintln!("\n$ HOME={} {}", home.display(), run::describe(&divisi));
    let status = divisi.status()?;
    if status.success() { Ok(()) } else { Err(format!("divisi ended with {status}").into()) }
}

fn divisi(home: &Path) -> JobResult<Command> {
    let program = dirs::target()?.join("debug").join(format!("divisi{}", std::env::consts::EXE_SUFFIX));
    let mut divisi = Command::new(&program);
    divisi.env("HOME", home);
    for variable in
        ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"]
    {
        divisi.env_remove(variable);
    }
    Ok(divisi)
}

/// The daemon, and Vite in front of it.
fn both(home: &Path) -> JobResult {
    let mut daemon = divisi(home)?.arg("serve").spawn()?;
    let found = find(home, &mut daemon);
    let vite = found.and_then(|(address, token)| {
        let mut npm = Command::new("npm");
        npm.args(["exec", "--no", "--", "vite"]).current_dir(dirs::repository().join("web"));
        npm.env("DIVISI_DEV_DAEMON", format!("http://{address}")).env("DIVISI_DEV_TOKEN", token);
        Ok(npm.spawn()?)
    });
    let ended = vite.and_then(|mut vite| {
        let ended = first_end(&mut daemon, &mut vite);
        let _ = vite.kill().and_then(|()| vite.wait());
        ended
    });
    let _ = daemon.kill().and_then(|()| daemon.wait());
    ended
}

/// Where the daemon is and what it wants to hear, once it says so.
fn find(home: &Path, daemon: &mut Child) -> JobResult<(String, String)> {
    let record: PathBuf = home.join(".local/state/divisi/daemon.json");
    let started = Instant::now();
    loop {
        if let Some(status) = daemon.try_wait()? {
            return Err(format!("the daemon ended with {status}").into());
        }
        let read =
            fs::read(&record).ok().and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
        // One that was killed leaves its record behind.
        if let Some(record) = read.filter(|record| record["pid"] == daemon.id()) {
            let field = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
            return Ok((field("address"), field("token")));
        }
        if started.elapsed() > START_MAX {
            return Err(format!("the daemon wrote no {}", record.display()).into());
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn first_end(daemon: &mut Child, vite: &mut Child) -> JobResult {
    loop {
        for (name, child) in [("the daemon", &mut *daemon), ("Vite", &mut *vite)] {
            if let Some(status) = child.try_wait()? {
                return if status.success() {
                    Ok(())
                } else {
                    Err(format!("{name} ended with {status}").into())
                };
            }
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}
