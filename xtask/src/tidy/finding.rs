//! One place where the repository breaks a rule.

use std::fmt;

/// A broken rule: where, what, and how to mend it. Ordered by place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Relative to the root of the repository, with forward slashes.
    pub path: String,
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, without a full stop.
    pub sentence: String,
    /// What to do instead, without a full stop.
    pub remedy: String,
}

impl Finding {
    pub fn new(path: &str, line: usize, sentence: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, sentence: sentence.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}\n    {}", self.path, self.line, self.sentence, self.remedy)
    }
}
