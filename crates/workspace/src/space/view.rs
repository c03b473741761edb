//! The files of a workspace where they can be written, as its agent would.
//!
//! What Divisi writes into an overlay passes through the mount, like everything else: through one that is shared with
//! whoever works in the workspace, or one that is made for the moment. Reading needs neither (see [`crate::seen`]).

use std::io;
use std::path::PathBuf;

use super::record::Workspace;
use crate::sandbox::{Holder, SandboxError};

/// The top folder of a workspace for as long as this lives.
#[derive(Debug)]
pub(crate) enum Writable {
    /// A plain checkout.
    Plain(PathBuf),
    /// An overlay.
    Held(Holder),
}

impl Writable {
    /// Where it can be opened.
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Self::Plain(path) => path.clone(),
            Self::Held(holder) => holder.view(),
        }
    }
}

impl Workspace {
    /// Opens the workspace for writing.
    pub(crate) fn writable(&self) -> io::Result<Writable> {
        Ok(self.held()?.map_or_else(|| Writable::Plain(self.path()), Writable::Held))
    }

    /// An overlay, mounted; nothing for a plain checkout. `ResourceBusy` if somebody has it mounted alone.
    pub(super) fn held(&self) -> io::Result<Option<Holder>> {
        let held = self.overlay().map(|overlay| Holder::share(&overlay)).transpose();
        held.map_err(|error| match error {
            SandboxError::InUse(_) => io::Error::new(io::ErrorKind::ResourceBusy, error),
            error => io::Error::other(error),
        })
    }
}
