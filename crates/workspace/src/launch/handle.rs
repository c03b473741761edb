//! What the daemon holds of a launch.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::dir::{self, ReadError};
use super::exit::{Exit, Outcome};
use super::follow::Follower;
use super::identity::Identity;
use super::link::{Answer, Ask, Link, LinkState, View, over};
use super::reach::{LaunchError, Reached, reach, spec, start};
use super::shim_command::ShimCommand;
use super::spec::Spec;
use super::status::{RequestError, State, Status};
use super::wire::{Op, PAYLOAD_BYTES_MAX, Progress, Refusal};

/// Requests on their way to one shim at once.
const REQUESTS_MAX: usize = 64;
/// Time that a request waits for a lost shim to be replaced.
const RECONNECT_MAX: Duration = Duration::from_secs(60);

/// A launch that was started or attached to. Cheap to clone; dropping all clones lets go of it and ends nothing.
#[derive(Clone)]
pub struct Launch {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    spec: Spec,
    asks: mpsc::Sender<Ask>,
    view: watch::Receiver<View>,
}

impl Launch {
    /// Starts `spec` in the directory `dir`, which is made if it is not there. Returns when the child runs.
    pub async fn start(dir: &Path, spec: &Spec, shim: &ShimCommand) -> Result<Launch, LaunchError> {
        let dir = absolute(dir)?;
        let launch = match start(&dir, spec, shim).await? {
            Some(stream) => Launch::hold(dir, spec.clone(), shim, Reached::Live(stream)).await,
            None => Launch::attach(&dir, shim).await?,
        };
        match launch.status().state {
            State::Ended(Exit { outcome: Outcome::NotStarted { error }, .. }) => {
                Err(LaunchError::NotStarted(error))
            }
            _ => Ok(launch),
        }
    }

    /// Finds a launch again: connects to its shim, or replaces a shim that was killed, or learns how it ended.
    pub async fn attach(dir: &Path, shim: &ShimCommand) -> Result<Launch, LaunchError> {
        let dir = absolute(dir)?;
        let spec = spec(&dir)?;
        let reached = reach(&dir, &spec, shim).await?;
        Ok(Launch::hold(dir, spec, shim, reached).await)
    }

    async fn hold(dir: PathBuf, spec: Spec, shim: &ShimCommand, reached: Reached) -> Launch {
        let (asks, incoming) = mpsc::channel(REQUESTS_MAX);
        let view = match reached {
            Reached::Ended(exit) => watch::channel(over(&dir, exit, Progress::default())).1,
            Reached::Live(stream) => {
                let link = LinkState::Broken(None);
                let (sender, mut view) = watch::channel(View { progress: Progress::default(), link });
                let (launch, spec, shim) = (dir.clone(), spec.clone(), shim.clone());
                let link = Link { launch, spec, shim, asks: incoming, view: sender };
                tokio::spawn(link.run(stream));
                // The first news is where it stands; without it, the numbers would be zeros.
                drop(
                    timeout(
                        RECONNECT_MAX,
                        view.wait_for(|view| !matches!(view.link, LinkState::Broken(None))),
                    )
                    .await,
                );
                view
            }
        };
        Launch { inner: Arc::new(Inner { dir, spec, asks, view }) }
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// What was launched.
    pub fn spec(&self) -> &Spec {
        &self.inner.spec
    }

    /// Which processes it is. `None` if nothing could be started.
    pub fn load_identity(&self) -> Result<Option<Identity>, ReadError> {
        dir::read_json(&self.inner.dir, dir::IDENTITY)
    }

    /// Where it stands, as last heard.
    pub fn status(&self) -> Status {
        Status::of(self.inner.view.borrow().clone())
    }

    /// Waits until the status is not `known` any more, and returns it.
    pub async fn changed(&self, known: &Status) -> Status {
        let mut view = self.inner.view.clone();
        loop {
            view.mark_unchanged();
            let now = self.status();
            if now != *known || view.changed().await.is_err() {
                return self.status();
            }
        }
    }

    /// Waits until everything is gone and all output is in the journal.
    pub async fn wait(&self) -> Exit {
        let mut view = self.inner.view.clone();
        loop {
            if let LinkState::Ended(exit) = &view.borrow_and_update().link {
                return exit.clone();
            }
            if view.changed().await.is_err() {
                // The task ends only after it has published the end, unless the runtime is being shut down.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Gives `bytes` to standard input, as what follows the first `offset` bytes ever written. Returns the offset of
    /// the next write. Exactly once: after an error or a crash, write the same again at the same offset, and it is
    /// taken unless it is there already. Up to 8 MiB count whole or not at all.
    pub async fn write(&self, offset: u64, bytes: &[u8]) -> Result<u64, RequestError> {
        let mut at = offset;
        for part in bytes.chunks(PAYLOAD_BYTES_MAX) {
            at = self.write_part(at, part).await?;
        }
        Ok(at)
    }

    /// Ends standard input after the first `offset` bytes ever written.
    pub async fn close_stdin(&self, offset: u64) -> Result<(), RequestError> {
        self.end(Op::CloseStdin { offset }).await
    }

    /// Asks everything of the launch to end, and kills what has not after `grace` (without one, that of the spec).
    /// Returns when the request is on its way; [`Launch::wait`] says when it is done.
    pub async fn terminate(&self, grace: Option<Duration>) -> Result<(), RequestError> {
        let grace_ms = grace.map(|grace| u64::try_from(grace.as_millis()).unwrap_or(u64::MAX));
        self.end(Op::Terminate { grace_ms }).await
    }

    /// Kills everything of the launch.
    pub async fn kill(&self) -> Result<(), RequestError> {
        self.end(Op::Kill).await
    }

    /// Lets the journal grow to `bytes`, so that a launch paused by its bound goes on.
    pub async fn set_journal_cap(&self, bytes: u64) -> Result<(), RequestError> {
        self.ask_again(Op::Cap { bytes }).await
    }

    /// Follows standard output from a byte of the journal on.
    pub fn follow(&self, from: u64) -> io::Result<Follower> {
        Follower::new(self.clone(), self.inner.view.clone(), from)
    }

    /// Everything that was ever written to standard input.
    pub fn load_stdin(&self) -> io::Result<Vec<u8>> {
        let len = super::stdin::accepted(&self.inner.dir)?;
        let mut bytes = Vec::new();
        match File::open(self.inner.dir.join(dir::IN_JOURNAL)) {
            Ok(file) => drop(file.take(len).read_to_end(&mut bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(bytes)
    }

    /// The last `max` bytes of standard error, for telling why something failed.
    pub fn load_err_tail(&self, max: usize) -> io::Result<Vec<u8>> {
        let mut tail = Vec::new();
        for name in [dir::ERR_LOG, dir::ERR_OLD_LOG] {
            let wanted = max - tail.len();
            match File::open(self.inner.dir.join(name)) {
                Ok(file) => {
                    let from = file.metadata()?.len().saturating_sub(wanted as u64);
                    let mut part = vec![0; wanted];
                    let read = file.read_at(&mut part, from)?;
                    part.truncate(read);
                    part.append(&mut tail);
                    tail = part;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(tail)
    }

    async fn write_part(&self, offset: u64, bytes: &[u8]) -> Result<u64, RequestError> {
        loop {
            let after = offset + bytes.len() as u64;
            match self.ask(Op::Write { offset }, bytes.to_vec()).await? {
                Some(Err(Refusal::Offset { stdin_len }))
                    if stdin_len >= after && self.holds(offset, bytes) =>
                {
                    return Ok(after);
                }
                Some(answer) => return answer.map_err(RequestError::from),
                // The shim was killed. Whether it had accepted this, the next one will say.
                None => self.reconnected().await?,
            }
        }
    }

    fn holds(&self, offset: u64, bytes: &[u8]) -> bool {
        let mut found = vec![0; bytes.len()];
        let read = File::open(self.inner.dir.join(dir::IN_JOURNAL))
            .and_then(|journal| journal.read_exact_at(&mut found, offset));
        read.is_ok() && found == bytes
    }

    /// What a launch that has ended has done already.
    async fn end(&self, op: Op) -> Result<(), RequestError> {
        match self.ask_again(op).await {
            Err(RequestError::Ended) => Ok(()),
            result => result,
        }
    }

    /// For requests that may be made twice.
    async fn ask_again(&self, op: Op) -> Result<(), RequestError> {
        loop {
            if let Some(answer) = self.ask(op.clone(), Vec::new()).await? {
                return answer.map(drop).map_err(RequestError::from);
            }
            self.reconnected().await?;
        }
    }

    async fn ask(&self, op: Op, payload: Vec<u8>) -> Result<Answer, RequestError> {
        let (answer, answered) = oneshot::channel();
        if self.inner.asks.send(Ask { op, payload, answer }).await.is_err() {
            return Err(RequestError::Ended);
        }
        Ok(answered.await.unwrap_or(None))
    }

    /// Waits for a fresh connection.
    async fn reconnected(&self) -> Result<(), RequestError> {
        let mut view = self.inner.view.clone();
        let settled = view.wait_for(|view| !matches!(view.link, LinkState::Broken(_)));
        let view = match timeout(RECONNECT_MAX, settled).await {
            Ok(Ok(view)) => view.clone(),
            Ok(Err(_)) => return Err(RequestError::Unreachable(None)),
            Err(_) => {
                let LinkState::Broken(why) = &self.inner.view.borrow().link else {
                    return Err(RequestError::Unreachable(None));
                };
                return Err(RequestError::Unreachable(why.clone()));
            }
        };
        match view.link {
            LinkState::Ended(_) => Err(RequestError::Ended),
            _ => Ok(()),
        }
    }
}

fn absolute(dir: &Path) -> Result<PathBuf, LaunchError> {
    std::path::absolute(dir).map_err(|source| LaunchError::Dir { path: dir.to_owned(), source })
}
