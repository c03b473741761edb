//! The road through Divisi: the real program with a home of its own, one task per commit, landed in order.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::git::Git;
use super::history::{CHANGES, History, Pick, TARGET};
use super::{Options, alone, apply};
use crate::{JobResult, run};

/// What became of the commits, in their order, and the branch at the end.
pub struct Landed {
    pub outcomes: Vec<Outcome>,
    pub tree: String,
}

/// What became of one commit.
pub enum Outcome {
    Landed,
    /// It contradicts what landed before it.
    Conflict {
        files: Vec<String>,
    },
    /// Its agent left the files as they are.
    NoChange,
    /// Its agent could not do it.
    Refused,
    /// It was given to nobody.
    NotGiven,
    /// Anything else, which should not be.
    Otherwise {
        why: String,
    },
}

/// A `divisi` with a home of its own. Its daemon ends with it.
struct Divisi<'a> {
    program: &'a Path,
    scratch: &'a Path,
    project: &'a Path,
}

impl Drop for Divisi<'_> {
    fn drop(&mut self) {
        let _ = self.command(["stop", "--daemon"]).stdout(Stdio::null()).status();
    }
}

impl Divisi<'_> {
    fn command(&self, arguments: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>) -> Command {
        let mut command = alone(self.program, self.scratch);
        command.current_dir(self.project).env("DIVISI_HOME", self.home()).env("NO_COLOR", "1");
        command.args(arguments).stdin(Stdio::null());
        command
    }

    fn home(&self) -> PathBuf {
        self.scratch.join("divisi")
    }

    /// Its standard output, whatever its exit code; what it says beside that passes through.
    fn ask(&self, arguments: &[String]) -> JobResult<String> {
        let mut command = self.command(arguments);
        let shown = run::describe(&command);
        let output = command.stderr(Stdio::inherit()).output();
        let output = output.map_err(|error| format!("cannot run `{shown}`: {error}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn task(&self, handle: &str) -> JobResult<Value> {
        let text = self.ask(&["show".into(), "--json".into(), handle.into()])?;
        serde_json::from_str(&text)
            .map_err(|error| format!("divisi show {handle} gave no JSON: {error}").into())
    }
}

/// Gives the commits out, lets the agents work, and lands what is ready in the order of the history.
pub fn land(
    program: &Path,
    scratch: &Path,
    git: &Git,
    history: &History,
    options: &Options,
) -> JobResult<Landed> {
    let divisi = Divisi { program, scratch, project: &history.project };
    configure(&divisi.home(), &scratch.join(CHANGES), options)?;
    let given: Vec<&Pick> = history.picks.iter().filter(|pick| pick.dir().is_some()).collect();
    let handles = give_out(&divisi, scratch, &given)?;
    if handles.len() != given.len() {
        return Err(format!("{} tasks were asked for and {} given out", given.len(), handles.len()).into());
    }
    let mut ready = Vec::new();
    for handle in &handles {
        if divisi.task(handle)?["attempts"][0]["status"]["state"] == "in review" {
            divisi.ask(&["review".into(), "--quiet".into(), handle.clone(), "--approve".into()])?;
            ready.push(handle.clone());
        }
    }
    eprintln!("{} of {} results are ready to land", ready.len(), given.len());
    if !ready.is_empty() {
        divisi.ask(&[vec!["land".into(), "--quiet".into()], ready].concat())?;
    }
    let mut handles = handles.iter();
    let mut outcomes = Vec::new();
    for pick in &history.picks {
        outcomes.push(match pick.dir().and_then(|_| handles.next()) {
            Some(handle) => outcome(git, &divisi, pick, &divisi.task(handle)?)?,
            None => Outcome::NotGiven,
        });
    }
    let tree = git.run(&history.project, ["rev-parse", &format!("{TARGET}^{{tree}}")])?.text();
    let status = git.run(&history.project, ["status", "--porcelain", "-z"])?;
    if !status.stdout.is_empty() {
        return Err(format!("the checkout of the project is not clean:\n{}", status.text()).into());
    }
    Ok(Landed { outcomes, tree })
}

fn configure(home: &Path, changes: &Path, options: &Options) -> JobResult {
    let agents = home.join("config").join("agents");
    fs::create_dir_all(&agents)?;
    let me = std::env::current_exe()?;
    let me = toml::Value::String(me.to_str().ok_or("the path of xtask is not UTF-8")?.to_owned());
    let agent = format!(
        "title = \"A commit of the history\"\ndrive = \"exec\"\n\
         command = [{me}, \"apply-change\", \"--\", \"{{prompt}}\"]\n\n\
         [exec]\nprompt = \"argument\"\noutput = \"text\"\n"
    );
    fs::write(agents.join("replay.toml"), agent)?;
    // The agent notes beside its change that it is applied; everything else outside its workspace stays read-only.
    let changes = toml::Value::String(changes.to_str().ok_or("the scratch folder is not UTF-8")?.to_owned());
    let config = format!(
        "parallel = {}\nlanding = \"{}\"\nsandbox_writable = [{changes}]\n",
        options.parallel,
        options.landing.word()
    );
    fs::write(home.join("config").join("config.toml"), config)?;
    Ok(())
}

/// One call for all of them, so that all start from the same commit and as many at once as may.
fn give_out(divisi: &Divisi<'_>, scratch: &Path, given: &[&Pick]) -> JobResult<Vec<String>> {
    let prompts = scratch.join("prompts");
    fs::create_dir_all(&prompts)?;
    let mut call: Vec<String> =
        ["run", "--quiet", "--wait", "--agent", "replay"].into_iter().map(str::to_owned).collect();
    for (number, pick) in given.iter().enumerate() {
        let dir = pick.dir().unwrap_or(scratch).to_str().ok_or("the scratch folder is not UTF-8")?;
        let file = prompts.join(format!("{}.md", number + 1));
        fs::write(&file, format!("{} {}\n\n{}{dir}\n", short(&pick.commit), pick.subject, apply::LINE))?;
        call.extend(["--file".to_owned(), file.to_string_lossy().into_owned()]);
    }
    Ok(divisi.ask(&call)?.lines().map(str::to_owned).collect())
}

fn outcome(git: &Git, divisi: &Divisi<'_>, pick: &Pick, task: &Value) -> JobResult<Outcome> {
    let attempt = &task["attempts"][0];
    if let super::history::Kind::Change { tree, .. } = &pick.kind {
        let made = first_result(git, divisi, task)?;
        if made.as_ref() != Some(tree) {
            let why = match made {
                Some(made) => format!(
                    "its result is another tree than the agent made: {}",
                    differ(git, divisi, tree, &made)?
                ),
                None => format!("it has no result: {}", attempt["status"]["reason"]),
            };
            return Ok(Outcome::Otherwise { why });
        }
    }
    let failure = &attempt["landing_failure"];
    let paths = failure["paths"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(match attempt["status"]["state"].as_str() {
        Some("landed") => Outcome::Landed,
        _ if failure["why"] == "conflict" => Outcome::Conflict { files: paths.map(text).collect() },
        _ if !failure.is_null() => Outcome::Otherwise { why: text(&failure["text"]) },
        Some("agent failed") => Outcome::Refused,
        Some("waiting for instruction") => Outcome::NoChange,
        _ => Outcome::Otherwise { why: format!("{}", attempt["status"]["reason"]) },
    })
}

/// The tree of the attempt's first result, as the hub has it.
fn first_result(git: &Git, divisi: &Divisi<'_>, task: &Value) -> JobResult<Option<String>> {
    let Some(hub) = hub(divisi)? else { return Ok(None) };
    let prefix = format!("refs/divisi/results/t{}.1/", task["number"]);
    let list = ["for-each-ref", "--sort=committerdate", "--format=%(tree)", "--count=1", &prefix];
    let tree = git.run(&hub, list)?.text();
    Ok((!tree.is_empty()).then_some(tree))
}

fn hub(divisi: &Divisi<'_>) -> JobResult<Option<PathBuf>> {
    let projects = divisi.home().join("data").join("projects");
    let mut found = None;
    for project in fs::read_dir(projects)? {
        found = Some(project?.path().join("hub.git"));
    }
    Ok(found)
}

/// Where two trees differ, one of which is in the project and the other in the hub.
fn differ(git: &Git, divisi: &Divisi<'_>, wanted: &str, made: &str) -> JobResult<String> {
    let Some(hub) = hub(divisi)? else { return Ok(String::new()) };
    let call = ["diff-tree", "-r", "--name-status", wanted, made];
    Ok(git.across(&hub, &divisi.project.join(".git"), call)?.text().replace('\n', ", "))
}

pub fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}
