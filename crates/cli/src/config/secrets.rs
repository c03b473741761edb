//! What of the person's own configuration may leave this machine: everything but secrets. Divisi asks for none there,
//! but a definition of an agent may set any variable.

use toml::{Table, Value};

/// What the name of a variable holds that is a secret.
const NAMES: [&str; 8] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "AUTH"];
/// How secrets of well-known makers begin.
const BEGINNINGS: [&str; 9] =
    ["sk-", "ghp_", "gho_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "AIza", "AKIA"];
/// Tables whose keys are names of variables.
const VARIABLES: &str = "environment";

/// A configuration without its secrets.
pub(crate) struct Cleaned {
    /// The text: as it is where there was nothing to leave out, else written anew.
    pub(crate) text: String,
    /// The keys that were left out.
    pub(crate) left_out: Vec<String>,
}

/// Leaves out what may be a secret. A text that is no TOML gives nothing: nobody could say what is in it.
pub(crate) fn without_secrets(text: &str) -> Option<Cleaned> {
    let mut table: Table = text.parse().ok()?;
    let mut left_out = Vec::new();
    clean(&mut table, "", false, &mut left_out);
    let text = if left_out.is_empty() { text.to_owned() } else { toml::to_string(&table).ok()? };
    Some(Cleaned { text, left_out })
}

fn clean(table: &mut Table, place: &str, variables: bool, left_out: &mut Vec<String>) {
    table.retain(|key, value| {
        let place = if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
        match value {
            Value::Table(inner) => {
                clean(inner, &place, key == VARIABLES, left_out);
                return true;
            }
            Value::Array(values) if values.iter().all(Value::is_table) => {
                values.iter_mut().filter_map(Value::as_table_mut).for_each(|inner| {
                    clean(inner, &place, false, left_out);
                });
                return true;
            }
            _ => {}
        }
        let named = variables && NAMES.iter().any(|name| key.to_ascii_uppercase().contains(name));
        let secret = (named && value.as_str().is_some_and(|text| !is_place(text))) || holds_secret(value);
        if secret {
            left_out.push(place);
        }
        !secret
    });
}

/// A place such as `{api_key}` is filled in when the agent is started.
fn is_place(text: &str) -> bool {
    text.is_empty() || (text.starts_with('{') && text.ends_with('}'))
}

fn holds_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => is_secret(text),
        Value::Array(values) => values.iter().any(holds_secret),
        _ => false,
    }
}

fn is_secret(text: &str) -> bool {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | ','));
    let known = |word: &str| {
        BEGINNINGS.iter().any(|begin| word.strip_prefix(begin).is_some_and(|rest| rest.len() >= 12))
    };
    // `https://user:password@host`
    let login = |word: &str| {
        let host = word.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or_default());
        host.is_some_and(|host| host.split_once('@').is_some_and(|(user, _)| user.contains(':')))
    };
    words.into_iter().any(|word| known(word) || login(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_and_everything_else_goes_along() {
        let text = "# mine\ncommand = [\"x\", \"--key\", \"sk-0123456789abcdef\"]\nbase_url = \"http://me:pw@host/v1\"\n\
                    api_key_variable = \"MY_KEY\"\ntitle = \"X\"\n[environment]\nMY_API_KEY = \"abc\"\n\
                    OTHER_TOKEN = \"{api_key}\"\nLEVEL = \"3\"\n[[login]]\ntitle = \"a\"\n[login.environment]\nTOKEN = \"t\"\n";
        let cleaned = without_secrets(text).unwrap();
        assert_eq!(
            cleaned.left_out,
            ["base_url", "command", "environment.MY_API_KEY", "login.environment.TOKEN"]
        );
        for kept in ["MY_KEY", "LEVEL", "{api_key}", "title"] {
            assert!(cleaned.text.contains(kept), "{kept}: {}", cleaned.text);
        }
        for gone in ["sk-0123", "me:pw", "abc\"", "\"t\""] {
            assert!(!cleaned.text.contains(gone), "{gone}: {}", cleaned.text);
        }
    }

    #[test]
    fn what_has_none_stays_as_it_is() {
        let text = "# a comment\nparallel = 3\ncommand = [\"sk-short\"]\n";
        let cleaned = without_secrets(text).unwrap();
        assert_eq!((cleaned.text.as_str(), cleaned.left_out.is_empty()), (text, true));
        assert!(without_secrets("not = = toml").is_none());
    }
}
