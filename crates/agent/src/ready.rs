//! Whether an agent can be used, decided from facts that the caller gathered. Nothing here looks at the machine.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::definition::{Definition, Login};

/// What to find out about an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The program to look up: in `PATH` if it has no slash. `{divisi}` stands for this program.
    pub program: String,
    /// Arguments that make it print its version. Empty: it has no such thing.
    pub version_args: Vec<String>,
    /// Files to look for below the user's real home.
    pub files: BTreeSet<String>,
    /// Variables to look for; an empty one counts as missing.
    pub variables: BTreeSet<String>,
}

/// What was found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The program's path, if there is one.
    pub program: Option<PathBuf>,
    /// What it printed when asked for its version, if it was asked.
    pub version: Option<String>,
    /// Those of [`Probe::files`] that exist.
    pub files: BTreeSet<String>,
    /// Those of [`Probe::variables`] that are set.
    pub variables: BTreeSet<String>,
}

/// Whether an agent can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Readiness {
    /// It can.
    Ready {
        /// Where its login comes from: a login's title, `custom endpoint`, or `no login needed`.
        login: String,
    },
    /// Everything is there, but the tests of Divisi never run it.
    Unverified {
        /// Where its login comes from.
        login: String,
    },
    /// The program is there, the login is not.
    NotLoggedIn {
        /// The command that logs in.
        hint: String,
    },
    /// The program is not there.
    NotInstalled {
        /// The command that installs it.
        hint: String,
    },
}

impl Definition {
    /// What to find out about it.
    pub fn probe(&self) -> Probe {
        let logins = || self.login.iter();
        let mut variables: BTreeSet<String> = logins().flat_map(|l| l.variables.iter().cloned()).collect();
        variables.extend(self.api_key_variable.clone());
        Probe {
            program: self.program().to_owned(),
            version_args: self.version_args.clone(),
            files: logins().flat_map(|l| l.files.iter().chain(&l.also).cloned()).collect(),
            variables,
        }
    }

    /// The first way to log in that the facts allow.
    pub fn login(&self, facts: &Facts) -> Option<&Login> {
        self.login.iter().find(|login| {
            login.files.iter().all(|file| facts.files.contains(file))
                && login.variables.iter().all(|name| facts.variables.contains(name))
        })
    }

    /// Whether it can be used.
    pub fn readiness(&self, facts: &Facts) -> Readiness {
        let or = |hint: &Option<String>, otherwise: String| hint.clone().unwrap_or(otherwise);
        if facts.program.is_none() {
            return Readiness::NotInstalled {
                hint: or(&self.install, format!("put `{}` into PATH", self.program())),
            };
        }
        let login = if self.base_url.is_some() {
            match &self.api_key_variable {
                Some(name) if !facts.variables.contains(name) => {
                    return Readiness::NotLoggedIn { hint: format!("export {name}=…") };
                }
                _ => "custom endpoint".to_owned(),
            }
        } else if self.login.is_empty() {
            "no login needed".to_owned()
        } else {
            match self.login(facts) {
                Some(login) => login.title.clone(),
                None => return Readiness::NotLoggedIn { hint: or(&self.log_in, self.login_hint()) },
            }
        };
        if self.verified { Readiness::Ready { login } } else { Readiness::Unverified { login } }
    }

    /// How to log in where the definition names no command: which variables to set, or which files to make.
    pub fn login_hint(&self) -> String {
        let way = |login: &Login| match (login.variables.as_slice(), login.files.as_slice()) {
            ([], files) => format!("make {}", files.join(" and ")),
            (variables, _) => format!("set {}", variables.join(" and ")),
        };
        self.login.iter().map(way).collect::<Vec<_>>().join(", or ")
    }
}

impl Readiness {
    /// Whether the agent can be started.
    pub fn is_usable(&self) -> bool {
        matches!(self, Self::Ready { .. } | Self::Unverified { .. })
    }

    /// Whether the agent may be taken when none was named.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready { .. })
    }

    /// The state in words, for lists.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Ready { .. } => "ready",
            Self::Unverified { .. } => "ready, unverified",
            Self::NotLoggedIn { .. } => "not logged in",
            Self::NotInstalled { .. } => "not installed",
        }
    }

    /// The command that mends it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::NotLoggedIn { hint } | Self::NotInstalled { hint } => Some(hint),
            _ => None,
        }
    }
}

/// The version in what a program printed: the first word that begins with digits and a dot.
pub fn version_in(printed: &str) -> Option<String> {
    let is_version = |word: &&str| {
        word.split_once('.').is_some_and(|(major, rest)| {
            !major.is_empty()
                && major.bytes().all(|b| b.is_ascii_digit())
                && rest.bytes().next().is_some_and(|b| b.is_ascii_digit())
        })
    };
    let words = printed.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | '/' | '"'));
    words
        .map(|word| word.trim_start_matches('v').trim_end_matches(['.', ';']))
        .find(is_version)
        .map(str::to_owned)
}
