//! What people see: derived, never stored. Every state comes with its reason, since when, and what can be done next.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Blocked;
use crate::inbox::Ask;
use crate::state::{AttemptState, Phase, TaskState};

/// The columns of the board, in their order. Derived, never dragged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// It waits for a slot.
    Backlog,
    /// It goes on by itself.
    Working,
    /// It waits for a person.
    NeedsYou,
    /// A proven result waits for a verdict.
    InReview,
    /// Approved.
    ReadyToLand,
    /// Landed, stopped or archived.
    Done,
}

/// A state that explains itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The column.
    pub attention: Attention,
    /// The state in a word or two: `working`, `waiting for permission`.
    pub state: String,
    /// Why, in a sentence.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// What a person can do next, as a command where there is one.
    pub next: String,
    /// When it goes on by itself, where it waits for a time.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// The status of an attempt.
pub fn status(task: &TaskState, attempt: &AttemptState) -> Status {
    let handle = task.handle(attempt.number);
    let make = |attention, state: &str, reason: String, next: String| Status {
        attention,
        state: state.to_owned(),
        reason,
        since: attempt.since,
        next,
        until: None,
    };
    let until = |end: Timestamp, status: Status| Status { until: Some(end), ..status };
    if task.archived {
        return make(
            Attention::Done,
            "archived",
            "put away".into(),
            format!("divisi restore {}", task.spec.number),
        );
    }
    if matches!(attempt.phase, Phase::Working)
        && let Some(status) = waiting_in_turn(task, attempt)
    {
        return status;
    }
    match &attempt.phase {
        Phase::Queued if attempt.held.is_some() => {
            let held = attempt.held.as_ref();
            let why = held.map_or("", |held| held.why.as_str());
            let reason = format!("{} ran into a limit: {why}", attempt.agent);
            let status =
                make(Attention::Backlog, LIMIT, reason, format!("divisi resume {handle} goes on now"));
            held.map_or(status.clone(), |held| until(held.until, status))
        }
        Phase::Queued => {
            let why = match attempt.queue.first().map(|p| p.origin) {
                Some(crate::event::Origin::Check) => "a check failed; waits for a slot to try again",
                Some(crate::event::Origin::Review) => "changes were requested; waits for a slot",
                Some(crate::event::Origin::Scope) => {
                    "it changed files outside of its scope; waits for a slot"
                }
                Some(crate::event::Origin::Conflict) => {
                    "it conflicts with what landed; waits for a slot to resolve it"
                }
                _ => "waits for a free slot",
            };
            make(Attention::Backlog, "queued", why.into(), format!("divisi stop {handle}"))
        }
        Phase::Preparing => {
            let why = match (attempt.workspace.is_some(), attempt.queue.first().map(|prompt| prompt.origin)) {
                (false, _) => "the workspace is made and its setup runs",
                (true, Some(crate::event::Origin::Check)) => "sent back by a failed check",
                (true, Some(crate::event::Origin::Scope)) => "sent back to its scope",
                (true, Some(crate::event::Origin::Review)) => "sent back by a review",
                (true, Some(crate::event::Origin::Conflict)) => {
                    "brought onto what landed meanwhile, to resolve the conflict"
                }
                (true, _) => "it starts again",
            };
            make(Attention::Working, "preparing", why.into(), format!("divisi log -f {handle}"))
        }
        Phase::Working => {
            let turn = attempt.running_turn().map(|turn| turn.number);
            let reason = turn
                .map_or("the agent starts".to_owned(), |n| format!("turn {n} runs with {}", attempt.agent));
            make(Attention::Working, "working", reason, format!("divisi log -f {handle}"))
        }
        Phase::Checking => {
            let done = attempt.result.as_ref().map_or(0, |result| {
                task.spec
                    .checks()
                    .iter()
                    .filter(|c| attempt.evidence_for(&c.name, &result.tree).is_some())
                    .count()
            });
            let all = task.spec.checks().len();
            make(
                Attention::Working,
                "checking",
                format!("{done} of {all} checks are done"),
                format!("divisi show {handle}"),
            )
        }
        Phase::InReview => {
            let open = task.unjudged(attempt.number).count();
            if open > 0 {
                let reason = match open {
                    1 => "a criterion waits for a person's judgement".to_owned(),
                    open => format!("{open} criteria wait for a person's judgement"),
                };
                return make(Attention::NeedsYou, "waiting for judgement", reason, "divisi inbox".into());
            }
            let required = task.spec.checks().iter().filter(|c| c.required).count();
            let reason = match required {
                0 => "no check is set up, so nothing is proven".to_owned(),
                1 => "1 required check passed".to_owned(),
                n => format!("{n} required checks passed"),
            };
            let next = format!("divisi diff {handle}, then divisi review {handle} --approve");
            make(Attention::InReview, "in review", reason, next)
        }
        Phase::Approved => {
            let reason = match &attempt.landing_failure {
                Some(failure) => format!("approved, but it did not land: {failure}"),
                None => "approved".to_owned(),
            };
            let attention =
                if attempt.landing_failure.is_some() { Attention::NeedsYou } else { Attention::ReadyToLand };
            let state = if attempt.landing_failure.is_some() { "landing failed" } else { "ready to land" };
            make(attention, state, reason, format!("divisi land {handle}"))
        }
        Phase::Landing => make(
            Attention::Working,
            "landing",
            format!("the combination with {} is built and checked", task.spec.base.branch),
            format!("divisi show {handle}"),
        ),
        Phase::Landed => {
            let mut reason = attempt
                .landing
                .as_ref()
                .map_or(String::new(), |l| format!("on {} as {}", l.target, l.after.short()));
            if let Some(why) = &attempt.undo_failure {
                reason.push_str(&format!("; it could not be taken back: {why}"));
            }
            make(
                Attention::Done,
                "landed",
                reason,
                format!("divisi archive {}, or divisi undo {handle}", task.spec.number),
            )
        }
        Phase::Undoing => {
            make(Attention::Working, "undoing", "the landing is taken back".into(), String::new())
        }
        Phase::RollingBack => {
            let whole = attempt.open_rollback().is_none_or(|rollback| rollback.paths.is_empty());
            let what = if whole { "the workspace is" } else { "some files are" };
            let reason = format!("{what} brought back from a snapshot");
            make(Attention::Working, "rolling back", reason, format!("divisi snapshots {handle}"))
        }
        Phase::Waiting => {
            let last = attempt.turns.last();
            let reason = match last.and_then(|turn| turn.outcome.as_ref()) {
                _ if last.is_some_and(|turn| turn.cancel_requested) => "the turn was cancelled",
                Some(crate::event::TurnOutcome::Denied) => {
                    "the agent ended its turn over a denied permission"
                }
                _ => "the agent is idle",
            };
            let next = format!("divisi send {handle} \"…\", or divisi resume {handle}");
            make(Attention::NeedsYou, "waiting for instruction", reason.into(), next)
        }
        Phase::Blocked { why } if why.ends_at().is_some() => {
            let next = hint_for(why, task, attempt.number);
            let status = make(Attention::Backlog, LIMIT, why.to_string(), next);
            why.ends_at().map_or(status.clone(), |end| until(end, status))
        }
        Phase::Blocked { why } => {
            make(Attention::NeedsYou, state_of(why), why.to_string(), hint_for(why, task, attempt.number))
        }
        Phase::Stopped => {
            let reason = attempt.stopped_because.clone().unwrap_or_else(|| "a person stopped it".to_owned());
            make(Attention::Done, "stopped", reason, format!("divisi resume {handle}"))
        }
    }
}

/// An open permission request or question of a running turn.
fn waiting_in_turn(task: &TaskState, attempt: &AttemptState) -> Option<Status> {
    let in_turn = |ask: &Ask| !matches!(ask, Ask::Criterion { .. } | Ask::Review { .. });
    let item = task.open_items().find(|item| item.attempt == attempt.number && in_turn(&item.ask))?;
    let (state, reason) = match &item.ask {
        Ask::Permission { title, .. } => ("waiting for permission", title.clone()),
        Ask::Question { text, .. } => ("waiting for an answer", text.clone()),
        Ask::Stall { why, .. } => ("stalled", why.clone()),
        Ask::Criterion { .. } | Ask::Review { .. } => return None,
    };
    let next = match &item.ask {
        Ask::Stall { hint, .. } => hint.clone(),
        Ask::Question { .. } => format!("divisi answer {} \"…\"", task.handle(attempt.number)),
        _ => format!("divisi approve {0}, or divisi deny {0}", task.handle(attempt.number)),
    };
    let since = item.since;
    Some(Status { attention: Attention::NeedsYou, state: state.to_owned(), reason, since, next, until: None })
}

/// The status of a task: that of the attempt which needs a person most, or is furthest.
pub fn task_status(task: &TaskState) -> Option<Status> {
    let rank = |status: &Status| match status.attention {
        Attention::NeedsYou => 5,
        Attention::ReadyToLand => 4,
        Attention::InReview => 3,
        Attention::Working => 2,
        Attention::Backlog => 1,
        Attention::Done => 0,
    };
    if task.staged() {
        return Some(staged(task));
    }
    let landed = task.attempts.iter().find(|a| a.phase == Phase::Landed);
    if let Some(landed) = landed {
        return Some(status(task, landed));
    }
    task.attempts.iter().map(|attempt| status(task, attempt)).max_by_key(rank)
}

/// A task that nobody has started yet.
fn staged(task: &TaskState) -> Status {
    let number = task.spec.number;
    let (attention, state, reason, next) = match task.archived {
        true => {
            (Attention::Done, "archived", "put away before it started", format!("divisi restore {number}"))
        }
        false => (Attention::Backlog, "staged", "not started", format!("divisi start {number}")),
    };
    let (state, reason) = (state.to_owned(), reason.to_owned());
    Status { attention, state, reason, since: task.added, next, until: None }
}

/// The state of what waits for a usage limit to end.
const LIMIT: &str = "waiting for a limit";

fn state_of(why: &Blocked) -> &'static str {
    match why {
        Blocked::Login { .. } => "needs you: credentials",
        Blocked::UsageLimit { .. } => LIMIT,
        Blocked::Credit { .. } => "needs you: credit",
        Blocked::OutOfRounds { .. } => "checks keep failing",
        Blocked::Workspace { .. } => "workspace failed",
        Blocked::Agent { .. } => "agent failed",
        Blocked::Stalled { .. } => "stalled",
        Blocked::NoChange => "waiting for instruction",
        Blocked::Budget { .. } => "needs you: budget",
    }
}

/// What helps when an attempt is blocked.
pub fn hint_for(why: &Blocked, task: &TaskState, attempt: u16) -> String {
    let handle = task.handle(attempt);
    let agent = task.attempt(attempt).map_or("", |a| a.agent.as_str());
    match why {
        Blocked::Login { command: Some(command), .. } if command.starts_with("export ") => {
            format!(
                "{command}, then divisi stop --daemon, which hands on what it was started with, then divisi resume {handle}"
            )
        }
        Blocked::Login { command: Some(command), .. } => format!("{command}, then divisi resume {handle}"),
        Blocked::Login { command: None, .. } => {
            format!("divisi agents {agent} says how to log in; then divisi resume {handle}")
        }
        Blocked::UsageLimit { until: Some(_), .. } => format!("divisi resume {handle} goes on now"),
        Blocked::UsageLimit { until: None, .. } => format!("divisi resume {handle} when the limit is over"),
        Blocked::Credit { .. } => {
            format!("add credit to the account of {agent}, then divisi resume {handle}")
        }
        Blocked::OutOfRounds { .. } => {
            format!("divisi show {handle} has the failing log; divisi resume {handle} tries again")
        }
        Blocked::Workspace { .. } => {
            format!(
                "divisi show {handle} has the log; divisi resume {handle} tries again, and a changed divisi.toml counts \
                 for new tasks"
            )
        }
        Blocked::Agent { .. } => format!("divisi log {handle}, then divisi resume {handle}"),
        Blocked::Stalled { .. } => format!("divisi log {handle}, then divisi resume {handle}"),
        Blocked::Budget { unknown: false, .. } => {
            format!("divisi resume {handle} --budget MORE goes on; divisi stop {handle} ends it")
        }
        Blocked::Budget { unknown: true, .. } => {
            format!(
                "divisi resume {handle} --budget 200k counts tokens; --budget none goes on without a limit"
            )
        }
        Blocked::NoChange => format!("divisi log {handle}, then divisi send {handle} \"…\""),
    }
}

impl std::fmt::Display for Blocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Login { text, .. } => write!(f, "the agent needs a login: {text}"),
            Self::UsageLimit { text, until: Some(_), guessed: true } => {
                write!(f, "the agent does not say when its limit ends, so it is tried again: {text}")
            }
            Self::UsageLimit { text, .. } => write!(f, "usage limit: {text}"),
            Self::Credit { text } => write!(f, "the agent's account has no credit left: {text}"),
            Self::OutOfRounds { rounds } => {
                write!(f, "it was sent back {rounds} times and still does not pass")
            }
            Self::Workspace { why } => write!(f, "{why}"),
            Self::Agent { text } => write!(f, "{text}"),
            Self::Stalled { minutes } => write!(f, "no sign of life for {minutes} minutes"),
            Self::NoChange => f.write_str("the turn ended without a change"),
            Self::Budget { budget, unknown: false } => write!(f, "its budget of {budget} is used up"),
            Self::Budget { budget, unknown: true } => {
                write!(
                    f,
                    "nobody knows what all of its tokens cost, so its budget of {budget} cannot be held"
                )
            }
        }
    }
}

impl std::fmt::Display for crate::event::LandingFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Conflict { paths, .. } => write!(f, "conflict in {}", paths.join(", ")),
            Self::ChecksFailed { checks, .. } => write!(f, "{} failed on the combination", checks.join(", ")),
            Self::CheckoutDirty { paths } => {
                write!(f, "local changes in your checkout are in the way: {}", paths.join(", "))
            }
            Self::Other { text } => f.write_str(text),
        }
    }
}

impl std::fmt::Display for Attention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Backlog => "Backlog",
            Self::Working => "Working",
            Self::NeedsYou => "Needs you",
            Self::InReview => "In review",
            Self::ReadyToLand => "Ready to land",
            Self::Done => "Done",
        })
    }
}
