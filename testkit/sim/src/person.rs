//! People: what they do at random, and what they do who want their tasks done.

use divisi_model::budget::Budget;
use divisi_model::comment::NewComment;
use divisi_model::event::Delivery;
use divisi_model::inbox::{Answer, Ask, Effect, InboxItem};
use divisi_model::review::Verdict;
use divisi_model::state::RollbackEnd;
use divisi_model::{AttemptState, Command, Oid, Phase, TaskState};

use crate::chance::Chance;

/// What somebody does next who wants the attempt done; nothing when it goes on by itself or is over.
pub(crate) fn helps(task: &TaskState, attempt: &AttemptState) -> Option<Command> {
    let number = attempt.number;
    if task.archived {
        return None;
    }
    let mine = |item: &&InboxItem| item.attempt == number;
    match &attempt.phase {
        Phase::Working => {
            let item = task.open_items().find(mine)?;
            if matches!(item.ask, Ask::Stall { .. }) {
                return Some(Command::Resume { attempt: number });
            }
            Some(answer(item).unwrap_or(Command::Stop { attempt: number }))
        }
        Phase::InReview => {
            let judged =
                task.open_items().filter(mine).find(|item| matches!(item.ask, Ask::Criterion { .. }));
            Some(judged.and_then(answer).unwrap_or_else(|| review(number, Verdict::Approved)))
        }
        Phase::Approved => Some(Command::Land { attempt: number }),
        Phase::Waiting | Phase::Blocked { .. } if attempt.over_budget(&attempt.usage).is_some() => {
            Some(Command::SetBudget { attempt: number, budget: None })
        }
        Phase::Waiting | Phase::Blocked { .. } => Some(Command::Resume { attempt: number }),
        Phase::Stopped if attempt.workspace.is_some() => None,
        _ => None,
    }
}

/// Everything that an attempt made is brought back once, to where it began.
pub(crate) fn brings_back(attempt: &AttemptState) -> Option<Command> {
    let first = attempt.rollbacks.is_empty() && attempt.phase == Phase::InReview;
    let to = attempt.base.clone();
    first.then(|| Command::RollBack { attempt: attempt.number, to, paths: Vec::new() })
}

fn review(attempt: u16, verdict: Verdict) -> Command {
    let note = if verdict == Verdict::Approved { String::new() } else { "Make it nicer.".to_owned() };
    Command::Review { attempt, commit: None, verdict, comments: Vec::new(), note }
}

fn answer(item: &InboxItem) -> Option<Command> {
    let answer = match &item.ask {
        Ask::Permission { options, .. } => match options.iter().any(|o| o.effect == Effect::AllowOnce) {
            true => Answer::Approved { always: false },
            false => Answer::Denied { reason: String::new() },
        },
        Ask::Question { .. } => Answer::Text { text: "Ada".to_owned() },
        Ask::Criterion { .. } => Answer::Approved { always: false },
        Ask::Review { .. } | Ask::Stall { .. } => return None,
    };
    Some(Command::Answer { item: item.id, answer })
}

/// Anything that a person can ask for.
pub(crate) fn anything(task: &TaskState, chance: &mut Chance, ids: &mut u64) -> Command {
    let attempt = u16::try_from(chance.between(1, task.attempts.len() as u64)).unwrap_or(1);
    *ids += 1;
    let text = format!("message {ids}");
    match chance.below(23) {
        0..=2 => {
            let deliveries = [Delivery::Queue, Delivery::Steer, Delivery::Interrupt];
            let delivery = *chance.pick(&deliveries).unwrap_or(&Delivery::Queue);
            Command::Send { attempt, text, images: Vec::new(), delivery }
        }
        3 | 4 => Command::Cancel { attempt },
        5 => review(attempt, Verdict::ChangesRequested),
        // Who has approved may think again.
        6 if task.attempt(attempt).is_some_and(|one| one.phase == Phase::Approved) => {
            review(attempt, Verdict::Withdrawn)
        }
        6 => review(attempt, Verdict::Approved),
        7 | 8 => Command::Stop { attempt },
        9 | 10 => Command::Resume { attempt },
        11 => Command::Undo { attempt },
        12 => Command::Land { attempt },
        13 => match chance.pick(&task.open_items().collect::<Vec<_>>()) {
            Some(item) => {
                Command::Answer { item: item.id, answer: Answer::Denied { reason: "No.".to_owned() } }
            }
            None => Command::Resume { attempt },
        },
        14 => Command::Archive,
        15 => Command::Restore,
        16..=18 => with_files(task, attempt, chance),
        19 => {
            let budget = chance.percent(70).then(|| Budget::Tokens(chance.between(1, 5_000)));
            Command::SetBudget { attempt, budget }
        }
        20 => {
            let queued = task.attempt(attempt).map_or(0, |attempt| u64::from(attempt.prompts));
            let prompt = u32::try_from(chance.between(1, queued.max(1))).unwrap_or(1);
            Command::TakeBack { attempt, prompt }
        }
        _ => with_comments(task, attempt, text, chance),
    }
}

/// Files are brought back: all or one, as any snapshot has them.
fn with_files(task: &TaskState, number: u16, chance: &mut Chance) -> Command {
    let attempt = task.attempt(number);
    let base = attempt.map(|attempt| attempt.base.clone());
    let of_turns = attempt.into_iter().flat_map(|attempt| &attempt.turns);
    let taken = of_turns.filter_map(|turn| Some(turn.snapshot.as_ref()?.0.clone()));
    let of_rollbacks = attempt.into_iter().flat_map(|attempt| &attempt.rollbacks);
    let kept = of_rollbacks.filter_map(|rollback| match &rollback.ended {
        Some(RollbackEnd::Done { before, .. }) => Some(before.0.clone()),
        _ => None,
    });
    let all: Vec<Oid> = base.into_iter().chain(taken).chain(kept).collect();
    let to = chance.pick(&all).cloned().unwrap_or_else(|| Oid("0".repeat(40)));
    let paths = if chance.percent(50) { Vec::new() } else { vec!["shared.txt".to_owned()] };
    Command::RollBack { attempt: number, to, paths }
}

/// A comment is written, changed, thrown away, settled or taken up again.
fn with_comments(task: &TaskState, attempt: u16, text: String, chance: &mut Chance) -> Command {
    let written = task.attempt(attempt).map_or(0, |attempt| u64::from(attempt.comments_written));
    let comment = u32::try_from(chance.between(1, written.max(1))).unwrap_or(1);
    match chance.below(8) {
        0 => Command::EditComment { attempt, comment, text },
        1 => Command::DeleteComment { attempt, comment },
        2 => Command::ResolveComment { attempt, comment },
        3 => Command::ReopenComment { attempt, comment, text },
        _ => Command::Comment { attempt, comment: NewComment { place: None, text } },
    }
}

/// Whether some command would be accepted that leads out of where the attempt is.
pub(crate) fn has_a_way_on(task: &TaskState, attempt: &AttemptState) -> bool {
    let number = attempt.number;
    let mut ways = vec![
        Command::Resume { attempt: number },
        Command::Land { attempt: number },
        Command::Undo { attempt: number },
        Command::Restore,
        Command::Stop { attempt: number },
        review(number, Verdict::Approved),
        review(number, Verdict::ChangesRequested),
        Command::SetBudget { attempt: number, budget: None },
    ];
    ways.extend(task.open_items().filter(|item| item.attempt == number).filter_map(answer));
    let mut id = || uuid::Uuid::nil();
    ways.into_iter()
        .any(|way| divisi_model::decide(Some(task), way, &mut id).is_ok_and(|events| !events.is_empty()))
}
