//! The job `bench`: builds the release program and the bench beside it, and runs the latter.

use std::process::Command;

use crate::{JobResult, chromium, dashboard, dirs, run};

#[derive(clap::Args)]
pub struct Options {
    /// Only these rows (`shim`, `store`, `feed`, …); without any, all of them, and the page is written
    #[arg(value_name = "ROW")]
    rows: Vec<String>,
    /// Few repetitions and small repositories: shows that it works, not how fast
    #[arg(long)]
    quick: bool,
    /// A folder to measure in, instead of a journaled image in memory
    #[arg(long, value_name = "FOLDER")]
    place: Option<std::path::PathBuf>,
}

/// Measures every bar; an error where one falls short.
pub fn run(options: &Options) -> JobResult {
    let wanted = |name: &str| options.rows.is_empty() || options.rows.iter().any(|row| row == name);
    let build = ["build", "--release", "--package", "divisi-cli", "--package", "divisi-bench"];
    let release = dirs::target()?.join("release");
    if wanted("size") {
        // Of the same packages, so that what they stand on is built once.
        let mut without = dirs::cargo();
        without.args(build).arg("--no-default-features");
        run::require(&mut without, "the release build without the dashboard failed")?;
        std::fs::copy(release.join("divisi"), release.join("divisi-without-dashboard"))?;
    }
    run::require(dirs::cargo().args(build), "the release build failed")?;
    let chromium = wanted("dashboard").then(dashboard::prepare).transpose()?;
    let mut bench = Command::new(release.join("divisi-bench"));
    bench.args(&options.rows).arg("--repository").arg(dirs::repository());
    if let Some(chromium) = chromium {
        bench.env(chromium::VARIABLE, chromium);
    }
    if options.quick {
        bench.arg("--quick");
    }
    if let Some(place) = &options.place {
        bench.arg("--place").arg(place);
    }
    match bench.status()?.code() {
        Some(0) => Ok(()),
        Some(1) => Err("a bar falls short".into()),
        _ => Err("the bench did not come to its end".into()),
    }
}
