//! Recording a result.

use super::agent_head::agent_head;
use super::import::import;
use super::{AttemptResult, History, ResultError, ResultRequest};
use crate::hub::{Hub, HubError, check_label};
use crate::ids::CommitId;
use crate::message::with_trailers;
use crate::snapshot::Snapshot;
use crate::space::Workspace;

impl Workspace {
    /// Records what a snapshot holds (without its hidden files) as the attempt's result. Nothing, if it does not
    /// differ from the base.
    pub fn record_result(
        &self,
        hub: &Hub,
        snapshot: &Snapshot,
        request: &ResultRequest,
    ) -> Result<Option<AttemptResult>, ResultError> {
        check_label(&request.attempt)?;
        let tree = hub.tree_of(&snapshot.visible)?;
        let (parent, history) = self.parent(hub, request)?;
        if matches!(history, History::Kept { .. }) && hub.tree_of(&parent)? == tree {
            // The agent's last commit is exactly this already.
            return anchor(hub, &request.attempt, parent, history).map(Some);
        }
        if parent == *self.base() && hub.tree_of(self.base())? == tree {
            return Ok(None);
        }
        let message = with_trailers(&request.message, &request.trailers);
        let commit = hub.commit(&tree, &[&parent], &request.author, &request.committer, &message)?;
        anchor(hub, &request.attempt, commit, history).map(Some)
    }

    fn parent(&self, hub: &Hub, request: &ResultRequest) -> Result<(CommitId, History), ResultError> {
        let base = self.base().clone();
        let head = if request.keep_history { agent_head(self) } else { None };
        match head {
            None => Ok((base, History::None)),
            Some(head) if head == base => Ok((base, History::None)),
            Some(head) => match import(hub, self, &head, &request.limits)? {
                Ok(0) => Ok((base, History::None)),
                Ok(commits) => Ok((head, History::Kept { commits })),
                Err(why) => Ok((base, History::Refused { why })),
            },
        }
    }
}

impl Hub {
    /// The newest result of an attempt.
    pub fn result_of(&self, attempt: &str) -> Result<Option<CommitId>, HubError> {
        check_label(attempt)?;
        self.ref_commit(&format!("refs/divisi/attempts/{attempt}"))
    }
}

fn anchor(
    hub: &Hub,
    attempt: &str,
    commit: CommitId,
    history: History,
) -> Result<AttemptResult, ResultError> {
    hub.create_ref(&format!("refs/divisi/results/{attempt}/{commit}"), &commit)?;
    hub.set_ref(&format!("refs/divisi/attempts/{attempt}"), &commit)?;
    Ok(AttemptResult { commit, history })
}
