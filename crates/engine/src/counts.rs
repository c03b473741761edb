//! The counts that known test runners print in their closing lines.

use divisi_model::evidence::Counts;

/// Reads the closing lines of cargo test, nextest, pytest, unittest, go test, vitest, jest and node's test runner; `None` where none is known.
pub(crate) fn counts(log: &str) -> Option<Counts> {
    let mut found: Option<Counts> = None;
    for line in log.lines() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("test result: ") {
            // One line per test binary: they add up.
            let line = Counts {
                passed: before(rest, " passed"),
                failed: before(rest, " failed"),
                skipped: before(rest, " ignored"),
            };
            let sum = found.get_or_insert_with(Counts::default);
            (sum.passed, sum.failed, sum.skipped) =
                (sum.passed + line.passed, sum.failed + line.failed, sum.skipped + line.skipped);
        } else if line.contains("tests run:")
            || (line.contains(" passed") && (line.starts_with('=') || line.starts_with("Tests")))
            || (line.contains(" failed") && line.starts_with('='))
        {
            found = Some(Counts {
                passed: before(line, " passed"),
                failed: before(line, " failed"),
                skipped: before(line, " skipped"),
            });
        } else if let Some(rest) = line.strip_prefix("Ran ") {
            let ran = rest.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
            found = Some(Counts { passed: ran, failed: 0, skipped: 0 });
        } else if let Some(rest) = line.strip_prefix("FAILED (") {
            let failed = after(rest, "failures=") + after(rest, "errors=");
            if let Some(counts) = &mut found {
                counts.failed = failed;
                counts.skipped = after(rest, "skipped=");
                counts.passed = counts.passed.saturating_sub(failed + counts.skipped);
            }
        } else if let Some(skipped) = line.strip_prefix("OK (skipped=")
            && let Some(counts) = &mut found
        {
            counts.skipped = digits(skipped);
            counts.passed = counts.passed.saturating_sub(counts.skipped);
        }
    }
    found
}

/// The number that stands right before a word.
fn before(line: &str, word: &str) -> u32 {
    let Some((head, _)) = line.split_once(word) else { return 0 };
    let start = head
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |i| i + head[i..].chars().next().map_or(1, char::len_utf8));
    head[start..].parse().unwrap_or(0)
}

fn after(line: &str, word: &str) -> u32 {
    line.split_once(word).map_or(0, |(_, rest)| digits(rest))
}

fn digits(text: &str) -> u32 {
    text.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_known_runners() {
        let read = |log| counts(log).map(|c| (c.passed, c.failed, c.skipped));
        let cargo = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured\ntest result: FAILED. 1 passed; 2 failed; 0 ignored";
        assert_eq!(read(cargo), Some((4, 2, 1)));
        assert_eq!(
            read("     Summary [   0.2s] 21 tests run: 20 passed, 1 failed, 3 skipped"),
            Some((20, 1, 3))
        );
        assert_eq!(read("===== 2 failed, 5 passed, 1 skipped in 0.12s ====="), Some((5, 2, 1)));
        assert_eq!(read("Ran 12 tests in 0.003s\n\nOK"), Some((12, 0, 0)));
        assert_eq!(read("Ran 12 tests in 0.003s\n\nFAILED (failures=2, errors=1)"), Some((9, 3, 0)));
        assert_eq!(read("Ran 3 tests in 0.1s\n\nOK (skipped=1)"), Some((2, 0, 1)));
        assert_eq!(read("Tests  4 passed (4)"), Some((4, 0, 0)));
        assert_eq!(read("all good"), None);
    }
}
