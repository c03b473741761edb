//! The tables folded from the log: tasks and projects as they are now.
//!
//! A task's row may be some events behind its stream, and says how far it goes: writing a grown state out again with
//! every small event would cost more than all the rest of an append. Whoever reads a task folds what came after its
//! row, so what is read is never behind the log. After an orderly end no row is behind.

use std::collections::{BTreeMap, HashMap};

use divisi_model::project::Project;
use divisi_model::{Envelope, Event, ProjectId, Stream, TaskId, TaskNumber, TaskState, fold};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::error::StoreError;
use crate::limits::{READ_MAX, ROW_BEHIND_MAX, TASKS_KEPT, TASKS_LET_GO};
use crate::rows;
use crate::writer::Group;

/// Who folds, down to the model's sources: whoever else folded the tables, they are folded again when the log is opened,
/// since `fold` or the shape of the state may have changed.
const FOLDED_BY: &str =
    concat!("divisi ", env!("CARGO_PKG_VERSION"), " rows-behind ", env!("DIVISI_MODEL_FINGERPRINT"));

/// The newest state of some tasks, so that the writer need not read one again for each of its events.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    kept: HashMap<TaskId, Kept>,
    /// How often one was kept, which tells which of them rest longest.
    uses: u64,
}

/// The newest state of a task, the version that its row holds, and when it was kept last.
#[derive(Debug)]
struct Kept {
    state: TaskState,
    row: u64,
    used: u64,
}

impl Tasks {
    pub(crate) fn forget(&mut self) {
        self.kept.clear();
    }

    /// The version of a task's stream, where its state is at hand.
    pub(crate) fn version(&self, id: TaskId) -> Option<u64> {
        self.kept.get(&id).map(|kept| kept.state.version)
    }

    fn take(&mut self, sql: &Connection, id: TaskId) -> Result<Option<Kept>, StoreError> {
        match self.kept.remove(&id) {
            Some(kept) => Ok(Some(kept)),
            None => read_task(sql, id),
        }
    }

    fn keep(&mut self, sql: &Connection, kept: Kept) -> Result<(), StoreError> {
        if self.kept.len() >= TASKS_KEPT {
            self.let_go(sql)?;
        }
        self.uses += 1;
        self.kept.insert(kept.state.id, Kept { used: self.uses, ..kept });
        Ok(())
    }

    /// Lets go of the tasks that rest longest, a few at a time: whoever appends meanwhile waits for their rows.
    fn let_go(&mut self, sql: &Connection) -> Result<(), StoreError> {
        let mut resting: Vec<(u64, TaskId)> = self.kept.iter().map(|(id, kept)| (kept.used, *id)).collect();
        resting.sort_unstable();
        for (_, id) in resting.into_iter().take(TASKS_LET_GO) {
            if let Some(kept) = self.kept.remove(&id).filter(|kept| kept.row < kept.state.version) {
                put_task(sql, &kept.state)?;
            }
        }
        Ok(())
    }

    /// Writes the rows that are behind, so that none is.
    pub(crate) fn write_rows(&mut self, sql: &Connection) -> Result<(), StoreError> {
        for kept in self.kept.values_mut().filter(|kept| kept.row < kept.state.version) {
            put_task(sql, &kept.state)?;
            kept.row = kept.state.version;
        }
        Ok(())
    }
}

/// What the whole log folds to.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    pub(crate) tasks: BTreeMap<TaskId, TaskState>,
    pub(crate) projects: BTreeMap<ProjectId, (u64, Project)>,
}

impl Folded {
    pub(crate) fn add(&mut self, envelope: Envelope) {
        match envelope.stream {
            Stream::Task(id) => {
                if let Some(state) = fold(self.tasks.remove(&id), id, &envelope) {
                    self.tasks.insert(id, state);
                }
            }
            Stream::Project(id) => {
                if let Event::ProjectAdded { project } = envelope.event {
                    self.projects.insert(id, (envelope.version, project));
                }
            }
        }
    }
}

/// Folds events that were just appended to one stream into the tables.
pub(crate) fn fold_in<'a>(
    group: &mut Group<'_>,
    stream: Stream,
    envelopes: impl Iterator<Item = &'a Envelope>,
) -> Result<(), StoreError> {
    match stream {
        Stream::Task(id) => {
            let kept = group.state.tasks.take(group.sql, id)?;
            let (state, row) = kept.map_or((None, None), |kept| (Some(kept.state), Some(kept.row)));
            // What was read just now holds the new events already.
            let known = state.as_ref().map_or(0, |state| state.version);
            let new = envelopes.filter(|envelope| envelope.version > known);
            let state = new.fold(state, |state, envelope| fold(state, id, envelope));
            if let Some(state) = state {
                let row = match row {
                    Some(row) if state.version < row + ROW_BEHIND_MAX => row,
                    _ => {
                        put_task(group.sql, &state)?;
                        state.version
                    }
                };
                group.state.tasks.keep(group.sql, Kept { state, row, used: 0 })?;
            }
        }
        Stream::Project(_) => {
            for envelope in envelopes {
                if let Event::ProjectAdded { project } = &envelope.event {
                    put_project(group.sql, envelope.version, project)?;
                }
            }
        }
    }
    Ok(())
}

/// Makes the tables again where they were folded by another program or cannot be read.
pub(crate) fn ensure(sql: &mut Connection) -> Result<(), StoreError> {
    let by: Option<String> = sql.query_row("SELECT by FROM folded", [], |row| row.get(0)).optional()?;
    if by.as_deref() == Some(FOLDED_BY) && tasks(sql).is_ok() && projects(sql).is_ok() {
        return Ok(());
    }
    let again = sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
    rebuild(&again)?;
    Ok(again.commit()?)
}

/// Folds the whole log into empty tables.
pub(crate) fn rebuild(sql: &Transaction<'_>) -> Result<(), StoreError> {
    let mut folded = Folded::default();
    rows::for_each(sql, |envelope| {
        folded.add(envelope?);
        Ok::<(), StoreError>(())
    })?;
    sql.execute_batch("DELETE FROM tasks; DELETE FROM projects; DELETE FROM folded")?;
    for state in folded.tasks.values() {
        put_task(sql, state)?;
    }
    for (version, project) in folded.projects.values() {
        put_project(sql, *version, project)?;
    }
    sql.execute("INSERT INTO folded (one, by) VALUES (1, ?1)", [FOLDED_BY])?;
    Ok(())
}

/// All tasks, by number.
pub(crate) fn tasks(sql: &Connection) -> Result<Vec<TaskState>, StoreError> {
    let mut statement = sql.prepare_cached("SELECT id, state FROM tasks ORDER BY number")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read_state(&row.get::<_, String>(0)?, &row.get::<_, String>(1)?)?);
    }
    let places: HashMap<TaskId, usize> = (0..).zip(&found).map(|(place, state)| (state.id, place)).collect();
    let mut found: Vec<Option<TaskState>> = found.into_iter().map(Some).collect();
    rows::for_each_behind(sql, |envelope| {
        if let Stream::Task(id) = envelope.stream
            && let Some(state) = places.get(&id).and_then(|place| found.get_mut(*place))
        {
            // The row may have been written anew between the two reads.
            if state.as_ref().is_some_and(|state| state.version < envelope.version) {
                *state = fold(state.take(), id, &envelope);
            }
        }
    })?;
    Ok(found.into_iter().flatten().collect())
}

/// One task.
pub(crate) fn task(sql: &Connection, id: TaskId) -> Result<Option<TaskState>, StoreError> {
    Ok(read_task(sql, id)?.map(|kept| kept.state))
}

fn read_task(sql: &Connection, id: TaskId) -> Result<Option<Kept>, StoreError> {
    let text = id.to_string();
    let mut statement = sql.prepare_cached("SELECT state FROM tasks WHERE id = ?1")?;
    let state: Option<String> = statement.query_row([&text], |row| row.get(0)).optional()?;
    let Some(state) = state.map(|state| read_state(&text, &state)).transpose()? else { return Ok(None) };
    let row = state.version;
    let mut newest = Some(state);
    loop {
        let after = newest.as_ref().map_or(row, |state| state.version);
        let events = rows::read_stream(sql, Stream::Task(id), after, READ_MAX)?;
        if events.is_empty() {
            return Ok(newest.map(|state| Kept { state, row, used: 0 }));
        }
        newest = events.iter().fold(newest, |state, envelope| fold(state, id, envelope));
    }
}

/// All projects, in the order of their ids, which is about that of their making.
pub(crate) fn projects(sql: &Connection) -> Result<Vec<Project>, StoreError> {
    let mut statement = sql.prepare_cached("SELECT id, project FROM projects ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let project = serde_json::from_str(&row.get::<_, String>(1)?);
        found.push(project.map_err(StoreError::unreadable(|| format!("project {id}")))?);
    }
    Ok(found)
}

/// Whether a task has the number. Tasks stay in the table for ever, so a number is never used again.
pub(crate) fn number_taken(sql: &Connection, number: TaskNumber) -> Result<bool, StoreError> {
    let mut statement = sql.prepare_cached("SELECT 1 FROM tasks WHERE number = ?1")?;
    Ok(statement.exists([number.0])?)
}

/// The number after the highest.
pub(crate) fn next_number(sql: &Connection) -> Result<TaskNumber, StoreError> {
    let last: Option<u32> = sql.query_row("SELECT max(number) FROM tasks", [], |row| row.get(0))?;
    Ok(TaskNumber(last.unwrap_or(0).saturating_add(1)))
}

fn put_task(sql: &Connection, state: &TaskState) -> Result<(), StoreError> {
    let json =
        serde_json::to_string(state).map_err(StoreError::unreadable(|| format!("task {}", state.id)))?;
    let mut statement = sql.prepare_cached(
        "INSERT INTO tasks (id, number, project, version, archived, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (id) DO UPDATE SET version = excluded.version, archived = excluded.archived, \
         state = excluded.state",
    )?;
    let (number, project) = (state.spec.number.0, state.spec.project.to_string());
    let version = rows::number(state.version);
    statement.execute(params![state.id.to_string(), number, project, version, state.archived, json])?;
    Ok(())
}

fn put_project(sql: &Connection, version: u64, project: &Project) -> Result<(), StoreError> {
    let json = serde_json::to_string(project)
        .map_err(StoreError::unreadable(|| format!("project {}", project.id)))?;
    let mut statement = sql.prepare_cached(
        "INSERT INTO projects (id, version, project) VALUES (?1, ?2, ?3) \
         ON CONFLICT (id) DO UPDATE SET version = excluded.version, project = excluded.project",
    )?;
    statement.execute(params![project.id.to_string(), rows::number(version), json])?;
    Ok(())
}

fn read_state(id: &str, json: &str) -> Result<TaskState, StoreError> {
    serde_json::from_str(json).map_err(StoreError::unreadable(|| format!("the stored state of task {id}")))
}
