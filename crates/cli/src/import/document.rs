//! Reading the files of other tools, in bounds: JSON with comments, YAML and TOML become one kind of value.

use std::path::Path;

use serde_json::Value;

/// Longest file that is read, in bytes; such files are pages, not books.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// Most values in a YAML file, after its anchors were unfolded.
const YAML_NODES_MAX: usize = 20_000;
/// Longest part of a parser's complaint that is told, in characters.
const COMPLAINT_CHARS: usize = 160;

/// A file's content.
pub(super) struct Document(pub(super) Value);

/// A file beneath the project's folder; none if it is not there. The error says why it is not read.
pub(super) fn read(root: &Path, file: &str) -> Result<Option<String>, String> {
    let bytes = match divisi_workspace::read_inside(root, file, FILE_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) => {
            return match error.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Ok(None),
                std::io::ErrorKind::FileTooLarge => Err(format!("it is longer than {FILE_BYTES_MAX} bytes")),
                _ => Err("it is no regular file of this folder, or cannot be read".to_owned()),
            };
        }
    };
    String::from_utf8(bytes).map(Some).map_err(|_| "it is not UTF-8".to_owned())
}

impl Document {
    /// Understands a file by the end of its name.
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, String> {
        let (form, value) = match file.rsplit('.').next() {
            Some("toml") => ("TOML", toml::from_str(text).map_err(|error| error.message().to_owned())),
            Some("yaml" | "yml") => ("YAML", yaml(text)),
            _ => ("JSON", json(text)),
        };
        match value {
            Ok(value @ Value::Object(_)) => Ok(Self(value)),
            Ok(_) => Err(format!("it is not a table in {form}")),
            Err(error) => {
                let line = error.lines().next().unwrap_or_default();
                let told: String = line.chars().filter(|c| !c.is_control()).take(COMPLAINT_CHARS).collect();
                Err(format!("it is not {form}: {told}"))
            }
        }
    }

    /// What stands under a key; inner keys are set off by a slash in front: `/scripts/setup`.
    pub(super) fn at(&self, pointer: &str) -> Option<&Value> {
        self.0.pointer(pointer).filter(|value| !value.is_null())
    }

    /// The keys of the table under a pointer.
    pub(super) fn keys(&self, pointer: &str) -> Vec<String> {
        let table = self.0.pointer(pointer).and_then(Value::as_object);
        table.map(|table| table.keys().cloned().collect()).unwrap_or_default()
    }
}

fn json(text: &str) -> Result<Value, String> {
    let options = jsonc_parser::ParseOptions::default();
    jsonc_parser::parse_to_serde_value(text, &options).map_err(|error| error.to_string())
}

/// Anchors that stand for anchors can make a page into gigabytes, so what they unfold to is bounded by the crate.
fn yaml(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: YAML_NODES_MAX, max_events: 4 * YAML_NODES_MAX },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let said = error.to_string();
        if said.contains("budget") { "it unfolds to too much".to_owned() } else { said }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms_become_one() {
        let wanted = serde_json::json!({"a": {"b": ["c", 1]}});
        for (file, text) in [
            ("x.json", "{ // why\n  \"a\": {\"b\": [\"c\", 1,], /* that */},\n}"),
            ("x.toml", "[a]\nb = [\"c\", 1]\n"),
            ("x.yml", "a:\n  b: [c, 1]\n"),
        ] {
            assert_eq!(Document::parse(file, text).unwrap().0, wanted, "{file}");
        }
    }

    #[test]
    fn what_is_wrong_or_too_much_is_refused() {
        let laughs: String = ["a: &a [x, x, x, x, x, x, x, x, x, x]".to_owned()]
            .into_iter()
            .chain(
                ('b'..='k')
                    .zip('a'..)
                    .map(|(name, of)| format!("{name}: &{name} [{}]", vec![format!("*{of}"); 10].join(", "))),
            )
            .collect::<Vec<_>>()
            .join("\n");
        let deep = "[".repeat(100_000);
        for (file, text) in [
            ("x.json", "{\"a\": "),
            ("x.json", "[1]"),
            ("x.json", deep.as_str()),
            ("x.yml", deep.as_str()),
            ("x.yml", "a: [b"),
            ("x.yml", "just words"),
            ("x.yml", laughs.as_str()),
            ("x.toml", "a = "),
        ] {
            assert!(Document::parse(file, text).is_err(), "{file}: {}", &text[..text.len().min(40)]);
        }
    }
}
