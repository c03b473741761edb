//! People: what they do at random, and what they do who want their tasks done.

use divisi_model::event::Delivery;
use divisi_model::inbox::{Answer, Ask, Effect, InboxItem};
use divisi_model::review::Verdict;
use divisi_model::{AttemptState, Command, Phase, TaskState};

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
            Some(answer(item).unwrap_or(Command::Stop { attempt: number }))
        }
        Phase::InReview => {
            let judged =
                task.open_items().filter(mine).find(|item| matches!(item.ask, Ask::Criterion { .. }));
            Some(judged.and_then(answer).unwrap_or_else(|| review(number, Verdict::Approved)))
        }
        Phase::Approved => Some(Command::Land { attempt: number }),
        Phase::Waiting | Phase::Blocked { .. } => Some(Command::Resume { attempt: number }),
        Phase::Stopped if attempt.workspace.is_some() => None,
        _ => None,
    }
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
    match chance.below(16) {
        0..=2 => {
            let deliveries = [Delivery::Queue, Delivery::Steer, Delivery::Interrupt];
            let delivery = *chance.pick(&deliveries).unwrap_or(&Delivery::Queue);
            Command::Send { attempt, text, delivery }
        }
        3 | 4 => Command::Cancel { attempt },
        5 => review(attempt, Verdict::ChangesRequested),
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
        _ => Command::Restore,
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
    ];
    ways.extend(task.open_items().filter(|item| item.attempt == number).filter_map(answer));
    let mut id = || uuid::Uuid::nil();
    ways.into_iter()
        .any(|way| divisi_model::decide(Some(task), way, &mut id).is_ok_and(|events| !events.is_empty()))
}
