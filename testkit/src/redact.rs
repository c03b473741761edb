//! Stable names for what differs from run to run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use regex::{Captures, Regex};

/// Replaces paths, ids, commits, times, durations, ports and process ids. The same id gets the same number for as
/// long as the redactor lives, so a snapshot still shows which things are the same.
pub struct Redactor {
    root: PathBuf,
    numbers: Mutex<HashMap<String, usize>>,
}

/// A pattern and what its whole match becomes; `#` stands for the number of the thing.
struct Rule {
    pattern: Regex,
    name: &'static str,
}

/// In this order: longer and more certain patterns first, so that none eats a part of another.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let rules = [
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[id #]"),
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z| ?[+-]\d\d:?\d\d)?", "[time]"),
        (r"\b\d\d:\d\d:\d\d(\.\d+)?\b", "[time]"),
        (r"until ((\d+ )?[A-Z][a-z]{2} )?\d\d:\d\d\b", "until [time]"),
        (r"(127\.0\.0\.1|localhost|\[::1\]):\d+", "[address]"),
        (r"\bports? \d+( ?[-–…] ?\d+)?", "ports [ports]"),
        (r"\bpid \d+\b", "pid [pid]"),
        (r"\b[0-9a-f]{64}\b", "[hash #]"),
        (r"\b[0-9a-f]{40}\b", "[commit #]"),
        (r"\b[0-9a-f]{7,12}\b", "[commit #]"),
        (r"\b\d+(\.\d+)? ?(ms|µs|min|s|m|h|d)\b( \d+ ?(s|m|h)\b)*( ago\b)?", "[duration]"),
        (r"\b\d+ (second|minute|hour|day)s?( ago)?\b", "[duration]"),
    ];
    let compile =
        |(pattern, name)| Rule { pattern: Regex::new(pattern).expect("the pattern is well formed"), name };
    rules.map(compile).into()
});

/// Padding of tables depends on the width of what was replaced.
static PADDING: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(\S) {3,}").expect("the pattern is well formed"));

impl Redactor {
    /// A redactor that knows the folder of a test's environment.
    pub fn new(root: &Path) -> Redactor {
        Redactor { root: root.to_path_buf(), numbers: Mutex::default() }
    }

    /// The text with everything replaced, table padding narrowed to two spaces, and no space at the end of lines.
    pub fn redact(&self, text: &str) -> String {
        let root = self.root.to_string_lossy();
        let mut text = text.replace(&format!("{root}/home"), "[home]").replace(&*root, "[env]");
        for rule in RULES.iter() {
            text =
                rule.pattern.replace_all(&text, |found: &Captures| self.name(rule, &found[0])).into_owned();
        }
        let narrow = PADDING.replace_all(&text, "$1  ");
        narrow.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
            + if text.ends_with('\n') { "\n" } else { "" }
    }

    fn name(&self, rule: &Rule, found: &str) -> String {
        if !rule.name.contains('#') {
            return rule.name.to_owned();
        }
        // An abbreviated commit is the same thing as the whole one.
        let known_by = if rule.name.starts_with("[commit") { &found[..7] } else { found };
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = rule.name.replace('#', "");
        let next = numbers.keys().filter(|key| key.starts_with(&kind)).count() + 1;
        let number = *numbers.entry(format!("{kind}{known_by}")).or_insert(next);
        rule.name.replace('#', &number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(text: &str) -> String {
        Redactor::new(Path::new("/t/d-1")).redact(text)
    }

    #[test]
    fn paths_become_home_and_env() {
        assert_eq!(redacted("/t/d-1/home/.config and /t/d-1/shop"), "[home]/.config and [env]/shop");
    }

    #[test]
    fn a_short_commit_is_the_same_as_its_long_form() {
        let long = "0123456789abcdef0123456789abcdef01234567";
        let other = "fedcba9876543210fedcba9876543210fedcba98";
        assert_eq!(redacted(&format!("0123456 {long} {other}")), "[commit 1] [commit 1] [commit 2]");
    }

    #[test]
    fn times_durations_addresses_and_processes() {
        assert_eq!(redacted("at 2026-11-21T08:00:00.5Z"), "at [time]");
        assert_eq!(
            redacted("took 1.25s, 3 ms, 2m 5s and 1 h"),
            "took [duration], [duration], [duration] and [duration]"
        );
        assert_eq!(redacted("3 minutes ago, 2m ago"), "[duration], [duration]");
        assert_eq!(redacted("http://127.0.0.1:4519/healthz pid 77"), "http://[address]/healthz pid [pid]");
        assert_eq!(redacted("ports 21000–21009"), "ports [ports]");
    }

    #[test]
    fn what_is_the_same_in_every_run_stays() {
        let text = "t12.1  3 of 4 checks passed, exit code 101, 15 files";
        assert_eq!(redacted(text), text);
    }

    #[test]
    fn table_padding_is_narrowed_and_indentation_stays() {
        assert_eq!(redacted("    t1     12s     done   \n"), "    t1  [duration]  done\n");
    }
}
