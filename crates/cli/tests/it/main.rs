//! The program as a person types it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod agents;
mod bad_repositories;
mod bounds;
mod costs;
mod daemon;
mod demo;
mod devices;
mod disks;
mod errors;
mod export;
mod help;
mod images;
mod import;
mod init;
mod ladder;
mod landing_disks;
mod large_files;
mod limits;
mod machines;
mod many_files;
mod misbehaving;
mod moved;
mod permissions;
mod push;
mod real_agents;
mod review;
mod road;
mod rollback;
mod scripts;
mod shared;
mod staged;
