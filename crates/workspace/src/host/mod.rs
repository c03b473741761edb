//! One agent process for several sessions.
//!
//! ```text
//! shim ─► init ─► relay ──┐  host.sock
//! shim ─► init ─► relay ──┼───────────► host ─► agent
//! shim ─► init ─► relay ──┘              ▲
//!                          shim ─► init ─┘
//! ```
//!
//! A session that shares its agent has a launch of its own all the same: instead of the agent's command it runs a
//! [*relay*](relay_main), which copies bytes between its standard streams and the socket of a [*host*](host_main). The
//! host has a launch too, runs the agent once, and gives each line to whom its [`Router`] says. Neither knows a session,
//! a protocol or the daemon.
//!
//! The socket lies in the launch folder of the host, which nobody else enters, and each end asks the kernel who the
//! other is.

mod lines;
mod process;
mod relay;
mod serve;
mod writer;

use std::path::PathBuf;
use std::time::Duration;

use crate::launch::Spec;

pub use process::host_main;
pub use relay::relay_main;

/// The socket of a host, in its launch folder.
const SOCKET: &str = "host.sock";
/// Why a host has ended, in its launch folder, for the relays.
const WHY: &str = "why";
/// Made in a host's launch folder by whoever is about to start a relay for it: it does not end then.
pub const WANTED: &str = "wanted";
/// Made there by the host when nobody has wanted it for long. Whoever finds it does not start a relay.
///
/// The host looks for [`WANTED`] *after* it has made this, and who wants it looks for this *after* having made
/// [`WANTED`], so one of the two always sees the other.
pub const OVER: &str = "over";

/// Whoever is at the other end of a relay, by a number that no other has.
pub type Client = u64;

/// Decides which line goes to whom. Lines come without their line feed and go with it; times are in milliseconds since
/// the host began.
pub trait Router {
    /// A client is there.
    fn joined(&mut self, client: Client);
    /// A line of a client.
    fn said(&mut self, client: Client, line: &[u8]) -> Vec<Route>;
    /// A line of the agent.
    fn heard(&mut self, line: &[u8], now: u64) -> Vec<Route>;
    /// A client is gone.
    fn left(&mut self, client: Client, now: u64) -> Vec<Route>;
    /// It is [`Router::due`].
    fn look_at_clock(&mut self, now: u64) -> Vec<Route>;
    /// When to look at the clock.
    fn due(&self) -> Option<u64>;
}

/// What a host does next.
#[derive(Debug)]
pub enum Route {
    /// Gives the agent a line.
    Agent(Vec<u8>),
    /// Gives a client a line.
    Client(Client, Vec<u8>),
    /// Writes a line into the log.
    Note(String),
    /// Ends.
    End(String),
}

/// Makes the spec of an agent that of a host of this agent. `dir` is the launch folder of the host; it ends when its
/// last client has been gone for as long as `linger`.
pub fn host_spec(divisi: PathBuf, agent: Spec, dir: PathBuf, linger: Duration) -> Spec {
    let mut argv = vec![divisi.into(), "host".into(), agent.cwd.into_os_string()];
    argv.push(linger.as_millis().to_string().into());
    argv.extend(agent.argv);
    Spec { argv, cwd: dir, stdin: crate::launch::Stdin::Null, ..agent }
}

/// The spec of a relay to the host with this launch folder, in the workspace of its session.
pub fn relay_spec(divisi: PathBuf, host: PathBuf, workspace: PathBuf) -> Spec {
    let mut spec = Spec::new([divisi.into_os_string(), "relay".into(), host.into()], workspace);
    spec.stdin = crate::launch::Stdin::Journaled;
    spec
}
