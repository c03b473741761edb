//! Questions of the agent: forms by `elicitation/create`, of which one field is shown to people.

use divisi_model::inbox::{AskOption, Effect};
use divisi_model::transcript::{Answered, Text, limits};
use serde_json::{Map, Value, json};

use super::schema::clip;
use crate::action::{CommandError, Reply};

/// A form, with the field that the answer goes into.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Form {
    message: String,
    field: Option<Field>,
    /// Fields besides, each with its title; filled in only by an answer that is a JSON object.
    others: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Field {
    name: String,
    kind: FieldKind,
    /// Values with their titles.
    choices: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum FieldKind {
    Words,
    Number,
    Integer,
    YesNo,
    List,
}

impl Form {
    /// Reads the parameters of the request.
    pub fn read(params: &Value) -> Option<Self> {
        let mut message = params.get("message")?.as_str()?.to_owned();
        if let Some(url) = params.get("url").and_then(Value::as_str) {
            message.push('\n');
            message.push_str(&clip(url));
        }
        let schema = params.get("requestedSchema");
        let properties = schema.and_then(|s| s.get("properties")).and_then(Value::as_object);
        let mut fields = properties.into_iter().flatten().take(limits::OPTIONS);
        let field = fields.next().map(|(name, schema)| Field::read(name, schema));
        let others = fields.map(|(name, schema)| title(schema).unwrap_or(name).to_owned()).collect();
        Some(Self { message, field, others })
    }

    /// The question for people.
    pub fn text(&self) -> String {
        match self.others.as_slice() {
            [] => self.message.clone(),
            others => format!("{}\n(also asked for: {})", self.message, others.join(", ")),
        }
    }

    /// Proposed answers.
    pub fn options(&self) -> Vec<AskOption> {
        let Some(field) = &self.field else { return Vec::new() };
        let option = |(id, name): &(String, String)| AskOption {
            id: id.clone(),
            name: clip(name),
            effect: Effect::Other,
        };
        field.choices.iter().map(option).collect()
    }

    /// The result that says the answer.
    pub fn answer(&self, reply: &Reply) -> Result<Value, CommandError> {
        let accept = |content: Map<String, Value>| json!({"action": "accept", "content": content});
        let words = match reply {
            Reply::Withdraw => return Ok(json!({"action": "cancel"})),
            Reply::Deny { .. } => return Ok(json!({"action": "decline"})),
            Reply::Allow { .. } => match &self.field {
                None => return Ok(accept(Map::new())),
                Some(field) if field.kind == FieldKind::YesNo => "true",
                Some(_) => return Err(self.no_such()),
            },
            Reply::Option(id) => match &self.field {
                Some(field) if field.choices.iter().any(|(value, _)| value == id) => id.as_str(),
                _ => return Err(self.no_such()),
            },
            Reply::Words(words) => words.as_str(),
        };
        if let Ok(Value::Object(content)) = serde_json::from_str(words) {
            return Ok(accept(content));
        }
        let Some(field) = &self.field else { return Ok(accept(Map::new())) };
        let value = field.value(words).ok_or_else(|| self.no_such())?;
        Ok(accept(Map::from_iter([(field.name.clone(), value)])))
    }

    /// What a result of ours said.
    pub fn answered(&self, result: &Value) -> Answered {
        match result.get("action").and_then(Value::as_str) {
            Some("accept") => {}
            Some("decline") => return Answered::Declined,
            _ => return Answered::Withdrawn,
        }
        let content = result.get("content").and_then(Value::as_object).cloned().unwrap_or_default();
        let single = (content.len() == 1).then(|| content.values().next()).flatten();
        let words = match single {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(list)) if list.len() == 1 => list[0].as_str().unwrap_or_default().to_owned(),
            Some(other) => other.to_string(),
            None => Value::Object(content).to_string(),
        };
        match self.field.as_ref().filter(|f| f.choices.iter().any(|(value, _)| *value == words)) {
            Some(_) => Answered::Chosen { option: words },
            None => Answered::Words { text: Text::clip(&words, limits::MESSAGE_BYTES) },
        }
    }

    fn no_such(&self) -> CommandError {
        let choices = self.field.iter().flat_map(|f| &f.choices).map(|(id, _)| id.as_str());
        let offered = choices.collect::<Vec<_>>().join(", ");
        CommandError::NoSuchOption { offered: if offered.is_empty() { "words".to_owned() } else { offered } }
    }
}

impl Field {
    fn read(name: &str, schema: &Value) -> Self {
        let mut kind = match schema.get("type").and_then(Value::as_str) {
            Some("boolean") => FieldKind::YesNo,
            Some("integer") => FieldKind::Integer,
            Some("number") => FieldKind::Number,
            Some("array") => FieldKind::List,
            _ => FieldKind::Words,
        };
        let listed = if kind == FieldKind::List { schema.get("items").unwrap_or(schema) } else { schema };
        let mut choices = choices(listed);
        if kind == FieldKind::YesNo {
            choices = vec![("true".into(), "Yes".into()), ("false".into(), "No".into())];
        } else if !choices.is_empty() && kind != FieldKind::List {
            kind = FieldKind::Words;
        }
        Self { name: name.to_owned(), kind, choices }
    }

    /// The words as a value of the field's type.
    fn value(&self, words: &str) -> Option<Value> {
        let words = words.trim();
        // People answer with what they read, the agent wants what stands behind it.
        let found =
            self.choices.iter().find(|(value, name)| value == words || name.eq_ignore_ascii_case(words));
        let words = found.map_or(words, |(value, _)| value.as_str());
        match self.kind {
            FieldKind::Words => Some(json!(words)),
            FieldKind::List => Some(json!([words])),
            FieldKind::Integer => words.parse::<i64>().ok().map(|n| json!(n)),
            FieldKind::Number => words.parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| json!(n)),
            FieldKind::YesNo => match words.to_lowercase().as_str() {
                "true" | "yes" | "y" => Some(json!(true)),
                "false" | "no" | "n" => Some(json!(false)),
                _ => None,
            },
        }
    }
}

fn choices(schema: &Value) -> Vec<(String, String)> {
    let plain = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
    let plain = plain.filter_map(Value::as_str).map(|value| (value.to_owned(), value.to_owned()));
    let titled = ["oneOf", "anyOf"].iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
    let titled = titled.filter_map(|one| {
        let value = one.get("const")?.as_str()?;
        Some((value.to_owned(), title(one).unwrap_or(value).to_owned()))
    });
    plain.chain(titled).take(limits::OPTIONS).collect()
}

fn title(schema: &Value) -> Option<&str> {
    schema.get("title").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(schema: Value) -> Form {
        Form::read(&json!({"mode": "form", "message": "Which?", "requestedSchema": schema})).unwrap()
    }

    #[test]
    fn answers_take_the_type_of_their_field() {
        let choice = form(json!({"type": "object", "properties": {"db": {"type": "string",
            "oneOf": [{"const": "pg", "title": "Postgres"}, {"const": "lite", "title": "SQLite"}]}}}));
        assert_eq!(
            choice.options().iter().map(|o| o.name.as_str()).collect::<Vec<_>>(),
            ["Postgres", "SQLite"]
        );
        let accepted = json!({"action": "accept", "content": {"db": "lite"}});
        for reply in [Reply::Option("lite".into()), Reply::Words("sqlite".into())] {
            assert_eq!(choice.answer(&reply).unwrap(), accepted);
        }
        assert!(choice.answer(&Reply::Option("nope".into())).is_err());
        assert_eq!(choice.answered(&accepted), Answered::Chosen { option: "lite".into() });

        let yes_no = form(json!({"properties": {"go": {"type": "boolean"}}}));
        assert_eq!(yes_no.answer(&Reply::Words("Yes".into())).unwrap()["content"]["go"], true);
        assert!(yes_no.answer(&Reply::Words("perhaps".into())).is_err());

        let number = form(json!({"properties": {"n": {"type": "integer"}, "why": {"type": "string"}}}));
        assert!(number.text().contains("why"));
        assert_eq!(number.answer(&Reply::Words("7".into())).unwrap()["content"], json!({"n": 7}));
        let both = json!({"n": 1, "why": "x"});
        assert_eq!(number.answer(&Reply::Words(both.to_string())).unwrap()["content"], both);

        assert_eq!(number.answer(&Reply::Deny { always: false }).unwrap(), json!({"action": "decline"}));
        assert_eq!(number.answered(&json!({"action": "cancel"})), Answered::Withdrawn);
    }
}
