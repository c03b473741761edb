//! Makes a JSON value that fits a schema: for tools with arguments nobody scripted, and for side requests.

use serde_json::{Map, Value, json};

/// Deepest schema that is followed.
const DEPTH_MAX: usize = 12;
/// Words a judge uses for a yes, in order of preference.
const YES: &[&str] = &["allow", "approve", "approved", "accept", "safe", "low", "yes", "pending", "medium"];

/// A value for a schema; harmless and approving where there is a choice.
pub fn fit(schema: &Value) -> Value {
    value(schema, schema, "", DEPTH_MAX)
}

fn value(schema: &Value, root: &Value, name: &str, depth: usize) -> Value {
    if depth == 0 {
        return Value::Null;
    }
    if let Some(target) = schema["$ref"].as_str() {
        let found =
            target.strip_prefix('#').and_then(|pointer| root.pointer(pointer)).unwrap_or(&Value::Null);
        return value(found, root, name, depth - 1);
    }
    if let Some(constant) = schema.get("const") {
        return constant.clone();
    }
    if let Some(options) = schema["enum"].as_array() {
        let yes = |option: &&Value| {
            YES.iter().any(|word| option.as_str().is_some_and(|text| text.eq_ignore_ascii_case(word)))
        };
        return options.iter().find(yes).or(options.first()).cloned().unwrap_or(Value::Null);
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(options) = schema[key].as_array() {
            let option = options.iter().find(|option| option["type"] != "null").or(options.first());
            return option.map_or(Value::Null, |option| value(option, root, name, depth - 1));
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null")
        }
        kind => kind.as_str().unwrap_or("null"),
    }
    .to_ascii_lowercase();
    match kind.as_str() {
        "object" => object(schema, root, depth),
        "array" => json!([]),
        "string" => json!(if name.contains("title") { "Rehearsal" } else { "rehearsal" }),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(0)),
        "boolean" => {
            json!(["allow", "approve", "safe"].iter().any(|word| name.to_ascii_lowercase().contains(word)))
        }
        _ => Value::Null,
    }
}

fn object(schema: &Value, root: &Value, depth: usize) -> Value {
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let fields = required
        .iter()
        .filter_map(Value::as_str)
        .map(|name| (name.to_owned(), value(&schema["properties"][name], root, name, depth - 1)));
    Value::Object(fields.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_fields_are_filled_and_judges_say_yes() {
        let schema = json!({
            "type": "object",
            "properties": {
                "outcome": {"enum": ["deny", "allow"]},
                "risk": {"$ref": "#/$defs/risk"},
                "title": {"type": "string"},
                "score": {"type": "integer", "minimum": 1},
                "isSafe": {"type": "BOOLEAN"},
                "why": {"anyOf": [{"type": "null"}, {"type": "string"}]},
                "left out": {"type": "string"},
            },
            "required": ["outcome", "risk", "title", "score", "isSafe", "why"],
            "$defs": {"risk": {"type": "string", "enum": ["high", "low"]}},
        });
        assert_eq!(
            fit(&schema),
            json!({"outcome": "allow", "risk": "low", "title": "Rehearsal", "score": 1, "isSafe": true, "why": "rehearsal"})
        );
        assert_eq!(fit(&json!({"$ref": "#"})), Value::Null);
    }
}
