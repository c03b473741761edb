//! The tables folded from the log: tasks and projects as they are now.

use std::collections::{BTreeMap, HashMap};

use divisi_model::project::Project;
use divisi_model::{Envelope, Event, ProjectId, Stream, TaskId, TaskNumber, TaskState, fold};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::error::StoreError;
use crate::limits::TASKS_KEPT;
use crate::rows;
use crate::writer::Group;

/// Who folds, down to the model's sources: whoever else folded the tables, they are folded again when the log is opened,
/// since `fold` or the shape of the state may have changed.
const FOLDED_BY: &str = concat!("divisi ", env!("CARGO_PKG_VERSION"), " ", env!("DIVISI_MODEL_FINGERPRINT"));

/// The newest state of some tasks, so that the writer need not read one again for each of its events.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    kept: HashMap<TaskId, TaskState>,
}

impl Tasks {
    pub(crate) fn forget(&mut self) {
        self.kept.clear();
    }

    fn take(&mut self, sql: &Connection, id: TaskId) -> Result<Option<TaskState>, StoreError> {
        match self.kept.remove(&id) {
            Some(state) => Ok(Some(state)),
            None => task(sql, id),
        }
    }

    fn keep(&mut self, state: TaskState) {
        if self.kept.len() >= TASKS_KEPT {
            self.kept.clear();
        }
        self.kept.insert(state.id, state);
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
pub(crate) fn fold_in(
    group: &mut Group<'_>,
    stream: Stream,
    envelopes: &[Envelope],
) -> Result<(), StoreError> {
    match stream {
        Stream::Task(id) => {
            let mut state = group.state.tasks.take(group.sql, id)?;
            for envelope in envelopes {
                state = fold(state, id, envelope);
            }
            if let Some(state) = state {
                put_task(group.sql, &state)?;
                group.state.tasks.keep(state);
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
        Ok(())
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
    Ok(found)
}

/// One task.
pub(crate) fn task(sql: &Connection, id: TaskId) -> Result<Option<TaskState>, StoreError> {
    let id = id.to_string();
    let mut statement = sql.prepare_cached("SELECT state FROM tasks WHERE id = ?1")?;
    let state: Option<String> = statement.query_row([&id], |row| row.get(0)).optional()?;
    state.map(|state| read_state(&id, &state)).transpose()
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
