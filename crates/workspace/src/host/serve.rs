//! The loop of a host. It waits for everybody and is kept waiting by nobody.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::AsFd as _;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use rustix::net::sockopt::socket_peercred;
use rustix::process::getuid;
use tokio::io::BufReader;
use tokio::net::{UnixListener, UnixStream};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep_until, timeout};

use super::lines::{self, LINE_BYTES_MAX, Read};
use super::process::{log, tell_why};
use super::writer::Writer;
use super::{Client, OVER, Route, Router, WANTED};

/// Clients at once, whatever the daemon thinks.
const CLIENTS_MAX: usize = 64;
/// Things that happened and that wait to be looked at; whoever makes more happen waits.
const WAITING: usize = 64;
/// How long an agent whose output is over may take to end, or one that has ended to have its output read.
const END_GRACE: Duration = Duration::from_secs(1);
/// How long the last words of an agent may take to their clients.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Something that happened.
enum Event {
    Said(Client, Vec<u8>),
    Left(Client),
    Heard(Vec<u8>),
    Unheard,
    /// The agent's output is over.
    Ended,
}

/// A host at work.
pub(super) struct Host<R> {
    listener: UnixListener,
    router: R,
    agent: Writer,
    clients: BTreeMap<Client, Writer>,
    last_client: Client,
    began: Instant,
    linger: Duration,
    /// Since when there is no client.
    alone_since: Option<Instant>,
    /// Why it ends.
    over: Option<String>,
    happened: Sender<Event>,
}

impl<R: Router> Host<R> {
    pub fn new(listener: UnixListener, stdin: ChildStdin, router: R, linger: Duration) -> Self {
        let now = Instant::now();
        Self {
            listener,
            router,
            agent: Writer::new(stdin),
            clients: BTreeMap::new(),
            last_client: 0,
            began: now,
            linger,
            alone_since: Some(now),
            over: None,
            happened: channel(1).0,
        }
    }

    /// Serves until the agent ends, the router wants an end, or nobody has come for long.
    pub async fn serve(mut self, mut child: Child, stdout: ChildStdout) -> ExitCode {
        let (happened, mut events) = channel(WAITING);
        self.happened = happened.clone();
        tokio::spawn(read_agent(stdout, happened));
        while self.over.is_none() {
            let due = self.router.due().map(|due| self.began + Duration::from_millis(due));
            let alone = self.alone_since.map(|since| since + self.linger);
            tokio::select! {
                Ok((stream, _)) = self.listener.accept() => self.welcome(stream),
                Some(event) = events.recv() => match event {
                    Event::Ended => self.over = Some(ended(timeout(END_GRACE, child.wait()).await.ok())),
                    event => self.look_at(event),
                },
                status = child.wait() => {
                    self.hear_out(&mut events).await;
                    self.over = Some(ended(Some(status)));
                }
                () = at(due) => {
                    let routes = self.router.look_at_clock(self.now());
                    self.go(routes);
                }
                () = at(alone) => {
                    if self.is_unwanted() {
                        return ExitCode::SUCCESS;
                    }
                }
            }
        }
        let why = self.over.take().unwrap_or_default();
        tell_why(&format!("the process of the agent that it shared with other sessions has ended: {why}"));
        let clients = std::mem::take(&mut self.clients);
        let last_words = async {
            for (_, client) in clients {
                client.finish().await;
            }
        };
        drop(timeout(LAST_WORDS, last_words).await);
        // Whatever is left of the agent ends with this launch.
        ExitCode::FAILURE
    }
}

impl<R: Router> Host<R> {
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Lets a client in, if it is of the same user.
    fn welcome(&mut self, stream: UnixStream) {
        let is_ours = socket_peercred(stream.as_fd()).is_ok_and(|peer| peer.uid == getuid());
        if !is_ours || self.clients.len() >= CLIENTS_MAX {
            return log("somebody was turned away");
        }
        self.last_client += 1;
        let client = self.last_client;
        let (from, to) = stream.into_split();
        self.clients.insert(client, Writer::new(to));
        self.alone_since = None;
        self.router.joined(client);
        tokio::spawn(read_client(client, BufReader::new(from), self.happened.clone()));
    }

    fn look_at(&mut self, event: Event) {
        let routes = match event {
            Event::Said(client, line) => self.router.said(client, &line),
            Event::Heard(line) => self.router.heard(&line, self.now()),
            Event::Left(client) => return self.part_from(client),
            Event::Unheard => return log("a line of the agent was too long"),
            Event::Ended => return,
        };
        self.go(routes);
    }

    fn part_from(&mut self, client: Client) {
        let Some(writer) = self.clients.remove(&client) else { return };
        writer.abandon();
        if self.clients.is_empty() {
            self.alone_since = Some(Instant::now());
        }
        let routes = self.router.left(client, self.now());
        self.go(routes);
    }

    fn go(&mut self, routes: Vec<Route>) {
        let mut too_slow = Vec::new();
        for route in routes {
            match route {
                Route::Agent(line) => {
                    if !self.agent.write(line) {
                        self.over.get_or_insert("it does not read what it is told".to_owned());
                    }
                }
                Route::Client(client, line) => {
                    if self.clients.get(&client).is_some_and(|client| !client.write(line)) {
                        too_slow.push(client);
                    }
                }
                Route::Note(text) => log(&text),
                Route::End(why) => drop(self.over.get_or_insert(why)),
            }
        }
        for client in too_slow {
            log("a client that does not read is let go of");
            self.part_from(client);
        }
    }

    /// What an agent that is gone still said.
    async fn hear_out(&mut self, events: &mut Receiver<Event>) {
        let heard = async {
            while let Some(event) = events.recv().await {
                match event {
                    Event::Ended => return,
                    event => self.look_at(event),
                }
            }
        };
        drop(timeout(END_GRACE, heard).await);
    }

    /// Whether nobody is about to come, after nobody has been here for long.
    fn is_unwanted(&mut self) -> bool {
        drop(fs::write(OVER, ""));
        let is_wanted = fs::remove_file(WANTED).is_ok();
        if is_wanted {
            drop(fs::remove_file(OVER));
            self.alone_since = Some(Instant::now());
        }
        !is_wanted
    }
}

async fn read_client(
    client: Client,
    mut stream: BufReader<tokio::net::unix::OwnedReadHalf>,
    happened: Sender<Event>,
) {
    // One whose line is too long is not what it should be.
    while let Ok(Read::Line(line)) = lines::next(&mut stream, LINE_BYTES_MAX).await {
        if happened.send(Event::Said(client, line)).await.is_err() {
            return;
        }
    }
    drop(happened.send(Event::Left(client)).await);
}

async fn read_agent(stdout: ChildStdout, happened: Sender<Event>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let event = match lines::next(&mut stdout, LINE_BYTES_MAX).await {
            Ok(Read::Line(line)) => Event::Heard(line),
            Ok(Read::TooLong) => Event::Unheard,
            Ok(Read::End) | Err(_) => break,
        };
        if happened.send(event).await.is_err() {
            return;
        }
    }
    drop(happened.send(Event::Ended).await);
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// How the agent ended, for people.
fn ended(status: Option<std::io::Result<ExitStatus>>) -> String {
    match status {
        Some(Ok(status)) => status.to_string(),
        _ => "it closed its output".to_owned(),
    }
}
