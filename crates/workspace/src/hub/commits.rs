//! Commits of the hub: asking about them and recording them.

use super::{Hub, HubError, git_error};
use crate::git::Kind;
use crate::ids::{CommitId, Signature, TreeId};

/// Largest commit object that is read.
const MAX_COMMIT_BYTES: u64 = 1 << 20;

impl Hub {
    /// True if the hub has this commit.
    pub fn has_commit(&self, commit: &CommitId) -> Result<bool, HubError> {
        let call =
            self.call().args(["cat-file", "-e"]).arg(format!("{commit}^{{commit}}")).accept(&[0, 1, 128]);
        Ok(call.run().map_err(git_error("look for a commit in the hub"))?.code == 0)
    }

    /// The size of an object, in bytes.
    pub(crate) fn size_of(&self, object: &str) -> Result<u64, HubError> {
        let out = self.call().args(["cat-file", "-s", object]).run();
        let text = out.map_err(git_error("look at an object of the hub"))?.text();
        text.parse().map_err(|_| HubError::Missing(format!("object {object}")))
    }

    /// The commits after one and up to another, newest first, at most `max`; those on the main line alone.
    pub fn commits(
        &self,
        after: &CommitId,
        to: &CommitId,
        max: usize,
    ) -> Result<Vec<LoggedCommit>, HubError> {
        let call = self.call().args(["log", "-z", "--first-parent", "--format=%H%n%P%n%at%n%an%n%s"]);
        let out = call.arg(format!("-n{max}")).arg(format!("{after}..{to}")).arg("--").run();
        let out = out.map_err(git_error("list the commits of a result"))?;
        out.records().map(LoggedCommit::parse).collect()
    }

    /// The tree of a commit.
    pub fn tree_of(&self, commit: &CommitId) -> Result<TreeId, HubError> {
        Ok(self.read_commit(commit)?.tree)
    }

    /// True if `ancestor` is `commit` or in its history.
    pub fn is_ancestor(&self, ancestor: &CommitId, commit: &CommitId) -> Result<bool, HubError> {
        let call = self.call().args(["merge-base", "--is-ancestor", ancestor.as_str(), commit.as_str()]);
        Ok(call.accept(&[0, 1]).run().map_err(git_error("compare two commits"))?.code == 0)
    }

    /// The best common ancestor of two commits.
    pub fn merge_base(&self, a: &CommitId, b: &CommitId) -> Result<Option<CommitId>, HubError> {
        let call = self.call().args(["merge-base", a.as_str(), b.as_str()]).accept(&[0, 1]);
        let out = call.run().map_err(git_error("find a common ancestor"))?;
        if out.code == 1 { Ok(None) } else { Ok(Some(CommitId::parse(&out.text())?)) }
    }

    /// How many commits `to` has in its history that `from` has not.
    pub fn commits_between(&self, from: &CommitId, to: &CommitId) -> Result<u64, HubError> {
        let call = self.call().args(["rev-list", "--count"]).arg(format!("{from}..{to}"));
        let out = call.run().map_err(git_error("count commits"))?.text();
        out.parse().map_err(|_| HubError::Missing(format!("count of {from}..{to}")))
    }

    /// Records a commit of an existing tree. It is not anchored yet.
    pub(crate) fn commit(
        &self,
        tree: &TreeId,
        parents: &[&CommitId],
        author: &Signature,
        committer: &Signature,
        message: &str,
    ) -> Result<CommitId, HubError> {
        let mut call =
            self.call().args(["commit-tree", tree.as_str(), "-F", "-"]).author(author).committer(committer);
        for parent in parents {
            call = call.arg("-p").arg(parent.as_str());
        }
        let out = call.stdin(message.as_bytes()).run().map_err(git_error("record a commit in the hub"))?;
        Ok(CommitId::parse(&out.text())?)
    }

    /// Parents, tree and message of a commit.
    pub(crate) fn read_commit(&self, commit: &CommitId) -> Result<CommitInfo, HubError> {
        let read = self.cat_file()?.read(commit.as_str(), MAX_COMMIT_BYTES);
        match read.map_err(git_error("read a commit of the hub"))? {
            Some((Kind::Commit, bytes)) => CommitInfo::parse(&bytes),
            _ => Err(HubError::Missing(format!("commit {commit}"))),
        }
    }
}

/// One line of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedCommit {
    /// The commit.
    pub commit: CommitId,
    /// What it builds on; nothing for a first one.
    pub parent: Option<CommitId>,
    /// When it was written, in seconds since 1970.
    pub at: i64,
    /// Who wrote it.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
}

impl LoggedCommit {
    fn parse(record: &[u8]) -> Result<Self, HubError> {
        let text = String::from_utf8_lossy(record);
        let mut lines = text.trim_start_matches('\n').splitn(5, '\n');
        let mut next = || lines.next().unwrap_or_default();
        let (commit, parents, at, author) = (CommitId::parse(next())?, next(), next(), next().to_owned());
        let parent = parents.split(' ').next().filter(|parent| !parent.is_empty());
        let parent = parent.map(CommitId::parse).transpose()?;
        Ok(Self { commit, parent, at: at.parse().unwrap_or(0), author, subject: next().to_owned() })
    }
}

/// The parts of a commit object that are used here.
#[derive(Debug, Clone)]
pub(crate) struct CommitInfo {
    pub(crate) tree: TreeId,
    pub(crate) parents: Vec<CommitId>,
    /// `Name <mail> seconds zone`, as recorded.
    pub(crate) author: String,
    pub(crate) message: String,
}

impl CommitInfo {
    fn parse(bytes: &[u8]) -> Result<Self, HubError> {
        let text = String::from_utf8_lossy(bytes);
        let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
        let mut info = Self {
            tree: TreeId::parse(head.strip_prefix("tree ").and_then(|h| h.get(..40)).unwrap_or_default())?,
            parents: Vec::new(),
            author: String::new(),
            message: message.to_owned(),
        };
        for line in head.lines() {
            if let Some(parent) = line.strip_prefix("parent ") {
                info.parents.push(CommitId::parse(parent)?);
            } else if let Some(author) = line.strip_prefix("author ") {
                info.author = author.to_owned();
            }
        }
        Ok(info)
    }
}
