//! A scripted agent and a scripted model server: a rehearsal plays a script through the real machinery,
//! with no key and no network. One script form, two performers:
//!
//! - [`agent_main`] is an agent of its own that speaks ACP over standard input and output;
//! - [`model_server`] stands behind a real agent and answers its model requests from the script.
//!
//! This crate is a leaf: it knows no other crate of the product, decides nothing about tasks, and never
//! reaches beyond the loopback interface.

pub mod agent;
pub mod script;
pub mod server;

pub use agent::agent_main;
pub use server::{model_server, model_server_main};
