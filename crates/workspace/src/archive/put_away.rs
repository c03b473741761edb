//! Making an archive and removing the folder.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::Arc;

use super::gather::Gather;
use super::manifest::{self, Item};
use super::{ArchiveError, ArchiveRequest, Archived};
use crate::git::{Change, FastImport, GitError, NewCommit, Parent, Ticket};
use crate::hub::{Hub, check_label};
use crate::ids::{CommitId, RepoPath};
use crate::ignore_rules::Rules;
use crate::listing::Listing;
use crate::seen::Folder;
use crate::snapshot::{NoteKind, temporary_ref};
use crate::space::{Presence, Workspace, Workspaces, save_record};

impl Workspaces {
    /// Archives a workspace and removes its folder. All processes in it must have ended. If anything cannot be kept,
    /// nothing is removed. The record stays; [`Workspaces::restore`] brings the folder back. After a crash
    /// [`Workspace::put_away_as`] says whether it was done.
    pub fn archive(
        &self,
        hub: &Hub,
        space: &Workspace,
        request: &ArchiveRequest,
    ) -> Result<Archived, ArchiveError> {
        check_label(space.name())?;
        let dir = space.path();
        match space.presence() {
            Presence::Present => {}
            Presence::Missing => return Err(ArchiveError::Gone(space.name().to_owned())),
            Presence::Replaced => return Err(ArchiveError::NotOurs(dir)),
        }
        let git = |doing| move |source: GitError| ArchiveError::Git { doing, source };
        let unmounted = space.keep_unmounted().map_err(io_error("archive", b""))?;
        let top = Folder::top(space).map_err(io_error("open", b""))?;
        let base = hub.listing(space.base())?;
        let base_rules = hub.rules(space.base(), &space.record.ignore_also)?;
        let layered = space.record.overlay.as_ref().and_then(|layered| layered.layers.first());
        let shared = layered.map(|template| hub.listing(template)).transpose()?;
        let mut objects = FastImport::open(&hub.git, hub.dir()).map_err(git("open the hub for writing"))?;

        let mut round = gather((&base, shared.clone()), &base_rules, space, request, Some(&mut objects));
        round.run(&top)?;
        let Gather { items, prints, left_out, bytes, .. } = round;
        let names = objects.names().map_err(git("store the files in the hub"))?;
        let name = |(mut item, ticket): (Item, Option<Ticket>)| {
            if let Some(ticket) = ticket {
                item.blob = Some(names.of(ticket)?.clone());
            }
            Ok(item)
        };
        let items: Result<Vec<Item>, GitError> = items.into_iter().map(name).collect();
        let items = items.map_err(git("store the files in the hub"))?;
        // Pipes and sockets hold nothing, and caches can be made again.
        let lost = left_out.iter().filter(|note| !matches!(note.kind, NoteKind::Special | NoteKind::Cache));
        let lost: Vec<_> = lost.cloned().collect();
        if !lost.is_empty() && !request.allow_loss {
            return Err(ArchiveError::WouldLose(lost));
        }
        let commit = store(hub, objects, space, request, &items)?;
        read_back(hub, &items)?;

        let mut second = gather((&base, shared), &base_rules, space, request, None);
        second.run(&top)?;
        for note in &left_out {
            second.prints.remove(&note.path);
        }
        if let Some(path) = difference(&prints, &second.prints) {
            return Err(ArchiveError::StillChanging(path));
        }
        // On disk before the original goes, whatever git's own rules for refs and loose objects are.
        let hub_dir = std::fs::File::open(hub.dir()).map_err(io_error("open the hub for", b""))?;
        rustix::fs::syncfs(&hub_dir).map_err(|e| io_error("write out", b"")(e.into()))?;
        let mut record = space.record.clone();
        record.archived = Some(commit.clone());
        record.put_away = true;
        save_record(self.root(), &record).map_err(io_error("write the record of", b""))?;
        let files = items.iter().filter(|item| item.blob.is_some()).count();
        drop((top, unmounted));
        let outside = space.remove_folders().map_err(io_error("remove", b""))?;
        let _ = std::fs::remove_file(space.stat_cache_file());
        Ok(Archived { commit, files, bytes, left_out, outside })
    }
}

fn gather<'a>(
    (base, shared): (&'a Listing, Option<Arc<Listing>>),
    base_rules: &'a Rules,
    space: &Workspace,
    request: &ArchiveRequest,
    objects: Option<&'a mut FastImport>,
) -> Gather<'a> {
    let mut own_rules = Rules::default();
    own_rules.add_everywhere(space.record.ignore_also.as_bytes());
    Gather {
        base,
        shared,
        base_rules,
        own_rules,
        limits: request.limits,
        objects,
        items: Vec::new(),
        prints: HashMap::new(),
        left_out: Vec::new(),
        bytes: 0,
    }
}

/// A commit whose tree is `manifest` and `blobs/…`, so that no clean-up of the hub can take any of it.
fn store(
    hub: &Hub,
    mut objects: FastImport,
    space: &Workspace,
    request: &ArchiveRequest,
    items: &[Item],
) -> Result<CommitId, ArchiveError> {
    let git = |source: GitError| ArchiveError::Git { doing: "record the archive", source };
    let manifest = objects.blob(&manifest::write(items)).map_err(git)?;
    let stored = objects.names().map_err(git)?;
    let manifest = stored.of(manifest).map_err(git)?;
    let names: BTreeSet<&str> =
        items.iter().filter_map(|item| item.blob.as_ref()).map(|blob| blob.as_str()).collect();
    let paths: Vec<(RepoPath, &str)> = names
        .iter()
        .map(|name| (RepoPath::from(format!("blobs/{}/{name}", &name[..2]).as_str()), *name))
        .collect();
    let manifest_path = RepoPath::from("manifest");
    let first = Change::Put { mode: "100644", oid: manifest.as_str(), path: &manifest_path };
    let rest = paths.iter().map(|(path, oid)| Change::Put { mode: "100644", oid, path });
    let temporary = temporary_ref();
    let message = format!("archive of {}\n", space.name());
    let new =
        NewCommit { on_ref: &temporary, author: &request.by, committer: &request.by, message: &message };
    let (_, commit) = objects.commit(&new, Parent::None, std::iter::once(first).chain(rest)).map_err(git)?;
    objects.finish().map_err(git)?;
    hub.create_ref(&format!("refs/divisi/archives/{}/{commit}", space.name()), &commit)?;
    hub.delete_ref(&temporary)?;
    Ok(commit)
}

/// Reads every blob of the archive.
fn read_back(hub: &Hub, items: &[Item]) -> Result<(), ArchiveError> {
    let named = || items.iter().filter_map(|item| Some((item, item.blob.as_ref()?)));
    let mut answers = hub.cat_file()?.ask_all(named().map(|(_, blob)| blob.to_string()).collect());
    for (item, _) in named() {
        let size = answers.next(&mut io::sink());
        let size = size.map_err(|source| ArchiveError::Git { doing: "read the archive back", source })?;
        if size != Some(item.size) {
            return Err(ArchiveError::NotReadable(item.path.clone()));
        }
    }
    Ok(())
}

fn difference(
    first: &HashMap<RepoPath, crate::stat_cache::Print>,
    second: &HashMap<RepoPath, crate::stat_cache::Print>,
) -> Option<RepoPath> {
    let changed = first.iter().find(|(path, print)| second.get(*path) != Some(print));
    let new = || second.keys().find(|path| !first.contains_key(*path));
    changed.map(|(path, _)| path).or_else(new).cloned()
}

pub(super) fn io_error(doing: &'static str, path: &[u8]) -> impl FnOnce(io::Error) -> ArchiveError {
    let path = if path.is_empty() { RepoPath::from("the workspace") } else { RepoPath::new(path) };
    move |source| ArchiveError::Io { doing, path, source }
}
