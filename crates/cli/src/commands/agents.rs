//! `divisi agents`

mod listed;

use clap::{Args, Subcommand};
use divisi_api::types::{AgentState, AgentView};
use serde::Serialize;

use super::client;
use crate::config::Config;
use crate::dirs::Dirs;
use crate::errors::{CommandError, Done};
use crate::project;
use crate::render::table::Table;
use crate::render::{clean, style};
use crate::ui::Ui;

/// List the agents: found, version, how driven, ready or what mends it
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
    divisi agents                      all agents, those that are ready first\n  \
    divisi agents codex                one of them, with the command that installs it or logs in\n  \
    divisi agents add ./agent.json     take in one that the ACP registry lists\n\n\
    The daemon sees the PATH and variables that it was started with; after installing an agent or\n\
    setting a key, `divisi stop --daemon` lets the next command start it anew."
)]
pub(crate) struct AgentsArgs {
    /// Only this one
    name: Option<String>,
    #[command(subcommand)]
    what: Option<AgentsCommand>,
}

#[derive(Debug, Subcommand)]
enum AgentsCommand {
    Add(listed::AddArgs),
    Remove(listed::RemoveArgs),
}

/// An agent with where its definition comes from.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    agent: AgentView,
    /// `shipped`, or the file or table of the person's own that defines or changes it.
    origin: String,
}

pub(crate) async fn run(args: &AgentsArgs, ui: &Ui) -> Done {
    match &args.what {
        Some(AgentsCommand::Add(add)) => return listed::add(add, ui),
        Some(AgentsCommand::Remove(remove)) => return listed::remove(remove, ui),
        None => {}
    }
    let root = project::root().and_then(|root| root.into_os_string().into_string().ok());
    let dirs = Dirs::from_environment()?;
    let config = Config::load(&dirs, None)?;
    let agents = client().await?.agents(root.as_deref()).await?.into_iter();
    let mut agents: Vec<_> =
        agents.map(|agent| Shown { origin: origin(&agent.name, &dirs, &config), agent }).collect();
    if let Some(name) = &args.name {
        agents.retain(|shown| shown.agent.name == *name);
        let Some(shown) = agents.first() else {
            return Err(CommandError::not_found(
                format!("there is no agent `{name}`"),
                "divisi agents lists them",
            ));
        };
        return ui.show(shown, || format!("{name}\n"), || page(shown));
    }
    let usable = || agents.iter().map(|shown| &shown.agent).filter(|agent| agent.readiness.usable);
    ui.show(&agents, || usable().map(|agent| format!("{}\n", agent.name)).collect(), || table(&agents, ui))?;
    if usable().next().is_none() && !ui.json {
        ui.say("No agent is ready. Each line says what mends it.");
    }
    Ok(())
}

fn table(agents: &[Shown], ui: &Ui) -> String {
    let mut table = Table::new(&["AGENT", "STATE", "DRIVEN", "FROM", "VERSION", "TO MEND IT"], ui.width());
    for Shown { agent, origin } in agents {
        table.row(vec![
            style::name(&agent.name),
            state(agent),
            agent.driven.clone(),
            clean::line(origin),
            agent.version.as_deref().map_or_else(|| "-".to_owned(), clean::line),
            clean::line(&agent.hint),
        ]);
    }
    table.show()
}

/// Where an agent's definition comes from; of one that comes with Divisi, what changes it.
fn origin(name: &str, dirs: &Dirs, config: &Config) -> String {
    if dirs.agents().join(format!("{name}.toml")).is_file() {
        return format!("agents/{name}.toml");
    }
    match config.agents().any(|(own, _)| own == name) {
        true => "config.toml".to_owned(),
        false => "shipped".to_owned(),
    }
}

fn page(Shown { agent, origin }: &Shown) -> String {
    let mut text = format!("{}  {}\n", style::name(&agent.name), style::strong(clean::line(&agent.title)));
    text.push_str(&format!("  {}\n", state(agent)));
    text.push_str(&format!("  driven   {}\n", agent.driven));
    text.push_str(&format!("  from     {}\n", clean::line(origin)));
    if let Some(version) = &agent.version {
        text.push_str(&format!("  version  {}\n", clean::line(version)));
    }
    if let Some(login) = &agent.readiness.login {
        text.push_str(&format!("  login    {}\n", clean::line(login)));
    }
    if !agent.hint.is_empty() {
        text.push_str(&format!("  mend     {}\n", clean::line(&agent.hint)));
    }
    text
}

fn state(agent: &AgentView) -> String {
    let words = &agent.readiness.words;
    match agent.readiness.state {
        AgentState::Ready => style::good(words),
        AgentState::Unverified | AgentState::NotLoggedIn => style::warn(words),
        AgentState::NotInstalled => style::faint(words),
    }
}
