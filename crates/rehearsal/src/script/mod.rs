//! The script: what it is made of, how its text is read, and which of its turns answers a prompt.
//!
//! Nothing in here performs a step. The form is user documentation: `docs/guides/rehearsal.md`.

mod blocks;
mod choose;
mod error;
mod find;
mod parse;
mod steps;
mod text;
mod types;
mod values;
mod words;

pub use choose::{Part, default_script};
pub use error::ScriptError;
pub use find::{Block, Source, find_block, find_name, source_in};
pub use types::{
    Action, Crash, Fault, FaultKind, Flood, PlanItem, Question, Replacement, Script, Step, Tokens, Turn,
};
