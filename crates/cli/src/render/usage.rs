//! Tokens and money as people say them.

use divisi_api::types::UsageView;

/// Tokens and their cost in a line; none where nothing is known.
pub(crate) fn line(usage: &UsageView) -> Option<String> {
    if usage.input + usage.output + usage.cached_read + usage.cached_write == 0 {
        return cost(usage).map(|cost| format!("{cost}, as reported"));
    }
    let least = if usage.at_least { "at least " } else { "" };
    let mut text = format!("{least}{} tokens in, {} out", usage.input, usage.output);
    let cached = usage.cached_read + usage.cached_write;
    if cached > 0 {
        text.push_str(&format!(
            ", {} read from a cache and {} written besides",
            usage.cached_read, usage.cached_write
        ));
    }
    let origin = if usage.estimated { "by the prices of its definition" } else { "as reported" };
    match cost(usage) {
        Some(cost) => text.push_str(&format!("; {cost}, {origin}")),
        None => text.push_str("; cost unknown"),
    }
    Some(text)
}

/// The cost in dollars: `$0.0302`, `at least $1.20`. None where it is not known.
pub(crate) fn cost(usage: &UsageView) -> Option<String> {
    let micros = usage.cost_micros?;
    let least = if usage.cost_at_least { "at least " } else { "" };
    Some(format!("{least}{}", dollars(micros)))
}

/// The cost in a table: `$1.20`, `$1.20+` where it may be more, `?` where tokens are known but no cost, `-` for nothing.
pub(crate) fn cell(usage: &UsageView) -> String {
    match usage.cost_micros {
        Some(micros) => format!("{}{}", dollars(micros), if usage.cost_at_least { "+" } else { "" }),
        None if usage.input + usage.output > 0 => "?".to_owned(),
        None => "-".to_owned(),
    }
}

/// Cents where there are some, otherwise down to a hundredth of one.
fn dollars(micros: u64) -> String {
    if micros >= 1_000_000 {
        let cents = (micros + 5_000) / 10_000;
        return format!("${}.{:02}", cents / 100, cents % 100);
    }
    let parts = (micros + 50) / 100;
    format!("${}.{:04}", parts / 10_000, parts % 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_said() {
        let usage = UsageView { input: 1200, output: 80, ..UsageView::default() };
        assert_eq!(line(&usage).as_deref(), Some("1200 tokens in, 80 out; cost unknown"));
        assert_eq!(cell(&usage), "?");
        let priced = UsageView { cost_micros: Some(30_150), estimated: true, ..usage };
        assert_eq!(
            line(&priced).as_deref(),
            Some("1200 tokens in, 80 out; $0.0302, by the prices of its definition")
        );
        let partial =
            UsageView { at_least: true, cost_at_least: true, cost_micros: Some(1_204_999), ..priced };
        assert_eq!(
            line(&partial).as_deref(),
            Some("at least 1200 tokens in, 80 out; at least $1.20, by the prices of its definition")
        );
        assert_eq!(cell(&partial), "$1.20+");
        assert_eq!((line(&UsageView::default()), cell(&UsageView::default())), (None, "-".to_owned()));
        assert_eq!([dollars(999_999), dollars(49), dollars(0)], ["$1.0000", "$0.0000", "$0.0000"]);
    }
}
