//! Words that do not change from run to run.

/// Numbers of five digits and more, such as ports and times, and long identifiers, become `…`.
pub fn timeless(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, word) = rest.split_at(start);
        let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        out.push_str(before);
        out.push_str(if digits >= 5 { "…" } else { word });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_left_out() {
        let text = "error 401 at http://127.0.0.1:41234/r/x (request req-0a1b2c3d4e5f6)";
        assert_eq!(timeless(text), "error 401 at http://127.0.0.1:…/r/x (request …)");
    }
}
