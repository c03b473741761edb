//! Keeping a hub in order.

use std::fs;
use std::path::Path;

use super::{Hub, HubError, git_error};

impl Hub {
    /// Clears away what processes that died have left (quarantines, temporary refs) and packs what many snapshots
    /// have scattered. Takes nothing away that a hidden ref or a workspace needs: no object is ever pruned. For a
    /// quiet moment, once in a while; snapshots may go on meanwhile.
    pub fn tidy(&self) -> Result<(), HubError> {
        let _held = self.lock("tidy.lock")?;
        for (name, _) in self.refs_below("refs/divisi/tmp/")? {
            let owner = name.rsplit('/').next().and_then(|last| last.split('-').next());
            if owner.is_some_and(is_gone) {
                self.delete_ref(&name)?;
            }
        }
        for entry in fs::read_dir(self.own_dir()?).into_iter().flatten().flatten() {
            let name = entry.file_name().into_string().unwrap_or_default();
            let owner = name.strip_prefix("incoming-").and_then(|rest| rest.split('-').next());
            if owner.is_some_and(is_gone) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let pack_refs = self.call().args(["pack-refs", "--all"]).run();
        pack_refs.map_err(git_error("pack the hub's refs"))?;
        // Only packs of like size are joined, so that a large history is not written again each time.
        let repack = self.call().args(["repack", "-q", "-d", "-l", "--geometric=2"]).long().run();
        repack.map_err(git_error("pack the hub's objects"))?;
        Ok(())
    }
}

/// Whether the process of this number has ended. One that only has the same number counts as alive, which at worst
/// keeps a few files.
fn is_gone(pid: &str) -> bool {
    pid.bytes().all(|b| b.is_ascii_digit()) && !pid.is_empty() && !Path::new("/proc").join(pid).exists()
}
