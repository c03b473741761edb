//! Agents that offer their model no tools and take edits out of its words, as Aider does: blocks of text to search for
//! and to put in its place. A whole turn is one answer.

use crate::script::{Action, Replacement};

use super::conversation::{Conversation, Item};

/// How such agents call the form, in their instructions.
const FORM: &str = "SEARCH/REPLACE block";
/// Stands around a block and around the files that the agent shows.
const FENCE: &str = "```";

/// Whether the agent takes edits out of the model's words.
pub fn is_wanted(conversation: &Conversation) -> bool {
    conversation.tools.is_empty() && conversation.system.contains(FORM)
}

/// The words for one step; empty where nothing has to be said for it.
///
/// # Errors
/// Says which step words cannot do.
pub fn words(action: &Action, conversation: &Conversation) -> Result<String, String> {
    let shown = |path: &str| shown(conversation, path);
    Ok(match action {
        // What stands in the chat needs no reading, and there is no list of steps.
        Action::Read(_) | Action::Plan(_) => String::new(),
        Action::Write { path, text } => block(path, shown(path).unwrap_or_default(), text),
        Action::Append { path, text } => block(path, "", text),
        Action::Edit { path, replacements } => {
            let content = shown(path).unwrap_or_default();
            let one = |one: &Replacement| {
                let (old, new) = whole_lines(content, one);
                block(path, &old, &new)
            };
            replacements.iter().map(one).collect::<Vec<_>>().join("\n")
        }
        other => {
            let words = format!("{other:?}").to_lowercase();
            let step: String = words.chars().take_while(|letter| letter.is_alphabetic()).collect();
            return Err(format!("NO TOOL for {step}: this agent takes edits only"));
        }
    })
}

fn block(path: &str, old: &str, new: &str) -> String {
    let ended = |text: &str| match text.is_empty() || text.ends_with('\n') {
        true => text.to_owned(),
        false => format!("{text}\n"),
    };
    format!("{path}\n{FENCE}\n<<<<<<< SEARCH\n{}=======\n{}>>>>>>> REPLACE\n{FENCE}", ended(old), ended(new))
}

/// What the agent shows of a file: its name on a line, and its content in a fence under it. The newest counts.
fn shown<'a>(conversation: &'a Conversation, path: &str) -> Option<&'a str> {
    let begins = format!("{path}\n{FENCE}");
    conversation.items.iter().rev().find_map(|item| {
        let Item::User(text) = item else { return None };
        let (at, _) = text.rmatch_indices(&begins).find(|(at, _)| *at == 0 || text[..*at].ends_with('\n'))?;
        let (_, content) = text[at + begins.len()..].split_once('\n')?;
        Some(&content[..content.find(&format!("{FENCE}\n")).or_else(|| content.find(FENCE))?])
    })
}

/// A replacement with the rest of its lines, as the form wants them; as it is where the text is not shown.
fn whole_lines(content: &str, Replacement { old, new }: &Replacement) -> (String, String) {
    let Some(at) = content.find(old.as_str()) else { return (old.clone(), new.clone()) };
    let start = content[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let after = at + old.len();
    let end = content[after..].find('\n').map_or(content.len(), |newline| after + newline);
    let replaced = format!("{}{new}{}", &content[start..at], &content[after..end]);
    (content[start..end].to_owned(), replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation() -> Conversation {
        let shown = "I have *added these files to the chat*:\n\nsrc/a.py\n```\ndef a():\n    return 1 - 1\n```\n\nb.txt\n```\none\n```\n";
        Conversation {
            system: "Describe each change with a *SEARCH/REPLACE block*.".into(),
            items: vec![Item::User(shown.into())],
            ..Conversation::default()
        }
    }

    #[test]
    fn steps_become_blocks_of_whole_lines() {
        let conversation = conversation();
        assert!(is_wanted(&conversation));
        let said = |action: Action| words(&action, &conversation);
        let replacements = vec![Replacement { old: "1 - 1".into(), new: "1 + 1".into() }];
        assert_eq!(
            said(Action::Edit { path: "src/a.py".into(), replacements }).unwrap(),
            "src/a.py\n```\n<<<<<<< SEARCH\n    return 1 - 1\n=======\n    return 1 + 1\n>>>>>>> REPLACE\n```"
        );
        assert_eq!(
            said(Action::Write { path: "b.txt".into(), text: "two".into() }).unwrap(),
            "b.txt\n```\n<<<<<<< SEARCH\none\n=======\ntwo\n>>>>>>> REPLACE\n```"
        );
        assert_eq!(
            said(Action::Write { path: "new.txt".into(), text: "x\n".into() }).unwrap(),
            "new.txt\n```\n<<<<<<< SEARCH\n=======\nx\n>>>>>>> REPLACE\n```"
        );
        assert_eq!(said(Action::Read("b.txt".into())).unwrap(), "");
        assert_eq!(
            said(Action::Run("ls".into())).unwrap_err(),
            "NO TOOL for run: this agent takes edits only"
        );
    }

    #[test]
    fn an_agent_with_tools_takes_no_words() {
        let tools = vec![super::super::conversation::Tool::default()];
        assert!(!is_wanted(&Conversation { tools, ..conversation() }));
        assert!(!is_wanted(&Conversation { system: "Be nice.".into(), ..conversation() }));
    }
}
