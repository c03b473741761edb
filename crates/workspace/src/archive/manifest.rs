//! The table of contents of an archive: JSON, one entry per line, folders before what is in them.

use serde::{Deserialize, Serialize};

use crate::ids::{BlobId, RepoPath};

/// First line.
const HEADER: &str = "{\"divisi\":\"archive\",\"version\":1}";
/// Largest manifest that is read.
pub(super) const MAX_BYTES: u64 = 1 << 30;

/// One file, folder or link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) path: RepoPath,
    pub(super) kind: ItemKind,
    /// Permission bits.
    pub(super) mode: u32,
    /// Seconds and nanoseconds.
    pub(super) time: (i64, i64),
    pub(super) size: u64,
    /// The file's bytes or the link's text.
    pub(super) blob: Option<BlobId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ItemKind {
    Dir,
    File,
    Link,
}

pub(super) fn write(items: &[Item]) -> Vec<u8> {
    let mut out = format!("{HEADER}\n").into_bytes();
    for item in items {
        // A struct of strings and numbers always has a JSON form.
        if let Ok(line) = serde_json::to_vec(item) {
            out.extend_from_slice(&line);
            out.push(b'\n');
        }
    }
    out
}

/// Nothing if it is of another form, or names a path that could lead out of its folder.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<Item>> {
    let mut lines = bytes.split(|b| *b == b'\n');
    if lines.next()? != HEADER.as_bytes() {
        return None;
    }
    let items: Option<Vec<Item>> =
        lines.filter(|line| !line.is_empty()).map(|line| serde_json::from_slice(line).ok()).collect();
    items.filter(|items| items.iter().all(|item| is_plain(item.path.as_bytes())))
}

fn is_plain(path: &[u8]) -> bool {
    !path.contains(&0) && path.split(|b| *b == b'/').all(|part| !matches!(part, b"" | b"." | b".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written_and_leads_nowhere_else() {
        let item = |path: &[u8]| Item {
            path: RepoPath::new(path),
            kind: ItemKind::Link,
            mode: 0o777,
            time: (-1, 5),
            size: 3,
            blob: Some(BlobId::parse(&"a".repeat(40)).unwrap()),
        };
        let items = [item(b"a\n\xff"), item(b"a/b")];
        assert_eq!(read(&write(&items)).unwrap(), items);
        for bad in [&b"../x"[..], b"/etc", b"a/../../b", b"", b"a//b"] {
            assert_eq!(read(&write(&[item(bad)])), None);
        }
        assert_eq!(read(b"{}\n"), None);
    }
}
