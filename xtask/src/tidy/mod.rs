//! The job `tidy`: a reading of the repository that reports what breaks its rules.

use crate::JobResult;

pub fn run() -> JobResult {
    println!("{}", check()?);
    Ok(())
}

pub fn check() -> JobResult<String> {
    Ok("no rules yet".into())
}
