//! The user's repository as the engine sees it: its top folder, its base commits, its hub.

use std::path::{Path, PathBuf};

use divisi_model::project::Project;
use divisi_model::task::Base;
use divisi_model::{Oid, Refusal};
use divisi_workspace::{
    BadObjectName, CommitId, Head, Hub, HubError, Project as Repository, ProjectError, TreeId,
};

use crate::authority::{internal, with_sources};
use crate::context::blocking;
use crate::export::repositories;
use crate::stage::StepError;
use crate::worker::Local;

/// The top folder of the checkout that holds `path`.
pub(crate) async fn top(local: &Local, path: PathBuf) -> Result<PathBuf, Refusal> {
    let git = local.git.clone();
    let found = blocking(move || Repository::open(&git, &path).map_err(refuse))
        .await
        .map_err(|e| internal(e.0))??;
    match found.top() {
        Some(top) => Ok(top.to_owned()),
        None => Err(Refusal::bad_input(
            "a bare repository has no files to work on",
            "use a checkout of it: git clone REPOSITORY, or git worktree add",
        )),
    }
}

/// Paths of projects stand in the log as text.
pub(crate) fn text(path: &Path) -> Result<String, Refusal> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| {
        Refusal::bad_input("the project's path is not valid UTF-8", "move the repository to another folder")
    })
}

/// Finds what a task starts from, and brings its objects into the hub so that nothing can take them away.
pub(crate) async fn base(local: &Local, project: Project, asked: Option<String>) -> Result<Base, Refusal> {
    let local = local.clone();
    let work = move || -> Result<Base, Refusal> {
        let repository = Repository::open(&local.git, Path::new(&project.root)).map_err(refuse)?;
        let base = find_base(&repository, asked.as_deref())?;
        let hub = hub(&local, &project).map_err(|error| internal(with_sources(&error)))?;
        let commit = commit_id(&base.commit).map_err(|error| internal(with_sources(&error)))?;
        hub.take_base(&repository, &commit).map_err(|error| cannot_take(&error))?;
        Ok(base)
    };
    blocking(work).await.map_err(|error| internal(error.0))?
}

fn find_base(repository: &Repository, asked: Option<&str>) -> Result<Base, Refusal> {
    let head = repository.head().map_err(refuse)?;
    if let Some(word) = asked {
        if let Ok(Some(commit)) = repository.branch(word) {
            return Ok(Base { branch: word.to_owned(), commit: oid(&commit) });
        }
        let commit = repository.resolve(word).map_err(refuse)?;
        let Some(branch) = head.branch() else { return Err(detached()) };
        return Ok(Base { branch: branch.to_owned(), commit: oid(&commit) });
    }
    match head {
        Head::Branch { name, commit: Some(commit) } => Ok(Base { branch: name, commit: oid(&commit) }),
        Head::Branch { name, commit: None } => Err(Refusal::wrong_state(
            format!("the branch {name} has no commit yet"),
            "make a first one: git commit --allow-empty -m \"first\"",
        )),
        Head::Detached { .. } => Err(detached()),
    }
}

fn detached() -> Refusal {
    Refusal::wrong_state(
        "no branch is checked out, so there is none that the result could land on",
        "git switch BRANCH, or name one: --base BRANCH",
    )
}

fn cannot_take(error: &HubError) -> Refusal {
    match error {
        HubError::PartialClone(_) => {
            Refusal::bad_input(error.to_string(), "git fetch --refetch --no-filter fetches all of them")
        }
        HubError::Grafts(_) => Refusal::bad_input(
            error.to_string(),
            "git replace --convert-graft-file makes replace refs of them, which are no obstacle",
        ),
        error => internal(with_sources(error)),
    }
}

fn refuse(error: ProjectError) -> Refusal {
    let hint = match &error {
        ProjectError::NotARepository(_) => "git init makes one; or go to the folder of your project",
        ProjectError::NoSuchCommit(_) => "git branch --all lists the branches",
        ProjectError::BadBranch(_) => "give it another name: git branch -m NEW",
        ProjectError::ObjectFormat { .. } => {
            "make a copy: git init COPY, then git fast-export --all | git -C COPY fast-import"
        }
        _ => "divisi doctor looks for the cause",
    };
    match error {
        ProjectError::NotARepository(_) | ProjectError::NoSuchCommit(_) => {
            Refusal::not_found(error.to_string(), hint)
        }
        _ => Refusal::bad_input(with_sources(&error), hint),
    }
}

/// The project's hub, made at first use.
pub(crate) fn hub(local: &Local, project: &Project) -> Result<Hub, HubError> {
    Hub::open(&local.git, &local.path(&format!("projects/{}/hub.git", project.id)))
}

/// The user's repository of a project.
pub(crate) fn repository(local: &Local, project: &Project) -> Result<Repository, StepError> {
    let root = Path::new(&project.root);
    if !root.exists() {
        let way = "move it back, or say where it is: divisi init in its new place";
        return Err(StepError(format!("the project is not in {} any more; {way}", root.display())));
    }
    Repository::open(&local.git, root).map_err(|error| StepError::of(&error))
}

/// Whether a project is not where it was, and the repository with this top folder begins as it does.
pub(crate) async fn has_moved(local: &Local, project: Project, top: PathBuf) -> Result<bool, StepError> {
    let local = local.clone();
    blocking(move || {
        // One that never had a base cannot be told from any other.
        if !local.path(&format!("projects/{}/hub.git/HEAD", project.id)).exists() {
            return Ok(false);
        }
        let hub = hub(&local, &project).map_err(|error| StepError::of(&error))?;
        let roots = hub.roots().map_err(|error| StepError::of(&error))?;
        if repositories::is_at(&local.git, Path::new(&project.root), &roots) {
            return Ok(false);
        }
        let here = Repository::open(&local.git, &top).map_err(|error| StepError::of(&error))?;
        Ok(repositories::is_clone(&here, &roots))
    })
    .await?
}

pub(crate) fn oid(commit: &CommitId) -> Oid {
    Oid(commit.as_str().to_owned())
}

pub(crate) fn tree_oid(tree: &TreeId) -> Oid {
    Oid(tree.as_str().to_owned())
}

pub(crate) fn commit_id(oid: &Oid) -> Result<CommitId, BadObjectName> {
    CommitId::parse(&oid.0)
}
