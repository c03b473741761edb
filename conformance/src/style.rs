//! How scripts are written for agents whose model does not simply call tools and then say something.

use crate::desk::Desk;

/// The script for this agent.
pub fn script(desk: &Desk<'_>, script: &str) -> String {
    match desk.agent.name.as_str() {
        // It takes a turn for done when this command ran, and wants a command with every answer.
        "mini-swe-agent" => {
            let steps = script.lines().map(|line| match line.strip_prefix("say ") {
                Some(_) => "run echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT",
                None => line,
            });
            steps.collect::<Vec<_>>().join("\n")
        }
        _ => script.to_owned(),
    }
}

/// Whether the agent lets its model call tools; Aider takes edits out of its words.
pub fn has_tools(desk: &Desk<'_>) -> bool {
    desk.agent.name != "aider"
}

/// Whether the agent's last words are its own and not the model's.
pub fn is_silent(desk: &Desk<'_>) -> bool {
    desk.agent.name == "mini-swe-agent"
}
