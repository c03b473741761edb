//! What a folder lies on, down to the layer that is written to: an overlay, as a container has it, is as good or bad as
//! what lies below it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::Result;

/// Overlays on overlays that are followed.
const DEPTH_MAX: usize = 8;
const WITHOUT: &str = "ext4 without journal";

/// A file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// In words.
    pub name: String,
    /// What is measured on it would be the time of looking through deleted inodes.
    pub spoils: bool,
}

/// What the kernel says of its file systems.
#[derive(Debug, Default)]
struct Seen {
    /// `/proc/self/mountinfo`.
    mounts: String,
    /// The devices that are mounted as ext4, anywhere on the machine.
    ext4: Vec<String>,
    /// Those of them that have a journal.
    journaled: Vec<String>,
}

/// One line of the mounts.
struct Mount {
    point: PathBuf,
    kind: String,
    device: String,
    upper: Option<PathBuf>,
}

/// The kind of a folder's file system.
pub fn of(folder: &Path) -> Result<Kind> {
    let names = |path: &str| {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    // The journal's own statistics are there only where there is a journal; their names end in its inode.
    let journals = names("/proc/fs/jbd2").into_iter();
    let seen = Seen {
        mounts: fs::read_to_string("/proc/self/mountinfo")?,
        ext4: names("/proc/fs/ext4"),
        journaled: journals.filter_map(|name| Some(name.rsplit_once('-')?.0.to_owned())).collect(),
    };
    Ok(kind(&folder.canonicalize()?, &seen, DEPTH_MAX))
}

fn kind(folder: &Path, seen: &Seen, depth: usize) -> Kind {
    let mounts = seen.mounts.lines().filter_map(mount);
    // The last of several on one folder covers the others.
    let at = mounts.filter(|mount| folder.starts_with(&mount.point));
    let Some(mount) = at.max_by_key(|mount| mount.point.components().count()) else {
        return Kind { name: "an unknown file system".to_owned(), spoils: false };
    };
    let is = |name: &str, spoils| Kind { name: name.to_owned(), spoils };
    match mount.kind.as_str() {
        "overlay" => {
            let below = mount
                .upper
                .filter(|_| depth > 0)
                .map(|upper| (upper.exists(), kind(&upper, seen, depth - 1)));
            over(below, seen)
        }
        "ext2" => is(WITHOUT, true),
        "ext3" => is("ext4 with journal", false),
        "ext4" => {
            // The root's device may have only a name of the kernel's own; then the one ext4 there is must be it.
            let known = seen.ext4.contains(&mount.device);
            let has = match (known, &seen.ext4[..]) {
                (false, [only]) => seen.journaled.contains(only),
                _ => seen.journaled.contains(&mount.device),
            };
            if has { is("ext4 with journal", false) } else { is(WITHOUT, true) }
        }
        other => is(other, false),
    }
}

/// An overlay over what its upper folder lies on. In a container that folder is often the host's, and cannot be seen: then
/// one ext4 without a journal anywhere is reason enough to look for another place.
fn over(below: Option<(bool, Kind)>, seen: &Seen) -> Kind {
    if let Some((true, below)) = below {
        return Kind { name: format!("an overlay over {}", below.name), spoils: below.spoils };
    }
    match seen.ext4.iter().find(|device| !seen.journaled.contains(device)) {
        Some(device) => {
            Kind { name: format!("an overlay, perhaps over {WITHOUT} ({device}),"), spoils: true }
        }
        None => Kind { name: "an overlay over what cannot be seen".to_owned(), spoils: false },
    }
}

fn mount(line: &str) -> Option<Mount> {
    let (place, what) = line.split_once(" - ")?;
    let mut what = what.split(' ');
    let (kind, source, options) = (what.next()?, what.next()?, what.next()?);
    let upper = options.split(',').find_map(|option| option.strip_prefix("upperdir="));
    Some(Mount {
        point: path(place.split(' ').nth(4)?),
        kind: kind.to_owned(),
        device: source.rsplit('/').next().unwrap_or_default().to_owned(),
        upper: upper.map(path),
    })
}

/// A path in which the kernel writes a space as `\040`.
fn path(escaped: &str) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = escaped.as_bytes();
    while let [first, after @ ..] = rest {
        let code =
            after.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(mounts: &[&str], ext4: &[&str], journaled: &[&str]) -> Seen {
        let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Seen { mounts: mounts.join("\n"), ext4: all(ext4), journaled: all(journaled) }
    }

    fn at(folder: &str, seen: &Seen) -> (String, bool) {
        let Kind { name, spoils } = kind(Path::new(folder), seen, DEPTH_MAX);
        (name, spoils)
    }

    const ROOT: &str = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard";
    const SHM: &str = "30 22 0:22 / /dev/shm rw,nosuid - tmpfs tmpfs rw";
    const DISK: &str = r"31 22 7:0 / /a\040disk rw - ext4 /dev/loop0 rw";

    #[test]
    fn the_nearest_mount_counts_and_its_journal() {
        let three = seen(&[ROOT, SHM, DISK], &["vda", "loop0"], &["loop0"]);
        assert_eq!(at("/home", &three), ("ext4 without journal".into(), true));
        assert_eq!(at("/dev/shm/x", &three), ("tmpfs".into(), false));
        assert_eq!(at("/dev/shmall", &three), ("ext4 without journal".into(), true));
        assert_eq!(at("/a disk/x", &three), ("ext4 with journal".into(), false));
        let named_by_the_kernel = ROOT.replace("/dev/vda", "/dev/root");
        let alone = seen(&[&named_by_the_kernel], &["vda"], &["vda"]);
        assert_eq!(at("/home", &alone), ("ext4 with journal".into(), false));
    }

    #[test]
    fn an_overlay_is_what_lies_below_it() {
        let over = |upper: &str| {
            format!("40 22 0:40 / /merged rw - overlay overlay rw,lowerdir=/l,upperdir={upper},workdir=/w")
        };
        // Both upper folders are there on every machine.
        let (root, memory) = (over("/"), over("/dev"));
        let shm = SHM.replace("/dev/shm", "/dev");
        let bare = seen(&[ROOT, &shm, &root], &["vda"], &[]);
        assert_eq!(at("/merged/x", &bare), ("an overlay over ext4 without journal".into(), true));
        let journaled = seen(&[ROOT, &shm, &root], &["vda"], &["vda"]);
        assert_eq!(at("/merged/x", &journaled), ("an overlay over ext4 with journal".into(), false));
        let in_memory = seen(&[ROOT, &shm, &memory], &["vda"], &[]);
        assert_eq!(at("/merged/x", &in_memory), ("an overlay over tmpfs".into(), false));
        // As in a container, whose host has the upper folder.
        let container =
            "1 0 0:40 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/var/lib/of-the-host/diff,workdir=/w";
        let (name, spoils) = at("/home", &seen(&[container], &["vda"], &[]));
        assert!(spoils && name.contains("vda"), "{name}");
        assert!(!at("/home", &seen(&[container], &["vda"], &["vda"])).1);
        assert!(!at("/home", &seen(&[container], &[], &[])).1);
    }
}
