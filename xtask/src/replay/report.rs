//! What a replay says at its end.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::by_git::ByGit;
use super::fleet::{Landed, Outcome, short};
use super::history::{History, Kind, Pick};
use super::{Landing, Options};
use crate::JobResult;

/// How many files of a conflict are named.
const FILES_NAMED: usize = 3;

#[derive(Serialize)]
pub struct Report {
    /// The call that does the same again.
    again: String,
    base: String,
    tip: String,
    landing: &'static str,
    commits: Vec<Row>,
    tree: String,
    tree_by_git: String,
}

#[derive(Serialize)]
struct Row {
    commit: String,
    subject: String,
    merge: bool,
    outcome: Word,
    /// The files that conflict, or are the reason.
    files: Vec<String>,
    why: String,
    equal: bool,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Word {
    Landed,
    Conflicts,
    DoesNotApply,
    Empty,
    LeftOut,
    Failed,
}

impl Word {
    fn text(self) -> &'static str {
        match self {
            Self::Landed => "landed",
            Self::Conflicts => "conflicts with what landed",
            Self::DoesNotApply => "does not apply to the base",
            Self::Empty => "changes nothing",
            Self::LeftOut => "left out",
            Self::Failed => "FAILED",
        }
    }
}

impl Report {
    pub fn new(options: &Options, history: History, by_divisi: Landed, by_git: ByGit) -> Self {
        let landing = options.landing.word();
        let count = history.picks.len();
        let again = format!(
            "cargo xtask replay --repo {} --tip {} --commits {count}{}",
            options.repo.display(),
            history.tip,
            if options.landing == Landing::Merge { String::new() } else { format!(" --landing {landing}") },
        );
        let outcomes = by_divisi.outcomes.into_iter().zip(by_git.conflicts);
        let commits = history.picks.into_iter().zip(outcomes);
        let commits = commits.map(|(pick, (outcome, git))| row(pick, outcome, git)).collect();
        let (base, tip) = (history.base, history.tip);
        Self { again, base, tip, landing, commits, tree: by_divisi.tree, tree_by_git: by_git.tree }
    }

    /// Whether everything came out as with git alone.
    pub fn equal(&self) -> bool {
        self.tree == self.tree_by_git && self.commits.iter().all(|row| row.equal)
    }

    pub fn json(&self, took: Duration) -> JobResult<String> {
        let mut value = serde_json::to_value(self)?;
        value["equal"] = self.equal().into();
        value["seconds"] = took.as_secs_f64().into();
        Ok(serde_json::to_string_pretty(&value)?)
    }

    pub fn text(&self, took: Duration) -> String {
        let mut text = String::new();
        for row in &self.commits {
            let subject: String = row.subject.chars().take(60).collect();
            let merge = if row.merge { " (merge)" } else { "" };
            let mut files = row.files.iter().take(FILES_NAMED).cloned().collect::<Vec<_>>().join(", ");
            if row.files.len() > FILES_NAMED {
                let _ = write!(files, " and {} more", row.files.len() - FILES_NAMED);
            }
            let why = [files.as_str(), &row.why].into_iter().filter(|part| !part.is_empty());
            let why = why.map(|part| format!(": {part}")).collect::<String>();
            let _ = writeln!(text, "{}  {}{why}  {subject}{merge}", short(&row.commit), row.outcome.text());
            if !row.equal {
                let _ = writeln!(text, "            NOT AS GIT ALONE");
            }
        }
        let number = |word| self.commits.iter().filter(|row| row.outcome == word).count();
        let _ = writeln!(
            text,
            "\n{} commits after {} up to {}, landed by {}, in {:.1} s",
            self.commits.len(),
            short(&self.base),
            short(&self.tip),
            self.landing,
            took.as_secs_f64()
        );
        let words =
            [Word::Landed, Word::Conflicts, Word::DoesNotApply, Word::Empty, Word::LeftOut, Word::Failed];
        for word in words.into_iter().filter(|word| number(*word) > 0) {
            let _ = writeln!(text, "{:>5}  {}", number(word), word.text());
        }
        let _ = writeln!(text, "tree by Divisi   {}\ntree by git      {}", self.tree, self.tree_by_git);
        let _ = writeln!(text, "{}", if self.equal() { "equal" } else { "NOT EQUAL" });
        let _ = writeln!(text, "again: {}", self.again);
        text
    }
}

/// One commit: what became of it, and whether it is what git alone and its kind make one expect.
fn row(pick: Pick, outcome: Outcome, by_git: Option<Vec<String>>) -> Row {
    let (word, files, why, equal) = match (pick.kind, outcome) {
        (_, Outcome::Otherwise { why }) => (Word::Failed, vec![], why, false),
        (Kind::Change { .. }, Outcome::Landed) => match by_git {
            None => (Word::Landed, vec![], String::new(), true),
            Some(files) => (Word::Landed, files, "git alone finds conflicts".into(), false),
        },
        (Kind::Change { .. }, Outcome::Conflict { files }) => {
            let same = by_git.as_ref().is_some_and(|by_git| alike(by_git, &files));
            let why = if same { String::new() } else { format!("git alone: {by_git:?}") };
            (Word::Conflicts, files, why, same)
        }
        (Kind::Empty { .. }, Outcome::NoChange) => (Word::Empty, vec![], String::new(), true),
        (Kind::DoesNotApply { files, .. }, Outcome::Refused) => {
            (Word::DoesNotApply, files, String::new(), true)
        }
        (Kind::LeftOut { why, files }, Outcome::NotGiven) => (Word::LeftOut, files, why.into(), true),
        _ => (Word::Failed, vec![], "its task came to another end than it should".into(), false),
    };
    let (commit, subject, merge) = (pick.commit, pick.subject, pick.merge);
    Row { commit, subject, merge, outcome: word, files, why, equal }
}

/// Whether the same files conflict. Divisi shows names that are no text in quotes, and they are passed over.
fn alike(by_git: &[String], files: &[String]) -> bool {
    let plain = |files: &[String]| {
        let mut plain: Vec<String> =
            files.iter().filter(|file| !file.contains(['"', '\u{fffd}'])).cloned().collect();
        plain.sort();
        plain
    };
    plain(by_git) == plain(files)
}
