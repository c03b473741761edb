//! Workspaces against `git worktree`: one, many at once, on a new base, and what each takes.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use divisi_workspace::sandbox::Holder;
use divisi_workspace::{CommitId, Git, Hub, Kind, NewWorkspace, Project, Workspace, Workspaces};

use super::Bench;
use crate::measure::{Samples, by_turns, timed};
use crate::repositories::{self, Repository};
use crate::row::{Bar, Curve, Findings, Outcome};
use crate::{Result, floor};

const WORKTREE: &str = "`git worktree add`";

/// A project with its hub and its workspaces.
pub(super) struct Setting {
    root: PathBuf,
    pub(super) repository: Repository,
    project: Project,
    pub(super) hub: Hub,
    pub(super) spaces: Workspaces,
    pub(super) base: CommitId,
}

/// Overlays and plain checkouts, one at a time.
pub fn measure(bench: &Bench<'_>) -> Result<Findings> {
    let (mut overlay, mut plain, mut worktree) = (Vec::new(), Vec::new(), Vec::new());
    let mut found = Findings::default();
    for files in bench.pick(vec![200, 5_000, 80_000], vec![200]) {
        let setting = Setting::make(bench, "workspaces", files)?;
        let times = bench.pick(if files > 10_000 { 3 } else { 9 }, 1);
        let pair = by_turns(times, |turn| setting.overlay(turn), |turn| setting.worktree(turn, "main"))?;
        overlay.push((files as f64, pair.product.median()));
        let bar = Bar::RatioAtMost(if files > 10_000 { 1.0 / 100.0 } else { 1.0 / 15.0 });
        let what = format!("workspace ready for its agent, template warm, {files} files");
        let over = Outcome::ratio("workspaces", what, WORKTREE, bar, pair);
        let pair = by_turns(times, |turn| setting.plain(turn), |turn| setting.worktree(turn, "main"))?;
        plain.push((files as f64, pair.product.median()));
        worktree.push((files as f64, pair.floor.median()));
        let what = format!("the same with no overlay, no reflink, {files} files");
        let without = Outcome::ratio("workspaces", what, WORKTREE, Bar::RatioAtMost(0.6), pair);
        if files != 200 || bench.quick {
            found.outcomes.extend([over, without]);
        }
        setting.remove()?;
    }
    let lines = vec![("overlay", overlay), ("plain checkout", plain), ("git worktree add", worktree)];
    found.curves.push(Curve { title: "A workspace until it is ready", of: "files", unit: "ms", lines });
    Ok(found)
}

/// A base that nobody had before, 500 files away from one that somebody has.
pub fn new_base(bench: &Bench<'_>) -> Result<Findings> {
    let files = bench.pick(80_000, 200);
    let setting = Setting::make(bench, "new-base", files)?;
    setting.overlay(0)?;
    let times = bench.pick(3, 1);
    let bases: Vec<CommitId> = (0..=times).map(|turn| setting.commit_changes(turn)).collect::<Result<_>>()?;
    let product = |turn: usize| {
        let (took, (space, mounted)) = timed(|| {
            setting.hub.take_base(&setting.project, &bases[turn])?;
            setting.ready(&format!("new-{turn}"), &bases[turn])
        })?;
        drop(mounted);
        setting.spaces.discard(&space)?;
        Ok(took)
    };
    let pair = by_turns(times, product, |turn| setting.worktree(turn, bases[turn].as_str()))?;
    let changed = repositories::CHANGED.min(files);
    let what = format!("new base, {changed} files changed, at {files} files");
    setting.remove()?;
    Ok(Findings::rows([Outcome::ratio("base", what, WORKTREE, Bar::RatioAtMost(0.2), pair)]))
}

/// Many at once.
pub fn burst(bench: &Bench<'_>) -> Result<Findings> {
    let files = bench.pick(5_000, 200);
    let setting = Setting::make(bench, "burst", files)?;
    let (at_once, rounds) = bench.pick((50, 3), (4, 1));
    setting.overlay(0)?;
    let (failed, lost) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let pair = by_turns(
        rounds,
        |turn| setting.overlays_at_once(turn, at_once, &failed),
        |turn| setting.worktrees_at_once(turn, at_once, &lost),
    )?;
    let more = bench.pick(1_000_usize, 8).saturating_sub((rounds + 1) * at_once).div_ceil(at_once);
    for round in 0..more {
        setting.overlays_at_once(1_000 + round, at_once, &failed)?;
    }
    let made = (rounds + 1 + more) * at_once;
    let failed = failed.into_inner();
    let note = format!(
        "{failed} of {made} failed; of {} worktrees {}",
        (rounds + 1) * at_once,
        lost.load(Ordering::Relaxed)
    );
    let what = format!("{at_once} workspaces at once, {files} files");
    let row = Outcome::ratio(
        "burst",
        what,
        "as many parallel `git worktree add`",
        Bar::RatioAtMost(1.0 / 15.0),
        pair,
    );
    let row = row.note(note).failed_if(failed > 0, format!("{failed} of {made} could not be made"));
    let points = bench.pick(vec![1, 10, 50, 200], vec![2]);
    let points = points.into_iter().map(|agents| {
        let took = setting.overlays_at_once(10_000 + agents, agents, &AtomicUsize::new(0))?;
        Ok((agents as f64, took))
    });
    let points = points.collect::<Result<Vec<_>>>()?;
    setting.remove()?;
    let title = "Workspaces made at once, until the last is ready";
    let curve = Curve { title, of: "agents", unit: "ms", lines: vec![("overlay", points)] };
    Ok(Findings { outcomes: vec![row], curves: vec![curve] })
}

/// What an untouched workspace takes on the disk. What it could have in the page cache is no more: all other files that
/// its agent reads are those of the template, which everybody shares.
pub fn disk(bench: &Bench<'_>) -> Result<Findings> {
    let files = bench.pick(80_000, 200);
    let setting = Setting::make(bench, "disk", files)?;
    let before = bytes_below(setting.spaces.root())?;
    let (first, _mounted) = setting.ready("first", &setting.base)?;
    let with_template = bytes_below(setting.spaces.root())?;
    let (second, _mounted) = setting.ready("second", &setting.base)?;
    let own = bytes_below(setting.spaces.root())? - with_template;
    let path = setting.root.join("worktree");
    floor::worktree(&setting.repository, &path, "disk")?;
    let full = bytes_below(&path)?;
    let note = format!(
        "a full checkout {:.0} MB, the template that all share {:.0} MB once; own pages in the page cache cannot be more",
        full / 1e6,
        (with_template - before - own) / 1e6
    );
    let pair = crate::measure::Pair { product: Samples::of([own / 1e6]), floor: Samples::of([full / 1e6]) };
    let what = format!("disk and page cache of an untouched workspace, {files} files");
    let row = Outcome::ratio("disk", what, "a full checkout", Bar::RatioAtMost(0.01), pair)
        .in_unit("MB")
        .note(note);
    drop((_mounted, first, second));
    setting.remove()?;
    Ok(Findings::rows([row]))
}

/// Which files all agents have changed: ten changed and three new ones each. 50 agents count; fewer and more make the curve.
pub fn changed(bench: &Bench<'_>) -> Result<Findings> {
    let (files, agents) = bench.pick((80_000, 50), (200, 2));
    let setting = Setting::make(bench, "changed", files)?;
    let mut spaces = Vec::new();
    for agent in 0..agents {
        let (space, mounted) = setting.ready(&format!("agent-{agent}"), &setting.base)?;
        change(&mounted.view(), files)?;
        spaces.push(space);
    }
    let path = setting.root.join("worktree");
    floor::worktree(&setting.repository, &path, "changed")?;
    change(&path, files)?;
    // What git writes within a second of its index is read again each time; that is not what is measured.
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let status = || {
        let done = repositories::git_command(&path).args(["status", "--porcelain=v2"]).output()?;
        let lines = done.stdout.iter().filter(|byte| **byte == b'\n').count();
        if lines == 13 { Ok(()) } else { Err(format!("git status saw {lines} changes").into()) }
    };
    let look = |_| {
        let look = || {
            spaces.iter().try_for_each(|space| -> Result {
                let found = space.changed(&setting.hub)?.len();
                if found == 13 { Ok(()) } else { Err(format!("{found} changes were seen").into()) }
            })
        };
        Ok(timed(look)?.0)
    };
    let pair = by_turns(bench.pick(3, 1), look, |_| Ok(timed(|| (0..agents).try_for_each(|_| status()))?.0))?;
    let mut points = Vec::new();
    for some in bench.pick(vec![1, 10, 50, 200], vec![2, 3]) {
        for agent in spaces.len()..some {
            let (space, mounted) = setting.ready(&format!("agent-{agent}"), &setting.base)?;
            change(&mounted.view(), files)?;
            spaces.push(space);
        }
        let look = || {
            spaces[..some].iter().try_for_each(|space| -> Result {
                space.changed(&setting.hub)?;
                Ok(())
            })
        };
        points.push((some as f64, timed(look)?.0));
    }
    let what = format!("changed files of {agents} agents, {files} files");
    let row = Outcome::ratio("changed", what, "as many `git status`", Bar::RatioAtMost(1.0 / 50.0), pair);
    setting.remove()?;
    let title = "Changed files of all agents, 80,000 files";
    let curve = Curve { title, of: "agents", unit: "ms", lines: vec![("overlay", points)] };
    Ok(Findings { outcomes: vec![row], curves: vec![curve] })
}

impl Setting {
    pub(super) fn make(bench: &Bench<'_>, name: &str, files: usize) -> Result<Self> {
        let name = format!("{name}-{files}");
        let root = bench.place.root.join(&name);
        fs::create_dir_all(&root)?;
        let repository = Repository::make(bench.place, &format!("{name}/project"), files)?;
        let git = Git::find(&std::env::var_os("PATH").unwrap_or_default())?;
        let project = Project::open(&git, &repository.path)?;
        let hub = Hub::open(&git, &root.join("hub"))?;
        let base = project.resolve("main")?;
        hub.take_base(&project, &base)?;
        let spaces = Workspaces::open_anywhere(&root.join("spaces"), &project)?;
        Ok(Self { root, repository, project, hub, spaces, base })
    }

    /// An overlay workspace that is mounted, as it is for its agent.
    pub(super) fn ready(&self, name: &str, base: &CommitId) -> Result<(Workspace, Holder)> {
        let mut new = NewWorkspace::new(name, base.clone()).on_branch(format!("bench/{name}"));
        new.kind = Kind::Overlay;
        let space = self.spaces.create(&self.hub, &new)?;
        let overlay = space.overlay().ok_or("it is no overlay")?;
        let mounted = Holder::mount(&overlay)?;
        // Whoever enters it sees the base's files.
        fs::metadata(mounted.view().join("src/module_0.rs"))?;
        Ok((space, mounted))
    }

    /// Milliseconds until an overlay is ready.
    fn overlay(&self, turn: usize) -> Result<f64> {
        let (took, (space, mounted)) = timed(|| self.ready(&format!("overlay-{turn}"), &self.base))?;
        drop(mounted);
        self.spaces.discard(&space)?;
        Ok(took)
    }

    /// Milliseconds until a plain checkout is ready.
    fn plain(&self, turn: usize) -> Result<f64> {
        let new =
            NewWorkspace::new(format!("plain-{turn}"), self.base.clone()).on_branch(format!("plain/{turn}"));
        let (took, space) = timed(|| Ok(self.spaces.create(&self.hub, &new)?))?;
        self.spaces.discard(&space)?;
        Ok(took)
    }

    /// Milliseconds of `git worktree add`.
    fn worktree(&self, turn: usize, base: &str) -> Result<f64> {
        let (path, branch) = (self.root.join(format!("worktree-{turn}")), format!("worktree/{turn}"));
        let took = floor::worktree_of(&self.repository, &path, &branch, base)?;
        floor::remove_worktree(&self.repository, &path, &branch)?;
        Ok(took)
    }

    fn overlays_at_once(&self, round: usize, count: usize, failed: &AtomicUsize) -> Result<f64> {
        let make = |n: usize| self.ready(&format!("burst-{round}-{n}"), &self.base).ok();
        let (took, made) = timed(|| {
            Ok(std::thread::scope(|scope| {
                let threads: Vec<_> = (0..count).map(|n| scope.spawn(move || make(n))).collect();
                threads.into_iter().filter_map(|thread| thread.join().ok().flatten()).collect::<Vec<_>>()
            }))
        })?;
        failed.fetch_add(count - made.len(), Ordering::Relaxed);
        for (space, mounted) in made {
            drop(mounted);
            self.spaces.discard(&space)?;
        }
        Ok(took)
    }

    fn worktrees_at_once(&self, round: usize, count: usize, failed: &AtomicUsize) -> Result<f64> {
        let place = |n: usize| (self.root.join(format!("burst-{round}-{n}")), format!("burst/{round}-{n}"));
        let (took, ()) = timed(|| {
            std::thread::scope(|scope| {
                for n in 0..count {
                    scope.spawn(move || {
                        let (path, branch) = place(n);
                        if floor::worktree(&self.repository, &path, &branch).is_err() {
                            failed.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
            });
            Ok(())
        })?;
        for n in 0..count {
            // One that failed may have left any part of itself.
            let _ = fs::remove_dir_all(place(n).0);
        }
        self.repository.git(&["worktree", "prune"])?;
        Ok(took)
    }

    /// A commit on the checked-out branch with 500 files changed.
    fn commit_changes(&self, turn: usize) -> Result<CommitId> {
        let files: usize = self.repository.git(&["ls-files"])?.lines().count();
        for path in repositories::some_files(files, repositories::CHANGED.min(files)) {
            fs::write(self.repository.path.join(path), format!("changed in turn {turn}\n"))?;
        }
        self.repository.git(&["commit", "--quiet", "--all", "-m", "more work"])?;
        Ok(self.project.resolve("HEAD")?)
    }

    /// Gives the room back; it lies in memory.
    pub(super) fn remove(self) -> Result {
        Ok(fs::remove_dir_all(self.root)?)
    }
}

/// Ten files changed and three new ones.
fn change(folder: &Path, files: usize) -> Result {
    for path in repositories::some_files(files, 10) {
        fs::write(folder.join(path), "changed\n")?;
    }
    for n in 0..3 {
        fs::write(folder.join(format!("src/new_{n}.rs")), "new\n")?;
    }
    Ok(())
}

/// Bytes that everything below a folder takes on the disk.
fn bytes_below(folder: &Path) -> Result<f64> {
    let mut bytes = 0.0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.metadata()?;
        bytes += found.blocks() as f64 * 512.0;
        if found.is_dir() {
            // The kernel's own folder of an overlay lets nobody in, and nothing is in it.
            bytes += bytes_below(&entry.path()).unwrap_or_default();
        }
    }
    Ok(bytes)
}
