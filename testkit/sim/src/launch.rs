//! A simulated launch: input that is accepted exactly once, output that comes in pieces of any length.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use divisi_engine::StepError;
use divisi_engine::worker::{Launch, Output};
use divisi_workspace::launch::{Exit, Followed, RequestError, State, Status};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use crate::scenario::Point;
use crate::worker::lost;
use crate::world::{Next, Shared, World};

/// A launch that was started or taken up.
pub(crate) struct SimLaunch {
    pub(crate) shared: Arc<Shared>,
    pub(crate) dir: PathBuf,
}

struct SimOutput {
    shared: Arc<Shared>,
    dir: PathBuf,
    offset: u64,
}

impl SimLaunch {
    /// Something is sent to the process. What went wrong on the way is told as the shim's client tells it.
    async fn send<T>(
        &self,
        what: &str,
        act: impl FnOnce(&mut World) -> Result<T, RequestError>,
    ) -> Result<T, RequestError> {
        let mut answer = None;
        let sent = self.shared.effect(Point::Send, what, |world| {
            answer = Some(act(world));
            Ok::<(), StepError>(())
        });
        match sent.await {
            Ok(()) => answer.unwrap_or(Err(RequestError::Ended)),
            Err(error) => Err(RequestError::Unreachable(Some(error.0))),
        }
    }
}

impl Launch for SimLaunch {
    fn status(&self) -> Status {
        let world = self.shared.lock();
        world.processes.get(&self.dir).map_or_else(
            || Status {
                state: State::Ended(lost()),
                journal_len: 0,
                err_len: 0,
                stdin_len: 0,
                stdin_open: false,
                paused: None,
            },
            |process| process.status(),
        )
    }

    fn write<'a>(&'a self, offset: u64, bytes: &'a [u8]) -> BoxFuture<'a, Result<u64, RequestError>> {
        let write = self.send("send", move |world| {
            let Some(process) = world.processes.get_mut(&self.dir) else { return Err(RequestError::Ended) };
            if !process.runs() {
                return Err(RequestError::Ended);
            }
            let (at, end) = (process.input.len() as u64, offset + bytes.len() as u64);
            if offset == at {
                if process.input_closed {
                    return Err(RequestError::Closed);
                }
                process.input.extend_from_slice(bytes);
                world.note(&String::from_utf8_lossy(bytes));
                let millis = world.chance.between(1, 3_000);
                world.later(millis, Next::Hear(self.dir.clone()));
                return Ok(end);
            }
            let place =
                usize::try_from(offset).unwrap_or(usize::MAX)..usize::try_from(end).unwrap_or(usize::MAX);
            match process.input.get(place) == Some(bytes) {
                true => Ok(end),
                false => Err(RequestError::Offset { stdin_len: at }),
            }
        });
        write.boxed()
    }

    fn close_stdin(&self, _offset: u64) -> BoxFuture<'_, Result<(), RequestError>> {
        let close = self.send("close the input", |world| {
            if let Some(process) = world.processes.get_mut(&self.dir) {
                process.input_closed = true;
                world.later(10, Next::Hear(self.dir.clone()));
            }
            Ok(())
        });
        close.boxed()
    }

    fn terminate(&self) -> BoxFuture<'_, Result<(), RequestError>> {
        let terminate = self.send("terminate", |world| {
            world.terminate(&self.dir);
            Ok(())
        });
        terminate.boxed()
    }

    fn wait(&self) -> BoxFuture<'_, Exit> {
        let wait = async {
            loop {
                let news = self.shared.news.notified();
                tokio::pin!(news);
                news.as_mut().enable();
                {
                    let world = self.shared.lock();
                    let exit =
                        world.processes.get(&self.dir).map_or(Some(lost()), |process| process.exit.clone());
                    if let (Some(exit), false, false) = (exit, world.away, world.crashed) {
                        return exit;
                    }
                }
                news.await;
            }
        };
        wait.boxed()
    }

    fn follow(&self, from: u64) -> io::Result<Box<dyn Output>> {
        Ok(Box::new(SimOutput { shared: Arc::clone(&self.shared), dir: self.dir.clone(), offset: from }))
    }

    fn load_stdin(&self) -> io::Result<Vec<u8>> {
        let world = self.shared.lock();
        Ok(world.processes.get(&self.dir).map(|process| process.input.clone()).unwrap_or_default())
    }

    fn errors(&self, _bytes: u64) -> String {
        String::new()
    }
}

impl SimOutput {
    fn look(&mut self) -> Option<Followed> {
        let mut world = self.shared.lock();
        if world.away || world.crashed {
            return None;
        }
        let Some(process) = world.processes.get(&self.dir) else { return Some(Followed::Ended(lost())) };
        let rest = process.out.get(usize::try_from(self.offset).unwrap_or(usize::MAX)..).unwrap_or_default();
        if rest.is_empty() {
            return process.exit.clone().map(Followed::Ended);
        }
        let rest = rest.to_vec();
        let whole = world.calm || world.chance.percent(70);
        let length = if whole { rest.len() as u64 } else { world.chance.between(1, rest.len() as u64) };
        let bytes = rest[..usize::try_from(length).unwrap_or(rest.len())].to_vec();
        let offset = self.offset;
        self.offset += length;
        Some(Followed::Bytes { offset, bytes })
    }
}

impl Output for SimOutput {
    fn offset(&self) -> u64 {
        self.offset
    }

    fn next(&mut self) -> BoxFuture<'_, io::Result<Followed>> {
        let next = async {
            let shared = Arc::clone(&self.shared);
            loop {
                let news = shared.news.notified();
                tokio::pin!(news);
                news.as_mut().enable();
                if let Some(followed) = self.look() {
                    return Ok(followed);
                }
                news.await;
            }
        };
        next.boxed()
    }
}
