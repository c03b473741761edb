//! Sessions, kept as append-only files of JSON lines so that another process can go on with them.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use agent_client_protocol_schema::v1::{SessionUpdate, ToolKind};
use serde::{Deserialize, Serialize};

use crate::script::{Part, Script, Tokens};

use super::cancel::{Cancel, lock};
use super::options::Mode;
use super::scripts::{Found, Scripts, ScriptsError, fallback};

/// Longest session id accepted from a client.
const ID_BYTES_MAX: usize = 100;

/// One conversation.
pub struct Session {
    pub id: String,
    pub workspace: PathBuf,
    pub state: Mutex<State>,
    journal: Mutex<File>,
}

/// What changes in a conversation.
pub struct State {
    pub mode: Mode,
    /// How many prompts there have been.
    pub prompts: u32,
    /// Since the session began; the cost in US dollars.
    pub used: Tokens,
    /// Kinds of tool for which the person said always, and what.
    pub always: Vec<(ToolKind, bool)>,
    /// Set while a turn runs.
    pub running: Option<Arc<Cancel>>,
    part: Option<(String, Part)>,
}

/// One line of a session's file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Session { cwd: PathBuf },
    Prompt(String),
    Update(Box<SessionUpdate>),
    Mode(String),
    Usage { input: u64, output: u64, cached_read: u64, cached_write: u64, thought: u64, cost: Option<f64> },
}

/// Why a session cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Nobody knows this id.
    #[error("There is no session “{0}”.")]
    Unknown(String),
    /// The state folder does not work.
    #[error("The session file {path} cannot be used.")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Session {
    /// A new conversation with a file of its own.
    pub fn create(state_dir: &Path, workspace: PathBuf, mode: Mode) -> Result<Self, SessionError> {
        let id = format!("rehearsal-{}", uuid::Uuid::now_v7());
        let path = file_of(state_dir, &id);
        let failed = |source| SessionError::File { path: path.clone(), source };
        std::fs::create_dir_all(state_dir).map_err(failed)?;
        let file = OpenOptions::new().create_new(true).append(true).open(&path).map_err(failed)?;
        let session = Self { id, workspace, state: Mutex::new(State::new(mode)), journal: Mutex::new(file) };
        session.record(&Entry::Session { cwd: session.workspace.clone() });
        session.record(&Entry::Mode(mode.id().to_owned()));
        Ok(session)
    }

    /// Opens an earlier conversation, with its updates in order for a replay; a prompt is one of them.
    pub fn open(
        state_dir: &Path,
        id: &str,
        workspace: PathBuf,
        mode: Mode,
        scripts: &Scripts,
    ) -> Result<(Self, Vec<SessionUpdate>), SessionError> {
        let safe = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !safe || id.is_empty() || id.len() > ID_BYTES_MAX {
            return Err(SessionError::Unknown(id.to_owned()));
        }
        let path = file_of(state_dir, id);
        let failed = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::NotFound => SessionError::Unknown(id.to_owned()),
            _ => SessionError::File { path: path.clone(), source },
        };
        let mut file = OpenOptions::new().read(true).append(true).open(&path).map_err(failed)?;
        let mut state = State::new(mode);
        let mut replay = Vec::new();
        let mut whole = true;
        for line in BufReader::new(&file).lines() {
            let line = line.map_err(failed)?;
            // A process killed while it wrote leaves one torn line, which is as if it had never been.
            let entry = serde_json::from_str(&line);
            whole = entry.is_ok();
            match entry {
                Ok(Entry::Prompt(prompt)) => {
                    // A script that was wrong then is wrong now, and was answered so.
                    let _ = state.take_prompt(&prompt, scripts);
                    replay.push(SessionUpdate::UserMessageChunk(chunk(&prompt)));
                }
                Ok(Entry::Update(update)) => replay.push(*update),
                Ok(Entry::Mode(id)) => state.mode = Mode::from_id(&id).unwrap_or(mode),
                Ok(Entry::Usage { input, output, cached_read, cached_write, thought, cost }) => {
                    state.add(Tokens { input, output, cached_read, cached_write, thought, cost });
                }
                Ok(Entry::Session { .. }) | Err(_) => {}
            }
        }
        if !whole {
            file.write_all(b"\n").map_err(failed)?;
        }
        let session =
            Self { id: id.to_owned(), workspace, state: Mutex::new(state), journal: Mutex::new(file) };
        Ok((session, replay))
    }

    /// Takes a prompt into the conversation and says what is performed in answer.
    pub fn take_prompt(&self, prompt: &str, scripts: &Scripts) -> Result<crate::script::Turn, ScriptsError> {
        self.record(&Entry::Prompt(prompt.to_owned()));
        lock(&self.state).take_prompt(prompt, scripts)
    }

    pub fn set_mode(&self, mode: Mode) {
        lock(&self.state).mode = mode;
        self.record(&Entry::Mode(mode.id().to_owned()));
    }

    /// Keeps an update for a later replay.
    pub fn keep(&self, update: &SessionUpdate) {
        self.record(&Entry::Update(Box::new(update.clone())));
    }

    /// Adds to what the session has used, and gives the new total.
    pub fn add_usage(&self, tokens: Tokens) -> Tokens {
        let Tokens { input, output, cached_read, cached_write, thought, cost } = tokens;
        self.record(&Entry::Usage { input, output, cached_read, cached_write, thought, cost });
        let mut state = lock(&self.state);
        state.add(tokens);
        state.used
    }

    /// Forgets the session's file, as an agent does that can load a session only once.
    pub fn forget(state_dir: &Path, id: &str) {
        // It was opened a moment ago; if it is gone already, that is what was wanted.
        let _ = std::fs::remove_file(file_of(state_dir, id));
    }

    fn record(&self, entry: &Entry) {
        if let Ok(mut line) = serde_json::to_string(entry) {
            line.push('\n');
            // A full disk must not end a performance; the session is then shorter when it is loaded.
            let _ = lock(&self.journal).write_all(line.as_bytes());
        }
    }
}

impl State {
    fn new(mode: Mode) -> Self {
        let used = Tokens { cost: Some(0.0), ..Tokens::default() };
        Self { mode, prompts: 0, used, always: Vec::new(), running: None, part: None }
    }

    fn take_prompt(&mut self, prompt: &str, scripts: &Scripts) -> Result<crate::script::Turn, ScriptsError> {
        self.prompts += 1;
        let found: Option<(String, Script)> = match scripts.find(prompt)? {
            Found::New(text, script) => Some((text, script)),
            Found::Fallback(given) if self.part.is_none() => given,
            Found::Fallback(_) => None,
        };
        if let Some((text, script)) = found {
            // The same block again, as in a prompt that repeats the task, goes on where it was.
            if self.part.as_ref().is_none_or(|(before, _)| *before != text) {
                self.part = Some((text, Part::new(script)));
            }
        }
        match &mut self.part {
            Some((_, part)) => {
                part.take(prompt);
                Ok(part.current().cloned().unwrap_or_else(nothing_left))
            }
            None => Ok(fallback(prompt)?.turns.swap_remove(0)),
        }
    }

    fn add(&mut self, tokens: Tokens) {
        self.used.input += tokens.input;
        self.used.output += tokens.output;
        self.used.cached_read += tokens.cached_read;
        self.used.cached_write += tokens.cached_write;
        self.used.thought += tokens.thought;
        self.used.cost = Some(self.used.cost.unwrap_or(0.0) + tokens.cost.unwrap_or(0.0));
    }
}

/// What is performed when a script has no turn left.
fn nothing_left() -> crate::script::Turn {
    let say = crate::script::Action::Say("My script has nothing more to say.".into());
    crate::script::Turn { when: None, steps: vec![crate::script::Step { line: 0, action: say }] }
}

pub fn chunk(text: &str) -> agent_client_protocol_schema::v1::ContentChunk {
    use agent_client_protocol_schema::v1::{ContentBlock, ContentChunk, TextContent};
    ContentChunk::new(ContentBlock::Text(TextContent::new(text)))
}

fn file_of(state_dir: &Path, id: &str) -> PathBuf {
    state_dir.join(format!("{id}.jsonl"))
}
