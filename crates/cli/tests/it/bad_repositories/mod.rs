//! Repositories and places that are not as one thinks of them: each is told in a sentence or simply works, and Divisi
//! writes nothing into them but what lands.

mod in_between;
mod kinds;
mod refused;

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use divisi_testkit::{Finished, TestEnv};

/// Everything below a folder: kind, mode and content of each file, `.git` included.
type Fingerprint = BTreeMap<PathBuf, (u32, u64)>;

fn fingerprint(folder: &Path) -> Fingerprint {
    let mut found = Fingerprint::new();
    let mut open = vec![folder.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            if meta.is_dir() {
                open.push(path);
                continue;
            }
            let mut hash = DefaultHasher::new();
            match meta.is_symlink() {
                true => fs::read_link(&path).unwrap().hash(&mut hash),
                false => fs::read(&path).unwrap().hash(&mut hash),
            }
            let name = path.strip_prefix(folder).unwrap().to_owned();
            found.insert(name, (meta.permissions().mode(), hash.finish()));
        }
    }
    found
}

/// Without the objects, which are copied before it is known whether a landing can be: nothing refers to them then.
fn without_objects(folder: &Path) -> Fingerprint {
    let mut found = fingerprint(folder);
    found.retain(|name, _| !name.starts_with(".git/objects"));
    found
}

/// What is different, without what a landing on `branch` may write: objects, the branch with its log, and the index.
fn written(before: &Fingerprint, after: &Fingerprint, branch: &str) -> Vec<PathBuf> {
    let own = [
        ".git/index".to_owned(),
        ".git/logs/HEAD".to_owned(),
        format!(".git/refs/heads/{branch}"),
        format!(".git/logs/refs/heads/{branch}"),
    ];
    let names = before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name));
    let names = names.filter(|name| !name.starts_with(".git/objects"));
    let mut names: Vec<_> =
        names.filter(|name| own.iter().all(|own| *name != Path::new(own))).cloned().collect();
    names.sort();
    names.dedup();
    names
}

fn prompt(script: &str) -> String {
    format!("Do it\n\n```rehearsal\n{script}\n```\n")
}

const NEW: &str = "write new.txt \"hello\\n\"";

/// Gives a task out and waits; nothing may be written into the repository.
fn run(env: &TestEnv, folder: &Path, script: &str, options: &[&str]) -> Finished {
    let before = fingerprint(folder);
    let call = ["run", "--quiet", "--agent", "rehearsal", "--permissions", "all", "--wait"];
    let call = env.divisi().in_folder(folder).args(call).args(options).arg_dash(script);
    assert_eq!(fingerprint(folder), before, "an agent's work leaves the repository alone");
    call
}

/// Approves and lands a task.
fn land(env: &TestEnv, folder: &Path, task: &str) -> Finished {
    env.divisi().in_folder(folder).args(["review", task, "--approve"]).run().require_success();
    env.divisi().in_folder(folder).args(["land", task]).run()
}

/// The whole road in a repository that is fit for it, onto `branch`, with what was written into it besides what may be.
fn lands(env: &TestEnv, folder: &Path, branch: &str, script: &str) -> (String, Vec<PathBuf>) {
    let before = fingerprint(folder);
    let task = run(env, folder, script, &[]).require_success().stdout.trim().to_owned();
    land(env, folder, &task).require_success();
    (task, written(&before, &fingerprint(folder), branch))
}

fn names(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

/// A task by standard input.
trait ByInput {
    fn arg_dash(self, script: &str) -> Finished;
}

impl ByInput for divisi_testkit::Program<'_> {
    fn arg_dash(self, script: &str) -> Finished {
        self.args(["-"]).input(prompt(script)).run()
    }
}
