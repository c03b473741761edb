//! The tables: which statuses, names and words of an error mean what.

use serde_json::Value;

use super::Meaning::{self, Credit, Limit, Login, Other};
use super::data::{Data, status};

/// An error as it was reported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report<'a> {
    /// Its words.
    pub text: &'a str,
    /// The protocol's code, where there is one.
    pub code: Option<i64>,
    /// The protocol's data, where there is any.
    pub data: Option<&'a Value>,
    /// The words were not called an error by anybody but stand in what a command printed: only what is unmistakable counts.
    pub printed: bool,
}

impl<'a> Report<'a> {
    /// An error that consists of words alone.
    pub fn words(text: &'a str) -> Self {
        Self { text, code: None, data: None, printed: false }
    }
}

/// Names of errors. The first that fits counts, so what a person must do stands before what ends by itself.
const NAMES: &[(&str, Meaning)] = &[
    ("insufficient_quota", Credit),
    ("insufficient_credits", Credit),
    ("billing_error", Credit),
    ("billing_hard_limit_reached", Credit),
    ("payment_required", Credit),
    ("authentication_error", Login),
    ("authenticationerror", Login),
    ("auth_required", Login),
    ("unauthorized", Login),
    ("unauthenticated", Login),
    ("invalid_api_key", Login),
    ("invalid_grant", Login),
    ("token_expired", Login),
    ("permission_error", Login),
    ("rate_limit_error", Limit),
    ("rate_limit_exceeded", Limit),
    ("ratelimitexceeded", Limit),
    ("ratelimiterror", Limit),
    ("usage_limit_reached", Limit),
    ("usage_limit_exceeded", Limit),
    ("too_many_requests", Limit),
    ("resource_exhausted", Limit),
    ("overloaded_error", Limit),
];

/// Words that mean this wherever they stand in an error, and also in what a command printed.
const CERTAIN: &[(&str, Meaning)] = &[
    ("credit balance is too low", Credit),
    ("insufficient credits", Credit),
    ("insufficient balance", Credit),
    ("insufficient_quota", Credit),
    ("402 payment required", Credit),
    ("please run /login", Login),
    ("invalid api key", Login),
    ("incorrect api key", Login),
    ("invalid x-api-key", Login),
    ("api key not valid", Login),
    ("invalid authentication credentials", Login),
    ("authentication_error", Login),
    ("authenticationerror", Login),
    ("oauth token has expired", Login),
    ("not logged in", Login),
    ("401 unauthorized", Login),
    ("status 401", Login),
    ("status: 401", Login),
    ("status code 401", Login),
    ("error code: 401", Login),
    ("http 401", Login),
    ("you've hit your usage limit", Limit),
    ("you've hit your limit", Limit),
    ("usage limit reached", Limit),
    ("weekly limit reached", Limit),
    ("hour limit reached", Limit),
    ("ratelimiterror", Limit),
    ("rate_limit_error", Limit),
    ("rate_limit_exceeded", Limit),
    ("resource_exhausted", Limit),
    ("429 too many requests", Limit),
    ("status 429", Limit),
    ("status: 429", Limit),
    ("status code 429", Limit),
    ("error code: 429", Limit),
    ("http 429", Limit),
    ("overloaded_error", Limit),
];

/// Words that mean this in what the agent itself called an error.
const LIKELY: &[(&str, Meaning)] = &[
    ("out of credits", Credit),
    ("payment required", Credit),
    ("usage limit", Limit),
    ("rate limit", Limit),
    ("rate-limit", Limit),
    ("ratelimit", Limit),
    ("limit reached", Limit),
    ("hit your limit", Limit),
    ("too many requests", Limit),
    ("quota", Limit),
    ("resource has been exhausted", Limit),
    ("resource exhausted", Limit),
    ("exhausted your capacity", Limit),
    ("overloaded", Limit),
    ("unauthorized", Login),
    ("authentication", Login),
    ("not authenticated", Login),
    ("missing api key", Login),
    ("no api key", Login),
    ("api key not", Login),
    ("please log in", Login),
    ("please login", Login),
    ("/login", Login),
    ("login required", Login),
    ("sign in", Login),
    ("credentials", Login),
    ("token has expired", Login),
    ("token expired", Login),
];

/// What an error is about, and what its data say.
pub(crate) fn meaning(report: Report<'_>) -> (Meaning, Data) {
    let mut data = report.data.map(Data::of).unwrap_or_default();
    data.add(Data::in_text(report.text));
    // Some agents give the status of HTTP as the code of the protocol.
    data.statuses.extend(report.code.and_then(|code| u64::try_from(code).ok()).and_then(status));
    let named = NAMES.iter().find(|(name, _)| data.names.iter().any(|found| found == name));
    if let Some((_, meaning)) = named {
        return (*meaning, data);
    }
    let lower = report.text.to_lowercase().replace('’', "'");
    let in_table =
        |table: &[(&str, Meaning)]| table.iter().find(|(words, _)| lower.contains(words)).map(|(_, m)| *m);
    if let Some(meaning) = in_table(CERTAIN) {
        return (meaning, data);
    }
    let by_status = data.statuses.iter().find_map(|status| of_status(*status));
    if let Some(meaning) = by_status {
        return (meaning, data);
    }
    if report.printed {
        return (Other, data);
    }
    let alone = [401, 402, 429, 529].into_iter().find(|status| has_number(&lower, &status.to_string()));
    let meaning = alone.and_then(of_status).or_else(|| in_table(LIKELY)).unwrap_or(Other);
    (meaning, data)
}

fn of_status(status: u16) -> Option<Meaning> {
    match status {
        401 | 403 => Some(Login),
        402 => Some(Credit),
        429 | 529 => Some(Limit),
        _ => None,
    }
}

/// Whether the number stands alone, not inside a longer one.
fn has_number(text: &str, number: &str) -> bool {
    text.match_indices(number).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + number.len()..].chars().next();
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '.')
            && !after.is_some_and(|c| c.is_ascii_alphanumeric())
    })
}
