//! The dashboard's own checks: types, units, and the tests that drive a real browser against the real daemon.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{JobResult, chromium, dirs, run};

/// Where the pictures of the screens are committed.
const SCREENSHOTS: &str = "docs/screenshots";

#[derive(clap::Args)]
pub struct BrowserOptions {
    /// What follows goes to Vitest: names of files, `-t` with a test's name
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

/// The job `browser`: builds `divisi` and drives its dashboard.
pub fn run(options: &BrowserOptions) -> JobResult {
    chromium::require()?;
    build()?;
    let lines = browser(&options.arguments)?;
    println!("\n{}", lines.join("\n"));
    Ok(())
}

/// What a browser test needs beside the program: the packages of `web/`, and Chromium, whose path is given back.
pub fn prepare() -> JobResult<PathBuf> {
    install()?;
    chromium::require()
}

/// The job `screenshots`: plays a fleet and takes a picture of every screen.
pub fn screenshots() -> JobResult {
    chromium::require()?;
    build()?;
    let folder = dirs::repository().join(SCREENSHOTS);
    fs::create_dir_all(&folder)?;
    let mut command = in_browser("screenshots")?;
    command.env("DIVISI_SCREENSHOTS", &folder);
    run::require(&mut command, "not every screen could be taken; the lines above say which")?;
    println!("\nwritten: {SCREENSHOTS}");
    Ok(())
}

/// Types and units, without a browser; what they said at their end.
pub fn check() -> JobResult<Vec<String>> {
    install()?;
    let mut lines = Vec::new();
    for (program, arguments, sentence) in [
        (
            "prettier",
            &["--check", "--log-level", "warn", "."][..],
            "web is not formatted; `npm run format` formats it",
        ),
        (
            "svelte-check",
            &["--fail-on-warnings", "--tsconfig", "tsconfig.json"],
            "types of the dashboard do not fit",
        ),
        ("vitest", &["run"], "tests of the dashboard failed"),
    ] {
        let mut command = tool(program)?;
        let finished = run::show(command.args(arguments))?;
        let said = closing_lines(&finished.last_lines);
        if !finished.ok {
            return Err(format!("{sentence}\n{}", said.join("\n")).into());
        }
        lines.extend(said);
    }
    Ok(lines)
}

/// The tests in the browser, with the `divisi` that was built last; what they said at their end.
pub fn browser(arguments: &[String]) -> JobResult<Vec<String>> {
    install()?;
    let mut command = in_browser("browser")?;
    let finished = run::show(command.args(arguments))?;
    let said = closing_lines(&finished.last_lines);
    if finished.ok {
        Ok(said)
    } else {
        Err(format!("tests in the browser failed\n{}", said.join("\n")).into())
    }
}

/// Vitest with one of the projects of `web/tests/browser/vitest.config.ts`.
fn in_browser(project: &str) -> JobResult<Command> {
    let target = dirs::target()?;
    let mut command = tool("vitest")?;
    command
        .args(["run", "--config", "tests/browser/vitest.config.ts", "--project", project])
        .env(chromium::VARIABLE, chromium::require()?)
        .env("DIVISI_TARGET", target)
        .env("DIVISI_BIN", target.join("debug").join(format!("divisi{}", std::env::consts::EXE_SUFFIX)));
    Ok(command)
}

fn build() -> JobResult {
    run::require(dirs::cargo().args(["build", "--package", "divisi-cli"]), "divisi does not build")?;
    install()
}

/// Brings the packages of the lock file where the build of the dashboard has not done so already.
fn install() -> JobResult {
    let web = web();
    let note = web.join("node_modules/.divisi-installed.json");
    let lock = fs::read(web.join("package-lock.json"))?;
    if fs::read(&note).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.current_dir(&web).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    run::require(&mut npm, "the packages of the dashboard could not be installed")?;
    Ok(fs::write(note, lock)?)
}

/// A program of an installed package, in `web/`.
fn tool(name: &str) -> JobResult<Command> {
    let program: PathBuf = web().join("node_modules/.bin").join(name);
    if !Path::new(&program).exists() {
        return Err(format!("web/package.json brings no {name}").into());
    }
    let mut command = Command::new(program);
    command.current_dir(web()).env("NO_COLOR", "1");
    Ok(command)
}

fn web() -> PathBuf {
    dirs::repository().join("web")
}

/// What a test runner or a type checker says in the end, and which tests failed.
fn closing_lines(lines: &[String]) -> Vec<String> {
    const CLOSING: &[&str] = &["Test Files", "Tests ", "Duration", "svelte-check found", "FAIL ", "Error: "];
    let closing = |line: &&str| CLOSING.iter().any(|start| line.starts_with(start));
    let mut kept: Vec<String> =
        lines.iter().map(|line| line.trim()).filter(closing).map(str::to_owned).collect();
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_run_and_its_failures_are_repeated() {
        let said = [
            " ✓ a.test.ts (1 test)",
            " FAIL  b.test.ts > it works",
            "Error: it does not",
            "",
            " Test Files  1 passed (1)",
        ];
        let lines = said.map(String::from);
        assert_eq!(
            closing_lines(&lines),
            ["FAIL  b.test.ts > it works", "Error: it does not", "Test Files  1 passed (1)"]
        );
    }
}
