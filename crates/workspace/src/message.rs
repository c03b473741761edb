//! Commit messages with trailers.

/// Longest message that is recorded; a prompt pasted whole is cut.
const MAX_BYTES: usize = 64 << 10;

/// Puts trailers (`Key: value`) after a message, joining trailers that are there already. Values lose line breaks,
/// keys everything but letters, digits and `-`; a key that is empty then is dropped.
pub(crate) fn with_trailers(message: &str, trailers: &[(String, String)]) -> String {
    let mut end = message.len().min(MAX_BYTES);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    let body: String =
        message[..end].chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    let mut out = body.trim().to_owned();
    if out.is_empty() {
        out.push_str("(no message)");
    }
    let lines: Vec<String> = trailers.iter().filter_map(|(key, value)| trailer(key, value)).collect();
    if !lines.is_empty() {
        out.push_str(if ends_in_trailers(&out) { "\n" } else { "\n\n" });
        out.push_str(&lines.join("\n"));
    }
    out.push('\n');
    out
}

fn trailer(key: &str, value: &str) -> Option<String> {
    let key: String = key.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    (!key.is_empty()).then(|| format!("{key}: {}", value.trim()))
}

fn ends_in_trailers(text: &str) -> bool {
    let Some((_, last)) = text.rsplit_once("\n\n") else { return false };
    last.lines().all(|line| {
        let Some((key, _)) = line.split_once(": ") else { return false };
        !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailers_stand_in_one_block_and_stay_on_their_line() {
        let t = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        assert_eq!(with_trailers("Subject", &[t("Task", "t1")]), "Subject\n\nTask: t1\n");
        assert_eq!(with_trailers("S\n\nA: b\n", &[t("Ta sk", "t\n1")]), "S\n\nA: b\nTask: t 1\n");
        assert_eq!(with_trailers("A: b", &[t("T", "1")]), "A: b\n\nT: 1\n");
        assert_eq!(with_trailers(" \0\n", &[]), "(no message)\n");
    }
}
