//! The log's shape, made in numbered steps. A step that was released is never changed; a new shape is a new step.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::StoreError;

const STEPS: [&str; 1] = [include_str!("../migrations/0001_log.sql")];

/// "DIVS", as the first step sets it.
const APPLICATION_ID: i64 = 0x4449_5653;

/// Brings the log to the newest shape. A log of a newer program, or a database of another one, is left untouched.
pub(crate) fn migrate(sql: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let found: i64 = sql.pragma_query_value(None, "user_version", |row| row.get(0))?;
    require_ours(sql, path, found)?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (version, step) in (1..).zip(STEPS).filter(|(version, _)| *version > found) {
        let step_done = sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step_done.execute_batch(step)?;
        step_done.pragma_update(None, "user_version", version)?;
        step_done.commit()?;
    }
    Ok(())
}

fn require_ours(sql: &Connection, path: &Path, version: i64) -> Result<(), StoreError> {
    let application: i64 = sql.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = sql.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let ours = if version == 0 { tables == 0 } else { application == APPLICATION_ID };
    if ours { Ok(()) } else { Err(StoreError::NotALog { path: path.to_owned() }) }
}
