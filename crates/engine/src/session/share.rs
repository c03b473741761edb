//! Sessions that share a process of their agent: whether one may, and which host it joins.
//!
//! The sessions of a project whose agent is configured alike have one private home, `homes/shared-KEY`, so that each
//! finds its own conversation again in another process. Hosts lie in `hosts/KEY/N`. Beside the launch of a session
//! stands which host it joined; the open ones are counted by that.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use divisi_agent::{AgentLaunch, Definition, Drive, LaunchContext};
use divisi_model::event::SandboxKind;
use divisi_model::{AttemptId, AttemptState, TaskState};
use divisi_workspace::host;
use divisi_workspace::launch::{OnCap, Spec, State};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::plan::Cannot;
use crate::context::{Context, blocking};
use crate::run;
use crate::stage::StepError;

/// How long a host stays whose last session is gone.
const LINGER: Duration = Duration::from_secs(60);
/// The file beside the launch of a session that says which host it joined.
const JOINED: &str = "host";
/// Made in the launch folder of a host that no further session is to join: it still has what it was started with.
const OUTDATED: &str = "outdated";
/// The variables of a workspace that are the same for all of a project. The others would be true for one session only.
const OF_THE_PROJECT: [&str; 2] = ["DIVISI", "DIVISI_ROOT_PATH"];
/// How many characters of a checksum make a name.
const KEY_LENGTH: usize = 16;

/// The hosts of one home, as they stand in `hosts/KEY/hosts.json`.
#[derive(Default, Serialize, Deserialize)]
struct Hosts {
    /// The number of the newest there ever was.
    last: u32,
    /// Those that were not seen to have ended.
    running: Vec<Running>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Running {
    number: u32,
    /// The checksum of what it runs.
    plan: String,
}

/// What a session and its host have in common.
struct Shared<'a> {
    context: &'a Arc<Context>,
    /// Whose session it is.
    id: AttemptId,
    /// The most sessions that one process may hold.
    most: usize,
    key: String,
    plan: AgentLaunch,
    checksum: String,
}

/// The relay to a host with room for the session of this attempt, whose launch folder is `dir`; the host is started
/// where there is none. None where the session has to have a process of its own.
pub(super) async fn join(
    context: &Arc<Context>,
    id: AttemptId,
    task: &TaskState,
    attempt: &AttemptState,
    definition: &Definition,
    own: &LaunchContext,
    dir: &Path,
) -> Result<Option<Spec>, Cannot> {
    let Some(most) = most(context, attempt, definition).await else { return Ok(None) };
    let shared = plan(context, id, task, definition, own, most).await?;
    // From the look at who is there until the choice can be read by the next one.
    let _held = context.hosts.lock().await;
    let host = shared.host().await?;
    let name = host.to_string_lossy().into_owned().into_bytes();
    context.worker.save(dir.join(JOINED), name).await?;
    let mut spec = host::relay_spec(context.options.person.divisi.clone(), host, own.workspace.clone());
    spec.oom_score_adj = Some(crate::homes::OOM_SCORE);
    spec.on_cap = OnCap::End;
    Ok(Some(spec))
}

/// Lets no further session join the host of this attempt's session, if it has one: the next is for a new process.
pub(super) async fn outdate(context: &Context, attempt: &AttemptState) -> Result<(), StepError> {
    let Some(session) = attempt.open_session() else { return Ok(()) };
    match context.worker.load(context.path(&session.launch).join(JOINED)).await? {
        Some(host) => {
            let host = PathBuf::from(String::from_utf8_lossy(&host).into_owned());
            context.worker.save(host.join(OUTDATED), Vec::new()).await
        }
        None => Ok(()),
    }
}

/// How many sessions a process may hold; none where this one has to have its own.
async fn most(context: &Context, attempt: &AttemptState, definition: &Definition) -> Option<usize> {
    let most = definition.acp.sessions.filter(|most| *most > 1)?;
    let is_plain = attempt.workspace.as_ref().is_some_and(|workspace| workspace.kind == "checkout");
    if !context.options.share_agents || definition.drive != Drive::Acp || !is_plain {
        return None;
    }
    // A process in a sandbox sees the one workspace that it was started for.
    let sandbox = context.worker.sandbox().await.ok()?;
    (sandbox == SandboxKind::Off).then_some(usize::from(most))
}

/// Plans the launch as it is for everybody: without what is one workspace's alone.
async fn plan<'a>(
    context: &'a Arc<Context>,
    id: AttemptId,
    task: &TaskState,
    definition: &Definition,
    own: &LaunchContext,
    most: usize,
) -> Result<Shared<'a>, Cannot> {
    let facts = {
        let (agents, definition) = (Arc::clone(&context.options.agents), definition.clone());
        blocking(move || agents.facts(&definition)).await?
    };
    let launch = |home: PathBuf| {
        let mut extra = own.extra.clone();
        extra.retain(|name, _| OF_THE_PROJECT.contains(&name.as_str()));
        let temp = home.join("tmp");
        let shared = LaunchContext { workspace: home.clone(), home, temp, extra, ..own.clone() };
        definition.launch(&facts, &shared).map_err(|error| Cannot::Start(error.to_string()))
    };
    // The name of the home depends on all that lies in it, and what lies in it may name the home.
    let nameless = launch(PathBuf::from("/"))?;
    let in_home = (task.spec.project, definition, &nameless.files, &nameless.logins);
    let mut key = checksum(&in_home)?;
    key.truncate(KEY_LENGTH);
    let plan = launch(context.path(&format!("homes/shared-{key}")))?;
    let checksum = checksum(&plan)?;
    Ok(Shared { context, id, most, key, plan, checksum })
}

impl Shared<'_> {
    /// The launch folder of a host that runs and has room.
    async fn host(&self) -> Result<PathBuf, Cannot> {
        let record = self.context.path(&format!("hosts/{}/hosts.json", self.key));
        let known = self.context.worker.load(record.clone()).await?;
        let mut hosts: Hosts =
            known.and_then(|known| serde_json::from_slice(&known).ok()).unwrap_or_default();
        let taken = self.taken().await?;
        for running in std::mem::take(&mut hosts.running) {
            let dir = self.dir(running.number);
            let is_outdated = self.context.worker.load(dir.join(OUTDATED)).await?.is_some();
            let alike = running.plan == self.checksum && !is_outdated;
            // In this order: see `host::OVER`.
            if alike && taken.iter().filter(|taken| **taken == dir).count() < self.most {
                self.context.worker.save(dir.join(host::WANTED), Vec::new()).await?;
                let is_over = self.context.worker.load(dir.join(host::OVER)).await?.is_some();
                if !is_over && self.runs(&dir).await? {
                    return Ok(dir);
                }
            }
            if self.runs(&dir).await? {
                hosts.running.push(running);
            }
        }
        hosts.last += 1;
        hosts.running.push(Running { number: hosts.last, plan: self.checksum.clone() });
        let saved = serde_json::to_vec(&hosts).map_err(|error| StepError::of(&error))?;
        self.context.worker.save(record, saved).await?;
        self.start(hosts.last).await
    }

    async fn start(&self, number: u32) -> Result<PathBuf, Cannot> {
        let dir = self.dir(number);
        let spec = self.context.worker.furnish(self.plan.clone(), self.plan.home.clone(), dir.clone()).await;
        let spec =
            spec.map_err(|error| Cannot::Start(format!("its private home cannot be made: {error}")))?;
        let divisi = self.context.options.person.divisi.clone();
        let spec = host::host_spec(divisi, spec, dir.clone(), LINGER);
        match run::start_or_attach(self.context, &dir, || spec).await {
            Ok(_) => Ok(dir),
            Err(StepError(text)) => Err(Cannot::Start(text)),
        }
    }

    fn dir(&self, number: u32) -> PathBuf {
        self.context.path(&format!("hosts/{}/{number}", self.key))
    }

    async fn runs(&self, dir: &Path) -> Result<bool, StepError> {
        let launch = self.context.worker.attach(dir.to_owned()).await?;
        Ok(launch.is_some_and(|launch| !matches!(launch.status().state, State::Ended(_))))
    }

    /// The hosts of all other open sessions, one for each.
    async fn taken(&self) -> Result<Vec<PathBuf>, StepError> {
        let mut taken = Vec::new();
        for task in self.context.authority.tasks() {
            for attempt in &task.attempts {
                let is_own = task.id == self.id.task && attempt.number == self.id.number;
                let Some(session) = attempt.open_session().filter(|_| !is_own) else { continue };
                let joined = self.context.path(&session.launch).join(JOINED);
                if let Some(host) = self.context.worker.load(joined).await? {
                    taken.push(String::from_utf8_lossy(&host).into_owned().into());
                }
            }
        }
        Ok(taken)
    }
}

fn checksum(of: &impl Serialize) -> Result<String, StepError> {
    let bytes = serde_json::to_vec(of).map_err(|error| StepError::of(&error))?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}
