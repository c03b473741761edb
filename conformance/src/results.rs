//! The results as they are committed: a file per agent.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::cell::Cell;

/// What was seen of one agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What `divisi --agent` calls it.
    pub agent: String,
    /// The version that was installed, as its package counts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub package: String,
    /// The version that the program prints.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The day of the newest cell.
    pub date: String,
    /// Where it ran: operating system and processor.
    pub machine: String,
    /// Whether it ran with no network but the loopback interface.
    pub alone: bool,
    /// Why it did not run at all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub absent: String,
    /// What was seen, by column.
    #[serde(default)]
    pub cells: BTreeMap<String, Cell>,
}

impl Row {
    /// Reads the row of an agent; none if it never ran.
    pub fn load(folder: &Path, agent: &str) -> Result<Option<Self>, String> {
        let path = folder.join(format!("{agent}.toml"));
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                toml::from_str(&text).map(Some).map_err(|error| format!("{}: {error}", path.display()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    /// Writes it; cells of another run stay where this one has none and the version is the same.
    pub fn save(&self, folder: &Path) -> Result<(), String> {
        let mut row = self.clone();
        if let Some(before) = Self::load(folder, &self.agent)?
            && before.package == row.package
            && before.version == row.version
            && row.absent.is_empty()
        {
            for (column, cell) in before.cells {
                row.cells.entry(column).or_insert(cell);
            }
        }
        let path = folder.join(format!("{}.toml", self.agent));
        let text = toml::to_string(&row).map_err(|error| error.to_string())?;
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| format!("{}: {error}", path.display()))
    }
}
