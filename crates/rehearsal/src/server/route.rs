//! What a path means: the run it belongs to, and the model interface it speaks.

/// A request's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The run tag `/r/<run>` in front of the path; empty without.
    pub run: String,
    /// What is wanted.
    pub endpoint: Endpoint,
}

/// The interfaces this server speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// Anthropic messages.
    Messages,
    /// Anthropic token count.
    CountTokens,
    /// OpenAI responses.
    Responses,
    /// OpenAI chat completions.
    Chat,
    /// Gemini, with the model from the path.
    Gemini {
        /// The model in the path.
        model: String,
        /// Streaming or whole.
        stream: bool,
    },
    /// Gemini token count.
    GeminiCountTokens,
    /// The list of models.
    Models,
    /// Somebody looks whether anybody is there.
    Root,
    /// One registered script.
    Script(String),
    /// What has been asked so far.
    Evidence,
    /// Anything else.
    Unknown,
}

impl Endpoint {
    /// Name in the evidence.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Messages => "anthropic messages",
            Self::CountTokens => "anthropic count_tokens",
            Self::Responses => "openai responses",
            Self::Chat => "openai chat",
            Self::Gemini { .. } => "gemini",
            Self::GeminiCountTokens => "gemini countTokens",
            Self::Models => "models",
            Self::Root => "root",
            Self::Script(_) => "script",
            Self::Evidence => "evidence",
            Self::Unknown => "unknown",
        }
    }
}

/// Reads a path. Version segments (`v1`, `v1beta`) may be doubled or missing, as base URLs are often given.
pub fn route(method: &str, path: &str) -> Route {
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let mut run = String::new();
    if parts.len() >= 2 && parts[0] == "r" {
        run = parts[1].to_owned();
        parts.drain(..2);
    }
    if method == "GET" && parts == ["evidence"] {
        return Route { run, endpoint: Endpoint::Evidence };
    }
    if let ["scripts", name] = parts[..] {
        return Route { run, endpoint: Endpoint::Script(name.to_owned()) };
    }
    let rest: Vec<&str> =
        parts.into_iter().skip_while(|part| matches!(*part, "v1" | "v1beta" | "v1alpha")).collect();
    let endpoint = match (method, rest.as_slice()) {
        ("HEAD" | "GET", []) => Endpoint::Root,
        ("GET", ["models", ..]) => Endpoint::Models,
        ("POST", ["messages"]) => Endpoint::Messages,
        ("POST", ["messages", "count_tokens"]) => Endpoint::CountTokens,
        ("POST", ["responses"]) => Endpoint::Responses,
        ("POST", ["chat", "completions"]) => Endpoint::Chat,
        ("POST", ["models", call]) => gemini(call),
        _ => Endpoint::Unknown,
    };
    Route { run, endpoint }
}

fn gemini(call: &str) -> Endpoint {
    match call.split_once(':') {
        Some((model, "generateContent")) => Endpoint::Gemini { model: model.to_owned(), stream: false },
        Some((model, "streamGenerateContent")) => Endpoint::Gemini { model: model.to_owned(), stream: true },
        Some((_, "countTokens")) => Endpoint::GeminiCountTokens,
        _ => Endpoint::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_with_and_without_run_and_version() {
        let of = |method: &str, path: &str| {
            let route = route(method, path);
            (route.run, route.endpoint)
        };
        assert_eq!(of("POST", "/r/one/v1/messages"), ("one".into(), Endpoint::Messages));
        assert_eq!(of("POST", "/v1/v1/messages/count_tokens"), (String::new(), Endpoint::CountTokens));
        assert_eq!(of("POST", "/r/a/responses"), ("a".into(), Endpoint::Responses));
        assert_eq!(of("POST", "/r/a/v1/chat/completions"), ("a".into(), Endpoint::Chat));
        let gemini = Endpoint::Gemini { model: "gemini-2.5-pro".into(), stream: true };
        assert_eq!(of("POST", "/r/a/v1beta/models/gemini-2.5-pro:streamGenerateContent").1, gemini);
        assert_eq!(of("GET", "/r/a/v1/models").1, Endpoint::Models);
        assert_eq!(of("HEAD", "/r/a/").1, Endpoint::Root);
        assert_eq!(of("PUT", "/scripts/mend").1, Endpoint::Script("mend".into()));
        assert_eq!(of("POST", "/v1/embeddings").1, Endpoint::Unknown);
    }
}
