//! One door for each thing outside: processes, environment, printing; and none at all in `model`.

use super::code::Code;
use super::files::{Repository, is_outside_product};
use super::finding::Finding;

/// Something that only some places may do.
struct Door {
    /// Paths, and everything below them; one that starts with `*` may also have anything before it.
    paths: &'static [&'static str],
    /// Macros.
    macros: &'static [&'static str],
    /// Paths that may be mentioned nevertheless.
    harmless: &'static [&'static str],
    /// Where the rule holds; empty means everywhere.
    within: &'static [&'static str],
    /// Where it does not hold.
    allowed: &'static [&'static str],
    sentence: &'static str,
    remedy: &'static str,
}

/// Every door. The rehearsal agent passes them all, as every agent does: it is a program of its own that runs commands,
/// reads its home and prints, inside its workspace.
const DOORS: &[Door] = &[
    Door {
        paths: &["*process::Command", "tokio::process", "libc::fork", "nix::unistd::fork"],
        macros: &[],
        harmless: &[],
        within: &[],
        allowed: &["crates/workspace/", "crates/rehearsal/", "xtask/"],
        sentence: "starts a process",
        remedy: "only crates/workspace starts processes: use its door, which sets environment, group and limits",
    },
    Door {
        paths: &["std::env"],
        macros: &[],
        harmless: &[
            "std::env::consts",
            "std::env::current_exe",
            "std::env::split_paths",
            "std::env::join_paths",
            "std::env::set_current_dir",
            "std::env::JoinPathsError",
        ],
        within: &[],
        allowed: &["crates/cli/", "crates/rehearsal/", "xtask/"],
        sentence: "reads the environment or the home folder",
        remedy: "only crates/cli reads them: take the value as an argument",
    },
    Door {
        paths: &[],
        macros: &["println", "print", "eprintln", "eprint"],
        harmless: &[],
        within: &[],
        // The processes that stand between the daemon and an agent have a log file as their standard error.
        allowed: &["crates/cli/", "crates/rehearsal/", "crates/workspace/src/launch/", "xtask/"],
        sentence: "prints",
        remedy: "return a value or use `tracing`: only the command line talks to the person",
    },
    Door {
        paths: &[
            "std::fs",
            "std::io",
            "std::net",
            "std::process",
            "std::thread",
            "std::os",
            "std::time::SystemTime",
            "std::time::Instant",
            "tokio",
            "*SystemTime::now",
            "*Instant::now",
            "*Timestamp::now",
            "*Zoned::now",
            "*Uuid::now_v7",
            "*Uuid::new_v4",
            "async",
        ],
        macros: &[],
        harmless: &[],
        within: &["crates/model/"],
        allowed: &[],
        sentence: "model touches files, the network, processes, the clock or a runtime",
        remedy: "model decides from values alone: let the caller bring it",
    },
];

pub fn check(repository: &Repository) -> Vec<Finding> {
    let sources = repository.texts(".rs").filter(|(path, _)| !is_outside_product(path));
    sources.flat_map(|(path, text)| check_file(path, text)).collect()
}

fn check_file(path: &str, text: &str) -> Vec<Finding> {
    let code = Code::read(text);
    let mut findings = Vec::new();
    for door in DOORS.iter().filter(|door| door.holds_in(path)) {
        let paths = code.paths.iter().filter(|mention| door.concerns(&mention.name));
        let macros = code.macros.iter().filter(|mention| door.macros.contains(&mention.name.as_str()));
        for mention in paths.chain(macros) {
            let sentence = format!("`{}`: {}", mention.name, door.sentence);
            findings.push(Finding::new(path, mention.line, sentence, door.remedy));
        }
    }
    findings
}

impl Door {
    fn holds_in(&self, path: &str) -> bool {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
        (self.within.is_empty() || starts(self.within)) && !starts(self.allowed)
    }

    fn concerns(&self, path: &str) -> bool {
        let is_one_of = |patterns: &[&str]| patterns.iter().any(|pattern| is_below(path, pattern));
        is_one_of(self.paths) && !is_one_of(self.harmless)
    }
}

/// Whether `path` is `pattern` or something below it, segment by segment.
fn is_below(path: &str, pattern: &str) -> bool {
    let path: Vec<&str> = path.split("::").collect();
    let wanted: Vec<&str> = pattern.trim_start_matches('*').split("::").collect();
    match pattern.starts_with('*') {
        true => path.windows(wanted.len()).any(|window| window == wanted),
        false => path.starts_with(&wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<String> {
        check(&Repository::of(&[(path, text)])).iter().map(|f| format!("{} {}", f.line, f.sentence)).collect()
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn processes_are_started_in_workspace_alone() {
        let text =
            "use std::process::{Command, ExitCode};\nfn f() { tokio::process::Command::new(\"git\"); }\n";
        assert_eq!(
            lines("crates/engine/src/a.rs", text),
            [
                "1 `std::process::Command`: starts a process",
                "2 `tokio::process::Command::new`: starts a process"
            ]
        );
        assert_eq!(lines("crates/workspace/src/a.rs", text), NOTHING);
        assert_eq!(lines("crates/engine/tests/it/a.rs", text), NOTHING);
        assert_eq!(lines("crates/cli/src/a.rs", "fn f() { clap::Command::new(\"a\"); }"), NOTHING);
    }

    #[test]
    fn a_process_module_that_was_used_is_no_way_round() {
        let text = "use std::process;\nfn f() { process::Command::new(\"a\"); }";
        assert_eq!(lines("crates/api/src/a.rs", text).len(), 1);
    }

    #[test]
    fn the_environment_is_read_in_the_command_line_alone() {
        let text = "fn f() { std::env::var(\"HOME\"); std::env::consts::OS; env!(\"CARGO_PKG_VERSION\"); }";
        let expected = ["1 `std::env::var`: reads the environment or the home folder"];
        assert_eq!(lines("crates/store/src/a.rs", text), expected);
        assert_eq!(lines("crates/cli/src/a.rs", text), NOTHING);
        assert_eq!(lines("crates/store/src/a.rs", "use std::env;").len(), 1, "or the alias would hide it");
    }

    #[test]
    fn printing_is_for_the_command_line() {
        let text = "fn f() {\n    eprintln!(\"x\");\n}\n#[cfg(test)]\nmod tests { fn g() { println!(); } }";
        assert_eq!(lines("crates/agent/src/a.rs", text), ["2 `eprintln`: prints"]);
        assert_eq!(lines("crates/cli/src/main.rs", text), NOTHING);
    }

    #[test]
    fn model_has_no_clock_no_files_and_no_runtime() {
        let text = "use std::fs;\nasync fn f() { jiff::Timestamp::now(); std::time::Duration::ZERO; }";
        assert_eq!(lines("crates/model/src/a.rs", text).len(), 3);
        assert_eq!(lines("crates/engine/src/a.rs", text), NOTHING);
    }
}
