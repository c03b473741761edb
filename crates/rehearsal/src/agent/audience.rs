//! Whom a script is performed for: an ACP client, or a reader of plain text.

use agent_client_protocol_schema::v1::{PermissionOptionKind, ToolCall, ToolCallUpdate};

use crate::script::{PlanItem, Question, Tokens};

/// What a performance puts out and asks. Nothing fails: an audience that has left hears nothing, and the turn is
/// cancelled by whoever notices.
pub trait Audience {
    /// A piece of a message; pieces of one message come one after the other with the same number.
    fn message(&self, number: u32, piece: &str);
    /// A thought.
    fn thought(&self, number: u32, piece: &str);
    /// The whole plan.
    fn plan(&self, items: &[PlanItem]);
    /// A tool call begins.
    fn tool(&self, call: ToolCall);
    /// A tool call goes on or ends.
    fn tool_update(&self, update: ToolCallUpdate);
    /// Waits for a decision.
    fn permission(&self, call: ToolCallUpdate, options: &[PermissionOptionKind]) -> Decision;
    /// Waits for an answer.
    fn question(&self, question: &Question) -> Reply;
    /// Tokens and money of one step.
    fn usage(&self, tokens: Tokens);
    /// A line as it is, whatever the protocol.
    fn garbage(&self, line: &str);
    /// Half of something, after which nothing follows.
    fn half(&self);
}

/// The answer to a permission request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Go on; always: do not ask for this kind again.
    Allowed { always: bool },
    /// Leave it; always: do not ask for this kind again.
    Rejected { always: bool },
    /// The turn was cancelled, or the client has gone.
    Cancelled,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// In the person's words, or one of the choices.
    Text(String),
    /// No answer is wanted.
    Declined,
    /// This client cannot be asked.
    CannotAsk,
    /// The turn was cancelled, or the client has gone.
    Cancelled,
}
