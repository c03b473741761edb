//! What a machine must have before anything is tried: one sentence and one command for each thing that is missing.

use std::process::{Command, Stdio};

use crate::JobResult;

/// A program that must be there, with the command that brings it.
struct Prerequisite {
    program: &'static str,
    arguments: &'static [&'static str],
    /// The smallest version that works, as (major, minor).
    version_min: (u32, u32),
    why: &'static str,
    remedy: &'static str,
}

const PREREQUISITES: &[Prerequisite] = &[
    Prerequisite {
        program: "git",
        arguments: &["--version"],
        version_min: (2, 38),
        why: "Divisi works on git repositories and merges with `git merge-tree`",
        remedy: "sudo apt-get install -y git",
    },
    Prerequisite {
        program: "cc",
        arguments: &["--version"],
        version_min: (0, 0),
        why: "SQLite is compiled in, and Rust links with it",
        remedy: "sudo apt-get install -y build-essential",
    },
    Prerequisite {
        program: "node",
        arguments: &["--version"],
        version_min: (20, 0),
        why: "agents that the tests drive are Node programs",
        remedy: "install Node 20 or later, for example `sudo apt-get install -y nodejs npm`",
    },
    Prerequisite {
        program: "npm",
        arguments: &["--version"],
        version_min: (9, 0),
        why: "agents that the tests drive come from the npm registry",
        remedy: "install Node 20 or later with npm, for example `sudo apt-get install -y nodejs npm`",
    },
    Prerequisite {
        program: "python3",
        arguments: &["--version"],
        version_min: (3, 8),
        why: "the sample repository has a Python test suite",
        remedy: "sudo apt-get install -y python3",
    },
    Prerequisite {
        program: "rustfmt",
        arguments: &["--version"],
        version_min: (1, 0),
        why: "the format of the code is checked",
        remedy: "rustup component add rustfmt",
    },
];

/// Refuses, naming everything that is missing at once, when this machine lacks something.
pub fn require_all() -> JobResult {
    let missing: Vec<String> = PREREQUISITES.iter().filter_map(lacking).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("this machine lacks {} thing(s):\n{}", missing.len(), missing.join("\n")).into())
}

/// The sentence about what is wrong with `wanted` on this machine, or nothing.
fn lacking(wanted: &Prerequisite) -> Option<String> {
    let answer = Command::new(wanted.program).args(wanted.arguments).stdin(Stdio::null()).output();
    let (major, minor) = wanted.version_min;
    let problem = match answer {
        Err(_) => "is not installed".to_owned(),
        Ok(output) if !output.status.success() => "is there but does not run".to_owned(),
        Ok(output) => match version_in(&String::from_utf8_lossy(&output.stdout)) {
            Some(found) if found < wanted.version_min => {
                format!("is version {}.{}, and {major}.{minor} is the oldest that works", found.0, found.1)
            }
            _ => return None,
        },
    };
    Some(format!("  - {} {problem}; {}.\n    {}", wanted.program, wanted.why, wanted.remedy))
}

/// The first `major.minor` in a program's own answer: `git version 2.39.5`, `v20.20.2`.
fn version_in(text: &str) -> Option<(u32, u32)> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.')).find_map(|word| {
        let mut numbers = word.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_programs_say() {
        assert_eq!(version_in("git version 2.39.5 (Debian)"), Some((2, 39)));
        assert_eq!(version_in("v20.20.2\n"), Some((20, 20)));
        assert_eq!(version_in("Python 3.11.7"), Some((3, 11)));
        assert_eq!(version_in("no number"), None);
    }

    #[test]
    fn a_missing_program_gives_its_remedy() {
        let wanted = Prerequisite {
            program: "no-such-program-here",
            arguments: &[],
            version_min: (1, 0),
            why: "it is a test",
            remedy: "install it",
        };
        let sentence = lacking(&wanted).expect("it is missing");
        assert!(sentence.contains("no-such-program-here is not installed; it is a test.\n    install it"));
    }

    #[test]
    fn an_old_version_is_refused() {
        let wanted = Prerequisite {
            program: "git",
            arguments: &["--version"],
            version_min: (9999, 0),
            why: "it is a test",
            remedy: "install a newer one",
        };
        assert!(lacking(&wanted).expect("git is never that new").contains("9999.0 is the oldest that works"));
    }
}
