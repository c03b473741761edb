//! The model server before agents whose requests are unlike those of others, in the form in which they were seen.

use serde_json::{Value, json};

use crate::server::{post, prompt, start};

/// Asks until the model calls nothing more, and gives back its calls, and its words where there are any.
async fn walk(mut messages: Value, tools: Value) -> String {
    let server = start().await;
    let url = format!("{}/v1/chat/completions", server.run_url("one"));
    let mut answers = Vec::new();
    loop {
        let body = json!({"model": "m", "stream": false, "messages": messages, "tools": tools});
        let (status, text) = post(&url, &body).await;
        assert_eq!(status, 200);
        let mut answer: Value = serde_json::from_str(&text).unwrap();
        let message = answer["choices"][0]["message"].take();
        let function = &message["tool_calls"][0]["function"];
        let Some(name) = function["name"].as_str() else {
            answers.push(message["content"].as_str().unwrap().to_owned());
            break;
        };
        answers.push(format!("{name} {}", function["arguments"].as_str().unwrap()));
        messages.as_array_mut().unwrap().push(message);
        messages
            .as_array_mut()
            .unwrap()
            .push(json!({"role": "tool", "tool_call_id": "x", "content": "one\n"}));
    }
    server.shutdown().await;
    answers.join("\n")
}

fn tool(name: &str, properties: Value, required: &[&str]) -> Value {
    json!({"type": "function", "function": {"name": name,
        "parameters": {"type": "object", "properties": properties, "required": required}}})
}

const SCRIPT: &str = "read a.txt\nedit a.txt replace \"one\" with \"two\"\nwrite b.txt \"made\\n\"\nrun make test\nsay Done with it.";

#[tokio::test]
async fn qwen_code_tells_its_folder_in_a_reminder_beside_the_prompt() {
    let text = json!({"type": "string"});
    let reminder = "<system-reminder>\nThis is the Qwen Code.\nI'm currently working in the directory: /w/it\n\
                    Here is the folder structure of the current working directories:\n</system-reminder>";
    let messages = json!([
        {"role": "system", "content": "You are Qwen Code. Use absolute paths."},
        {"role": "user", "content": [{"type": "text", "text": reminder}, {"type": "text", "text": prompt(SCRIPT)}]},
    ]);
    let tools = json!([
        tool("read_file", json!({"file_path": text}), &["file_path"]),
        tool("write_file", json!({"file_path": text, "content": text}), &["file_path", "content"]),
        tool("edit", json!({"file_path": text, "old_string": text, "new_string": text}), &["file_path"]),
        tool("run_shell_command", json!({"command": text}), &["command"]),
    ]);
    insta::assert_snapshot!(walk(messages, tools).await, @r#"
    read_file {"file_path":"/w/it/a.txt"}
    edit {"file_path":"/w/it/a.txt","old_string":"one","new_string":"two"}
    write_file {"file_path":"/w/it/b.txt","content":"made\n"}
    run_shell_command {"command":"make test"}
    Done with it.
    "#);
}

#[tokio::test]
async fn qwen_code_calls_what_it_found_through_a_tool() {
    let text = json!({"type": "string"});
    let found = "<functions>\n<function>{\"name\":\"mcp__board__ping_board\",\"description\":\"Leaves a note\"}</function>";
    let search = json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function",
        "function": {"name": "tool_search", "arguments": "{\"query\":\"ping_board\"}"}}]});
    let messages = json!([
        {"role": "user", "content": prompt("tool ping_board {\"note\": \"hello\"}\nsay It is noted.")},
        search,
        {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": found}]},
    ]);
    let tools = json!([
        tool("tool_search", json!({"query": text}), &["query"]),
        tool("tool_call", json!({"name": text, "arguments": {"type": "object"}}), &["name", "arguments"]),
    ]);
    insta::assert_snapshot!(walk(messages, tools).await, @r#"
    tool_call {"name":"mcp__board__ping_board","arguments":{"note":"hello"}}
    It is noted.
    "#);
}

#[tokio::test]
async fn cline_takes_several_files_and_commands_at_once_and_has_no_tool_for_writing() {
    let text = json!({"type": "string"});
    let file = json!({"type": "object", "required": ["path"],
        "properties": {"path": text, "start_line": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}});
    let one = json!({"anyOf": [text, {"type": "object", "properties": {"command": text}, "required": ["command"]}]});
    let messages = json!([
        {"role": "system", "content": "You are Cline.\nWorking directory: /w/it\n"},
        {"role": "user", "content": prompt(SCRIPT)},
    ]);
    let tools = json!([
        tool("read_files", json!({"files": {"type": "array", "items": file}}), &["files"]),
        tool("run_commands", json!({"commands": {"type": "array", "items": one}}), &["commands"]),
        tool("editor", json!({"path": text, "old_text": text, "new_text": text}), &["path", "new_text"]),
    ]);
    insta::assert_snapshot!(walk(messages, tools).await, @r#"
    read_files {"files":[{"path":"/w/it/a.txt"}]}
    editor {"path":"/w/it/a.txt","new_text":"two","old_text":"one"}
    editor {"path":"/w/it/b.txt","new_text":"made\n"}
    run_commands {"commands":["make test"]}
    Done with it.
    "#);
}

#[tokio::test]
async fn aider_offers_no_tools_and_takes_edits_out_of_the_words() {
    let rules = "\n\n# *SEARCH/REPLACE block* Rules:\nEvery block must use this format.";
    let messages = |script: &str| {
        json!([
            {"role": "system", "content": "Describe each change with a *SEARCH/REPLACE block* and summarize it."},
            {"role": "user", "content": "Change get_factorial() to use math.factorial"},
            {"role": "assistant", "content": "Ok."},
            {"role": "user", "content": "I have *added these files to the chat*.\n\na.txt\n```\nline one\nlast\n```\n"},
            {"role": "assistant", "content": "Ok."},
            {"role": "user", "content": prompt(script) + rules},
        ])
    };
    let script = "say Here it is.\nread a.txt\nedit a.txt replace \"one\" with \"two\"\nwrite b.txt \"made\\n\"\nsay All of it.";
    insta::assert_snapshot!(walk(messages(script), json!([])).await, @r"
    Here it is.
    a.txt
    ```
    <<<<<<< SEARCH
    line one
    =======
    line two
    >>>>>>> REPLACE
    ```
    b.txt
    ```
    <<<<<<< SEARCH
    =======
    made
    >>>>>>> REPLACE
    ```
    All of it.
    ");
    let words = walk(messages("run make test\nsay Done."), json!([])).await;
    assert_eq!(words, "NO TOOL for run: this agent takes edits only");
}
