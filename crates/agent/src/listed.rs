//! Agents as the ACP registry lists them (`agent.json`, and an index `registry.json` of many): read as hostile input and
//! turned into a definition. The form: <https://agentclientprotocol.com/rfds/acp-agent-registry>.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Table, Value};

use crate::template;

/// Longest file that is read, in bytes; the index of the public registry has about a tenth of that.
pub const LISTING_BYTES: usize = 4 * 1024 * 1024;
/// Most arguments or variables of one agent.
const WORDS: usize = 64;
/// Longest argument, variable or name, in bytes.
const WORD_BYTES: usize = 1000;

/// One agent of the registry, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its id: a-z, 0-9 and `-`, beginning with a letter.
    pub id: String,
    /// Its full name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it says of itself, in a line.
    pub description: String,
    /// The ways to get it that can be used here, in the order in which one is taken.
    pub ways: Vec<Way>,
}

/// A way to get an agent, with what would be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// `npx`, `uvx` or `binary`.
    pub kind: &'static str,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Variables that it is given.
    pub environment: BTreeMap<String, String>,
    /// What a person must do first; none where the program gets it by itself.
    pub install: Option<String>,
}

/// A listing that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListingError {
    /// It is too long.
    #[error("it is longer than {LISTING_BYTES} bytes")]
    TooLong,
    /// It is not JSON, or lacks something.
    #[error("it is not of the registry's form: {0}")]
    Form(String),
    /// It lists several agents and none was named.
    #[error("it lists {count} agents")]
    Several {
        /// How many.
        count: usize,
        /// The ids of some.
        ids: Vec<String>,
    },
    /// It does not list this one.
    #[error("it lists no agent `{0}`")]
    Unknown(String),
    /// Something in it is not taken.
    #[error("{0}")]
    Refused(String),
    /// It cannot be had on this machine.
    #[error("`{id}` offers nothing for {platform}: {offered}")]
    Platform {
        /// The agent.
        id: String,
        /// This machine.
        platform: String,
        /// What it offers.
        offered: String,
    },
}

#[derive(Deserialize)]
struct RawAgent {
    id: String,
    name: String,
    version: String,
    #[serde(default)]
    description: String,
    distribution: RawDistribution,
}

#[derive(Deserialize, Default)]
struct RawDistribution {
    #[serde(default)]
    binary: BTreeMap<String, RawBinary>,
    npx: Option<RawPackage>,
    uvx: Option<RawPackage>,
}

#[derive(Deserialize)]
struct RawBinary {
    archive: String,
    sha256: Option<String>,
    cmd: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct RawPackage {
    package: String,
    cmd: Option<String>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// The name that the registry gives to this machine: `linux-x86_64`.
pub fn platform() -> String {
    let system = if std::env::consts::OS == "macos" { "darwin" } else { std::env::consts::OS };
    format!("{system}-{}", std::env::consts::ARCH)
}

impl Listed {
    /// Reads an agent out of a listing: the one with this id, or the only one.
    pub fn read(text: &str, id: Option<&str>, platform: &str) -> Result<Self, ListingError> {
        if text.len() > LISTING_BYTES {
            return Err(ListingError::TooLong);
        }
        let form = |error: serde_json::Error| ListingError::Form(error.to_string());
        let value: serde_json::Value = serde_json::from_str(text).map_err(form)?;
        let all = match value.get("agents") {
            Some(serde_json::Value::Array(agents)) => agents.clone(),
            _ => vec![value],
        };
        let id_of = |value: &serde_json::Value| value.get("id").and_then(|id| id.as_str()).map(str::to_owned);
        let found = match id {
            Some(id) => all.iter().find(|value| id_of(value).as_deref() == Some(id)),
            None if all.len() == 1 => all.first(),
            None => {
                let ids = all.iter().filter_map(id_of).filter(|id| is_id(id)).take(12).collect();
                return Err(ListingError::Several { count: all.len(), ids });
            }
        };
        let found =
            found.ok_or_else(|| ListingError::Unknown(id.unwrap_or_default().escape_debug().to_string()))?;
        check(serde_json::from_value(found.clone()).map_err(form)?, platform)
    }

    /// The definition, as a file of the person's configuration.
    pub fn definition(&self, way: &Way, from: &str) -> String {
        let mut table = Table::new();
        let mut put = |key: &str, value: Value| drop(table.insert(key.to_owned(), value));
        put("title", self.name.clone().into());
        put("drive", "acp".into());
        put("command", way.command.clone().into());
        put("verified", false.into());
        put(
            "note",
            format!("{} Version {} of the ACP registry.", self.description, self.version).trim().into(),
        );
        if let Some(install) = &way.install {
            put("install", install.clone().into());
        }
        if !way.environment.is_empty() {
            let variables =
                way.environment.iter().map(|(name, value)| (name.clone(), Value::from(value.clone())));
            put("environment", Value::Table(variables.collect()));
        }
        let from: String = from.chars().filter(|c| !c.is_control()).collect();
        format!("# Written by `divisi agents add` from {from}.\n{table}")
    }
}

fn check(raw: RawAgent, platform: &str) -> Result<Listed, ListingError> {
    let refuse = |why: String| Err(ListingError::Refused(why));
    if !is_id(&raw.id) {
        return refuse(format!(
            "`{}` is not an id: a-z, 0-9 and `-`, at most 40, beginning with a letter",
            raw.id.escape_debug()
        ));
    }
    let offered = raw.distribution.binary.keys().cloned().collect::<Vec<_>>();
    let mut ways = Vec::new();
    if let Some(npx) = raw.distribution.npx {
        let mut command = vec!["npx".to_owned(), "--yes".to_owned()];
        package("npx", &npx, &mut command, "--package", is_npm)?;
        ways.push(way("npx", command, npx.args, npx.env, None)?);
    }
    if let Some(uvx) = raw.distribution.uvx {
        let mut command = vec!["uvx".to_owned()];
        package("uvx", &uvx, &mut command, "--from", is_pypi)?;
        ways.push(way("uvx", command, uvx.args, uvx.env, None)?);
    }
    if let Some((_, binary)) = raw.distribution.binary.into_iter().find(|(name, _)| name == platform) {
        let program = program(&binary.cmd)?;
        let install = install(&binary, &program)?;
        ways.push(way("binary", vec![program], binary.args, binary.env, Some(install))?);
    }
    if ways.is_empty() {
        let offered = match offered.is_empty() {
            true => "it has no distribution that is known".to_owned(),
            false => format!("it has binaries for {}", offered.join(", ").escape_debug()),
        };
        return Err(ListingError::Platform { id: raw.id, platform: platform.to_owned(), offered });
    }
    let line = |text: &str| {
        text.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .filter(|c| !c.is_control())
            .take(200)
            .collect()
    };
    Ok(Listed {
        name: line(&raw.name),
        version: line(&raw.version),
        description: line(&raw.description),
        id: raw.id,
        ways,
    })
}

/// Words of `npx PACKAGE`, or of `npx --package PACKAGE COMMAND` where the command has another name.
fn package(
    kind: &str,
    raw: &RawPackage,
    command: &mut Vec<String>,
    option: &str,
    fits: fn(&str) -> bool,
) -> Result<(), ListingError> {
    if raw.package.len() > WORD_BYTES || !fits(&raw.package) {
        let package = raw.package.escape_debug();
        return Err(ListingError::Refused(format!("`{package}` is not the name of a package for {kind}")));
    }
    match &raw.cmd {
        None => command.push(raw.package.clone()),
        Some(name) => command.extend([option.to_owned(), raw.package.clone(), program(name)?]),
    }
    Ok(())
}

fn way(
    kind: &'static str,
    mut command: Vec<String>,
    args: Vec<String>,
    environment: BTreeMap<String, String>,
    install: Option<String>,
) -> Result<Way, ListingError> {
    if args.len() > WORDS || environment.len() > WORDS {
        return Err(ListingError::Refused(format!("it wants more than {WORDS} arguments or variables")));
    }
    for word in args.iter().chain(environment.values()) {
        if word.len() > WORD_BYTES || word.chars().any(char::is_control) {
            return Err(ListingError::Refused(format!("the word `{}` is not taken", word.escape_debug())));
        }
        // What a listing says must not reach for the places that Divisi fills in, such as a key.
        if template::has_place(word) {
            return Err(ListingError::Refused(format!("`{word}` names a place that Divisi fills in")));
        }
    }
    let plain = |name: &str| {
        name.len() <= 100
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    // These change what other programs do, or where the agent's private home is.
    let own = |name: &str| {
        matches!(name, "PATH" | "HOME" | "TMPDIR" | "SHELL" | "IFS" | "BASH_ENV" | "ENV" | "NODE_OPTIONS")
            || ["LD_", "DYLD_", "GIT_", "DIVISI_", "PYTHON"].iter().any(|start| name.starts_with(start))
    };
    if let Some(name) = environment.keys().find(|name| !plain(name) || own(name)) {
        return Err(ListingError::Refused(format!("the variable `{}` is not taken", name.escape_debug())));
    }
    command.extend(args);
    Ok(Way { kind, command, environment, install })
}

/// The bare name of a program: what stands in an archive is put into `PATH` by a person.
fn program(cmd: &str) -> Result<String, ListingError> {
    let name = cmd.strip_prefix("./").unwrap_or(cmd).rsplit('/').next().unwrap_or_default();
    let inside = !cmd.starts_with('/') && !cmd.split('/').any(|part| part == "..");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    let fits = inside
        && !name.is_empty()
        && name.len() <= 100
        && !name.starts_with(['-', '.'])
        && name.chars().all(plain);
    if fits {
        Ok(name.to_owned())
    } else {
        Err(ListingError::Refused(format!("the command `{}` is not taken", cmd.escape_debug())))
    }
}

/// What a person does to get a binary; nothing is fetched here.
fn install(binary: &RawBinary, program: &str) -> Result<String, ListingError> {
    let archive = &binary.archive;
    let plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '\'' | '"' | '`' | '$' | '\\' | ';' | '|' | '<' | '>');
    if !archive.starts_with("https://") || archive.len() > WORD_BYTES || !archive.chars().all(plain) {
        let archive = archive.escape_debug();
        return Err(ListingError::Refused(format!("`{archive}` is not an https address of an archive")));
    }
    let hash = match &binary.sha256 {
        Some(hash) if hash.len() == 64 && hash.chars().all(|c| c.is_ascii_hexdigit()) => {
            format!(", check that its SHA-256 is {}", hash.to_lowercase())
        }
        Some(_) => return Err(ListingError::Refused("its sha256 is not a SHA-256".to_owned())),
        None => ", of which the registry gives no hash".to_owned(),
    };
    Ok(format!("fetch {archive}{hash}, unpack it and put `{program}` into PATH"))
}

fn is_id(id: &str) -> bool {
    id.len() <= 40
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// `name`, `@scope/name`, each with `@version`; no address, no path, no option.
fn is_npm(package: &str) -> bool {
    let word = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~'))
    };
    let (scope, rest) = match package.strip_prefix('@') {
        Some(scoped) => match scoped.split_once('/') {
            Some((scope, rest)) => (scope, rest),
            None => return false,
        },
        None => ("a", package),
    };
    let (name, version) = rest.split_once('@').unwrap_or((rest, "1"));
    word(scope) && word(name) && word(version.trim_start_matches(['^', '~']))
}

/// `name`, `name==1.2.3`, `name@1.2.3`, `name[extra]`; no address, no path, no option.
fn is_pypi(package: &str) -> bool {
    package.starts_with(|c: char| c.is_ascii_alphanumeric())
        && package.chars().all(|c| {
            c.is_ascii_alphanumeric()
                || matches!(c, '-' | '_' | '.' | '=' | '@' | '[' | ']' | ',' | '+' | '!')
        })
}
