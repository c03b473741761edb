//! Writing objects: one `fast-import` process takes blobs and commits as a stream.
//!
//! Why not `add`, `hash-object` or an index: fast-import never opens a file of the workspace, knows no attributes
//! and no filters, so nothing in the workspace can decide what is recorded; and it is one process however many
//! files changed.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout};

use super::call::LONG_TIMEOUT;
use super::{Git, GitError, Running};
use crate::git_box::Confine;
use crate::ids::{BlobId, CommitId, RepoPath, Signature};

const COMMAND: &str = "fast-import";

/// A commit of the open stream that later commands may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(u32);

/// One line of a commit's change against its first parent.
#[derive(Debug)]
pub(crate) enum Change<'a> {
    /// Put this entry there; `mode` is git's octal text.
    Put { mode: &'a str, oid: &'a str, path: &'a RepoPath },
    /// Remove what is there.
    Remove { path: &'a RepoPath },
}

/// A commit in the making.
#[derive(Debug)]
pub(crate) struct NewCommit<'a> {
    /// A ref that the stream leaves on it. It is meant to be temporary: see [`crate::hub::Hub`].
    pub(crate) on_ref: &'a str,
    pub(crate) author: &'a Signature,
    pub(crate) committer: &'a Signature,
    pub(crate) message: &'a str,
}

/// Where a commit starts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Parent<'a> {
    Commit(&'a CommitId),
    Earlier(Mark),
    None,
}

/// An open stream into one repository.
#[derive(Debug)]
pub(crate) struct FastImport {
    running: Option<Running>,
    say: io::BufWriter<ChildStdin>,
    answer: BufReader<ChildStdout>,
    marks: u32,
}

impl FastImport {
    /// Opens one; it may write in the repository's git directory only.
    pub(crate) fn open(git: &Git, git_dir: &Path) -> Result<Self, GitError> {
        let mut running = git
            .call(git_dir)
            // Small imports become loose objects, large ones a pack of their own.
            .config("fastimport.unpackLimit", "100")
            .args(["fast-import", "--quiet", "--done", "--force", "--date-format=raw"])
            .timeout(LONG_TIMEOUT)
            .confine(Confine::writing([git_dir]))
            .start()?;
        let missing = || GitError::unexpected(COMMAND, "a pipe");
        let say = io::BufWriter::with_capacity(1 << 16, running.take_stdin().ok_or_else(missing)?);
        let answer = BufReader::new(running.take_stdout().ok_or_else(missing)?);
        Ok(Self { running: Some(running), say, answer, marks: 0 })
    }

    /// Stores the bytes and gives their name.
    pub(crate) fn blob(&mut self, bytes: &[u8]) -> Result<BlobId, GitError> {
        let mark = self.next_mark();
        self.put(format!("blob\nmark :{mark}\ndata {}\n", bytes.len()).as_bytes())?;
        self.put(bytes)?;
        self.put(format!("\nget-mark :{mark}\n").as_bytes())?;
        self.answer_name()
    }

    /// Stores exactly `size` bytes of `from`. If it gives fewer, the rest is filled with zeros so that the stream
    /// stays whole, and the answer is nothing: the file changed while it was read.
    pub(crate) fn blob_from(&mut self, from: &mut dyn Read, size: u64) -> Result<Option<BlobId>, GitError> {
        let mark = self.next_mark();
        self.put(format!("blob\nmark :{mark}\ndata {size}\n").as_bytes())?;
        let mut chunk = vec![0u8; 1 << 16];
        let (mut left, mut whole) = (size, true);
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
            let got = if whole { from.read(&mut chunk[..want]).unwrap_or(0) } else { 0 };
            if got == 0 {
                whole = false;
                chunk[..want].fill(0);
            }
            let n = if got == 0 { want } else { got };
            self.put(&chunk[..n])?;
            left -= n as u64;
        }
        self.put(format!("\nget-mark :{mark}\n").as_bytes())?;
        let name = self.answer_name()?;
        Ok(whole.then_some(name))
    }

    /// Records a commit whose tree is the first parent's with `changes` applied in order; gives it and its mark.
    pub(crate) fn commit<'a>(
        &mut self,
        new: &NewCommit<'_>,
        parent: Parent<'_>,
        changes: impl Iterator<Item = Change<'a>>,
    ) -> Result<(Mark, CommitId), GitError> {
        let mark = self.next_mark();
        let message = new.message.as_bytes();
        let head = format!(
            "commit {}\nmark :{mark}\nauthor {}\ncommitter {}\ndata {}\n",
            new.on_ref,
            new.author.line(),
            new.committer.line(),
            message.len()
        );
        self.put(head.as_bytes())?;
        self.put(message)?;
        self.put(b"\n")?;
        match parent {
            Parent::Commit(id) => self.put(format!("from {id}\n").as_bytes())?,
            Parent::Earlier(mark) => self.put(format!("from :{}\n", mark.0).as_bytes())?,
            Parent::None => self.put(b"deleteall\n")?,
        }
        for change in changes {
            match change {
                Change::Remove { path } => self.put(format!("D {}\n", path.quoted()).as_bytes())?,
                Change::Put { mode, oid, path } => {
                    self.put(format!("M {mode} {oid} {}\n", path.quoted()).as_bytes())?;
                }
            }
        }
        self.put(format!("\nget-mark :{mark}\n").as_bytes())?;
        let name = self.answer_name()?;
        let name =
            CommitId::parse(name.as_str()).map_err(|e| GitError::unexpected(COMMAND, e.to_string()))?;
        Ok((Mark(mark), name))
    }

    /// Ends the stream; everything is in the repository afterwards.
    pub(crate) fn finish(mut self) -> Result<(), GitError> {
        self.put(b"done\n")?;
        self.flush()?;
        drop(self.say);
        let mut rest = Vec::new();
        let _ = self.answer.read_to_end(&mut rest);
        match self.running {
            Some(running) => running.finish()?.expect_success(COMMAND.into()),
            None => Err(GitError::unexpected(COMMAND, "a stream that is still open")),
        }
    }

    fn next_mark(&mut self) -> u32 {
        self.marks += 1;
        self.marks
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), GitError> {
        self.say.write_all(bytes).or_else(|source| Err(self.broken(source)))
    }

    fn flush(&mut self) -> Result<(), GitError> {
        self.say.flush().or_else(|source| Err(self.broken(source)))
    }

    fn answer_name(&mut self) -> Result<BlobId, GitError> {
        self.flush()?;
        let mut line = String::new();
        match self.answer.read_line(&mut line) {
            Ok(0) => Err(self.broken(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => BlobId::parse(line.trim_end()).map_err(|e| GitError::unexpected(COMMAND, e.to_string())),
            Err(source) => Err(self.broken(source)),
        }
    }

    /// The process has gone: what it said on leaving is the better message.
    fn broken(&mut self, source: io::Error) -> GitError {
        let ended = self.running.take().map(Running::finish);
        match ended {
            Some(Ok(ended)) => match ended.expect_success(COMMAND.into()) {
                Err(error) => error,
                Ok(()) => GitError::Pipe { command: COMMAND.into(), source },
            },
            Some(Err(error)) => error,
            None => GitError::Pipe { command: COMMAND.into(), source },
        }
    }
}
