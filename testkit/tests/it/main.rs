//! The helpers themselves: that they are hermetic, deterministic, and fail when they should.

mod env;
mod large;
mod program;
mod repo;
mod wait;
