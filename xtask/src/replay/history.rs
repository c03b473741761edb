//! The commits that are replayed, and what each would change if it were picked onto their common base.

use std::fs;
use std::path::{Path, PathBuf};

use super::Options;
use super::apply::Step;
use super::git::Git;
use crate::JobResult;

/// The folder, below the scratch folder, in which each commit stands as its agent carries it out.
pub const CHANGES: &str = "changes";
/// The branch that everything lands on.
pub const TARGET: &str = "main";

/// Why a commit is given to nobody.
const SUBMODULE: &str = "it moves a submodule, of which a workspace has no files";
const IGNORED: &str = "it adds files that the base's rules ignore, and so would a build";

/// N commits after a base.
pub struct History {
    /// The project: a clone of the repository whose branch is at the base.
    pub project: PathBuf,
    pub base: String,
    pub tip: String,
    pub picks: Vec<Pick>,
}

/// One commit, picked onto the base.
pub struct Pick {
    pub commit: String,
    pub subject: String,
    /// A merge; what counts is its difference to its first parent.
    pub merge: bool,
    pub kind: Kind,
}

/// What picking a commit onto the base comes to.
pub enum Kind {
    /// The base with the commit's change.
    Change { tree: String, dir: PathBuf },
    /// Nothing is left to change.
    Empty { dir: PathBuf },
    /// It rests on an earlier one of the commits.
    DoesNotApply { files: Vec<String>, dir: PathBuf },
    /// It cannot be done by files in a workspace.
    LeftOut { why: &'static str, files: Vec<String> },
}

impl Pick {
    /// Where the agent finds what to do; none for a commit that is given to nobody.
    pub fn dir(&self) -> Option<&Path> {
        match &self.kind {
            Kind::Change { dir, .. } | Kind::Empty { dir } | Kind::DoesNotApply { dir, .. } => Some(dir),
            Kind::LeftOut { .. } => None,
        }
    }
}

/// Clones the repository, chooses the commits and writes down what the agents are to do.
pub fn take(git: &Git, scratch: &Path, options: &Options) -> JobResult<History> {
    let repo = options.repo.canonicalize().map_err(|error| format!("{}: {error}", options.repo.display()))?;
    let tip = format!("{}^{{commit}}", options.tip);
    let tip = git.run(&repo, ["rev-parse", "--verify", "--end-of-options", &tip])?.text();
    let project = scratch.join("project");
    git.run(
        scratch,
        [
            "clone".as_ref(),
            "--quiet".as_ref(),
            "--no-checkout".as_ref(),
            repo.as_os_str(),
            project.as_os_str(),
        ],
    )?;
    let count = (options.commits + 1).to_string();
    let line = git.run(&project, ["rev-list", "--first-parent", "--max-count", &count, &tip])?.text();
    let mut line: Vec<&str> = line.lines().collect();
    line.reverse();
    if line.len() < 2 {
        return Err("the history has fewer than two commits".into());
    }
    let base = line[0].to_owned();
    git.run(&project, ["checkout", "--quiet", "-B", TARGET, &base])?;
    let mut picks = Vec::new();
    for (number, commit) in line[1..].iter().enumerate() {
        let dir = scratch.join(CHANGES).join((number + 1).to_string());
        picks.push(pick(git, &project, &base, commit, dir)?);
    }
    Ok(History { project, base, tip, picks })
}

fn pick(git: &Git, project: &Path, base: &str, commit: &str, dir: PathBuf) -> JobResult<Pick> {
    let about = git.run(project, ["show", "--no-patch", "--format=%P%x00%s", commit])?;
    let mut about = about.records().map(|record| String::from_utf8_lossy(record).trim().to_owned());
    let (parents, subject) = (about.next().unwrap_or_default(), about.next().unwrap_or_default());
    let merge = parents.contains(' ');
    let since = format!("--merge-base={commit}^1");
    let args = ["merge-tree", "--write-tree", "--name-only", "-z", "--no-messages", &since, base, commit];
    let merged = git.attempt(project, args)?;
    let mut records = merged.records().map(|record| String::from_utf8_lossy(record).into_owned());
    let tree = records.next().unwrap_or_default();
    fs::create_dir_all(&dir)?;
    let kind = match merged.code {
        0 => {
            let (steps, submodules) = steps(git, project, base, &tree, &dir)?;
            let ignored = ignored(git, project, &steps)?;
            super::apply::write(&dir, &steps)?;
            match (submodules.is_empty(), ignored.is_empty()) {
                (false, _) => Kind::LeftOut { why: SUBMODULE, files: submodules },
                (true, false) => Kind::LeftOut { why: IGNORED, files: ignored },
                (true, true) if steps.is_empty() => Kind::Empty { dir },
                (true, true) => Kind::Change { tree, dir },
            }
        }
        1 => {
            super::apply::refuse(&dir)?;
            Kind::DoesNotApply { files: records.collect(), dir }
        }
        code => return Err(format!("git merge-tree ended with {code}: {}", merged.stderr.trim()).into()),
    };
    Ok(Pick { commit: commit.to_owned(), subject, merge, kind })
}

/// The files in which a tree differs from the base, with their new content; and the submodules.
fn steps(
    git: &Git,
    project: &Path,
    base: &str,
    tree: &str,
    dir: &Path,
) -> JobResult<(Vec<Step>, Vec<String>)> {
    let args = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", base, tree];
    let differences = git.run(project, args)?;
    let (mut steps, mut submodules) = (Vec::new(), Vec::new());
    let mut records = differences.records();
    while let (Some(head), Some(path)) = (records.next(), records.next()) {
        let head = String::from_utf8_lossy(head).into_owned();
        let words: Vec<&str> = head.trim_start_matches(':').split(' ').collect();
        let [old_mode, mode, _, object, _] = words[..] else {
            return Err(format!("git diff-tree answered {head}").into());
        };
        if old_mode == "160000" || mode == "160000" {
            submodules.push(String::from_utf8_lossy(path).into_owned());
            continue;
        }
        let content = match mode {
            "000000" => None,
            mode => {
                let file = format!("{}", steps.len());
                fs::write(dir.join(&file), git.object(project, object)?)?;
                Some((mode.to_owned(), file))
            }
        };
        steps.push(Step { path: path.to_vec(), content });
    }
    Ok((steps, submodules))
}

/// The files that are written and that the rules of the base ignore, unless the commit changes rules itself.
fn ignored(git: &Git, project: &Path, steps: &[Step]) -> JobResult<Vec<String>> {
    if steps.iter().any(|step| step.path.ends_with(b".gitignore")) {
        return Ok(Vec::new());
    }
    let written = steps.iter().filter(|step| step.content.is_some());
    let names: Vec<u8> = written.flat_map(|step| [&step.path, &b"\0"[..]].concat()).collect();
    let found = git.with_input(project, ["check-ignore", "-z", "--stdin"], &names)?;
    match found.code {
        0 | 1 => Ok(found.records().map(|path| String::from_utf8_lossy(path).into_owned()).collect()),
        code => Err(format!("git check-ignore ended with {code}: {}", found.stderr.trim()).into()),
    }
}
