//! What kind of project this is, and what would prove a change of it.

use std::path::Path;

use crate::import::Imported;

/// What is proposed for a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Proposal {
    /// The files that it was seen by.
    pub(crate) seen: Vec<&'static str>,
    /// What makes a new checkout ready.
    pub(crate) setup: Vec<String>,
    /// Names and commands of gates.
    pub(crate) gates: Vec<(String, String)>,
    /// Names of variables to pass on.
    pub(crate) pass: Vec<String>,
}

/// Longest beginning of a file that is looked at, in bytes.
const READ_BYTES: u64 = 1024 * 1024;

/// Looks at the files in a project's top folder.
pub(crate) fn detect(root: &Path) -> Proposal {
    let mut found = Proposal::default();
    let has = |name: &str| root.join(name).is_file();
    let read = |name: &str| read_start(&root.join(name)).unwrap_or_default();
    if has("Cargo.toml") {
        found.see("Cargo.toml");
        found.gate(
            "test",
            if read("Cargo.toml").contains("[workspace]") { "cargo test --workspace" } else { "cargo test" },
        );
    }
    if has("package.json") {
        found.see("package.json");
        node(&mut found, &read("package.json"), &has);
    }
    if has("pyproject.toml") || has("setup.py") || has("pytest.ini") {
        found.see(if has("pyproject.toml") { "pyproject.toml" } else { "setup.py" });
        let pytest = has("pytest.ini") || read("pyproject.toml").contains("pytest") || has("conftest.py");
        let command = if pytest { "python3 -m pytest -q" } else { "python3 -m unittest discover" };
        found.gate("test", command);
    }
    if has("go.mod") {
        found.see("go.mod");
        found.gate("test", "go test ./...");
    }
    if has("Makefile") {
        found.see("Makefile");
        let makefile = read("Makefile");
        let target = |name: &str| makefile.lines().any(|line| line.starts_with(&format!("{name}:")));
        // Where another tool runs the tests already, the Makefile is most likely a short name for it.
        if found.gates.is_empty()
            && let Some(name) = ["test", "check"].into_iter().find(|name| target(name))
        {
            found.gate(name, &format!("make {name}"));
        }
    }
    found
}

/// The beginning of a file as text: it comes with the repository and may be of any size.
fn read_start(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?.take(READ_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

impl Proposal {
    fn see(&mut self, file: &'static str) {
        self.seen.push(file);
    }

    /// Lays over it what the set-up for other tools tells, which its authors chose.
    pub(crate) fn take(&mut self, imported: &Imported) {
        if let Some(script) = imported.script() {
            self.setup = vec![script];
        }
        self.pass.clone_from(&imported.pass);
        for (name, command) in &imported.gates {
            if !self.gates.iter().any(|(_, other)| other == command) {
                self.gate(name, command);
            }
        }
    }

    /// Adds a gate; a name that is taken gets the place of its command in front.
    fn gate(&mut self, name: &str, command: &str) {
        let taken = self.gates.iter().any(|(other, _)| other == name);
        let first = command.split(' ').next().unwrap_or_default();
        let mut name = if taken { format!("{first} {name}") } else { name.to_owned() };
        while self.gates.iter().any(|(other, _)| *other == name) {
            name.push('\'');
        }
        self.gates.push((name, command.to_owned()));
    }
}

fn node(found: &mut Proposal, package: &str, has: &dyn Fn(&str) -> bool) {
    let package: serde_json::Value = serde_json::from_str(package).unwrap_or_default();
    let (install, run) = if has("pnpm-lock.yaml") {
        ("pnpm install --frozen-lockfile", "pnpm")
    } else if has("yarn.lock") {
        ("yarn install --frozen-lockfile", "yarn")
    } else if has("package-lock.json") {
        ("npm ci", "npm")
    } else {
        ("npm install", "npm")
    };
    let needs =
        |name: &str| package.get(name).and_then(|list| list.as_object()).is_some_and(|list| !list.is_empty());
    if needs("dependencies") || needs("devDependencies") {
        found.setup.push(install.to_owned());
    }
    let script = |name: &str| package.pointer(&format!("/scripts/{name}")).and_then(|script| script.as_str());
    // What `npm init` writes is no test.
    if script("test").is_some_and(|test| !test.contains("no test specified")) {
        found.gate("test", &format!("{run} test"));
    }
    for name in ["lint", "typecheck"] {
        if script(name).is_some() {
            found.gate(name, &format!("{run} run {name}"));
        }
    }
}
