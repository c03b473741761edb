//! Where things are: the repository and the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::JobResult;

/// The root of the repository: the one whose xtask cargo is running, even if the checkout was moved since it was built.
pub fn repository() -> &'static Path {
    static REPOSITORY: OnceLock<PathBuf> = OnceLock::new();
    REPOSITORY.get_or_init(|| {
        let xtask =
            std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        PathBuf::from(xtask).parent().expect("xtask lies inside the repository").to_path_buf()
    })
}

/// The cargo that started us, so that `cargo +toolchain xtask` stays with its toolchain.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(repository());
    cargo
}

/// The target folder as cargo sees it: `CARGO_TARGET_DIR`, the configuration, or `target`.
pub fn target() -> JobResult<&'static Path> {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    if let Some(found) = TARGET.get() {
        return Ok(found);
    }
    let answer = cargo().args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    if !answer.status.success() {
        return Err(format!("cargo metadata failed:\n{}", String::from_utf8_lossy(&answer.stderr)).into());
    }
    let metadata: serde_json::Value = serde_json::from_slice(&answer.stdout)?;
    let path = metadata["target_directory"].as_str().ok_or("cargo metadata names no target folder")?;
    Ok(TARGET.get_or_init(|| PathBuf::from(path)))
}
