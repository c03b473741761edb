//! Why an export was not imported. Nothing was changed then.

use std::io;
use std::path::PathBuf;

use divisi_model::{Refusal, RefusalKind};
use divisi_store::StoreError;
use divisi_workspace::{GitError, HubError, WorkspaceError};

use super::copy::ReadError;
use crate::authority::with_sources;

/// Why an export was not imported. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be opened.
    #[error("cannot read {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is something else.
    #[error("{} is not an export of Divisi", .0.display())]
    NotAnExport(PathBuf),
    /// A newer program made it.
    #[error("the export has form {form} and was made by Divisi {made_by}; this is Divisi {}", env!("CARGO_PKG_VERSION"))]
    Newer {
        /// Its form.
        form: u32,
        /// The version that made it.
        made_by: String,
    },
    /// It ends too early.
    #[error("the export is cut off: its end is missing")]
    Cut,
    /// Its bytes are not those that were written.
    #[error("the export is damaged: {0}")]
    Damaged(String),
    /// It holds what no export holds.
    #[error("the export holds what Divisi never writes: {0}")]
    Foreign(String),
    /// The log in it contradicts itself.
    #[error("the log in the export is not sound: {0}")]
    Unsound(String),
    /// There is something in the data folder.
    #[error("this Divisi is in use already: {what}")]
    NotEmpty {
        /// What is there.
        what: String,
    },
    /// The disk is full.
    #[error("there is no room in {}", .0.display())]
    NoSpace(PathBuf),
    /// A file or folder.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The new log could not be written.
    #[error("the log cannot be written")]
    Log(#[source] StoreError),
    /// The objects of a project could not be taken in.
    #[error("the git objects of {project} cannot be taken in")]
    Hub {
        /// The project's name.
        project: String,
        /// Why.
        #[source]
        source: HubError,
    },
    /// What is remembered of a workspace could not be taken in.
    #[error("what is remembered of a workspace cannot be taken in")]
    Workspace(#[source] WorkspaceError),
    /// Git cannot be used.
    #[error("cannot use git")]
    Git(#[from] GitError),
    /// `--repository` names a project that is not in the export.
    #[error("the export has no project {name:?}")]
    NoProject {
        /// What was named.
        name: String,
        /// The paths of those that are there.
        known: Vec<String>,
    },
    /// `--repository` names a folder that is no clone of the project.
    #[error("{} is not a clone of {project}", path.display())]
    NotAClone {
        /// The folder.
        path: PathBuf,
        /// The project's name.
        project: String,
        /// What is wrong with it.
        why: String,
    },
}

impl ImportError {
    /// As a refusal: a kind, one sentence with its causes, and what to do.
    pub fn refusal(&self) -> Refusal {
        let message = match self {
            Self::NotAClone { why, .. } => format!("{self}: {why}"),
            _ => with_sources(self),
        };
        Refusal { kind: self.kind(), message, hint: self.hint() }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::Open { source, .. } if source.kind() == io::ErrorKind::NotFound => RefusalKind::NotFound,
            Self::NoProject { .. } => RefusalKind::NotFound,
            Self::NotEmpty { .. } => RefusalKind::WrongState,
            Self::Open { .. }
            | Self::NotAnExport(_)
            | Self::Newer { .. }
            | Self::Cut
            | Self::Damaged(_)
            | Self::Foreign(_)
            | Self::Unsound(_)
            | Self::NotAClone { .. } => RefusalKind::BadInput,
            Self::NoSpace(_)
            | Self::Io { .. }
            | Self::Log(_)
            | Self::Hub { .. }
            | Self::Workspace(_)
            | Self::Git(_) => RefusalKind::Internal,
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Open { .. } => "name a file that you can read".to_owned(),
            Self::NotAnExport(_) => "divisi export FILE makes one".to_owned(),
            Self::Newer { made_by, .. } => format!("install Divisi {made_by} or newer here"),
            Self::Cut | Self::Damaged(_) => {
                "copy the file again, or make a new export; nothing was changed here".to_owned()
            }
            Self::Foreign(_) | Self::Unsound(_) => {
                "import only what `divisi export` made; nothing was changed here".to_owned()
            }
            Self::NotEmpty { .. } => {
                "an export becomes a whole Divisi of its own: DIVISI_HOME=/new/folder divisi import FILE".to_owned()
            }
            Self::NoSpace(_) => {
                "free some space, or choose another disk by DIVISI_HOME; nothing was changed here".to_owned()
            }
            Self::Io { .. } => "check that the folder belongs to you and can be written".to_owned(),
            Self::Log(error) => error.hint().to_owned(),
            Self::Hub { .. } | Self::Workspace(_) => "nothing was changed here; make a new export".to_owned(),
            Self::Git(_) => "install git 2.38 or newer, or put it into PATH".to_owned(),
            Self::NoProject { known, .. } => format!("it has {}", known.join(", ")),
            Self::NotAClone { .. } => {
                "clone the project, then name it: --repository OLD=NEW; or leave that to `divisi init` in the clone"
                    .to_owned()
            }
        }
    }

    /// Wraps what the system said about a path.
    pub(super) fn io(doing: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull => Self::NoSpace(path),
            _ => Self::Io { doing, path, source },
        }
    }
}

impl From<ReadError<Self>> for ImportError {
    fn from(error: ReadError<Self>) -> Self {
        match error {
            // Told apart by whoever knows the file's name.
            ReadError::NotAnArchive => Self::NotAnExport(PathBuf::new()),
            ReadError::Cut => Self::Cut,
            ReadError::Damaged(error) => Self::Damaged(error.to_string()),
            ReadError::NotAFile(name) => Self::Foreign(format!("{}, which is no plain file", shown(&name))),
            ReadError::Trailing => Self::Foreign("something behind its end".to_owned()),
            ReadError::Io(source) => Self::Open { path: PathBuf::new(), source },
            ReadError::Refused(error) => error,
        }
    }
}

/// A name out of a file that anybody may have made, for people.
pub(super) fn shown(name: &str) -> String {
    let short: String = name.chars().take(100).collect();
    format!("{short:?}")
}
