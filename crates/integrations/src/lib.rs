//! The outside plugged in. Here stands what carries facts of the engine to somebody else's service; it asks the engine as
//! the API does, decides nothing about a task, and sends nothing unless a person asked for it.
//!
//! It never reads the environment or the configuration, and never serves anybody.

pub mod push;
