//! Reading a journal while it grows.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use tokio::sync::watch;

use super::dir;
use super::exit::Exit;
use super::handle::Launch;
use super::link::{LinkState, View};

/// Most bytes yielded at once.
const READ_BYTES: usize = 128 << 10;

/// Yields standard output from an offset on, and then the exit. Waits for notices of the shim, never by looking.
pub struct Follower {
    /// Keeps the connection, and with it the notices.
    _launch: Launch,
    journal: Arc<File>,
    view: watch::Receiver<View>,
    offset: u64,
}

/// What came next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// Bytes of the journal, beginning at `offset`.
    Bytes {
        /// Where they stand in the journal.
        offset: u64,
        /// At least one.
        bytes: Vec<u8>,
    },
    /// All bytes were yielded, and no more will come.
    Ended(Exit),
}

impl Follower {
    pub(super) fn new(launch: Launch, view: watch::Receiver<View>, offset: u64) -> io::Result<Follower> {
        let journal = match File::open(launch.dir().join(dir::OUT_JOURNAL)) {
            // A launch that could not even begin has no output.
            Err(error) if error.kind() == io::ErrorKind::NotFound => File::open("/dev/null")?,
            opened => opened?,
        };
        Ok(Follower { _launch: launch, journal: Arc::new(journal), view, offset })
    }

    /// The offset of the next byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Waits for more. May be dropped while it waits; nothing is skipped.
    pub async fn next(&mut self) -> io::Result<Followed> {
        loop {
            // Looked at before reading: what was written before the end is then read before it is told.
            let exit = match &self.view.borrow_and_update().link {
                LinkState::Ended(exit) => Some(exit.clone()),
                _ => None,
            };
            let bytes = self.read().await?;
            if !bytes.is_empty() {
                let offset = self.offset;
                self.offset += bytes.len() as u64;
                return Ok(Followed::Bytes { offset, bytes });
            }
            if let Some(exit) = exit {
                return Ok(Followed::Ended(exit));
            }
            self.view.changed().await.map_err(|_| io::Error::other("the connection was given up"))?;
        }
    }

    /// [`Follower::next`] for a thread that may block; `runtime` is the one the launch was attached in.
    pub fn next_blocking(&mut self, runtime: &tokio::runtime::Handle) -> io::Result<Followed> {
        runtime.block_on(self.next())
    }

    async fn read(&self) -> io::Result<Vec<u8>> {
        let (journal, offset) = (Arc::clone(&self.journal), self.offset);
        let waiting = journal.metadata()?.len().saturating_sub(offset);
        if waiting == 0 {
            return Ok(Vec::new());
        }
        let read = move || {
            let mut bytes = vec![0; READ_BYTES.min(waiting as usize)];
            let read = journal.read_at(&mut bytes, offset)?;
            bytes.truncate(read);
            Ok(bytes)
        };
        if waiting <= READ_BYTES as u64 {
            // Just written, so it is in memory.
            return read();
        }
        tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
    }
}
