//! The life of a shell: bytes in both ways, and its end.

use std::time::Duration;

use divisi_workspace::{Terminal, TerminalSize};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Held, Over};
use crate::auth::Caller;
use crate::types::TerminalRequest;

/// How long a shell is kept that nobody is connected to: a page that is loaded again, another screen, a laptop that
/// slept for a moment.
const AWAY_MAX: Duration = Duration::from_secs(10 * 60);
/// Bytes that may be on their way to a page; the program waits while more would be.
const WINDOW: u64 = 256 << 10;
/// Bytes taken at once.
const READ_BYTES: usize = 16 << 10;
/// What a program may still have written in the moment in which it ended.
const LAST_BYTES: usize = 128 << 10;
/// The smallest and largest terminal.
const SIDE: std::ops::RangeInclusive<u16> = 2..=1000;

/// A size that a terminal can have.
pub(super) fn size(asked: TerminalRequest) -> TerminalSize {
    let side = |asked: u16| asked.clamp(*SIDE.start(), *SIDE.end());
    TerminalSize { columns: side(asked.columns), rows: side(asked.rows) }
}

/// Keeps a shell until it ends, or has to. Everything of it is gone when this returns.
pub(super) async fn keep(
    terminal: Terminal,
    held: &Held,
    mut typing: mpsc::Receiver<Vec<u8>>,
    caller: &Caller,
    stop: &CancellationToken,
) {
    let (mut shown, mut place) = (held.shown.subscribe(), held.place.subscribe());
    let mut sized = held.size.subscribe();
    let mut buffer = vec![0; READ_BYTES];
    let mut typed: Vec<u8> = Vec::new();
    let mut silent = false;
    let over = loop {
        let away = place.borrow_and_update().away;
        let waits = held.written.borrow().bytes.saturating_sub(*shown.borrow_and_update());
        // While nobody looks it goes on, and the oldest is given up.
        let reads = !silent && (away.is_some() || waits < WINDOW);
        tokio::select! {
            () = caller.revoked() => break Over::Cut,
            () = stop.cancelled() => break Over::Cut,
            () = held.end.cancelled() => break Over::Cut,
            () = until(away) => break Over::Cut,
            ended = terminal.ended() => break match ended {
                Ok(end) => { last(&terminal, held); Over::Ended(end) }
                Err(_) => Over::Cut,
            },
            read = terminal.read(&mut buffer), if reads => match read {
                Ok(read) if read > 0 => held.add(&buffer[..read]),
                _ => silent = true,
            },
            said = typing.recv(), if typed.is_empty() => typed = said.unwrap_or_default(),
            wrote = terminal.write(&typed), if !typed.is_empty() => match wrote {
                Ok(wrote) => drop(typed.drain(..wrote)),
                Err(_) => typed.clear(),
            },
            _ = sized.changed() => {
                let asked = *sized.borrow_and_update();
                if let Err(error) = terminal.resize(size(asked)) {
                    tracing::debug!(%error, "a terminal did not take its size");
                }
            }
            _ = shown.changed() => {}
            _ = place.changed() => {}
        }
    };
    // Waiting for what came out of it to end blocks.
    drop(tokio::task::spawn_blocking(move || drop(terminal)).await);
    held.over(over);
}

/// Keeps the end of a shell until somebody has seen it, for a while.
pub(super) async fn until_seen(held: &Held, caller: &Caller, stop: &CancellationToken) {
    tokio::select! {
        () = caller.revoked() => {}
        () = stop.cancelled() => {}
        () = held.end.cancelled() => {}
        () = tokio::time::sleep(AWAY_MAX) => {}
    }
}

async fn until(away: Option<Instant>) {
    match away {
        Some(since) => tokio::time::sleep_until(since + AWAY_MAX).await,
        None => std::future::pending().await,
    }
}

/// Takes what was written last.
fn last(terminal: &Terminal, held: &Held) {
    let mut buffer = vec![0; READ_BYTES];
    for _ in 0..LAST_BYTES / READ_BYTES {
        match terminal.read_now(&mut buffer) {
            Ok(read) if read > 0 => held.add(&buffer[..read]),
            _ => return,
        }
    }
}
