//! The job `codegen`: files that are generated from the program, committed, and compared.

use std::fs;
use std::process::{Command, Stdio};

use crate::{JobResult, dirs, run};

#[derive(clap::Args)]
pub struct Options {
    /// Change nothing; fail if a committed file is not what would be generated
    #[arg(long)]
    pub check: bool,
}

/// A committed file, and the program and arguments that print it.
struct Generated {
    path: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
}

const DIVISI: &str = "divisi";

/// The page that shows what the conformance matrix found.
const AGENTS: Generated =
    Generated { program: "divisi-conformance", path: "docs/agents.md", arguments: &["table"] };

/// Every generated file. A new one is a line here and a hidden command of `divisi`.
const GENERATED: &[Generated] = &[
    Generated { program: DIVISI, path: "docs/reference/cli.md", arguments: &["help-markdown"] },
    Generated { program: DIVISI, path: "docs/reference/configuration.md", arguments: &["config-reference"] },
    Generated { program: DIVISI, path: "docs/reference/divisi.schema.json", arguments: &["config-schema"] },
    Generated { program: DIVISI, path: "docs/reference/openapi.json", arguments: &["open-api"] },
    Generated { program: DIVISI, path: "web/src/api/protocol.ts", arguments: &["typescript"] },
    AGENTS,
];

/// The job `codegen`: builds `divisi`, then writes every generated file or compares it.
pub fn run(options: &Options) -> JobResult {
    run::require(
        dirs::cargo().args(["build", "--package", "divisi-cli", "--package", "divisi-conformance"]),
        "divisi does not build",
    )?;
    if options.check {
        println!("codegen: {}", check()?);
        return Ok(());
    }
    GENERATED.iter().try_for_each(Generated::write)
}

/// Writes the page of the conformance matrix anew; its program is built already.
pub fn write_agents() -> JobResult {
    AGENTS.write()
}

/// Compares every generated file with what the `divisi` that was built last prints; one line about it.
pub fn check() -> JobResult<String> {
    let mut stale = Vec::new();
    for file in GENERATED {
        let wanted = file.generate()?;
        if !file.is(&wanted) {
            stale.push(file.path);
        }
    }
    if stale.is_empty() {
        return Ok(format!("{} files are up to date", GENERATED.len()));
    }
    Err(format!("not up to date: {}; `cargo xtask codegen` writes them anew", stale.join(", ")).into())
}

impl Generated {
    fn generate(&self) -> JobResult<Vec<u8>> {
        let program = dirs::target()?.join("debug").join(self.program);
        let mut command = Command::new(&program);
        // What is printed must not depend on who runs this, so nothing of the surroundings is passed on.
        command
            .args(self.arguments)
            .env_clear()
            .env("HOME", dirs::target()?.join("codegen-home"))
            .current_dir(dirs::repository())
            .stdin(Stdio::null());
        let answer =
            command.output().map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        if !answer.status.success() {
            let said = String::from_utf8_lossy(&answer.stderr).into_owned();
            return Err(format!("{} {} failed: {said}", self.program, self.arguments.join(" ")).into());
        }
        Ok(answer.stdout)
    }

    fn write(&self) -> JobResult {
        let wanted = self.generate()?;
        if self.is(&wanted) {
            return Ok(());
        }
        let path = dirs::repository().join(self.path);
        fs::create_dir_all(path.parent().ok_or("a generated file lies in a folder")?)?;
        fs::write(&path, wanted)?;
        println!("codegen: wrote {}", self.path);
        Ok(())
    }

    fn is(&self, wanted: &[u8]) -> bool {
        fs::read(dirs::repository().join(self.path)).is_ok_and(|found| found == wanted)
    }
}
