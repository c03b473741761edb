//! Keys that nobody reads. A mistyped `gate` would otherwise mean that nothing is checked.

use schemars::generate::SchemaSettings;
use serde_json::Value as Json;

use super::file::ConfigFile;

/// The JSON schema of a configuration file.
pub(crate) fn schema() -> Json {
    let generator = SchemaSettings::draft2020_12().into_generator();
    serde_json::to_value(generator.into_root_schema_for::<ConfigFile>()).unwrap_or_default()
}

/// A key that nobody reads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnknownKey {
    /// Where it stands: `gates[0].comand`.
    pub(super) path: String,
    /// What may be meant.
    pub(super) near: Option<String>,
}

/// All keys of a file that the schema does not know.
pub(super) fn unknown_keys(file: &toml::Table) -> Vec<UnknownKey> {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<ConfigFile>();
    let schema = serde_json::to_value(schema).unwrap_or_default();
    let mut found = Vec::new();
    look(&toml::Value::Table(file.clone()), &schema, String::new(), &mut found);
    found
}

/// The known word that is nearest to another, if one is near.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let near = known.map(|other| (strsim::jaro_winkler(word, other), other));
    let best = near.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.8).then(|| best.1.to_owned())
}

fn look(value: &toml::Value, schema: &Json, path: String, found: &mut Vec<UnknownKey>) {
    match value {
        toml::Value::Table(table) => {
            let Some(known) = property(schema, "properties").and_then(Json::as_object) else { return };
            for (key, value) in table {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match known.get(key) {
                    Some(schema) => look(value, schema, path, found),
                    None => {
                        let near = nearest(key, known.keys().map(String::as_str));
                        found.push(UnknownKey { path, near });
                    }
                }
            }
        }
        toml::Value::Array(items) => {
            let Some(schema) = property(schema, "items") else { return };
            for (n, item) in items.iter().enumerate() {
                look(item, schema, format!("{path}[{n}]"), found);
            }
        }
        _ => {}
    }
}

/// A property of a schema, also of one that may be null instead.
fn property<'a>(schema: &'a Json, name: &str) -> Option<&'a Json> {
    let either = schema.get("anyOf").and_then(Json::as_array);
    schema.get(name).or_else(|| either?.iter().find_map(|schema| schema.get(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(text: &str) -> Vec<(String, Option<String>)> {
        unknown_keys(&text.parse().unwrap()).into_iter().map(|key| (key.path, key.near)).collect()
    }

    #[test]
    fn unknown_keys_are_named_by_their_path_with_what_may_be_meant() {
        let text = "rounds = 2\ngate = 1\n[[gates]]\nname = \"a\"\ncomand = \"b\"\nzzz = 1\n";
        let wanted = [
            ("gate".to_owned(), Some("gates".to_owned())),
            ("gates[0].comand".to_owned(), Some("command".to_owned())),
            ("gates[0].zzz".to_owned(), None),
        ];
        assert_eq!(unknown(text), wanted);
    }

    #[test]
    fn the_tables_of_agents_are_read_by_another_reader() {
        assert_eq!(unknown("[agents.mine]\ncommand = [\"x\"]\nanything = 1\n"), []);
    }
}
