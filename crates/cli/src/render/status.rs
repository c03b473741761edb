//! States: a glyph where the terminal shows it, a word where it does not, and always the state in words.

use divisi_api::types::{Attention, CheckState, StatusView};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{style, time};
use crate::env_vars;

/// Whether the terminal shows more than ASCII.
pub(crate) fn glyphs() -> bool {
    let utf8 = env_vars::LANG.iter().find_map(|name| env_vars::text(name)).is_some_and(|value| {
        let value = value.to_ascii_lowercase();
        value.contains("utf-8") || value.contains("utf8")
    });
    utf8 && env_vars::text(env_vars::TERM).is_none_or(|term| term != "linux")
}

/// A state with its mark.
pub(crate) fn status(status: &StatusView) -> String {
    let (glyph, ascii) = match status.attention {
        Attention::Backlog => ("○", "."),
        Attention::Working => ("●", "*"),
        Attention::NeedsYou => ("◐", "!"),
        Attention::InReview => ("◇", "?"),
        Attention::ReadyToLand => ("▲", "^"),
        Attention::Done if status.state == "landed" => ("✓", "="),
        Attention::Done => ("■", "#"),
    };
    let mark = if glyphs() { glyph } else { ascii };
    let until = status
        .until
        .map(|until| format!(" until {}", time::clock(until, Timestamp::now(), &TimeZone::system())));
    let text = format!("{mark} {}{}", status.state, until.unwrap_or_default());
    match status.attention {
        Attention::Backlog | Attention::Done => style::faint(text),
        Attention::Working | Attention::ReadyToLand => style::good(text),
        Attention::NeedsYou => style::warn(text),
        Attention::InReview => style::name(text),
    }
}

/// A check or criterion with its mark.
pub(crate) fn check(state: CheckState) -> String {
    let (glyph, ascii, word) = match state {
        CheckState::Holds => ("✓", "+", "passed"),
        CheckState::Fails => ("✗", "x", "failed"),
        CheckState::Stale => ("~", "~", "stale"),
        CheckState::Unknown => ("·", "-", "not run"),
    };
    let text = format!("{} {word}", if glyphs() { glyph } else { ascii });
    match state {
        CheckState::Holds => style::good(text),
        CheckState::Fails => style::bad(text),
        CheckState::Stale => style::warn(text),
        CheckState::Unknown => style::faint(text),
    }
}

/// A yes or no with its mark, for lists of facts.
pub(crate) fn fact(ok: Option<bool>) -> String {
    match (ok, glyphs()) {
        (Some(true), true) => style::good("✓"),
        (Some(true), false) => style::good("ok"),
        (Some(false), true) => style::bad("✗"),
        (Some(false), false) => style::bad("no"),
        (None, true) => style::warn("!"),
        (None, false) => style::warn("! "),
    }
}
