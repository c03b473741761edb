//! Whether everything stored is as it should be. Nothing is mended here.

use std::collections::HashMap;

use divisi_model::Stream;
use rusqlite::Connection;

use crate::error::StoreError;
use crate::limits::PROBLEMS_LISTED;
use crate::rows;
use crate::tables::{self, Folded};

/// What a look at the whole store found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Events in the log.
    pub events: u64,
    /// Tasks that they fold to.
    pub tasks: usize,
    /// Projects that they fold to.
    pub projects: usize,
    /// What is wrong; the first hundred.
    pub problems: Vec<Problem>,
    /// Problems beyond those.
    pub more: usize,
}

/// One thing that is wrong.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Problem {
    /// The file itself.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// Events are missing.
    #[error("event {found} comes where {expected} should")]
    Gap {
        /// The number that should have come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// Events are missing in a stream.
    #[error("in {stream}, version {found} comes where {expected} should")]
    StreamGap {
        /// The stream.
        stream: Stream,
        /// The version that should have come.
        expected: u64,
        /// The version that came.
        found: u64,
    },
    /// An event cannot be understood.
    #[error("an event cannot be read")]
    Unreadable(#[source] StoreError),
    /// A table cannot be understood; [`Store::rebuild_tables`](crate::Store::rebuild_tables) mends it.
    #[error("a table cannot be read")]
    UnreadableTable(#[source] StoreError),
    /// A table is not what the log folds to; [`Store::rebuild_tables`](crate::Store::rebuild_tables) mends it.
    #[error("{0} differs from what the log says")]
    Differs(String),
}

impl Report {
    /// Whether nothing is wrong.
    pub fn sound(&self) -> bool {
        self.problems.is_empty()
    }

    fn add(&mut self, problem: Problem) {
        if self.problems.len() < PROBLEMS_LISTED {
            self.problems.push(problem);
        } else {
            self.more += 1;
        }
    }
}

pub(crate) fn verify(sql: &Connection) -> Result<Report, StoreError> {
    // One snapshot for all reads, so that a writer at work is no problem.
    let sql = sql.unchecked_transaction()?;
    let mut report = Report::default();
    check_file(&sql, &mut report)?;
    let folded = check_log(&sql, &mut report)?;
    check_tables(&sql, &folded, &mut report);
    report.tasks = folded.tasks.len();
    report.projects = folded.projects.len();
    Ok(report)
}

fn check_file(sql: &Connection, report: &mut Report) -> Result<(), StoreError> {
    let mut statement = sql.prepare("PRAGMA integrity_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            report.add(Problem::Damaged(line));
        }
    }
    Ok(())
}

fn check_log(sql: &Connection, report: &mut Report) -> Result<Folded, StoreError> {
    let mut folded = Folded::default();
    let mut versions: HashMap<Stream, u64> = HashMap::new();
    let mut last = 0;
    rows::for_each(sql, |envelope| {
        report.events += 1;
        let envelope = match envelope {
            Ok(envelope) => envelope,
            Err(error) => {
                report.add(Problem::Unreadable(error));
                return Ok(());
            }
        };
        if envelope.seq != last + 1 {
            report.add(Problem::Gap { expected: last + 1, found: envelope.seq });
        }
        last = envelope.seq;
        let version = versions.entry(envelope.stream).or_default();
        if envelope.version != *version + 1 {
            let (stream, expected) = (envelope.stream, *version + 1);
            report.add(Problem::StreamGap { stream, expected, found: envelope.version });
        }
        *version = envelope.version;
        folded.add(envelope);
        Ok::<(), StoreError>(())
    })?;
    Ok(folded)
}

fn check_tables(sql: &Connection, folded: &Folded, report: &mut Report) {
    match tables::tasks(sql) {
        Ok(stored) => {
            let stored = stored.iter().map(|state| (state.id, state));
            compare("task", folded.tasks.iter().map(|(id, state)| (*id, state)), stored, report);
        }
        Err(error) => report.add(Problem::UnreadableTable(error)),
    }
    match tables::projects(sql) {
        Ok(stored) => {
            let stored = stored.iter().map(|project| (project.id, project));
            compare(
                "project",
                folded.projects.iter().map(|(id, (_, project))| (*id, project)),
                stored,
                report,
            );
        }
        Err(error) => report.add(Problem::UnreadableTable(error)),
    }
}

fn compare<'a, I, T>(
    what: &str,
    folded: impl Iterator<Item = (I, &'a T)>,
    stored: impl Iterator<Item = (I, &'a T)>,
    report: &mut Report,
) where
    I: Copy + Eq + std::hash::Hash + std::fmt::Display,
    T: PartialEq + 'a,
{
    let mut stored: HashMap<I, &T> = stored.collect();
    for (id, state) in folded {
        if stored.remove(&id) != Some(state) {
            report.add(Problem::Differs(format!("{what} {id}")));
        }
    }
    for id in stored.keys() {
        report.add(Problem::Differs(format!("{what} {id}")));
    }
}
