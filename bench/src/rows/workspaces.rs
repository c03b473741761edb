//! Workspaces against `git worktree`.

use std::path::PathBuf;

use divisi_workspace::{Git, Hub, NewWorkspace, Project, Workspaces};

use super::Bench;
use crate::measure::{by_turns, timed};
use crate::repositories::Repository;
use crate::row::{Bar, Curve, Findings, Outcome};
use crate::{Result, floor};

/// A project with its hub and its workspaces.
struct Setting {
    repository: Repository,
    hub: Hub,
    spaces: Workspaces,
    base: divisi_workspace::CommitId,
    worktrees: PathBuf,
}

/// Plain checkouts.
pub fn measure(bench: &Bench<'_>) -> Result<Findings> {
    let mut plain = Vec::new();
    let mut worktree = Vec::new();
    let mut found = Findings::default();
    for files in bench.pick(vec![200, 5_000, 80_000], vec![200]) {
        let setting = Setting::make(bench, files)?;
        let times = bench.pick(if files > 10_000 { 3 } else { 9 }, 1);
        let pair = by_turns(times, |turn| setting.plain(turn), |turn| setting.worktree(turn))?;
        plain.push((files as f64, pair.product.median()));
        worktree.push((files as f64, pair.floor.median()));
        if files != 200 || bench.quick {
            let what = format!("workspace ready with no overlay, no reflink, {files} files");
            found.outcomes.push(Outcome::ratio(
                "workspaces",
                what,
                "`git worktree add`",
                Bar::RatioAtMost(0.6),
                pair,
            ));
        }
        setting.remove()?;
    }
    found.curves.push(Curve {
        title: "A workspace until it is ready",
        of: "files",
        unit: "ms",
        lines: vec![("plain checkout", plain), ("git worktree add", worktree)],
    });
    Ok(found)
}

impl Setting {
    fn make(bench: &Bench<'_>, files: usize) -> Result<Self> {
        let root = bench.place.root.join(format!("workspaces-{files}"));
        std::fs::create_dir_all(&root)?;
        let repository = Repository::make(bench.place, &format!("workspaces-{files}/project"), files)?;
        let git = Git::find(&std::env::var_os("PATH").unwrap_or_default())?;
        let project = Project::open(&git, &repository.path)?;
        let hub = Hub::open(&git, &root.join("hub"))?;
        let base = project.resolve("main")?;
        hub.take_base(&project, &base)?;
        let spaces = Workspaces::open_anywhere(&root.join("spaces"), &project)?;
        Ok(Self { repository, hub, spaces, base, worktrees: root.join("worktrees") })
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
    fn worktree(&self, turn: usize) -> Result<f64> {
        let (path, branch) = (self.worktrees.join(turn.to_string()), format!("worktree/{turn}"));
        let took = floor::worktree(&self.repository, &path, &branch)?;
        floor::remove_worktree(&self.repository, &path, &branch)?;
        Ok(took)
    }

    /// Gives the room back; large ones lie in memory.
    fn remove(self) -> Result {
        let root = self.worktrees.parent().ok_or("it has a parent")?;
        Ok(std::fs::remove_dir_all(root)?)
    }
}
