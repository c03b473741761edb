//! The program itself: one file that holds everything.

use super::Bench;
use crate::measure::Samples;
use crate::row::{Bar, Findings, Outcome};
use crate::{Result, divisi};

/// Megabytes of the release build, without a dashboard.
pub fn measure(_bench: &Bench<'_>) -> Result<Findings> {
    let bytes = std::fs::metadata(divisi::program()?)?.len();
    let samples = Samples::of([bytes as f64 / 1e6]);
    Ok(Findings::rows([Outcome::alone(
        "size",
        "binary, without dashboard",
        Bar::AtMost(30.0),
        "MB",
        samples,
    )]))
}
