//! Colours by meaning. They are written always and taken out again by the stream where nobody would see them.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// What went well.
pub(crate) fn good(text: impl Display) -> String {
    paint(AnsiColor::Green.on_default(), text)
}

/// What wants attention.
pub(crate) fn warn(text: impl Display) -> String {
    paint(AnsiColor::Yellow.on_default(), text)
}

/// What went wrong.
pub(crate) fn bad(text: impl Display) -> String {
    paint(AnsiColor::Red.on_default().bold(), text)
}

/// What is worth noticing.
pub(crate) fn strong(text: impl Display) -> String {
    paint(Style::new().bold(), text)
}

/// What is only there to be complete.
pub(crate) fn faint(text: impl Display) -> String {
    paint(Style::new().dimmed(), text)
}

/// Handles and paths.
pub(crate) fn name(text: impl Display) -> String {
    paint(AnsiColor::Cyan.on_default(), text)
}

/// What a camera shall read: dark on light, whatever the colours of the terminal are.
pub(crate) fn dark_on_light(text: impl Display) -> String {
    paint(AnsiColor::Black.on(AnsiColor::BrightWhite), text)
}

fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}
