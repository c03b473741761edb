//! Bounds of the store.

use std::ffi::c_int;
use std::time::Duration;

/// Events in one append.
pub const APPEND_EVENTS_MAX: usize = 10_000;
/// The JSON of one event's data, in bytes.
pub const EVENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Rows that one read returns, whatever it asks for.
pub const READ_MAX: usize = 10_000;

/// Requests that wait for the writer; who comes later waits for a place.
pub(crate) const QUEUE_MAX: usize = 1024;
/// How long a thread that blocks waits before it tries a full queue again.
pub(crate) const QUEUE_FULL_PAUSE: Duration = Duration::from_millis(1);
/// Requests committed together.
pub(crate) const GROUP_MAX: usize = 256;
/// Read-only connections, and so reads at the same time.
pub(crate) const READERS_MAX: usize = 4;
/// Rows that a feed reads at once.
pub(crate) const FEED_BATCH: usize = 128;
/// The newest events that stay in memory for those who follow, and about how many bytes they may take.
pub(crate) const RECENT_MAX: usize = 2048;
pub(crate) const RECENT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Events by which a task's row may be behind its stream; whoever reads the task folds them.
pub(crate) const ROW_BEHIND_MAX: u64 = 128;
/// Task states that the writer keeps at hand.
pub(crate) const TASKS_KEPT: usize = 256;
/// Of which this many are let go of at once.
pub(crate) const TASKS_LET_GO: usize = 16;
/// Problems that a report lists; more are only counted.
pub(crate) const PROBLEMS_LISTED: usize = 100;
/// How long a connection waits for a foreign program, such as a database shell, that holds the log.
pub(crate) const FOREIGN_LOCK_WAIT: Duration = Duration::from_secs(5);
/// How long an orderly end waits for those who still read.
pub(crate) const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// What stays of the write-ahead log's file after a checkpoint, in bytes.
pub(crate) const WAL_BYTES_KEPT: i64 = 16 * 1024 * 1024;
/// Pages that come into the write-ahead log until it is merged into the file beside the writer.
pub(crate) const CHECKPOINT_PAGES: c_int = 1000;
/// Pages of the write-ahead log from which on the writer merges itself: 64 MB.
pub(crate) const WAL_PAGES_MAX: c_int = 16 * 1024;
