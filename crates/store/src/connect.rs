//! Opening: the folder, the file and the connections to it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;
use crate::limits::{FOREIGN_LOCK_WAIT, WAL_BYTES_KEPT};
use crate::lock::Lock;
use crate::migrate::migrate;
use crate::tables;

/// A log that is open for writing and of the newest shape, and the right to write it.
#[derive(Debug)]
pub(crate) struct Opened {
    // Before the lock, so that it is closed while the folder is still ours.
    pub(crate) sql: Connection,
    pub(crate) path: PathBuf,
    _lock: Lock,
}

/// Opens the log in a folder, and makes both where they are missing.
pub(crate) fn open(folder: &Path) -> Result<Opened, StoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(StoreError::folder(folder))?;
    let lock = Lock::take(folder)?;
    let path = folder.join("log.sqlite");
    make_private_file(folder, &path)?;
    let mut sql = writing(&path)?;
    migrate(&mut sql, &path)?;
    tables::ensure(&mut sql)?;
    Ok(Opened { sql, path, _lock: lock })
}

/// A connection that can only read.
pub(crate) fn reading(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sql = Connection::open_with_flags(path, flags)?;
    guard(&sql)?;
    Ok(sql)
}

/// A connection that merges the write-ahead log and nothing else.
pub(crate) fn merging(path: &Path) -> Result<Connection, StoreError> {
    let sql = changing(path)?;
    // As much as the writer's: whole after a power cut, though without the last commits.
    sql.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(sql)
}

fn writing(path: &Path) -> Result<Connection, StoreError> {
    let sql = changing(path)?;
    let mode: String = sql.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::NoWal { found: mode });
    }
    sql.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
    Ok(sql)
}

fn changing(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sql = Connection::open_with_flags(path, flags)?;
    guard(&sql)?;
    // On macOS an ordinary fsync leaves data in the disk's own cache; elsewhere this changes nothing.
    sql.pragma_update(None, "fullfsync", true)?;
    sql.pragma_update(None, "checkpoint_fullfsync", true)?;
    Ok(sql)
}

/// The file could come from anywhere, so nothing in its schema may run.
fn guard(sql: &Connection) -> Result<(), StoreError> {
    sql.busy_timeout(FOREIGN_LOCK_WAIT)?;
    sql.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    sql.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    sql.pragma_update(None, "cell_size_check", true)?;
    Ok(())
}

/// SQLite gives its side files the permissions of the main file, so that one is made first. The folders are synced, or a
/// power cut could take the whole new file away after its first commits were acknowledged; where a file system cannot
/// sync a folder there is nothing to do about it, and SQLite goes on too.
fn make_private_file(folder: &Path, path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(path).map_err(StoreError::folder(path))?;
    let mode = file.metadata().map_err(StoreError::folder(path))?.permissions().mode();
    if mode & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600)).map_err(StoreError::folder(path))?;
    }
    for folder in [Some(folder), folder.parent()].into_iter().flatten() {
        let name = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let _synced = File::open(name).and_then(|open| open.sync_all());
    }
    Ok(())
}
