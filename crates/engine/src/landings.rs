//! Landing and undo in the user's repository.

use divisi_model::Oid;
use divisi_model::comment::fence_for;
use divisi_model::event::Landing;
use divisi_model::project::Project;
use divisi_model::task::LandingMode;
use divisi_workspace::{Conflicts, IntegrateRequest, Integration, LandError, LandMode, LandRequest, Landed};

use crate::authority::with_sources;
use crate::checks::Subject;
use crate::context::blocking;
use crate::repository::{commit_id, hub, oid, repository, tree_oid};
use crate::stage::StepError;
use crate::worker::{Attempt, Local};
use crate::workspaces::{now, signature, trailers};

/// What became of building the combination.
#[derive(Clone, Debug)]
pub enum Built {
    /// It can be checked and landed.
    Combination(Combination),
    /// It conflicts with what is on the target.
    Conflict {
        /// The files.
        paths: Vec<String>,
        /// Where the target is.
        target: Oid,
        /// What the agent is told.
        prompt: String,
    },
    /// It cannot be built.
    Impossible {
        /// Why.
        text: String,
    },
}

/// A result put on the present target.
#[derive(Clone, Debug)]
pub struct Combination {
    /// What is checked.
    pub subject: Subject,
    /// What is to happen then.
    pub landing: Landing,
}

/// What became of moving a branch.
#[derive(Clone, Debug)]
pub enum Moved {
    /// It moved.
    Yes {
        /// A checkout that shows it was brought along.
        checkout_updated: bool,
    },
    /// It was no longer where it should have been.
    Elsewhere,
    /// A checkout that shows it has local changes in the way.
    Dirty {
        /// The files.
        paths: Vec<String>,
    },
    /// It may not be moved.
    Refused {
        /// Why.
        text: String,
    },
}

/// Puts the result on the target as it is now, in the hub. Signatures bear the time of the request, so that building
/// again gives the same commit.
pub(crate) async fn build(local: &Local, of: Attempt) -> Result<Built, StepError> {
    let local = local.clone();
    blocking(move || {
        let (task, attempt) = (&of.task, of.state()?);
        let Some(result) = &attempt.result else { return Err(StepError("there is no result".to_owned())) };
        let project = repository(&local, &of.project)?;
        let hub = hub(&local, &of.project).map_err(|error| StepError::of(&error))?;
        let branch = &task.spec.base.branch;
        let Some(target) = project.branch(branch).map_err(|error| StepError::of(&error))? else {
            let text = format!("the branch {branch} is gone; git branch {branch} COMMIT makes it again");
            return Ok(Built::Impossible { text });
        };
        hub.take_base(&project, &target).map_err(|error| StepError::of(&error))?;
        let who = signature(&local, &of.project, attempt.since.as_second())?;
        let handle = task.handle(attempt.number);
        let title = &task.spec.title;
        let request = IntegrateRequest {
            label: format!("{}.{}", task.spec.number, attempt.number),
            target: Some(target.clone()),
            base: commit_id(&result.base).map_err(|error| StepError::of(&error))?,
            result: commit_id(&result.commit).map_err(|error| StepError::of(&error))?,
            mode: match task.spec.settings.landing {
                LandingMode::Merge => LandMode::Merge,
                LandingMode::Squash => LandMode::Squash,
                LandingMode::Rebase => LandMode::Rebase,
            },
            message: match task.spec.settings.landing {
                LandingMode::Merge => format!("Merge {handle}: {title}"),
                LandingMode::Squash | LandingMode::Rebase => title.clone(),
            },
            trailers: trailers(task, attempt),
            author: who.clone(),
            committer: who,
        };
        Ok(match hub.integrate(&request).map_err(|error| StepError::of(&error))? {
            Integration::Ready { commit, .. } => {
                let tree = hub.tree_of(&commit).map_err(|error| StepError::of(&error))?;
                let landing = Landing {
                    target: branch.clone(),
                    before: oid(&target),
                    after: oid(&commit),
                    result: result.commit.clone(),
                    checkout_updated: false,
                };
                let subject = Subject { commit: oid(&commit), tree: tree_oid(&tree) };
                Built::Combination(Combination { subject, landing })
            }
            Integration::Nothing => Built::Impossible { text: format!("{branch} has all of it already") },
            Integration::Conflicts(conflicts) => Built::Conflict {
                paths: conflicts.files.iter().map(|file| file.path.to_string()).collect(),
                target: oid(&target),
                prompt: conflict_prompt(&conflicts, branch),
            },
        })
    })
    .await?
}

/// How much of conflicted texts an agent is told; it has the files with markers anyway.
const CONFLICT_BYTES: usize = 16 * 1024;

fn conflict_prompt(conflicts: &Conflicts, branch: &str) -> String {
    let mut prompt = format!(
        "Your change conflicts with what landed on {branch} meanwhile. Your workspace now has both: what landed, and your \
         change on top of it. Files in which both changed the same lines have conflict markers. Resolve them so that both \
         purposes hold, remove all markers, and end your turn.\n"
    );
    for file in &conflicts.files {
        let state = match (file.in_target, file.in_result) {
            (false, true) => " (removed there, changed by you)",
            (true, false) => " (changed there, removed by you)",
            _ => "",
        };
        prompt.push_str(&format!("\n- {}{state}", file.path));
    }
    for file in &conflicts.files {
        let Some(text) = &file.text else { continue };
        if prompt.len() + text.len() > CONFLICT_BYTES {
            break;
        }
        let fence = fence_for(text);
        prompt.push_str(&format!("\n\n{}:\n{fence}\n{}\n{fence}", file.path, text.trim_end()));
    }
    prompt.push('\n');
    prompt
}

/// Whether a landing that was prepared before a restart has happened: the target holds it.
pub(crate) async fn has_happened(
    local: &Local,
    project: Project,
    landing: Landing,
) -> Result<bool, StepError> {
    let local = local.clone();
    blocking(move || {
        let repository = repository(&local, &project)?;
        let hub = hub(&local, &project).map_err(|error| StepError::of(&error))?;
        hub.recover_landings(&repository).map_err(|error| StepError::of(&error))?;
        let Some(at) = repository.branch(&landing.target).map_err(|error| StepError::of(&error))? else {
            return Ok(false);
        };
        hub.take_base(&repository, &at).map_err(|error| StepError::of(&error))?;
        let after = commit_id(&landing.after).map_err(|error| StepError::of(&error))?;
        hub.is_ancestor(&after, &at).map_err(|error| StepError::of(&error))
    })
    .await?
}

/// Moves the target branch onto the combination, if it is still where it was.
pub(crate) async fn advance(local: &Local, of: Attempt, landing: Landing) -> Result<Moved, StepError> {
    let local = local.clone();
    blocking(move || {
        let project = repository(&local, &of.project)?;
        let hub = hub(&local, &of.project).map_err(|error| StepError::of(&error))?;
        let request = LandRequest {
            branch: landing.target.clone(),
            expected: Some(commit_id(&landing.before).map_err(|error| StepError::of(&error))?),
            new: commit_id(&landing.after).map_err(|error| StepError::of(&error))?,
            by: signature(&local, &of.project, now())?,
            reason: format!("divisi: land {}", of.task.spec.number),
        };
        match hub.land(&project, &request) {
            Ok(landed) => Ok(Moved::Yes { checkout_updated: !landed.checkouts.is_empty() }),
            Err(error) => refused(error),
        }
    })
    .await?
}

/// Moves the target branch back to where it was, if it is still where the landing left it.
pub(crate) async fn take_back(local: &Local, of: Attempt, landing: Landing) -> Result<Moved, StepError> {
    let local = local.clone();
    blocking(move || {
        let project = repository(&local, &of.project)?;
        let hub = hub(&local, &of.project).map_err(|error| StepError::of(&error))?;
        hub.recover_landings(&project).map_err(|error| StepError::of(&error))?;
        let before = commit_id(&landing.before).map_err(|error| StepError::of(&error))?;
        let at = project.branch(&landing.target).map_err(|error| StepError::of(&error))?;
        if at.as_ref() == Some(&before) {
            return Ok(Moved::Yes { checkout_updated: false });
        }
        let landed = Landed {
            branch: landing.target.clone(),
            old: Some(before),
            new: commit_id(&landing.after).map_err(|error| StepError::of(&error))?,
            checkouts: Vec::new(),
        };
        let by = signature(&local, &of.project, now())?;
        match hub.undo(&project, &landed, &by, &format!("divisi: undo {}", of.task.spec.number)) {
            Ok(()) => Ok(Moved::Yes { checkout_updated: true }),
            Err(error) => refused(error),
        }
    })
    .await?
}

/// How many files are named in one sentence.
const FILES_NAMED: usize = 5;

/// What a person must decide, told apart from what is tried again.
fn refused(error: LandError) -> Result<Moved, StepError> {
    match error {
        LandError::Moved { .. } => Ok(Moved::Elsewhere),
        LandError::Dirty { files, .. } => {
            Ok(Moved::Dirty { paths: files.iter().map(|file| file.path.to_string()).collect() })
        }
        LandError::NeedsFilter { files, .. } => {
            let files: Vec<_> = files.iter().take(FILES_NAMED).map(ToString::to_string).collect();
            let files = files.join(", ");
            Ok(Moved::Refused {
                text: format!(
                    "your checkout passes files that this would change through a filter such as Git LFS, and Divisi runs \
                     no filters ({files}); leave the branch (git switch --detach), land, and go back to it: then your \
                     own git runs them"
                ),
            })
        }
        LandError::Busy { .. }
        | LandError::Symbolic(_)
        | LandError::NotForward(_)
        | LandError::PutBack { .. } => Ok(Moved::Refused { text: with_sources(&error) }),
        error => Err(StepError::of(&error)),
    }
}
