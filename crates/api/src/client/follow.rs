//! Following a live feed, over broken connections and restarts of the daemon.

use std::marker::PhantomData;
use std::pin::Pin;

use futures::{Stream, StreamExt};
use serde::de::DeserializeOwned;

use super::request::{FIRST_PAUSE, LONGEST_PAUSE, Method};
use super::sse::Reader;
use super::{Client, ClientError};

/// How often a lost daemon is looked for before a feed gives up.
const TRIES_MAX: u32 = 60;
type Bytes = Pin<Box<dyn Stream<Item = reqwest::Result<Vec<u8>>> + Send>>;

/// A live feed. What came before a broken connection is not sent again: it goes on by `Last-Event-ID`.
pub struct Follow<T> {
    client: Client,
    path: String,
    last: u64,
    connection: Option<(Bytes, Reader)>,
    what: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Follow<T> {
    pub(super) fn new(client: Client, path: String, after: u64) -> Self {
        Self { client, path, last: after, connection: None, what: PhantomData }
    }

    /// The number of the last event that was given.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The next event. Waits as long as it takes; safe to drop while it waits, nothing is lost.
    pub async fn next(&mut self) -> Result<T, ClientError> {
        loop {
            if self.connection.is_none() {
                self.connect().await?;
            }
            let Some((bytes, reader)) = &mut self.connection else { continue };
            while let Some(event) = reader.next() {
                let Some(id) = event.id else { continue };
                let value = serde_json::from_str(&event.data)
                    .map_err(|source| ClientError::Answer { status: 200, source })?;
                self.last = id;
                return Ok(value);
            }
            match bytes.next().await {
                Some(Ok(piece)) => reader.push(&piece)?,
                Some(Err(_)) | None => self.connection = None,
            }
        }
    }

    /// Connects, again and again for a while. A refusal of the daemon is final.
    async fn connect(&mut self) -> Result<(), ClientError> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..TRIES_MAX {
            let last = self.last.to_string();
            let headers = [("last-event-id", last.as_str()), ("accept", "text/event-stream")];
            match self.client.send_raw(Method::GET, &self.path, None::<&()>, &headers).await {
                Ok(response) => {
                    let bytes = response.bytes_stream().map(|piece| piece.map(|piece| piece.to_vec()));
                    self.connection = Some((Box::pin(bytes), Reader::default()));
                    return Ok(());
                }
                // A daemon that was started anew has another token; it is looked up before the next try.
                Err(ClientError::Problem(problem))
                    if self.client.locate.is_none()
                        || problem.kind != crate::types::ProblemKind::Unauthorized =>
                {
                    return Err(problem.into());
                }
                Err(_) => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    self.client.relocate();
                }
            }
        }
        Err(ClientError::Gone(TRIES_MAX))
    }
}
