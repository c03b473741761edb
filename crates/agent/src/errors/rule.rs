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
    /// A regular expression, as `begins`. Where it fits a later line the agent got over the error and went on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

impl ErrorRule {
    /// Compiles the patterns. One that is too long or no pattern is refused with a sentence.
    pub(crate) fn compile(&self) -> Result<Rule, String> {
        let until = self.until.as_deref().map(compile).transpose()?;
        Ok(Rule { begins: compile(&self.begins)?, means: self.means, until })
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > PATTERN_BYTES {
        return Err(format!("a pattern has more than {PATTERN_BYTES} bytes"));
    }
    let compiled = RegexBuilder::new(&format!("^(?:{pattern})")).size_limit(COMPILED_BYTES).build();
    compiled.map_err(|error| format!("`{}` is not a pattern: {error}", pattern.escape_debug()))
}

/// A rule, ready to be used.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    begins: Regex,
    means: Option<Meaning>,
    until: Option<Regex>,
}

/// The rules of one agent, ready to be used.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rules(Vec<Rule>);

/// Rules are made from the definition alone.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        let text = |pattern: &Option<Regex>| pattern.as_ref().map(|pattern| pattern.as_str().to_owned());
        self.begins.as_str() == other.begins.as_str()
            && self.means == other.means
            && text(&self.until) == text(&other.until)
    }
}

impl Rules {
    /// Those of a definition, and one for each beginning that it names without a pattern. What is no pattern was
    /// refused when the definition was read.
    pub fn new(rules: &[ErrorRule], beginnings: &[String]) -> Self {
        let plain = beginnings.iter().map(|text| ErrorRule {
            begins: format!("(?i){}", regex::escape(text)),
            means: None,
            until: None,
        });
        Self(rules.iter().cloned().chain(plain).filter_map(|rule| rule.compile().ok()).collect())
    }

    /// Whether a text begins as an error does.
    pub fn begin(&self, text: &str) -> bool {
        let first = undecorated(text.lines().next().unwrap_or_default());
        self.0.iter().any(|rule| rule.begins.is_match(first))
    }

    /// The error in a message, from its line on, and what the rule says of it.
    pub fn find<'a>(&self, message: &'a str) -> Option<(&'a str, Option<Meaning>)> {
        let mut at = 0;
        for line in message.split_inclusive('\n') {
            let bare = undecorated(line);
            let after = &message[at + line.len()..];
            let got_over = |rule: &Rule| {
                let until = rule.until.as_ref();
                until.is_some_and(|until| after.lines().any(|line| until.is_match(undecorated(line))))
            };
            if let Some(rule) = self.0.iter().find(|rule| rule.begins.is_match(bare) && !got_over(rule)) {
                return Some((message[at..].trim(), rule.means));
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
    fn an_error_that_the_agent_got_over_is_none() {
        let rule = ErrorRule { begins: "Failed".into(), means: None, until: Some("Tokens: ".into()) };
        let rules = Rules::new(&[rule], &[]);
        let found = |message: &'static str| rules.find(message).map(|(error, _)| error);
        assert_eq!(found("Hello\nFailed: busy\nRetrying\n"), Some("Failed: busy\nRetrying"));
        assert_eq!(found("Failed: busy\nRetrying\nDone.\nTokens: 2\n"), None);
        assert_eq!(found("Failed: busy\nTokens: 2\nFailed: gone\n"), Some("Failed: gone"));
        let wrong = ErrorRule { begins: "a".into(), means: None, until: Some("(".into()) };
        assert!(wrong.compile().is_err());
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let rule = |begins: &str| ErrorRule { begins: begins.to_owned(), means: None, until: None };
        assert!(rule("(").compile().unwrap_err().contains("is not a pattern"));
        assert!(rule(&"a".repeat(2000)).compile().is_err());
        assert!(rule("(a{1000}){1000}").compile().is_err());
    }
}
