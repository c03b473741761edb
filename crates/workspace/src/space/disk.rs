//! How much room a workspace takes.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::record::Workspace;

/// Longest look; beyond it the answer is a lower bound.
const LOOK_MAX: Duration = Duration::from_millis(1_500);
/// Bytes of a block, as `stat` counts them.
const BLOCK_BYTES: u64 = 512;

/// Room on the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// Bytes that are taken.
    pub bytes: u64,
    /// Files and folders.
    pub files: u64,
    /// Not all of them were looked at.
    pub at_least: bool,
}

impl Workspace {
    /// What the workspace takes by itself: of an overlay its changes and its git directory, without what it shares with
    /// others; of a checkout everything in its folder.
    pub fn disk_use(&self) -> DiskUse {
        let top = if self.overlay().is_some() { self.own_folder() } else { self.path() };
        let until = Instant::now() + LOOK_MAX;
        let mut found = DiskUse::default();
        let mut open: Vec<PathBuf> = vec![top];
        while let Some(folder) = open.pop() {
            if Instant::now() > until {
                found.at_least = true;
                break;
            }
            // What an agent made unreadable, or removed meanwhile, is not counted.
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                let Ok(stat) = entry.metadata() else { continue };
                found.files += 1;
                // A file with several names takes its room once, shared among them.
                found.bytes +=
                    stat.blocks() * BLOCK_BYTES / if stat.is_dir() { 1 } else { stat.nlink().max(1) };
                if stat.is_dir() {
                    open.push(entry.path());
                }
            }
        }
        found
    }
}
