//! Which turn of a script answers a prompt, and what is played where nobody gave a script.

use super::{Script, ScriptError, Turn, find_block};

/// A script and the prompts it has been given so far; enough to say what comes next, so it can be rebuilt
/// from a conversation alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    script: Script,
    played: Vec<bool>,
    current: Option<usize>,
}

impl Part {
    /// A script of which nothing has been played.
    #[must_use]
    pub fn new(script: Script) -> Self {
        let played = vec![false; script.turns.len()];
        Self { script, played, current: None }
    }

    /// Moves on to the turn that answers `prompt`. A turn whose condition holds goes first and is played once while
    /// another one is left; else the next turn without condition follows.
    pub fn take(&mut self, prompt: &str) {
        // The script itself usually stands in the prompt, conditions included, and must not fulfil them.
        let stripped = find_block(prompt).ok().flatten().map(|block| block.rest);
        let prompt = stripped.as_deref().unwrap_or(prompt);
        let holds = |turn: &Turn| turn.when.as_deref().is_some_and(|text| prompt.contains(text));
        let turns = || self.script.turns.iter().enumerate();
        let fresh = turns().find(|(index, turn)| !self.played[*index] && holds(turn));
        let again = || turns().rev().find(|(_, turn)| holds(turn));
        let numbered = || turns().find(|(index, turn)| !self.played[*index] && turn.when.is_none());
        self.current = fresh.or_else(again).or_else(numbered).map(|(index, _)| index);
        if let Some(index) = self.current {
            self.played[index] = true;
        }
    }

    /// The turn that answers the prompt taken last; none when the script has run out.
    #[must_use]
    pub fn current(&self) -> Option<&Turn> {
        self.current.and_then(|index| self.script.turns.get(index))
    }
}

/// What is performed where nobody gave a script: a small, visible edit that names the prompt.
///
/// # Errors
/// Only if this very text were wrong.
pub fn default_script(prompt: &str) -> Result<Script, ScriptError> {
    let title = prompt.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no prompt");
    let title: String =
        title.trim_start_matches(['#', ' ']).chars().filter(|letter| !letter.is_control()).take(80).collect();
    let quoted = title.replace('\\', "\\\\").replace('"', "\\\"");
    Script::parse(&format!(
        "think There is no script in this prompt, so I make one small edit.\n\
         say \"I note the request in REHEARSAL.md.\"\n\
         append REHEARSAL.md \"- {quoted}\\n\"\n\
         usage input 1200 output 80 cost 0.004\n\
         say \"Done: one line was added to REHEARSAL.md. Give me a script to make me do more.\"\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::Action;
    use super::*;

    fn said(script: &str, prompts: &[&str]) -> Vec<String> {
        let mut part = Part::new(Script::parse(script).unwrap());
        let mut said = Vec::new();
        for prompt in prompts {
            part.take(prompt);
            said.push(match part.current().and_then(|turn| turn.steps.first()).map(|step| &step.action) {
                Some(Action::Say(text)) => text.clone(),
                _ => "-".into(),
            });
        }
        said
    }

    #[test]
    fn turns_follow_in_order_and_then_run_out() {
        assert_eq!(said("say a\nturn\nsay b", &["x", "y", "z"]), ["a", "b", "-"]);
    }

    #[test]
    fn a_condition_goes_first_and_its_last_turn_is_played_again() {
        let script = "say first\nwhen prompt contains failed\nsay mend badly\nwhen prompt contains failed\nsay mend well\nturn\nsay review";
        let prompts = ["go", "check failed", "looks odd", "failed again", "failed again"];
        assert_eq!(said(script, &prompts), ["first", "mend badly", "review", "mend well", "mend well"]);
    }

    #[test]
    fn the_script_in_the_prompt_does_not_fulfil_its_own_condition() {
        let script = "say first\nwhen prompt contains \"failed\"\nsay mend";
        assert_eq!(said(script, &[&format!("go\n```rehearsal\n{script}\n```")]), ["first"]);
    }

    #[test]
    fn any_prompt_has_a_default() {
        for prompt in ["", "# \"Quoted\" \\ title", "\u{7}bell\n"] {
            assert!(default_script(prompt).is_ok(), "{prompt:?}");
        }
    }
}
