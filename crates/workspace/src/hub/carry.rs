//! Carrying a hub to another machine: every object that its hidden refs hold, and the refs.

use std::fs;
use std::io;
use std::path::Path;

use super::{Hub, HubError, git_error, io_error};
use crate::ids::CommitId;
use crate::project::is_ref_name;

/// Where refs may lie that are carried: Divisi's own, and the tags that workspaces get.
const CARRIED: [&str; 2] = ["refs/divisi/", "refs/tags/"];
/// Refs of a process, which mean nothing to another.
const TEMPORARY: &str = "refs/divisi/tmp/";

/// What a hub holds besides its objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubRefs {
    /// Its refs by name.
    pub refs: Vec<(String, CommitId)>,
    /// Its file `shallow`, where its history is cut.
    pub shallow: Option<Vec<u8>>,
    /// The first commits of its bases, by which a clone of the project is known.
    pub roots: Vec<CommitId>,
}

impl Hub {
    /// What the hub holds now. Refs are only ever added and every object is anchored before anybody is told of it, so
    /// this has everything that was known of a moment before.
    pub fn refs_to_carry(&self) -> Result<HubRefs, HubError> {
        let mut refs = Vec::new();
        for prefix in CARRIED {
            refs.extend(self.refs_below(prefix)?);
        }
        refs.retain(|(name, _)| !name.starts_with(TEMPORARY));
        let path = self.dir().join("shallow");
        let shallow = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            read => Some(read.map_err(io_error("read", &path))?),
        };
        Ok(HubRefs { refs, shallow, roots: self.roots()? })
    }

    /// The first commits of the project's history, as far as the hub has it.
    pub fn roots(&self) -> Result<Vec<CommitId>, HubError> {
        let call = self.call().args(["rev-list", "--max-parents=0", "--glob=refs/divisi/base"]).long();
        let roots = call.run().map_err(git_error("look for the first commits of the project"))?.text();
        Ok(roots.lines().map(CommitId::parse).collect::<Result<_, _>>()?)
    }

    /// Writes a pack with everything that these refs hold.
    pub fn write_pack(&self, refs: &HubRefs, to: &mut dyn io::Write) -> Result<(), HubError> {
        let wanted: String = refs.refs.iter().map(|(_, id)| format!("{id}\n")).collect();
        let call = self.call().args(["pack-objects", "--revs", "--stdout", "-q", "--delta-base-offset"]);
        let pack = call.stdin(wanted).long().stream(u64::MAX, to);
        pack.map_err(git_error("pack the hub's objects"))
    }

    /// Takes in a pack and the refs that it was made for. Every object that a ref holds must be there.
    pub fn read_pack(&self, refs: &HubRefs, pack: &Path) -> Result<(), HubError> {
        let carried = |name: &str| CARRIED.iter().any(|prefix| name.starts_with(prefix)) && is_ref_name(name);
        if let Some((name, _)) = refs.refs.iter().find(|(name, _)| !carried(name)) {
            return Err(HubError::BadLabel(name.chars().take(100).collect()));
        }
        if let Some(shallow) = &refs.shallow {
            let path = self.dir().join("shallow");
            fs::write(&path, shallow).map_err(io_error("write", &path))?;
        }
        let index = self.call().args(["index-pack", "--stdin"]).stdin_file(pack).long().run();
        index.map_err(git_error("take in the packed objects"))?;
        if let Some(missing) = self.missing(refs.refs.iter().map(|(_, id)| id))?.first() {
            return Err(HubError::Missing(format!("object {missing}")));
        }
        let commands: String = refs.refs.iter().map(|(name, id)| format!("create {name}\0{id}\0")).collect();
        self.update_refs(&commands)?;
        let whole = self.call().args(["rev-list", "--objects", "--quiet", "--all"]).long().run();
        whole.map(drop).map_err(git_error("find every object that the hub must hold"))
    }

    /// Those of the commits that the hub does not have.
    pub fn missing<'a>(
        &self,
        commits: impl Iterator<Item = &'a CommitId>,
    ) -> Result<Vec<CommitId>, HubError> {
        let asked: String = commits.map(|id| format!("{id}\n")).collect();
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let call = self.call().args(["cat-file", "--batch-check"]).stdin(asked).long();
        let said = call.run().map_err(git_error("look for commits in the hub"))?.text();
        let missing = said.lines().filter_map(|line| line.strip_suffix(" missing"));
        Ok(missing.map(CommitId::parse).collect::<Result<_, _>>()?)
    }
}
