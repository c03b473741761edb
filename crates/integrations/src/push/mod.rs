//! Notices to browsers whose page is closed: Web Push (RFC 8030), encrypted for one browser (RFC 8291), signed with a key
//! of this daemon (RFC 8292).
//!
//! A browser subscribes at a service of its maker and gives us an address there. What is sent to that address can be read
//! by that browser alone. Nothing leaves the machine before a browser has subscribed.

mod book;
mod encrypt;
mod endpoint;
mod keys;
mod message;
mod pending;
mod retry;
mod send;
mod service;
mod teller;

pub use book::{Choices, Quiet, Subscribed};
pub use service::{Keep, Options, Push, PushError, Subscription};
