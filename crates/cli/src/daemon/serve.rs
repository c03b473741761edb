//! The composition root: every part of the daemon is built here and handed only what it needs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use divisi_api::types::EntryRequest;
use divisi_api::{Access, Dashboard, Server, ServerOptions};
use divisi_engine::{Engine, Identity, Options, Person};
use divisi_workspace::launch::ShimCommand;
use divisi_workspace::sandbox::{Rung, level};
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::connect::{Found, WAIT_MAX, find};
use super::kept::KeptFile;
use super::listen::{Listen, Listening};
use super::lock::DaemonLock;
use super::push;
use super::record::{DaemonRecord, ProgramStamp};
use crate::agents::Agents;
use crate::config::{Config, ConfigFiles, ProjectSettings};
use crate::dirs::{self, Dirs};
use crate::env_vars;
use crate::errors::{CommandError, Done, ErrorKind};

/// Pause between two tries to take the lock.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// How the daemon is served.
pub(crate) struct ServeOptions {
    /// Where it listens; what is not said here is taken from the settings.
    pub(crate) listen: Listen,
    /// Workspaces may lie in a temporary folder of the system.
    pub(crate) anywhere: bool,
}

/// A daemon that is ready.
pub(crate) struct Ready<'a> {
    /// Where it listens.
    pub(crate) address: &'a str,
    /// A link that lets one browser in.
    pub(crate) link: &'a str,
}

/// Runs the daemon until it is asked to end. Gives `false` when another one runs already.
pub(crate) async fn serve(dirs: Dirs, options: ServeOptions, ready: impl FnOnce(Ready<'_>)) -> Done<bool> {
    let Some(_lock) = lock(&dirs).await? else { return Ok(false) };
    let program =
        ProgramStamp::now().map_err(|error| cannot("this program cannot be found").because(&error))?;
    let divisi = program.path.clone();
    let config = Config::load(&dirs, None)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let port = options.listen.port.or(config.port());
    let listen = Listen { port, remote: options.listen.remote.or_else(|| config.remote().cloned()) };
    let variables: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let person = person_name();
    dirs::make_private(&dirs.data)?;
    let engine = Engine::start(Options {
        data: dirs.data.clone(),
        shim: ShimCommand::new(&divisi, ["shim"]).with_fork_server(),
        agents: Arc::new(Agents::new(dirs.clone(), variables.clone(), divisi.clone())),
        settings: Arc::new(ProjectSettings::new(dirs.clone())),
        parallel: config.parallel(),
        checks_parallel: config.checks_parallel(),
        person: Person { identity: identity(&person), home: dirs.home.clone(), variables, divisi },
        sandbox: config.sandbox(&dirs)?,
        share_agents: config.share_agents(),
        anywhere: options.anywhere || lies_in_temporary_place(&dirs.home),
    });
    let engine = engine.await.map_err(|error| {
        let failed = cannot("the engine did not start").because(&error);
        if error.hint().is_empty() {
            failed
        } else {
            CommandError { hint: error.hint().to_owned(), ..failed }
        }
    })?;
    let Listening { listener, address, origins } = listen.bind(&dirs).await?;
    let devices = Arc::new(KeptFile(dirs.devices()));
    let access = Access::open(devices, address, &origins).map_err(|error| {
        let hint =
            "devices.json in Divisi's state folder is damaged; without it every browser has to enter anew";
        CommandError::new(ErrorKind::Daemon, "the list of devices cannot be read", hint).because(&error)
    })?;
    let token = new_token()?;
    let stop = CancellationToken::new();
    let push = push::start(&dirs, &engine, config.push()?, access.clone(), stop.clone())?;
    let record = DaemonRecord {
        pid: std::process::id(),
        address: address.to_string(),
        token: token.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        program,
        started: Timestamp::now(),
    };
    // Requests wait in the listener until they are accepted, so who reads the record may ask at once.
    record.save(&dirs)?;
    tracing::info!(%address, pid = record.pid, data = %dirs.data.display(), "the daemon is ready");
    let link = access.entry(&EntryRequest::default())?.link;
    ready(Ready { address: &record.address, link: &link });
    let data = dirs.data.clone();
    tokio::task::spawn_blocking(move || {
        let level = level(&data);
        match level.rung {
            Rung::Full => tracing::info!("the sandbox has namespaces and overlays"),
            rung => {
                tracing::warn!(?rung, why = level.why.as_deref(), "the sandbox has not all it could have")
            }
        }
    });
    tokio::spawn(stop_on_signal(stop.clone()));
    let settings = Arc::new(ConfigFiles::new(dirs.clone()));
    let (dashboard, terminal) = (dashboard(), config.terminal());
    let options = ServerOptions { token, access, settings, push, person, dashboard, terminal, stop };
    let served = Server::serve(engine.clone(), listener, options).await;
    engine.shutdown().await;
    DaemonRecord::remove(&dirs);
    tracing::info!("the daemon has ended; agents that were at work go on in their shims");
    served.map_err(|error| cannot("the server failed").because(&error))?;
    Ok(true)
}

/// The dashboard, where this program has it.
fn dashboard() -> Option<Dashboard> {
    #[cfg(feature = "dashboard")]
    return Some(|path| {
        let file = divisi_web::file(path)?;
        Some(divisi_api::Page { mime: file.mime, gzip: file.gzip, immutable: file.immutable })
    });
    #[cfg(not(feature = "dashboard"))]
    None
}

/// Takes the lock. Gives none when another daemon serves. One that was killed holds it for another moment, and so does
/// somebody who only looks whether it is free; neither is a daemon that serves.
async fn lock(dirs: &Dirs) -> Done<Option<DaemonLock>> {
    let started = Instant::now();
    loop {
        if let Some(lock) = DaemonLock::take(dirs)? {
            return Ok(Some(lock));
        }
        if !matches!(find(dirs).await, Found::Nobody) || started.elapsed() > WAIT_MAX {
            return Ok(None);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// A person whose very home is temporary, such as that of a container or a trial, has no better place to offer.
fn lies_in_temporary_place(home: &Path) -> bool {
    std::fs::canonicalize(home).is_ok_and(|home| divisi_workspace::is_temporary(&home))
}

async fn stop_on_signal(stop: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::warn!("signals cannot be heard; the daemon ends by `divisi stop --daemon`");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    stop.cancel();
}

/// The person as the log names them.
fn person_name() -> String {
    let names = [env_vars::USER, env_vars::LOGNAME];
    names.iter().find_map(|name| env_vars::text(name)).unwrap_or_else(|| "person".to_owned())
}

/// The person as commits name them where neither the project nor git says otherwise.
fn identity(person: &str) -> Identity {
    Identity {
        name: env_vars::text(env_vars::GIT_AUTHOR_NAME).unwrap_or_else(|| person.to_owned()),
        email: env_vars::text(env_vars::GIT_AUTHOR_EMAIL).unwrap_or_else(|| format!("{person}@localhost")),
    }
}

/// A token that nobody can guess: 32 random bytes in hex.
fn new_token() -> Done<String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| cannot("there is no randomness for a token").because(&error))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn cannot(message: &str) -> CommandError {
    CommandError::new(ErrorKind::Daemon, message, "divisi doctor looks for the cause")
}
