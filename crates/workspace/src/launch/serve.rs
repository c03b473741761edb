//! The loop of a shim: drains the output, serves the daemons that connect, and sees the launch to its end.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, WaitOptions, getpid, pidfd_send_signal};

use super::cgroup::{Cgroup, CgroupPlace};
use super::client::Client;
use super::dir::{self, Sync};
use super::exit::{EndedBy, Exit, Outcome};
use super::init::{self, End, timespec};
use super::journal::{Drain, Drained, Pause};
use super::leftovers::end_leftovers;
use super::os;
use super::spec::{OnCap, Spec, Stdin};
use super::stdin::Accepting;
use super::trim::REST_AFTER;
use super::wire::{Line, Op, Progress, Refusal, Request, WIRE_VERSION};

/// Daemons that may be connected at once; there is one, or two at a change of versions, and people who look.
const CLIENTS_MAX: usize = 16;
/// Least time between two notices that the journal has grown.
const NOTICE_PAUSE: Duration = Duration::from_millis(4);
/// Time between two tries when output cannot be taken.
const PAUSE_RETRY: Duration = Duration::from_millis(250);
/// Time that clients have to read the last notice.
const LINGER_MAX: Duration = Duration::from_secs(1);

/// A shim at work.
pub(super) struct Server {
    launch: PathBuf,
    spec: Spec,
    cgroup: Option<Cgroup>,
    init: OwnedFd,
    out: Drain,
    err: Option<Drain>,
    out_paused: Option<Pause>,
    err_paused: Option<Pause>,
    retry_at: Option<Instant>,
    input: Option<Accepting>,
    listener: UnixListener,
    clients: Vec<Client>,
    init_gone: bool,
    limit_told: bool,
    told: Progress,
    told_at: Option<Instant>,
    /// When there was something to do last; nothing once it has come to rest.
    active_at: Option<Instant>,
}

impl Server {
    pub(super) fn new(
        launch: &Path,
        spec: Spec,
        cgroup: Option<Cgroup>,
        init: OwnedFd,
        out: Drain,
        err: Option<Drain>,
    ) -> io::Result<Server> {
        let input = match spec.stdin {
            Stdin::Journaled => Some(Accepting::open(launch)?),
            Stdin::Null | Stdin::File(_) => None,
        };
        let socket = launch.join(dir::SOCKET);
        match fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&socket)?;
        listener.set_nonblocking(true)?;
        let mut server = Server {
            launch: launch.to_owned(),
            spec,
            cgroup,
            init,
            out,
            err,
            out_paused: None,
            err_paused: None,
            retry_at: None,
            input,
            listener,
            clients: Vec::new(),
            init_gone: false,
            limit_told: false,
            told: Progress::default(),
            told_at: None,
            active_at: Some(Instant::now()),
        };
        // A shim that was killed may have accepted something and not said so.
        server.signal(init::NUDGE);
        server.told = server.progress();
        Ok(server)
    }

    /// Serves whoever holds the other end of `stream`, as if it had connected and asked for the progress. What is no
    /// socket is closed.
    pub(super) fn welcome_first(&mut self, stream: UnixStream) {
        if let Some(client) = self.welcome(stream) {
            client.subscribe();
            let told = self.told;
            self.clients.iter_mut().for_each(|client| client.flush(&told));
        }
    }

    /// Nobody is served any more, and nobody was yet.
    pub(super) fn leave(launch: &Path) {
        drop(fs::remove_file(launch.join(dir::SOCKET)));
    }

    /// Serves until the launch is over and everybody who wants to know it knows it.
    pub(super) fn run(&mut self) {
        while !self.progress().ended {
            self.wait();
            self.drain();
            if self.init_gone && !self.launch.join(dir::EXIT).exists() {
                self.lost();
            }
            self.accept();
            self.serve();
            self.tell();
        }
        Self::leave(&self.launch);
        CgroupPlace::find().sweep();
        let until = Instant::now() + LINGER_MAX;
        self.clients.retain(|client| client.wants_progress());
        while !self.clients.is_empty() && Instant::now() < until {
            let last = self.progress();
            self.clients.iter_mut().for_each(|client| client.flush(&last));
            self.clients.retain(|client| client.is_open() && client.has_output());
            let mut fds: Vec<_> = self.clients.iter().map(|c| PollFd::new(c, PollFlags::OUT)).collect();
            if !fds.is_empty() {
                poll(&mut fds, Some(&timespec(until.saturating_duration_since(Instant::now())))).ok();
            }
        }
    }

    fn wait(&mut self) {
        let mut deadline = self.retry_at;
        if self.told != self.progress() {
            let at = self.told_at.map_or_else(Instant::now, |at| at + NOTICE_PAUSE);
            deadline = Some(deadline.map_or(at, |earlier| earlier.min(at)));
        }
        if let Some(rest_at) = self.active_at.map(|at| at + REST_AFTER) {
            deadline = Some(deadline.map_or(rest_at, |earlier| earlier.min(rest_at)));
        }
        let timeout = deadline.map(|at| timespec(at.saturating_duration_since(Instant::now())));
        let mut fds = vec![PollFd::new(&self.listener, PollFlags::IN)];
        let mut init_at = None;
        if !self.init_gone {
            init_at = Some(fds.len());
            fds.push(PollFd::new(&self.init, PollFlags::IN));
            // Without writers a FIFO is always "ready", and without the init process there may be none.
            if self.out_paused.is_none() {
                fds.push(PollFd::new(&self.out, PollFlags::IN));
            }
            if let Some(err) = self.err.as_ref().filter(|_| self.err_paused.is_none()) {
                fds.push(PollFd::new(err, PollFlags::IN));
            }
        }
        fds.extend(
            self.clients.iter().map(|client| PollFd::from_borrowed_fd(client.as_fd(), client.interest())),
        );
        if let Ok(ready) = poll(&mut fds, timeout.as_ref()) {
            if ready > 0 {
                self.active_at = Some(Instant::now());
            } else if self.active_at.is_some_and(|at| at.elapsed() >= REST_AFTER) {
                self.active_at = None;
                super::trim::let_go_of_code();
            }
            let gone = init_at.and_then(|at| fds.get(at)).is_some_and(|fd| !fd.revents().is_empty());
            self.init_gone |= gone;
        }
    }

    fn drain(&mut self) {
        let may_retry = self.retry_at.is_none_or(|at| at <= Instant::now());
        // What the pipes still hold when the child is gone is little, and belongs in the journal.
        if self.out_paused == Some(Pause::Cap) && (self.init_gone || self.launch.join(dir::EXIT).exists()) {
            self.out.cap = u64::MAX;
        }
        if self.out_paused.is_none() || may_retry {
            self.out_paused = turn(&mut self.out, self.init_gone);
        }
        if let Some(err) = self.err.as_mut().filter(|_| self.err_paused.is_none() || may_retry) {
            self.err_paused = turn(err, self.init_gone);
        }
        if self.out_paused.is_none() && self.err_paused.is_none() {
            self.retry_at = None;
        } else if may_retry {
            self.retry_at = Some(Instant::now() + PAUSE_RETRY);
        }
        if self.out_paused == Some(Pause::Cap) && self.spec.on_cap == OnCap::End && !self.limit_told {
            self.limit_told = true;
            self.end(End { by: EndedBy::OutputLimit, grace_ms: None });
        }
        if self.init_gone {
            while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
        }
    }

    fn progress(&self) -> Progress {
        let paused = self.out_paused.or(self.err_paused);
        Progress {
            journal_len: self.out.len,
            err_len: self.err.as_ref().map_or(0, |err| err.len),
            stdin_len: self.input.as_ref().map_or(0, |input| input.len),
            stdin_open: self.input.as_ref().is_some_and(|input| input.open) && !self.init_gone,
            paused,
            ended: self.init_gone && paused.is_none(),
        }
    }

    fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            if self.clients.len() < CLIENTS_MAX {
                self.welcome(stream);
            }
        }
    }

    fn welcome(&mut self, stream: UnixStream) -> Option<&mut Client> {
        let mut client = Client::new(stream).ok()?;
        client.say(&Line::Hello { version: WIRE_VERSION, shim_pid: std::process::id() });
        self.clients.push(client);
        self.clients.last_mut()
    }

    fn serve(&mut self) {
        let mut clients = std::mem::take(&mut self.clients);
        for client in &mut clients {
            client.read();
            while let Some(next) = client.next_request() {
                match next {
                    Ok((request, payload)) => {
                        let id = request.id;
                        let line = match self.answer(client, request, &payload) {
                            Ok(stdin_len) => Line::Done { id, stdin_len },
                            Err(why) => Line::Refused { id, why },
                        };
                        client.say(&line);
                    }
                    Err(why) => client.say(&Line::Refused { id: 0, why: Refusal::Other { why } }),
                }
            }
        }
        clients.retain(Client::is_open);
        self.clients = clients;
    }

    fn answer(&mut self, client: &mut Client, request: Request, payload: &[u8]) -> Result<u64, Refusal> {
        let stdin_len = self.input.as_ref().map_or(0, |input| input.len);
        if self.init_gone && request.op != Op::Subscribe {
            return Err(Refusal::Ended);
        }
        match request.op {
            Op::Subscribe => client.subscribe(),
            Op::Write { offset } => {
                let input = self.input.as_mut().ok_or(Refusal::Closed { stdin_len })?;
                let stdin_len = input.accept(offset, payload)?;
                self.signal(init::NUDGE);
                return Ok(stdin_len);
            }
            Op::CloseStdin { offset } => {
                let input = self.input.as_mut().ok_or(Refusal::Closed { stdin_len })?;
                let stdin_len = input.close(offset)?;
                self.signal(init::NUDGE);
                return Ok(stdin_len);
            }
            Op::Terminate { grace_ms } => self.end(End { by: EndedBy::Terminate, grace_ms }),
            Op::Kill => self.end(End { by: EndedBy::Kill, grace_ms: Some(0) }),
            Op::Cap { bytes } => {
                // Kept, because the next shim must not pause what this one was told to let go.
                dir::write_json(&self.launch, dir::CAP, &bytes, Sync::No)
                    .map_err(|error| Refusal::Full { why: error.to_string() })?;
                self.out.cap = bytes.max(1);
                self.limit_told = false;
                self.retry_at = self.retry_at.map(|_| Instant::now());
            }
            Op::Unknown => return Err(Refusal::Unknown),
        }
        Ok(stdin_len)
    }

    fn tell(&mut self) {
        let now = self.progress();
        let due = self.told_at.is_none_or(|at| at + NOTICE_PAUSE <= Instant::now());
        if now != self.told && (due || now.ended) {
            self.told = now;
            self.told_at = Some(Instant::now());
            self.clients.iter_mut().for_each(Client::outdated);
        }
        let told = self.told;
        self.clients.iter_mut().for_each(|client| client.flush(&told));
        self.clients.retain(Client::is_open);
    }

    fn end(&mut self, how: End) {
        // The first reason counts: whoever kills what was asked to end does so because of that.
        let first: Option<End> = dir::read_json(&self.launch, dir::END).ok().flatten();
        let by = first.map_or(how.by, |first| first.by);
        // Without the file (a full disk) the init process still ends, with the grace of the spec.
        if let Err(error) = dir::write_json(&self.launch, dir::END, &End { by, ..how }, Sync::No) {
            os::complain(&format!("{}: {error}", dir::END));
        }
        self.signal(if how.by == EndedBy::Kill { init::KILL } else { init::TERMINATE });
        // The child may have stopped its own init process.
        self.signal(Signal::CONT);
    }

    fn signal(&mut self, signal: Signal) {
        // An init process that is gone shows on its pidfd.
        pidfd_send_signal(&self.init, signal).ok();
    }

    /// The init process was killed. Its children are ours now if we forked it; otherwise they carry the mark.
    fn lost(&mut self) {
        let own = getpid().as_raw_nonzero().get();
        let ended = end_leftovers(&self.spec.id, self.cgroup.as_ref(), Some(own));
        let why = "its init process was killed".to_owned();
        let exit = Exit { strays_ended: ended as u32, ..Exit::without_start(Outcome::Lost { why }) };
        if let Err(error) = dir::write_json(&self.launch, dir::EXIT, &exit, Sync::Disk) {
            os::complain(&format!("{}: {error}", dir::EXIT));
        }
    }
}

/// Drains a turn, or to the end when no more can come.
fn turn(drain: &mut Drain, to_the_end: bool) -> Option<Pause> {
    loop {
        match drain.turn() {
            Ok(Drained::More) if to_the_end => {}
            Ok(Drained::Empty | Drained::More) => return None,
            Ok(Drained::Paused(why)) => return Some(why),
            Err(error) => {
                os::complain(&format!("draining: {error}"));
                return Some(Pause::NoSpace);
            }
        }
    }
}
