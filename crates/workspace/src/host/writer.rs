//! A stream that is written to without ever waiting for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// Bytes that may wait for whoever reads too slowly.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The near end of a stream.
pub(super) struct Writer {
    lines: UnboundedSender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Writer {
    pub fn new(mut stream: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        let (lines, mut taken) = unbounded_channel::<Vec<u8>>();
        let waiting = Arc::new(AtomicUsize::new(0));
        let left = Arc::clone(&waiting);
        let task = tokio::spawn(async move {
            while let Some(line) = taken.recv().await {
                if stream.write_all(&line).await.is_err() {
                    return;
                }
                left.fetch_sub(line.len(), Ordering::Relaxed);
            }
            drop(stream.flush().await);
        });
        Self { lines, waiting, task }
    }

    /// Writes a line some time later. `false` if too much waits already; a stream that is gone takes everything.
    pub fn write(&self, line: Vec<u8>) -> bool {
        if self.waiting.load(Ordering::Relaxed) + line.len() > WAITING_BYTES_MAX {
            return false;
        }
        self.waiting.fetch_add(line.len(), Ordering::Relaxed);
        // Nobody reads any more: that is heard from the other direction.
        drop(self.lines.send(line));
        true
    }

    /// Ends when all that waits is written.
    pub async fn finish(self) {
        drop(self.lines);
        drop(self.task.await);
    }

    /// Ends at once.
    pub fn abandon(self) {
        self.task.abort();
    }
}
