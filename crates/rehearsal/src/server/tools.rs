//! Maps steps onto whatever tools a request offers: by the tools' names and by the schemas of their arguments.

use std::borrow::Cow;

use agent_client_protocol_schema::v1::PlanEntryStatus;
use serde_json::{Map, Value, json};

use crate::script::{Action, PlanItem};

use super::conversation::{Conversation, Tool};
use super::fit::fit;
use super::patch;

/// A tool call as a model writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The tool.
    pub name: String,
    /// Its group, where it is offered in one.
    pub namespace: Option<String>,
    /// JSON, or plain text for a free-form tool; broken JSON on demand.
    pub arguments: String,
    /// Whether the tool takes plain text.
    pub freeform: bool,
    /// Whether it is the interface's own search for tools.
    pub search: bool,
}

impl Call {
    pub fn function(tool: &Tool, arguments: Value) -> Self {
        let (name, namespace) = (tool.name.clone(), tool.namespace.clone());
        Self { name, namespace, arguments: arguments.to_string(), freeform: false, search: tool.search }
    }

    fn freeform(tool: &Tool, text: String) -> Self {
        let (name, namespace) = (tool.name.clone(), tool.namespace.clone());
        Self { name, namespace, arguments: text, freeform: true, search: false }
    }
}

/// What a value is for, and the names under which tools ask for it.
type Role = &'static [&'static str];
const PATH: Role = &["filepath", "path", "absolutepath", "file", "filename", "targetfile", "uri"];
/// The same of a tool that takes several at once.
const PATHS: Role = &["files", "filepaths", "paths"];
const CONTENT: Role = &["content", "filetext", "contents", "filecontent", "text"];
const OLD: Role = &["oldstring", "oldstr", "oldtext", "before", "search", "find", "old"];
const NEW: Role = &["newstring", "newstr", "newtext", "after", "replace", "replacement", "new"];
const COMMAND: Role = &["command", "cmd", "script"];
const COMMANDS: Role = &["commands"];

/// Names of tools for each purpose, in order of preference, in lower case without signs.
const WRITE: Role = &["write", "writefile", "createfile", "create", "writetofile"];
const EDIT: Role =
    &["edit", "editfile", "replace", "strreplace", "strreplacefile", "editor", "replaceinfile"];
const EDITOR: Role = &["texteditor", "strreplaceeditor", "strreplacebasededittool"];
const READ: Role = &["read", "readfile", "view", "viewfile", "readfiles", "readmanyfiles"];
const SHELL: Role = &[
    "bash",
    "shell",
    "runshellcommand",
    "shellcommand",
    "execcommand",
    "executecommand",
    "runcommands",
    "runcommand",
    "runterminalcommand",
    "exec",
    "terminal",
];
const PLAN: Role = &["todowrite", "updateplan", "writetodos", "todolist", "settodolist", "todo", "plan"];
const PATCH: Role = &["applypatch"];
const SEARCH: Role = &["toolsearch"];
/// Calls a tool that is not offered, and what it wants to know.
const CALL: Role = &["toolcall"];
const NAME: Role = &["name"];
const ARGUMENTS: Role = &["arguments"];
/// How many tools a search is asked for.
const FOUND_MAX: u64 = 5;

/// The tools of one request.
pub struct Mapper<'a> {
    conversation: &'a Conversation,
    workspace: Option<String>,
    escalation: Option<String>,
}

impl<'a> Mapper<'a> {
    pub fn new(conversation: &'a Conversation) -> Self {
        Self { conversation, workspace: conversation.workspace(), escalation: None }
    }

    /// From here on commands ask, with this reason, to run outside the agent's own sandbox, where its shell offers
    /// that; gives back what held before.
    pub fn escalate(&mut self, reason: Option<String>) -> Option<String> {
        std::mem::replace(&mut self.escalation, reason)
    }

    /// The calls for one step: none where it is of no use to the offered tools.
    ///
    /// # Errors
    /// Says which tool is missing, in words meant for the model's answer.
    pub fn calls(&self, action: &Action) -> Result<Vec<Call>, String> {
        let call = match action {
            Action::Plan(items) => return Ok(self.plan(items).into_iter().collect()),
            Action::Read(path) => self.read(path),
            Action::Write { path, text } => self.write(path, text),
            Action::Append { path, text } => self.shell(&patch::shell_write(path, text, true)),
            Action::Edit { path, replacements } => {
                if let Some(calls) = self.edit(path, replacements) {
                    return Ok(calls);
                }
                self.patched(|| patch::update(path, replacements, self.conversation.results()))
                    .or_else(|| self.shell(&patch::shell_edit(path, replacements)))
            }
            Action::Delete(path) => self
                .patched(|| Some(patch::delete(path)))
                .or_else(|| self.shell(&format!("rm {}", patch::quoted(path)))),
            Action::Move { from, to } => {
                self.shell(&format!("mv {} {}", patch::quoted(from), patch::quoted(to)))
            }
            Action::Run(script) => self.shell(script),
            Action::Commit(message) => {
                self.shell(&format!("git add -A && git commit -m {}", patch::quoted(message)))
            }
            Action::Stray(script) => self.shell(&format!(
                "setsid sh -c {} </dev/null >/dev/null 2>&1 & echo $!",
                patch::quoted(script)
            )),
            Action::Tool { name, arguments } => return Ok(self.exact(name, arguments)),
            Action::Garbage(text) => self.garbage(text),
            _ => return Ok(Vec::new()),
        };
        call.map(|call| vec![call]).ok_or_else(|| self.missing(action))
    }

    fn read(&self, path: &str) -> Option<Call> {
        if let Some(tool) = self.tool(READ) {
            let file = json!(self.absolute(path));
            let files = field(tool, PATHS).map(|(_, schema)| json!([listed(&file, &schema["items"])]));
            return Some(self.filled(tool, &[(PATH, file), (PATHS, files.unwrap_or_default())]));
        }
        if let Some(tool) = self.tool(EDITOR) {
            return Some(self.filled(tool, &[(COMMAND, json!("view")), (PATH, json!(self.absolute(path)))]));
        }
        self.shell(&format!("cat {}", patch::quoted(path)))
    }

    fn write(&self, path: &str, text: &str) -> Option<Call> {
        let (file, content) = (json!(self.absolute(path)), json!(text));
        if let Some(tool) = self.tool(WRITE) {
            return Some(self.filled(tool, &[(PATH, file), (CONTENT, content)]));
        }
        if let Some(tool) = self.tool(EDITOR) {
            return Some(self.filled(tool, &[(COMMAND, json!("create")), (PATH, file), (CONTENT, content)]));
        }
        // Some editing tools make a file when they are given no old text.
        if let Some(tool) = self.tool(EDIT).filter(|tool| has(tool, NEW) && !is_required(tool, OLD)) {
            return Some(self.filled(tool, &[(PATH, file), (NEW, content)]));
        }
        self.patched(|| Some(patch::add(path, text)))
            .or_else(|| self.shell(&patch::shell_write(path, text, false)))
    }

    /// One call per replacement, by an editing tool.
    fn edit(&self, path: &str, replacements: &[crate::script::Replacement]) -> Option<Vec<Call>> {
        let (tool, is_editor) = match self.tool(EDIT) {
            Some(tool) if has(tool, OLD) => (tool, false),
            _ => (self.tool(EDITOR)?, true),
        };
        let calls = replacements.iter().map(|one| {
            let mut values =
                vec![(PATH, json!(self.absolute(path))), (OLD, json!(one.old)), (NEW, json!(one.new))];
            if is_editor {
                values.push((COMMAND, json!("str_replace")));
            }
            self.filled(tool, &values)
        });
        Some(calls.collect())
    }

    fn patched(&self, text: impl FnOnce() -> Option<String>) -> Option<Call> {
        let tool = self.tool(PATCH)?;
        let text = text()?;
        Some(match tool.freeform {
            true => Call::freeform(tool, text),
            false => self.filled(tool, &[(&["input", "patch", "patchtext"], json!(text))]),
        })
    }

    fn shell(&self, script: &str) -> Option<Call> {
        let tool = self.tool(SHELL)?;
        let field = field(tool, COMMAND);
        let takes_list = field.is_some_and(|(_, schema)| schema["type"] == "array");
        let command = if takes_list { json!(["bash", "-lc", script]) } else { json!(script) };
        let mut values = vec![(COMMAND, command), (COMMANDS, json!([script]))];
        if let Some(reason) = &self.escalation {
            values.push((&["sandboxpermissions"], json!("require_escalated")));
            values.push((&["justification"], json!(reason)));
        }
        Some(self.filled(tool, &values))
    }

    fn plan(&self, items: &[PlanItem]) -> Option<Call> {
        let tool = self.tool(PLAN)?;
        let properties = tool.schema["properties"].as_object()?;
        let Some((name, list)) = properties.iter().find(|(_, schema)| schema["type"] == "array") else {
            return has(tool, CONTENT).then(|| self.filled(tool, &[(CONTENT, json!(checklist(items)))]));
        };
        let entries: Vec<Value> = items.iter().map(|item| plan_entry(item, &list["items"])).collect();
        let mut arguments = required(tool);
        arguments.insert(name.clone(), Value::Array(entries));
        Some(Call::function(tool, Value::Object(arguments)))
    }

    /// A tool by its own name, or by the end of a longer one, as tools of MCP servers have it; else as it is written,
    /// which a real model may also do. Where tools can be searched for, what is not offered from the start is.
    fn exact(&self, name: &str, arguments: &Value) -> Vec<Call> {
        let tools = &self.conversation.tools;
        let ends = |tool: &&Tool| {
            ["__", "_", ".", "-"].iter().any(|sign| tool.name.ends_with(&format!("{sign}{name}")))
        };
        let tool = tools.iter().find(|tool| tool.name == name).or_else(|| tools.iter().find(ends));
        let call = match tool {
            Some(tool) => Call::function(tool, arguments.clone()),
            None => self.unoffered(name, arguments),
        };
        let is_found =
            tool.is_none_or(|tool| tool.found || self.conversation.results().any(|text| text.contains(name)));
        match self.tool(SEARCH).filter(|_| is_found) {
            Some(search) => {
                let wanted: [(Role, Value); 2] =
                    [(&["query"], json!(name)), (&["maxresults", "limit"], json!(FOUND_MAX))];
                vec![self.filled(search, &wanted), call]
            }
            None => vec![call],
        }
    }

    /// A tool that is not offered, by the name that a search gave, and through the tool that calls such ones where
    /// there is one.
    fn unoffered(&self, name: &str, arguments: &Value) -> Call {
        let is_sign = |letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | '-' | '.');
        let words = self.conversation.results().flat_map(|text| text.split(is_sign));
        let full = words.into_iter().find(|word| word.ends_with(&format!("__{name}"))).unwrap_or(name);
        match self.tool(CALL).filter(|tool| has(tool, NAME) && has(tool, ARGUMENTS)) {
            Some(tool) => self.filled(tool, &[(NAME, json!(full)), (ARGUMENTS, arguments.clone())]),
            None => Call::function(&Tool { name: full.to_owned(), ..Tool::default() }, arguments.clone()),
        }
    }

    fn garbage(&self, text: &str) -> Option<Call> {
        let tool = self.tool(SHELL).or_else(|| self.conversation.tools.iter().find(|tool| !tool.freeform))?;
        let arguments = if text.is_empty() { "{\"command\": \"ec" } else { text };
        Some(Call { arguments: arguments.to_owned(), ..Call::function(tool, Value::Null) })
    }

    fn tool(&self, names: Role) -> Option<&'a Tool> {
        names.iter().find_map(|name| self.conversation.tools.iter().find(|tool| bare(&tool.name) == *name))
    }

    /// A call with the given values, and something fitting for whatever else is required.
    fn filled(&self, tool: &Tool, values: &[(Role, Value)]) -> Call {
        let mut arguments = required(tool);
        for (role, value) in values {
            if let Some((name, _)) = field(tool, role) {
                arguments.insert(name.to_owned(), value.clone());
            }
        }
        Call::function(tool, Value::Object(arguments))
    }

    fn absolute<'p>(&self, path: &'p str) -> Cow<'p, str> {
        match &self.workspace {
            Some(workspace) if !path.starts_with('/') => Cow::Owned(format!("{workspace}/{path}")),
            _ => Cow::Borrowed(path),
        }
    }

    fn missing(&self, action: &Action) -> String {
        let words = format!("{action:?}").to_lowercase();
        let step: String = words.chars().take_while(|letter| letter.is_alphabetic()).collect();
        let names: Vec<&str> = self.conversation.tools.iter().map(|tool| tool.name.as_str()).collect();
        format!("NO TOOL for {step} among [{}]", names.join(", "))
    }
}

/// Whether a tool is one of those that steps are mapped on.
pub fn does_work(tool: &Tool) -> bool {
    let name = bare(&tool.name);
    [WRITE, EDIT, EDITOR, READ, SHELL, PLAN, PATCH].iter().any(|names| names.contains(&name.as_str()))
}

/// A tool's name in lower case without signs, and without the group in front of it.
fn bare(name: &str) -> String {
    let name = name.rsplit("__").next().unwrap_or(name);
    name.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().to_lowercase()
}

fn has(tool: &Tool, role: Role) -> bool {
    field(tool, role).is_some()
}

/// The argument that plays a role, with its schema.
fn field(tool: &Tool, role: Role) -> Option<(&str, &Value)> {
    let properties = tool.schema["properties"].as_object()?;
    role.iter().find_map(|wanted| {
        let found = properties.iter().find(|(name, _)| bare(name) == *wanted);
        found.map(|(name, schema)| (name.as_str(), schema))
    })
}

fn is_required(tool: &Tool, role: Role) -> bool {
    let names = tool.schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    names.into_iter().any(|name| role.contains(&bare(name).as_str()))
}

/// One file in a list: its path, or an object that holds it.
fn listed(path: &Value, schema: &Value) -> Value {
    let tool = Tool { schema: schema.clone(), ..Tool::default() };
    let Some((name, _)) = field(&tool, PATH) else { return path.clone() };
    let mut entry = required(&tool);
    entry.insert(name.to_owned(), path.clone());
    Value::Object(entry)
}

fn required(tool: &Tool) -> Map<String, Value> {
    match fit(&tool.schema) {
        Value::Object(arguments) => arguments,
        _ => Map::new(),
    }
}

fn plan_entry(item: &PlanItem, schema: &Value) -> Value {
    const TEXT: Role = &["content", "step", "title", "text", "task", "description", "activeform"];
    let Some(properties) = schema["properties"].as_object() else { return json!(item.text) };
    let Value::Object(mut entry) = fit(schema) else { return json!(item.text) };
    for (name, field) in properties {
        if TEXT.contains(&bare(name).as_str()) {
            entry.insert(name.clone(), json!(item.text));
        } else if bare(name) == "status" {
            entry.insert(name.clone(), status(item, field));
        }
    }
    Value::Object(entry)
}

fn checklist(items: &[PlanItem]) -> String {
    let line = |item: &PlanItem| {
        let mark = if item.status == PlanEntryStatus::Completed { "x" } else { " " };
        format!("- [{mark}] {}\n", item.text)
    };
    items.iter().map(line).collect()
}

fn status(item: &PlanItem, schema: &Value) -> Value {
    let words: &[&str] = match item.status {
        PlanEntryStatus::Completed => &["completed", "done", "complete"],
        PlanEntryStatus::InProgress => &["in_progress", "inprogress", "doing"],
        _ => &["pending", "todo", "not_started"],
    };
    let options = schema["enum"].as_array().map(Vec::as_slice).unwrap_or_default();
    let known = options.iter().find(|option| option.as_str().is_some_and(|text| words.contains(&text)));
    known.cloned().unwrap_or_else(|| json!(words[0]))
}
