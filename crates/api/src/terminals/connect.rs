//! A page's connection to a shell: bytes as binary messages both ways, and short words beside them as text.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use divisi_workspace::TerminalEnd;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Held, Over, Place};
use crate::auth::Caller;
use crate::types::{TerminalNews, TerminalWord};

/// Longest message that is heard.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// Bytes sent at once.
const SEND_BYTES: usize = 32 << 10;
/// How often a page is asked whether it is still there.
const ASK: Duration = Duration::from_secs(15);
/// A page that says nothing for so long is gone, whatever its connection looks like.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// How long saying goodbye may take.
const GOODBYE_MAX: Duration = Duration::from_secs(1);

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The shell is over, and the page was told.
    Over,
    /// The shell was ended, not by itself.
    Cut,
    /// Another page has it.
    Elsewhere,
    /// The browser may no longer be here.
    Revoked,
    /// The daemon ends.
    Stopping,
    /// The page is gone.
    Gone,
    /// The page says what nobody understands.
    Confused,
}

/// Connects a page that has seen the first `from` bytes.
pub(crate) async fn connect(
    socket: WebSocket,
    held: Arc<Held>,
    from: u64,
    caller: Caller,
    stop: CancellationToken,
) {
    let connection = held.attach();
    let (mut sink, stream) = socket.split();
    let why = tokio::select! {
        why = tell(&mut sink, &held, from) => why,
        why = hear(stream, &held) => why,
        () = held.given_away(connection) => Why::Elsewhere,
        () = caller.revoked() => Why::Revoked,
        () = stop.cancelled() => Why::Stopping,
    };
    held.leave(connection);
    if why == Why::Over {
        // Nobody needs to come back for it.
        held.end();
    }
    let (code, reason) = why.said();
    let goodbye = sink.send(Message::Close(Some(CloseFrame { code, reason: reason.into() })));
    drop(tokio::time::timeout(GOODBYE_MAX, goodbye).await);
}

/// Sends what is written, from `from` on.
async fn tell(sink: &mut SplitSink<WebSocket, Message>, held: &Held, from: u64) -> Why {
    let mut written = held.written.subscribe();
    let mut asks = tokio::time::interval_at(Instant::now() + ASK, ASK);
    let begin = held.kept().begin(from);
    // What the page has not seen is on its way to it, and nothing else.
    held.shown.send_replace(begin);
    let news = TerminalNews::Begins { offset: begin, missed: begin.saturating_sub(from) };
    if say(sink, &news).await.is_err() {
        return Why::Gone;
    }
    let mut sent = begin;
    loop {
        let over = written.borrow_and_update().over;
        let bytes = {
            let kept = held.kept();
            let first = kept.begin(sent);
            (first, kept.read(first, SEND_BYTES))
        };
        if bytes.0 > sent {
            let news = TerminalNews::Begins { offset: bytes.0, missed: bytes.0 - sent };
            sent = bytes.0;
            if say(sink, &news).await.is_err() {
                return Why::Gone;
            }
        }
        if !bytes.1.is_empty() {
            sent += bytes.1.len() as u64;
            if sink.send(Message::Binary(bytes.1.into())).await.is_err() {
                return Why::Gone;
            }
            continue;
        }
        let news = match over {
            Some(Over::Ended(TerminalEnd::Exited(code))) => Some(TerminalNews::Exited { code }),
            Some(Over::Ended(TerminalEnd::Signaled(signal))) => Some(TerminalNews::Signaled { signal }),
            Some(Over::Cut) => return Why::Cut,
            None => None,
        };
        if let Some(news) = news {
            return if say(sink, &news).await.is_ok() { Why::Over } else { Why::Gone };
        }
        tokio::select! {
            changed = written.changed() => if changed.is_err() { return Why::Cut },
            _ = asks.tick() => if sink.send(Message::Ping(Default::default())).await.is_err() { return Why::Gone },
        }
    }
}

async fn say(sink: &mut SplitSink<WebSocket, Message>, news: &TerminalNews) -> Result<(), axum::Error> {
    let text = serde_json::to_string(news).map_err(axum::Error::new)?;
    sink.send(Message::Text(text.into())).await
}

/// Takes what is typed and said.
async fn hear(mut stream: SplitStream<WebSocket>, held: &Held) -> Why {
    loop {
        let Ok(Some(Ok(message))) = tokio::time::timeout(SILENCE_MAX, stream.next()).await else {
            return Why::Gone;
        };
        match message {
            // While the program does not read, what is typed after this waits at the page.
            Message::Binary(bytes) => {
                if held.typed.send(bytes.into()).await.is_err() {
                    // It has ended; the page is told so by the other half.
                    return std::future::pending().await;
                }
            }
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(TerminalWord::Size { columns, rows }) => {
                    held.size.send_replace(crate::types::TerminalRequest { columns, rows });
                }
                Ok(TerminalWord::Shown { offset }) => held.shown_up_to(offset),
                Err(_) => return Why::Confused,
            },
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Close(_) => return Why::Gone,
        }
    }
}

impl Held {
    /// Takes the terminal; whoever had it before loses it. The number of this connection.
    fn attach(&self) -> u64 {
        let mut connection = 0;
        self.place.send_modify(|place| {
            connection = place.connection + 1;
            *place = Place { connection, away: None };
        });
        connection
    }

    fn leave(&self, connection: u64) {
        self.place.send_modify(|place| {
            if place.connection == connection {
                place.away = Some(Instant::now());
            }
        });
    }

    /// Waits until another connection has the terminal.
    async fn given_away(&self, connection: u64) {
        let mut place = self.place.subscribe();
        drop(place.wait_for(|place| place.connection != connection).await);
    }

    fn shown_up_to(&self, offset: u64) {
        let written = self.written.borrow().bytes;
        self.shown.send_modify(|shown| *shown = (*shown).max(offset.min(written)));
    }
}

impl Why {
    fn said(self) -> (u16, &'static str) {
        match self {
            Self::Over => (close_code::NORMAL, "the shell has ended"),
            Self::Cut => (close_code::NORMAL, "it was closed"),
            Self::Elsewhere => (close_code::POLICY, "it was opened on another page"),
            Self::Revoked => (close_code::POLICY, "this browser may not be here any more"),
            Self::Stopping => (close_code::AWAY, "the daemon ends"),
            Self::Gone => (close_code::NORMAL, ""),
            Self::Confused => (close_code::INVALID, "that was not understood"),
        }
    }
}
