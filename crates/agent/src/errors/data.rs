//! What stands in the JSON of an error, wherever a vendor puts it: in the protocol's `data`, or in the middle of a text.

use jiff::Timestamp;
use serde_json::Value;

/// How deep JSON is looked into.
const DEPTH: usize = 6;
/// Most values that are looked at.
const VALUES: usize = 300;
/// Most places in a text at which JSON is tried.
const STARTS: usize = 4;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Data {
    /// Statuses of HTTP.
    pub statuses: Vec<u16>,
    /// Names of errors, in lower case: `rate_limit_error`.
    pub names: Vec<String>,
    /// Seconds to wait.
    pub wait: Option<i64>,
    /// When it is over.
    pub until: Option<Timestamp>,
}

impl Data {
    /// Reads the JSON of an error.
    pub fn of(value: &Value) -> Self {
        let mut found = Self::default();
        found.look(value, DEPTH, &mut VALUES.clone());
        found
    }

    /// Reads what JSON there is in a text. Nothing where there is none.
    pub fn in_text(text: &str) -> Self {
        let mut found = Self::default();
        let mut from = 0;
        for _ in 0..STARTS {
            let Some(at) = text[from..].find('{').map(|at| from + at) else { break };
            let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
            let Some(Ok(value)) = values.next() else {
                from = at + 1;
                continue;
            };
            from = at + values.byte_offset();
            found.look(&value, DEPTH, &mut VALUES.clone());
        }
        found
    }

    /// Adds what another one holds.
    pub fn add(&mut self, other: Self) {
        self.statuses.extend(other.statuses);
        self.names.extend(other.names);
        self.wait = self.wait.or(other.wait);
        self.until = self.until.or(other.until);
    }

    fn look(&mut self, value: &Value, depth: usize, left: &mut usize) {
        if depth == 0 || *left == 0 {
            return;
        }
        *left -= 1;
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.look(value, depth - 1, left)),
            Value::Object(map) => {
                for (key, value) in map {
                    self.take(key, value);
                    self.look(value, depth - 1, left);
                }
            }
            // Some vendors pack the answer of their server into a string.
            Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
                if let Ok(value) = serde_json::from_str::<Value>(text) {
                    self.look(&value, depth - 1, left);
                }
            }
            _ => {}
        }
    }

    fn take(&mut self, key: &str, value: &Value) {
        let plain: String =
            key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        match (plain.as_str(), value) {
            ("status" | "statuscode" | "httpstatus" | "code", Value::Number(number)) => {
                self.statuses.extend(number.as_u64().and_then(status));
            }
            (
                "code" | "status" | "statuscode" | "type" | "reason" | "error" | "name" | "kind",
                Value::String(name),
            ) => match name.parse::<u64>() {
                Ok(number) => self.statuses.extend(status(number)),
                Err(_) if name.len() <= 60 => self.names.push(name.to_lowercase()),
                Err(_) => {}
            },
            ("retryafter" | "retryafterseconds" | "retrydelay" | "resetsinseconds", _) => {
                self.wait = self.wait.or_else(|| seconds(value));
            }
            ("retryafterms", _) => {
                self.wait = self.wait.or_else(|| Some(seconds(value)?.div_euclid(1000) + 1))
            }
            ("resetsat" | "resetat" | "resettime" | "reset", _) => {
                self.until = self.until.or_else(|| moment(value))
            }
            _ => {}
        }
    }
}

/// A number that is a status of HTTP for something that went wrong.
pub(super) fn status(number: u64) -> Option<u16> {
    u16::try_from(number).ok().filter(|number| (400..600).contains(number))
}

fn seconds(value: &Value) -> Option<i64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().trim_end_matches('s').parse().ok()?,
        _ => return None,
    };
    (number.is_finite() && (0.0..1e9).contains(&number)).then_some(number.ceil() as i64)
}

/// A moment, as seconds or milliseconds since 1970 or in the usual form.
fn moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => epoch(number.as_i64()?),
        Value::String(text) => text.parse().ok().or_else(|| epoch(text.parse().ok()?)),
        _ => None,
    }
}

/// A number of ten digits is seconds, one of thirteen milliseconds.
pub(crate) fn epoch(number: i64) -> Option<Timestamp> {
    match number {
        1_000_000_000..10_000_000_000 => Timestamp::from_second(number).ok(),
        1_000_000_000_000..10_000_000_000_000 => Timestamp::from_millisecond(number).ok(),
        _ => None,
    }
}
