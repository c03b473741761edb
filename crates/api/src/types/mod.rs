//! What goes over the wire. `…View` is what the daemon shows, `…Request` is what it is asked.

mod agent;
mod ask;
mod attempt;
mod check;
mod comment;
mod device;
mod diff;
mod event;
mod export;
mod fleet;
mod health;
mod image;
mod inbox;
mod landing;
mod live;
mod problem;
mod push;
mod request;
mod settings;
mod snapshot;
mod surroundings;
mod task;
mod terminal;
mod turn;
mod words;

pub use agent::{AgentState, AgentView, ReadinessView};
pub use ask::{AnswerView, AskView, OptionView};
pub use attempt::{
    AttemptView, LandingFailureView, LandingView, PastResultView, ResultView, ReviewView, WorkspaceView,
};
pub use check::{CheckBrief, CheckState, CheckView, CountsView, CriterionView, EvidenceView};
pub use comment::{
    CommentRequest, CommentView, PlaceRequest, PlaceView, ViewedFile, ViewedRequest, WordsRequest,
};
pub use device::{DeviceKind, DeviceView, EnterRequest, EntryRequest, EntryView};
pub use diff::{
    CommitView, DiffFileView, DiffPathView, DiffQuery, DiffScope, DiffView, FileChange, HunkView,
    HunksRequest, LineSide, LineView, LinesQuery, LinesView,
};
pub use event::{ActorView, EventView, TranscriptEntryView};
pub use export::{ConfigurationRequest, ExportRequest, ExportView, RunningView};
pub use fleet::{ActivityKind, FleetQuery, FleetView, MachineView, SpanView, SumView, TimelineView};
pub use health::{AliveView, CountView, HealthView, ProjectView, TroubleView};
pub use image::{ImageQuery, ImageRequest, ImageView};
pub use inbox::{HeldView, InboxView, ItemView};
pub use landing::{CandidateView, LandedView, LandingsView};
pub use live::{ActivityView, ChangesView, SnapshotView};
pub use problem::{Problem, ProblemKind};
pub use push::{LookingRequest, PushChoices, PushQuiet, PushRequest, PushSubscriptionView, PushView};
pub use request::{
    AfterQuery, AnswerRequest, BudgetRequest, CommentText, CriterionRequest, FilesQuery, LandRequest,
    MoveRequest, NewProject, NewTask, ReviewRequest, RootQuery, SendRequest, TranscriptQuery,
};
pub use settings::{
    SettingsCheckRequest, SettingsCheckView, SettingsFileView, SettingsKind, SettingsProblemView,
    SettingsTextRequest, SettingsTextView, SettingsView,
};
pub use snapshot::{RollbackRequest, RollbackView, SnapshotMoment, WorkspaceSnapshotView};
pub use surroundings::{DiskView, NetworkView, PortView, ProcessView, ResourcesView, StandingView};
pub use task::{AskedView, AttemptSummary, StatusView, TaskSummary, TaskView, attempt_handle};
pub use terminal::{FromQuery, JournalView, TerminalNews, TerminalRequest, TerminalView, TerminalWord};
pub use turn::{PromptView, TurnView, UsageView};
pub use words::{
    Attention, CommentStage, Delivery, Effect, LandingMode, NoticeKind, Origin, Permissions, Side, Verdict,
};
