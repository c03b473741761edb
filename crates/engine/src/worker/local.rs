//! This machine as a worker: git through its door, launches through their shims.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use divisi_agent::AgentLaunch;
use divisi_model::comment::{CommentMove, Lines};
use divisi_model::event::{AttemptResult, Landing, SandboxKind, Workspace};
use divisi_model::project::Project;
use divisi_model::task::Base;
use divisi_model::{Oid, Refusal};
use divisi_workspace::launch::{self, LaunchError, Spec};
use divisi_workspace::{
    BlobId, CommitId, Diff, DiffLimits, DiffPath, DiffStat, FileDiff, Git, LoggedCommit, Terminal,
    TerminalSize,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::{Answer, Attempt, Back, Built, Carried, Launch, Moved, PutAway, RolledBack, Taken, Worker};
use crate::context::blocking;
use crate::options::Options;
use crate::stage::StepError;
use crate::surroundings::{Resources, Standing};
use crate::{
    comments, export, homes, housekeeping, images, landings, logs, looks, repository, sandbox, snapshots,
    surroundings, terminals, workspaces,
};

/// This machine.
#[derive(Clone)]
pub(crate) struct Local {
    pub(crate) git: Git,
    pub(crate) options: Options,
}

impl Local {
    /// A path below the data folder.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.options.data.join(relative)
    }
}

impl Worker for Local {
    fn tidy(&self, project: Project) -> Answer<'_, ()> {
        housekeeping::tidy(self, project).boxed()
    }

    fn top(&self, path: PathBuf) -> BoxFuture<'_, Result<PathBuf, Refusal>> {
        repository::top(self, path).boxed()
    }

    fn has_moved(&self, project: Project, top: PathBuf) -> Answer<'_, bool> {
        repository::has_moved(self, project, top).boxed()
    }

    fn base(&self, project: Project, asked: Option<String>) -> BoxFuture<'_, Result<Base, Refusal>> {
        repository::base(self, project, asked).boxed()
    }

    fn paths(&self, project: Project, base: Oid) -> Answer<'_, Vec<String>> {
        looks::paths(self, project, base).boxed()
    }

    fn create(&self, attempt: Attempt) -> Answer<'_, Workspace> {
        workspaces::create(self, attempt).boxed()
    }

    fn bring_back(&self, attempt: Attempt) -> Answer<'_, Option<String>> {
        workspaces::bring_back(self, attempt).boxed()
    }

    fn snapshot(&self, attempt: Attempt, turn: u32) -> Answer<'_, Taken> {
        workspaces::snapshot(self, attempt, turn).boxed()
    }

    fn result(&self, attempt: Attempt, turn: u32) -> Answer<'_, AttemptResult> {
        workspaces::result(self, attempt, turn).boxed()
    }

    fn move_base(&self, attempt: Attempt, base: Oid) -> Answer<'_, Vec<String>> {
        workspaces::move_base(self, attempt, base).boxed()
    }

    fn roll_back(
        &self,
        attempt: Attempt,
        number: u32,
        to: Oid,
        paths: Vec<String>,
    ) -> Answer<'_, RolledBack> {
        workspaces::roll_back(self, attempt, number, to, paths).boxed()
    }

    fn resources(&self, attempt: Attempt, launch: Option<PathBuf>) -> Answer<'_, Resources> {
        surroundings::used(self, attempt, launch).boxed()
    }

    fn standing(&self, attempt: Attempt, launch: Option<PathBuf>) -> Answer<'_, Standing> {
        surroundings::stands(self, attempt, launch).boxed()
    }

    fn terminal(
        &self,
        attempt: Attempt,
        environment: Vec<(String, String)>,
        size: TerminalSize,
    ) -> BoxFuture<'_, Result<Terminal, Refusal>> {
        terminals::start(self, attempt, environment, size).boxed()
    }

    fn count(&self, project: Project, pairs: Vec<(Oid, Oid)>) -> Answer<'_, Vec<DiffStat>> {
        snapshots::count(self, project, pairs).boxed()
    }

    fn archive(&self, attempt: Attempt) -> Answer<'_, PutAway> {
        workspaces::archive(self, attempt).boxed()
    }

    fn restore(&self, attempt: Attempt) -> Answer<'_, Back> {
        workspaces::restore(self, attempt).boxed()
    }

    fn carry(&self, project: Project, commits: BTreeSet<CommitId>, pack: PathBuf) -> Answer<'_, Carried> {
        export::carry(self, project, commits, pack).boxed()
    }

    fn with_markers(&self, project: Project, commit: Oid, files: Vec<String>) -> Answer<'_, Vec<String>> {
        workspaces::with_markers(self, project, commit, files).boxed()
    }

    fn clean_checkout(&self, project: Project, commit: Oid, checkout: String) -> Answer<'_, PathBuf> {
        workspaces::clean_checkout(self, project, commit, checkout).boxed()
    }

    fn remove_checkout(&self, project: Project, checkout: String) -> Answer<'_, ()> {
        workspaces::remove_checkout(self, project, checkout).boxed()
    }

    fn diff(&self, project: Project, from: Oid, to: Oid) -> Answer<'_, Diff> {
        let limits = DiffLimits::default();
        looks::between(self, project, from, to, move |hub, from, to| hub.diff(from, to, &limits)).boxed()
    }

    fn diff_files(&self, project: Project, from: Oid, to: Oid, how: DiffLimits) -> Answer<'_, Diff> {
        looks::between(self, project, from, to, move |hub, from, to| hub.diff_files(from, to, &how)).boxed()
    }

    fn diff_some(
        &self,
        project: Project,
        from: Oid,
        to: Oid,
        paths: Vec<DiffPath>,
        how: DiffLimits,
    ) -> Answer<'_, Vec<FileDiff>> {
        looks::between(self, project, from, to, move |hub, from, to| hub.diff_some(from, to, &paths, &how))
            .boxed()
    }

    fn blob(&self, project: Project, blob: BlobId, max: u64) -> Answer<'_, Option<Vec<u8>>> {
        looks::blob(self, project, blob, max).boxed()
    }

    fn commits(&self, project: Project, after: Oid, to: Oid, max: usize) -> Answer<'_, Vec<LoggedCommit>> {
        looks::between(self, project, after, to, move |hub, after, to| hub.commits(after, to, max)).boxed()
    }

    fn quote(&self, project: Project, commit: Oid, file: String, lines: Lines) -> Answer<'_, String> {
        comments::quote(self, project, commit, file, lines).boxed()
    }

    fn follow(&self, attempt: Attempt, result: AttemptResult) -> Answer<'_, Vec<CommentMove>> {
        comments::follow(self, attempt, result).boxed()
    }

    fn build(&self, attempt: Attempt) -> Answer<'_, Built> {
        landings::build(self, attempt).boxed()
    }

    fn has_happened(&self, project: Project, landing: Landing) -> Answer<'_, bool> {
        landings::has_happened(self, project, landing).boxed()
    }

    fn advance(&self, attempt: Attempt, landing: Landing) -> Answer<'_, Moved> {
        landings::advance(self, attempt, landing).boxed()
    }

    fn take_back(&self, attempt: Attempt, landing: Landing) -> Answer<'_, Moved> {
        landings::take_back(self, attempt, landing).boxed()
    }

    fn sandbox(&self) -> Answer<'_, SandboxKind> {
        let options = self.options.clone();
        async move { blocking(move || sandbox::kind(&options)).await? }.boxed()
    }

    fn furnish(&self, plan: AgentLaunch, workspace: PathBuf, dir: PathBuf) -> Answer<'_, Spec> {
        io(move || {
            let mut spec = homes::furnish(&plan, &workspace, &dir)?;
            let mut sandbox = sandbox::for_agent(&plan);
            sandbox.visible.push(images::furnish(&plan.home)?);
            spec.sandbox = Some(sandbox);
            Ok(spec)
        })
    }

    fn attach(&self, dir: PathBuf) -> Answer<'_, Option<Arc<dyn Launch>>> {
        let attach = async move {
            match launch::Launch::attach(&dir, &self.options.shim).await {
                Ok(launch) => Ok(Some(shared(launch))),
                Err(LaunchError::NotALaunch(_) | LaunchError::NeverStarted(_)) => Ok(None),
                Err(error) => Err(StepError::of(&error)),
            }
        };
        attach.boxed()
    }

    fn start(&self, dir: PathBuf, mut spec: Spec) -> Answer<'_, Arc<dyn Launch>> {
        let (git, options) = (self.git.clone(), self.options.clone());
        let start = async move {
            let spec =
                blocking(move || sandbox::complete(&git, &options, &mut spec).map(|()| spec)).await??;
            let started = launch::Launch::start(&dir, &spec, &self.options.shim).await;
            started.map(shared).map_err(|error| StepError::of(&error))
        };
        start.boxed()
    }

    fn remove(&self, dir: PathBuf) -> Answer<'_, ()> {
        io(move || std::fs::remove_dir_all(dir))
    }

    fn log(&self, dir: PathBuf, bytes: u64) -> Answer<'_, Vec<u8>> {
        io(move || logs::end_of(&dir.join(launch::OUT_JOURNAL), bytes))
    }

    fn log_bytes(&self, dir: PathBuf) -> Answer<'_, Option<u64>> {
        io(move || match std::fs::metadata(dir.join(launch::OUT_JOURNAL)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            found => found.map(|found| Some(found.len())),
        })
    }

    fn log_end(&self, dir: PathBuf, bytes: usize) -> Answer<'_, (String, String)> {
        io(move || logs::end_and_hash(&dir.join(launch::OUT_JOURNAL), bytes))
    }

    fn load(&self, path: PathBuf) -> Answer<'_, Option<Vec<u8>>> {
        io(move || match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        })
    }

    fn save(&self, path: PathBuf, content: Vec<u8>) -> Answer<'_, ()> {
        io(move || {
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
            let mut next = path.clone().into_os_string();
            next.push(".new");
            std::fs::write(&next, content)?;
            std::fs::rename(next, path)
        })
    }
}

fn shared(launch: launch::Launch) -> Arc<dyn Launch> {
    Arc::new(launch)
}

/// Work on files, beside the async tasks.
fn io<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> Answer<'static, T> {
    async move { blocking(work).await?.map_err(|error| StepError::of(&error)) }.boxed()
}
