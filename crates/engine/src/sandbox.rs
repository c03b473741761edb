//! What agents, setup scripts and checks may see and touch on this machine.
//!
//! They may write their workspace, their private home and temporary files; the rest of the machine is read-only, and
//! Divisi's own data is not to be seen. A setup script or a check has the person's home, where the caches of package
//! managers stay writable: without them nothing could be installed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use divisi_agent::{AgentLaunch, HandOver};
use divisi_model::event::SandboxKind;
use divisi_model::project::Project;
use divisi_workspace::launch::Spec;
use divisi_workspace::sandbox::{Rung, Sandbox, Walls, level};
use divisi_workspace::{Git, SandboxParts, Workspaces, is_temporary};

use crate::options::{Options, SandboxMode, WorkspaceMode};
use crate::stage::StepError;
use crate::workspaces::{CHECK_TREES, WORKSPACES};

/// Services of the person's session and of the machine that run programs for whoever asks: a way out.
const SERVICES: [&str; 3] = ["/run/user", "/run/dbus", "/run/systemd/private"];
/// Where package managers keep what they have fetched, below the person's home.
const PACKAGE_CACHES: [&str; 18] = [
    ".cache",
    ".npm",
    ".yarn",
    ".local/share/pnpm",
    ".bun/install/cache",
    ".deno",
    ".cargo/registry",
    ".cargo/git",
    ".cargo/.package-cache",
    ".cargo/.package-cache-mutate",
    "go/pkg",
    ".gradle",
    ".m2/repository",
    ".ivy2",
    ".sbt",
    ".nuget/packages",
    ".pub-cache",
    ".composer/cache",
];
/// What a launch for a project may see of Divisi's data: the objects that its workspaces borrow.
pub(crate) fn for_project(options: &Options, project: &Project) -> Sandbox {
    let objects = options.data.join(format!("projects/{}/hub.git/objects", project.id));
    Sandbox { visible: vec![objects], ..Sandbox::default() }
}

/// What an agent may write besides its own: the logins that it was given by link, which it renews in place.
pub(crate) fn for_agent(plan: &AgentLaunch) -> Sandbox {
    let linked = plan.logins.iter().filter(|login| login.how == HandOver::Link);
    Sandbox { writable: linked.map(|login| login.from.clone()).collect(), ..Sandbox::default() }
}

/// What launches are kept by on this machine. An error says why there is none although one is required.
pub(crate) fn kind(options: &Options) -> Result<SandboxKind, StepError> {
    if options.sandbox.mode == SandboxMode::Off {
        return Ok(SandboxKind::Off);
    }
    let level = level(&options.data);
    match (level.rung, options.sandbox.mode) {
        (Rung::NoOverlay | Rung::Full, _) => Ok(SandboxKind::Namespaces),
        (Rung::WritesOnly, SandboxMode::Auto) => Ok(SandboxKind::WritesOnly),
        (Rung::Nothing, SandboxMode::Auto) => Ok(SandboxKind::Off),
        (_, SandboxMode::Require | SandboxMode::Off) => {
            let why = level.why.unwrap_or_default();
            Err(StepError(format!(
                "a sandbox is required and this machine has none: {why}; `divisi doctor` says what helps"
            )))
        }
    }
}

/// Whether new workspaces can be overlays, and are to be.
pub(crate) fn has_overlays(options: &Options) -> bool {
    options.sandbox.workspaces == WorkspaceMode::Auto
        && kind(options).is_ok_and(|kind| kind == SandboxKind::Namespaces)
        && level(&options.data).rung == Rung::Full
}

/// Completes what was asked for a launch, or leaves it without a sandbox where there is none.
pub(crate) fn complete(git: &Git, options: &Options, spec: &mut Spec) -> Result<(), StepError> {
    let asked = spec.sandbox.take().unwrap_or_default();
    let kind = kind(options)?;
    let parts = parts(git, options, &real(&spec.cwd))?;
    if parts.overlay.is_some() && kind != SandboxKind::Namespaces {
        let task = spec.cwd.file_name().unwrap_or_default().to_string_lossy();
        let task = task.split('.').next().unwrap_or_default();
        return Err(StepError(format!(
            "its workspace is an overlay, which needs a sandbox of namespaces; `divisi archive t{task}` and then \
             `divisi restore t{task}` make a checkout of it"
        )));
    }
    let walls = match kind {
        SandboxKind::Namespaces => Walls::Namespaces,
        SandboxKind::WritesOnly => Walls::Landlock,
        SandboxKind::Off => return Ok(()),
    };
    let data = real(&options.data);
    let home = spec.env.get(OsStr::new("HOME")).map(|home| real(Path::new(home)));
    let private = home.as_ref().filter(|home| home.starts_with(&data));

    let mut sandbox = Sandbox { walls, ..asked };
    sandbox.writable.push(spec.cwd.clone());
    sandbox.writable.extend(options.sandbox.writable.iter().cloned());
    match (private, &home) {
        (Some(private), _) => {
            sandbox.writable.push(private.clone());
            if !lives_among_temporary_files(spec, &data) {
                sandbox.temp = Some(temp(private)?);
            }
        }
        (None, Some(home)) => sandbox.writable.extend(PACKAGE_CACHES.iter().map(|cache| home.join(cache))),
        (None, None) => {}
    }
    sandbox.hidden.push(data.clone());
    sandbox.hidden.extend(options.sandbox.hidden.iter().cloned());
    sandbox.hidden.extend(SERVICES.iter().map(PathBuf::from));
    if let Some(program) = spec.argv.first().map(Path::new).filter(|program| program.is_absolute()) {
        sandbox.visible.push(program.to_owned());
    }
    for paths in [&mut sandbox.writable, &mut sandbox.hidden, &mut sandbox.visible] {
        for path in paths {
            *path = real(path);
        }
    }
    // What is writable is visible already, and not read-only.
    let writable = sandbox.writable.clone();
    sandbox.visible.retain(|path| {
        sandbox.hidden.iter().any(|hidden| path.starts_with(hidden))
            && !writable.iter().any(|writable| path.starts_with(writable))
    });
    sandbox.overlay = parts.overlay;
    sandbox.read_only.extend(parts.read_only);
    sandbox.held.extend(parts.held);
    spec.sandbox = Some(sandbox);
    Ok(())
}

/// What the workspace or the check's checkout brings along: its overlay, and the pins of its git directory.
fn parts(git: &Git, options: &Options, folder: &Path) -> Result<SandboxParts, StepError> {
    for root in [WORKSPACES, CHECK_TREES] {
        let parts = Workspaces::for_launch(git, &options.data.join(root), folder);
        if let Some(parts) = parts.map_err(|error| StepError::of(&error))? {
            return Ok(parts);
        }
    }
    Ok(SandboxParts::default())
}

/// The temporary folder of a private home, which stands in for `/tmp` too. It lies where it can be seen by its own path,
/// because Codex looks up what is mounted where. An agent may have put a link there; that goes.
fn temp(home: &Path) -> Result<PathBuf, StepError> {
    let temp = home.join("tmp");
    let folder = fs::symlink_metadata(&temp).map(|found| found.is_dir());
    let made = match folder {
        Ok(true) => Ok(()),
        Ok(false) => fs::remove_file(&temp).and_then(|()| fs::create_dir(&temp)),
        Err(_) => fs::create_dir(&temp),
    };
    made.map(|()| temp).map_err(|error| StepError::of(&error))
}

/// Whether something that the launch needs lies where others have their temporary files: then these are not replaced.
fn lives_among_temporary_files(spec: &Spec, data: &Path) -> bool {
    let program = spec.argv.first().map(PathBuf::from);
    let path = spec.env.get(OsStr::new("PATH")).map(|path| std::env::split_paths(path).collect::<Vec<_>>());
    let mut needed = program.into_iter().chain(path.unwrap_or_default()).chain([data.to_owned()]);
    needed.any(|path| is_temporary(&real(&path)))
}

/// The path without links; as it is where it leads nowhere.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
