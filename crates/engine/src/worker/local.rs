//! This machine as a worker: git through its door, launches through their shims.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use divisi_agent::AgentLaunch;
use divisi_model::event::{AttemptResult, Landing, SandboxKind, Workspace};
use divisi_model::project::Project;
use divisi_model::task::Base;
use divisi_model::{Oid, Refusal};
use divisi_workspace::launch::{self, LaunchError, Spec};
use divisi_workspace::{CommitId, Diff, Git};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::{Answer, Attempt, Back, Built, Carried, Launch, Moved, PutAway, Taken, Worker};
use crate::context::blocking;
use crate::options::Options;
use crate::stage::StepError;
use crate::{export, homes, housekeeping, landings, logs, looks, repository, sandbox, workspaces};

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
        looks::between(self, project, from, to).boxed()
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
            spec.sandbox = Some(sandbox::for_agent(&plan));
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
