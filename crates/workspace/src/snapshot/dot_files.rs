//! The ignore rules of a base commit and of a workspace, read without trusting the workspace.

use crate::git::GitError;
use crate::hub::{Hub, HubError};
use crate::ids::CommitId;
use crate::ignore_rules::{MAX_IGNORE_BYTES, Rules};

/// First line of the file by which a folder marks itself as a cache that can be made again
/// (<https://bford.info/cachedir/>).
const CACHE_SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// The rules of a commit's `.gitignore` files, and `also` below them in rank.
pub(crate) fn rules_of(hub: &Hub, commit: &CommitId, also: &str) -> Result<Rules, HubError> {
    let mut rules = Rules::default();
    rules.add_everywhere(also.as_bytes());
    let mut objects = None;
    for (path, entry) in hub.listing(commit)?.iter().filter(|(path, _)| path.file_name() == b".gitignore") {
        let objects = match &mut objects {
            Some(open) => open,
            none => none.insert(hub.cat_file()?),
        };
        match objects.read(&entry.oid, MAX_IGNORE_BYTES) {
            Ok(Some((_, text))) => rules.add(path.parent(), &text),
            // Too large to be meant as rules.
            Ok(None) | Err(GitError::TooMuchOutput { .. }) => objects_reset(hub, objects)?,
            Err(source) => return Err(HubError::Git { doing: "read the base's ignore rules", source }),
        }
    }
    Ok(rules)
}

/// After a refused object the conversation is in the middle of it; a new one is opened.
fn objects_reset(hub: &Hub, objects: &mut crate::git::CatFile) -> Result<(), HubError> {
    *objects = hub.cat_file()?;
    Ok(())
}

/// True if this is the content of a valid `CACHEDIR.TAG`.
pub(crate) fn is_cache_tag(bytes: &[u8]) -> bool {
    bytes.starts_with(CACHE_SIGNATURE)
}
