//! A few connections that can only read. In WAL mode they see whole commits and never wait for the writer.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use divisi_model::Envelope;
use rusqlite::Connection;

use crate::connect;
use crate::error::StoreError;
use crate::limits::{CLOSE_WAIT, READERS_MAX};
use crate::recent::Recent;
use crate::rows;

#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    recent: Arc<Recent>,
    pool: Mutex<Pool>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<Connection>,
    /// Connections that are read with right now.
    busy: usize,
    /// Nobody reads any more.
    closed: bool,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, recent: Arc<Recent>) -> Self {
        Self { path, recent, pool: Mutex::default(), freed: Condvar::new() }
    }

    /// Events of the whole log after a number, in order.
    pub(crate) fn events(&self, after: u64, limit: usize) -> Result<Vec<Envelope>, StoreError> {
        if self.pool().closed {
            return Err(StoreError::Closed);
        }
        match self.recent.after(after, limit) {
            Some(found) => Ok(found),
            None => self.read(|sql| rows::read(sql, after, limit)),
        }
    }

    /// Reads with a connection of the pool; waits for one where all are busy.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let borrowed = self.borrow()?;
        match &borrowed.sql {
            Some(sql) => work(sql),
            None => Err(StoreError::Closed),
        }
    }

    fn borrow(&self) -> Result<Borrowed<'_>, StoreError> {
        let mut pool = self.pool();
        while pool.busy >= READERS_MAX && !pool.closed {
            pool = self.freed.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
        if pool.closed {
            return Err(StoreError::Closed);
        }
        pool.busy += 1;
        let idle = pool.idle.pop();
        drop(pool);
        // Made before the connection, so that the place is given back also where none can be opened.
        let mut borrowed = Borrowed { readers: self, sql: idle };
        if borrowed.sql.is_none() {
            borrowed.sql = Some(connect::reading(&self.path)?);
        }
        Ok(borrowed)
    }

    /// Lets nobody read any more, and waits for those who do, so that no connection is left; not for ever.
    pub(crate) fn close(&self) {
        let mut pool = self.pool();
        pool.closed = true;
        self.freed.notify_all();
        let leaves = |pool: &mut Pool| pool.busy > 0;
        let left = self.freed.wait_timeout_while(pool, CLOSE_WAIT, leaves);
        let mut pool = left.unwrap_or_else(PoisonError::into_inner).0;
        pool.idle.clear();
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that goes back to the pool, also where its reader panics.
struct Borrowed<'a> {
    readers: &'a Readers,
    sql: Option<Connection>,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let mut pool = self.readers.pool();
        pool.busy -= 1;
        let sql = self.sql.take();
        if pool.closed {
            // Gone before who waits for it is told.
            drop(sql);
            self.readers.freed.notify_all();
            return;
        }
        pool.idle.extend(sql);
        drop(pool);
        self.readers.freed.notify_one();
    }
}
