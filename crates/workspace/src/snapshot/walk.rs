//! Walking a workspace: which paths there are, which of them count, and their bytes.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use rustix::fs::FileType;

use super::dot_files::is_cache_tag;
use super::read_file::{Content, Pending};
use super::{MAX_NOTES, Note, NoteKind, SnapshotError, SnapshotLimits};
use crate::beneath::looks_like_dot_git;
use crate::git::{FastImport, GitError};
use crate::hub::Hub;
use crate::ids::RepoPath;
use crate::ignore_rules::{MAX_IGNORE_BYTES, Rules};
use crate::listing::{Entry, EntryMode, Listing, span};
use crate::seen::{Folder, Look};
use crate::stat_cache::StatCache;

/// Deepest nesting of folders; each level holds one open file.
const MAX_DEPTH: usize = 128;
/// Largest `CACHEDIR.TAG` that is looked at.
const MAX_TAG_BYTES: u64 = 64 << 10;

/// A file of the workspace.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) entry: Entry,
    pub(super) hidden: bool,
}

/// What an overlay workspace shows where nothing was changed.
pub(super) struct Shared {
    /// The files of the layers below.
    pub(super) listing: Arc<Listing>,
    /// Where they are not those of the base: not empty only after a move onto another base.
    pub(super) not_base: BTreeSet<RepoPath>,
}

impl Shared {
    pub(super) fn new(listing: Arc<Listing>, base: &Listing) -> Self {
        let other = |one: &Listing, other: &Listing| -> Vec<RepoPath> {
            let differing = one.iter().filter(|(path, entry)| other.get(path) != Some(entry));
            differing.map(|(path, _)| path.clone()).collect()
        };
        let not_base = match std::ptr::eq(&raw const *listing, base) {
            true => BTreeSet::new(),
            false => other(&listing, base).into_iter().chain(other(base, &listing)).collect(),
        };
        Self { listing, not_base }
    }

    fn is_base_below(&self, folder: &[u8]) -> bool {
        let (from, to) = span(folder);
        self.not_base.range(RepoPath::new(from)..RepoPath::new(to)).next().is_none()
    }
}

/// What becomes of the bytes that are read.
pub(super) enum Keep<'a> {
    /// They go into the hub.
    InHub(&'a mut FastImport),
    /// Only their name is worked out, to tell whether they changed.
    Nowhere,
}

/// What the walk needs to know and what it gathers.
pub(super) struct Walk<'a> {
    pub(super) hub: &'a Hub,
    pub(super) base: &'a Listing,
    pub(super) shared: Option<&'a Shared>,
    base_rules: &'a Rules,
    own_rules: Rules,
    included: &'a HashSet<&'a RepoPath>,
    /// What the agent committed; it counts although it is ignored.
    committed: Option<Arc<Listing>>,
    pub(super) limits: SnapshotLimits,
    pub(super) keep: Keep<'a>,
    pub(super) cache: &'a mut StatCache,
    /// Some `.gitignore` met so far is not that of the base. Until then one evaluation does for both.
    rules_differ: bool,
    pending: BTreeMap<RepoPath, Pending>,
    untouched: Vec<RepoPath>,
    untouched_files: usize,
    pub(super) notes: Vec<Note>,
    notes_dropped: usize,
    pub(super) files_read: usize,
    pub(super) bytes_read: u64,
    hidden_files: usize,
    hidden_bytes: u64,
}

/// What the folders above say about a path.
#[derive(Debug, Clone, Copy, Default)]
struct Above {
    by_base: bool,
    by_own: bool,
    depth: usize,
}

/// What a walk found.
pub(super) struct Walked {
    pub(super) found: BTreeMap<RepoPath, Found>,
    /// Folders that were not entered: all below them is as in the base.
    pub(super) untouched: Vec<RepoPath>,
    /// Files in those; not counted where nothing is kept.
    pub(super) untouched_files: usize,
    pub(super) notes: Vec<Note>,
    pub(super) notes_dropped: usize,
    pub(super) files_read: usize,
    pub(super) bytes_read: u64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        (hub, base, base_rules, own_rules): (&'a Hub, &'a Listing, &'a Rules, Rules),
        shared: Option<&'a Shared>,
        included: &'a HashSet<&'a RepoPath>,
        limits: SnapshotLimits,
        keep: Keep<'a>,
        cache: &'a mut StatCache,
    ) -> Self {
        Self {
            hub,
            base,
            shared,
            base_rules,
            own_rules,
            included,
            committed: None,
            limits,
            keep,
            cache,
            rules_differ: false,
            pending: BTreeMap::new(),
            untouched: Vec::new(),
            untouched_files: 0,
            notes: Vec::new(),
            notes_dropped: 0,
            files_read: 0,
            bytes_read: 0,
            hidden_files: 0,
            hidden_bytes: 0,
        }
    }

    /// The same with what the agent committed, whether or not it is ignored.
    pub(super) fn with_committed(mut self, committed: Option<Arc<Listing>>) -> Self {
        self.committed = committed;
        self
    }

    /// Walks everything below the workspace's top.
    pub(super) fn run(mut self, top: &Folder) -> Result<Walked, SnapshotError> {
        self.folder(top, b"", Above::default())?;
        let names = match &mut self.keep {
            Keep::InHub(objects) => Some(objects.names().map_err(cannot_store)?),
            Keep::Nowhere => None,
        };
        let mut found = BTreeMap::new();
        for (path, pending) in self.pending {
            let oid = match pending.content {
                Content::Known(oid) => oid,
                Content::HandedOver { ticket, print } => {
                    let Some(names) = &names else { continue };
                    let name = names.of(ticket).map_err(cannot_store)?.as_str();
                    if let Some(print) = print {
                        self.cache.put(&path, print, name);
                    }
                    name.into()
                }
            };
            found.insert(path, Found { entry: Entry { mode: pending.mode, oid }, hidden: pending.hidden });
        }
        let (notes, notes_dropped) = (self.notes, self.notes_dropped);
        let (untouched, untouched_files) = (self.untouched, self.untouched_files);
        let (files_read, bytes_read) = (self.files_read, self.bytes_read);
        Ok(Walked { found, untouched, untouched_files, notes, notes_dropped, files_read, bytes_read })
    }

    fn folder(&mut self, at: &Folder, folder: &[u8], above: Above) -> Result<(), SnapshotError> {
        let names = match at.names() {
            Ok(names) => names,
            Err(_) => {
                self.leave_out(&RepoPath::new(folder), NoteKind::Unreadable);
                return Ok(());
            }
        };
        let own_text = match names.iter().any(|name| name == b".gitignore") {
            true => at.read_small(b".gitignore", MAX_IGNORE_BYTES).ok().flatten(),
            false => None,
        };
        self.rules_differ |= own_text.as_deref() != self.base_rules.text(folder);
        if let Some(text) = &own_text {
            self.own_rules.add(folder, text);
        }
        for name in names {
            let path = join(folder, &name);
            if looks_like_dot_git(&name) {
                self.dot_git(folder, &name, path);
                continue;
            }
            let Ok(look) = at.look(&name) else { continue };
            match FileType::from_raw_mode(look.stat.st_mode) {
                FileType::Directory if look.shared && self.is_untouched(&path) => {
                    if matches!(self.keep, Keep::InHub(_)) {
                        self.untouched_files += self.base.below(path.as_bytes()).count();
                    }
                    self.untouched.push(path);
                }
                FileType::Directory => self.below(at, &name, &path, above)?,
                FileType::RegularFile | FileType::Symlink => self.file(at, &name, path, &look, above)?,
                _ if self.is_ignored(&path, false, above) == Ignored::Yes => {}
                _ => self.leave_out(&path, NoteKind::Special),
            }
        }
        Ok(())
    }

    /// Whether a folder of which the workspace has nothing of its own holds exactly what the base has there.
    fn is_untouched(&self, path: &RepoPath) -> bool {
        let folder = path.as_bytes();
        self.shared.is_some_and(|shared| shared.is_base_below(folder)) && self.base.has_below(folder)
    }

    fn dot_git(&mut self, folder: &[u8], name: &[u8], path: RepoPath) {
        match (name == b".git", folder.is_empty()) {
            (true, true) => {}
            (true, false) => self.note(RepoPath::new(folder), NoteKind::NestedRepository),
            (false, _) => self.leave_out(&path, NoteKind::ForbiddenName),
        }
    }

    fn below(
        &mut self,
        at: &Folder,
        name: &[u8],
        path: &RepoPath,
        above: Above,
    ) -> Result<(), SnapshotError> {
        let below = match at.dir(name) {
            Ok(below) => below,
            Err(e) => {
                let ignored = self.is_ignored(path, true, above) == Ignored::Yes
                    && !self.base.has_below(path.as_bytes());
                let mount = e.raw_os_error() == Some(rustix::io::Errno::XDEV.raw_os_error());
                if !ignored {
                    self.leave_out(path, if mount { NoteKind::Mount } else { NoteKind::Unreadable });
                }
                return Ok(());
            }
        };
        if let Some(entry) = self.base.get(path).filter(|entry| entry.mode == EntryMode::Gitlink) {
            // A submodule's folder: what is inside is another repository's business.
            if below.names().is_ok_and(|names| !names.is_empty()) {
                self.note(path.clone(), NoteKind::SubmoduleContent);
            }
            self.pending.insert(path.clone(), Pending::of_base(entry));
            return Ok(());
        }
        let committed = || self.committed.as_ref().is_some_and(|files| files.has_below(path.as_bytes()));
        let tracked = self.base.has_below(path.as_bytes());
        match self.is_ignored(path, true, above) {
            Ignored::Yes if !tracked && !committed() => return Ok(()),
            Ignored::Yes if !tracked && !above.by_base => self.note(path.clone(), NoteKind::Committed),
            Ignored::ByAttempt if !tracked && !committed() => {
                let tag = below.read_small(b"CACHEDIR.TAG", MAX_TAG_BYTES);
                if tag.is_ok_and(|tag| tag.is_some_and(|bytes| is_cache_tag(&bytes))) {
                    self.note(path.clone(), NoteKind::Cache);
                    return Ok(());
                }
                if !above.by_own {
                    self.note(path.clone(), NoteKind::Hidden);
                }
            }
            Ignored::NoLonger if !above.by_base && !tracked => self.note(path.clone(), NoteKind::Exposed),
            _ => {}
        }
        if above.depth >= MAX_DEPTH {
            self.leave_out(path, NoteKind::TooDeep);
            return Ok(());
        }
        let (by_base, by_own) = self.by_rules(path, true, above);
        let next = Above { by_base, by_own, depth: above.depth + 1 };
        self.folder(&below, path.as_bytes(), next)
    }

    fn file(
        &mut self,
        at: &Folder,
        name: &[u8],
        path: RepoPath,
        look: &Look,
        above: Above,
    ) -> Result<(), SnapshotError> {
        let stat = &look.stat;
        let tracked = self.base.get(&path).is_some();
        let committed = self.committed.as_ref().is_some_and(|files| files.get(&path).is_some());
        let mut ignored = if tracked { Ignored::No } else { self.is_ignored(&path, false, above) };
        // What was copied in for the agent's use (an `.env`) is the user's and never part of the attempt's work.
        if (ignored == Ignored::Yes && !committed) || (!tracked && self.included.contains(&path)) {
            return Ok(());
        }
        if ignored == Ignored::Yes && !above.by_base {
            self.note(path.clone(), NoteKind::Committed);
        }
        if committed && ignored == Ignored::ByAttempt {
            ignored = Ignored::No;
        }
        if self.pending.len() + self.untouched_files >= self.limits.files {
            return Err(SnapshotError::TooManyFiles(self.limits.files));
        }
        let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        let hidden = ignored == Ignored::ByAttempt;
        if hidden {
            if self.hidden_files >= self.limits.hidden_files
                || self.hidden_bytes + size > self.limits.hidden_bytes
            {
                self.note(path, NoteKind::HiddenLeftOut);
                return Ok(());
            }
            self.hidden_files += 1;
            self.hidden_bytes += size;
            if !above.by_own {
                self.note(path.clone(), NoteKind::Hidden);
            }
        }
        if ignored == Ignored::NoLonger && !above.by_base {
            self.note(path.clone(), NoteKind::Exposed);
        }
        if let Some(content) = self.bytes_of(at, name, &path, look)? {
            let mode = match FileType::from_raw_mode(stat.st_mode) {
                FileType::Symlink => EntryMode::Symlink,
                _ if stat.st_mode & 0o100 != 0 => EntryMode::Executable,
                _ => EntryMode::File,
            };
            self.pending.insert(path, Pending { mode, hidden, content });
        }
        Ok(())
    }

    fn by_rules(&self, path: &RepoPath, is_dir: bool, above: Above) -> (bool, bool) {
        let by_base = above.by_base || self.base_rules.ignores(path.as_bytes(), is_dir);
        let own =
            || if self.rules_differ { self.own_rules.ignores(path.as_bytes(), is_dir) } else { by_base };
        (by_base, above.by_own || own())
    }

    fn is_ignored(&self, path: &RepoPath, is_dir: bool, above: Above) -> Ignored {
        let (by_base, by_own) = self.by_rules(path, is_dir, above);
        match (by_base, by_own) {
            (true, true) => Ignored::Yes,
            (true, false) => Ignored::NoLonger,
            (false, true) => Ignored::ByAttempt,
            (false, false) => Ignored::No,
        }
    }

    /// Notes the loss, and keeps what the base has there: that something could not be read must not look like its
    /// deletion.
    pub(super) fn leave_out(&mut self, path: &RepoPath, kind: NoteKind) {
        self.note(path.clone(), kind);
        let mut keep = |kept: &RepoPath, entry: &Entry| {
            self.pending.entry(kept.clone()).or_insert_with(|| Pending::of_base(entry));
        };
        if path.as_bytes().is_empty() {
            self.base.iter().for_each(|(kept, entry)| keep(kept, entry));
        } else {
            self.base.below(path.as_bytes()).for_each(|(kept, entry)| keep(kept, entry));
            self.base.get(path).into_iter().for_each(|entry| keep(path, entry));
        }
    }

    pub(super) fn note(&mut self, path: RepoPath, kind: NoteKind) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(Note { path, kind });
        } else {
            self.notes_dropped += 1;
        }
    }
}

/// What the two sets of rules say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ignored {
    No,
    /// By both.
    Yes,
    /// By the attempt's rules only.
    ByAttempt,
    /// By the base's rules only.
    NoLonger,
}

fn join(folder: &[u8], name: &[u8]) -> RepoPath {
    if folder.is_empty() {
        return RepoPath::new(name);
    }
    let mut path = Vec::with_capacity(folder.len() + 1 + name.len());
    path.extend_from_slice(folder);
    path.push(b'/');
    path.extend_from_slice(name);
    RepoPath::new(path)
}

pub(super) fn cannot_store(source: GitError) -> SnapshotError {
    SnapshotError::Git { doing: "store a file in the hub", source }
}
