//! The programs that the engine's tests start: the shim, host and relay, and the rehearsal agent, as `divisi` has them.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    match args.first().and_then(|first| first.to_str()) {
        Some("shim") => divisi_workspace::launch::shim_main(args.into_iter().skip(1)),
        Some("host") => divisi_engine::host_main(args.into_iter().skip(1)),
        Some("relay") => divisi_workspace::host::relay_main(args.into_iter().skip(1)),
        Some("rehearsal-agent") => divisi_rehearsal::agent_main(args.into_iter().skip(1)),
        _ => ExitCode::from(2),
    }
}
