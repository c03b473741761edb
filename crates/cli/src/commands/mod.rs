//! One file per command: its options with their help, and what it does with the daemon's answers.

pub(crate) mod agents;
pub(crate) mod answer;
pub(crate) mod archive;
pub(crate) mod attach;
pub(crate) mod cancel;
pub(crate) mod completion;
pub(crate) mod dashboard;
pub(crate) mod demo;
pub(crate) mod devices;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod edit;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod inbox;
pub(crate) mod init;
pub(crate) mod land;
pub(crate) mod log;
pub(crate) mod ls;
pub(crate) mod move_task;
pub(crate) mod open;
pub(crate) mod pair;
pub(crate) mod reference;
pub(crate) mod resume;
pub(crate) mod review;
pub(crate) mod run;
pub(crate) mod send;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod snapshots;
pub(crate) mod start;
pub(crate) mod stop;
pub(crate) mod undo;
pub(crate) mod unsend;
mod wanted;
pub(crate) mod watch;

use divisi_api::Client;
use divisi_api::types::{AttemptView, TaskView};

use crate::args::Command;
use crate::daemon;
use crate::dirs::Dirs;
use crate::errors::{CommandError, Done, ErrorKind};
use crate::render::{clean, status, style};
use crate::ui::Ui;

/// Carries out a command.
pub(crate) async fn run(command: Command, ui: &Ui) -> Done {
    match command {
        Command::Init(args) => init::run(&args, ui).await,
        Command::Doctor(args) => doctor::run(&args, ui).await,
        Command::Agents(args) => agents::run(&args, ui).await,
        Command::Run(args) => run::run(args, ui).await,
        Command::Start(args) => start::run(&args, ui).await,
        Command::Edit(args) => edit::run(&args, ui).await,
        Command::Move(args) => move_task::run(&args, ui).await,
        Command::Demo(args) => demo::run(&args, ui).await,
        Command::Ls(args) => ls::run(&args, ui).await,
        Command::Show(args) => show::run(&args, ui).await,
        Command::Log(args) => log::run(&args, ui).await,
        Command::Open(args) => open::run(&args, ui).await,
        Command::Send(args) => send::run(args, ui).await,
        Command::Unsend(args) => unsend::run(&args, ui).await,
        Command::Snapshots(args) => snapshots::list(&args, ui).await,
        Command::Rollback(args) => snapshots::roll_back(&args, ui).await,
        Command::Cancel(args) => cancel::run(&args, ui).await,
        Command::Attach(args) => attach::run(&args, ui).await,
        Command::Inbox(args) => inbox::run(&args, ui).await,
        Command::Approve(args) => answer::approve(args, ui).await,
        Command::Deny(args) => answer::deny(args, ui).await,
        Command::Answer(args) => answer::answer(args, ui).await,
        Command::Diff(args) => diff::run(&args, ui).await,
        Command::Review(args) => review::run(args, ui).await,
        Command::Land(args) => land::run(&args, ui).await,
        Command::Undo(args) => undo::run(&args, ui).await,
        Command::Stop(args) => stop::run(&args, ui).await,
        Command::Resume(args) => resume::run(&args, ui).await,
        Command::Archive(args) => archive::archive(&args, ui).await,
        Command::Restore(args) => archive::restore(&args, ui).await,
        Command::Export(args) => export::run(&args, ui).await,
        Command::Import(args) => import::run(&args, ui).await,
        Command::Pair(args) => pair::run(args, ui).await,
        Command::Devices(args) => devices::run(&args, ui).await,
        Command::Serve(args) => serve::run(&args, ui).await,
        Command::Completion(args) => completion::run(&args, ui),
        Command::HelpMarkdown(_) => reference::commands(ui),
        Command::ConfigSchema(_) => reference::config_schema(ui),
        Command::ConfigReference(_) => reference::config_reference(ui),
        Command::OpenApi(_) => reference::open_api(ui),
        Command::Typescript(_) => reference::typescript(ui),
        Command::RehearsalAgent(_) | Command::ModelServer(_) => {
            Err(CommandError::failed("this process is started in another way", ""))
        }
    }
}

/// The daemon of this person, started if need be.
async fn client() -> Done<Client> {
    daemon::connect(&Dirs::from_environment()?).await
}

/// The attempt that a handle means: the one it names, or the only one.
fn attempt_of<'a>(task: &'a TaskView, handle: &str) -> Done<&'a AttemptView> {
    let named = handle.split_once('.').and_then(|(_, number)| number.parse::<u16>().ok());
    let found = match (named, task.attempts.as_slice()) {
        (Some(number), attempts) => attempts.iter().find(|attempt| attempt.number == number),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    found.ok_or_else(|| {
        if task.staged {
            let message = format!("{} is staged: it has not started", task.handle);
            return CommandError::new(ErrorKind::WrongState, message, task.status.next.clone());
        }
        let names: Vec<_> = task.attempts.iter().map(|attempt| attempt.handle.as_str()).collect();
        let message = format!("{} has {} attempts", task.handle, names.len());
        CommandError::usage(message, format!("name one of them: {}", names.join(", ")))
    })
}

/// Shows a task after something was asked of it: in one line, or whole as JSON.
fn show_short(ui: &Ui, task: &TaskView) -> Done {
    ui.show(
        task,
        || format!("{}\n", task.handle),
        || {
            let title = clean::line(&task.title);
            let mut text =
                format!("{}  {}  {title}\n", style::name(&task.handle), status::status(&task.status));
            if !task.status.next.is_empty() {
                text.push_str(&format!("    {} {}\n", style::faint("next:"), task.status.next));
            }
            text
        },
    )
}
