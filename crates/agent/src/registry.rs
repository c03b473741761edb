//! The agents that are known: shipped definitions with the user's own laid over them.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::definition::{Arg, Definition, Drive, PromptBy};

/// Most agents that are known at once.
pub const AGENTS: usize = 200;
/// Longest definition, in bytes.
pub const DEFINITION_BYTES: usize = 256 * 1024;

/// The shipped definitions, in the order in which a ready agent is chosen when none is named.
const SHIPPED: &[(&str, &str)] = &[
    ("claude", include_str!("../definitions/claude.toml")),
    ("codex", include_str!("../definitions/codex.toml")),
    ("gemini", include_str!("../definitions/gemini.toml")),
    ("opencode", include_str!("../definitions/opencode.toml")),
    ("goose", include_str!("../definitions/goose.toml")),
    ("copilot", include_str!("../definitions/copilot.toml")),
    ("qwen", include_str!("../definitions/qwen.toml")),
    ("kimi", include_str!("../definitions/kimi.toml")),
    ("cline", include_str!("../definitions/cline.toml")),
    ("kilo", include_str!("../definitions/kilo.toml")),
    ("aider", include_str!("../definitions/aider.toml")),
    ("mini-swe-agent", include_str!("../definitions/mini-swe-agent.toml")),
    ("amp", include_str!("../definitions/amp.toml")),
    ("auggie", include_str!("../definitions/auggie.toml")),
    ("crush", include_str!("../definitions/crush.toml")),
    ("cursor", include_str!("../definitions/cursor.toml")),
    ("rehearsal", include_str!("../definitions/rehearsal.toml")),
];

/// Definitions by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Registry {
    agents: Vec<Definition>,
}

/// A definition, or a part of one, that the user wrote.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Where it stands, for error messages: `agents/goose.toml`, `[agents.goose] in divisi.toml`.
    pub origin: String,
    /// The agent's name: the file's or the table's.
    pub name: String,
    /// What is written there.
    pub table: Table,
}

/// A definition that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// It is not TOML.
    #[error("{origin} is not valid TOML: {why}")]
    Toml {
        /// Where.
        origin: String,
        /// What the parser says.
        why: String,
    },
    /// A key is unknown, missing or of the wrong type.
    #[error("{origin}: {why}{}", hint.as_ref().map(|h| format!(" (hint: {h})")).unwrap_or_default())]
    Form {
        /// Where.
        origin: String,
        /// What is wrong.
        why: String,
        /// What may be meant.
        hint: Option<String>,
    },
    /// It contradicts itself.
    #[error("{origin}: {why}")]
    Sense {
        /// Where.
        origin: String,
        /// What is wrong.
        why: String,
    },
    /// No agent has this name.
    #[error("there is no agent `{name}`{}; known are: {known}", hint.as_ref().map(|h| format!(", did you mean `{h}`?")).unwrap_or_default())]
    Unknown {
        /// The name.
        name: String,
        /// The nearest one.
        hint: Option<String>,
        /// All.
        known: String,
    },
}

impl Registry {
    /// The shipped definitions alone.
    pub fn shipped() -> Self {
        let read = |(name, text): &(&str, &str)| {
            let table: Table = text.parse().expect("a test parses every shipped definition");
            finish(name, "a shipped definition", table).expect("a test reads every shipped definition")
        };
        Self { agents: SHIPPED.iter().map(read).collect() }
    }

    /// The shipped definitions with others laid over them, in order: tables are merged key by key, lists and values
    /// replaced. A layer with a new name is a new agent, chosen before the shipped ones.
    pub fn with_layers(layers: &[Layer]) -> Result<Self, DefinitionError> {
        let mut registry = Self::shipped();
        let mut tables: BTreeMap<&str, Table> = SHIPPED
            .iter()
            .map(|(name, text)| (*name, text.parse().expect("a test parses every shipped definition")))
            .collect();
        for layer in layers {
            if registry.agents.len() >= AGENTS {
                return Err(sense(&layer.origin, format!("there are more than {AGENTS} agents")));
            }
            let base = tables.entry(&layer.name).or_default();
            merge(base, &layer.table);
            let definition = finish(&layer.name, &layer.origin, base.clone())?;
            match registry.agents.iter_mut().find(|a| a.name == layer.name) {
                Some(known) => *known = definition,
                None => registry.agents.insert(0, definition),
            }
        }
        Ok(registry)
    }

    /// All, in the order in which a ready one is chosen when none is named.
    pub fn all(&self) -> &[Definition] {
        &self.agents
    }

    /// The agent of this name.
    pub fn require(&self, name: &str) -> Result<&Definition, DefinitionError> {
        self.agents.iter().find(|a| a.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.agents.iter().map(|a| a.name.as_str()).collect();
            DefinitionError::Unknown {
                name: name.to_owned(),
                hint: nearest(name, &names),
                known: names.join(", "),
            }
        })
    }
}

impl Layer {
    /// Reads the text of a file `agents/NAME.toml`.
    pub fn read(origin: &str, name: &str, text: &str) -> Result<Self, DefinitionError> {
        if text.len() > DEFINITION_BYTES {
            return Err(sense(origin, format!("it is longer than {DEFINITION_BYTES} bytes")));
        }
        let table = text.parse::<Table>().map_err(|e| DefinitionError::Toml {
            origin: origin.to_owned(),
            why: e.to_string().trim_end().to_owned(),
        })?;
        Ok(Self { origin: origin.to_owned(), name: name.to_owned(), table })
    }

    /// Reads the tables below `[agents]` of a `divisi.toml`.
    pub fn from_agents_table(file: &str, agents: &Table) -> Result<Vec<Self>, DefinitionError> {
        let layer = |(name, value): (&String, &Value)| {
            let origin = format!("[agents.{name}] in {file}");
            match value {
                Value::Table(table) => Ok(Self { origin, name: name.clone(), table: table.clone() }),
                _ => Err(sense(&origin, "a table is wanted here".to_owned())),
            }
        };
        agents.iter().map(layer).collect()
    }
}

/// Turns a merged table into a definition that makes sense.
fn finish(name: &str, origin: &str, mut table: Table) -> Result<Definition, DefinitionError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if name.is_empty() || name.len() > 40 || !name.chars().all(plain) {
        return Err(sense(origin, format!("`{name}` is not a name: use a-z, 0-9, `-` and `_`")));
    }
    table.entry("name").or_insert_with(|| name.into());
    table.entry("title").or_insert_with(|| name.into());
    let definition: Definition =
        Value::Table(table).try_into().map_err(|e: toml::de::Error| form(origin, e.message()))?;
    check(origin, name, &definition)?;
    Ok(definition)
}

fn check(origin: &str, name: &str, definition: &Definition) -> Result<(), DefinitionError> {
    if definition.name != name {
        let why = format!("its `name` is `{}`, but the file or table is called `{name}`", definition.name);
        return Err(sense(origin, why));
    }
    if definition.program().is_empty() {
        return Err(sense(origin, "`command` must name a program".to_owned()));
    }
    let files = definition.files.iter().chain(definition.endpoint.iter().flat_map(|e| &e.files));
    let files = files.chain(definition.login.iter().flat_map(|l| &l.write)).map(|f| f.path.as_str());
    let logins = definition.login.iter().flat_map(|l| l.files.iter().chain(&l.also)).map(String::as_str);
    for path in files.chain(logins) {
        if !is_inside(path) {
            return Err(sense(origin, format!("`{path}` must be a relative path inside the home folder")));
        }
    }
    if let Some(url) = &definition.base_url
        && !(url.starts_with("http://") || url.starts_with("https://"))
    {
        return Err(sense(origin, format!("`base_url` must begin with http:// or https://, not `{url}`")));
    }
    if definition.base_url.is_some() && definition.endpoint.is_none() {
        let why = "`base_url` is set, but this agent has no [endpoint] that says how to use it".to_owned();
        return Err(sense(origin, why));
    }
    for rule in &definition.quirks.errors {
        rule.compile().map_err(|why| sense(origin, format!("in `quirks.errors`, {why}")))?;
    }
    let has = |place: &str| {
        definition.command.iter().any(|arg| match arg {
            Arg::One(one) => one.contains(place),
            Arg::Group(group) => group.iter().any(|one| one.contains(place)),
        })
    };
    if definition.drive == Drive::Exec && definition.exec.prompt == PromptBy::File && !has("{prompt_file}") {
        return Err(sense(origin, "`exec.prompt` is `file`, but `command` has no {prompt_file}".to_owned()));
    }
    if definition.drive == Drive::Acp && has("{prompt}") {
        return Err(sense(origin, "`command` has a {prompt}, which only exec agents get".to_owned()));
    }
    Ok(())
}

fn is_inside(path: &str) -> bool {
    use std::path::{Component, Path};
    !path.is_empty()
        && !path.contains('\0')
        && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

fn merge(base: &mut Table, over: &Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Makes a deserialisation error readable, with the nearest known key as a hint.
fn form(origin: &str, message: &str) -> DefinitionError {
    let why = message.trim().replace('\n', " ");
    let mut quoted = why.split('`').skip(1).step_by(2);
    let hint = match why.starts_with("unknown") {
        true => quoted.next().and_then(|unknown| {
            let known: Vec<&str> = quoted.collect();
            nearest(unknown, &known).map(|near| format!("did you mean `{near}`?"))
        }),
        false => None,
    };
    DefinitionError::Form { origin: origin.to_owned(), why, hint }
}

fn sense(origin: &str, why: String) -> DefinitionError {
    DefinitionError::Sense { origin: origin.to_owned(), why }
}

/// The known word that is nearest to a mistyped one, if any is near.
fn nearest(word: &str, known: &[&str]) -> Option<String> {
    let near = known.iter().map(|k| (distance(word, k), *k)).min()?;
    (near.0 <= 1 + word.len() / 3).then(|| near.1.to_owned())
}

/// How many letters must be added, removed or changed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = if x == *y { before } else { before + 1 };
            before = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(before + 1);
        }
    }
    row[b.len()]
}
