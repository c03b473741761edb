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
use divisi_model::event::{AttemptResult, Landing, SandboxKind, Workspace};
use divisi_model::project::Project;
use divisi_model::task::Base;
use divisi_model::{AttemptState, Oid, Refusal, TaskState};
use divisi_workspace::launch::Spec;
use divisi_workspace::{CommitId, Diff, HubRefs};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use crate::stage::StepError;

pub use crate::landings::{Built, Combination, Moved};
pub use crate::workspaces::{Back, PutAway, Taken, name};
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
    /// Keeps everything on a hidden ref, then removes the workspace.
    fn archive(&self, attempt: Attempt) -> Answer<'_, PutAway>;
    /// Brings an archived workspace back.
    fn restore(&self, attempt: Attempt) -> Answer<'_, Back>;
    /// Writes a pack with all that the project's hub holds to a file; those of the commits that it does not hold.
    fn carry(&self, _project: Project, _commits: BTreeSet<CommitId>, _pack: PathBuf) -> Answer<'_, Carried> {
        Box::pin(async { Err(StepError("this worker has no hub of its own".to_owned())) })
    }
    /// Those of the files that still have conflict markers in a commit.
    fn with_markers(&self, project: Project, commit: Oid, files: Vec<String>) -> Answer<'_, Vec<String>>;
    /// A clean checkout of a commit, for a check; the same one when it is there already.
    fn clean_checkout(&self, project: Project, commit: Oid, checkout: String) -> Answer<'_, PathBuf>;
    /// Removes a checkout that a check ran in.
    fn remove_checkout(&self, project: Project, checkout: String) -> Answer<'_, ()>;
    /// What changed between two commits.
    fn diff(&self, project: Project, from: Oid, to: Oid) -> Answer<'_, Diff>;

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
    /// The end of what a launch wrote as text, and the SHA-256 of all of it.
    fn log_end(&self, dir: PathBuf, bytes: usize) -> Answer<'_, (String, String)>;
    /// A small file. `None`: there is none.
    fn load(&self, path: PathBuf) -> Answer<'_, Option<Vec<u8>>>;
    /// Replaces a small file whole, and makes its folder.
    fn save(&self, path: PathBuf, content: Vec<u8>) -> Answer<'_, ()>;
}
