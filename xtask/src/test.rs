//! The job `test`: one command from a fresh clone to every test passed.

use std::time::Instant;

use crate::{JobResult, agents, chromium, codegen, dashboard, dirs, nextest, prerequisites, run, tidy};

#[derive(clap::Args, Default)]
pub struct Options {
    /// Only the tests of this package (may be given several times); agents are then not installed
    #[arg(short, long = "package", value_name = "PACKAGE")]
    packages: Vec<String>,
    /// What follows `--` goes to `cargo nextest run`
    #[arg(last = true, value_name = "NEXTEST ARGUMENTS")]
    rest: Vec<String>,
}

/// One step of the job and what it said at its end.
struct Step {
    name: &'static str,
    ok: bool,
    lines: Vec<String>,
}

/// Runs every step even if an earlier one failed, so that one run shows all that is wrong.
pub fn run(options: &Options) -> JobResult {
    let started = Instant::now();
    prerequisites::require_all()?;
    let is_whole = options.packages.is_empty() && options.rest.is_empty();
    if is_whole {
        chromium::require()?;
    }
    let mut steps = Vec::new();
    if options.packages.is_empty() {
        steps.push(step("agents", agents::require_quick()));
    }
    steps.push(step("format", format()));
    steps.push(step("tidy", tidy::check().map(|line| vec![line])));
    steps.push(step("tests", tests(options)));
    // Where the tests could not even be built, the same errors once more would help nobody.
    if is_whole
        && steps.last().is_some_and(|tests| tests.ok || tests.lines.iter().any(|line| is_summary(line)))
    {
        steps.push(step("doctests", doctests()));
        // The tests have just built the program that prints them.
        steps.push(step("generated", codegen::check().map(|line| vec![line])));
        steps.push(step("dashboard", dashboard::check()));
        steps.push(step("browser", dashboard::browser(&[])));
    }
    report(&steps, started)
}

fn format() -> JobResult<Vec<String>> {
    run::require(
        dirs::cargo().args(["fmt", "--all", "--check"]),
        "the code is not formatted; `cargo fmt --all` formats it",
    )?;
    Ok(vec!["as rustfmt wants it".into()])
}

fn tests(options: &Options) -> JobResult<Vec<String>> {
    let mut command = nextest::command()?;
    command.args(["run", "--no-fail-fast"]);
    if options.packages.is_empty() {
        command.arg("--workspace");
    }
    for package in &options.packages {
        command.args(["--package", package]);
    }
    command.args(&options.rest).env("DIVISI_TEST_AGENTS", agents::folder()?);
    let finished = run::show(&mut command)?;
    let closing = closing_lines(&finished.last_lines);
    if finished.ok { Ok(closing) } else { Err(format!("tests failed\n{}", closing.join("\n")).into()) }
}

fn doctests() -> JobResult<Vec<String>> {
    let mut command = dirs::cargo();
    command.args(["test", "--quiet", "--doc", "--workspace"]);
    let finished = run::show(&mut command)?;
    if !finished.ok {
        return Err("examples in the documentation failed; the lines above say which".into());
    }
    let results = finished.last_lines.iter().filter(|line| line.starts_with("test result:"));
    let passed: u64 = results
        .filter_map(|line| {
            line.split_once(" passed").and_then(|(before, _)| before.rsplit(' ').next()?.parse::<u64>().ok())
        })
        .sum();
    Ok(vec![format!("{passed} passed")])
}

/// What nextest says from its summary to its end.
fn closing_lines(lines: &[String]) -> Vec<String> {
    let start = lines.iter().rposition(|line| is_summary(line));
    let from = start.unwrap_or(lines.len().saturating_sub(CLOSING_LINES_DEFAULT));
    lines[from..].iter().filter(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned()).collect()
}

fn is_summary(line: &str) -> bool {
    line.trim_start().starts_with("Summary [")
}

/// How many lines are repeated when there is no summary, for example because the code does not compile.
const CLOSING_LINES_DEFAULT: usize = 20;

fn step(name: &'static str, result: JobResult<Vec<String>>) -> Step {
    match result {
        Ok(lines) => Step { name, ok: true, lines },
        Err(error) => {
            eprintln!("\n{name}: {error}");
            Step { name, ok: false, lines: error.to_string().lines().map(str::to_owned).collect() }
        }
    }
}

fn report(steps: &[Step], started: Instant) -> JobResult {
    let width = steps.iter().map(|step| step.name.len()).max().unwrap_or(0);
    println!();
    for step in steps {
        let mark = if step.ok { "ok    " } else { "FAILED" };
        println!("{mark} {:width$}  {}", step.name, step.lines.first().map_or("", String::as_str));
        for line in step.lines.iter().skip(1) {
            println!("       {:width$}  {line}", "");
        }
    }
    let seconds = started.elapsed().as_secs();
    let failed: Vec<&str> = steps.iter().filter(|step| !step.ok).map(|step| step.name).collect();
    if failed.is_empty() {
        println!("\nxtask test: everything passed in {seconds} s");
        return Ok(());
    }
    Err(format!("failed after {seconds} s: {}", failed.join(", ")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_the_runner_is_repeated_to_its_end() {
        let lines =
            ["PASS a", "Summary [1.2s] 3 tests run: 2 passed, 1 failed", "", "   FAIL b"].map(String::from);
        assert_eq!(closing_lines(&lines), ["Summary [1.2s] 3 tests run: 2 passed, 1 failed", "FAIL b"]);
    }

    #[test]
    fn without_a_summary_the_last_lines_are_repeated() {
        let lines: Vec<String> = (0..100).map(|n| format!("error {n}")).collect();
        assert_eq!(closing_lines(&lines).last().map(String::as_str), Some("error 99"));
        assert_eq!(closing_lines(&lines).len(), CLOSING_LINES_DEFAULT);
    }

    #[test]
    fn one_failed_step_fails_the_job_and_is_named() {
        let steps = [step("format", Ok(vec![])), step("tests", Err("two failed".into()))];
        let error = report(&steps, Instant::now()).unwrap_err().to_string();
        assert!(error.ends_with(": tests"), "{error}");
    }
}
