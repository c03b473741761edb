//! `divisi agents`

use clap::Args;
use divisi_api::types::{AgentState, AgentView};

use super::client;
use crate::errors::{CommandError, Done};
use crate::project;
use crate::render::table::Table;
use crate::render::{clean, style};
use crate::ui::Ui;

/// List the agents: found, version, how driven, ready or what mends it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi agents          all agents, those that are ready first\n  \
    divisi agents codex    one of them, with the command that installs it or logs in\n\n\
    The daemon sees the PATH and variables that it was started with; after installing an agent or\n\
    setting a key, `divisi stop --daemon` lets the next command start it anew.")]
pub(crate) struct AgentsArgs {
    /// Only this one
    name: Option<String>,
}

pub(crate) async fn run(args: &AgentsArgs, ui: &Ui) -> Done {
    let root = project::root().and_then(|root| root.into_os_string().into_string().ok());
    let mut agents = client().await?.agents(root.as_deref()).await?;
    if let Some(name) = &args.name {
        agents.retain(|agent| agent.name == *name);
        let Some(agent) = agents.first() else {
            return Err(CommandError::not_found(
                format!("there is no agent `{name}`"),
                "divisi agents lists them",
            ));
        };
        return ui.show(agent, || format!("{}\n", agent.name), || page(agent));
    }
    let usable = || agents.iter().filter(|agent| agent.readiness.usable);
    ui.show(&agents, || usable().map(|agent| format!("{}\n", agent.name)).collect(), || table(&agents, ui))?;
    if usable().next().is_none() && !ui.json {
        ui.say("No agent is ready. Each line says what mends it.");
    }
    Ok(())
}

fn table(agents: &[AgentView], ui: &Ui) -> String {
    let mut table = Table::new(&["AGENT", "STATE", "DRIVEN", "VERSION", "TO MEND IT"], ui.width());
    for agent in agents {
        table.row(vec![
            style::name(&agent.name),
            state(agent),
            agent.driven.clone(),
            agent.version.as_deref().map_or_else(|| "-".to_owned(), clean::line),
            clean::line(&agent.hint),
        ]);
    }
    table.show()
}

fn page(agent: &AgentView) -> String {
    let mut text = format!("{}  {}\n", style::name(&agent.name), style::strong(clean::line(&agent.title)));
    text.push_str(&format!("  {}\n", state(agent)));
    text.push_str(&format!("  driven   {}\n", agent.driven));
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
