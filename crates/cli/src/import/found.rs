//! What was found in the files of other tools.

use serde::Serialize;

use super::INCLUDE_FILE;

/// Most things of one kind that are taken; a file with more is not a set-up.
const THINGS_MAX: usize = 64;
/// Most checks that are taken: a project may have twice as many.
const GATES_MAX: usize = divisi_model::limits::CHECKS / 2;
/// Longest name of a check that is taken.
const NAME_CHARS_MAX: usize = 60;
/// Longest command that is taken, in bytes.
const COMMAND_BYTES_MAX: usize = 16 * 1024;

/// All that was found, in the order of the files.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    /// What makes a workspace ready, and the variables that it is used to.
    pub(crate) setup: Vec<String>,
    /// The line that gives the setup its variables; empty if it needs none.
    pub(crate) variables: String,
    /// Names and commands of checks.
    pub(crate) gates: Vec<(String, String)>,
    /// Patterns of files to copy that `.worktreeinclude` does not have.
    pub(crate) include: Vec<String>,
    /// Names of the person's variables that are wanted.
    pub(crate) pass: Vec<String>,
    /// What was taken.
    pub(crate) taken: Vec<Taken>,
    /// What was left out, and why.
    pub(crate) left: Vec<Left>,
    /// The content of `.worktreeinclude`, if there is one.
    included: Option<Vec<String>>,
    /// The file whose setup counts.
    setup_from: Option<&'static str>,
}

/// Something that was taken.
#[derive(Debug, Serialize)]
pub(crate) struct Taken {
    /// The file.
    pub(crate) from: &'static str,
    /// What it became: `setup`, `gate`, `include` or `pass_environment`.
    pub(crate) into: &'static str,
    /// What it says.
    pub(crate) what: String,
}

/// Something that was left out.
#[derive(Debug, Serialize)]
pub(crate) struct Left {
    /// The file.
    pub(crate) from: &'static str,
    /// The key in it.
    pub(crate) key: String,
    /// What it says, or is.
    pub(crate) what: String,
    /// Why it was left out.
    pub(crate) why: String,
}

/// Collects what one file tells.
pub(super) struct Collector<'a> {
    file: &'static str,
    all: &'a mut Imported,
}

impl Imported {
    /// The setup as one script for `sh -c`; none when nothing was found.
    pub(crate) fn script(&self) -> Option<String> {
        match self.setup.as_slice() {
            [] => None,
            [command] if self.variables.is_empty() => Some(command.clone()),
            commands if self.variables.is_empty() && commands.iter().all(|c| is_simple(c)) => {
                Some(commands.join(" && "))
            }
            commands => {
                let mut script = String::from("set -e\n");
                script.push_str(&self.variables);
                for command in commands {
                    // What one command does to its shell must not reach the next one.
                    let apart = command.contains("cd ") && !command.starts_with('(');
                    script.push_str(&if apart {
                        format!("(\n{command}\n)\n")
                    } else {
                        format!("{command}\n")
                    });
                }
                Some(script)
            }
        }
    }

    /// Whether the project has a `.worktreeinclude` of its own.
    pub(crate) fn includes_already(&self) -> bool {
        self.included.is_some()
    }

    pub(super) fn has_include(&mut self, text: &str) {
        self.included = Some(text.lines().map(|line| line.trim().to_owned()).collect());
        if !text.trim().is_empty() {
            self.taken.push(Taken { from: INCLUDE_FILE, into: "include", what: "as it is".to_owned() });
        }
    }

    pub(super) fn leave(&mut self, from: &'static str, key: &str, what: &str, why: &str) {
        if self.left.len() < 4 * THINGS_MAX {
            let (key, what, why) = (key.to_owned(), what.to_owned(), why.to_owned());
            self.left.push(Left { from, key, what, why });
        }
    }

    pub(super) fn from(&mut self, file: &'static str) -> Collector<'_> {
        Collector { file, all: self }
    }
}

/// Whether a command means the same with `&&` beside it.
fn is_simple(command: &str) -> bool {
    !command.contains(['\n', '#', ';', '&', '|', '\'', '"', '\\']) && !command.starts_with("cd ")
}

impl Collector<'_> {
    /// Names something that Divisi has no equal for.
    pub(super) fn leave(&mut self, key: &str, what: &str, why: &str) {
        self.all.leave(self.file, key, what, why);
    }

    /// Names the keys that nobody here understands.
    pub(super) fn leave_keys(&mut self, keys: Vec<String>, known: &[&str]) {
        for key in keys {
            if !known.contains(&key.as_str()) && !key.starts_with('$') {
                self.leave(&key, "", "Divisi has no equal");
            }
        }
    }

    /// A command that makes a workspace ready. The first file that has any counts.
    pub(super) fn setup(&mut self, key: &str, command: String) {
        if self.all.setup.contains(&command) || !self.fits(key, &command) {
            return;
        }
        if let Some(other) = self.all.setup_from.filter(|other| *other != self.file) {
            return self.leave(key, &command, &format!("the setup is taken from {other}"));
        }
        self.all.setup_from = Some(self.file);
        self.take("setup", &command);
        self.all.setup.push(command);
    }

    /// Variables of this tool that its setup is used to; they count if its setup does.
    pub(super) fn variables(&mut self, pairs: &[(&str, &str)]) {
        if self.all.setup_from == Some(self.file) && self.all.variables.is_empty() {
            let pairs: Vec<_> = pairs.iter().map(|(name, ours)| format!("{name}=\"${ours}\"")).collect();
            self.all.variables = format!("export {}\n", pairs.join(" "));
        }
    }

    /// A command that a result must pass.
    pub(super) fn gate(&mut self, key: &str, name: &str, command: String) {
        let name: String = name.trim().chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
        let name = if name.is_empty() { key.to_owned() } else { name };
        if !self.fits(key, &command) {
            return;
        }
        if self.all.gates.len() >= GATES_MAX {
            return self.leave(key, &command, "there are too many");
        }
        self.take("gate", &command);
        self.all.gates.push((name, command));
    }

    /// A pattern of ignored files that a workspace needs.
    pub(super) fn include(&mut self, key: &str, pattern: &str) {
        let pattern = pattern.trim();
        let known = self.all.included.as_ref().is_some_and(|lines| lines.iter().any(|line| line == pattern));
        if pattern.is_empty() || known || self.all.include.iter().any(|other| other == pattern) {
            return;
        }
        let odd = pattern.starts_with(['/', '~', '#', '!']) || pattern.contains(['\n', '\0', '$', '{']);
        if odd || pattern.split('/').any(|part| part == "..") {
            return self.leave(key, pattern, "it is no plain pattern inside the project");
        }
        if self.all.included.is_some() {
            return self.leave(
                key,
                pattern,
                "there is a .worktreeinclude already; add it there if you want it",
            );
        }
        if self.all.include.len() < THINGS_MAX {
            self.take("include", pattern);
            self.all.include.push(pattern.to_owned());
        }
    }

    /// A variable of the person that is wanted.
    pub(super) fn pass(&mut self, name: &str) {
        if !self.all.pass.iter().any(|other| other == name) && self.all.pass.len() < THINGS_MAX {
            self.take("pass_environment", name);
            self.all.pass.push(name.to_owned());
        }
    }

    fn fits(&mut self, key: &str, command: &str) -> bool {
        if command.trim().is_empty() {
            return false;
        }
        let why = if command.len() > COMMAND_BYTES_MAX {
            "it is too long"
        } else if command.contains('\0') {
            "it has a NUL in it"
        } else if self.all.setup.len() >= THINGS_MAX {
            "there are too many"
        } else {
            return true;
        };
        self.leave(key, "a command", why);
        false
    }

    fn take(&mut self, into: &'static str, what: &str) {
        self.all.taken.push(Taken { from: self.file, into, what: what.to_owned() });
    }
}
