//! Finds the script in a prompt: a fenced block, or the name of a script.

use super::ScriptError;

/// Word that opens the block, and that precedes a script's name.
const WORD: &str = "rehearsal";
/// Fewest backticks of a fence, as in Markdown.
const FENCE_MIN: usize = 3;
/// Longest name of a script in bytes.
const NAME_BYTES_MAX: usize = 64;

/// A fenced block of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The script's text.
    pub script: String,
    /// The prompt without the block.
    pub rest: String,
}

/// Where a prompt says that its script is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In the prompt itself.
    Here(String),
    /// Under this name.
    Named(String),
}

/// What a prompt says about its script, if anything; a block goes before a name.
///
/// # Errors
/// A block that is not closed.
pub fn source_in(prompt: &str) -> Result<Option<Source>, ScriptError> {
    if let Some(block) = find_block(prompt)? {
        return Ok(Some(Source::Here(block.script)));
    }
    Ok(find_name(prompt).map(|name| Source::Named(name.to_owned())))
}

/// The first ```` ```rehearsal ```` block of a prompt.
///
/// # Errors
/// A block that is not closed.
pub fn find_block(prompt: &str) -> Result<Option<Block>, ScriptError> {
    let mut lines = prompt.lines().enumerate();
    let mut rest = Vec::new();
    while let Some((index, line)) = lines.next() {
        let text = line.trim_start_matches(' ');
        let indent = line.len() - text.len();
        let fence = text.len() - text.trim_start_matches('`').len();
        if fence < FENCE_MIN || text[fence..].trim() != WORD {
            rest.push(line);
            continue;
        }
        let mut script = Vec::new();
        loop {
            let Some((_, line)) = lines.next() else {
                return Err(ScriptError::OpenFence { line: index + 1 });
            };
            let text = line.trim();
            if text.len() >= fence && text.bytes().all(|byte| byte == b'`') {
                break;
            }
            let blanks = line.len() - line.trim_start_matches(' ').len();
            script.push(&line[blanks.min(indent)..]);
        }
        rest.extend(lines.map(|(_, line)| line));
        return Ok(Some(Block { script: script.join("\n"), rest: rest.join("\n") }));
    }
    Ok(None)
}

/// The name in `rehearsal:NAME`, where a prompt holds it as a word of its own.
#[must_use]
pub fn find_name(prompt: &str) -> Option<&str> {
    let mut from = 0;
    while let Some(found) = prompt[from..].find("rehearsal:") {
        let start = from + found;
        let name_start = start + WORD.len() + 1;
        let rest = &prompt[name_start..];
        let end = rest.find(|letter: char| !is_name(letter)).unwrap_or(rest.len());
        let name = rest[..end].trim_end_matches('.');
        let own_word = !prompt[..start].ends_with(|letter: char| letter.is_alphanumeric());
        if own_word && !name.is_empty() && !name.starts_with('.') && name.len() <= NAME_BYTES_MAX {
            return Some(name);
        }
        from = name_start;
    }
    None
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_taken_out_of_its_prompt() {
        let block = find_block("Fix it.\n\n```rehearsal\nsay hello\n  deep\n```\nThanks").unwrap().unwrap();
        assert_eq!(block, Block { script: "say hello\n  deep".into(), rest: "Fix it.\n\nThanks".into() });
    }

    #[test]
    fn an_indented_block_and_a_longer_fence_are_read_as_in_markdown() {
        let block = find_block("- do\n  ````rehearsal\n  write a\n    ```\n  ````").unwrap().unwrap();
        assert_eq!(block.script, "write a\n  ```");
    }

    #[test]
    fn other_blocks_are_no_scripts_and_an_open_one_is_refused() {
        assert_eq!(find_block("```rust\nfn main() {}\n```").unwrap(), None);
        assert_eq!(find_block("a\n```rehearsal\nsay").unwrap_err(), ScriptError::OpenFence { line: 2 });
    }

    #[test]
    fn a_name_is_a_word_of_its_own() {
        assert_eq!(find_name("Mend it (rehearsal:parser-fix)."), Some("parser-fix"));
        assert_eq!(find_name("rehearsal:a.b."), Some("a.b"));
        assert_eq!(find_name("dressrehearsal:x and rehearsal: y and rehearsal:../x"), None);
    }
}
