//! `divisi snapshots` and `divisi rollback`

use clap::Args;
use divisi_api::types::{AttemptView, RollbackRequest, SnapshotMoment, TaskView, WorkspaceSnapshotView};
use jiff::Timestamp;

use super::watch::Watch;
use super::{attempt_of, client, show_short};
use crate::errors::{CommandError, Done, ErrorKind};
use crate::render::table::Table;
use crate::render::{clean, time};
use crate::ui::Ui;

/// How much of a commit's name is shown.
const SHORT: usize = 10;

/// List the snapshots of an attempt: its base, each turn, and what was there before a rollback
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi snapshots t12\n  \
    divisi rollback t12 --turn 2     go back to one of them")]
pub(crate) struct SnapshotsArgs {
    /// The task or attempt
    #[arg(value_name = "TASK")]
    handle: String,
}

/// Bring files back as a snapshot has them: all of them, or those that are named
///
/// What is there now is kept in a snapshot first, so a rollback is undone by another one. Files that .gitignore leaves out
/// stay as they are. It is refused while the agent is in a turn. The result is then built and checked anew.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi rollback t12 --turn 2              the whole workspace as it was after turn 2\n  \
    divisi rollback t12 --turn 2 src/lib.rs   one file; a folder with all below it\n  \
    divisi rollback t12 --base                as it began\n  \
    divisi rollback t12 --undo                take the last rollback back")]
pub(crate) struct RollbackArgs {
    /// The task or attempt
    #[arg(value_name = "TASK")]
    handle: String,
    /// Files and folders; everything, when none is named
    #[arg(value_name = "FILE")]
    paths: Vec<String>,
    /// As it was after this turn
    #[arg(long, value_name = "NUMBER", group = "where", required = true)]
    turn: Option<u32>,
    /// As it was in the beginning
    #[arg(long, group = "where", required = true)]
    base: bool,
    /// As it was before the last rollback
    #[arg(long, group = "where", required = true)]
    undo: bool,
    /// As this snapshot has it
    #[arg(long, value_name = "COMMIT", group = "where", required = true)]
    to: Option<String>,
}

pub(crate) async fn list(args: &SnapshotsArgs, ui: &Ui) -> Done {
    let snapshots = client().await?.snapshots(&args.handle).await?;
    let commits = || snapshots.iter().map(|snapshot| format!("{}\n", snapshot.commit)).collect();
    ui.show(&snapshots, commits, || {
        let mut table = Table::new(&["SNAPSHOT", "TAKEN", "AGE", "FILES", "LINES"], ui.width());
        let now = Timestamp::now();
        snapshots.iter().for_each(|snapshot| table.row(row(snapshot, now)));
        table.show()
    })
}

fn row(snapshot: &WorkspaceSnapshotView, now: Timestamp) -> Vec<String> {
    let taken = match snapshot.moment {
        SnapshotMoment::Base => "base".to_owned(),
        SnapshotMoment::Turn => format!("after turn {}", snapshot.turn),
        SnapshotMoment::BeforeRollback => "before a rollback".to_owned(),
    };
    let files = snapshot.files.map_or_else(String::new, |files| files.to_string());
    let lines = snapshot.added.zip(snapshot.removed).map(|(added, removed)| format!("+{added} -{removed}"));
    let commit = snapshot.commit.chars().take(SHORT).collect();
    vec![commit, taken, time::age(snapshot.at, now), files, lines.unwrap_or_default()]
}

pub(crate) async fn roll_back(args: &RollbackArgs, ui: &Ui) -> Done {
    let client = client().await?;
    let task = client.task(&args.handle).await?;
    let handle = attempt_of(&task, &args.handle)?.handle.clone();
    let snapshots = client.snapshots(&handle).await?;
    let to = chosen(args, attempt_of(&task, &args.handle)?, &snapshots)?;
    let what = if args.paths.is_empty() { "the workspace".to_owned() } else { args.paths.join(", ") };
    ui.confirm(&format!("Bring {what} of {handle} back? What is there now is kept in a snapshot."))?;
    let mut watch = Watch::begin(&client).await?;
    let mut task = client.roll_back(&handle, &RollbackRequest { to, paths: args.paths.clone() }).await?;
    let of = |task: &TaskView| task.attempts.iter().find(|attempt| attempt.handle == handle).cloned();
    let is_over = |task: &TaskView| {
        of(task).is_none_or(|attempt| attempt.rollbacks.last().is_none_or(|rollback| rollback.ended))
    };
    task = watch.until(ui, &[task.handle.clone()], is_over).await?.pop().unwrap_or(task);
    let Some(done) = of(&task).and_then(|attempt| attempt.rollbacks.last().cloned()) else {
        return show_short(ui, &task);
    };
    if let Some(why) = done.failed {
        let hint = format!("divisi snapshots {handle} lists the snapshots");
        let mut error =
            CommandError::new(ErrorKind::WrongState, format!("{handle} was not rolled back"), hint);
        error.causes.push(clean::line(&why));
        return Err(error);
    }
    let text = match done.files {
        0 => format!("{handle}  nothing differs from that snapshot\n"),
        1 => format!("{handle}  1 file was changed; divisi rollback {handle} --undo takes it back\n"),
        n => format!("{handle}  {n} files were changed; divisi rollback {handle} --undo takes it back\n"),
    };
    for kept in &done.kept {
        ui.say(format!("In the way and in no snapshot: {}", clean::line(kept)));
    }
    ui.show(&task, || format!("{handle}\n"), || text)
}

fn chosen(args: &RollbackArgs, attempt: &AttemptView, snapshots: &[WorkspaceSnapshotView]) -> Done<String> {
    let handle = &attempt.handle;
    let hint = || format!("divisi snapshots {handle} lists the snapshots");
    let of_turn = |turn: u32| {
        let found = snapshots.iter().rev().find(|s| s.moment == SnapshotMoment::Turn && s.turn == turn);
        found.ok_or_else(|| {
            CommandError::not_found(format!("{handle} has no snapshot of turn {turn}"), hint())
        })
    };
    if let Some(turn) = args.turn {
        return Ok(of_turn(turn)?.commit.clone());
    }
    if args.base {
        let base = snapshots.iter().find(|snapshot| snapshot.moment == SnapshotMoment::Base);
        let base = base.ok_or_else(|| CommandError::not_found(format!("{handle} has no base"), hint()))?;
        return Ok(base.commit.clone());
    }
    if let Some(asked) = &args.to {
        let mut found = snapshots.iter().filter(|snapshot| snapshot.commit.starts_with(asked.as_str()));
        return match (found.next(), found.next()) {
            (Some(one), None) if !asked.is_empty() => Ok(one.commit.clone()),
            _ => Err(CommandError::not_found(format!("{handle} has no snapshot {asked}"), hint())),
        };
    }
    let last = attempt.rollbacks.iter().rev().find_map(|rollback| rollback.before.clone());
    last.ok_or_else(|| CommandError::not_found(format!("{handle} was never rolled back"), hint()))
}
