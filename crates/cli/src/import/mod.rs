//! What a project's set-up for other tools tells: commands that make a workspace ready, checks, files to copy.
//!
//! The files come with the repository, so they are hostile input: they are read in bounds and beneath the project's
//! folder, nothing of them is run, and what Divisi has no equal for stays out and is named with its reason.

mod command;
mod document;
mod found;
mod peers;
mod steps;

use std::path::Path;

pub(crate) use found::{Imported, Left, Taken};

use document::Document;

/// A file of another tool, and how it is understood.
struct Peer {
    /// Where it lies, from the project's top folder.
    file: &'static str,
    read: fn(&Document, &mut found::Collector<'_>),
}

/// Where several tell how a workspace is made ready, the first one counts.
const PEERS: [Peer; 10] = [
    Peer { file: ".conductor/settings.toml", read: peers::conductor },
    Peer { file: "conductor.json", read: peers::conductor },
    Peer { file: ".superset/config.json", read: peers::superset },
    Peer { file: ".emdash.json", read: peers::emdash },
    Peer { file: ".workmux.yaml", read: peers::workmux },
    Peer { file: ".cursor/worktrees.json", read: peers::cursor },
    Peer { file: ".config/wt.toml", read: peers::worktrunk },
    Peer { file: ".github/workflows/copilot-setup-steps.yml", read: steps::copilot },
    Peer { file: ".devcontainer/devcontainer.json", read: steps::devcontainer },
    Peer { file: ".devcontainer.json", read: steps::devcontainer },
];

/// Ignored files that a new workspace needs, in `.gitignore` syntax. Divisi reads it by itself.
pub(crate) const INCLUDE_FILE: &str = ".worktreeinclude";

/// Looks at all the files that are known.
pub(crate) fn import(root: &Path) -> Imported {
    let mut imported = Imported::default();
    match document::read(root, INCLUDE_FILE) {
        Ok(None) => {}
        Ok(Some(text)) => imported.has_include(&text),
        Err(why) => {
            imported.has_include("");
            imported.leave(INCLUDE_FILE, "", "the file", &why);
        }
    }
    for peer in PEERS {
        match document::read(root, peer.file) {
            Ok(None) => {}
            Ok(Some(text)) => match Document::parse(peer.file, &text) {
                Ok(document) => (peer.read)(&document, &mut imported.from(peer.file)),
                Err(why) => imported.leave(peer.file, "", "the file", &why),
            },
            Err(why) => imported.leave(peer.file, "", "the file", &why),
        }
    }
    imported
}
