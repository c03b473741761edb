//! Writing objects: one `fast-import` process takes blobs and commits as a stream.
//!
//! Why not `add`, `hash-object` or an index: fast-import never opens a file of the workspace, knows no attributes
//! and no filters, so nothing in the workspace can decide what is recorded; and it is one process however many
//! files changed.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::ChildStdin;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use super::call::LONG_TIMEOUT;
use super::{Git, GitError, Running};
use crate::git_box::Confine;
use crate::ids::{BlobId, CommitId, RepoPath, Signature};

const COMMAND: &str = "fast-import";
/// Names of blobs that may wait to be taken. More are taken whenever as many are open, so nobody waits for ever.
const ANSWERS_AHEAD: usize = 4096;

/// A blob that was handed over; its name is known when [`FastImport::names`] was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(usize);

/// The names of all blobs handed over so far.
#[derive(Debug)]
pub(crate) struct Names(Vec<BlobId>);

impl Names {
    /// The name of one of them.
    pub(crate) fn of(&self, ticket: Ticket) -> Result<&BlobId, GitError> {
        self.0.get(ticket.0).ok_or_else(|| GitError::unexpected(COMMAND, "a name for each blob"))
    }
}

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
    answers: Receiver<String>,
    reader: Option<JoinHandle<()>>,
    marks: u32,
    /// Names of blobs that were answered, and how many are still to come.
    named: Vec<BlobId>,
    open: usize,
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
        let stdout = running.take_stdout().ok_or_else(missing)?;
        let (send, answers) = sync_channel(ANSWERS_AHEAD);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                let Ok(line) = line else { return };
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        let reader = Some(reader);
        Ok(Self { running: Some(running), say, answers, reader, marks: 0, named: Vec::new(), open: 0 })
    }

    /// Stores the bytes. Nobody waits for git here, so many small files go over at the speed of the pipe.
    pub(crate) fn blob(&mut self, bytes: &[u8]) -> Result<Ticket, GitError> {
        let mark = self.next_mark();
        self.put(format!("blob\nmark :{mark}\ndata {}\n", bytes.len()).as_bytes())?;
        self.put(bytes)?;
        self.blob_done(mark)
    }

    /// Stores exactly `size` bytes of `from`. If it gives fewer, the rest is filled with zeros so that the stream
    /// stays whole, and the answer is nothing: the file changed while it was read.
    pub(crate) fn blob_from(&mut self, from: &mut dyn Read, size: u64) -> Result<Option<Ticket>, GitError> {
        let mark = self.next_mark();
        self.put(format!("blob\nmark :{mark}\ndata {size}\n").as_bytes())?;
        let mut chunk = vec![0u8; usize::try_from(size).unwrap_or(usize::MAX).clamp(1, 1 << 16)];
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
        let ticket = self.blob_done(mark)?;
        Ok(whole.then_some(ticket))
    }

    /// Waits for the names of all blobs so far.
    pub(crate) fn names(&mut self) -> Result<Names, GitError> {
        self.collect()?;
        Ok(Names(self.named.clone()))
    }

    fn blob_done(&mut self, mark: u32) -> Result<Ticket, GitError> {
        self.put(format!("\nget-mark :{mark}\n").as_bytes())?;
        self.open += 1;
        let ticket = Ticket(self.named.len() + self.open - 1);
        if self.open >= ANSWERS_AHEAD {
            self.collect()?;
        }
        Ok(ticket)
    }

    fn collect(&mut self) -> Result<(), GitError> {
        while self.open > 0 {
            let name = self.answer_name()?;
            self.named.push(name);
            self.open -= 1;
        }
        Ok(())
    }

    /// Records a commit whose tree is the first parent's with `changes` applied in order; gives it and its mark.
    pub(crate) fn commit<'a>(
        &mut self,
        new: &NewCommit<'_>,
        parent: Parent<'_>,
        changes: impl Iterator<Item = Change<'a>>,
    ) -> Result<(Mark, CommitId), GitError> {
        self.collect()?;
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
        self.collect()?;
        self.put(b"done\n")?;
        self.flush()?;
        drop(self.say);
        drop(self.answers);
        drop(self.reader.map(JoinHandle::join));
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
        self.say.write_all(bytes).map_err(|source| self.broken(source))
    }

    fn flush(&mut self) -> Result<(), GitError> {
        self.say.flush().map_err(|source| self.broken(source))
    }

    fn answer_name(&mut self) -> Result<BlobId, GitError> {
        self.flush()?;
        match self.answers.recv() {
            Ok(line) => {
                BlobId::parse(line.trim_end()).map_err(|e| GitError::unexpected(COMMAND, e.to_string()))
            }
            Err(_) => Err(self.broken(io::ErrorKind::UnexpectedEof.into())),
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
