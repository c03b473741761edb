//! Tools, and what they cost.

use divisi_agent::ModeName;
use divisi_model::event::{TurnOutcome, Usage};
use divisi_model::transcript::{ReportedCost, UsageScope};
use divisi_rehearsal::server::Evidence;

use super::scripted;
use crate::board;
use crate::cell::Cell;
use crate::desk::Desk;
use crate::style;
use crate::talk::{TURN_MAX, Talk, Wish, one_line};

/// How often the model of the endless column calls the same tool; the script ends where an agent has no bound.
const CALLS: usize = 30;

/// The model calls the same tool again and again.
pub async fn endless(desk: &Desk<'_>) -> Result<Cell, String> {
    if !style::has_tools(desk) {
        return Ok(Cell::none("its model calls no tools"));
    }
    let mut talk = Talk::open(desk, Wish { mode: ModeName::Auto, ..Wish::default() }).await?;
    let script = style::script(desk, &format!("repeat {CALLS}\n  run echo again\nsay At last."));
    talk.prompt(&scripted("Go on and on.", &script)).await?;
    let ended = talk.end_of_turn(2 * TURN_MAX).await?;
    talk.end().await?;
    let asked = desk.asked_main().len();
    Ok(match ended.outcome {
        TurnOutcome::Completed if asked > CALLS => {
            Cell::noted(format!("it has no bound below {CALLS} calls"))
        }
        TurnOutcome::Completed if asked > 2 => {
            Cell::noted(format!("it breaks a loop after {} calls", asked - 1))
        }
        outcome @ (TurnOutcome::CutShort { .. }
        | TurnOutcome::AgentError { .. }
        | TurnOutcome::NoProgress) => {
            Cell::noted(format!("it ends a loop after {asked} calls ({outcome:?})"))
        }
        outcome => {
            Cell::fails(format!("after {asked} calls it ended as {outcome:?}: {}", one_line(&talk.said())))
        }
    })
}

/// Two turns of several requests, whose tokens are known.
pub async fn usage(desk: &Desk<'_>) -> Result<Cell, String> {
    let mut talk = Talk::open(desk, Wish { mode: ModeName::Auto, ..Wish::default() }).await?;
    let script = style::script(desk, "run echo one\nrun echo two\nsay One.\nturn\nrun echo three\nsay Two.");
    let first = talk.turn(&scripted("Run it.", &script)).await?;
    let asked_first = desk.asked();
    let second = talk.turn("Go on.").await?;
    let asked = desk.asked();
    let shown = talk.entries().iter().rev().find_map(|entry| match &entry.body {
        divisi_model::transcript::EntryBody::Usage(usage) => usage.cost.clone(),
        _ => None,
    });
    talk.end().await?;
    if !talk.is_acp() || (first.usage.input, first.usage.output) == (0, 0) {
        return Ok(Cell::cannot("it reports no tokens", "no numbers are shown rather than wrong ones"));
    }
    let turns = [(first.usage, &asked_first[..]), (second.usage, &asked[asked_first.len()..])];
    let counted: Vec<Count> = turns.iter().map(|(usage, asked)| count(usage, asked)).collect();
    let scope = desk.definition.quirks.usage_scope;
    let seen = match (&counted[..], paid(&[first.usage, second.usage], shown.as_ref())) {
        (_, Err(why)) => Cell::fails(why),
        ([Count::Whole(first), Count::Whole(second)], Ok(cost)) if first == second => {
            Cell::noted(format!("{first}{cost}"))
        }
        ([Count::Last, Count::Last], Ok(_)) => {
            Cell::cannot("it reports only its last request", "shown as a lower bound")
        }
        _ => Cell::fails(format!(
            "reported {:?} and {:?}, true are {} and {}",
            first.usage,
            second.usage,
            sum(turns[0].1),
            sum(turns[1].1)
        )),
    };
    let last = matches!(counted[..], [Count::Last, Count::Last]);
    Ok(seen.compared("usage_scope is last_call", scope == UsageScope::LastCall, last))
}

#[derive(Clone, Copy, PartialEq)]
enum Count {
    Whole(&'static str),
    Last,
    Wrong,
}

/// How reported numbers agree with what the model was said to have used.
fn count(usage: &Usage, asked: &[Evidence]) -> Count {
    let total = |of: &dyn Fn(&Evidence) -> u64, main: bool| -> u64 {
        asked.iter().filter(|one| !main || one.class == "main").map(of).sum()
    };
    let fits = |input: u64, cached: u64, output: u64| {
        let reads = usage.cached_read == cached || usage.cached_read == 0;
        let whole = usage.input == input + cached;
        (usage.output == output && reads && (usage.input == input || whole)).then_some(whole)
    };
    for main in [true, false] {
        let input = total(&|one| one.input_tokens, main);
        let cached = total(&|one| one.cached_tokens, main);
        let output = total(&|one| one.output_tokens, main);
        if let Some(whole) = fits(input, cached, output) {
            return Count::Whole(match (main, whole) {
                (true, false) => "to the token; titles and the like left out",
                (true, true) => "to the token, input with what was read from the cache",
                (false, false) => "to the token, titles and the like counted in",
                (false, true) => {
                    "to the token, titles and the like counted in, input with what was read from the cache"
                }
            });
        }
    }
    let last = asked.iter().rev().find(|one| one.class == "main");
    match last.and_then(|one| fits(one.input_tokens, one.cached_tokens, one.output_tokens)) {
        Some(_) => Count::Last,
        None => Count::Wrong,
    }
}

/// How the money of the turns agrees with what the agent last said that its session cost: to the millionth of a dollar,
/// and no turn that used tokens is free where the session is not. What is not in dollars must not be shown as such.
fn paid(turns: &[Usage], said: Option<&ReportedCost>) -> Result<&'static str, String> {
    let counted: Vec<_> = turns.iter().map(|turn| turn.cost_micros).collect();
    let Some(said) = said.filter(|said| said.currency == "USD") else {
        return match counted.iter().flatten().next() {
            None => Ok(if said.is_some() { "; reports a cost" } else { "" }),
            Some(_) => Err(format!("it says no cost in dollars, and its turns are said to cost {counted:?}")),
        };
    };
    let total = (said.amount * 1e6).round() as u64;
    let known: Option<Vec<u64>> = counted.iter().copied().collect();
    let right = known.is_some_and(|known| {
        known.iter().sum::<u64>() == total && (total == 0 || known.iter().all(|cost| *cost > 0))
    });
    match right {
        true => Ok("; reports a cost"),
        false => Err(format!("its session cost {total} millionths of a dollar, its turns {counted:?}")),
    }
}

fn sum(asked: &[Evidence]) -> String {
    let total = |of: fn(&Evidence) -> u64| asked.iter().map(of).sum::<u64>();
    format!(
        "{} + {} cached + {} in {} requests",
        total(|one| one.input_tokens),
        total(|one| one.cached_tokens),
        total(|one| one.output_tokens),
        asked.len()
    )
}

/// An MCP server that Divisi offers is started, its tool is offered to the model, and a call arrives.
pub async fn mcp(desk: &Desk<'_>) -> Result<Cell, String> {
    let mut talk = Talk::open(desk, Wish { mode: ModeName::Auto, mcp: true, ..Wish::default() }).await?;
    if !talk.is_acp() {
        return Ok(Cell::cannot(
            "it takes none from outside",
            "Divisi offers its tools to agents that take them",
        ));
    }
    let script = format!("tool {} {{\"note\": \"hello\"}}\nsay It is noted.", board::TOOL);
    let ended = talk.turn(&scripted("Leave a note.", &script)).await?;
    let said = talk.said();
    talk.end().await?;
    let noted = std::fs::read_to_string(desk.board()).unwrap_or_default();
    let is_search = |tool: &str| tool.replace('_', "").eq_ignore_ascii_case("toolsearch");
    let is_offered =
        |one: &Evidence| one.tools.iter().any(|tool| tool.contains(board::TOOL) || is_search(tool));
    if !desk.asked_main().iter().any(is_offered) {
        return Ok(Cell::cannot(
            "it takes the server and offers none of its tools to the model",
            "it works without them",
        ));
    }
    Ok(match (ended.outcome, noted.trim()) {
        (TurnOutcome::Completed, "\"hello\"") => Cell::pass(),
        (outcome, _) => {
            let offered = desk.asked_main().last().map(|one| one.tools.join(", ")).unwrap_or_default();
            Cell::fails(format!(
                "no call arrived: {outcome:?}; {}; tools: {}",
                one_line(&said),
                one_line(&offered)
            ))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_counts_once_and_to_the_millionth() {
        let turn = |cost_micros| Usage { input: 10, cost_micros, ..Usage::default() };
        let said = |amount, currency: &str| Some(ReportedCost { amount, currency: currency.to_owned() });
        let holds = |turns: &[Usage], said: Option<ReportedCost>| paid(turns, said.as_ref());
        assert_eq!(holds(&[turn(None), turn(None)], None), Ok(""));
        assert_eq!(
            holds(&[turn(Some(1200)), turn(Some(34))], said(0.001_234, "USD")),
            Ok("; reports a cost")
        );
        assert_eq!(holds(&[turn(Some(0)), turn(Some(0))], said(0.0, "USD")), Ok("; reports a cost"));
        assert_eq!(holds(&[turn(None), turn(None)], said(5.0, "EUR")), Ok("; reports a cost"));
        // Counted twice, not at all, all of it in one turn, another currency as dollars, and made up.
        assert!(holds(&[turn(Some(1200)), turn(Some(1234))], said(0.001_234, "USD")).is_err());
        assert!(holds(&[turn(Some(1200)), turn(None)], said(0.0012, "USD")).is_err());
        assert!(holds(&[turn(Some(0)), turn(Some(1234))], said(0.001_234, "USD")).is_err());
        assert!(holds(&[turn(Some(5)), turn(None)], said(0.000_005, "EUR")).is_err());
        assert!(holds(&[turn(Some(5)), turn(None)], None).is_err());
    }
}
