//! Taking a snapshot: walk, compare with the base, record.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::walk::{Found, Keep, Shared, Walk, Walked};
use super::{Note, NoteKind, Snapshot, SnapshotError, SnapshotRequest};
use crate::git::{Change, FastImport, GitError, NewCommit, Parent};
use crate::hub::{Hub, HubError, check_label};
use crate::ids::{CommitId, RepoPath};
use crate::ignore_rules::Rules;
use crate::listing::{Listing, Outside};
use crate::result::committed;
use crate::seen::Folder;
use crate::space::{Presence, Workspace};
use crate::stat_cache::StatCache;

impl Workspace {
    /// Records the whole workspace, tracked and untracked, on `refs/divisi/snapshots/<attempt>/<number>` of the
    /// hub. The agent may be running; a file that changes while it is read is noted.
    pub fn snapshot(&self, hub: &Hub, request: &SnapshotRequest) -> Result<Snapshot, SnapshotError> {
        check_label(&request.attempt)?;
        if self.presence() != Presence::Present {
            return Err(SnapshotError::Gone(self.name().to_owned()));
        }
        let io = |doing| move |source| SnapshotError::Io { doing, source };
        let git = |doing| move |source: GitError| SnapshotError::Git { doing, source };
        let (number, ref_name) = self.number(hub, request)?;
        let committed = committed(hub, self)?;
        let doubted = self.is_doubted(hub)?;
        if doubted {
            self.remember_doubt()?;
        }
        let base = hub.listing(self.base())?;
        let base_rules = hub.rules(self.base(), &self.record.ignore_also)?;
        let included: HashSet<_> = self.record.included.iter().collect();
        let mut cache = StatCache::load(&self.stat_cache_file(), hub.identity()?)
            .map_err(io("remember which files were read"))?;
        let mut objects = FastImport::open(&hub.git, hub.dir()).map_err(git("open the hub for writing"))?;
        let top = self.folder()?;
        let shared = self.shared(hub, &base)?;

        let rules = (hub, &*base, &*base_rules, self.own_rules());
        let keep = Keep::InHub(&mut objects);
        let walk = Walk::new(rules, shared.as_ref(), &included, request.limits, keep, &mut cache);
        let Walked { found, untouched, untouched_files, mut notes, notes_dropped, files_read, bytes_read } =
            walk.with_committed(committed).run(&top)?;
        if doubted {
            notes.insert(0, Note { path: RepoPath::from("."), kind: NoteKind::Doubted });
        }
        let outside = Outside::of(&untouched);

        let temporary = temporary_ref();
        let new = NewCommit {
            on_ref: &temporary,
            author: &request.by,
            committer: &request.by,
            message: &message(request),
        };
        let (mark, visible) = objects
            .commit(&new, Parent::Commit(self.base()), changes(&base, &found, &outside, false))
            .map_err(git("record the snapshot"))?;
        let mut commit = visible.clone();
        if found.values().any(|f| f.hidden) {
            let hidden = changes(&base, &found, &outside, true);
            commit =
                objects.commit(&new, Parent::Earlier(mark), hidden).map_err(git("record the snapshot"))?.1;
        }
        objects.finish().map_err(git("record the snapshot"))?;
        let anchored = hub.create_ref(&ref_name, &commit);
        hub.delete_ref(&temporary)?;
        anchored?;
        // A memory that cannot be written costs time at the next snapshot, nothing else.
        let _ = cache.save();

        let unchanged = commit == visible && hub.tree_of(&visible)? == hub.tree_of(self.base())?;
        let files = found.len() + untouched_files;
        Ok(Snapshot {
            ref_name,
            number,
            commit,
            visible,
            unchanged,
            files,
            files_read,
            bytes_read,
            notes,
            notes_dropped,
        })
    }

    pub(super) fn folder(&self) -> Result<Folder, SnapshotError> {
        Folder::top(self).map_err(|source| SnapshotError::Io { doing: "open the workspace", source })
    }

    /// The attempt's own rules before any of its files was read.
    pub(super) fn own_rules(&self) -> Rules {
        let mut rules = Rules::default();
        rules.add_everywhere(self.record.ignore_also.as_bytes());
        rules
    }

    /// What the workspace shows where nothing was changed; nothing for a plain checkout.
    pub(super) fn shared(&self, hub: &Hub, base: &Arc<Listing>) -> Result<Option<Shared>, HubError> {
        let layered = self.record.overlay.as_ref();
        let Some(template) = layered.and_then(|layered| layered.layers.first()) else { return Ok(None) };
        let listing = if template == self.base() { Arc::clone(base) } else { hub.listing(template)? };
        Ok(Some(Shared::new(listing, base)))
    }

    fn number(&self, hub: &Hub, request: &SnapshotRequest) -> Result<(u32, String), SnapshotError> {
        let number = match request.number {
            Some(number) => number,
            None => hub.snapshots(&request.attempt)?.last().map_or(1, |(last, _)| last + 1),
        };
        let name = snapshot_ref(&request.attempt, number);
        match hub.ref_commit(&name)? {
            Some(_) => Err(HubError::RefMoved { name }.into()),
            None => Ok((number, name)),
        }
    }
}

impl Hub {
    /// The snapshots of an attempt by number. They outlive the workspace.
    pub fn snapshots(&self, attempt: &str) -> Result<Vec<(u32, CommitId)>, HubError> {
        check_label(attempt)?;
        let prefix = format!("refs/divisi/snapshots/{attempt}/");
        let refs = self.refs_below(&prefix)?.into_iter();
        let mut found: Vec<_> =
            refs.filter_map(|(name, id)| Some((name.strip_prefix(&prefix)?.parse().ok()?, id))).collect();
        found.sort_unstable();
        Ok(found)
    }
}

pub(crate) fn snapshot_ref(attempt: &str, number: u32) -> String {
    format!("refs/divisi/snapshots/{attempt}/{number}")
}

/// A ref of this process that nobody else uses.
pub(crate) fn temporary_ref() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("refs/divisi/tmp/{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn message(request: &SnapshotRequest) -> String {
    format!("{}\n", request.message.trim_end())
}

/// What to change in the base to get what was found: first all removals, so that a file can become a folder and a
/// folder a file. With `hidden`, only the hidden files, on top of the rest.
fn changes<'a>(
    base: &'a Listing,
    found: &'a BTreeMap<crate::RepoPath, Found>,
    outside: &'a Outside,
    hidden: bool,
) -> impl Iterator<Item = Change<'a>> {
    let removed = outside.entries(base).filter(move |(path, _)| !hidden && !found.contains_key(*path));
    let removed = removed.map(|(path, _)| Change::Remove { path });
    let put = found.iter().filter(move |(path, f)| f.hidden == hidden && base.get(path) != Some(&f.entry));
    removed.chain(put.map(|(path, f)| Change::Put { mode: f.entry.mode.as_git(), oid: &f.entry.oid, path }))
}
