//! Tells an agent's side requests (titles, routers, classifiers, judges) from the conversation itself, and answers
//! them without touching the script.

use serde_json::Value;

use crate::script::Tokens;

use super::conversation::{Conversation, Item};
use super::edit_blocks;
use super::fit::fit;
use super::reply::Reply;
use super::tools::{Call, does_work};

/// What side requests are said to use.
const USUAL: Tokens =
    Tokens { input: 100, output: 10, cached_read: 0, cached_write: 0, thought: 0, cost: None };

/// What kind of side request this is, and its answer; none for the conversation itself.
pub fn side_reply(conversation: &Conversation) -> Option<(&'static str, Reply)> {
    let text = |text: String| Reply { text, usage: Some(USUAL), ..Reply::default() };
    if let Some(schema) = &conversation.schema {
        return Some(("judge", text(fit(schema).to_string())));
    }
    if let Some(tool) = conversation
        .forced
        .as_ref()
        .and_then(|name| conversation.tools.iter().find(|tool| tool.name == *name))
    {
        let call = Call::function(tool, fit(&tool.schema));
        return Some(("classifier", Reply { call: Some(call), usage: Some(USUAL), ..Reply::default() }));
    }
    if let ([tool], false) = (conversation.tools.as_slice(), conversation.stream)
        && tool.schema != Value::Null
        && !does_work(tool)
    {
        let call = Call::function(tool, fit(&tool.schema));
        return Some(("classifier", Reply { call: Some(call), usage: Some(USUAL), ..Reply::default() }));
    }
    if conversation.items.last().is_some_and(is_afterthought) {
        return Some(("afterthought", text("Nothing.".to_owned())));
    }
    let is_side = conversation.tools.is_empty() && !edit_blocks::is_wanted(conversation);
    if is_side && wants_summary(conversation) {
        return Some(("title", text("Rehearsal".to_owned())));
    }
    None
}

/// After a turn some agents ask, with the whole conversation, what the person may type next or what to keep in mind.
fn is_afterthought(item: &Item) -> bool {
    const BEGINNINGS: &[&str] = &["[SUGGESTION MODE", "Managed memory has"];
    matches!(item, Item::User(text) if BEGINNINGS.iter().any(|words| text.starts_with(words)))
}

/// Titles and summaries are asked for in so many words, in the instructions or around the prompt.
fn wants_summary(conversation: &Conversation) -> bool {
    let last = conversation.items.iter().rev().find_map(|item| match item {
        Item::User(text) => Some(text.as_str()),
        _ => None,
    });
    [Some(conversation.system.as_str()), last].into_iter().flatten().any(|text| {
        let text = text.to_ascii_lowercase();
        ["title", "summar", "short description", "topic"].iter().any(|word| text.contains(word))
    })
}
