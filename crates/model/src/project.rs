//! A project: a git repository that Divisi works on.

use serde::{Deserialize, Serialize};

use crate::ids::ProjectId;

/// A git repository that Divisi works on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its identity.
    pub id: ProjectId,
    /// The folder name, for people.
    pub name: String,
    /// The top folder of the user's checkout, as an absolute path.
    pub root: String,
}
