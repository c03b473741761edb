//! A launch as the stages see it, wherever it runs.

use std::io;

use divisi_workspace::launch::{self, Exit, Followed, RequestError, Status};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use crate::logs::end_of;

/// A launch that was started or taken up. Letting go of it ends nothing.
pub trait Launch: Send + Sync {
    /// Where it stands.
    fn status(&self) -> Status;
    /// Gives bytes to its standard input as what follows the first `offset` bytes ever written, exactly once.
    fn write<'a>(&'a self, offset: u64, bytes: &'a [u8]) -> BoxFuture<'a, Result<u64, RequestError>>;
    /// Ends its standard input after the first `offset` bytes ever written.
    fn close_stdin(&self, offset: u64) -> BoxFuture<'_, Result<(), RequestError>>;
    /// Asks everything of it to end, and ends what does not in time.
    fn terminate(&self) -> BoxFuture<'_, Result<(), RequestError>>;
    /// Waits until everything is gone and all output is in the journal.
    fn wait(&self) -> BoxFuture<'_, Exit>;
    /// Follows its standard output from a byte of the journal on.
    fn follow(&self, from: u64) -> io::Result<Box<dyn Output>>;
    /// Everything that was ever written to its standard input.
    fn load_stdin(&self) -> io::Result<Vec<u8>>;
    /// The end of its standard error.
    fn errors(&self, bytes: u64) -> String;
}

/// Yields standard output from an offset on, and then the exit.
pub trait Output: Send {
    /// The offset of the next byte.
    fn offset(&self) -> u64;
    /// Waits for more. May be dropped while it waits; nothing is skipped.
    fn next(&mut self) -> BoxFuture<'_, io::Result<Followed>>;
}

impl Launch for launch::Launch {
    fn status(&self) -> Status {
        self.status()
    }

    fn write<'a>(&'a self, offset: u64, bytes: &'a [u8]) -> BoxFuture<'a, Result<u64, RequestError>> {
        self.write(offset, bytes).boxed()
    }

    fn close_stdin(&self, offset: u64) -> BoxFuture<'_, Result<(), RequestError>> {
        self.close_stdin(offset).boxed()
    }

    fn terminate(&self) -> BoxFuture<'_, Result<(), RequestError>> {
        self.terminate(None).boxed()
    }

    fn wait(&self) -> BoxFuture<'_, Exit> {
        self.wait().boxed()
    }

    fn follow(&self, from: u64) -> io::Result<Box<dyn Output>> {
        Ok(Box::new(self.follow(from)?))
    }

    fn load_stdin(&self) -> io::Result<Vec<u8>> {
        self.load_stdin()
    }

    fn errors(&self, bytes: u64) -> String {
        let end = end_of(&self.dir().join(launch::ERR_LOG), bytes).unwrap_or_default();
        String::from_utf8_lossy(&end).into_owned()
    }
}

impl Output for launch::Follower {
    fn offset(&self) -> u64 {
        self.offset()
    }

    fn next(&mut self) -> BoxFuture<'_, io::Result<Followed>> {
        self.next().boxed()
    }
}
