//! Finding the repository of each project again on another machine, or after it was moved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use divisi_model::ProjectId;
use divisi_workspace::{CommitId, Git, Project as Repository};

use super::error::ImportError;
use super::manifest::ExportedProject;

/// Where somebody says that a project is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The project: the path that it had, or its name.
    pub old: String,
    /// A folder in its repository here.
    pub new: PathBuf,
}

/// Whether this is a clone of a project that begins with one of these commits.
pub(crate) fn is_clone(repository: &Repository, roots: &[CommitId]) -> bool {
    roots.iter().any(|root| repository.has_commit(root).unwrap_or(false))
}

/// Whether a project that begins with one of these commits has its top folder here.
pub(crate) fn is_at(git: &Git, root: &Path, roots: &[CommitId]) -> bool {
    let there = Repository::open(git, root).ok().filter(|there| there.top() == Some(root));
    there.is_some_and(|there| roots.is_empty() || is_clone(&there, roots))
}

/// The folder of each project that was found: by what was said, around `here`, or at its old place.
pub(super) fn find(
    git: &Git,
    projects: &[ExportedProject],
    said: &[Moved],
    here: Option<&Path>,
) -> Result<BTreeMap<ProjectId, String>, ImportError> {
    let mut found: BTreeMap<ProjectId, String> = BTreeMap::new();
    for Moved { old, new } in said {
        let named = projects.iter().filter(|known| known.project.root == *old || known.project.name == *old);
        let named: Vec<_> = named.collect();
        let [named] = named.as_slice() else {
            let known = projects.iter().map(|known| known.project.root.clone()).collect();
            return Err(ImportError::NoProject { name: old.clone(), known });
        };
        let refuse = |why: &str| ImportError::NotAClone {
            path: new.clone(),
            project: named.project.name.clone(),
            why: why.to_owned(),
        };
        let repository = Repository::open(git, new).map_err(|error| refuse(&error.to_string()))?;
        let top = repository.top().and_then(Path::to_str);
        let top = top.ok_or_else(|| refuse("it has no files to work on, or its path is not text"))?;
        if !named.roots.is_empty() && !is_clone(&repository, &named.roots) {
            return Err(refuse("its history begins with other commits"));
        }
        found.insert(named.project.id, top.to_owned());
    }
    let here = here.and_then(|here| Repository::open(git, here).ok());
    if let Some((repository, top)) = here.as_ref().and_then(|here| Some((here, here.top()?.to_str()?))) {
        let open = projects.iter().filter(|known| !found.contains_key(&known.project.id));
        let open: Vec<_> = open.filter(|known| is_clone(repository, &known.roots)).collect();
        // Where several are clones of the same repository, nobody can say which of them is the one around here.
        let taken =
            found.values().any(|root| root == top) || open.iter().any(|known| known.project.root == top);
        if let ([only], false) = (open.as_slice(), taken) {
            found.insert(only.project.id, top.to_owned());
        }
    }
    for known in projects {
        if !found.contains_key(&known.project.id) && is_at(git, Path::new(&known.project.root), &known.roots)
        {
            found.insert(known.project.id, known.project.root.clone());
        }
    }
    Ok(found)
}
