//! `divisi edit`

use std::path::PathBuf;

use clap::Args;
use divisi_api::types::{CriterionRequest, CriterionView, ImageRequest, NewTask, TaskView};

use super::resume::NO_LIMIT;
use super::run::prompt_of;
use super::wanted::WantedArgs;
use super::{client, show_short};
use crate::errors::Done;
use crate::images;
use crate::ui::Ui;

/// Change a staged task
///
/// What is not named stays as it is; --check, --criterion, --scope, --agent and --image replace all there were. What has started
/// is not changed any more: divisi send tells its agent something new.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi edit t12 --title \"Fix the parser\"\n  \
    divisi edit t12 --prompt \"fix the parser, and say why it broke\"\n  \
    divisi edit t12 --image after.png                      this image in place of those it had\n  \
    divisi edit t12 --file spec.md --check \"cargo test -p parser\" --agent codex")]
pub(crate) struct EditArgs {
    /// The task
    #[arg(value_name = "TASK")]
    handle: String,
    /// What is wanted, in words; `-` reads it from standard input
    #[arg(long, value_name = "WORDS", conflicts_with = "file")]
    prompt: Option<String>,
    /// What is wanted, from this file
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// An image for the agent: PNG, JPEG, GIF or WebP
    #[arg(long, value_name = "FILE", conflicts_with = "no_image")]
    image: Vec<PathBuf>,
    /// Without images
    #[arg(long)]
    no_image: bool,
    /// One line for people
    #[arg(long)]
    title: Option<String>,
    /// The agents, one attempt by each; one named twice tries twice
    #[arg(long, short, value_name = "NAME", value_delimiter = ',')]
    agent: Vec<String>,
    #[command(flatten)]
    wanted: WantedArgs,
    /// The branch or commit to start from
    #[arg(long, value_name = "BRANCH")]
    base: Option<String>,
    /// How much each attempt may use before you are asked; none: no limit
    #[arg(long, value_name = "AMOUNT")]
    budget: Option<String>,
}

pub(crate) async fn run(args: &EditArgs, ui: &Ui) -> Done {
    let client = client().await?;
    let task = client.task(&args.handle).await?;
    let wanted = wanted(args, &task)?;
    let wanted = match args.no_image || !args.image.is_empty() {
        true => NewTask { images: images::store(&client, &args.image).await?, ..wanted },
        false => wanted,
    };
    show_short(ui, &client.edit_task(&args.handle, &wanted).await?)
}

/// All that is wanted now: what the task has, with what was named.
fn wanted(args: &EditArgs, task: &TaskView) -> Done<NewTask> {
    let prompt = match (&args.prompt, &args.file) {
        (Some(prompt), _) => Some(prompt_of(prompt)?),
        (None, Some(file)) => Some(super::run::prompt_in(file)?),
        (None, None) => None,
    };
    let keeps = |criterion: &&CriterionView| match criterion.command {
        Some(_) => args.wanted.check.is_empty(),
        None => args.wanted.criterion.is_empty(),
    };
    let kept = task.criteria.iter().filter(keeps);
    let kept = kept.map(|c| CriterionRequest { text: c.text.clone(), command: c.command.clone() });
    let agents = if args.agent.is_empty() { task.agents.clone() } else { args.agent.clone() };
    Ok(NewTask {
        root: task.project.root.clone(),
        // A title that was made of the old prompt does not fit the new one.
        title: args.title.clone().or_else(|| prompt.is_none().then(|| task.title.clone())),
        prompt: prompt.unwrap_or_else(|| task.prompt.clone()),
        images: task.images.iter().map(ImageRequest::from).collect(),
        criteria: kept.chain(args.wanted.judged()).collect(),
        checks: args.wanted.check.clone(),
        agents,
        attempts: 1,
        base: args.base.clone().or_else(|| task.asked.base.clone()),
        permissions: args.wanted.permissions.map(Into::into).or(task.asked.permissions),
        rounds: args.wanted.rounds.or(task.asked.rounds),
        scope: if args.wanted.scope.is_empty() { task.scope.clone() } else { args.wanted.scope.clone() },
        budget: match args.budget.as_deref() {
            Some(NO_LIMIT) => None,
            Some(budget) => Some(budget.to_owned()),
            None => task.budget.clone(),
        },
        stage: true,
    })
}
