//! What can be typed. Each command's own options stand in its file in `commands/`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands;

/// One engineer, a fleet of coding agents, and proof of what they did.
///
/// Give out tasks; agents work on them side by side, each alone in its own workspace; Divisi runs the checks itself;
/// you review and land what holds.
#[derive(Debug, Parser)]
#[command(
    name = "divisi",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Begin:\n  \
        divisi init                             write a divisi.toml with the checks of this project\n  \
        divisi run \"fix the flaky parser test\"   give out a task\n  \
        divisi ls                               see what is going on\n  \
        divisi inbox                            see what waits for you\n  \
        divisi open                             the same and more in your browser\n\n\
        Exit codes are listed in docs/reference/exit-codes.md."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Data as JSON on standard output, errors as JSON on standard error
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) json: bool,
    /// Only handles on standard output, and nothing on standard error but errors
    #[arg(long, short, global = true, help_heading = "Everywhere")]
    pub(crate) quiet: bool,
    /// Answer every question with yes
    #[arg(long, short, global = true, help_heading = "Everywhere")]
    pub(crate) yes: bool,
    /// Do as if called in this folder
    #[arg(long, short = 'C', global = true, value_name = "FOLDER", help_heading = "Everywhere")]
    pub(crate) directory: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(commands::demo::DemoArgs),
    Init(commands::init::InitArgs),
    Doctor(commands::doctor::DoctorArgs),
    Agents(commands::agents::AgentsArgs),
    Run(commands::run::RunArgs),
    Start(commands::start::StartArgs),
    Edit(commands::edit::EditArgs),
    Move(commands::move_task::MoveArgs),
    Ls(commands::ls::LsArgs),
    Show(commands::show::ShowArgs),
    Log(commands::log::LogArgs),
    Open(commands::open::OpenArgs),
    Send(commands::send::SendArgs),
    Unsend(commands::unsend::UnsendArgs),
    Cancel(commands::cancel::CancelArgs),
    Attach(commands::attach::AttachArgs),
    Inbox(commands::inbox::InboxArgs),
    Approve(commands::answer::ApproveArgs),
    Deny(commands::answer::DenyArgs),
    Answer(commands::answer::AnswerArgs),
    Diff(commands::diff::DiffArgs),
    Review(commands::review::ReviewArgs),
    Snapshots(commands::snapshots::SnapshotsArgs),
    Rollback(commands::snapshots::RollbackArgs),
    Land(commands::land::LandArgs),
    Undo(commands::undo::UndoArgs),
    Stop(commands::stop::StopArgs),
    Resume(commands::resume::ResumeArgs),
    Archive(commands::archive::ArchiveArgs),
    Restore(commands::archive::RestoreArgs),
    Export(commands::export::ExportArgs),
    Import(commands::import::ImportArgs),
    Serve(commands::serve::ServeArgs),
    Pair(commands::pair::PairArgs),
    Devices(commands::devices::DevicesArgs),
    Completion(commands::completion::CompletionArgs),
    RehearsalAgent(RehearsalAgentArgs),
    ModelServer(ModelServerArgs),
    #[command(hide = true)]
    HelpMarkdown(commands::reference::HelpMarkdownArgs),
    #[command(hide = true)]
    ConfigSchema(commands::reference::ConfigSchemaArgs),
    #[command(hide = true)]
    ConfigReference(commands::reference::ConfigReferenceArgs),
    #[command(hide = true)]
    OpenApi(commands::reference::OpenApiArgs),
    #[command(hide = true)]
    Typescript(commands::reference::TypescriptArgs),
}

/// An agent that plays a script: no model, no key, no network
///
/// It speaks the Agent Client Protocol on standard input and output, or runs once with --exec.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi run --agent rehearsal --file script.md   give it a task whose text holds a script\n  \
    divisi rehearsal-agent --help                   its own options\n\n\
    docs/guides/rehearsal.md describes scripts.")]
pub(crate) struct RehearsalAgentArgs {
    /// Its own options
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
    pub(crate) rest: Vec<OsString>,
}

/// A model that follows a script, for rehearsing real agents without a key
///
/// It speaks the Anthropic, OpenAI and Gemini interfaces on 127.0.0.1 and prints its address.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi model-server --port 4545   serve until interrupted\n  \
    divisi model-server --help        its own options\n\n\
    docs/guides/rehearsal.md describes scripts.")]
pub(crate) struct ModelServerArgs {
    /// Its own options
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
    pub(crate) rest: Vec<OsString>,
}

/// The programs inside this one that read their arguments themselves.
pub(crate) enum Performer {
    /// `divisi rehearsal-agent`
    Agent,
    /// `divisi model-server`
    Model,
    /// `divisi shim`
    Shim,
    /// `divisi host`
    Host,
    /// `divisi relay`
    Relay,
}

impl Performer {
    /// The one that the first argument names.
    pub(crate) fn named(first: Option<&OsString>) -> Option<Self> {
        match first.and_then(|first| first.to_str()) {
            Some("rehearsal-agent") => Some(Self::Agent),
            Some("model-server") => Some(Self::Model),
            Some("shim") => Some(Self::Shim),
            Some("host") => Some(Self::Host),
            Some("relay") => Some(Self::Relay),
            _ => None,
        }
    }
}
