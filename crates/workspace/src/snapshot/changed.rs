//! Which files of a workspace differ from its base, as they are now.

use std::collections::HashSet;

use serde::Serialize;

use super::walk::{Keep, Walk};
use super::{SnapshotError, SnapshotLimits};
use crate::diff::FileStatus;
use crate::hub::Hub;
use crate::ids::RepoPath;
use crate::listing::{EntryMode, Outside};
use crate::space::{Presence, Workspace};
use crate::stat_cache::StatCache;

/// A file that differs from the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedFile {
    /// Where.
    pub path: RepoPath,
    /// How: added, modified, deleted, or another type. Renames are not looked for.
    pub status: FileStatus,
}

impl Workspace {
    /// The files that differ from the base, sorted, without those that are ignored. Nothing is recorded or mounted, and
    /// git is only asked for the base's files at the first time. Of an overlay only the folder of its changes is read, so the time depends on how
    /// much was changed and not on how large the base is; of a plain checkout every file is looked at.
    pub fn changed(&self, hub: &Hub) -> Result<Vec<ChangedFile>, SnapshotError> {
        if self.presence() != Presence::Present {
            return Err(SnapshotError::Gone(self.name().to_owned()));
        }
        let base = hub.listing(self.base())?;
        let rules = hub.rules(self.base(), &self.record.ignore_also)?;
        let included: HashSet<_> = self.record.included.iter().collect();
        let mut cache = StatCache::only_to_ask(&self.stat_cache_file(), hub.identity()?);
        let shared = self.shared(hub, &base)?;
        let (limits, keep) = (SnapshotLimits::default(), Keep::Nowhere);
        let own = self.own_rules();
        let walk = Walk::new((hub, &base, &rules, own), shared.as_ref(), &included, limits, keep, &mut cache);
        let top = self.folder()?;
        let walked = walk.run(&top)?;

        let outside = Outside::of(&walked.untouched);
        let gone = outside.entries(&base).filter(|(path, _)| !walked.found.contains_key(*path));
        let gone = gone.map(|(path, _)| (path, FileStatus::Deleted));
        let there = walked.found.iter().filter(|(_, found)| !found.hidden).filter_map(|(path, found)| {
            let status = match base.get(path) {
                None => FileStatus::Added,
                Some(was) if *was == found.entry => return None,
                Some(was) if !same_type(was.mode, found.entry.mode) => FileStatus::TypeChanged,
                Some(_) => FileStatus::Modified,
            };
            Some((path, status))
        });
        let mut changed: Vec<_> =
            gone.chain(there).map(|(path, status)| ChangedFile { path: path.clone(), status }).collect();
        changed.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(changed)
    }
}

fn same_type(one: EntryMode, other: EntryMode) -> bool {
    let kind = |mode| if mode == EntryMode::Executable { EntryMode::File } else { mode };
    kind(one) == kind(other)
}
