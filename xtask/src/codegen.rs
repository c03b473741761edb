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

/// A committed file and the arguments with which `divisi` prints it.
struct Generated {
    path: &'static str,
    arguments: &'static [&'static str],
}

/// Every generated file. A new one is a line here and a hidden command of `divisi`.
const GENERATED: &[Generated] = &[];

/// Writes every generated file, or compares it.
pub fn run(options: &Options) -> JobResult {
    if GENERATED.is_empty() {
        println!("codegen: there are no generated files yet");
        return Ok(());
    }
    run::require(dirs::cargo().args(["build", "--package", "divisi-cli"]), "divisi does not build")?;
    let mut stale = Vec::new();
    for file in GENERATED {
        let wanted = file.generate()?;
        let path = dirs::repository().join(file.path);
        let same = fs::read(&path).is_ok_and(|found| found == wanted);
        if same {
            continue;
        }
        if options.check {
            stale.push(file.path);
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, wanted)?;
        println!("codegen: wrote {}", file.path);
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("not up to date: {}; `cargo xtask codegen` writes them anew", stale.join(", ")).into())
}

impl Generated {
    fn generate(&self) -> JobResult<Vec<u8>> {
        let program = dirs::target()?.join("debug").join(format!("divisi{}", std::env::consts::EXE_SUFFIX));
        let answer = Command::new(program).args(self.arguments).stdin(Stdio::null()).output()?;
        if !answer.status.success() {
            let said = String::from_utf8_lossy(&answer.stderr).into_owned();
            return Err(format!("divisi {} failed: {said}", self.arguments.join(" ")).into());
        }
        Ok(answer.stdout)
    }
}
