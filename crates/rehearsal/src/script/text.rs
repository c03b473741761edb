//! The lines of a script and the indented text that may stand under one.

use super::ScriptError;

/// One line: where it stands and how far it is indented.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub number: usize,
    pub indent: usize,
    /// Without the indentation and without white space at the end.
    pub text: &'a str,
    raw: &'a str,
}

/// Reads lines one after the other, never back.
pub(super) struct Lines<'a> {
    lines: Vec<Line<'a>>,
    next: usize,
}

impl<'a> Lines<'a> {
    pub fn new(script: &'a str) -> Self {
        let lines = script.lines().enumerate().map(|(index, raw)| {
            let text = raw.trim_start_matches(' ');
            Line { number: index + 1, indent: raw.len() - text.len(), text: text.trim_end(), raw }
        });
        Self { lines: lines.collect(), next: 0 }
    }

    /// The next line that is neither empty nor a comment.
    pub fn peek(&mut self) -> Option<Line<'a>> {
        loop {
            let line = *self.lines.get(self.next)?;
            if !line.text.is_empty() && !line.text.starts_with('#') {
                return Some(line);
            }
            self.next += 1;
        }
    }

    pub fn advance(&mut self) {
        self.next += 1;
    }

    /// The lines under `parent` that are indented deeper, as one text without the last line end; none if there are
    /// none. The first line's indentation is taken off all of them; a leading bar marks the left edge instead.
    pub fn text_under(&mut self, parent: Line<'_>) -> Result<Option<String>, ScriptError> {
        let mut taken = Vec::new();
        while let Some(line) = self.lines.get(self.next) {
            if !line.text.is_empty() && line.indent <= parent.indent {
                break;
            }
            taken.push(*line);
            self.next += 1;
        }
        while taken.last().is_some_and(|line| line.text.is_empty()) {
            taken.pop();
        }
        let Some(first) = taken.iter().find(|line| !line.text.is_empty()).copied() else { return Ok(None) };
        let barred = first.text.starts_with('|');
        let mut text = Vec::with_capacity(taken.len());
        for line in taken {
            text.push(match barred {
                true => after_bar(line)?,
                false => dedented(line, first.indent)?,
            });
        }
        Ok(Some(text.join("\n")))
    }
}

fn after_bar(line: Line<'_>) -> Result<&str, ScriptError> {
    if line.text.is_empty() {
        return Ok("");
    }
    let text = line.raw[line.indent..].strip_prefix('|').ok_or_else(|| {
        ScriptError::at(line.number, "every line of this text has to begin with a bar, as its first does.")
    })?;
    Ok(text.strip_prefix(' ').unwrap_or(text))
}

fn dedented(line: Line<'_>, indent: usize) -> Result<&str, ScriptError> {
    if line.text.is_empty() {
        return Ok("");
    }
    if line.indent < indent {
        return Err(ScriptError::at(
            line.number,
            "this text is indented less than its first line; begin its lines with a bar to mark the left edge.",
        ));
    }
    Ok(&line.raw[indent..])
}
