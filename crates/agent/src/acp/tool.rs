//! Tool calls: how an update changes one, and how one reads in a line.

use std::path::Path;

use agent_client_protocol_schema::v1 as acp;
use divisi_model::transcript::{FileDiff, Location, Text, ToolCall, ToolKind, ToolStatus, limits};
use serde_json::{Map, Value};

use super::schema::{block_text, clip};

/// Most files that are named in a headline.
const HEADLINE_FILES: usize = 3;

/// Brings a tool call up to date. What the update does not name stays; lists that it names are replaced, but a list of
/// content without diffs does not wipe out the diffs shown before: agents often end a call with its output alone.
pub(super) fn update(
    call: &mut ToolCall,
    fields: acp::ToolCallUpdateFields,
    meta: Option<&Map<String, Value>>,
) {
    if let Some(title) = fields.title {
        call.title = clip(&title);
    }
    if let Some(name) = fields.name.or_else(|| name_in(meta)) {
        call.name = Some(clip(&name));
    }
    match fields.kind {
        Some(kind) if kind != acp::ToolKind::Other => call.kind = kind_of(kind),
        _ if call.kind == ToolKind::Other => call.kind = guess(call),
        _ => {}
    }
    if let Some(status) = fields.status {
        call.status = status_of(status);
    }
    if let Some(locations) = fields.locations {
        set_locations(call, &locations);
    }
    if let Some(input) = fields.raw_input.filter(|v| !is_hollow(v)) {
        call.input = Some(Text::clip(&input.to_string(), limits::OUTPUT_BYTES));
    }
    let words = fields.content.and_then(|content| set_content(call, content));
    let raw = fields.raw_output.and_then(|v| raw_text(&v));
    if let Some(output) = words.or(raw) {
        call.output = Some(Text::clip(&output, limits::OUTPUT_BYTES));
    }
    if let Some(piece) = terminal_in(meta) {
        call.output.get_or_insert_default().push(piece, limits::OUTPUT_BYTES);
    }
}

/// The call in a line, for who has to decide about it: the agent's title, with the command or the files where the title
/// does not name them. Paths are relative to the workspace.
pub(super) fn headline(call: &ToolCall, workspace: &Path) -> String {
    let title = call.title.trim();
    let input: Value =
        call.input.as_ref().and_then(|i| serde_json::from_str(&i.text).ok()).unwrap_or_default();
    if let Some(command) = command_in(&input) {
        return match title {
            "" => clip(&command),
            title if title.contains(&command) => title.to_owned(),
            title => clip(&format!("{title}: {command}")),
        };
    }
    let named = ["file_path", "filePath", "filepath", "path", "absolute_path"];
    let named = named.iter().find_map(|key| input.get(key)?.as_str());
    let mut paths: Vec<String> = Vec::new();
    let all =
        call.diffs.iter().map(|d| d.path.as_str()).chain(call.locations.iter().map(|l| l.path.as_str()));
    for path in all.chain(named) {
        let short = Path::new(path).strip_prefix(workspace).map_or(path.into(), |p| p.to_string_lossy());
        if !short.is_empty() && !paths.contains(&short.as_ref().to_owned()) {
            paths.push(short.into_owned());
        }
    }
    let title_is_path = paths.iter().any(|p| Path::new(title).ends_with(p)) && !title.contains(' ');
    let file_name = |path: &String| Path::new(path).file_name().map(|n| n.to_string_lossy().into_owned());
    let told = paths.iter().filter_map(file_name).any(|name| title.contains(&name));
    if paths.is_empty() || (told && !title_is_path) {
        return if title.is_empty() { call.kind.as_str().to_owned() } else { title.to_owned() };
    }
    let mut list = paths.iter().take(HEADLINE_FILES).cloned().collect::<Vec<_>>().join(", ");
    let more = paths.len().saturating_sub(HEADLINE_FILES) + call.left_out as usize;
    if more > 0 {
        list.push_str(&format!(" and {more} more"));
    }
    match title {
        title if title_is_path || title.is_empty() => clip(&format!("{} {list}", call.kind.as_str())),
        title => clip(&format!("{title}: {list}")),
    }
}

fn set_locations(call: &mut ToolCall, locations: &[acp::ToolCallLocation]) {
    let fits = |l: &&acp::ToolCallLocation| l.path.as_os_str().len() <= limits::NAME_BYTES;
    let place =
        |l: &acp::ToolCallLocation| Location { path: l.path.to_string_lossy().into_owned(), line: l.line };
    call.locations = locations.iter().filter(fits).take(limits::LOCATIONS).map(place).collect();
    let left_out = locations.len() - call.locations.len();
    call.left_out = call.left_out.max(u32::try_from(left_out).unwrap_or(u32::MAX));
}

/// Takes the diffs out of the content, and gives its words.
fn set_content(call: &mut ToolCall, content: Vec<acp::ToolCallContent>) -> Option<String> {
    let mut diffs = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut left_out = 0;
    for part in content {
        match part {
            acp::ToolCallContent::Diff(diff) => {
                if diffs.len() >= limits::DIFFS || diff.path.as_os_str().len() > limits::NAME_BYTES {
                    left_out += 1;
                    continue;
                }
                diffs.push(FileDiff {
                    path: diff.path.to_string_lossy().into_owned(),
                    old: diff.old_text.map(|text| Text::clip(&text, limits::DIFF_BYTES)),
                    new: Text::clip(&diff.new_text, limits::DIFF_BYTES),
                });
            }
            acp::ToolCallContent::Content(content) => words.push(block_text(&content.content)),
            _ => {}
        }
    }
    call.left_out = call.left_out.max(left_out);
    if !diffs.is_empty() {
        call.diffs = diffs;
    }
    Some(words.join("\n")).filter(|words| !words.is_empty())
}

/// Goose gives its tools' names only in `_meta`.
fn name_in(meta: Option<&Map<String, Value>>) -> Option<String> {
    let name = meta?.get("goose")?.pointer("/toolCall/toolName")?;
    name.as_str().map(str::to_owned)
}

/// Codex gives the output of commands in `_meta`, after a habit of Zed's.
fn terminal_in(meta: Option<&Map<String, Value>>) -> Option<&str> {
    let meta = meta?;
    ["terminal_output_delta", "terminal_output"].iter().find_map(|key| meta.get(*key)?.get("data")?.as_str())
}

fn command_in(input: &Value) -> Option<String> {
    match input.get("command").or_else(|| input.get("cmd"))? {
        Value::String(command) => Some(command.clone()),
        Value::Array(words) => Some(words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")),
        _ => None,
    }
}

/// The kind of a tool whose agent does not say it, by names that mean one thing everywhere. A rule may trust the kind
/// as much as it trusts the agent's own word, so only whole names count.
fn guess(call: &ToolCall) -> ToolKind {
    let title = call.title.split([' ', '·', ':']).next().unwrap_or_default().to_owned();
    match call.name.as_deref().unwrap_or(&title).to_lowercase().as_str() {
        "write" | "edit" | "write_file" | "edit_file" | "create_file" | "str_replace" | "text_editor"
        | "apply_patch" | "multiedit" | "replace" => ToolKind::Edit,
        "read" | "read_file" | "view" => ToolKind::Read,
        "grep" | "glob" | "ls" | "list_directory" | "tree" => ToolKind::Search,
        "shell" | "bash" | "run_shell_command" | "execute_command" | "terminal" => ToolKind::Execute,
        "fetch" | "webfetch" | "web_fetch" => ToolKind::Fetch,
        _ => ToolKind::Other,
    }
}

fn kind_of(kind: acp::ToolKind) -> ToolKind {
    match kind {
        acp::ToolKind::Read => ToolKind::Read,
        acp::ToolKind::Edit => ToolKind::Edit,
        acp::ToolKind::Delete => ToolKind::Delete,
        acp::ToolKind::Move => ToolKind::Move,
        acp::ToolKind::Search => ToolKind::Search,
        acp::ToolKind::Execute => ToolKind::Execute,
        acp::ToolKind::Think => ToolKind::Think,
        acp::ToolKind::Fetch => ToolKind::Fetch,
        acp::ToolKind::SwitchMode => ToolKind::SwitchMode,
        _ => ToolKind::Other,
    }
}

fn status_of(status: acp::ToolCallStatus) -> ToolStatus {
    match status {
        acp::ToolCallStatus::InProgress => ToolStatus::InProgress,
        acp::ToolCallStatus::Completed => ToolStatus::Completed,
        acp::ToolCallStatus::Failed => ToolStatus::Failed,
        _ => ToolStatus::Pending,
    }
}

/// Agents announce a call with `{}` before they know what it is called with.
fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// The words in a raw output; none where it holds only an exit code.
fn raw_text(value: &Value) -> Option<String> {
    if is_hollow(value) {
        return None;
    }
    let Value::Object(map) = value else {
        return Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    };
    if map.keys().all(|key| matches!(key.as_str(), "exit_code" | "exitCode" | "success")) {
        return None;
    }
    if let (Some(Value::String(out)), Some(Value::String(err))) = (map.get("stdout"), map.get("stderr")) {
        return Some(format!("{out}{err}")).filter(|text| !text.is_empty());
    }
    match (map.len(), map.get("output").or_else(|| map.values().next())) {
        (_, Some(Value::String(text))) if map.len() == 1 || map.contains_key("output") => Some(text.clone()),
        _ => Some(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(update_json: Value) -> ToolCall {
        let update: acp::ToolCallUpdate = serde_json::from_value(update_json).unwrap();
        let mut call = ToolCall::new("c");
        super::update(&mut call, update.fields, update.meta.as_ref());
        call
    }

    #[test]
    fn a_headline_names_what_is_at_stake() {
        let headline = |value: Value| headline(&call(value), Path::new("/w/t1"));
        for (update, line) in [
            (
                json!({"toolCallId": "c", "title": "write", "rawInput": {"path": "/w/t1/b.txt"}}),
                "write: b.txt",
            ),
            (
                json!({"toolCallId": "c", "title": "shell", "rawInput": {"command": "rm -rf x"}}),
                "shell: rm -rf x",
            ),
            (json!({"toolCallId": "c", "title": "ls", "rawInput": {"command": "ls", "cwd": "/w/t1"}}), "ls"),
            (
                json!({"toolCallId": "c", "title": "Write hello.txt", "rawInput": {"file_path": "/w/t1/hello.txt"}}),
                "Write hello.txt",
            ),
            (
                json!({"toolCallId": "c", "title": "Edit files", "kind": "edit", "content": [{"type": "diff", "path": "/w/t1/a/b.rs", "newText": "x"}]}),
                "Edit files: a/b.rs",
            ),
            (
                json!({"toolCallId": "c", "title": "/w/t1/b.txt", "kind": "edit", "rawInput": {"filepath": "/w/t1/b.txt"}}),
                "edit b.txt",
            ),
            (
                json!({"toolCallId": "c", "title": "Read", "locations": [{"path": "/etc/passwd"}]}),
                "Read: /etc/passwd",
            ),
            (json!({"toolCallId": "c", "title": ""}), "other"),
        ] {
            assert_eq!(headline(update), line);
        }
    }

    #[test]
    fn a_call_that_is_not_seen_whole_says_so() {
        let places: Vec<Value> = (0..100).map(|n| json!({"path": format!("/w/{n}")})).collect();
        let many = call(json!({"toolCallId": "c", "title": "t", "locations": places}));
        assert_eq!((many.locations.len(), many.left_out), (limits::LOCATIONS, 36));
        let long = format!("/w/{}/../../etc", "x".repeat(5000));
        let long = call(
            json!({"toolCallId": "c", "title": "t", "content": [{"type": "diff", "path": long, "newText": ""}]}),
        );
        assert_eq!((long.diffs.len(), long.left_out), (0, 1));
    }

    #[test]
    fn names_and_outputs_are_found_where_agents_hide_them() {
        let goose = call(
            json!({"toolCallId": "c", "title": "write · b", "_meta": {"goose": {"toolCall": {"toolName": "write"}}}}),
        );
        assert_eq!((goose.kind, goose.name.as_deref()), (ToolKind::Edit, Some("write")));
        assert_eq!(
            call(json!({"toolCallId": "c", "title": "write_secrets_elsewhere"})).kind,
            ToolKind::Other
        );
        let codex = call(
            json!({"toolCallId": "c", "rawOutput": {"exit_code": 0}, "_meta": {"terminal_output_delta": {"data": "a\n", "terminal_id": "c"}}}),
        );
        assert_eq!(codex.output.unwrap().text, "a\n");
        let both =
            call(json!({"toolCallId": "c", "rawOutput": {"stdout": "o", "stderr": "e", "exit_code": 1}}));
        assert_eq!(both.output.unwrap().text, "oe");
    }
}
