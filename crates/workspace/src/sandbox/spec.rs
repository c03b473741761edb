//! What a launch may see and touch.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::os_text;

/// What a launch may see and touch. All paths are absolute and free of links.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sandbox {
    /// Mounted before anything else; its target is writable.
    pub overlay: Option<Overlay>,
    /// Files and folders that stay readable and cannot be changed, inside what is writable. One that is not there is
    /// passed over.
    #[serde(with = "os_text::paths")]
    pub read_only: Vec<PathBuf>,
    /// Folders that cannot be renamed or replaced; what is in them can be changed. One that is not there is passed
    /// over.
    #[serde(with = "os_text::paths")]
    pub held: Vec<PathBuf>,
    /// Files and folders that can be written. Everything else on the machine is read-only.
    #[serde(with = "os_text::paths")]
    pub writable: Vec<PathBuf>,
    /// Folders that appear empty, files that cannot be read. What is writable or visible below them is there.
    #[serde(with = "os_text::paths")]
    pub hidden: Vec<PathBuf>,
    /// Files and folders below hidden ones that can be read all the same.
    #[serde(with = "os_text::paths")]
    pub visible: Vec<PathBuf>,
    /// A folder that stands in the place of `/tmp` and `/var/tmp`; without one these are the machine's, and writable.
    #[serde(with = "os_text::path_if_any")]
    pub temp: Option<PathBuf>,
    /// What of the network it has.
    pub network: Network,
    /// What it is built of.
    pub walls: Walls,
}

/// What a sandbox is built of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Walls {
    /// Namespaces, with Landlock and seccomp as a second layer.
    #[default]
    Namespaces,
    /// Landlock and seccomp alone: it can write only what is writable, and that is all. No overlay, no pins, nothing
    /// hidden, no network of its own.
    Landlock,
}

/// A folder made of read-only layers and one that takes all changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    /// The read-only layers, topmost first; at least one. They must not change while it is mounted.
    #[serde(with = "os_text::paths")]
    pub lower: Vec<PathBuf>,
    /// Takes every change.
    #[serde(with = "os_text::path")]
    pub upper: PathBuf,
    /// An empty folder on the file system of `upper`, for the kernel alone; emptied before each mount.
    #[serde(with = "os_text::path")]
    pub work: PathBuf,
    /// Where it appears. The folder must be there.
    #[serde(with = "os_text::path")]
    pub target: PathBuf,
}

/// What of the network a launch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// The machine's.
    #[default]
    Host,
    /// A loopback interface of its own, and nothing else.
    Loopback,
}
