//! The ACP side: reads the client's lines, keeps its sessions, and starts a thread per turn.

use std::collections::HashMap;
use std::io::{BufRead, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent_client_protocol_schema::ProtocolVersion;
use agent_client_protocol_schema::v1::{
    AgentCapabilities, CLIENT_METHOD_NAMES, ContentBlock, EmbeddedResourceResource, Error, Implementation,
    InitializeResponse, LoadSessionRequest, LoadSessionResponse, NewSessionRequest, NewSessionResponse,
    PromptCapabilities, PromptRequest, ResumeSessionRequest, ResumeSessionResponse, SessionCapabilities,
    SessionCloseCapabilities, SessionMode, SessionModeState, SessionNotification, SessionResumeCapabilities,
    SetSessionModeRequest, SetSessionModeResponse,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::cancel::{Cancel, lock};
use super::images;
use super::options::{Mode, Options};
use super::scripts::{Scripts, ScriptsError};
use super::session::{Session, SessionError};
use super::turn;
use super::wire::{Wire, value};

/// Longest line read from a client.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Stack of a turn's thread: scripts nest little, and hundreds of agents run at once.
const TURN_STACK_BYTES: usize = 512 * 1024;
/// How long turns may take to end when the client has gone.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why serving ended other than by the client's leave.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The client's stream broke.
    #[error("The client cannot be read: {0}.")]
    Read(#[from] std::io::Error),
    /// A line without end.
    #[error("The client sent a line longer than {LINE_BYTES_MAX} bytes.")]
    LineTooLong,
    /// The scripts given at the start.
    #[error(transparent)]
    Scripts(#[from] ScriptsError),
}

/// Serves one client until it closes `input`.
///
/// # Errors
/// When the client's stream breaks or the scripts of the options cannot be used.
pub fn serve(
    options: Options,
    mut input: impl BufRead,
    output: Box<dyn Write + Send>,
) -> Result<(), ServeError> {
    let ignore_eof = options.ignore_eof;
    let agent = Arc::new(Agent::new(options, output)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        if length == 0 {
            break;
        }
        if length as u64 == LINE_BYTES_MAX && line.last() != Some(&b'\n') {
            return Err(ServeError::LineTooLong);
        }
        agent.message(&line);
    }
    if ignore_eof {
        loop {
            std::thread::park();
        }
    }
    agent.leave();
    Ok(())
}

struct Agent {
    options: Options,
    scripts: Scripts,
    wire: Arc<Wire>,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    /// Whether the client can be asked by a form.
    forms: AtomicBool,
}

impl Agent {
    fn new(options: Options, output: Box<dyn Write + Send>) -> Result<Self, ScriptsError> {
        let scripts = Scripts::from_options(&options)?;
        let wire = Arc::new(Wire::new(output));
        Ok(Self { options, scripts, wire, sessions: Mutex::default(), forms: AtomicBool::new(false) })
    }

    fn message(self: &Arc<Self>, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        let Ok(message) = serde_json::from_slice::<Value>(line) else {
            return self.wire.answer(&Value::Null, Err(Error::parse_error()));
        };
        let id = message.get("id").cloned();
        let Some(method) = message["method"].as_str() else {
            return self.wire.answered(message);
        };
        let params = message.get("params").cloned().unwrap_or(Value::Null);
        match (id, method) {
            (None, "session/cancel") => {
                if let Some(session) = params["sessionId"].as_str().and_then(|id| self.session(id).ok()) {
                    cancel(&session);
                }
            }
            (None, _) => {}
            (Some(id), "session/prompt") => {
                if let Err(error) = self.prompt(&id, params) {
                    self.wire.answer(&id, Err(error));
                }
            }
            (Some(id), method) => {
                let result = self.request(method, params);
                self.wire.answer(&id, result);
            }
        }
    }

    fn request(&self, method: &str, params: Value) -> Result<Value, Error> {
        match method {
            "initialize" => Ok(self.initialize(&params)),
            "authenticate" => Ok(json!({})),
            "session/new" => self.new_session(read(params)?),
            "session/load" if !self.options.no_load => self.load(read(params)?),
            "session/resume" if !self.options.no_resume => self.resume(read(params)?),
            "session/set_mode" if !self.options.no_modes => self.set_mode(&read(params)?),
            "session/close" => self.close(&params),
            _ => Err(Error::method_not_found().data(json!({"method": method}))),
        }
    }

    fn initialize(&self, params: &Value) -> Value {
        let forms = params["clientCapabilities"]["elicitation"]["form"].is_object();
        self.forms.store(forms, Ordering::Relaxed);
        let resume = (!self.options.no_resume).then(SessionResumeCapabilities::new);
        let session = SessionCapabilities::new().close(SessionCloseCapabilities::new()).resume(resume);
        let capabilities = AgentCapabilities::new()
            .load_session(!self.options.no_load)
            .prompt_capabilities(
                PromptCapabilities::new().embedded_context(true).image(!self.options.no_images),
            )
            .session_capabilities(session);
        let info = Implementation::new("divisi-rehearsal", env!("CARGO_PKG_VERSION"));
        value(&InitializeResponse::new(ProtocolVersion::V1).agent_capabilities(capabilities).agent_info(info))
    }

    fn new_session(&self, request: NewSessionRequest) -> Result<Value, Error> {
        self.require_login()?;
        let workspace = existing(request.cwd)?;
        let state_dir = self.options.state_dir();
        let session =
            Session::create(&state_dir, workspace, self.options.mode).map_err(|error| failed(&error))?;
        let response = NewSessionResponse::new(session.id.clone()).modes(self.modes(&session));
        self.insert(session);
        Ok(value(&response))
    }

    fn load(&self, request: LoadSessionRequest) -> Result<Value, Error> {
        let id = request.session_id.0.to_string();
        let (session, replay) = self.open(&id, request.cwd)?;
        for update in replay {
            let update = SessionNotification::new(request.session_id.clone(), update);
            self.wire.notify(CLIENT_METHOD_NAMES.session_update, &update);
        }
        if self.options.load_once {
            Session::forget(&self.options.state_dir(), &id);
        }
        let response = LoadSessionResponse::new().modes(self.modes(&session));
        self.insert(session);
        Ok(value(&response))
    }

    fn resume(&self, request: ResumeSessionRequest) -> Result<Value, Error> {
        let (session, _) = self.open(&request.session_id.0, request.cwd)?;
        let response = ResumeSessionResponse::new().modes(self.modes(&session));
        self.insert(session);
        Ok(value(&response))
    }

    fn open(
        &self,
        id: &str,
        cwd: PathBuf,
    ) -> Result<(Session, Vec<agent_client_protocol_schema::v1::SessionUpdate>), Error> {
        self.require_login()?;
        let workspace = existing(cwd)?;
        Session::open(&self.options.state_dir(), id, workspace, self.options.mode, &self.scripts).map_err(
            |error| match error {
                SessionError::Unknown(id) => Error::session_not_found(id),
                error => failed(&error),
            },
        )
    }

    fn set_mode(&self, request: &SetSessionModeRequest) -> Result<Value, Error> {
        let session = self.session(&request.session_id.0)?;
        let mode = Mode::from_id(&request.mode_id.0)
            .ok_or_else(|| Error::invalid_params().data(json!("the modes are ask and auto")))?;
        session.set_mode(mode);
        Ok(value(&SetSessionModeResponse::new()))
    }

    fn close(&self, params: &Value) -> Result<Value, Error> {
        let id = params["sessionId"].as_str().unwrap_or_default();
        let session =
            lock(&self.sessions).remove(id).ok_or_else(|| Error::session_not_found(id.to_owned()))?;
        cancel(&session);
        Ok(json!({}))
    }

    /// Starts the turn; its answer follows when it has ended.
    fn prompt(self: &Arc<Self>, id: &Value, params: Value) -> Result<(), Error> {
        let request: PromptRequest = read(params)?;
        let session = self.session(&request.session_id.0)?;
        let cancel = Arc::new(Cancel::default());
        {
            let mut state = lock(&session.state);
            if state.running.is_some() {
                return Err(Error::invalid_request().data(json!("a turn of this session is still running")));
            }
            state.running = Some(cancel.clone());
        }
        let stop_running = |session: &Session| lock(&session.state).running = None;
        let turn = match session.take_prompt(&text_of(&request.prompt), &self.scripts) {
            Ok(turn) => turn,
            Err(error) => {
                stop_running(&session);
                return Err(Error::new(-32602, error.to_string()));
            }
        };
        let images = images::seen(&request.prompt);
        let (agent, id, performed) = (self.clone(), id.clone(), session.clone());
        let thread = std::thread::Builder::new().name("turn".into()).stack_size(TURN_STACK_BYTES);
        let started = thread.spawn(move || {
            let forms = agent.forms.load(Ordering::Relaxed);
            let result = turn::run(&agent.wire, &performed, &agent.options, forms, (&turn, &images), &cancel);
            stop_running(&performed);
            agent.wire.answer(&id, result);
        });
        started.map(|_| ()).map_err(|error| {
            stop_running(&session);
            Error::internal_error().data(json!(error.to_string()))
        })
    }

    /// The client has gone: every turn ends, or is left behind if it does not want to.
    fn leave(&self) {
        self.wire.close();
        let sessions: Vec<_> = lock(&self.sessions).drain().map(|(_, session)| session).collect();
        for session in &sessions {
            cancel(session);
        }
        let waited = Cancel::default();
        let end = std::time::Instant::now() + FAREWELL;
        while sessions.iter().any(|session| lock(&session.state).running.is_some())
            && std::time::Instant::now() < end
        {
            waited.wait(Some(Duration::from_millis(5)));
        }
    }

    fn require_login(&self) -> Result<(), Error> {
        if self.options.require_login && !self.options.state_dir().join("login").exists() {
            return Err(Error::auth_required());
        }
        Ok(())
    }

    fn modes(&self, session: &Session) -> Option<SessionModeState> {
        if self.options.no_modes {
            return None;
        }
        let modes = vec![
            SessionMode::new(Mode::Ask.id(), "Ask")
                .description("Asks before every change and command".to_owned()),
            SessionMode::new(Mode::Auto.id(), "Auto")
                .description("Asks only where the script does".to_owned()),
        ];
        Some(SessionModeState::new(lock(&session.state).mode.id(), modes))
    }

    fn session(&self, id: &str) -> Result<Arc<Session>, Error> {
        lock(&self.sessions).get(id).cloned().ok_or_else(|| Error::session_not_found(id.to_owned()))
    }

    fn insert(&self, session: Session) {
        lock(&self.sessions).insert(session.id.clone(), Arc::new(session));
    }
}

fn cancel(session: &Session) {
    if let Some(running) = &lock(&session.state).running {
        running.cancel();
    }
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, Error> {
    serde_json::from_value(params).map_err(|error| Error::invalid_params().data(json!(error.to_string())))
}

fn existing(cwd: PathBuf) -> Result<PathBuf, Error> {
    if cwd.is_absolute() && cwd.is_dir() {
        return Ok(cwd);
    }
    Err(Error::invalid_params()
        .data(json!(format!("cwd is not the absolute path of a folder: {}", cwd.display()))))
}

fn failed(error: &SessionError) -> Error {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    Error::internal_error().data(json!({"message": error.to_string(), "cause": cause}))
}

/// The words of a prompt, those of embedded files included.
fn text_of(prompt: &[ContentBlock]) -> String {
    let texts = prompt.iter().filter_map(|block| match block {
        ContentBlock::Text(text) => Some(text.text.as_str()),
        ContentBlock::Resource(resource) => match &resource.resource {
            EmbeddedResourceResource::TextResourceContents(text) => Some(text.text.as_str()),
            _ => None,
        },
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}
