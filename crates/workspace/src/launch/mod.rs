//! Long-running children that outlive the daemon.
//!
//! Every agent, setup script and check runs as a *launch*: a directory that holds all there is to know about it, and
//! three processes.
//!
//! ```text
//! daemon ··(fork server)··► shim ──► init ──► child ──► whatever it starts
//!    ▲                       │  │      │ feeds stdin, ends and reaps the tree, records exit.json
//!    └──── shim.sock ────────┘  └─ splices stdout.fifo into out.journal
//! ```
//!
//! - The **shim** moves output from FIFOs into files and listens on `shim.sock`. It holds nothing that is not in a
//!   file or in the kernel, so it may be killed at any instruction; [`Launch::attach`] makes a new one.
//! - The **init** process is the parent of everything. It keeps the FIFOs open, so no output is lost and the child
//!   gets neither SIGPIPE nor an end of input while there is no shim. It is a sub-reaper, so nothing escapes it by
//!   `setsid` or a double fork. If it is killed itself, everything of the launch is ended, and the exit says *lost*.
//! - The **fork server** makes the shims of a daemon, so that the program is loaded and linked once and not for every
//!   launch. It ends with its daemon. Where it was killed the shim is executed instead.
//! - The **daemon** may come and go. It holds a [`Launch`], which reconnects by itself.
//!
//! A full disk or a journal at its bound pauses the child in its write; it goes on when there is room.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use divisi_workspace::launch::{Followed, Launch, ShimCommand, Spec, Stdin};
//!
//! let shim = ShimCommand::new(std::env::current_exe()?, ["shim"]).with_fork_server();
//! let mut spec = Spec::new(["some-agent", "--acp"], "/path/of/workspace");
//! spec.env.insert("PATH".into(), "/usr/bin:/bin".into());
//! spec.stdin = Stdin::Journaled;
//! let launch = Launch::start("/path/of/launch".as_ref(), &spec, &shim).await?;
//!
//! // Later, perhaps in another process: let launch = Launch::attach(dir, &shim).await?;
//! let next = launch.write(launch.status().stdin_len, b"{\"jsonrpc\":\"2.0\"}\n").await?;
//! let mut output = launch.follow(0)?;
//! while let Followed::Bytes { offset, bytes } = output.next().await? {
//!     println!("{} bytes at {offset}, input stands at {next}", bytes.len());
//! }
//! launch.terminate(None).await?;
//! println!("{:?}", launch.wait().await.outcome);
//! # Ok(())
//! # }
//! ```
//!
//! The binary that `ShimCommand` names calls [`shim_main`] before it does anything else.
//!
//! This module never interprets what a child says, never decides that a child should end, and knows no git.

mod cgroup;
mod child;
mod client;
mod dir;
mod exit;
mod follow;
mod fork_server;
mod handle;
mod identity;
mod init;
mod journal;
mod last_output;
mod leftovers;
mod link;
mod os;
mod probe;
mod reach;
mod serve;
mod shim;
mod shim_command;
mod spec;
mod status;
mod stdin;
mod tree;
mod trim;
mod usage;
mod wire;

pub use cgroup::CgroupPlace;
pub use dir::{
    ERR_LOG, ERR_OLD_LOG, EXIT, IDENTITY, IN_EOF, IN_JOURNAL, IN_LENGTH, OUT_JOURNAL, ReadError, SHIM_LOG,
    SOCKET, SPEC,
};
pub use exit::{EndedBy, Exit, Outcome};
pub use follow::{Followed, Follower};
pub use handle::Launch;
pub use identity::{Identity, ProcessId, view};
pub use journal::Pause;
pub(crate) use leftovers::end_session;
pub(crate) use os::reset_signals;
pub use probe::{Level, Support, probe};
pub use reach::LaunchError;
pub use shim::shim_main;
pub use shim_command::ShimCommand;
pub(crate) use spec::new_id;
pub use spec::{
    ERR_CAP_DEFAULT, GRACE_DEFAULT, JOURNAL_CAP_DEFAULT, LAUNCH_VARIABLE, Limits, OnCap, SPEC_VERSION, Spec,
    SpecError, Stderr, Stdin,
};
pub use status::{RequestError, State, Status};
pub use stdin::STDIN_BYTES_MAX;
pub use usage::{Listener, ProcessUse, Usage, listeners, usage};
pub use wire::WIRE_VERSION;
