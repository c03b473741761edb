//! What the engine asks for when a task is added.

use std::path::Path;

use divisi_engine::SettingsSource;
use divisi_model::Refusal;
use divisi_model::task::TaskSettings;

use super::Config;
use crate::dirs::Dirs;
use crate::errors::CommandError;

/// Reads the files anew for each task, so that a change of them counts for the next one.
pub(crate) struct ProjectSettings {
    dirs: Dirs,
}

impl ProjectSettings {
    /// Settings of the person with these folders.
    pub(crate) fn new(dirs: Dirs) -> Self {
        Self { dirs }
    }
}

impl SettingsSource for ProjectSettings {
    fn settings(&self, root: &Path) -> Result<TaskSettings, Refusal> {
        let config = Config::load(&self.dirs, Some(root)).map_err(|error| refusal(&error))?;
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        config.task_settings().map_err(|error| refusal(&error))
    }
}

/// A configuration error as the engine tells it on.
pub(crate) fn refusal(error: &CommandError) -> Refusal {
    let mut message = error.message.clone();
    for cause in &error.causes {
        message.push_str(": ");
        message.push_str(cause);
    }
    Refusal::bad_input(message, error.hint.clone())
}
