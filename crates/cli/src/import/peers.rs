//! Tools that run agents in worktrees: which of their keys mean what.

use serde_json::Value;

use super::command::{self, translate};
use super::document::Document;
use super::found::Collector;

const NOT_RUN: &str =
    "Divisi starts no servers; agents start what they need, on the ports that each attempt has";
const BESIDE: &str = "it is run beside the work; put what an agent needs into the setup";
/// What stands for the person's own list in a list of Workmux.
const GLOBAL: &str = "<global>";
const NO_END: &str = "Divisi runs nothing when a workspace is put away";

/// `conductor.json` and `.conductor/settings.toml`.
pub(super) fn conductor(document: &Document, found: &mut Collector<'_>) {
    scripts(document, found, command::CONDUCTOR, "archive");
    for key in ["file_include_globs", "fileIncludeGlobs"] {
        patterns(document, found, &format!("/{key}"));
    }
    let known = ["scripts", "runScriptMode", "run_script_mode", "file_include_globs", "fileIncludeGlobs"];
    found.leave_keys(document.keys(""), &known);
}

/// `.emdash.json`.
pub(super) fn emdash(document: &Document, found: &mut Collector<'_>) {
    scripts(document, found, command::EMDASH, "teardown");
    patterns(document, found, "/preservePatterns");
    found.leave_keys(document.keys(""), &["scripts", "preservePatterns"]);
}

/// `.superset/config.json`.
pub(super) fn superset(document: &Document, found: &mut Collector<'_>) {
    setups(document, found, "/setup", command::SUPERSET);
    found.variables(command::SUPERSET);
    leave(document, found, "/run", NOT_RUN);
    leave(document, found, "/teardown", NO_END);
    found.leave_keys(document.keys(""), &["setup", "run", "teardown"]);
}

/// `.workmux.yaml`.
pub(super) fn workmux(document: &Document, found: &mut Collector<'_>) {
    setups(document, found, "/post_create", command::WORKMUX);
    found.variables(command::WORKMUX);
    for (number, text) in texts(document.at("/pre_merge")).into_iter().enumerate() {
        gate(found, "pre_merge", &name("pre-merge", number), text, command::WORKMUX);
    }
    patterns(document, found, "/files/copy");
    for pattern in texts(document.at("/files/symlink")) {
        let why = "a workspace shares no files with your checkout; copy it by .worktreeinclude or make it in the setup";
        found.leave("files.symlink", pattern, why);
    }
    leave(document, found, "/panes", "agents of Divisi work in no terminal");
    leave(document, found, "/pre_remove", NO_END);
    found.leave_keys(document.keys(""), &["post_create", "pre_merge", "files", "panes", "pre_remove"]);
}

/// `.cursor/worktrees.json`: a list of commands, or the path of a script beside the file.
pub(super) fn cursor(document: &Document, found: &mut Collector<'_>) {
    let unix = document.at("/setup-worktree-unix").is_some();
    let key = if unix { "/setup-worktree-unix" } else { "/setup-worktree" };
    match document.at(key).and_then(Value::as_str) {
        Some(script) if !script.contains(char::is_whitespace) && !script.starts_with('/') => {
            found.setup(&key[1..], format!("sh {}", command::quoted(&format!(".cursor/{script}"))));
        }
        _ => setups(document, found, key, command::CURSOR),
    }
    found.variables(command::CURSOR);
    let known = ["setup-worktree", "setup-worktree-unix", "setup-worktree-windows"];
    found.leave_keys(document.keys(""), &known);
}

/// `.config/wt.toml`.
pub(super) fn worktrunk(document: &Document, found: &mut Collector<'_>) {
    let setup = ["pre-start", "pre-create", "post-create"];
    let gates = ["pre-merge", "pre-commit"];
    for key in setup {
        for (_, text) in named(document.at(&format!("/{key}")), key) {
            setup_one(found, key, text, &[]);
        }
    }
    for key in gates {
        for (name, text) in named(document.at(&format!("/{key}")), key) {
            gate(found, key, &name, text, &[]);
        }
    }
    for key in ["post-start", "post-switch", "pre-switch"] {
        leave(document, found, &format!("/{key}"), BESIDE);
    }
    for key in ["pre-remove", "post-remove", "post-merge", "post-commit"] {
        leave(document, found, &format!("/{key}"), NO_END);
    }
    let known = [
        "pre-start",
        "pre-create",
        "post-create",
        "pre-merge",
        "pre-commit",
        "post-start",
        "post-switch",
        "pre-switch",
        "pre-remove",
        "post-remove",
        "post-merge",
        "post-commit",
    ];
    found.leave_keys(document.keys(""), &known);
}

/// A command of the setup.
pub(super) fn setup_one(found: &mut Collector<'_>, key: &str, text: &str, known: &[(&str, &str)]) {
    if text == GLOBAL {
        return found.leave(
            key,
            text,
            "it stands for commands of your own, which do not belong to the project",
        );
    }
    match translate(text, known) {
        Ok(translated) => {
            for name in &translated.pass {
                found.pass(name);
            }
            found.setup(key, translated.command);
        }
        Err(why) => found.leave(key, text, &why),
    }
}

/// Names what stands under a key, with one reason for all of it.
pub(super) fn leave(document: &Document, found: &mut Collector<'_>, pointer: &str, why: &str) {
    let Some(value) = document.at(pointer) else { return };
    let what = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => texts(Some(value)).join("; "),
        _ => String::new(),
    };
    found.leave(&pointer[1..].replace('/', "."), &what, why);
}

fn scripts(document: &Document, found: &mut Collector<'_>, known: &[(&str, &str)], end: &str) {
    setups(document, found, "/scripts/setup", known);
    found.variables(known);
    leave(document, found, "/scripts/run", NOT_RUN);
    leave(document, found, &format!("/scripts/{end}"), NO_END);
    let others =
        document.keys("/scripts").into_iter().filter(|key| !["setup", "run", end].contains(&key.as_str()));
    let others = others.map(|key| format!("scripts.{key}")).collect();
    found.leave_keys(others, &[]);
}

fn setups(document: &Document, found: &mut Collector<'_>, pointer: &str, known: &[(&str, &str)]) {
    let key = pointer[1..].replace('/', ".");
    let value = document.at(pointer);
    if value.is_some_and(|value| !value.is_string() && !value.is_array()) {
        return found.leave(&key, "", "it is neither a command nor a list of commands");
    }
    for text in texts(value) {
        setup_one(found, &key, text, known);
    }
}

fn gate(found: &mut Collector<'_>, key: &str, name: &str, text: &str, known: &[(&str, &str)]) {
    if text == GLOBAL {
        return found.leave(
            key,
            text,
            "it stands for commands of your own, which do not belong to the project",
        );
    }
    match translate(text, known) {
        // A check has its own checkout and no variables of other tools.
        Ok(translated) if !known.iter().any(|(theirs, _)| translated.command.contains(theirs)) => {
            found.gate(key, name, translated.command);
        }
        Ok(_) => {
            found.leave(key, text, "checks run in a checkout of their own, without that tool's variables")
        }
        Err(why) => found.leave(key, text, &why),
    }
}

fn patterns(document: &Document, found: &mut Collector<'_>, pointer: &str) {
    for text in texts(document.at(pointer)) {
        for line in text.lines() {
            found.include(&pointer[1..].replace('/', "."), line);
        }
    }
}

/// A text, or all texts of a list.
fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A text; texts by name; or a list of such tables.
fn named<'a>(value: Option<&'a Value>, key: &str) -> Vec<(String, &'a str)> {
    match value {
        Some(Value::String(text)) => vec![(key.to_owned(), text)],
        Some(Value::Object(table)) => {
            table.iter().filter_map(|(name, text)| Some((name.clone(), text.as_str()?))).collect()
        }
        Some(Value::Array(items)) => {
            items.iter().enumerate().flat_map(|(n, item)| named(Some(item), &name(key, n))).collect()
        }
        _ => Vec::new(),
    }
}

fn name(word: &str, number: usize) -> String {
    if number == 0 { word.to_owned() } else { format!("{word} {}", number + 1) }
}
