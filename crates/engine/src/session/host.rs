//! Between the process of a host, which knows no protocol, and the routing of the protocol's lines, which knows no
//! process.

use std::ffi::OsString;
use std::process::ExitCode;

use divisi_agent::share::{Routing, Step};
use divisi_workspace::host::{self, Client, Route, Router};

/// The life of a host, with the arguments after `divisi host`.
pub fn host_main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    host::host_main(args, Lines(Routing::default()))
}

struct Lines(Routing);

impl Router for Lines {
    fn joined(&mut self, client: Client) {
        self.0.joined(client);
    }

    fn said(&mut self, client: Client, line: &[u8]) -> Vec<Route> {
        routes(self.0.said(client, line))
    }

    fn heard(&mut self, line: &[u8], now: u64) -> Vec<Route> {
        routes(self.0.heard(line, now))
    }

    fn left(&mut self, client: Client, now: u64) -> Vec<Route> {
        routes(self.0.left(client, now))
    }

    fn look_at_clock(&mut self, now: u64) -> Vec<Route> {
        routes(self.0.look_at_clock(now))
    }

    fn due(&self) -> Option<u64> {
        self.0.due()
    }
}

fn routes(steps: Vec<Step>) -> Vec<Route> {
    let route = |step| match step {
        Step::Agent(line) => Route::Agent(line),
        Step::Client(client, line) => Route::Client(client, line),
        Step::Note(text) => Route::Note(text),
        Step::End(why) => Route::End(why),
    };
    steps.into_iter().map(route).collect()
}
