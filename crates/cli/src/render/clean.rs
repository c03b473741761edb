//! Foreign text on its way to the terminal. An agent, a repository or a test may write control sequences that move the
//! cursor, change the title, or hide words; people must see what is really there.

/// Text with line breaks and tabs; every other control character is shown as a sign of its own.
pub(crate) fn text(text: &str) -> String {
    text.replace("\r\n", "\n").chars().map(|c| if matches!(c, '\n' | '\t') { c } else { plain(c) }).collect()
}

/// One line: line breaks become spaces.
pub(crate) fn line(text: &str) -> String {
    let flat: String = text.trim().chars().map(|c| if c.is_whitespace() { ' ' } else { plain(c) }).collect();
    flat.trim_end().to_owned()
}

/// A character that does nothing but stand where it is.
fn plain(c: char) -> char {
    match u32::from(c) {
        // The pictures of the control characters stand in the same order as these.
        code @ 0x00..=0x1f => char::from_u32(0x2400 + code).unwrap_or('\u{fffd}'),
        0x7f => '\u{2421}',
        0x80..=0x9f => '\u{fffd}',
        // Marks that turn the direction of text, by which words can be made to look like others.
        0x061c | 0x200e | 0x200f | 0x202a..=0x202e | 0x2066..=0x2069 => '\u{fffd}',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_sequences_are_shown_not_obeyed() {
        assert_eq!(text("a\x1b[2Jb\r\nc\td"), "a␛[2Jb\nc\td");
        assert_eq!(text("over\rwritten\x07\u{9b}"), "over␍written␇\u{fffd}");
        assert_eq!(text("x\u{202e}y"), "x\u{fffd}y");
    }

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(line("  a\nb\tc \n"), "a b c");
    }
}
