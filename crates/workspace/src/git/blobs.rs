//! Reading many blobs fast: they are asked for in portions, and git answers through a buffer instead of one by one.

use std::io::{BufRead as _, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout};

use super::call::LONG_TIMEOUT;
use super::{Git, GitError, Running};
use crate::git_box::Confine;

const COMMAND: &str = "cat-file --batch-command";

/// An open conversation with `git cat-file` about blobs.
#[derive(Debug)]
pub(crate) struct Blobs {
    running: Running,
    ask: ChildStdin,
    answer: BufReader<ChildStdout>,
    open: usize,
}

impl Blobs {
    /// Opens one on a repository; it only reads, whatever it is asked.
    pub(crate) fn open(git: &Git, git_dir: &Path) -> Result<Self, GitError> {
        let call = git.call(git_dir).args(["cat-file", "--batch-command", "--buffer"]).timeout(LONG_TIMEOUT);
        let mut running = call.confine(Confine::writing::<_, &Path>([])).start()?;
        let missing = || GitError::unexpected(COMMAND, "a pipe");
        let ask = running.take_stdin().ok_or_else(missing)?;
        let answer = BufReader::with_capacity(1 << 18, running.take_stdout().ok_or_else(missing)?);
        Ok(Self { running, ask, answer, open: 0 })
    }

    /// Asks for blobs, which are then taken in this order by [`Blobs::next`]. All that were asked for before must have
    /// been taken: so git is listening, and neither side waits for the other for ever.
    pub(crate) fn ask<S: AsRef<str>>(&mut self, names: impl IntoIterator<Item = S>) -> Result<(), GitError> {
        if self.open > 0 {
            return Err(GitError::unexpected(COMMAND, "a question after the last answer was taken"));
        }
        let mut text = Vec::new();
        for name in names {
            text.extend_from_slice(b"contents ");
            text.extend_from_slice(name.as_ref().as_bytes());
            text.push(b'\n');
            self.open += 1;
        }
        text.extend_from_slice(b"flush\n");
        self.ask.write_all(&text).map_err(|e| self.lost(e))
    }

    /// Writes the next blob's bytes to `to`; gives its size, or nothing if the repository has no such blob.
    pub(crate) fn next(&mut self, to: &mut dyn Write) -> Result<Option<u64>, GitError> {
        self.open = self.open.saturating_sub(1);
        let mut line = Vec::with_capacity(64);
        self.answer.read_until(b'\n', &mut line).map_err(|e| self.lost(e))?;
        let text = std::str::from_utf8(&line).unwrap_or_default().trim_end();
        if text.ends_with(" missing") {
            return Ok(None);
        }
        let size = text.split_once(" blob ").and_then(|(_, size)| size.parse::<u64>().ok());
        let bad = || GitError::unexpected(COMMAND, format!("a blob in {text:?}"));
        let size = size.ok_or_else(bad)?;
        let mut left = size;
        while left > 0 {
            let piece = self.answer.fill_buf().map_err(|e| lost(&self.running.command, e))?;
            let n = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if n == 0 {
                return Err(bad());
            }
            to.write_all(&piece[..n]).map_err(|e| lost(&self.running.command, e))?;
            self.answer.consume(n);
            left -= n as u64;
        }
        self.answer.fill_buf().map_err(|e| lost(&self.running.command, e))?;
        self.answer.consume(1);
        Ok(Some(size))
    }

    fn lost(&self, source: std::io::Error) -> GitError {
        lost(&self.running.command, source)
    }
}

fn lost(command: &str, source: std::io::Error) -> GitError {
    GitError::Pipe { command: command.to_owned(), source }
}
