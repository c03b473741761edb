//! Which permission requests are answered without a person.

use std::path::{Component, Path, PathBuf};

use crate::task::Permissions;
use crate::transcript::{ToolCall, ToolKind};

/// The rule that allows a tool call, in words for the record; none when a person must say so.
///
/// An edit is allowed only where the agent names the files and all of them lie inside the workspace, by their text: the
/// decision is made before anything exists, so a link cannot be followed. What an agent does not name is never inside.
pub fn allowed_by(permissions: Permissions, call: &ToolCall, workspace: &Path) -> Option<&'static str> {
    match permissions {
        Permissions::Edits if call.left_out > 0 => None,
        Permissions::Ask => None,
        Permissions::All => Some("permissions = \"all\""),
        Permissions::Edits if call.left_out > 0 => None,
        Permissions::Edits => match call.kind {
            ToolKind::Read | ToolKind::Search | ToolKind::Think
                if places(call).all(|p| inside(p, workspace)) =>
            {
                Some("permissions = \"edits\": reading in the workspace")
            }
            ToolKind::Edit | ToolKind::Delete | ToolKind::Move
                if places(call).next().is_some() && places(call).all(|p| inside(p, workspace)) =>
            {
                Some("permissions = \"edits\": editing in the workspace")
            }
            _ => None,
        },
    }
}

fn places(call: &ToolCall) -> impl Iterator<Item = &str> {
    call.locations.iter().map(|l| l.path.as_str()).chain(call.diffs.iter().map(|d| d.path.as_str()))
}

/// Whether a path, made absolute in the workspace and without `..`, lies in it and not in its git directory.
fn inside(path: &str, workspace: &Path) -> bool {
    let mut plain = PathBuf::new();
    for part in workspace.join(path).components() {
        match part {
            Component::ParentDir => {
                if !plain.pop() {
                    return false;
                }
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
        .strip_prefix(workspace)
        .is_ok_and(|rest| !rest.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::Location;

    fn call(kind: ToolKind, paths: &[&str]) -> ToolCall {
        let locations = paths.iter().map(|p| Location { path: (*p).into(), line: None }).collect();
        ToolCall { kind, locations, ..ToolCall::new("1") }
    }

    #[test]
    fn edits_are_allowed_inside_the_workspace_only() {
        let allowed = |kind, paths: &[&str]| {
            allowed_by(Permissions::Edits, &call(kind, paths), Path::new("/w/t1")).is_some()
        };
        assert!(allowed(ToolKind::Edit, &["/w/t1/src/a.rs"]));
        assert!(allowed(ToolKind::Edit, &["src/a.rs"]));
        assert!(allowed(ToolKind::Read, &[]));
        assert!(!allowed(ToolKind::Edit, &[]), "nothing is named");
        assert!(!allowed(ToolKind::Edit, &["/w/t1/../t2/a.rs"]));
        assert!(!allowed(ToolKind::Edit, &["/w/t1/src/a.rs", "/etc/passwd"]));
        assert!(!allowed(ToolKind::Edit, &["/w/t10/a.rs"]));
        assert!(!allowed(ToolKind::Edit, &[".git/config"]));
        assert!(!allowed(ToolKind::Read, &["/home/me/.ssh/id"]));
        assert!(!allowed(ToolKind::Execute, &[]));
        assert!(!allowed(ToolKind::Other, &["src/a.rs"]));
        let partly = ToolCall { left_out: 1, ..call(ToolKind::Edit, &["src/a.rs"]) };
        assert!(allowed_by(Permissions::Edits, &partly, Path::new("/w")).is_none(), "not all of it is seen");
        let partly = ToolCall { left_out: 1, ..call(ToolKind::Edit, &["src/a.rs"]) };
        assert!(allowed_by(Permissions::Edits, &partly, Path::new("/w/t1")).is_none(), "not seen whole");
    }

    #[test]
    fn ask_asks_and_all_allows() {
        let run = call(ToolKind::Execute, &[]);
        assert!(allowed_by(Permissions::Ask, &call(ToolKind::Read, &[]), Path::new("/w")).is_none());
        assert!(allowed_by(Permissions::All, &run, Path::new("/w")).is_some());
    }
}
