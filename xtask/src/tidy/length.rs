//! Small rooms: files are short, lines fit on a screen, and nothing large lies about.

use super::code::Code;
use super::files::{File, Repository};
use super::finding::Finding;

/// A Rust file longer than this many lines has to be cut.
const LINES_MAX: usize = 600;

/// A Rust file longer than this many lines is counted in the summary.
const LINES_GOOD: usize = 300;

/// Lines of Rust in characters; rustfmt breaks code much earlier, but not strings and comments.
const LINE_WIDTH_MAX: usize = 160;

/// Any file, in bytes.
const SIZE_MAX: u64 = 200_000;

/// Files that are as long as they have to be: those that lock dependencies, and the document of all routes, which is generated
/// from them and compared.
const UNBOUNDED: &[&str] = &["Cargo.lock", "package-lock.json", "openapi.json"];

pub fn check(repository: &Repository) -> Vec<Finding> {
    repository.files.iter().flat_map(check_file).collect()
}

/// How much there is and how much of it is long.
pub fn summary(repository: &Repository) -> String {
    let lines: Vec<usize> = repository.texts(".rs").map(|(_, text)| text.lines().count()).collect();
    let long = lines.iter().filter(|count| **count > LINES_GOOD).count();
    let all: usize = lines.iter().sum();
    format!("{all} lines of Rust in {} files, {long} of them longer than {LINES_GOOD} lines", lines.len())
}

fn check_file(file: &File) -> Vec<Finding> {
    let path = file.path.as_str();
    let mut findings = Vec::new();
    let unbounded = UNBOUNDED.iter().any(|name| path.rsplit('/').next() == Some(name));
    if file.size > SIZE_MAX && !unbounded {
        let sentence = format!("{} bytes, and {SIZE_MAX} are the most", file.size);
        findings.push(Finding::new(path, 1, sentence, "generate it, or fetch it where it is needed"));
    }
    let Some(text) = file.text.as_deref().filter(|_| path.ends_with(".rs")) else { return findings };
    let count = text.lines().count();
    if count > LINES_MAX {
        let sentence = format!("{count} lines, and {LINES_MAX} are the most");
        findings.push(Finding::new(path, LINES_MAX + 1, sentence, "cut it where a second idea begins"));
    }
    if text.lines().all(|line| line.chars().count() <= LINE_WIDTH_MAX) {
        return findings;
    }
    // The data in a raw string or in one of several lines, such as a recorded message, is as wide as it is.
    let code = Code::read(text);
    for (line, number) in text.lines().zip(1..) {
        let width = line.chars().count() - code.raw_width.get(&number).unwrap_or(&0);
        if width > LINE_WIDTH_MAX && !code.lines_in_strings.contains(&number) {
            let sentence = format!("{width} characters of code in a line, and {LINE_WIDTH_MAX} are the most");
            findings.push(Finding::new(path, number, sentence, "break it"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(path: &str, text: &str) -> Vec<usize> {
        check(&Repository::of(&[(path, text)])).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_long_file_and_a_long_line_are_found_at_the_bound() {
        assert_eq!(places("a.rs", &"x\n".repeat(600)), [0; 0]);
        assert_eq!(places("a.rs", &"x\n".repeat(601)), [601]);
        assert_eq!(places("a.rs", &format!("\n{}\n{}", "ä".repeat(160), "ä".repeat(161))), [3]);
        assert_eq!(places("a.md", &"x".repeat(161)), [0; 0]);
        let wide = "x".repeat(161);
        assert_eq!(
            places("a.rs", &format!("const A: &str = \"\n{wide}\n\";\nconst B: &str = \"{wide}\";")),
            [4]
        );
    }

    #[test]
    fn a_large_file_is_found_unless_it_is_a_lock_file() {
        let large = "x\n".repeat(100_001);
        assert_eq!(places("docs/a.svg", &large), [1]);
        assert_eq!(places("web/package-lock.json", &large), [0; 0]);
        assert_eq!(places("docs/my-package-lock.json", &large), [1]);
    }

    #[test]
    fn the_summary_counts_what_is_long() {
        let repository = Repository::of(&[("a.rs", &"x\n".repeat(301)), ("b.rs", "x\n"), ("c.md", "x\n")]);
        assert_eq!(summary(&repository), "302 lines of Rust in 2 files, 1 of them longer than 300 lines");
    }
}
