//! The task that keeps the connection to a shim, as long as anybody holds the launch.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;

use super::dir;
use super::exit::{Exit, Outcome};
use super::reach::{Reached, reach};
use super::shim_command::ShimCommand;
use super::spec::Spec;
use super::wire::{LINE_BYTES_MAX, Line, Op, Progress, Refusal, Request, encode};

/// First and longest pause between two tries to get a lost launch back.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// What is known of a launch at the moment.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) progress: Progress,
    pub(super) link: LinkState,
}

#[derive(Debug, Clone)]
pub(super) enum LinkState {
    /// Connected, and the progress is fresh.
    Live,
    /// The shim was lost, a new one is on its way; if that failed, why.
    Broken(Option<String>),
    /// Over; the progress is the last.
    Ended(Exit),
}

/// A request on its way to the shim.
pub(super) struct Ask {
    pub(super) op: Op,
    pub(super) payload: Vec<u8>,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// What became of a request; `None` if the connection was lost before that was known.
pub(super) type Answer = Option<Result<u64, Refusal>>;

pub(super) struct Link {
    pub(super) launch: PathBuf,
    pub(super) spec: Spec,
    pub(super) shim: ShimCommand,
    pub(super) asks: mpsc::Receiver<Ask>,
    pub(super) view: watch::Sender<View>,
}

/// Who waits for the answer to which request.
type Pending = HashMap<u64, oneshot::Sender<Answer>>;

/// How a connection came to its end.
enum End {
    Ended,
    Lost,
    /// Nobody holds the launch any more.
    Released,
}

impl Link {
    /// Serves until the launch ends or is released.
    pub(super) async fn run(mut self, first: BufReader<UnixStream>) {
        let mut stream = Some(first);
        let mut pause = RETRY.0;
        loop {
            if let Some(stream) = stream.take() {
                let mut pending = Pending::new();
                match self.converse(stream, &mut pending).await {
                    End::Released => return,
                    End::Ended => return self.ended(None),
                    End::Lost => pause = RETRY.0,
                }
                // Said before the pending requests learn that they failed, so that they wait for fresh news.
                self.view.send_modify(|view| view.link = LinkState::Broken(None));
                drop(pending);
            }
            match reach(&self.launch, &self.spec, &self.shim).await {
                Ok(Reached::Live(new)) => stream = Some(new),
                Ok(Reached::Ended(exit)) => return self.ended(Some(exit)),
                Err(error) => {
                    let why = error.to_string();
                    self.view.send_modify(|view| view.link = LinkState::Broken(Some(why)));
                    if !self.refuse_during(pause).await {
                        return;
                    }
                    pause = (pause * 2).min(RETRY.1);
                }
            }
        }
    }

    async fn converse(&mut self, mut stream: BufReader<UnixStream>, pending: &mut Pending) -> End {
        let mut next_id = 1;
        let mut line = Vec::new();
        let subscribe = Request { id: 0, len: 0, op: Op::Subscribe };
        if stream.write_all(&encode(&subscribe)).await.is_err() {
            return End::Lost;
        }
        loop {
            tokio::select! {
                read = stream.read_until(b'\n', &mut line) => {
                    if !matches!(read, Ok(1..)) || line.last() != Some(&b'\n') || line.len() > LINE_BYTES_MAX {
                        return End::Lost;
                    }
                    let parsed = serde_json::from_slice(&line);
                    line.clear();
                    match parsed {
                        Ok(Line::Progress(progress)) => {
                            let link = LinkState::Live;
                            if progress.ended {
                                self.view.send_modify(|view| view.progress = progress);
                                return End::Ended;
                            }
                            drop(self.view.send_replace(View { progress, link }));
                        }
                        Ok(Line::Done { id, stdin_len }) => {
                            self.view.send_if_modified(|view| {
                                let grown = view.progress.stdin_len < stdin_len;
                                view.progress.stdin_len = view.progress.stdin_len.max(stdin_len);
                                grown
                            });
                            settle(pending.remove(&id), Some(Ok(stdin_len)));
                        }
                        Ok(Line::Refused { id, why }) => settle(pending.remove(&id), Some(Err(why))),
                        Ok(Line::Hello { .. } | Line::Unknown) => {}
                        Err(_) => return End::Lost,
                    }
                }
                ask = self.asks.recv() => {
                    let Some(Ask { op, payload, answer }) = ask else { return End::Released };
                    let request = Request { id: next_id, len: payload.len(), op };
                    pending.insert(next_id, answer);
                    next_id += 1;
                    let mut bytes = encode(&request);
                    bytes.extend_from_slice(&payload);
                    if stream.write_all(&bytes).await.is_err() {
                        return End::Lost;
                    }
                }
            }
        }
    }

    /// Waits for a while, and tells whoever asks that there is no connection. `false` if nobody is left to ask.
    async fn refuse_during(&mut self, pause: Duration) -> bool {
        let over = sleep(pause);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return true,
                ask = self.asks.recv() => match ask {
                    Some(ask) => settle(Some(ask.answer), None),
                    None => return false,
                },
            }
        }
    }

    fn ended(self, exit: Option<Exit>) {
        let recorded = || dir::read_json(&self.launch, dir::EXIT).ok().flatten();
        let unknown = || Outcome::Lost { why: format!("{} cannot be read", dir::EXIT) };
        let exit = exit.or_else(recorded).unwrap_or_else(|| Exit::without_start(unknown()));
        self.view.send_modify(|view| *view = over(&self.launch, exit, view.progress));
    }
}

/// The view of a launch that has ended, with the lengths that the files have.
pub(super) fn over(launch: &std::path::Path, exit: Exit, last: Progress) -> View {
    let len = |name: &str| std::fs::metadata(launch.join(name)).map_or(0, |found| found.len());
    let progress = Progress {
        journal_len: len(dir::OUT_JOURNAL),
        err_len: len(dir::ERR_LOG),
        stdin_len: super::stdin::accepted(launch).unwrap_or(last.stdin_len),
        stdin_open: false,
        paused: None,
        ended: true,
    };
    View { progress, link: LinkState::Ended(exit) }
}

fn settle(waiting: Option<oneshot::Sender<Answer>>, answer: Answer) {
    if let Some(waiting) = waiting {
        // Whoever asked may have stopped waiting.
        drop(waiting.send(answer));
    }
}
