//! Simulated processes with the journals of a launch: what was accepted for their input, what they wrote, how they ended.

use std::path::{Path, PathBuf};

use divisi_model::Oid;
use divisi_workspace::launch::{EndedBy, Exit, Outcome, Spec, State, Status};

use crate::agent::Agent;
use crate::repo;
use crate::world::{Next, World};

/// How long what was asked to end may take before it is killed, in milliseconds.
const GRACE: u64 = 5_000;

/// A process and its launch folder.
pub(crate) struct Process {
    pub(crate) spec: Spec,
    pub(crate) body: Body,
    pub(crate) out: Vec<u8>,
    pub(crate) input: Vec<u8>,
    /// How much of its input it has read.
    pub(crate) read: usize,
    pub(crate) input_closed: bool,
    pub(crate) exit: Option<Exit>,
    pub(crate) started: i64,
    /// How it will end, once that is sure; the number tells this end from an earlier plan.
    ending: Option<(u64, Outcome, Option<EndedBy>)>,
}

/// What runs in it.
pub(crate) enum Body {
    /// An agent that speaks ACP.
    Agent(Box<Agent>),
    /// A setup script or a check.
    Command { proves: Option<(String, Oid)> },
    /// A one-shot agent.
    Tool,
}

impl Process {
    pub(crate) fn runs(&self) -> bool {
        self.exit.is_none()
    }

    pub(crate) fn status(&self) -> Status {
        Status {
            state: self.exit.clone().map_or(State::Running, State::Ended),
            journal_len: self.out.len() as u64,
            err_len: 0,
            stdin_len: self.input.len() as u64,
            stdin_open: !self.input_closed,
            paused: None,
        }
    }
}

/// The attempt that a launch folder belongs to: `sessions/t1.1/2`.
pub(crate) fn attempt_of(dir: &Path) -> String {
    let mut parts = dir.iter().rev().skip(1).map(|part| part.to_string_lossy().into_owned());
    parts.next().unwrap_or_default()
}

fn is_session(dir: &Path) -> bool {
    dir.iter().any(|part| part == "sessions")
}

impl World {
    /// Starts what a launch folder was prepared for.
    pub(crate) fn start(&mut self, dir: &Path, spec: &Spec) -> Result<(), String> {
        if self.processes.contains_key(dir) {
            return Err("the launch was started before".to_owned());
        }
        let attempt = attempt_of(dir);
        let twin = |(other, process): (&PathBuf, &Process)| {
            process.runs() && is_session(other) && attempt_of(other) == attempt
        };
        if is_session(dir) && self.processes.iter().any(twin) {
            self.violate(format!("{attempt} runs in two places: {}", dir.display()));
        }
        let program = spec.argv.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
        let line = spec.argv.last().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
        let trouble = if self.calm { 0 } else { self.plan.trouble };
        let body = match program.as_str() {
            "/sim/agent" => Body::Agent(Box::new(Agent::new(&attempt, &mut self.chance, trouble))),
            "/sim/tool" => Body::Tool,
            _ => Body::Command { proves: self.proves(&spec.cwd, &line) },
        };
        let (started, at) = (self.wall(), dir.to_owned());
        let (ending, exit) = (None, None);
        let process = Process {
            spec: spec.clone(),
            body,
            out: Vec::new(),
            input: Vec::new(),
            read: 0,
            input_closed: false,
            exit,
            started,
            ending,
        };
        self.processes.insert(at, process);
        if let Some(limit) = spec.timeout_ms {
            self.end(dir, limit, Outcome::Signaled { signal: 15 }, Some(EndedBy::Timeout));
        }
        match program.as_str() {
            "/sim/agent" => {
                if self.chance.percent(trouble / 4) {
                    self.end(dir, 300, Outcome::Exited { code: 1 }, None);
                }
            }
            "/sim/tool" => self.tool(dir, &attempt, trouble),
            _ => self.command(dir, &line, trouble),
        }
        Ok(())
    }

    /// A check proves its command for the tree that it sees.
    fn proves(&self, cwd: &Path, line: &str) -> Option<(String, Oid)> {
        let name = cwd.file_name()?.to_string_lossy().into_owned();
        let files = &self.checkouts.get(&name)?.files;
        Some((line.to_owned(), repo::tree(files)))
    }

    fn command(&mut self, dir: &Path, line: &str, trouble: u64) {
        let seen = self.processes.get(dir).map(|process| process.spec.cwd.clone()).unwrap_or_default();
        let seen = seen.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let files = self.checkouts.get(&seen).map(|space| space.files.clone()).unwrap_or_default();
        let bad = line == "check clean" && files.values().any(|text| text.contains("bug"));
        let millis = self.chance.between(1, 60_000);
        let hangs = self.chance.percent(trouble / 8);
        let dies = self.chance.percent(trouble / 4);
        self.write_out(dir, &format!("{line}: {} files\n", files.len()));
        if hangs {
            return;
        }
        let outcome = match (dies, bad) {
            (true, _) => Outcome::Signaled { signal: 9 },
            (false, bad) => Outcome::Exited { code: i32::from(bad) },
        };
        self.end(dir, millis, outcome, None);
    }

    fn tool(&mut self, dir: &Path, attempt: &str, trouble: u64) {
        let millis = self.chance.between(1, 30_000);
        let (nothing, code) = (self.chance.percent(trouble / 3), i32::from(self.chance.percent(trouble / 2)));
        if !nothing {
            self.edit(attempt, &format!("{attempt}.txt"), &format!("by a tool in {}\n", dir.display()));
        }
        self.write_out(dir, "I did what a tool does.\n");
        if !self.chance.percent(trouble / 10) {
            self.end(dir, millis, Outcome::Exited { code }, None);
        }
    }

    /// An agent changes a file of its workspace.
    pub(crate) fn edit(&mut self, attempt: &str, path: &str, text: &str) {
        self.note(&format!("{attempt} writes {path}"));
        match self.spaces.get_mut(attempt) {
            Some(space) => drop(space.files.insert(path.to_owned(), text.to_owned())),
            None => self.violate(format!("{attempt} works, but its workspace is gone")),
        }
    }

    pub(crate) fn write_out(&mut self, dir: &Path, text: &str) {
        self.note(&format!("{} says {text}", dir.display()));
        if let Some(process) = self.processes.get_mut(dir).filter(|process| process.runs()) {
            process.out.extend_from_slice(text.as_bytes());
        }
    }

    /// It will end, unless it ends sooner.
    pub(crate) fn end(&mut self, dir: &Path, millis: u64, outcome: Outcome, by: Option<EndedBy>) {
        self.ids += 1;
        let id = self.ids;
        let Some(process) = self.processes.get_mut(dir) else { return };
        // The limit is only what happens when nothing else does.
        if by == Some(EndedBy::Timeout)
            || process.ending.is_none()
            || process.ending_is_limit()
            || by.is_some()
        {
            process.ending = Some((id, outcome, by));
            self.later(millis, Next::Exit(dir.to_owned(), id));
        }
    }

    /// Everything of it is asked to end, and is killed if it does not.
    pub(crate) fn terminate(&mut self, dir: &Path) {
        if self.processes.get(dir).is_some_and(Process::runs) {
            let millis = if self.chance.percent(20) { GRACE } else { self.chance.between(1, 500) };
            self.end(dir, millis, Outcome::Signaled { signal: 15 }, Some(EndedBy::Terminate));
        }
    }

    /// The machine went down: nobody saw the end of what ran.
    pub(crate) fn lose_all(&mut self) {
        self.note("the machine restarts");
        let running: Vec<_> =
            self.processes.iter().filter(|(_, process)| process.runs()).map(|(dir, _)| dir.clone()).collect();
        for dir in running {
            self.record_exit(&dir, Outcome::Lost { why: "the machine was restarted".to_owned() }, None);
        }
    }

    pub(crate) fn exit(&mut self, dir: &Path, id: u64) {
        let planned = self.processes.get(dir).and_then(|process| process.ending.clone());
        if let Some((_, outcome, by)) = planned.filter(|(planned, ..)| *planned == id) {
            self.record_exit(dir, outcome, by);
        }
    }

    fn record_exit(&mut self, dir: &Path, outcome: Outcome, ended_by: Option<EndedBy>) {
        let now = self.wall();
        let Some(process) = self.processes.get_mut(dir).filter(|process| process.runs()) else { return };
        let millis = |at: i64| u64::try_from(at).unwrap_or_default();
        let proves = match (&process.body, &outcome, ended_by) {
            (Body::Command { proves }, Outcome::Exited { code: 0 }, None) => proves.clone(),
            _ => None,
        };
        process.exit = Some(Exit {
            version: 1,
            outcome,
            ended_by,
            started_at_ms: millis(process.started),
            ended_at_ms: millis(now),
            strays_ended: 0,
            strays_left: 0,
        });
        self.proved.extend(proves);
        self.note(&format!("{} ended", dir.display()));
    }
}

impl Process {
    fn ending_is_limit(&self) -> bool {
        matches!(self.ending, Some((_, _, Some(EndedBy::Timeout))))
    }
}
