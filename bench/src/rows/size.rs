//! The program itself: one file that holds everything.

use super::Bench;
use crate::measure::Samples;
use crate::row::{Bar, Findings, Outcome};
use crate::{Result, divisi};

/// Megabytes of the release build as it is shipped, and of the one without its dashboard.
pub fn measure(_bench: &Bench<'_>) -> Result<Findings> {
    let program = divisi::program()?;
    let weighed = |name: &str, what: &str, most: f64| -> Result<Outcome> {
        let path = program.with_file_name(name);
        let bytes = std::fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?.len();
        Ok(Outcome::alone("size", what, Bar::AtMost(most), "MB", Samples::of([bytes as f64 / 1e6])))
    };
    Ok(Findings::rows([
        weighed("divisi", "binary, with its dashboard", 36.0)?,
        weighed("divisi-without-dashboard", "binary, without its dashboard", 30.0)?,
    ]))
}
