//! Reading objects: one `cat-file --batch` process answers for as many objects as are asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout};

use super::call::LONG_TIMEOUT;
use super::{Git, GitError, Running};
use crate::git_box::Confine;

const COMMAND: &str = "cat-file --batch";

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Blob,
    Tree,
    Commit,
    Tag,
}

/// An open conversation with `git cat-file`.
#[derive(Debug)]
pub(crate) struct CatFile {
    running: Running,
    ask: ChildStdin,
    answer: BufReader<ChildStdout>,
}

impl CatFile {
    /// Opens one on a repository; it only reads, whatever it is asked.
    pub(crate) fn open(git: &Git, git_dir: &Path) -> Result<Self, GitError> {
        let call = git.call(git_dir).args(["cat-file", "--batch"]).timeout(LONG_TIMEOUT);
        let mut running = call.confine(Confine::writing::<_, &Path>([])).start()?;
        let missing = || GitError::unexpected(COMMAND, "a pipe");
        let ask = running.take_stdin().ok_or_else(missing)?;
        let answer = BufReader::with_capacity(1 << 16, running.take_stdout().ok_or_else(missing)?);
        Ok(Self { running, ask, answer })
    }

    /// The object's kind and bytes; nothing if the repository does not have it. Larger than `max` is an error.
    pub(crate) fn read(&mut self, name: &str, max: u64) -> Result<Option<(Kind, Vec<u8>)>, GitError> {
        let Some((kind, size)) = self.header(name)? else { return Ok(None) };
        if size > max {
            return Err(GitError::TooMuchOutput { command: format!("{COMMAND} {name}"), limit: max });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        (&mut self.answer).take(size).read_to_end(&mut bytes).map_err(|e| self.lost(e))?;
        self.line_end()?;
        if bytes.len() as u64 == size { Ok(Some((kind, bytes))) } else { Err(self.cut_short()) }
    }

    /// Writes the object's bytes to `to`; gives the size, or nothing if the repository does not have it.
    pub(crate) fn copy(&mut self, name: &str, to: &mut dyn std::io::Write) -> Result<Option<u64>, GitError> {
        let Some((_, size)) = self.header(name)? else { return Ok(None) };
        let copied = std::io::copy(&mut (&mut self.answer).take(size), to).map_err(|e| self.lost(e))?;
        self.line_end()?;
        if copied == size { Ok(Some(size)) } else { Err(self.cut_short()) }
    }

    /// Asks for many objects at once, which are then taken in this order by [`Answers::next`].
    pub(crate) fn ask_all(self, names: Vec<String>) -> Answers {
        let Self { running, mut ask, answer } = self;
        let asking = std::thread::spawn(move || {
            let mut ask = std::io::BufWriter::new(&mut ask);
            for name in names {
                // If git is gone, the reading side says so.
                if writeln!(ask, "{name}").is_err() {
                    return;
                }
            }
            let _ = ask.flush();
        });
        Answers { answer, running, asking: Some(asking) }
    }

    fn header(&mut self, name: &str) -> Result<Option<(Kind, u64)>, GitError> {
        if name.contains(['\n', '\0']) {
            return Err(GitError::unexpected(COMMAND, "an object name on one line"));
        }
        let asked = writeln!(self.ask, "{name}").and_then(|()| self.ask.flush());
        asked.map_err(|e| self.lost(e))?;
        read_header(&mut self.answer, &self.running.command)
    }

    fn line_end(&mut self) -> Result<(), GitError> {
        let mut end = [0u8; 1];
        self.answer.read_exact(&mut end).map_err(|e| self.lost(e))
    }

    fn lost(&self, source: std::io::Error) -> GitError {
        GitError::Pipe { command: self.running.command.clone(), source }
    }

    fn cut_short(&self) -> GitError {
        cut_short()
    }
}

/// Objects that were asked for together.
#[derive(Debug)]
pub(crate) struct Answers {
    answer: BufReader<ChildStdout>,
    running: Running,
    asking: Option<std::thread::JoinHandle<()>>,
}

impl Answers {
    /// Writes the next object's bytes to `to`; gives its size, or nothing if the repository does not have it.
    pub(crate) fn next(&mut self, to: &mut dyn std::io::Write) -> Result<Option<u64>, GitError> {
        let Some((_, size)) = read_header(&mut self.answer, &self.running.command)? else { return Ok(None) };
        let lost = |source| GitError::Pipe { command: COMMAND.into(), source };
        let copied = std::io::copy(&mut (&mut self.answer).take(size), to).map_err(lost)?;
        self.answer.read_exact(&mut [0u8; 1]).map_err(lost)?;
        if copied == size { Ok(Some(size)) } else { Err(cut_short()) }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        // Whoever stops reading early ends git first, or the asking thread would wait for it for ever.
        self.running.kill();
        drop(self.asking.take().map(std::thread::JoinHandle::join));
    }
}

fn cut_short() -> GitError {
    GitError::unexpected(COMMAND, "an object of the announced size")
}

fn read_header(answer: &mut BufReader<ChildStdout>, command: &str) -> Result<Option<(Kind, u64)>, GitError> {
    let mut line = String::new();
    let read = answer.read_line(&mut line);
    read.map_err(|source| GitError::Pipe { command: command.to_owned(), source })?;
    let line = line.trim_end();
    if line.ends_with(" missing") || line.ends_with(" ambiguous") {
        return Ok(None);
    }
    let mut words = line.rsplit(' ');
    let size = words.next().and_then(|w| w.parse().ok());
    let kind = match words.next() {
        Some("blob") => Kind::Blob,
        Some("tree") => Kind::Tree,
        Some("commit") => Kind::Commit,
        Some("tag") => Kind::Tag,
        _ => return Err(GitError::unexpected(COMMAND, format!("an object header in {line:?}"))),
    };
    let size = size.ok_or_else(|| GitError::unexpected(COMMAND, format!("a size in {line:?}")))?;
    Ok(Some((kind, size)))
}
