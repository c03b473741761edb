//! What is wanted: the task, its criteria, and the settings it was given when it was added.

use serde::{Deserialize, Serialize};

use crate::budget::Budget;
use crate::ids::{Oid, ProjectId, TaskNumber};
use crate::image::Image;
use crate::limits;

/// What is wanted, as it was asked for. It never changes once the first attempt is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskSpec {
    /// Its number in the log.
    pub number: TaskNumber,
    /// The project it belongs to.
    pub project: ProjectId,
    /// One line for people.
    pub title: String,
    /// The prompt or spec in Markdown, as the agent gets it.
    pub prompt: String,
    /// The images that belong to the prompt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
    /// What must hold for the task to be done.
    #[serde(default)]
    pub criteria: Vec<Criterion>,
    /// Where its attempts start.
    pub base: Base,
    /// One agent per attempt, in order.
    pub agents: Vec<String>,
    /// The project's settings as they were when the task was added, so that a change of the file, by a person
    /// or by an agent, never changes the rules of a running task.
    #[serde(default)]
    pub settings: TaskSettings,
    /// The paths that its attempts may change, as patterns of `.gitignore` name them; none: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    /// How much each attempt may use before a person is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// What was asked for and has to be looked up again when a staged task starts.
    #[serde(default, skip_serializing_if = "Asked::is_empty")]
    pub asked: Asked,
}

/// What was asked for in words whose meaning may change until a staged task starts; none takes the project's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The branch or commit to start from.
    pub base: Option<String>,
    /// Which permissions are given without asking.
    pub permissions: Option<Permissions>,
    /// How often failing checks send an attempt back.
    pub rounds: Option<u16>,
}

impl Asked {
    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The commit that attempts start from, and the branch that results land on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// The branch that the result lands on, without `refs/heads/`.
    pub branch: String,
    /// The commit.
    pub commit: Oid,
}

/// One acceptance criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criterion {
    /// What must hold, in words.
    pub text: String,
    /// Who or what tells whether it holds.
    pub by: CheckedBy,
}

/// How a criterion is checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum CheckedBy {
    /// A shell command that exits 0 in a clean checkout of the commit.
    Command {
        /// Run by `sh -c`.
        command: String,
    },
    /// A person says so.
    Person,
}

/// A check of the project that every result must pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Its name, unique in the project.
    pub name: String,
    /// Run by `sh -c` in a clean checkout.
    pub command: String,
    /// Whether a failure sends the attempt back; otherwise it is only shown.
    #[serde(default = "yes")]
    pub required: bool,
    /// Seconds until it is ended and counts as failed.
    #[serde(default = "check_seconds")]
    pub timeout_seconds: u32,
}

/// How a result is put on its target branch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LandingMode {
    /// A merge commit, always.
    #[default]
    Merge,
    /// One commit.
    Squash,
    /// The result's commits, replayed.
    Rebase,
}

/// Which permission requests are answered without a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permissions {
    /// None: every request waits for a person.
    Ask,
    /// Reading, searching, and editing files inside the workspace.
    #[default]
    Edits,
    /// Everything.
    All,
}

/// The settings of a task, resolved from the project when it was added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskSettings {
    /// Run by `sh -c` in a new workspace before its agent starts.
    pub setup: Option<String>,
    /// Seconds until setup is ended and counts as failed.
    pub setup_timeout_seconds: u32,
    /// The project's gates.
    pub gates: Vec<Gate>,
    /// How results land.
    pub landing: LandingMode,
    /// How often failing checks or conflicts send an attempt back before a person is asked.
    pub rounds: u16,
    /// Which permissions are given without asking.
    pub permissions: Permissions,
    /// Put before the branch names that Divisi makes.
    pub branch_prefix: String,
    /// Names of environment variables passed on to setup, agents and checks.
    pub pass_environment: Vec<String>,
    /// Minutes without a sign of life in a turn until a person is asked; 0 is never.
    pub stall_minutes: u32,
    /// Trailers added to the commits that Divisi makes.
    pub trailers: bool,
}

impl Default for TaskSettings {
    fn default() -> Self {
        Self {
            setup: None,
            setup_timeout_seconds: limits::SETUP_SECONDS_DEFAULT,
            gates: Vec::new(),
            landing: LandingMode::default(),
            rounds: limits::ROUNDS_DEFAULT,
            permissions: Permissions::default(),
            branch_prefix: "divisi/".to_owned(),
            pass_environment: Vec::new(),
            stall_minutes: 15,
            trailers: true,
        }
    }
}

/// One thing that Divisi runs to prove a result: a gate or a criterion with a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// A gate's name, or `criterion 2`.
    pub name: String,
    /// Run by `sh -c`.
    pub command: String,
    /// Whether a failure sends the attempt back.
    pub required: bool,
    /// Seconds until it is ended and counts as failed.
    pub timeout_seconds: u32,
    /// The criterion it proves, counted from 0.
    pub criterion: Option<usize>,
}

impl TaskSpec {
    /// All checks that a result of this task must face, gates first.
    pub fn checks(&self) -> Vec<Check> {
        let gates = self.settings.gates.iter().map(|gate| Check {
            name: gate.name.clone(),
            command: gate.command.clone(),
            required: gate.required,
            timeout_seconds: gate.timeout_seconds,
            criterion: None,
        });
        let criteria = self.criteria.iter().enumerate().filter_map(|(i, criterion)| match &criterion.by {
            CheckedBy::Command { command } => Some(Check {
                name: format!("criterion {}", i + 1),
                command: command.clone(),
                required: true,
                timeout_seconds: limits::CHECK_SECONDS_DEFAULT,
                criterion: Some(i),
            }),
            CheckedBy::Person => None,
        });
        gates.chain(criteria).collect()
    }

    /// The branch of an attempt: `divisi/t12-short-title`, from the second attempt on with its number.
    pub fn branch(&self, attempt: u16) -> String {
        let slug = slug(&self.title);
        let dash = if slug.is_empty() { "" } else { "-" };
        let tail = if attempt > 1 { format!("-{attempt}") } else { String::new() };
        format!("{}{}{dash}{slug}{tail}", self.settings.branch_prefix, self.number)
    }
}

/// The first line of a prompt, cut to a title.
pub fn title_of(prompt: &str) -> String {
    let line = prompt.lines().map(|l| l.trim_start_matches(['#', ' ']).trim()).find(|l| !l.is_empty());
    let line = line.unwrap_or("untitled");
    if line.chars().count() <= limits::TITLE_CHARS {
        return line.to_owned();
    }
    let mut cut: String = line.chars().take(limits::TITLE_CHARS - 1).collect();
    cut.push('…');
    cut
}

/// A few lower-case words of a title that are safe in branch and folder names.
pub fn slug(title: &str) -> String {
    let mut out = String::new();
    for c in title.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
        if out.len() >= 32 {
            break;
        }
    }
    out.trim_end_matches('-').to_owned()
}

fn yes() -> bool {
    true
}

fn check_seconds() -> u32 {
    limits::CHECK_SECONDS_DEFAULT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_first_line_with_words() {
        assert_eq!(title_of("\n\n# Fix the parser\nmore"), "Fix the parser");
        assert_eq!(title_of("   "), "untitled");
        assert_eq!(title_of(&"x".repeat(200)).chars().count(), limits::TITLE_CHARS);
    }

    #[test]
    fn a_slug_is_safe_in_a_branch_name() {
        assert_eq!(slug("Fix: the ../parser @{0} ~^"), "fix-the-parser-0");
        assert_eq!(slug("Übergröße"), "bergr-e");
        assert_eq!(slug("…"), "");
    }
}
