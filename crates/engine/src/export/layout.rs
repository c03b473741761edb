//! The names in an export. What does not have one of these forms is not opened, so no name can lead anywhere else.

use divisi_model::image::ImageHash;
use divisi_workspace::launch;
use uuid::Uuid;

use crate::images::IMAGES;

/// What stands first: that this is an export, and of which form.
pub(super) const HEADER: &str = "divisi-export.json";
/// What stands last: every part with its size and checksum.
pub(super) const MANIFEST: &str = "manifest.json";
/// The log, an envelope in each line.
pub(super) const EVENTS: &str = "log/events.jsonl";
/// The index of all transcripts, an entry in each line, in the order of revisions.
pub(super) const TRANSCRIPTS: &str = "log/transcripts.jsonl";
/// Folders of the data folder that hold launches.
const LAUNCHES: [&str; 3] = ["sessions", "checks", "setups"];

/// The files of a launch that are worth keeping. Its `spec.json` is not among them: it holds the environment, and with
/// it the person's keys.
pub(super) const LAUNCH_FILES: [&str; 8] = [
    launch::OUT_JOURNAL,
    launch::IN_JOURNAL,
    launch::IN_LENGTH,
    launch::IN_EOF,
    launch::ERR_LOG,
    launch::ERR_OLD_LOG,
    launch::EXIT,
    "setup.json",
];

/// Longest name of a part.
const NAME_BYTES: usize = 300;

/// What a name in an export means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Header,
    Manifest,
    Events,
    Transcripts,
    /// The pack of a project's hub.
    Pack(Uuid),
    /// Its refs.
    Refs(Uuid),
    /// What is remembered of a workspace.
    Workspace,
    /// A file of a launch, whose name is its path below the data folder.
    Launch,
    /// An image of a prompt, whose name is its path below the data folder.
    Image(ImageHash),
    /// A file of the person's configuration, by its path below that folder.
    Configuration(String),
}

/// The name of a project's pack.
pub(super) fn pack(project: Uuid) -> String {
    format!("projects/{project}/hub.pack")
}

/// The name of a project's refs.
pub(super) fn refs(project: Uuid) -> String {
    format!("projects/{project}/hub.json")
}

/// The name of what is remembered of a workspace.
pub(super) fn workspace(name: &str) -> String {
    format!("workspaces/{name}.json")
}

/// The name of an image.
pub(super) fn image(hash: &ImageHash) -> String {
    format!("{IMAGES}/{hash}")
}

/// Whether this is the path of a launch below the data folder.
pub(super) fn is_launch(folder: &str) -> bool {
    let parts: Vec<&str> = folder.split('/').collect();
    matches!(parts.as_slice(), [kind, a, b] if LAUNCHES.contains(kind) && is_plain(a) && is_plain(b))
}

/// Reads a name; none if it is not of an export.
pub(super) fn part(name: &str) -> Option<Part> {
    match name {
        _ if name.len() > NAME_BYTES => return None,
        HEADER => return Some(Part::Header),
        MANIFEST => return Some(Part::Manifest),
        EVENTS => return Some(Part::Events),
        TRANSCRIPTS => return Some(Part::Transcripts),
        _ => {}
    }
    if !name.split('/').all(is_plain) {
        return None;
    }
    // Only the one spelling that we write, so that two names never mean the same.
    let project = |id: &str| Uuid::parse_str(id).ok().filter(|uuid| uuid.to_string() == id);
    let parts: Vec<&str> = name.split('/').collect();
    match parts.as_slice() {
        ["projects", id, "hub.pack"] => project(id).map(Part::Pack),
        ["projects", id, "hub.json"] => project(id).map(Part::Refs),
        [IMAGES, hash] => hash.parse().ok().map(Part::Image),
        ["workspaces", file] if file.ends_with(".json") => Some(Part::Workspace),
        ["configuration", rest @ ..] => {
            let own = matches!(rest, ["config.toml"])
                || matches!(rest, ["agents", file] if file.ends_with(".toml"));
            own.then(|| Part::Configuration(rest.join("/")))
        }
        [folder @ .., file] => {
            (is_launch(&folder.join("/")) && LAUNCH_FILES.contains(file)).then_some(Part::Launch)
        }
        [] => None,
    }
}

/// A name of one file or folder: letters, digits, `.`, `_` and `-`, and no dot in front.
fn is_plain(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_of_an_export_are_read() {
        let id = Uuid::from_u128(7);
        assert_eq!(part(&pack(id)), Some(Part::Pack(id)));
        assert_eq!(part(&refs(id)), Some(Part::Refs(id)));
        assert_eq!(part(&workspace("t1.1")), Some(Part::Workspace));
        assert_eq!(part("sessions/t1.1/1/out.journal"), Some(Part::Launch));
        assert_eq!(part("checks/t1.1/0a1b-1-list/out.journal"), Some(Part::Launch));
        let hash: ImageHash = "0a".repeat(32).parse().unwrap();
        assert_eq!(part(&image(&hash)), Some(Part::Image(hash)));
        assert_eq!(
            part("configuration/agents/mine.toml"),
            Some(Part::Configuration("agents/mine.toml".into()))
        );
        for name in [
            "",
            "/etc/passwd",
            "../x",
            "sessions/../../x/out.journal",
            "sessions/t1.1/1/spec.json",
            "sessions/t1.1/1/x/out.journal",
            "sessions/t1.1/.hidden/out.journal",
            "sessions//1/out.journal",
            "projects/7/hub.pack",
            "projects/00000000-0000-0000-0000-00000000000A/hub.pack",
            "configuration/../config.toml",
            "configuration/agents/../../x.toml",
            "log/events.jsonl/",
            "workspaces/t1.1",
            "homes/t1.1/1/out.journal",
            "images/../daemon.json",
            "images/0123",
            "daemon.json",
        ] {
            assert_eq!(part(name), None, "{name}");
        }
    }
}
