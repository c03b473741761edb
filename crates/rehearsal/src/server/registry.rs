//! Scripts under a name: from a folder, or put there over HTTP; and which of them a conversation follows.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::script::{Part, Script, ScriptError, Source, default_script, source_in};

/// Most scripts registered over HTTP.
const SCRIPTS_MAX: usize = 1000;

/// Named scripts.
#[derive(Debug, Default)]
pub struct Registry {
    folder: Option<PathBuf>,
    put: Mutex<HashMap<String, String>>,
}

impl Registry {
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, put: Mutex::default() }
    }

    /// Registers a script, which has to be right.
    pub fn put(&self, name: &str, text: &str) -> Result<(), String> {
        Script::parse(text).map_err(|error| error.to_string())?;
        let mut put = self.put.lock().unwrap_or_else(PoisonError::into_inner);
        if put.len() >= SCRIPTS_MAX && !put.contains_key(name) {
            return Err(format!("There are {SCRIPTS_MAX} scripts already."));
        }
        put.insert(name.to_owned(), text.to_owned());
        Ok(())
    }

    /// A registered script's text.
    pub fn get(&self, name: &str) -> Option<String> {
        let put = self.put.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        let safe = !name.is_empty() && !name.starts_with('.') && !name.contains('/');
        let file =
            || self.folder.as_ref().filter(|_| safe).map(|folder| folder.join(format!("{name}.rehearsal")));
        put.or_else(|| std::fs::read_to_string(file()?).ok())
    }

    /// The script that these prompts are played from, at its present turn.
    pub fn follow(&self, prompts: &[String]) -> Result<Part, ScriptError> {
        let mut part: Option<(String, Part)> = None;
        for prompt in prompts {
            if let Some(text) = self.script_in(prompt)?
                && part.as_ref().is_none_or(|(before, _)| *before != text)
            {
                let script = Script::parse(&text)?;
                part = Some((text, Part::new(script)));
            }
            if let Some((_, part)) = &mut part {
                part.take(prompt);
            }
        }
        match part {
            Some((_, part)) => Ok(part),
            None => {
                let prompt = prompts.last().map(String::as_str).unwrap_or_default();
                let mut part = Part::new(default_script(prompt)?);
                part.take(prompt);
                Ok(part)
            }
        }
    }

    fn script_in(&self, prompt: &str) -> Result<Option<String>, ScriptError> {
        match source_in(prompt)? {
            Some(Source::Here(text)) => Ok(Some(text)),
            Some(Source::Named(name)) => match self.get(&name) {
                Some(text) => Ok(Some(text)),
                None => {
                    let hint = "put it at /scripts/NAME or into the folder given with --scripts".to_owned();
                    Err(ScriptError::UnknownName { name, hint })
                }
            },
            None => Ok(None),
        }
    }
}
