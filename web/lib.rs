//! The dashboard: Svelte sources and the small crate that builds them and gives them out by path.
//!
//! The build script runs npm and Vite, so a Rust build from a fresh clone has the dashboard in it. Every file is kept packed,
//! as it is sent. Nothing here knows the daemon, and no other crate but `cli` knows this one.

use std::borrow::Cow;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/packed"]
struct Files;

/// A file of the dashboard.
pub struct File {
    /// What it is: `text/javascript`.
    pub mime: String,
    /// Its content, packed by gzip.
    pub gzip: Cow<'static, [u8]>,
    /// Its name changes with its content.
    pub immutable: bool,
}

/// The file of a path such as `/assets/index-1a2b.js`.
pub fn file(path: &str) -> Option<File> {
    let path = path.strip_prefix('/')?;
    let found = Files::get(path)?;
    Some(File {
        mime: found.metadata.mimetype().to_owned(),
        gzip: found.data,
        // Vite names everything below `assets` by its content.
        immutable: path.starts_with("assets/"),
    })
}
