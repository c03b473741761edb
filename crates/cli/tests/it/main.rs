//! The program as a person types it.

mod daemon;
mod errors;
mod help;
mod init;
mod permissions;
mod road;
