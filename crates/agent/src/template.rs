//! Fills in the places of a definition.

use std::collections::BTreeMap;

use crate::definition::Arg;

/// Names of places. A brace that holds no such name stays as it is, so JSON can be written plainly.
const PLACES: &[&str] = &[
    "home",
    "workspace",
    "divisi",
    "session",
    "prompt",
    "prompt_file",
    "model",
    "base_url",
    "base_url_origin",
    "base_url_path",
    "api_key",
];

/// The values of places. A place that is not here has no value.
pub(crate) type Places = BTreeMap<&'static str, String>;

/// How a value is written into its surroundings.
#[derive(Clone, Copy, PartialEq)]
enum Escape {
    /// As it is.
    No,
    /// For the inside of double quotes, as JSON and TOML both read them.
    Quotes,
}

/// Whether a text names a place.
pub(crate) fn has_place(text: &str) -> bool {
    PLACES.iter().any(|place| text.contains(&format!("{{{place}}}")))
}

/// Fills in an argument or a variable. None if a place has no value.
pub(crate) fn fill(text: &str, places: &Places) -> Option<String> {
    replace(text, places, Escape::No)
}

/// Fills in arguments; groups without a value for a place are left out.
pub(crate) fn fill_args(args: &[Arg], places: &Places) -> Vec<String> {
    args.iter()
        .flat_map(|arg| match arg {
            Arg::One(one) => fill(one, places).map(|one| vec![one]).unwrap_or_default(),
            Arg::Group(group) => {
                group.iter().map(|one| fill(one, places)).collect::<Option<Vec<_>>>().unwrap_or_default()
            }
        })
        .collect()
}

/// Fills in a file; lines without a value for a place are left out.
pub(crate) fn fill_file(content: &str, places: &Places) -> String {
    content
        .trim_start_matches('\n')
        .split_inclusive('\n')
        .filter_map(|line| replace(line, places, Escape::Quotes))
        .collect()
}

fn replace(text: &str, places: &Places, escape: Escape) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let name = after[1..].split('}').next().unwrap_or_default();
        let Some(place) = PLACES.iter().find(|place| **place == name && after.len() > name.len() + 1) else {
            out.push('{');
            rest = &after[1..];
            continue;
        };
        let value = places.get(place)?;
        match escape {
            Escape::No => out.push_str(value),
            Escape::Quotes => {
                let quoted = serde_json::Value::from(value.as_str()).to_string();
                out.push_str(quoted.get(1..quoted.len() - 1).unwrap_or_default());
            }
        }
        rest = &after[name.len() + 2..];
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_without_a_value_take_their_surroundings_with_them() {
        let places = Places::from([("model", "a\"b".to_owned()), ("home", "/h".to_owned())]);
        assert_eq!(fill("{home}/x {other} {", &places).as_deref(), Some("/h/x {other} {"));
        assert_eq!(fill("{base_url}/v1", &places), None);
        let args = [
            Arg::One("acp".into()),
            Arg::Group(vec!["-m".into(), "{model}".into()]),
            Arg::Group(vec!["--url".into(), "{base_url}".into()]),
        ];
        assert_eq!(fill_args(&args, &places), ["acp", "-m", "a\"b"]);
        assert_eq!(
            fill_file("\nmodel = \"{model}\"\nurl = \"{base_url}\"\n{\"a\":{}}\n", &places),
            "model = \"a\\\"b\"\n{\"a\":{}}\n"
        );
        let open = fill("{home", &places);
        assert_eq!(open.as_deref(), Some("{home"));
    }
}
