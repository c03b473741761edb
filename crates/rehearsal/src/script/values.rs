//! The values that may stand on the line of a step.

use agent_client_protocol_schema::v1::{PermissionOptionKind, StopReason, ToolKind};

use super::words::Words;
use super::{Crash, Fault, FaultKind, Flood, ScriptError, Tokens};

/// Most bytes or lines of one `flood`.
const FLOOD_MAX: u64 = 64 * 1024 * 1024 * 1024;
/// Most bytes of a flood in one line, which has to fit into memory.
const FLOOD_LINE_MAX: u64 = 1024 * 1024 * 1024;

pub(super) fn usage(words: &mut Words<'_>) -> Result<Tokens, ScriptError> {
    let mut tokens = Tokens::default();
    while let Some(what) = words.next()? {
        match what.as_str() {
            "input" => tokens.input = words.number("the number of input tokens")?,
            "output" => tokens.output = words.number("the number of output tokens")?,
            "cached" => tokens.cached_read = words.number("the number of cached tokens")?,
            "cached_write" => {
                tokens.cached_write = words.number("the number of tokens written to the cache")?
            }
            "thought" => tokens.thought = words.number("the number of thought tokens")?,
            "cost" => {
                let cost: f64 = words.number("the cost in US dollars")?;
                if !cost.is_finite() || cost < 0.0 {
                    return Err(words.error("the cost is a number of US dollars, not below zero."));
                }
                tokens.cost = Some(cost);
            }
            other => {
                return Err(words.error(format!(
                    "“{other}” is not counted; use input, output, cached, cached_write, thought or cost."
                )));
            }
        }
    }
    Ok(tokens)
}

pub(super) fn crash(words: &mut Words<'_>) -> Result<Crash, ScriptError> {
    if words.is_empty() {
        return Ok(Crash::Code(1));
    }
    if !words.take("signal") {
        return Ok(Crash::Code(words.number("the exit code (0 to 255)")?));
    }
    let name = words.require("the signal")?;
    let number = match name.trim_start_matches("SIG") {
        "KILL" => 9,
        "TERM" => 15,
        "SEGV" => 11,
        "ABRT" => 6,
        _ => {
            return Err(
                words.error(format!("“{name}” is not a signal known here; use KILL, TERM, SEGV or ABRT."))
            );
        }
    };
    Ok(Crash::Signal(number))
}

pub(super) fn flood(words: &mut Words<'_>) -> Result<Flood, ScriptError> {
    const HOW: &str = "write: flood 20000 lines, flood 5 MB, or flood 5 MB in one line.";
    let amount: u64 = words.number("the amount")?;
    let unit = words.require("the unit (lines, B, KB or MB)")?;
    let factor = match unit.as_str() {
        "lines" => return bounded(words, amount, FLOOD_MAX).map(Flood::Lines),
        "B" => 1,
        "KB" => 1024,
        "MB" => 1024 * 1024,
        _ => return Err(words.error(HOW)),
    };
    let bytes = bounded(words, amount.saturating_mul(factor), FLOOD_MAX)?;
    if words.take("in") {
        if words.remainder()? != "one line" {
            return Err(words.error(HOW));
        }
        return bounded(words, bytes, FLOOD_LINE_MAX).map(Flood::OneLine);
    }
    Ok(Flood::Bytes(bytes))
}

pub(super) fn bounded(words: &Words<'_>, amount: u64, most: u64) -> Result<u64, ScriptError> {
    if amount > most { Err(words.error(format!("such a flood has at most {most}."))) } else { Ok(amount) }
}

/// `error KIND ["message"] [retry after 2s] [times 3]`
pub(super) fn fault(words: &mut Words<'_>) -> Result<Fault, ScriptError> {
    let word = words.require("the kind of error")?;
    let (kind, usual, times) = match word.as_str() {
        "unauthorized" => (FaultKind::Unauthorized, "Invalid API key. Log in first.", None),
        "usage-limit" => {
            (FaultKind::UsageLimit, "You have reached your usage limit. It resets in 1 hour.", None)
        }
        "rate-limit" => (FaultKind::RateLimit, "Too many requests. Try again later.", Some(1)),
        "overloaded" => (FaultKind::Overloaded, "The model is overloaded.", Some(1)),
        "internal" => (FaultKind::Internal, "Internal server error.", Some(1)),
        _ => {
            return Err(words.error(format!(
                "“{word}” is not a kind of error; use unauthorized, usage-limit, rate-limit, overloaded or internal."
            )));
        }
    };
    let mut fault = Fault { kind, message: usual.to_owned(), retry_after: None, times };
    while !words.is_empty() {
        if words.take("retry") {
            words.expect("after", "write: retry after 2s.")?;
            fault.retry_after = Some(words.duration("the time to wait")?);
        } else if words.take("times") {
            fault.times = Some(words.number("the number of failures")?);
        } else if words.take("always") {
            fault.times = None;
        } else {
            fault.message = words.require("the message")?;
        }
    }
    Ok(fault)
}

pub(super) fn stop_reason(words: &mut Words<'_>) -> Result<StopReason, ScriptError> {
    let word = words.next()?;
    Ok(match word.as_deref() {
        None | Some("end_turn" | "turn") => StopReason::EndTurn,
        Some("max_tokens") => StopReason::MaxTokens,
        Some("max_turn_requests") => StopReason::MaxTurnRequests,
        Some("refusal") => StopReason::Refusal,
        Some("cancelled") => StopReason::Cancelled,
        Some(other) => {
            return Err(words.error(format!(
                "“{other}” is not a stop reason; use end_turn, max_tokens, max_turn_requests, refusal or cancelled."
            )));
        }
    })
}

pub(super) fn tool_kind(word: &str) -> Option<ToolKind> {
    Some(match word {
        "read" => ToolKind::Read,
        "edit" => ToolKind::Edit,
        "delete" => ToolKind::Delete,
        "move" => ToolKind::Move,
        "search" => ToolKind::Search,
        "execute" => ToolKind::Execute,
        "think" => ToolKind::Think,
        "fetch" => ToolKind::Fetch,
        "switch_mode" => ToolKind::SwitchMode,
        "other" => ToolKind::Other,
        _ => return None,
    })
}

pub(super) fn permission_option(word: &str) -> Option<PermissionOptionKind> {
    Some(match word {
        "allow_once" => PermissionOptionKind::AllowOnce,
        "allow_always" => PermissionOptionKind::AllowAlways,
        "reject_once" => PermissionOptionKind::RejectOnce,
        "reject_always" => PermissionOptionKind::RejectAlways,
        _ => return None,
    })
}
