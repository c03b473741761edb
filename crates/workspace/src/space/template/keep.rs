//! Removing templates that nobody needs.

use std::collections::HashSet;
use std::fs;
use std::io;

use rustix::fs::FlockOperation;
use rustix::fs::flock;

use super::Templates;
use crate::ids::CommitId;
use crate::space::dir_identity;
use crate::space::remove::{finish_removals, remove_tree};

/// So many that no workspace stands on are kept all the same, those used last: the next task probably starts there.
const KEPT_UNUSED: usize = 3;

impl Templates {
    /// Removes what nobody needs. `used` says which layers the workspaces stand on; it is asked while nobody can make a
    /// new one, and says nothing if that cannot be told. Does nothing while a workspace is being made.
    pub(crate) fn tidy(&self, used: impl FnOnce() -> Option<HashSet<CommitId>>) -> io::Result<()> {
        if !self.dir.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(self.dir.join("locks"))?;
        let path = self.dir.join("locks/in-use");
        let file = fs::File::options().create(true).truncate(false).write(true).open(path)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Ok(());
        }
        finish_removals(&self.dir)?;
        let Some(used) = used() else { return Ok(()) };
        let by_use = self.by_use();
        let unused = by_use.iter().filter(|commit| !used.contains(*commit)).take(KEPT_UNUSED);
        let kept: HashSet<CommitId> = used.iter().chain(unused).cloned().collect();
        let kept = self.with_below(&kept);
        for commit in by_use.iter().filter(|commit| !kept.contains(*commit)) {
            let place = self.place(commit);
            remove_tree(&place, dir_identity(&place).ok())?;
            let _ = fs::remove_file(self.dir.join("locks").join(commit.as_str()));
        }
        Ok(())
    }
}
