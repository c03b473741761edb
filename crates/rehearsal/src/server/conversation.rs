//! A model request without its dialect: who said what, and which tools are offered.

use serde_json::Value;

/// A request as every interface means it.
#[derive(Debug, Clone, Default)]
pub struct Conversation {
    /// The model's name.
    pub model: String,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Instructions that are not part of the dialogue.
    pub system: String,
    /// The dialogue in order.
    pub items: Vec<Item>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// JSON schema of the answer, where one is demanded.
    pub schema: Option<Value>,
    /// The one tool that has to be called, where one is demanded.
    pub forced: Option<String>,
}

/// One entry of the dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// The person, or the agent in the person's name.
    User(String),
    /// The model, with the ids of its tool calls.
    Assistant(Vec<String>),
    /// What a tool gave back.
    Result(String),
}

/// An offered tool.
#[derive(Debug, Clone, Default)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// The group it is offered in, where the interface knows groups.
    pub namespace: Option<String>,
    /// JSON schema of its arguments; null for a free-form tool.
    pub schema: Value,
    /// Takes plain text instead of JSON.
    pub freeform: bool,
    /// The interface's own search among tools that are not offered from the start.
    pub search: bool,
    /// Was found by such a search.
    pub found: bool,
}

impl Conversation {
    /// What the person has asked, one entry per prompt.
    pub fn prompts(&self) -> Vec<&str> {
        let texts = self.items.iter().filter_map(|item| match item {
            Item::User(text) if !is_envelope(text) => Some(without_envelope(text)),
            _ => None,
        });
        texts.collect()
    }

    /// How many answers the model has given since the last prompt.
    pub fn answers_since_prompt(&self) -> usize {
        let mut answers = 0;
        let mut in_answer = false;
        for item in &self.items {
            match item {
                Item::User(text) if !is_envelope(text) => (answers, in_answer) = (0, false),
                // One answer may be written as several entries: text, then a call.
                Item::Assistant(_) if !in_answer => (answers, in_answer) = (answers + 1, true),
                Item::Assistant(_) => {}
                Item::Result(_) => in_answer = false,
                // An agent may put a reminder between the parts of one answer.
                Item::User(_) => {}
            }
        }
        answers
    }

    /// What tools have given back so far, the newest first.
    pub fn results(&self) -> impl Iterator<Item = &str> {
        self.items.iter().rev().filter_map(|item| match item {
            Item::Result(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// The workspace of the agent, as it tells its model.
    pub fn workspace(&self) -> Option<String> {
        let users = self.items.iter().filter_map(|item| match item {
            Item::User(text) => Some(text.as_str()),
            _ => None,
        });
        std::iter::once(self.system.as_str()).chain(users).find_map(workspace_in)
    }
}

/// Agents put reminders and facts about the environment into the person's mouth, each as one element of its own.
pub fn is_envelope(text: &str) -> bool {
    let text = text.trim();
    let Some(inner) = text.strip_prefix('<') else { return text.is_empty() };
    let name: String =
        inner.chars().take_while(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_')).collect();
    !name.is_empty() && text.ends_with(&format!("</{name}>"))
}

/// A prompt without the elements that stand around it in the same message. In front of it only that of Goose is known,
/// which moves between both places; others wrap the prompt itself in an element.
fn without_envelope(text: &str) -> &str {
    let text = text.trim_end();
    if let Some((_, behind)) =
        text.strip_prefix("<info-msg>").and_then(|text| text.split_once("</info-msg>\n"))
    {
        return without_envelope(behind.trim_start_matches('\n'));
    }
    let Some(name) = text.strip_suffix('>').and_then(|text| text.rsplit("</").next()) else { return text };
    match text.rfind(&format!("\n<{name}>")) {
        Some(start) if is_envelope(&text[start..]) => without_envelope(&text[..start]),
        _ => text,
    }
}

fn workspace_in(text: &str) -> Option<String> {
    const MARKS: &[&str] = &[
        "<cwd>",
        "orking directory: ",
        "orking directory is ",
        "orking directory is: ",
        "orking Directory: ",
        "orking in the directory: ",
    ];
    MARKS.iter().find_map(|mark| {
        let after = text[text.find(mark)? + mark.len()..].trim_start_matches(['`', '"', ' ']);
        let end = after.find(['<', '\n', '`', '"']).unwrap_or(after.len());
        let path = after[..end].trim();
        path.starts_with('/').then(|| path.to_owned())
    })
}

/// The text in a content that is a string, or a list of parts with `text`.
pub fn text_of(content: &Value) -> String {
    texts(content).join("\n")
}

/// What a message in the person's name holds: reminders beside the prompt are entries of their own, in front of it,
/// because some agents tell only there which folder they work in.
pub fn said(content: &Value) -> Vec<Item> {
    let (beside, own): (Vec<&str>, Vec<&str>) =
        texts(content).into_iter().partition(|text| is_envelope(text));
    let beside =
        beside.into_iter().filter(|text| !text.trim().is_empty()).map(|text| Item::User(text.into()));
    let mut items: Vec<Item> = beside.collect();
    if !own.is_empty() || items.is_empty() {
        items.push(Item::User(own.join("\n")));
    }
    items
}

fn texts(content: &Value) -> Vec<&str> {
    match content {
        Value::String(text) => vec![text],
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part.as_str().or_else(|| part["text"].as_str())).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_after_the_last_prompt_and_reminders_are_none() {
        let call = || Item::Assistant(vec!["c".into()]);
        let user = |text: &str| Item::User(text.into());
        let items = vec![
            user("<environment_context>\n<cwd>/w</cwd>\n</environment_context>"),
            user("go"),
            Item::Assistant(vec![]),
            user("<info-msg>It is late.</info-msg>"),
            call(),
            Item::Result("ok".into()),
            user("<system-reminder>be nice</system-reminder>"),
            call(),
            Item::Result("ok".into()),
        ];
        let conversation = Conversation { items, ..Conversation::default() };
        assert_eq!(conversation.prompts(), ["go"]);
        assert_eq!(conversation.answers_since_prompt(), 2);
        assert_eq!(conversation.workspace().as_deref(), Some("/w"));
    }

    #[test]
    fn a_reminder_beside_the_prompt_tells_the_folder_and_is_no_prompt() {
        let content = serde_json::json!([
            {"type": "text", "text": "<system-reminder>\nI'm currently working in the directory: /w\n</system-reminder>"},
            {"type": "text", "text": "Mend it."},
            {"type": "text", "text": "<system-reminder>Be nice.</system-reminder>"},
        ]);
        let mut items = said(&content);
        assert_eq!(items.len(), 3);
        assert_eq!(items.last(), Some(&Item::User("Mend it.".into())));
        items.push(Item::Assistant(vec![]));
        let conversation = Conversation { items, ..Conversation::default() };
        assert_eq!(conversation.prompts(), ["Mend it."]);
        assert_eq!(conversation.answers_since_prompt(), 1);
        assert_eq!(conversation.workspace().as_deref(), Some("/w"));
        assert_eq!(said(&Value::from("")), [Item::User(String::new())]);
    }

    #[test]
    fn a_prompt_may_begin_with_a_bracket() {
        assert!(!is_envelope("<b>Mend</b> the parser"));
        assert!(is_envelope("<info-msg>\nIt is late.\n</info-msg>\n"));
        assert_eq!(without_envelope("Mend it.\n<info-msg>\nLate.\n</info-msg>\n"), "Mend it.");
        assert_eq!(without_envelope("<info-msg>\nLate.\n</info-msg>\nMend it.\n"), "Mend it.");
        assert_eq!(without_envelope("<task>\nMend it.\n</task>\nNow."), "<task>\nMend it.\n</task>\nNow.");
        assert_eq!(without_envelope("Use <b>\nbold</b>"), "Use <b>\nbold</b>");
        assert_eq!(without_envelope("a > b"), "a > b");
    }
}
