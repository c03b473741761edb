//! The job `tidy`: a reading of the repository that reports what breaks its rules, with file, line and remedy.
//!
//! It compiles nothing and runs nothing but `git ls-files`. A rule is a function from the files to findings, in a
//! file of its own, with a test that shows it can fail.

mod arrows;
mod code;
mod dependencies;
mod doors;
mod files;
mod finding;
mod length;
mod modules;
mod text;

use files::Repository;
use finding::Finding;

use crate::{JobResult, dirs};

/// A rule of the house.
type Rule = fn(&Repository) -> Vec<Finding>;

const RULES: &[Rule] =
    &[arrows::check, dependencies::check, doors::check, length::check, modules::check, text::check];

/// The job `tidy`.
pub fn run() -> JobResult {
    println!("tidy: {}", check()?);
    Ok(())
}

/// Reads the repository; one line about it, or an error that lists every finding.
pub fn check() -> JobResult<String> {
    let repository = Repository::read(dirs::repository())?;
    let findings = findings_in(&repository);
    if findings.is_empty() {
        return Ok(length::summary(&repository));
    }
    let list: Vec<String> = findings.iter().map(Finding::to_string).collect();
    Err(format!("{} finding(s)\n{}", list.len(), list.join("\n")).into())
}

fn findings_in(repository: &Repository) -> Vec<Finding> {
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(repository)).collect();
    findings.sort();
    findings.dedup();
    findings
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_is_tidy() {
        if let Err(findings) = super::check() {
            panic!("{findings}");
        }
    }
}
