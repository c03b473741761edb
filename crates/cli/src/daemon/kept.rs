//! What the daemon keeps of browsers from one run to the next.

use std::io::ErrorKind;
use std::path::PathBuf;

use crate::dirs;

/// A file that only its owner can read.
pub(super) struct KeptFile(pub(super) PathBuf);

impl KeptFile {
    fn read(&self) -> std::io::Result<Option<Vec<u8>>> {
        match std::fs::read(&self.0) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl divisi_api::Keep for KeptFile {
    fn load(&self) -> std::io::Result<Option<Vec<u8>>> {
        self.read()
    }

    fn save(&self, bytes: &[u8]) -> std::io::Result<()> {
        dirs::write_private(&self.0, bytes)
    }
}

impl divisi_integrations::push::Keep for KeptFile {
    fn load(&self) -> std::io::Result<Option<Vec<u8>>> {
        self.read()
    }

    fn save(&self, bytes: &[u8]) -> std::io::Result<()> {
        dirs::write_private(&self.0, bytes)
    }
}
