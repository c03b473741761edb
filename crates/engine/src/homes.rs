//! Private homes of agents: carries out the plan of a launch. An agent finds its own login there, and nothing else of
//! the person's.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink};
use std::path::{Component, Path};

use divisi_agent::{AgentLaunch, HandOver};
use divisi_workspace::launch::{OnCap, Spec, Stderr, Stdin};

/// How much sooner the kernel ends an agent than Divisi when memory runs out: 0 to 1000.
pub(crate) const OOM_SCORE: i32 = 300;

/// Makes the private home of a plan, writes its files and hands over its logins; then says what to start in `workspace`.
/// Files that only this launch needs go into its folder `launch`.
pub fn furnish(plan: &AgentLaunch, workspace: &Path, launch: &Path) -> io::Result<Spec> {
    folder(&plan.home.join("tmp"))?;
    for file in &plan.files {
        let path = inside(&plan.home, &file.path)?;
        write(&path, file.content.as_bytes())?;
    }
    for login in &plan.logins {
        let to = inside(&plan.home, &login.to)?;
        if fs::symlink_metadata(&to).is_ok() {
            continue;
        }
        if let Some(parent) = to.parent() {
            folder(parent)?;
        }
        match login.how {
            HandOver::Link => symlink(&login.from, &to)?,
            HandOver::Copy => write(&to, &fs::read(&login.from)?)?,
        }
    }
    let mut spec = Spec::new(
        std::iter::once(plan.program.clone().into_os_string()).chain(plan.args.iter().map(Into::into)),
        workspace,
    );
    spec.env = plan.environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
    spec.oom_score_adj = Some(OOM_SCORE);
    spec.stderr = Stderr::Log;
    // An agent that has filled its journal would wait for ever; its attempt goes on in a new session.
    spec.on_cap = OnCap::End;
    spec.stdin = match &plan.stdin {
        None => Stdin::Journaled,
        Some(text) if text.is_empty() => Stdin::Null,
        Some(text) => {
            let path = launch.join("prompt");
            write(&path, text.as_bytes())?;
            Stdin::File(path)
        }
    };
    Ok(spec)
}

/// A path below the home; a definition that names one outside is refused.
fn inside(home: &Path, relative: &str) -> io::Result<std::path::PathBuf> {
    let relative = Path::new(relative);
    if relative.components().all(|part| matches!(part, Component::Normal(_))) {
        Ok(home.join(relative))
    } else {
        Err(io::Error::other(format!("{} does not lie in the private home", relative.display())))
    }
}

fn folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Replaces the file whole. The old one goes first: an agent may have left a link there.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        folder(parent)?;
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)
}
