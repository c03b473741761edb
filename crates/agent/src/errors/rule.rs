//! How errors look that an agent dresses as the words of a good turn: rules of its definition, and a few sentences that
//! vendors use everywhere.

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// Longest pattern, in bytes.
const PATTERN_BYTES: usize = 1000;
/// Most memory that a compiled pattern may take, in bytes.
const COMPILED_BYTES: usize = 256 * 1024;

/// What an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// Somebody must log in.
    Login,
    /// A limit that ends by itself.
    Limit,
    /// Somebody must pay.
    Credit,
    /// Anything else.
    Other,
}

/// How one kind of error looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorRule {
    /// A regular expression; it must fit from the beginning of a line of the turn's last message. What follows it
    /// belongs to the error.
    pub begins: String,
    /// What it is about; where it is not said, the words after it decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub means: Option<Meaning>,
}

impl ErrorRule {
    /// Compiles the pattern. A pattern that is too long or no pattern is refused with a sentence.
    pub(crate) fn compile(&self) -> Result<Regex, String> {
        if self.begins.len() > PATTERN_BYTES {
            return Err(format!("a pattern has more than {PATTERN_BYTES} bytes"));
        }
        let compiled = RegexBuilder::new(&format!("^(?:{})", self.begins)).size_limit(COMPILED_BYTES).build();
        compiled.map_err(|error| format!("`{}` is not a pattern: {error}", self.begins.escape_debug()))
    }
}

/// The rules of one agent, ready to be used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules(Vec<(Regex, Option<Meaning>)>);

/// Rules are made from the definition alone.
impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        let plain = |rules: &Self| -> Vec<_> {
            rules.0.iter().map(|(pattern, means)| (pattern.to_string(), *means)).collect()
        };
        plain(self) == plain(other)
    }
}

impl Rules {
    /// Those of a definition, and one for each beginning that it names without a pattern. What is no pattern was
    /// refused when the definition was read.
    pub fn new(rules: &[ErrorRule], beginnings: &[String]) -> Self {
        let compiled = rules.iter().filter_map(|rule| Some((rule.compile().ok()?, rule.means)));
        let plain = beginnings.iter().filter_map(|text| {
            let rule = ErrorRule { begins: format!("(?i){}", regex::escape(text)), means: None };
            Some((rule.compile().ok()?, None))
        });
        Self(compiled.chain(plain).collect())
    }

    /// The error in a message, from its line on, and what the rule says of it.
    pub fn find<'a>(&self, message: &'a str) -> Option<(&'a str, Option<Meaning>)> {
        let mut at = 0;
        for line in message.split_inclusive('\n') {
            let bare = undecorated(line);
            if let Some((_, means)) = self.0.iter().find(|(pattern, _)| pattern.is_match(bare)) {
                return Some((message[at..].trim(), *means));
            }
            at += line.len();
        }
        None
    }
}

/// A line without the marks that agents put in front of errors.
fn undecorated(line: &str) -> &str {
    line.trim_start_matches(['[', '*', '❌', '⚠', '✕', '■', '⎿', '\u{fe0f}', ' ', '\t'])
}

/// Whether a message that is all an agent said in its turn is the stock sentence of a vendor about a login, a limit or
/// a failed request. The whole of it must look so: words about errors elsewhere are about the work.
pub(crate) fn vendor_sentence(message: &str) -> bool {
    let plain = message.replace('’', "'");
    VENDORS.iter().any(|pattern| pattern.is_match(undecorated(&plain)))
}

static VENDORS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let patterns = [
        r"(?i)^(api )?error:? (code:? )?[45]\d\d\b",
        r"(?i)^(api|http|request|provider|model) error\b.{0,40}?\b[45]\d\d\b",
        r"(?i)^(request|execution) failed\b.{0,80}?\b[45]\d\d\b",
        r"^\{.*\b(authentication_error|rate_limit_error|overloaded_error|insufficient_quota)\b",
        r"(?i)^(invalid api key|please run /login|oauth token has expired|login required\b|authentication required\b)",
        r"(?i)^you('ve| have) (hit|reached) your .{0,40}?limit\b.{0,400}$",
        r"(?i)^(claude ai |5-hour |weekly |daily |monthly |session |opus |codex )*(usage |rate )?limit reached\b.{0,300}$",
        r"(?i)^(rate limit|quota) exceeded\b.{0,300}$",
        r"(?i)^you exceeded your current quota\b",
        r"(?i)^(too many requests|your credit balance is too low|credit balance is too low|insufficient credits)\b.{0,300}$",
    ];
    patterns.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_of_ours_is_one() {
        assert_eq!(VENDORS.len(), 10);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let rule = |begins: &str| ErrorRule { begins: begins.to_owned(), means: None };
        assert!(rule("(").compile().unwrap_err().contains("is not a pattern"));
        assert!(rule(&"a".repeat(2000)).compile().is_err());
        assert!(rule("(a{1000}){1000}").compile().is_err());
    }
}
