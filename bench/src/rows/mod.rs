//! The rows, in the order of the table; one file per group.

mod daemon;
mod dashboard;
mod feed;
mod ls;
mod restart;
mod shim;
mod size;
mod start;
mod store;
mod workspaces;

use std::path::Path;

use crate::place::Place;
use crate::processes;
use crate::row::Group;

/// What every row is given.
pub struct Bench<'a> {
    pub place: &'a Place,
    /// Few repetitions and small repositories.
    pub quick: bool,
    /// The repository of Divisi, where the dashboard's sources and its harness lie.
    pub repository: Option<&'a Path>,
}

/// Every group.
pub const ALL: &[Group] = &[
    Group { name: "workspaces", measure: workspaces::measure },
    Group { name: "base", measure: workspaces::new_base },
    Group { name: "burst", measure: workspaces::burst },
    Group { name: "disk", measure: workspaces::disk },
    Group { name: "changed", measure: workspaces::changed },
    Group { name: "shim", measure: shim::measure },
    Group { name: "store", measure: store::measure },
    Group { name: "feed", measure: feed::measure },
    Group { name: "start", measure: start::measure },
    Group { name: "daemon", measure: daemon::measure },
    Group { name: "restart", measure: restart::measure },
    Group { name: "ls", measure: ls::measure },
    Group { name: "dashboard", measure: dashboard::measure },
    Group { name: "size", measure: size::measure },
];

impl Bench<'_> {
    /// One of two, by how thorough this run is.
    pub fn pick<T>(&self, thorough: T, quick: T) -> T {
        if self.quick { quick } else { thorough }
    }

    /// Ends whatever a row left running.
    pub fn end_processes(&self) {
        processes::end_below(&self.place.root);
    }

    /// A runtime as the daemon's.
    pub fn runtime(&self) -> crate::Result<tokio::runtime::Runtime> {
        Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
    }
}
