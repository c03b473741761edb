//! Whether a restart of the machine has taken something from a workspace.
//!
//! Changes of an overlay are not synced one by one. When the machine went down they are compared with the last snapshot,
//! which is in the hub: if nothing differs, nothing is lost.

use std::collections::HashSet;

use super::walk::{Keep, Walk};
use super::{SnapshotError, SnapshotLimits};
use crate::hub::Hub;
use crate::ids::CommitId;
use crate::listing::{Listing, Outside};
use crate::result::committed;
use crate::space::{Workspace, save_record};
use crate::stat_cache::StatCache;

impl Workspace {
    /// True if the machine was restarted while the workspace was at work, and it was not as its last snapshot had it (or
    /// its base, where there is none): what was written last before may be missing or empty.
    pub fn is_doubted(&self, hub: &Hub) -> Result<bool, SnapshotError> {
        let Some(layered) = &self.record.overlay else { return Ok(false) };
        if layered.doubted || !self.is_distrusted() {
            return Ok(layered.doubted);
        }
        let last = hub.snapshots(self.name())?.pop().map(|(_, commit)| commit);
        Ok(!self.is_as_in(hub, last.as_ref().unwrap_or(self.base()))?)
    }

    /// Remembers a doubt: the next snapshot is of what may be damaged, and compared with it everything looks well.
    pub(super) fn remember_doubt(&self) -> Result<(), SnapshotError> {
        let mut record = self.record.clone();
        match &mut record.overlay {
            Some(layered) if !layered.doubted => layered.doubted = true,
            _ => return Ok(()),
        }
        save_record(&self.root, &record)
            .map_err(|source| SnapshotError::Io { doing: "write the workspace's record", source })
    }

    fn is_as_in(&self, hub: &Hub, snapshot: &CommitId) -> Result<bool, SnapshotError> {
        let (base, kept) = (hub.listing(self.base())?, hub.listing(snapshot)?);
        let rules = hub.rules(self.base(), &self.record.ignore_also)?;
        let included: HashSet<_> = self.record.included.iter().collect();
        let mut cache = StatCache::only_to_ask(&self.stat_cache_file(), hub.identity()?);
        let shared = self.shared(hub, &base)?;
        let (limits, keep) = (SnapshotLimits::default(), Keep::Nowhere);
        let rules = (hub, &*base, &*rules, self.own_rules());
        let walk = Walk::new(rules, shared.as_ref(), &included, limits, keep, &mut cache);
        let walked = walk.with_committed(committed(hub, self)?).run(&self.folder()?)?;
        let outside = Outside::of(&walked.untouched);
        let below =
            |listing| walked.untouched.iter().flat_map(move |f| Listing::below(listing, f.as_bytes()));
        Ok(outside.entries(&kept).count() == walked.found.len()
            && walked.found.iter().all(|(path, found)| kept.get(path) == Some(&found.entry))
            && below(&kept).eq(below(&base)))
    }
}
