//! `divisi doctor`

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use clap::Args;
use divisi_api::types::HealthView;
use divisi_engine::{AgentSource, SandboxMode, WorkspaceMode};
use divisi_workspace::launch::{CgroupPlace, Level, probe};
use divisi_workspace::sandbox::{Rung, level};
use divisi_workspace::{BoxLevel, Git, git_box_level};
use serde::Serialize;

use crate::agents::Agents;
use crate::config::{Config, PROJECT_FILE};
use crate::daemon::{self, Found};
use crate::dirs::Dirs;
use crate::env_vars;
use crate::errors::{CommandError, Done};
use crate::project;
use crate::render::{clean, status, style, time};
use crate::ui::Ui;

/// Less room than this is worth a warning, in bytes.
const FREE_BYTES_LOW: u64 = 2 * 1024 * 1024 * 1024;

/// Look whether everything that Divisi needs is there, and say what mends it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi doctor\n  \
    divisi doctor --json | jq '.[] | select(.ok == false)'")]
pub(crate) struct DoctorArgs {}

/// One thing that was looked at.
#[derive(Serialize)]
struct Fact {
    what: &'static str,
    /// `true`: fine. `false`: Divisi cannot work like this. `null`: it can, but worse.
    ok: Option<bool>,
    found: String,
    hint: String,
}

pub(crate) async fn run(_args: &DoctorArgs, ui: &Ui) -> Done {
    let dirs = Dirs::from_environment()?;
    let mut facts = vec![git(), supervision(), services(), git_box(), folders(&dirs), room(&dirs)];
    facts.extend([sandbox(&dirs), workspaces(&dirs)]);
    facts.extend(configuration(&dirs));
    facts.push(agents(&dirs));
    let daemon = daemon_fact(&dirs).await;
    facts.push(if daemon.runs { log_of_daemon(&dirs).await } else { log(&dirs) });
    facts.push(daemon.fact);
    let bad = facts.iter().filter(|fact| fact.ok == Some(false)).count();
    ui.show(&facts, String::new, || facts.iter().map(line).collect())?;
    match bad {
        0 => Ok(()),
        bad => Err(CommandError::failed(
            format!("{} must be mended first", crate::render::count(bad, "thing")),
            "",
        )),
    }
}

fn line(fact: &Fact) -> String {
    let mark = status::fact(fact.ok);
    let mut text = format!("{mark} {}: {}\n", style::strong(fact.what), clean::text(&fact.found));
    if !fact.hint.is_empty() {
        text.push_str(&format!("    {}\n", fact.hint));
    }
    text
}

fn fact(what: &'static str, ok: Option<bool>, found: impl Into<String>, hint: impl Into<String>) -> Fact {
    Fact { what, ok, found: found.into(), hint: hint.into() }
}

fn git() -> Fact {
    let path = env_vars::text(env_vars::PATH).unwrap_or_default();
    match Git::find(OsStr::new(&path)) {
        Ok(git) => fact("git", Some(true), format!("{} at {}", git.version(), git.program().display()), ""),
        Err(error) => fact("git", Some(false), error.to_string(), "install git 2.38 or newer"),
    }
}

fn supervision() -> Fact {
    let support = probe();
    let found = match support.level() {
        Level::Full => {
            "trees of processes end at one stroke, and agents outlive a stop of the daemon's service"
        }
        Level::OneStroke => "trees of processes end at one stroke",
        Level::Tree => "trees of processes are ended process by process",
        Level::Unsupported => "agents cannot be supervised",
    };
    match (support.level(), &support.cgroup) {
        (Level::Unsupported, _) => fact("supervision", Some(false), found, "Linux 5.3 or newer is needed"),
        (Level::Tree, CgroupPlace::Nowhere(why)) => {
            fact("supervision", Some(true), format!("{found} ({why})"), "")
        }
        _ => fact("supervision", Some(true), found, ""),
    }
}

fn services() -> Fact {
    let support = probe();
    match &support.service {
        Some(service) if !support.outlives_service() => fact(
            "service",
            None,
            format!("in {service}, whose stop ends running agents too"),
            "KillMode=process in its unit lets them go on",
        ),
        Some(service) => fact("service", Some(true), format!("in {service}"), ""),
        None => fact("service", Some(true), "not in a service", ""),
    }
}

fn git_box() -> Fact {
    let (ok, found) = match git_box_level() {
        BoxLevel::Full => (Some(true), "git reads agents' files without network and only where it must"),
        BoxLevel::FilesOnly => {
            (None, "git is kept to its files; the kernel refuses the filter for its network")
        }
        BoxLevel::NetworkOnly => {
            (None, "git has no network; the kernel has no Landlock to keep it to its files")
        }
        BoxLevel::None => {
            (None, "the kernel offers neither Landlock nor seccomp; only Divisi's own rules hold")
        }
    };
    fact("git's box", ok, found, "")
}

/// What keeps agents, setup and checks in their place here; tried for real.
fn sandbox(dirs: &Dirs) -> Fact {
    let wanted = Config::load(dirs, None).and_then(|config| config.sandbox(dirs)).unwrap_or_default().mode;
    if wanted == SandboxMode::Off {
        return fact(
            "sandbox",
            None,
            "off: agents, setup and checks may do all that you may",
            "your own configuration says `sandbox = \"off\"`",
        );
    }
    let level = level(&dirs.data);
    let required = wanted == SandboxMode::Require;
    let (ok, found) = match level.rung {
        Rung::Full => (Some(true), "namespaces and overlays: agents write only what is their own"),
        Rung::NoOverlay => (Some(true), "namespaces: agents write only what is their own; no overlays"),
        Rung::WritesOnly => (
            if required { Some(false) } else { None },
            "no namespaces: agents write only what is their own, but see everything and have the whole network",
        ),
        Rung::Nothing => (
            if required { Some(false) } else { None },
            "none: agents, setup and checks may do all that you may",
        ),
    };
    let why = level.why.map(|why| format!(" ({why})")).unwrap_or_default();
    fact("sandbox", ok, format!("{found}{why}"), level.remedy.unwrap_or_default())
}

/// How new workspaces are made here, and why.
fn workspaces(dirs: &Dirs) -> Fact {
    let wanted = Config::load(dirs, None).and_then(|config| config.sandbox(dirs)).unwrap_or_default();
    let made = match (wanted.workspaces, wanted.mode) {
        (WorkspaceMode::Checkout, _) => "checkouts, as your own configuration says",
        (WorkspaceMode::Auto, SandboxMode::Off) => "checkouts: overlays need a sandbox, and it is off",
        (WorkspaceMode::Auto, _) if level(&dirs.data).has_overlay() => {
            "overlays that share the files of their base; `divisi open` leads into one"
        }
        (WorkspaceMode::Auto, _) => "checkouts: the sandbox of this machine has no overlays",
    };
    fact("workspaces", Some(true), made, "")
}

fn folders(dirs: &Dirs) -> Fact {
    for path in [&dirs.data, &dirs.state] {
        if let Err(error) = crate::dirs::make_private(path) {
            let found = format!("{}: {}", error.message, error.causes.join(": "));
            return fact("folders", Some(false), found, crate::dirs::KEPT_THERE);
        }
        if let Err(error) = rustix::fs::access(path, rustix::fs::Access::WRITE_OK) {
            let found = format!("cannot write to {}: {error}", path.display());
            return fact("folders", Some(false), found, crate::dirs::KEPT_THERE);
        }
    }
    fact(
        "folders",
        Some(true),
        format!("data in {}, state in {}", dirs.data.display(), dirs.state.display()),
        "",
    )
}

/// How much room there is for Divisi's data, and for the project where that lies on another disk.
fn room(dirs: &Dirs) -> Fact {
    let disk =
        |path: &Path| rustix::fs::statvfs(path).map(|disk| (disk.f_fsid, disk.f_bavail * disk.f_frsize));
    let (data, free) = match disk(&dirs.data) {
        Ok(disk) => disk,
        Err(error) => return fact("room", None, format!("not known: {error}"), ""),
    };
    let elsewhere = project::root().and_then(|root| disk(&root).ok()).filter(|(other, _)| *other != data);
    let least = elsewhere.map_or(free, |(_, there)| free.min(there));
    let gib = |bytes: u64| format!("{} GiB free", bytes / (1024 * 1024 * 1024));
    let found = match elsewhere {
        None => gib(free),
        Some((_, there)) => format!("{} for data, {} for the project", gib(free), gib(there)),
    };
    let low = least < FREE_BYTES_LOW;
    let hint = if low { "workspaces need room; divisi archive removes those of finished tasks" } else { "" };
    fact("room", if low { None } else { Some(true) }, found, hint)
}

fn configuration(dirs: &Dirs) -> Vec<Fact> {
    let root = project::root();
    let config = match Config::load(dirs, root.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            let mut found = error.message.clone();
            found.extend(error.causes.iter().map(|cause| format!("\n    {cause}")));
            return vec![fact("configuration", Some(false), found, error.hint)];
        }
    };
    let mut facts: Vec<_> =
        config.warnings.iter().map(|text| fact("configuration", None, text.clone(), "")).collect();
    facts.push(match &root {
        None => fact("project", None, "not in a git repository", "go to a project, or name it with -C"),
        Some(root) => gates(root, &config),
    });
    facts
}

fn gates(root: &Path, config: &Config) -> Fact {
    let names: Vec<_> = config.gates().iter().map(|gate| gate.name.as_str()).collect();
    let path = root.display();
    if !names.is_empty() {
        return fact("project", Some(true), format!("{path}, gates: {}", names.join(", ")), "");
    }
    let hint = match root.join(PROJECT_FILE).exists() {
        true => "add a [[gates]] to divisi.toml, or nothing is proven",
        false => "divisi init writes a divisi.toml with the checks of this project",
    };
    fact("project", None, format!("{path}, without gates"), hint)
}

fn agents(dirs: &Dirs) -> Fact {
    let variables: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let divisi = std::env::current_exe().unwrap_or_default();
    match Agents::new(dirs.clone(), variables, divisi).agents(None) {
        Ok(agents) => {
            let ready: Vec<_> = agents
                .iter()
                .filter(|agent| agent.readiness.is_usable())
                .map(|agent| agent.name.as_str())
                .collect();
            let own = ready.iter().any(|name| *name != "rehearsal");
            let hint = if own { "" } else { "divisi agents says for each how to install it or log in" };
            fact("agents", if own { Some(true) } else { None }, format!("ready: {}", ready.join(", ")), hint)
        }
        Err(refusal) => fact("agents", Some(false), refusal.message, refusal.hint),
    }
}

/// The log, which only one process at a time has open: looked at when that is not the daemon.
fn log(dirs: &Dirs) -> Fact {
    match divisi_engine::look_at_log(&dirs.data) {
        Ok(problems) if problems.is_empty() => fact("log", Some(true), "nothing is wrong with it", ""),
        Ok(problems) => {
            fact("log", Some(false), problems.join("; "), "restore the data folder from a backup")
        }
        Err(error) => {
            let found = CommandError::failed("", "").because(&error).causes.join(": ");
            fact("log", Some(false), found, error.hint())
        }
    }
}

/// The log as the daemon that has it open sees it.
async fn log_of_daemon(dirs: &Dirs) -> Fact {
    let (Found::Ours(client, _) | Found::Other(client, _)) = daemon::find(dirs).await else {
        return log(dirs);
    };
    match client.health().await {
        Ok(HealthView { log_trouble: Some(trouble), .. }) => {
            fact("log", Some(false), trouble.reason, trouble.hint)
        }
        Ok(health) => {
            fact("log", Some(true), format!("{} events, and it can be written", health.last_seq), "")
        }
        Err(error) => fact("log", None, format!("not known: {error}"), ""),
    }
}

struct DaemonFact {
    runs: bool,
    fact: Fact,
}

async fn daemon_fact(dirs: &Dirs) -> DaemonFact {
    let found = daemon::find(dirs).await;
    let runs = !matches!(found, Found::Nobody);
    let fact = match found {
        Found::Ours(_, record) => {
            let age = time::age(record.started, jiff::Timestamp::now());
            fact("daemon", Some(true), format!("pid {}, at {}, for {age}", record.pid, record.address), "")
        }
        Found::Other(_, record) => {
            let found = format!("pid {} is of another build ({})", record.pid, record.version);
            fact("daemon", Some(true), found, "the next command replaces it")
        }
        Found::Nobody => fact("daemon", Some(true), "does not run; the next command starts it", ""),
    };
    DaemonFact { runs, fact }
}
