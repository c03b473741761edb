//! Reads a script: its turns, and the blocks nested under a step.

use super::{Script, ScriptError, Step, Turn, steps, text::Line, text::Lines, words::Words};

/// Longest script in bytes.
const SCRIPT_BYTES_MAX: usize = 1024 * 1024;
/// How deep blocks may nest.
const DEPTH_MAX: usize = 16;

impl Script {
    /// Reads the text of a script.
    ///
    /// # Errors
    /// Names the first line that cannot be understood.
    pub fn parse(script: &str) -> Result<Self, ScriptError> {
        if script.len() > SCRIPT_BYTES_MAX {
            return Err(ScriptError::TooLong { limit: SCRIPT_BYTES_MAX });
        }
        let mut lines = Lines::new(script);
        let mut turns = vec![Turn::default()];
        let mut numbered = 1;
        let Some(first) = lines.peek() else { return Ok(Self { turns }) };
        let mut opened = false;
        while let Some(line) = lines.peek() {
            if line.indent != first.indent {
                return Err(misplaced(line));
            }
            let turn = match line.text.split_whitespace().next() {
                Some("turn") => {
                    // The header of the very first turn may be written or left out.
                    let is_first = !opened && turns.len() == 1;
                    numbered += usize::from(!is_first);
                    turn_header(line, numbered)?;
                    Some((Turn::default(), is_first))
                }
                Some("when") => {
                    let is_first = !opened && turns.len() == 1;
                    // A script that begins with a condition has no first numbered turn yet.
                    numbered -= usize::from(is_first);
                    Some((Turn { when: Some(when_header(line)?), steps: Vec::new() }, is_first))
                }
                _ => None,
            };
            opened = true;
            match turn {
                Some((turn, replaces_first)) => {
                    lines.advance();
                    if replaces_first {
                        turns.clear();
                    }
                    turns.push(turn);
                }
                None => {
                    let step = steps::parse_step(&mut lines, 0)?;
                    if let Some(turn) = turns.last_mut() {
                        turn.steps.push(step);
                    }
                }
            }
        }
        Ok(Self { turns })
    }
}

/// The steps that are indented deeper than `parent`.
pub(super) fn steps_under(
    lines: &mut Lines<'_>,
    parent: Line<'_>,
    depth: usize,
) -> Result<Vec<Step>, ScriptError> {
    if depth > DEPTH_MAX {
        return Err(ScriptError::at(parent.number, format!("steps are nested deeper than {DEPTH_MAX}.")));
    }
    let mut steps = Vec::new();
    let mut indent = None;
    while let Some(line) = lines.peek() {
        if line.indent <= parent.indent {
            break;
        }
        if *indent.get_or_insert(line.indent) != line.indent {
            return Err(misplaced(line));
        }
        steps.push(steps::parse_step(lines, depth)?);
    }
    Ok(steps)
}

/// Steps under a branch (`allowed`, `otherwise` …), which must not be empty by mistake.
pub(super) fn branch(
    lines: &mut Lines<'_>,
    parent: Line<'_>,
    depth: usize,
) -> Result<Vec<Step>, ScriptError> {
    lines.advance();
    steps_under(lines, parent, depth + 1)
}

pub(super) fn misplaced(line: Line<'_>) -> ScriptError {
    let what = match line.text.starts_with('\t') {
        true => "steps are indented with blanks, not tabs.",
        false => "this line is indented differently from the steps around it.",
    };
    ScriptError::at(line.number, what)
}

fn turn_header(line: Line<'_>, expected: usize) -> Result<(), ScriptError> {
    let mut words = Words::new(line.number, line.text);
    words.take("turn");
    if !words.is_empty() {
        let number: usize = words.number("the number of the turn")?;
        if number != expected {
            return Err(words.error(format!("this is turn {expected}, not {number}.")));
        }
    }
    words.finish()
}

fn when_header(line: Line<'_>) -> Result<String, ScriptError> {
    let mut words = Words::new(line.number, line.text);
    words.take("when");
    if !(words.take("prompt") && words.take("contains")) {
        return Err(words.error("write: when prompt contains \"some text\"."));
    }
    let text = words.require("the text to look for")?;
    words.finish()?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::Action;
    use super::*;

    fn error(script: &str) -> String {
        Script::parse(script).unwrap_err().to_string()
    }

    #[test]
    fn turns_and_conditions_are_told_apart() {
        let script =
            Script::parse("say one\n\nturn 2\nsay two\nwhen prompt contains \"failed\"\nsay mend\nturn\n")
                .unwrap();
        let when: Vec<_> = script.turns.iter().map(|turn| turn.when.as_deref()).collect();
        assert_eq!(when, [None, None, Some("failed"), None]);
        assert_eq!(script.turns[2].steps[0].action, Action::Say("mend".into()));
        assert_eq!(script.turns[2].steps[0].line, 6);
    }

    #[test]
    fn a_first_header_replaces_the_implied_first_turn() {
        assert_eq!(Script::parse("turn\nsay a").unwrap().turns.len(), 1);
        let script = Script::parse("when prompt contains x\nsay a\nturn 1\nsay b").unwrap();
        assert_eq!(script.turns.len(), 2);
        assert_eq!(script.turns[0].when.as_deref(), Some("x"));
    }

    #[test]
    fn errors_name_the_line_and_what_was_expected() {
        assert_eq!(error("say hello\nsya hello"), "Script line 2: “sya” is not a step; did you mean “say”?");
        assert_eq!(error("turn 3"), "Script line 1: this is turn 1, not 3.");
        assert_eq!(
            error("say a\n   say b"),
            "Script line 2: this line is indented differently from the steps around it."
        );
        assert_eq!(error("say a\n\tsay b"), "Script line 2: steps are indented with blanks, not tabs.");
        assert_eq!(error("when it rains"), "Script line 1: write: when prompt contains \"some text\".");
        assert_eq!(error("say \"a\nrepeat x"), "Script line 2: the number of repetitions is not “x”.");
    }
}
