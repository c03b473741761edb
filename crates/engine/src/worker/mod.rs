//! The seam between the stages and the world: a worker is where attempts run. It makes workspaces, keeps snapshots,
//! builds results, runs what is launched and moves branches. This machine is one ([`Local`]), and a simulation is another.
//!
//! Every answer is a value, and every question may be asked again: after a crash the stages do.

mod launch;
mod local;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use divisi_agent::AgentLaunch;
use divisi_model::comment::{CommentMove, Lines};
use divisi_model::event::{AttemptResult, Landing, SandboxKind, Workspace};
use divisi_model::project::Project;
use divisi_model::task::Base;
use divisi_model::{AttemptState, Oid, Refusal, TaskState};
use divisi_workspace::launch::Spec;
use divisi_workspace::{
    BlobId, CommitId, Diff, DiffLimits, DiffPath, DiffStat, FileDiff, HubRefs, LoggedCommit, Terminal,
    TerminalSize,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use crate::stage::StepError;
use crate::surroundings::{Resources, Standing};

pub use crate::landings::{Built, Combination, Moved};
pub use crate::workspaces::{Back, PutAway, RolledBack, Taken, name};
pub use launch::{Launch, Output};
pub(crate) use local::Local;

/// What a worker answers with, some time later.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StepError>>;

/// What a worker is told of an attempt: everything that is known of it.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its project.
    pub project: Project,
    /// Its task.
    pub task: Arc<TaskState>,
    /// Its number in the task.
    pub number: u16,
}

impl Attempt {
    /// Its state.
    pub fn state(&self) -> Result<&AttemptState, StepError> {
        self.task.attempt(self.number).ok_or_else(|| StepError("the attempt is gone".to_owned()))
    }

    /// The name of its workspace and snapshots: `t12.1`.
    pub fn name(&self) -> String {
        name(&self.task, self.number)
    }
}

/// What a hub holds, besides the objects in its pack.
#[derive(Clone, Debug)]
pub struct Carried {
    /// Its refs.
    pub hub: HubRefs,
    /// Commits that were asked for and are not in it.
    pub missing: Vec<CommitId>,
}

/// Where attempts run.
pub trait Worker: Send + Sync {
    /// Puts right what a process that died may have left half done.
    fn tidy(&self, project: Project) -> Answer<'_, ()>;
    /// The top folder of the checkout that holds a path.
    fn top(&self, path: PathBuf) -> BoxFuture<'_, Result<PathBuf, Refusal>>;
    /// Whether a project is not where it was, and the repository with this top folder begins as it does.
    fn has_moved(&self, _project: Project, _top: PathBuf) -> Answer<'_, bool> {
        Box::pin(async { Ok(false) })
    }
    /// The paths of all files in a base.
    fn paths(&self, _project: Project, _base: Oid) -> Answer<'_, Vec<String>> {
        Box::pin(async { Ok(Vec::new()) })
    }
    /// What a task starts from; nothing can take it away from then on.
    fn base(&self, project: Project, asked: Option<String>) -> BoxFuture<'_, Result<Base, Refusal>>;

    /// Makes the workspace of an attempt, or finds the one that was made before.
    fn create(&self, attempt: Attempt) -> Answer<'_, Workspace>;
    /// Makes a workspace again whose folder was deleted by hand: as its newest snapshot has it, or its base where there
    /// is none yet. How it is made now, if that was needed.
    fn bring_back(&self, _attempt: Attempt) -> Answer<'_, Option<String>> {
        async { Ok(None) }.boxed()
    }
    /// Keeps the whole workspace on a hidden ref.
    fn snapshot(&self, attempt: Attempt, turn: u32) -> Answer<'_, Taken>;
    /// Builds the attempt's commit from its files, as they were when the turn ended.
    fn result(&self, attempt: Attempt, turn: u32) -> Answer<'_, AttemptResult>;
    /// Brings the workspace onto another base. The files that conflict have markers then, and are named.
    fn move_base(&self, attempt: Attempt, base: Oid) -> Answer<'_, Vec<String>>;
    /// Brings files back as a snapshot has them, after a snapshot of what is there now. The same answer again to the same
    /// `number`.
    fn roll_back(
        &self,
        _attempt: Attempt,
        _number: u32,
        _to: Oid,
        _paths: Vec<String>,
    ) -> Answer<'_, RolledBack> {
        Box::pin(async { Err(StepError("this worker keeps no snapshots".to_owned())) })
    }
    /// What an attempt uses at this moment; `launch`: the folder of its living agent.
    fn resources(&self, _attempt: Attempt, _launch: Option<PathBuf>) -> Answer<'_, Resources> {
        Box::pin(async { Ok(Resources::default()) })
    }
    /// Where its workspace stands.
    fn standing(&self, _attempt: Attempt, _launch: Option<PathBuf>) -> Answer<'_, Standing> {
        Box::pin(async { Err(StepError("this worker has no workspaces".to_owned())) })
    }
    /// Opens a shell for the person in its workspace, with this environment.
    fn terminal(
        &self,
        _attempt: Attempt,
        _environment: Vec<(String, String)>,
        _size: TerminalSize,
    ) -> BoxFuture<'_, Result<Terminal, Refusal>> {
        Box::pin(async { Err(Refusal::wrong_state("this worker has no workspaces", "")) })
    }
    /// Counts what changed between each of these pairs of commits.
    fn count(&self, _project: Project, _pairs: Vec<(Oid, Oid)>) -> Answer<'_, Vec<DiffStat>> {
        Box::pin(async { Err(StepError("this worker keeps no snapshots".to_owned())) })
    }
    /// Keeps everything on a hidden ref, then removes the workspace.
    fn archive(&self, attempt: Attempt) -> Answer<'_, PutAway>;
    /// Brings an archived workspace back.
    fn restore(&self, attempt: Attempt) -> Answer<'_, Back>;
    /// Writes a pack with all that the project's hub holds to a file; those of the commits that it does not hold.
    fn carry(&self, _project: Project, _commits: BTreeSet<CommitId>, _pack: PathBuf) -> Answer<'_, Carried> {
        no_hub()
    }
    /// Those of the files that still have conflict markers in a commit.
    fn with_markers(&self, project: Project, commit: Oid, files: Vec<String>) -> Answer<'_, Vec<String>>;
    /// A clean checkout of a commit, for a check; the same one when it is there already.
    fn clean_checkout(&self, project: Project, commit: Oid, checkout: String) -> Answer<'_, PathBuf>;
    /// Removes a checkout that a check ran in.
    fn remove_checkout(&self, project: Project, checkout: String) -> Answer<'_, ()>;
    /// What changed between two commits.
    fn diff(&self, project: Project, from: Oid, to: Oid) -> Answer<'_, Diff>;
    /// The files that changed between two commits, without hunks.
    fn diff_files(&self, _project: Project, _from: Oid, _to: Oid, _how: DiffLimits) -> Answer<'_, Diff> {
        no_hub()
    }
    /// Some files of what changed between two commits, with their hunks.
    fn diff_some(
        &self,
        _project: Project,
        _from: Oid,
        _to: Oid,
        _paths: Vec<DiffPath>,
        _how: DiffLimits,
    ) -> Answer<'_, Vec<FileDiff>> {
        no_hub()
    }
    /// The bytes of a file of some commit, at most `max`; none: there is no such file.
    fn blob(&self, _project: Project, _blob: BlobId, _max: u64) -> Answer<'_, Option<Vec<u8>>> {
        no_hub()
    }
    /// The commits after one and up to another, newest first, at most `max`.
    fn commits(
        &self,
        _project: Project,
        _after: Oid,
        _to: Oid,
        _max: usize,
    ) -> Answer<'_, Vec<LoggedCommit>> {
        no_hub()
    }
    /// What lines of a file say.
    fn quote(&self, _project: Project, _commit: Oid, _file: String, _lines: Lines) -> Answer<'_, String> {
        async { Ok(String::new()) }.boxed()
    }
    /// Where the comments that were written before stand in a new result.
    fn follow(&self, _attempt: Attempt, _result: AttemptResult) -> Answer<'_, Vec<CommentMove>> {
        async { Ok(Vec::new()) }.boxed()
    }

    /// Puts the result on the target as it is now. The same commit each time, as long as the target stays.
    fn build(&self, attempt: Attempt) -> Answer<'_, Built>;
    /// Whether a landing that was prepared has happened: the target holds it.
    fn has_happened(&self, project: Project, landing: Landing) -> Answer<'_, bool>;
    /// Moves the target branch onto the combination, if it is still where it was.
    fn advance(&self, attempt: Attempt, landing: Landing) -> Answer<'_, Moved>;
    /// Moves the target branch back to where it was, if it is still where the landing left it.
    fn take_back(&self, attempt: Attempt, landing: Landing) -> Answer<'_, Moved>;

    /// What launches are kept by here. An error where one is required and cannot be had.
    fn sandbox(&self) -> Answer<'_, SandboxKind> {
        Box::pin(async { Ok(SandboxKind::Off) })
    }
    /// Makes an agent's private home; then says what to start.
    fn furnish(&self, plan: AgentLaunch, workspace: PathBuf, dir: PathBuf) -> Answer<'_, Spec>;
    /// Takes up the launch of a folder. `None`: it was never started.
    fn attach(&self, dir: PathBuf) -> Answer<'_, Option<Arc<dyn Launch>>>;
    /// Starts a launch in a folder that has none.
    fn start(&self, dir: PathBuf, spec: Spec) -> Answer<'_, Arc<dyn Launch>>;
    /// Removes the folder of a launch that has ended.
    fn remove(&self, dir: PathBuf) -> Answer<'_, ()>;
    /// The end of what a launch wrote, at most `bytes`.
    fn log(&self, dir: PathBuf, bytes: u64) -> Answer<'_, Vec<u8>>;
    /// How much a launch wrote. `None`: nothing is kept of it.
    fn log_bytes(&self, _dir: PathBuf) -> Answer<'_, Option<u64>> {
        Box::pin(async { Ok(None) })
    }
    /// The end of what a launch wrote as text, and the SHA-256 of all of it.
    fn log_end(&self, dir: PathBuf, bytes: usize) -> Answer<'_, (String, String)>;
    /// A small file. `None`: there is none.
    fn load(&self, path: PathBuf) -> Answer<'_, Option<Vec<u8>>>;
    /// Replaces a small file whole, and makes its folder.
    fn save(&self, path: PathBuf, content: Vec<u8>) -> Answer<'_, ()>;
}

/// The answer of a worker without a hub.
fn no_hub<'a, T: Send + 'a>() -> Answer<'a, T> {
    async { Err(StepError("this worker has no hub of its own".to_owned())) }.boxed()
}
