//! What the settings routes need of whoever knows the files.

use std::path::PathBuf;

use crate::types::SettingsCheckView;

/// A file with settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsFile {
    /// The person's own.
    User,
    /// That of the project with this top folder.
    Project(PathBuf),
    /// The definition of the agent of this name.
    Agent(String),
    /// What the person chose for the dashboard: look, keys, notifications.
    Dashboard,
}

/// What the person's own settings say about this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingsLimits {
    /// Attempts that work at once.
    pub parallel: u16,
    /// Checks that run at once.
    pub checks_parallel: u16,
}

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Names that no file can have.
    #[error("there is no such file")]
    Unknown,
    /// It was changed by somebody else.
    #[error("the file was changed meanwhile")]
    Changed,
    /// The text cannot be used.
    #[error("{message}")]
    Wrong {
        /// Why, with the line.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// The file could not be read or written.
    #[error("{path} cannot be read or written: {source}")]
    File {
        /// Where it lies.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

/// The files with settings. Only whoever composes the daemon knows where they lie and how they are read.
pub trait SettingsFiles: Send + Sync {
    /// Names of agents that have a file of their own.
    fn agents(&self) -> Vec<String>;

    /// Where a file lies.
    fn path(&self, file: &SettingsFile) -> Result<PathBuf, SettingsError>;

    /// Its text; none where there is no file.
    fn read(&self, file: &SettingsFile) -> Result<Option<String>, SettingsError>;

    /// What is wrong with a text for it.
    fn check(&self, file: &SettingsFile, text: &str) -> SettingsCheckView;

    /// Writes a text that is right, whole or not at all, if the file is still as `before` says: it or none.
    fn write(
        &self,
        file: &SettingsFile,
        text: &str,
        before: &dyn Fn(Option<&str>) -> bool,
    ) -> Result<(), SettingsError>;

    /// What the person's own settings say about this machine.
    fn limits(&self) -> SettingsLimits;
}
