//! Reads one line of a script word by word.

use std::time::Duration;

use super::ScriptError;

/// The rest of a line that has not been read yet.
pub(super) struct Words<'a> {
    line: usize,
    rest: &'a str,
}

impl<'a> Words<'a> {
    pub fn new(line: usize, text: &'a str) -> Self {
        Self { line, rest: text.trim() }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next bare or quoted word, if there is one.
    pub fn next(&mut self) -> Result<Option<String>, ScriptError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        if self.rest.starts_with('"') {
            return self.quoted().map(Some);
        }
        let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        Ok(Some(word.to_owned()))
    }

    /// The next word, or a sentence saying that `what` is missing.
    pub fn require(&mut self, what: &str) -> Result<String, ScriptError> {
        self.next()?.ok_or_else(|| self.error(format!("{what} is missing.")))
    }

    /// Takes a keyword if it comes next.
    pub fn take(&mut self, keyword: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(keyword) else { return false };
        if !(rest.is_empty() || rest.starts_with(char::is_whitespace)) {
            return false;
        }
        self.rest = rest.trim_start();
        true
    }

    /// Takes a keyword that has to come next, or says how the line is written.
    pub fn expect(&mut self, keyword: &str, how: &str) -> Result<(), ScriptError> {
        if self.take(keyword) { Ok(()) } else { Err(self.error(how)) }
    }

    /// Everything that is left: the inside of a quoted word if that is all there is, else the text as it stands.
    pub fn remainder(&mut self) -> Result<String, ScriptError> {
        if self.rest.starts_with('"') {
            let before = self.rest;
            if let Ok(text) = self.quoted()
                && self.rest.is_empty()
            {
                return Ok(text);
            }
            self.rest = before;
        }
        Ok(std::mem::take(&mut self.rest).to_owned())
    }

    /// Nothing may be left.
    pub fn finish(&self) -> Result<(), ScriptError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(self.error(format!("“{}” is not expected here.", self.rest)))
    }

    pub fn number<T: std::str::FromStr>(&mut self, what: &str) -> Result<T, ScriptError> {
        let word = self.require(what)?;
        word.replace('_', "").parse().map_err(|_| self.error(format!("{what} is not “{word}”.")))
    }

    /// `200ms`, `3s`, `2m`, `1h`.
    pub fn duration(&mut self, what: &str) -> Result<Duration, ScriptError> {
        let word = self.require(what)?;
        parse_duration(&word)
            .ok_or_else(|| self.error(format!("{what} is not “{word}”; write 200ms, 3s, 2m or 1h.")))
    }

    pub fn error(&self, what: impl Into<String>) -> ScriptError {
        ScriptError::at(self.line, what)
    }

    fn quoted(&mut self) -> Result<String, ScriptError> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = self.rest[at + 1..].trim_start();
                    return Ok(text);
                }
                '\\' => text.push(match letters.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, 't')) => '\t',
                    Some((_, other @ ('"' | '\\'))) => other,
                    Some((_, other)) => {
                        return Err(
                            self.error(format!("“\\{other}” is not known; use \\n, \\t, \\\" or \\\\."))
                        );
                    }
                    None => break,
                }),
                other => text.push(other),
            }
        }
        Err(self.error("a quotation mark is not closed."))
    }
}

fn parse_duration(word: &str) -> Option<Duration> {
    let split = word.find(|letter: char| letter.is_ascii_alphabetic())?;
    let (number, unit) = word.split_at(split);
    let number: f64 = number.parse().ok()?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "s" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}
