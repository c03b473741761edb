//! What was asked and how it was answered: one record per request, and the bodies on disk.

use std::collections::VecDeque;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::script::Tokens;

use super::unanswered::Waiting;

/// Most records kept in memory; the file keeps all.
const RECORDS_MAX: usize = 10_000;

/// One request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Number of the request, from 1.
    pub seq: u64,
    /// When it came, in milliseconds since 1970.
    pub at_ms: u64,
    /// Run tag of the URL; empty without.
    pub run: String,
    /// Model interface.
    pub endpoint: String,
    /// Method and path.
    pub request: String,
    /// Model asked for.
    pub model: String,
    /// Whether the answer was streamed.
    pub stream: bool,
    /// `main` for the conversation, else the kind of side request.
    pub class: String,
    /// Names of the offered tools.
    pub tools: Vec<String>,
    /// How many prompts the conversation holds.
    pub prompts: usize,
    /// Which answer since the last prompt this is, from 0.
    pub step: usize,
    /// What was answered, in a few words.
    pub action: String,
    /// HTTP status.
    pub status: u16,
    /// Tokens it was said to have used.
    pub input_tokens: u64,
    /// Tokens it was said to have read from a cache.
    pub cached_tokens: u64,
    /// Tokens it was said to have written.
    pub output_tokens: u64,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not yet.
    #[default]
    Running,
    /// With the whole answer.
    Answered,
    /// The client went away first: a cancel has reached the wire.
    AbortedByClient,
    /// The script cut the connection.
    Cut,
    /// The server was shut down first.
    ShutDown,
}

/// All records of a server.
#[derive(Debug)]
pub struct Records {
    folder: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    kept: VecDeque<Evidence>,
}

/// A request on its way; dropping it unfinished means that its client has gone.
#[derive(Debug)]
pub struct Record {
    records: Arc<Records>,
    evidence: Option<Evidence>,
    waiting: Option<Waiting>,
}

impl Records {
    /// Makes the folder.
    pub fn new(folder: Option<PathBuf>) -> std::io::Result<Self> {
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder)?;
        }
        Ok(Self { folder, state: Mutex::default() })
    }

    /// Notes a request and its body.
    pub fn begin(self: &Arc<Self>, mut evidence: Evidence, body: &[u8]) -> Record {
        {
            let mut state = self.lock();
            state.next += 1;
            evidence.seq = state.next;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        evidence.at_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.write_body(&evidence, body);
        let mut state = self.lock();
        if state.kept.len() >= RECORDS_MAX {
            state.kept.pop_front();
        }
        state.kept.push_back(evidence.clone());
        drop(state);
        Record { records: self.clone(), evidence: Some(evidence), waiting: None }
    }

    /// What is kept in memory, oldest first.
    pub fn all(&self) -> Vec<Evidence> {
        self.lock().kept.iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record that cannot be written must not stop the rehearsal; it is in memory still.
    fn write_body(&self, evidence: &Evidence, body: &[u8]) {
        if let Some(folder) = &self.folder
            && !body.is_empty()
        {
            let safe =
                |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
            let run: String = evidence.run.chars().take(64).map(safe).collect();
            let run = if run.is_empty() { "_".to_owned() } else { run };
            let of_run = folder.join(run);
            let _ = std::fs::create_dir_all(&of_run)
                .and_then(|()| std::fs::write(of_run.join(format!("{:06}.json", evidence.seq)), body));
        }
    }

    fn end(&self, evidence: Evidence) {
        // Under the lock, so that lines are whole and in the order of their ends.
        let state = self.lock();
        if let Some(folder) = &self.folder
            && let Ok(mut line) = serde_json::to_string(&evidence)
        {
            line.push('\n');
            let file =
                std::fs::OpenOptions::new().create(true).append(true).open(folder.join("requests.jsonl"));
            let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
        }
        drop(state);
        self.update(&evidence);
    }

    fn update(&self, evidence: &Evidence) {
        if let Some(kept) = self.lock().kept.iter_mut().rev().find(|kept| kept.seq == evidence.seq) {
            *kept = evidence.clone();
        }
    }
}

impl Record {
    /// The prompt that is answered when this has ended well.
    pub fn answers(&mut self, waiting: Option<Waiting>) {
        self.waiting = waiting;
    }

    /// Adds to what is known.
    pub fn note(&mut self, status: u16, action: &str, usage: Tokens) {
        if let Some(evidence) = &mut self.evidence {
            evidence.status = status;
            evidence.action = action.to_owned();
            evidence.input_tokens = usage.input;
            evidence.cached_tokens = usage.cached_read;
            evidence.output_tokens = usage.output;
            self.records.update(evidence);
        }
    }

    /// The request has ended.
    pub fn end(mut self, outcome: Outcome) {
        self.close(outcome);
    }

    fn close(&mut self, outcome: Outcome) {
        if let Some(mut evidence) = self.evidence.take() {
            evidence.outcome = outcome;
            let well = outcome == Outcome::Answered && evidence.status == 200;
            if let Some(waiting) = self.waiting.take().filter(|_| well) {
                waiting.answered();
            }
            self.records.end(evidence);
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.close(Outcome::AbortedByClient);
    }
}
