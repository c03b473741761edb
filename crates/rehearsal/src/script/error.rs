//! What can be wrong with a script.

use thiserror::Error;

/// Why a script cannot be performed. The text is one sentence for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScriptError {
    /// A line that cannot be understood.
    #[error("Script line {line}: {what}")]
    Line {
        /// Line of the script, from 1.
        line: usize,
        /// What is wrong and what was expected.
        what: String,
    },
    /// A block without its end.
    #[error("The rehearsal block that opens on line {line} of the prompt has no closing fence.")]
    OpenFence {
        /// Line of the prompt, from 1.
        line: usize,
    },
    /// A prompt names a script that nobody has.
    #[error("There is no script named “{name}”; {hint}.")]
    UnknownName {
        /// The name in the prompt.
        name: String,
        /// What to do about it.
        hint: String,
    },
    /// Scripts have a bound.
    #[error("The script is longer than {limit} bytes.")]
    TooLong {
        /// The bound in bytes.
        limit: usize,
    },
}

impl ScriptError {
    pub(crate) fn at(line: usize, what: impl Into<String>) -> Self {
        Self::Line { line, what: what.into() }
    }
}
