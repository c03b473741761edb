//! What people see. Nothing here asks the daemon, and nothing of an agent reaches the terminal uncleaned.

pub(crate) mod clean;
pub(crate) mod diff;
pub(crate) mod status;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod task;
pub(crate) mod time;
pub(crate) mod transcript;
