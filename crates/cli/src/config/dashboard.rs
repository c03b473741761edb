//! What the person chose for the dashboard: `dashboard.json`. The dashboard reads it; here it is only looked at, so that a text
//! which would be passed over is not saved.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::errors::{CommandError, ErrorKind};

/// All that the file can hold; what is left out is as usual.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DashboardFile {
    #[serde(default, rename = "look")]
    _look: Look,
    /// Keys by the name of what they do, as `"board.archive": ["shift+a"]`.
    #[serde(default, rename = "keys")]
    _keys: BTreeMap<String, Vec<String>>,
    #[serde(default, rename = "notifications")]
    notifications: Notifications,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    #[serde(rename = "theme")]
    _theme: Option<Theme>,
    #[serde(rename = "density")]
    _density: Option<Density>,
    #[serde(rename = "times")]
    _times: Option<Times>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Theme {
    System,
    Light,
    Dark,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Density {
    Calm,
    Dense,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Times {
    Relative,
    Absolute,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Notifications {
    #[serde(rename = "sound")]
    _sound: Option<bool>,
    #[serde(default, rename = "kinds")]
    _kinds: BTreeMap<Kind, bool>,
    quiet: Option<Quiet>,
}

#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Permission,
    Question,
    Review,
    Stall,
    Landed,
    Failed,
}

/// Hours of the day in which nothing is said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quiet {
    from: u8,
    to: u8,
}

/// What is wrong with a text for the file; an empty one is as good as none.
pub(super) fn check(text: &str) -> Result<(), CommandError> {
    if text.trim().is_empty() {
        return Ok(());
    }
    let wrong = |message: String| {
        CommandError::new(ErrorKind::Config, message, "docs/guides/settings.md says what the file can hold")
    };
    let file: DashboardFile = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    match file.notifications.quiet {
        Some(Quiet { from, to }) if from > 23 || to > 23 => {
            Err(wrong("an hour of the day is 0 to 23".to_owned()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dashboard_writes_is_right_and_what_it_would_pass_over_is_not() {
        let all = r#"{
            "look": { "theme": "dark", "density": "dense", "times": "absolute" },
            "keys": { "board.archive": ["shift+a"], "go.board": ["g b"] },
            "notifications": { "sound": true, "kinds": { "landed": true }, "quiet": { "from": 22, "to": 7 } }
        }"#;
        for right in [all, "", "\n", "{}", r#"{ "notifications": { "quiet": null } }"#] {
            assert!(check(right).is_ok(), "{right}");
        }
        for (wrong, why) in [
            (r#"{ "lok": {} }"#, "unknown field `lok`"),
            (r#"{ "look": { "theme": "purple" } }"#, "unknown variant `purple`"),
            (r#"{ "keys": { "help": "x" } }"#, "invalid type"),
            (r#"{ "notifications": { "kinds": { "spam": true } } }"#, "unknown variant `spam`"),
            (r#"{ "notifications": { "quiet": { "from": 24, "to": 7 } } }"#, "0 to 23"),
            ("{", "EOF"),
        ] {
            let error = check(wrong).unwrap_err();
            assert!(error.message.contains(why), "{wrong}: {}", error.message);
        }
    }
}
