//! What goes over the wire. `…View` is what the daemon shows, `…Request` is what it is asked.

mod agent;
mod ask;
mod attempt;
mod check;
mod diff;
mod event;
mod export;
mod health;
mod inbox;
mod problem;
mod request;
mod task;
mod turn;
mod words;

pub use agent::{AgentState, AgentView, ReadinessView};
pub use ask::{AnswerView, AskView, OptionView};
pub use attempt::{AttemptView, LandingFailureView, LandingView, ResultView, ReviewView, WorkspaceView};
pub use check::{CheckState, CheckView, CountsView, CriterionView, EvidenceView};
pub use diff::{DiffFileView, DiffQuery, DiffScope, DiffView, FileChange, HunkView, LineSide, LineView};
pub use event::{ActorView, EventView, TranscriptEntryView};
pub use export::{ConfigurationRequest, ExportRequest, ExportView, RunningView};
pub use health::{AliveView, CountView, HealthView, ProjectView, TroubleView};
pub use inbox::{InboxView, ItemView};
pub use problem::{Problem, ProblemKind};
pub use request::{
    AfterQuery, AnswerRequest, CommentText, CriterionRequest, LandRequest, NewProject, NewTask,
    ReviewRequest, RootQuery, SendRequest, TranscriptQuery,
};
pub use task::{AttemptSummary, StatusView, TaskSummary, TaskView, attempt_handle};
pub use turn::{PromptView, TurnView, UsageView};
pub use words::{Attention, Delivery, Effect, LandingMode, Origin, Permissions, Verdict};
