//! `divisi agents add` and `divisi agents remove`: agents of the ACP registry in the person's own configuration.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use divisi_agent::{DEFINITION_BYTES, LISTING_BYTES, Listed, ListingError, Registry, Way, platform};
use serde::Serialize;

use crate::dirs::{self, Dirs};
use crate::errors::{CommandError, Done, ErrorKind};
use crate::render::{clean, style};
use crate::ui::Ui;

/// Take in an agent of the ACP registry: write its definition into your configuration
///
/// Nothing is fetched and nothing is run: what would be run is shown first. The file is an agent.json, a folder that
/// holds one, or an index of many (registry.json) of which --id names one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi agents add ./agent.json                       one agent\n  \
    divisi agents add registry.json --id some-agent      one of an index\n  \
    divisi agents add registry.json --id x --print       only show the definition\n\n\
    The index of the public registry is fetched by you, where you want it to be:\n  \
    curl -fO https://cdn.agentclientprotocol.com/registry/v1/latest/registry.json")]
pub(crate) struct AddArgs {
    /// The file or folder
    #[arg(value_name = "PATH")]
    from: PathBuf,
    /// Which agent, where there are several
    #[arg(long)]
    id: Option<String>,
    /// What you want to call it [default: its id]
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// How it is to be had, where there are several ways [default: the first of npx, uvx, binary]
    #[arg(long, value_parser = ["npx", "uvx", "binary"])]
    by: Option<String>,
    /// Take the place of an agent of this name
    #[arg(long)]
    force: bool,
    /// Show the definition and write nothing
    #[arg(long)]
    print: bool,
}

/// Remove an agent that was added, or your changes to one that comes with Divisi
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// The agent
    name: String,
}

#[derive(Serialize)]
struct Added<'a> {
    name: &'a str,
    path: String,
    command: &'a [String],
    environment: &'a std::collections::BTreeMap<String, String>,
    install: Option<&'a str>,
}

pub(crate) fn add(args: &AddArgs, ui: &Ui) -> Done {
    let dirs = Dirs::from_environment()?;
    let file = if args.from.is_dir() { args.from.join("agent.json") } else { args.from.clone() };
    let text = read(&file)?;
    let listed =
        Listed::read(&text, args.id.as_deref(), &platform()).map_err(|error| refused(&file, &error))?;
    let way = chosen(&listed, args.by.as_deref())?;
    let name = args.name.as_deref().unwrap_or(&listed.id);
    let definition = listed.definition(way, &file.display().to_string());
    // What is written is read as the daemon will read it: a name or a value that does not fit is found here.
    let layer = divisi_agent::Layer::read(&file.display().to_string(), name, &definition);
    let fits = layer.and_then(|layer| Registry::with_layers(&[layer]));
    fits.map_err(|error| CommandError::usage(error.to_string(), "choose another name: --as NAME"))?;
    if args.print {
        return ui.data(&definition);
    }
    let path = dirs.agents().join(format!("{name}.toml"));
    let shipped = Registry::shipped().require(name).is_ok();
    if !args.force && (shipped || path.exists()) {
        let message = match shipped {
            true => format!("an agent `{name}` comes with Divisi"),
            false => format!("there is an agent `{name}` already, in {}", path.display()),
        };
        return Err(CommandError::new(
            ErrorKind::WrongState,
            message,
            "--as NAME gives it another name, --force takes its place",
        ));
    }
    ui.say(format!(
        "{} {}: {}",
        style::strong(clean::line(&listed.name)),
        listed.version,
        listed.description
    ));
    ui.say(format!("Each of its sessions would run: {}", shown(way)));
    ui.confirm(&format!("Write {}?", path.display()))?;
    write(&dirs, &path, &definition)?;
    let added = Added {
        name,
        path: path.display().to_string(),
        command: &way.command,
        environment: &way.environment,
        install: way.install.as_deref(),
    };
    ui.show(
        &added,
        || format!("{name}\n"),
        || {
            let mut text = format!("{}  added, unverified: {}\n", style::name(name), path.display());
            if let Some(install) = &way.install {
                text.push_str(&format!("    {} {install}\n", style::faint("first:")));
            }
            text.push_str(&format!("    {} divisi run --agent {name} \"…\"\n", style::faint("next:")));
            text
        },
    )
}

pub(crate) fn remove(args: &RemoveArgs, ui: &Ui) -> Done {
    let dirs = Dirs::from_environment()?;
    let name = &args.name;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let path = dirs.agents().join(format!("{name}.toml"));
    if name.is_empty() || !name.chars().all(plain) || !path.is_file() {
        let shipped = Registry::shipped().require(name).is_ok();
        let hint = match shipped {
            true => "it comes with Divisi and stays; default_agents in config.toml says which are taken",
            false => "divisi agents lists them; one in config.toml is removed there",
        };
        let message = format!("you have no file agents/{}.toml", clean::line(name));
        return Err(CommandError::not_found(message, hint));
    }
    ui.confirm(&format!("Remove {}?", path.display()))?;
    std::fs::remove_file(&path).map_err(|error| {
        CommandError::failed(format!("cannot remove {}", path.display()), "").because(&error)
    })?;
    ui.show(
        &serde_json::json!({ "name": name, "removed": true }),
        || format!("{name}\n"),
        || format!("{}  removed\n", style::name(name)),
    )
}

fn read(file: &Path) -> Done<String> {
    use std::io::Read;
    let cannot = |error: std::io::Error| {
        let kind =
            if error.kind() == std::io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Usage };
        CommandError::new(
            kind,
            format!("cannot read {}", file.display()),
            "name an agent.json, its folder, or a registry.json",
        )
        .because(&error)
    };
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(cannot)?;
    opened.take(LISTING_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    String::from_utf8(bytes)
        .map_err(|_| CommandError::usage(format!("{} is not text in UTF-8", file.display()), ""))
}

fn chosen<'a>(listed: &'a Listed, by: Option<&str>) -> Done<&'a Way> {
    let found = match by {
        Some(by) => listed.ways.iter().find(|way| way.kind == by),
        None => listed.ways.first(),
    };
    let kinds: Vec<_> = listed.ways.iter().map(|way| way.kind).collect();
    found.ok_or_else(|| {
        let message = format!("`{}` is not to be had by {}", listed.id, by.unwrap_or_default());
        CommandError::not_found(message, format!("here it is to be had by {}", kinds.join(", ")))
    })
}

fn refused(file: &Path, error: &ListingError) -> CommandError {
    let file = file.display();
    match error {
        ListingError::Several { ids, .. } => {
            CommandError::usage(format!("{file}: {error}"), format!("name one: --id {}", ids.join(", --id ")))
        }
        ListingError::Unknown(_) => {
            CommandError::not_found(format!("{file}: {error}"), "look into the file for its ids")
        }
        ListingError::Platform { .. } => CommandError::not_found(
            format!("{file}: {error}"),
            "docs/guides/agents.md says how to write a definition by hand",
        ),
        ListingError::TooLong | ListingError::Form(_) => CommandError::usage(
            format!("{file}: {error}"),
            "the form is that of the ACP registry: agent.json, or registry.json with `agents`",
        ),
        ListingError::Refused(_) => CommandError::usage(
            format!("{file}: {error}"),
            "if you trust it, write the definition by hand: docs/guides/agents.md",
        ),
    }
}

/// A command as one would type it, with its variables.
fn shown(way: &Way) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=@:,+%^~".contains(c);
    let quoted = |word: &str| match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    };
    let variables = way.environment.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
    let words = way.command.iter().map(|word| quoted(word));
    clean::line(&variables.chain(words).collect::<Vec<_>>().join(" "))
}

/// Writes the whole file or nothing.
fn write(dirs: &Dirs, path: &Path, text: &str) -> Done {
    if text.len() > DEFINITION_BYTES {
        return Err(CommandError::usage("the definition would be too long", ""));
    }
    dirs::make_private(&dirs.agents())?;
    let next = path.with_extension("toml.new");
    let written = std::fs::File::create(&next)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&next, path));
    written
        .map_err(|error| CommandError::failed(format!("cannot write {}", path.display()), "").because(&error))
}
