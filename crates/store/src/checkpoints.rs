//! Merging the write-ahead log into the file, on a thread beside the writer: it copies pages and waits for the disk
//! twice, and everybody who appends would wait with it.

use std::ffi::c_int;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use crate::connect;
use crate::error::StoreError;
use crate::limits::{CHECKPOINT_PAGES, WAL_PAGES_MAX};

/// The thread that merges. Wakened by the commits of the connection that it was started for.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    thread: JoinHandle<()>,
}

impl Checkpoints {
    /// Starts it for the connection that writes the log at `path`.
    pub(crate) fn start(path: &Path, writer: &mut Connection) -> Result<Self, StoreError> {
        let own = connect::merging(path)?;
        // One that waits is enough: it merges all that is there by then.
        let (wake, wakened) = sync_channel(1);
        let thread = std::thread::Builder::new().name("divisi-merge".to_owned());
        let thread = thread.spawn(move || merge(&own, &wakened)).map_err(StoreError::folder(path))?;
        writer.wal_hook(Some(after_commits(wake)))?;
        Ok(Self { thread })
    }

    /// Ends it, after what it is at.
    pub(crate) fn end(self, writer: &mut Connection) {
        // The hook holds the other end of the channel.
        let _ended = writer.wal_hook(None::<fn(&mut Wal, c_int) -> rusqlite::Result<()>>);
        // A panic was reported on its own thread; the log is whole without it.
        let _ended = self.thread.join();
    }
}

/// What the writer does after each commit, told how many pages the write-ahead log has. Where the thread cannot keep up,
/// the writer merges itself, which lets the write-ahead log begin anew.
fn after_commits(wake: SyncSender<()>) -> impl FnMut(&mut Wal, c_int) -> rusqlite::Result<()> {
    let mut told = 0;
    move |wal, pages| {
        if pages < told {
            told = 0;
        }
        if pages - told >= CHECKPOINT_PAGES {
            told = pages;
            let _waits_already = wake.try_send(());
        }
        if pages >= WAL_PAGES_MAX {
            // It goes on growing where this fails, and the next commit tries again; SQLite's own hook does so too.
            let _merged = wal.checkpoint();
        }
        Ok(())
    }
}

fn merge(own: &Connection, wakened: &Receiver<()>) {
    while wakened.recv().is_ok() {
        // Where a disk is full, the writer hears of it by its own commits.
        let _merged = own.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    }
}
