//! The job `ci`: what `test` does, and what only a pipeline or a careful contributor waits for.

use crate::{JobResult, dirs, run, test};

/// Runs the gates one after the other and stops at the first that fails.
pub fn run() -> JobResult {
    test::run(&test::Options::default())?;
    run::require(
        dirs::cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        "clippy has something to say; the lines above are it",
    )?;
    run::require(
        dirs::cargo()
            .args(["doc", "--workspace", "--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", "-D warnings"),
        "the documentation has broken links or bad markup",
    )?;
    licences()
}

/// Licences and advisories, where cargo-deny is installed; it is no part of the tests, because advisories change from
/// day to day while the code stays the same.
fn licences() -> JobResult {
    if !dirs::cargo().args(["deny", "--version"]).output()?.status.success() {
        println!(
            "not checked: licences and advisories (`cargo install --locked cargo-deny` brings the program)"
        );
        return Ok(());
    }
    run::require(
        dirs::cargo().args(["deny", "check", "licenses", "bans", "sources"]),
        "a dependency breaks deny.toml; the lines above say which",
    )?;
    if !run::show(dirs::cargo().args(["deny", "fetch", "db"]))?.ok {
        println!("not checked: advisories (their database could not be fetched)");
        return Ok(());
    }
    run::require(
        dirs::cargo().args(["deny", "check", "advisories"]),
        "a dependency has a known vulnerability; the lines above say which",
    )?;
    Ok(())
}
