//! `divisi demo`

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use divisi_api::Client;
use divisi_api::types::{
    AnswerRequest, AskView, Attention, EntryRequest, NewTask, ReviewRequest, TaskView, Verdict,
};
use divisi_workspace::{Git, Identity, Signature};
use uuid::Uuid;

use super::watch::Watch;
use crate::daemon;
use crate::demo::{Pace, sample, story};
use crate::dirs::{self, Dirs};
use crate::env_vars;
use crate::errors::{CommandError, Done, ErrorKind};
use crate::render::{clean, style};
use crate::ui::Ui;

/// Pause between two looks whether the page is open.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// The scripted agent, which needs no key and no network.
const REHEARSAL: &str = "rehearsal";

/// See the whole road in a minute: three tasks, three agents, a failing check, review, landing
///
/// It makes a sample repository whose tests partly fail, in a folder of its own with a daemon of its own, and plays the
/// person's part too: it answers a permission, approves what is proven and lands it. Nothing else of yours is touched.
/// With --keep it first prints a link to the dashboard, where all this is seen live; at a terminal it then waits a moment
/// for you to open it, and takes its time.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi demo                 three scripted agents: no key, no network\n  \
    divisi demo --keep          watch it in the browser, and explore what is left there\n  \
    divisi demo --agent codex   the same with an agent that is installed")]
pub(crate) struct DemoArgs {
    /// Print a link to watch it by; leave the repository, the log and the daemon there, and say how to look at them
    #[arg(long)]
    keep: bool,
    /// Who does the work
    #[arg(long, short, value_name = "NAME", default_value = REHEARSAL)]
    agent: String,
}

/// Where the demonstration takes place.
struct Place {
    root: PathBuf,
    repository: PathBuf,
}

pub(crate) async fn run(args: &DemoArgs, ui: &Ui) -> Done {
    let ui = &ui.looked_at();
    let place = make_place(&args.agent)?;
    ui.say(format!("A sample repository whose tests partly fail: {}", place.repository.display()));
    let (dirs, client) = daemon::start_in(&place.root).await?;
    let pace = if args.keep && ui.at_terminal() { Pace::Watched } else { Pace::AtOnce };
    if args.keep {
        invite(ui, &client, pace).await?;
    }
    let played = play(args, ui, &client, &place, pace).await;
    match played {
        Ok(tasks) => {
            ui.show(&tasks, || handles(&tasks).join("\n") + "\n", || summary(&tasks))?;
            if args.keep {
                ui.say(how_to_look(&place));
                let link = client.entry(&EntryRequest::default()).await?.link;
                ui.say(format!("\nThe dashboard again, for another browser, within ten minutes:\n  {link}"));
                return Ok(());
            }
            clean_up(&client, &dirs, &place).await?;
            ui.say("Everything was removed again. Keep it to explore: divisi demo --keep");
            Ok(())
        }
        Err(error) => {
            ui.say(how_to_look(&place));
            Err(error)
        }
    }
}

/// A folder below Divisi's data, with the sample repository. The person's own agents are known there too.
fn make_place(agent: &str) -> Done<Place> {
    let own = Dirs::from_environment()?;
    let id = Uuid::now_v7().simple().to_string();
    let root = own.data.join("demo").join(&id[..12]);
    dirs::make_private(&root)?;
    if own.config.is_dir() && agent != REHEARSAL {
        let link = std::os::unix::fs::symlink(&own.config, root.join("config"));
        link.map_err(|error| CommandError::failed("cannot prepare the demonstration", "").because(&error))?;
    }
    let repository = root.join("shop");
    let search_path = env_vars::text(env_vars::PATH).unwrap_or_default();
    let failed = |error: &dyn std::error::Error| {
        CommandError::failed("cannot make the sample repository", "divisi doctor looks for the cause")
            .because(error)
    };
    let git = Git::find(search_path.as_ref()).map_err(|error| failed(&error))?;
    let by = Signature::new(
        Identity::new("Divisi demo", "demo@divisi.invalid"),
        jiff::Timestamp::now().as_second(),
    );
    git.new_repository(&repository, "main", sample::FILES, &by).map_err(|error| failed(&error))?;
    Ok(Place { root, repository })
}

/// Gives the link before anything is there to be seen, and at a terminal the time to open it.
async fn invite(ui: &Ui, client: &Client, pace: Pace) -> Done {
    let link = client.entry(&EntryRequest::default()).await?.link;
    ui.say(format!(
        "\nWatch it on the board (this link is for one browser, within ten minutes):\n  {link}\nYou will see three tasks \
         at work at once: one asks for a permission, one is sent back by a failing check, and all land."
    ));
    if pace.longest_wait().is_zero() {
        return Ok(());
    }
    ui.say(format!("It begins when the page is open, or in {} seconds.", pace.longest_wait().as_secs()));
    let begins = Instant::now() + pace.longest_wait();
    while Instant::now() < begins && client.devices().await?.is_empty() {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

async fn play(args: &DemoArgs, ui: &Ui, client: &Client, place: &Place, pace: Pace) -> Done<Vec<TaskView>> {
    let mut watch = Watch::begin(client).await?;
    ui.say(format!("\nThree tasks for {}, side by side, each in a workspace of its own:", args.agent));
    let mut tasks = Vec::new();
    for task in &story::TASKS {
        let new = new_task(task, &args.agent, &place.repository, pace)?;
        let added = client.add_task(&new, &Uuid::now_v7().to_string()).await?;
        ui.say(format!("  {}  {}", style::name(&added.handle), task.prompt));
        ui.say(format!("      proven by: {}", style::faint(task.check)));
        tasks.push(added);
    }
    ui.say("");
    let handles = handles(&tasks);
    loop {
        tasks = watch.until(ui, &handles, |task| is_proven(task) || needs_person(task)).await?;
        if tasks.iter().all(is_proven) {
            break;
        }
        pace.leave_time().await;
        for task in tasks.iter().filter(|task| needs_person(task)) {
            answer(ui, client, task).await?;
        }
    }
    pace.leave_time().await;
    ui.say(
        "\nAll three are proven by checks that Divisi ran itself, in clean checkouts. You review and land:",
    );
    for task in &tasks {
        approve(client, &task.handle).await?;
    }
    pace.leave_time().await;
    land(client, &handles).await?;
    let tasks = watch.until(ui, &handles, |task| is_landed(task) || needs_person(task)).await?;
    match tasks.iter().find(|task| !is_landed(task)) {
        None => Ok(tasks),
        Some(stuck) => Err(stuck_at(stuck)),
    }
}

/// Approves what is proven. Who watches may have done so first.
async fn approve(client: &Client, handle: &str) -> Done {
    let task = client.task(handle).await?;
    if task.status.attention != Attention::InReview {
        return Ok(());
    }
    let commit = task.attempts.first().and_then(|attempt| attempt.result.as_ref()).map(|r| r.commit.clone());
    let approved =
        ReviewRequest { commit, verdict: Verdict::Approved, comments: vec![], note: String::new() };
    client.review(handle, &approved).await?;
    Ok(())
}

/// Lands what has been approved. Who watches may have done so first.
async fn land(client: &Client, handles: &[String]) -> Done {
    let mut approved = Vec::new();
    for handle in handles {
        let task = client.task(handle).await?;
        if task.status.attention == Attention::ReadyToLand {
            approved.push(task.handle);
        }
    }
    if !approved.is_empty() {
        client.land(&approved).await?;
    }
    Ok(())
}

fn new_task(task: &story::Task, agent: &str, repository: &Path, pace: Pace) -> Done<NewTask> {
    let prompt = if agent == REHEARSAL { task.rehearsal_prompt(pace) } else { task.prompt.to_owned() };
    let root = repository.to_str().map(str::to_owned);
    Ok(NewTask {
        root: root
            .ok_or_else(|| CommandError::failed("the data folder's path is not UTF-8", "set DIVISI_HOME"))?,
        prompt,
        title: Some(task.prompt.to_owned()),
        checks: vec![task.check.to_owned()],
        agents: vec![agent.to_owned()],
        ..NewTask::default()
    })
}

/// Answers a permission as the person would, unless they did; gives up when it is something else.
async fn answer(ui: &Ui, client: &Client, task: &TaskView) -> Done {
    let task = &client.task(&task.handle).await?;
    if !needs_person(task) {
        return Ok(());
    }
    let asks = task.items.iter().filter(|item| item.answered.is_none());
    let permission = asks.into_iter().find_map(|item| match &item.ask {
        AskView::Permission { title, .. } => Some((item.handle.clone(), title.clone())),
        _ => None,
    });
    let Some((item, title)) = permission else { return Err(stuck_at(task)) };
    ui.say(format!(
        "{}  asks: {}  You say yes.",
        style::name(&task.handle),
        style::strong(clean::line(&title))
    ));
    client.answer(&item, &AnswerRequest::Approved { always: false }).await?;
    Ok(())
}

fn stuck_at(task: &TaskView) -> CommandError {
    let message = format!("{} needs you: {}", task.handle, clean::line(&task.status.reason));
    CommandError::new(ErrorKind::NeedsYou, message, task.status.next.clone())
}

fn is_proven(task: &TaskView) -> bool {
    matches!(task.status.attention, Attention::InReview | Attention::ReadyToLand | Attention::Done)
}

fn is_landed(task: &TaskView) -> bool {
    task.attempts.iter().any(|attempt| attempt.landing.is_some())
}

fn needs_person(task: &TaskView) -> bool {
    task.status.attention == Attention::NeedsYou
}

fn handles(tasks: &[TaskView]) -> Vec<String> {
    tasks.iter().map(|task| task.handle.clone()).collect()
}

/// What happened, told from the log.
fn summary(tasks: &[TaskView]) -> String {
    let mut text = String::from("\nWhat happened:\n");
    for task in tasks {
        let Some(attempt) = task.attempts.first() else { continue };
        text.push_str(&format!("  {}  {}\n", style::name(&task.handle), clean::line(&task.title)));
        let failed = attempt.evidence.iter().filter(|evidence| !evidence.passed).count();
        if failed > 0 {
            let turns = attempt.turns.len();
            text.push_str(&format!(
                "      {} said it was done too early: {} failed, it was sent back with the log, and passed after turn \
                 {turns}\n",
                clean::line(&attempt.agent),
                crate::render::count(failed, "check")
            ));
        }
        if let (Some(result), Some(landing)) = (&attempt.result, &attempt.landing) {
            let after = landing.after.get(..10).unwrap_or(&landing.after);
            text.push_str(&format!(
                "      {} file changed, +{} −{}; landed on {} as {}\n",
                result.files,
                result.added,
                result.removed,
                landing.target,
                style::good(after)
            ));
        }
    }
    text.push_str("  Each landing was checked together with what had landed before it.\n");
    text
}

fn how_to_look(place: &Place) -> String {
    format!(
        "\nLook around:\n  export DIVISI_HOME={}\n  cd {}\n  divisi ls --all\n  divisi log t1          the conversation, \
         with the turn that was sent back\n  divisi show t1         the evidence\n  git log --graph --oneline\n  divisi \
         undo t3         exactly back\n  divisi stop --daemon   when you are done; then remove the folder",
        place.root.display(),
        place.repository.display()
    )
}

/// Ends the daemon when no agent lives any more, and removes the folder.
async fn clean_up(client: &Client, dirs: &Dirs, place: &Place) -> Done {
    let mut events = client.follow_events(0);
    while client.health().await?.live_sessions > 0 {
        events.next().await?;
    }
    daemon::stop(dirs, client).await?;
    std::fs::remove_dir_all(&place.root).map_err(|error| {
        let message = format!("cannot remove {}", place.root.display());
        CommandError::failed(message, "remove it by hand").because(&error)
    })
}
