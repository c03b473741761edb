//! The order of a landing.

use std::path::Path;

use rustix::fs::{Access, access};

use super::checkout::Prepared;
use super::files::branch_is_in_use;
use super::intent::Intent;
use super::{LandError, LandRequest, Landed};
use crate::git_box::Confine;
use crate::hub::Hub;
use crate::ids::{CommitId, Signature};
use crate::project::{Checkout, Project};

/// A branch going from one place to another; nothing stands for its not existing.
#[derive(Debug, Clone)]
pub(super) struct Move {
    pub(super) branch: String,
    pub(super) full_name: String,
    pub(super) from: Option<CommitId>,
    pub(super) to: Option<CommitId>,
}

/// Points between which a process may die; tests stop there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Prepared,
    BranchMoved,
    FilesMoved,
    Done,
}

impl Hub {
    /// Moves a branch of the user's repository forward, with the files of every checkout of it. The caller keeps
    /// [`Landed`] to be able to undo it.
    pub fn land(&self, project: &Project, request: &LandRequest) -> Result<Landed, LandError> {
        if let Some(expected) = &request.expected
            && !self.is_ancestor(expected, &request.new)?
        {
            return Err(LandError::NotForward(request.branch.clone()));
        }
        let step = Move {
            branch: request.branch.clone(),
            full_name: project.full_branch(&request.branch)?,
            from: request.expected.clone(),
            to: Some(request.new.clone()),
        };
        let checkouts = self.move_branch(project, &step, &request.by, &request.reason, &mut |_| true)?;
        let (branch, old, new) = (request.branch.clone(), request.expected.clone(), request.new.clone());
        Ok(Landed { branch, old, new, checkouts })
    }

    /// Takes a landing back: the branch, the files and the index become what they were, if the branch is still
    /// where the landing left it.
    pub fn undo(
        &self,
        project: &Project,
        landed: &Landed,
        by: &Signature,
        reason: &str,
    ) -> Result<(), LandError> {
        let step = Move {
            branch: landed.branch.clone(),
            full_name: project.full_branch(&landed.branch)?,
            from: Some(landed.new.clone()),
            to: landed.old.clone(),
        };
        self.move_branch(project, &step, by, reason, &mut |_| true).map(drop)
    }

    pub(super) fn move_branch(
        &self,
        project: &Project,
        step: &Move,
        by: &Signature,
        reason: &str,
        go_on: &mut dyn FnMut(Step) -> bool,
    ) -> Result<Vec<std::path::PathBuf>, LandError> {
        // One landing at a time per hub; the index lock and the compare-and-swap guard against everybody else.
        let _held = self.lock("land.lock")?;
        check_branch(project, step)?;
        if let Some(to) = &step.to {
            send_objects(self, project, to)?;
        }
        branch_is_in_use(&project.checkouts()?, &step.full_name)?;
        let checkouts = checkouts_of(project, step)?;
        let mut intent = Intent::begin(self, step)?;
        let mut prepared = Vec::new();
        for checkout in checkouts {
            prepared.push(Prepared::new(self, project, checkout, step, &mut intent)?);
        }
        intent.save()?;
        if !go_on(Step::Prepared) {
            return abandon(prepared, intent);
        }
        swap(project, step, by, reason)?;
        match bring_along(project, step, (by, reason), &mut prepared, go_on) {
            Ok(true) => Ok(prepared.iter().map(|one| one.checkout.top.clone()).collect()),
            Ok(false) => abandon(prepared, intent),
            // Everything is as it was.
            Err(error @ (LandError::Busy { .. } | LandError::PutBack { .. })) => Err(error),
            // Neither done nor put back: with what is written down of it, it is finished later.
            Err(error) => abandon(prepared, intent).and(Err(error)),
        }
    }
}

/// Brings the checkouts to where the branch is, or everything back to where it was. False if it was not to go on.
fn bring_along(
    project: &Project,
    step: &Move,
    (by, reason): (&Signature, &str),
    prepared: &mut [Prepared],
    go_on: &mut dyn FnMut(Step) -> bool,
) -> Result<bool, LandError> {
    if !go_on(Step::BranchMoved) {
        return Ok(false);
    }
    // Who switched to the branch after it was looked for has the old files under the new commit: back at once.
    let back = Move { from: step.to.clone(), to: step.from.clone(), ..step.clone() };
    let swap_back = || swap(project, &back, by, &format!("{reason} (put back)"));
    let newcomer = |c: &Checkout| prepared.iter().all(|known| known.checkout.top != c.top);
    if let Some(checkout) = checkouts_of(project, step)?.into_iter().find(newcomer) {
        swap_back()?;
        let what = "it switched to the branch at this moment".to_owned();
        return Err(LandError::Busy { checkout: checkout.top, what });
    }
    let put_back = |touched: &[Prepared], failed: &Prepared, source| {
        touched.iter().rev().try_for_each(Prepared::put_back)?;
        swap_back()?;
        Err(LandError::PutBack { checkout: failed.checkout.top.clone(), source: Box::new(source) })
    };
    for (n, one) in prepared.iter().enumerate() {
        if let Err(source) = one.move_files(step) {
            return put_back(&prepared[..=n], one, source);
        }
    }
    if !go_on(Step::FilesMoved) {
        return Ok(false);
    }
    for one in prepared.iter() {
        if let Err(source) = one.write_index() {
            return put_back(prepared, one, source);
        }
    }
    prepared.iter_mut().try_for_each(Prepared::install_index)?;
    go_on(Step::Done);
    Ok(true)
}

fn checkouts_of(project: &Project, step: &Move) -> Result<Vec<Checkout>, LandError> {
    let on_it = |c: &Checkout| c.branch.as_deref() == Some(&step.full_name);
    Ok(project.checkouts()?.into_iter().filter(on_it).collect())
}

/// Leaves everything as a dying process would, for [`Hub::recover_landings`].
fn abandon(prepared: Vec<Prepared>, intent: Intent) -> Result<Vec<std::path::PathBuf>, LandError> {
    prepared.into_iter().for_each(std::mem::forget);
    std::mem::forget(intent);
    Ok(Vec::new())
}

fn check_branch(project: &Project, step: &Move) -> Result<(), LandError> {
    let call = project.call().args(["symbolic-ref", "-q", &step.full_name]).accept(&[0, 1]);
    let symbolic = call.run().map_err(|source| LandError::Git { doing: "look at the branch", source })?;
    if symbolic.code == 0 {
        return Err(LandError::Symbolic(step.branch.clone()));
    }
    let found = project.branch(&step.branch)?;
    if found == step.from {
        Ok(())
    } else {
        Err(LandError::Moved { branch: step.branch.clone(), expected: step.from.clone(), found })
    }
}

/// Copies what the user's repository does not have of `commit`. No ref moves, no `FETCH_HEAD` is written.
fn send_objects(hub: &Hub, project: &Project, commit: &CommitId) -> Result<(), LandError> {
    let writable: [&Path; 2] = [project.common_dir(), project.git_dir()];
    project
        .call()
        .env("GIT_CONFIG_GLOBAL", hub.fetch_settings()?)
        .config("protocol.file.allow", "always")
        .config("protocol.version", "2")
        .args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"])
        .args(["--no-recurse-submodules", "--end-of-options"])
        .arg(hub.dir())
        .arg(commit.as_str())
        .confine(Confine::writing(writable).any_program())
        .long()
        .run()
        .map_err(|source| match access(project.common_dir().join("objects"), Access::WRITE_OK) {
            Ok(()) => LandError::Git { doing: "copy the commits into the project", source },
            Err(e) => {
                LandError::Io { doing: "write in", path: project.common_dir().into(), source: e.into() }
            }
        })?;
    Ok(())
}

/// Moves the branch if it is where it has to be.
pub(super) fn swap(project: &Project, step: &Move, by: &Signature, reason: &str) -> Result<(), LandError> {
    let zeros = "0".repeat(40);
    let name = |id: &Option<CommitId>| id.as_ref().map_or(zeros.clone(), ToString::to_string);
    let command = match &step.to {
        Some(to) => format!("update {}\0{to}\0{}\0", step.full_name, name(&step.from)),
        None => format!("delete {}\0{}\0", step.full_name, name(&step.from)),
    };
    let reason: String = reason.chars().filter(|c| !c.is_control()).take(200).collect();
    let writable: [&Path; 2] = [project.common_dir(), project.git_dir()];
    let call =
        project.call().args(["update-ref", "--no-deref", "-m", &reason, "-z", "--stdin"]).committer(by);
    let moved = call.stdin(command).confine(Confine::writing(writable)).run();
    let Err(source) = moved else { return Ok(()) };
    let found = project.branch(&step.branch)?;
    let lock = format!("{}.lock", step.full_name);
    if found == step.from && project.common_dir().join(&lock).exists() {
        let what = format!("another git command holds the branch ({lock})");
        return Err(LandError::Busy { checkout: project.common_dir().into(), what });
    }
    if found == step.from {
        return Err(LandError::Git { doing: "move the branch", source });
    }
    Err(LandError::Moved { branch: step.branch.clone(), expected: step.from.clone(), found })
}
