//! Talking to the person: data on standard output, everything else on standard error.

use std::io::{BufRead, IsTerminal, Read, Write};

use serde::Serialize;

use crate::args::Global;
use crate::env_vars;
use crate::errors::{CommandError, Done, output};
use crate::render::style;

/// Longest text that is read from standard input or a file, in bytes; the daemon takes no longer prompt.
const INPUT_BYTES_MAX: u64 = divisi_model::limits::PROMPT_BYTES as u64 + 1;

/// How to talk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ui {
    /// Data as JSON.
    pub(crate) json: bool,
    /// Data as bare handles, and nothing on standard error but errors.
    pub(crate) quiet: bool,
    /// Every question is answered by yes.
    pub(crate) yes: bool,
    /// Progress is shown although nobody may look on.
    looked_at: bool,
}

impl Ui {
    /// As the person asked for.
    pub(crate) fn new(global: &Global) -> Self {
        Self { json: global.json, quiet: global.quiet, yes: global.yes, looked_at: false }
    }

    /// The same, but progress is shown in any case.
    pub(crate) fn looked_at(self) -> Self {
        Self { looked_at: true, ..self }
    }

    /// Whether a person reads at a terminal what is said.
    pub(crate) fn at_terminal(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// Writes data, in one go: what takes the colours away piece by piece would also write piece by piece.
    pub(crate) fn data(&self, text: &str) -> Done {
        let is_plain = anstream::stdout().current_choice() == anstream::ColorChoice::Never;
        let plain = is_plain.then(|| anstream::adapter::strip_str(text).to_string());
        let text = plain.as_deref().unwrap_or(text);
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| output(&error))
    }

    /// Writes data as it is, for logs: bytes of a program, cleaned only where a person sees them.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Done {
        if std::io::stdout().is_terminal() {
            return self.data(&crate::render::clean::text(&String::from_utf8_lossy(bytes)));
        }
        let mut out = std::io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| output(&error))
    }

    /// Writes data in one of its three forms.
    pub(crate) fn show<T: Serialize>(
        &self,
        value: &T,
        ids: impl FnOnce() -> String,
        text: impl FnOnce() -> String,
    ) -> Done {
        if self.json {
            return self.json(&serde_json::to_string_pretty(value).unwrap_or_default());
        }
        if self.quiet { self.data(&ids()) } else { self.data(&text()) }
    }

    /// Writes one value as a line of JSON.
    pub(crate) fn json_line<T: Serialize>(&self, value: &T) -> Done {
        self.json(&serde_json::to_string(value).unwrap_or_default())
    }

    /// JSON escapes most control characters, but not all that a terminal may obey.
    fn json(&self, json: &str) -> Done {
        if std::io::stdout().is_terminal() {
            return self.data(&format!("{}\n", crate::render::clean::text(json)));
        }
        self.data(&format!("{json}\n"))
    }

    /// Says something that is not data.
    pub(crate) fn say(&self, text: impl AsRef<str>) {
        if !self.quiet {
            self.stderr(text.as_ref());
        }
    }

    /// Says something only to a person who looks on.
    pub(crate) fn progress(&self, text: impl AsRef<str>) {
        if !self.quiet && (self.looked_at || std::io::stderr().is_terminal()) {
            self.stderr(text.as_ref());
        }
    }

    /// Warns.
    pub(crate) fn warn(&self, text: impl AsRef<str>) {
        if !self.quiet {
            self.stderr(&format!("{}: {}", style::warn("warning"), text.as_ref()));
        }
    }

    /// Says why the command failed.
    pub(crate) fn error(&self, error: &CommandError) {
        self.stderr(&error.show(self.json));
    }

    /// Asks a person at the terminal for a yes. In a script the call itself is the yes.
    pub(crate) fn confirm(&self, question: &str) -> Done {
        if self.yes || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Ok(());
        }
        let mut err = anstream::stderr().lock();
        let _ = write!(err, "{question} [y/N] ").and_then(|()| err.flush());
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        read.map_err(|error| CommandError::failed("cannot read the answer", "").because(&error))?;
        match line.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(CommandError::failed("nothing was done", "")),
        }
    }

    /// How many columns the terminal has; none where output goes elsewhere.
    pub(crate) fn width(&self) -> Option<usize> {
        if !std::io::stdout().is_terminal() {
            return None;
        }
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
        let asked = size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
        asked.or_else(|| env_vars::text(env_vars::COLUMNS)?.parse().ok())
    }

    fn stderr(&self, text: &str) {
        // Nothing better can be done when even standard error is gone.
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }
}

/// Everything on standard input.
pub(crate) fn read_stdin() -> Done<String> {
    read_text(std::io::stdin().lock(), "standard input")
}

/// A text of bounded length.
pub(crate) fn read_text(from: impl Read, what: &str) -> Done<String> {
    let mut bytes = Vec::new();
    let read = from.take(INPUT_BYTES_MAX).read_to_end(&mut bytes);
    read.map_err(|error| CommandError::failed(format!("cannot read {what}"), "").because(&error))?;
    String::from_utf8(bytes).map_err(|_| CommandError::usage(format!("{what} is not text in UTF-8"), ""))
}
