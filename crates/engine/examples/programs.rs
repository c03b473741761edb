//! The programs that the engine's tests start: the shim and the rehearsal agent, as `divisi` has them.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    match args.first().and_then(|first| first.to_str()) {
        Some("shim") => {
            let adopt = args.iter().any(|arg| arg == "--adopt");
            args.last()
                .map_or(ExitCode::from(2), |dir| divisi_workspace::launch::shim_main(Path::new(dir), adopt))
        }
        Some("rehearsal-agent") => divisi_rehearsal::agent_main(args.into_iter().skip(1)),
        _ => ExitCode::from(2),
    }
}
