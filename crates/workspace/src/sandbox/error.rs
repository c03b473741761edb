//! Why a sandbox cannot be built.

use std::io;
use std::path::{Path, PathBuf};

/// Why a sandbox cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The kernel refused a step that concerns no path.
    #[error("cannot {doing}")]
    Step {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The kernel or a file system refused a step.
    #[error("cannot {doing} {}", path.display())]
    At {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An overlay is mounted once at a time: two mounts of one upper folder would damage it.
    #[error("the overlay in {} is mounted by a program that does not share it", .0.display())]
    InUse(PathBuf),
    /// An overlay has no layer, or more than the kernel takes.
    #[error("an overlay cannot have {0} layers")]
    Layers(usize),
}

/// For `map_err` of a step without a path.
pub(super) fn step<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> SandboxError {
    move |error| SandboxError::Step { doing, source: error.into() }
}

/// For `map_err` of a step on a path.
pub(super) fn at<E: Into<io::Error>>(doing: &'static str, path: &Path) -> impl FnOnce(E) -> SandboxError {
    let path = path.to_owned();
    move |error| SandboxError::At { doing, path, source: error.into() }
}
