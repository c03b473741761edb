//! The same changes in the same order by git alone, in a clone: what the outcome has to be equal to.

use std::path::Path;

use super::Landing;
use super::fleet::{Landed, Outcome};
use super::git::Git;
use super::history::{History, Kind};
use crate::JobResult;

/// What git alone makes of it.
pub struct ByGit {
    /// For each commit that was merged: the files that conflict; none if it went in.
    pub conflicts: Vec<Option<Vec<String>>>,
    pub tree: String,
}

/// Merges (or picks) every change that Divisi landed or refused for a conflict, one after the other.
pub fn land(
    git: &Git,
    scratch: &Path,
    history: &History,
    by_divisi: &Landed,
    landing: Landing,
) -> JobResult<ByGit> {
    let clone = scratch.join("by-git");
    let from = history.project.as_os_str();
    git.run(
        scratch,
        [
            "clone".as_ref(),
            "--quiet".as_ref(),
            "--shared".as_ref(),
            "--no-checkout".as_ref(),
            from,
            clone.as_os_str(),
        ],
    )?;
    git.run(&clone, ["checkout", "--quiet", "--detach", &history.base])?;
    let mut conflicts = Vec::new();
    for (pick, outcome) in history.picks.iter().zip(&by_divisi.outcomes) {
        let merges = matches!(outcome, Outcome::Landed | Outcome::Conflict { .. });
        let (Kind::Change { tree, .. }, true) = (&pick.kind, merges) else {
            conflicts.push(None);
            continue;
        };
        let message = &pick.subject;
        let commit = git.run(&clone, ["commit-tree", tree, "-p", &history.base, "-m", message])?.text();
        conflicts.push(bring_in(git, &clone, &commit, landing)?);
    }
    let tree = git.run(&clone, ["rev-parse", "HEAD^{tree}"])?.text();
    Ok(ByGit { conflicts, tree })
}

fn bring_in(git: &Git, clone: &Path, commit: &str, landing: Landing) -> JobResult<Option<Vec<String>>> {
    let (call, give_up): (&[&str], &str) = match landing {
        Landing::Merge => (&["merge", "--quiet", "--no-ff", "--no-edit", commit], "merge"),
        Landing::Squash | Landing::Rebase => (&["cherry-pick", "--empty=drop", commit], "cherry-pick"),
    };
    let done = git.attempt(clone, call)?;
    if done.code == 0 {
        return Ok(None);
    }
    let unmerged = git.run(clone, ["diff", "--name-only", "--diff-filter=U", "-z"])?;
    let files: Vec<String> =
        unmerged.records().map(|path| String::from_utf8_lossy(path).into_owned()).collect();
    if files.is_empty() {
        return Err(format!("git {} ended with {}: {}", call.join(" "), done.code, done.stderr.trim()).into());
    }
    git.run(clone, [give_up, "--abort"])?;
    Ok(Some(files))
}
