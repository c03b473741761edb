//! The parts of a session's state.

use agent_client_protocol_schema::v1::RequestId;
use divisi_model::event::SessionStart;
use divisi_model::inbox::AskOption;

use super::question::Form;
use super::setup::PromptPart;

/// A request of ours that has no answer yet. There is one at most, besides [`Steer`]s.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Waiting {
    pub id: i64,
    pub what: Request,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Request {
    Initialize,
    Authenticate,
    OpenNew,
    /// `session/load` replays the history as updates, which are in our transcript already.
    OpenOld {
        by_load: bool,
    },
    SetMode(String),
    Prompt,
    Close,
}

impl Request {
    /// What people are told that the agent did not answer.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Initialize => "initialize",
            Self::Authenticate => "authenticate",
            Self::OpenNew => "session/new",
            Self::OpenOld { by_load: true } => "session/load",
            Self::OpenOld { by_load: false } => "session/resume",
            Self::SetMode(_) => "session/set_mode",
            Self::Prompt => "session/prompt",
            Self::Close => "session/close",
        }
    }
}

/// Words given in the middle of a turn, of which the agent has not said yet whether it took them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Steer {
    pub id: i64,
    pub parts: Vec<PromptPart>,
}

/// Which steps of the handshake are behind us.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Steps {
    pub initialized: bool,
    pub authenticated: bool,
    pub resume_failed: bool,
    /// How the session was opened, once it is.
    pub opened: Option<SessionStart>,
    pub ready_told: bool,
}

/// What the agent said about itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct AgentFacts {
    pub name: String,
    pub version: String,
    pub load: bool,
    pub resume: bool,
    pub close: bool,
    /// Takes images in prompts.
    pub images: bool,
    /// Takes words in the middle of a turn by `_session/steering`, an extension that Codex's adapter announces.
    pub steering: bool,
    pub login_methods: Vec<String>,
    pub model: Option<String>,
}

/// The agent's modes, wherever it keeps them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Modes {
    pub current: Option<String>,
    /// Ids that `session/set_mode` takes.
    pub ids: Vec<String>,
    /// The configuration option that is the mode, with its values.
    pub option: Option<(String, Vec<String>)>,
    /// The mode still to be set.
    pub wanted: Option<String>,
}

/// A request of the agent that has no answer yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ask {
    pub id: RequestId,
    pub request: String,
    pub what: AskWhat,
    pub options: Vec<AskOption>,
    /// The answer that follows from the state and is to be sent when it is settled.
    pub due: Option<Due>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum AskWhat {
    Permission {
        tool_call: String,
    },
    Question(Form),
    /// Something that is not offered.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Due {
    Withdraw,
    NotFound,
    Invalid,
}
