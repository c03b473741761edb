//! Transcripts: what was typed and what came out, in a form that is the same in every run.

use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

use crate::{Finished, TestEnv};

/// Several calls of `divisi`, one after the other, for an inline snapshot.
///
/// It shows as `$ divisi ls`, then standard output, then standard error below `--- stderr`, then the exit code if it
/// is not 0; whatever differs from run to run is replaced (see [`crate::Redactor`]).
pub struct Transcript<'env> {
    env: &'env TestEnv,
    folder: PathBuf,
    text: String,
}

impl<'env> Transcript<'env> {
    pub(crate) fn new(env: &'env TestEnv, folder: PathBuf) -> Transcript<'env> {
        Transcript { env, folder, text: String::new() }
    }

    /// Calls `divisi` with these arguments and records it, whether it succeeds or not.
    #[track_caller]
    pub fn divisi(&mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Finished {
        let finished = self.env.divisi().in_folder(&self.folder).args(arguments).run();
        self.record(&finished);
        finished
    }

    /// Records a program that was run by other means.
    pub fn record(&mut self, finished: &Finished) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&finished.to_string());
    }
}

impl fmt::Display for Transcript<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.env.redact(&self.text).trim_end())
    }
}
