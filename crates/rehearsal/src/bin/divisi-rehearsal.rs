//! The rehearsal agent and the model server as a program of their own.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    match args.next().as_ref().and_then(|first| first.to_str()) {
        Some("rehearsal-agent") => divisi_rehearsal::agent_main(args),
        Some("model-server") => divisi_rehearsal::model_server_main(args),
        _ => {
            eprintln!("Usage: divisi-rehearsal rehearsal-agent | model-server …");
            ExitCode::from(2)
        }
    }
}
