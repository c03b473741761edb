//! The workshop's jobs, as they are typed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod replay;
