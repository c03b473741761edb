//! The long form: `cargo xtask sim`.

use std::process::ExitCode;

fn main() -> ExitCode {
    divisi_simulation::command(std::env::args().skip(1))
}
