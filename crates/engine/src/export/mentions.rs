//! What the log mentions that lies outside of it: commits of hubs and folders of launches.

use std::collections::{BTreeMap, BTreeSet};

use divisi_model::{Envelope, Event, Oid, ProjectId, Stream, TaskId};
use divisi_workspace::CommitId;

use super::layout;
use crate::repository::commit_id;

/// Gathered event by event.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    /// Folders of launches, relative to the data folder.
    pub(super) launches: BTreeSet<String>,
    /// Commits that the project's hub keeps.
    pub(super) commits: BTreeMap<ProjectId, BTreeSet<CommitId>>,
    projects: BTreeMap<TaskId, ProjectId>,
}

impl Mentions {
    /// Takes in the next event of the log.
    pub(super) fn add(&mut self, envelope: &Envelope) {
        let Stream::Task(task) = envelope.stream else { return };
        match &envelope.event {
            Event::TaskAdded { spec } => {
                self.projects.insert(task, spec.project);
                self.commit(task, &spec.base.commit);
            }
            Event::SessionOpened { launch, .. } => self.launch(launch),
            Event::WorkspaceReady { workspace, .. } => {
                workspace.setup_log.iter().for_each(|log| self.launch(log))
            }
            Event::WorkspaceFailed { log: Some(log), .. } => self.launch(log),
            Event::EvidenceStored { evidence, .. } => self.launch(&evidence.log),
            Event::BaseMoved { base, .. } => self.commit(task, base),
            Event::SnapshotTaken { commit, .. } | Event::WorkspaceArchived { commit, .. } => {
                self.commit(task, commit)
            }
            Event::ResultMade { result, .. } => {
                self.commit(task, &result.commit);
                self.commit(task, &result.base);
            }
            _ => {}
        }
    }

    fn launch(&mut self, folder: &str) {
        if layout::is_launch(folder) {
            self.launches.insert(folder.to_owned());
        }
    }

    fn commit(&mut self, task: TaskId, commit: &Oid) {
        if let (Some(project), Ok(commit)) = (self.projects.get(&task), commit_id(commit)) {
            self.commits.entry(*project).or_default().insert(commit);
        }
    }
}
