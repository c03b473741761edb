//! Where a prompt's script comes from: the prompt, a named file, or the command line.

use std::path::{Path, PathBuf};

use crate::script::{Script, ScriptError, Source, default_script, source_in};

use super::Options;

/// The scripts this agent was started with.
#[derive(Debug, Clone)]
pub struct Scripts {
    given: Option<(String, Script)>,
    folder: Option<PathBuf>,
}

/// Why a script is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum ScriptsError {
    /// A script file cannot be read.
    #[error("The script {path} cannot be read: {source}.")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A script file is wrong.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        source: ScriptError,
    },
    /// The script in a prompt is wrong.
    #[error(transparent)]
    Prompt(#[from] ScriptError),
}

/// A script, and the text that tells it from others.
pub enum Found {
    /// The prompt holds or names this one.
    New(String, Script),
    /// The prompt says nothing: whatever was played before goes on, and this is played if nothing was.
    Fallback(Option<(String, Script)>),
}

impl Scripts {
    pub fn from_options(options: &Options) -> Result<Self, ScriptsError> {
        let given = options.script.as_deref().map(read).transpose()?;
        Ok(Self { given, folder: options.scripts.clone() })
    }

    /// The script for a prompt.
    pub fn find(&self, prompt: &str) -> Result<Found, ScriptsError> {
        match source_in(prompt)? {
            Some(Source::Here(text)) => {
                let script = Script::parse(&text)?;
                Ok(Found::New(text, script))
            }
            Some(Source::Named(name)) => {
                let Some(folder) = &self.folder else {
                    // Without a folder of scripts the words mean nothing special.
                    return Ok(Found::Fallback(self.given.clone()));
                };
                let path = folder.join(format!("{name}.rehearsal"));
                if !path.is_file() {
                    let hint = format!("put it into {}", path.display());
                    return Err(ScriptError::UnknownName { name, hint }.into());
                }
                let (text, script) = read(&path)?;
                Ok(Found::New(text, script))
            }
            None => Ok(Found::Fallback(self.given.clone())),
        }
    }
}

/// The script played where there is no other.
pub fn fallback(prompt: &str) -> Result<Script, ScriptsError> {
    Ok(default_script(prompt)?)
}

/// Reads a file that is a script, or that holds one in a block.
fn read(path: &Path) -> Result<(String, Script), ScriptsError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ScriptsError::Read { path: path.into(), source })?;
    let file = |source| ScriptsError::File { path: path.into(), source };
    let text = match source_in(&text).map_err(file)? {
        Some(Source::Here(block)) => block,
        _ => text,
    };
    let script = Script::parse(&text).map_err(file)?;
    Ok((text, script))
}
