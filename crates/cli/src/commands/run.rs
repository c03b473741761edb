//! `divisi run`

use std::path::{Path, PathBuf};

use clap::Args;
use divisi_api::Client;
use divisi_api::types::{AgentState, Attention, NewTask, TaskView};
use uuid::Uuid;

use super::client;
use super::wanted::WantedArgs;
use super::watch::Watch;
use crate::config::Config;
use crate::dirs::Dirs;
use crate::errors::{CommandError, Done, ErrorKind};
use crate::images;
use crate::project;
use crate::render::{clean, status, style};
use crate::ui::{Ui, read_stdin, read_text};

/// The scripted agent's name.
const REHEARSAL: &str = "rehearsal";

/// Give out tasks: each prompt is one
///
/// The first line of a prompt is its title. The agent works in a workspace of its own on a branch of its own; when it
/// is done, Divisi commits what changed, runs the gates of divisi.toml and the checks given here in a clean checkout,
/// and sends the work back with the log if one fails.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi run \"fix the flaky parser test\"\n  \
    divisi run \"fix the parser\" \"update the changelog\"         two tasks\n  \
    divisi run --agent codex,goose \"speed up the search\"       one task, two attempts, best one wins\n  \
    divisi run --file spec.md --check \"cargo test -p search\" --criterion \"the page is easy to read\"\n  \
    divisi run \"the button is cut off\" --image shot.png            an image for the agent\n  \
    git diff | divisi run -                                    a prompt from standard input\n  \
    divisi run --stage \"fix the parser\"                         only on the board, until divisi start\n  \
    divisi run --wait \"fix the parser\" && divisi land t1")]
pub(crate) struct RunArgs {
    /// What is wanted, in words; `-` reads it from standard input
    #[arg(value_name = "PROMPT", required_unless_present = "file")]
    prompts: Vec<String>,
    /// A task whose prompt is this file
    #[arg(long, short, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// An image for the agent: PNG, JPEG, GIF or WebP. An agent that cannot be shown images gets it as a file
    #[arg(long, value_name = "FILE")]
    image: Vec<PathBuf>,
    /// One line for people; else the first line of the prompt
    #[arg(long)]
    title: Option<String>,
    /// The agents, one attempt by each; else default_agents of divisi.toml, or the first one that is ready
    #[arg(long, short, value_name = "NAME", value_delimiter = ',')]
    agent: Vec<String>,
    /// Attempts by each agent
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=16))]
    attempts: u16,
    #[command(flatten)]
    wanted: WantedArgs,
    /// The branch or commit to start from; else the project's current branch
    #[arg(long, value_name = "BRANCH")]
    base: Option<String>,
    /// How much each attempt may use before you are asked: 2.50 dollars, 200k tokens
    #[arg(long, value_name = "AMOUNT")]
    budget: Option<String>,
    /// Only put it on the board; divisi start starts it, and until then divisi edit changes it
    #[arg(long, conflicts_with = "wait")]
    stage: bool,
    /// Wait until each task has a proven result (exit code 0) or needs you (exit code 5)
    #[arg(long)]
    wait: bool,
}

pub(crate) async fn run(args: RunArgs, ui: &Ui) -> Done {
    let root = project::require_root_text()?;
    let config = Config::load(&Dirs::from_environment()?, Some(Path::new(&root)))?;
    for warning in &config.warnings {
        ui.warn(warning);
    }
    if config.gates().is_empty() && args.wanted.check.is_empty() {
        ui.warn("nothing will be proven: divisi.toml has no [[gates]] and no --check was given");
    }
    let prompts = prompts(&args)?;
    if args.title.is_some() && prompts.len() > 1 {
        return Err(CommandError::usage("--title fits one task only", "give out the tasks one by one"));
    }
    let client = client().await?;
    let agents = agents(&args, &config, &client, &root, ui).await?;
    let images = images::store(&client, &args.image).await?;
    let mut watch = if args.wait { Some(Watch::begin(&client).await?) } else { None };
    let mut tasks = Vec::new();
    for prompt in prompts {
        let new = NewTask { images: images.clone(), ..new_task(&args, &agents, &root, prompt) };
        // The key makes a task whose answer was lost the same task when the request is sent again.
        tasks.push(client.add_task(&new, &Uuid::now_v7().to_string()).await?);
    }
    if let Some(watch) = &mut watch {
        announce(ui, &tasks);
        let handles: Vec<_> = tasks.iter().map(|task| task.handle.clone()).collect();
        tasks = watch.until(ui, &handles, is_over).await?;
    }
    ui.show(
        &tasks,
        || tasks.iter().map(|task| format!("{}\n", task.handle)).collect(),
        || lines(&tasks, args.wait),
    )?;
    if args.wait { verdict(&tasks) } else { Ok(()) }
}

fn prompts(args: &RunArgs) -> Done<Vec<String>> {
    let typed = args.prompts.iter().map(|prompt| prompt_of(prompt));
    typed.chain(args.file.iter().map(|path| prompt_in(path))).collect()
}

/// A prompt as it was typed, or from standard input.
pub(super) fn prompt_of(typed: &str) -> Done<String> {
    if typed == "-" { read_stdin() } else { Ok(typed.to_owned()) }
}

/// The prompt in a file.
pub(super) fn prompt_in(path: &Path) -> Done<String> {
    let shown = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|error| {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Failed,
        };
        CommandError::new(kind, format!("cannot read {shown}"), "").because(&error)
    })?;
    read_text(file, &shown)
}

/// The agents that were named here or in the configuration, or the first one that is ready. The rehearsal agent is
/// always ready, but it only plays scripts, so nobody gets it without asking for it.
async fn agents(args: &RunArgs, config: &Config, client: &Client, root: &str, ui: &Ui) -> Done<Vec<String>> {
    let named = if args.agent.is_empty() { config.default_agents() } else { &args.agent };
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let known = client.agents(Some(root)).await?;
    // The daemon lists those that are ready before those that only should be.
    let usable = |state| matches!(state, AgentState::Ready | AgentState::Unverified);
    let first = known.into_iter().find(|agent| usable(agent.readiness.state) && agent.name != REHEARSAL);
    let Some(first) = first else {
        let hint = "divisi agents says for each how to install it or log in; to try without one, name the scripted \
                    one: --agent rehearsal";
        return Err(CommandError::new(ErrorKind::AgentNotReady, "no agent is ready", hint));
    };
    let which = match first.readiness.state {
        AgentState::Unverified => "the first agent that is there, though the tests of Divisi never ran it",
        _ => "the first agent that is ready",
    };
    ui.say(format!("{} is taken: {which}", style::strong(&first.name)));
    Ok(vec![first.name])
}

fn new_task(args: &RunArgs, agents: &[String], root: &str, prompt: String) -> NewTask {
    let wanted = &args.wanted;
    NewTask {
        root: root.to_owned(),
        prompt,
        title: args.title.clone(),
        criteria: wanted.judged().collect(),
        checks: wanted.check.clone(),
        agents: agents.to_vec(),
        attempts: args.attempts,
        base: args.base.clone(),
        permissions: wanted.permissions.map(Into::into),
        rounds: wanted.rounds,
        scope: wanted.scope.clone(),
        budget: args.budget.clone(),
        stage: args.stage,
        ..NewTask::default()
    }
}

/// One attempt that needs a person is enough; otherwise all attempts must have come to something.
fn is_over(task: &TaskView) -> bool {
    let settled = |attention| !matches!(attention, Attention::Backlog | Attention::Working);
    task.status.attention == Attention::NeedsYou
        || task.attempts.iter().all(|attempt| settled(attempt.status.attention))
}

fn announce(ui: &Ui, tasks: &[TaskView]) {
    for task in tasks {
        let agents: Vec<_> = task.attempts.iter().map(|attempt| attempt.agent.as_str()).collect();
        ui.progress(format!("{}  {}  by {}", task.handle, clean::line(&task.title), agents.join(", ")));
    }
}

fn lines(tasks: &[TaskView], waited: bool) -> String {
    let mut text = String::new();
    for task in tasks {
        if task.staged {
            let title = clean::line(&task.title);
            text.push_str(&format!("{}  staged  {title}\n", style::name(&task.handle)));
            text.push_str(&format!("    {} {}\n", style::faint("next:"), task.status.next));
        }
        for attempt in &task.attempts {
            let agent = style::strong(clean::line(&attempt.agent));
            let title = clean::line(&task.title);
            text.push_str(&format!("{}  by {agent}  {title}\n", style::name(&attempt.handle)));
            if waited {
                let reason = clean::line(&attempt.status.reason);
                text.push_str(&format!("    {}: {reason}\n", status::status(&attempt.status)));
            }
            text.push_str(&format!("    {} {}\n", style::faint("next:"), attempt.status.next));
        }
    }
    text
}

/// What the exit code tells.
fn verdict(tasks: &[TaskView]) -> Done {
    if let Some(task) = tasks.iter().find(|task| task.status.attention == Attention::NeedsYou) {
        let message = format!("{} needs you: {}", task.handle, clean::line(&task.status.reason));
        return Err(CommandError::new(ErrorKind::NeedsYou, message, task.status.next.clone()));
    }
    let stopped = |task: &&TaskView| {
        task.status.attention == Attention::Done
            && task.attempts.iter().all(|attempt| attempt.landing.is_none())
    };
    if let Some(task) = tasks.iter().find(stopped) {
        let message = format!("{} is {}", task.handle, task.status.state);
        return Err(CommandError::new(ErrorKind::Stopped, message, task.status.next.clone()));
    }
    Ok(())
}
