//! What a launch may see and touch: namespaces, an overlay, pins and a second layer of Landlock and seccomp.
//!
//! A launch with a [`Sandbox`] runs in user, mount, process, IPC and host-name namespaces of its own, for root and an
//! ordinary user alike and by the same code. The whole machine is read-only in it but for what it was given; its
//! init process is the first process of its process namespace, so that nothing outlives it.
//!
//! [`Holder`] mounts an overlay without any launch, for reading and writing the files of a workspace nobody works in.
//!
//! This module never starts a program, and decides nothing about what a launch is given.

mod apart;
mod confine;
mod devices;
mod error;
mod holder;
mod inside;
mod level;
mod loopback;
mod mounts;
mod overlay;
mod share;
mod spec;

pub use error::SandboxError;
pub use holder::{Holder, View, try_overlay};
pub use level::{Level, Rung, level};
pub use spec::{Network, Overlay, Sandbox, Walls};

pub(crate) use apart::Owner;
pub(crate) use confine::Confined;
pub(crate) use inside::Inside;
pub(crate) use share::Reached;
