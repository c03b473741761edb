//! Who may ask. A page in a browser on this machine can send requests to loopback too, so an address proves nothing:
//! the token must be known, and Host and Origin must be ours.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use crate::problem::ApiError;
use crate::types::{Problem, ProblemKind};

/// Paths that are told to whoever reaches them with our Host: that the daemon lives, and the public contract.
const OPEN_PATHS: [&str; 2] = ["/healthz", "/openapi.json"];

/// What a request is held against.
pub(crate) struct Door {
    token: String,
    hosts: Vec<String>,
}

impl Door {
    /// A door for a server that listens at `address`.
    pub(crate) fn new(token: String, address: SocketAddr) -> Self {
        let port = address.port();
        let hosts = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}"));
        Self { token, hosts: hosts.into() }
    }

    fn check(&self, path: &str, uri_host: Option<&str>, headers: &HeaderMap) -> Result<(), Problem> {
        self.check_host(uri_host, headers)?;
        self.check_origin(headers)?;
        if OPEN_PATHS.contains(&path) { Ok(()) } else { self.check_token(headers) }
    }

    /// A foreign Host means that a name of somebody else was made to point here (DNS rebinding).
    fn check_host(&self, uri_host: Option<&str>, headers: &HeaderMap) -> Result<(), Problem> {
        let named: Vec<_> =
            headers.get_all(header::HOST).iter().map(|value| value.to_str().unwrap_or("")).collect();
        let known = |host: &str| self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host));
        let ok = named.len() == 1 && named.iter().all(|host| known(host)) && uri_host.is_none_or(known);
        if ok { Ok(()) } else { Err(forbidden("the Host of the request is not this server")) }
    }

    /// Only browsers send an Origin, and no page but our own may ask.
    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let ours = |value: &HeaderValue| {
            let origin = value.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
            origin.is_some_and(|host| self.hosts.iter().any(|ours| ours == host))
        };
        if headers.get_all(header::ORIGIN).iter().all(ours) {
            return Ok(());
        }
        Err(forbidden("the Origin of the request is not this server"))
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or("");
        // The comparison takes the same time wherever the first wrong byte is.
        if bool::from(given.as_bytes().ct_eq(self.token.as_bytes())) {
            return Ok(());
        }
        let hint = "the token is in daemon.json in Divisi's state folder; only its owner can read it";
        Err(Problem::new(ProblemKind::Unauthorized, "the token is missing or wrong", hint))
    }
}

/// Refuses who may not ask, and tells browsers to treat every answer as data.
pub(crate) async fn guard(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let uri = request.uri();
    let uri_host = uri.authority().map(|authority| authority.as_str());
    let mut response = match door.check(uri.path(), uri_host, request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => ApiError(problem).into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

fn forbidden(message: &str) -> Problem {
    Problem::new(ProblemKind::Forbidden, message, "Divisi answers only programs on this machine")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, headers: &[(header::HeaderName, &str)]) -> Result<(), ProblemKind> {
        let door = Door::new("secret".to_owned(), SocketAddr::from(([127, 0, 0, 1], 4000)));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        door.check(path, None, &map).map_err(|problem| problem.kind)
    }

    const HOST: (header::HeaderName, &str) = (header::HOST, "127.0.0.1:4000");
    const TOKEN: (header::HeaderName, &str) = (header::AUTHORIZATION, "Bearer secret");

    #[test]
    fn the_right_token_and_host_may_ask() {
        assert_eq!(check("/v1/tasks", &[HOST, TOKEN]), Ok(()));
        assert_eq!(check("/v1/tasks", &[(header::HOST, "localhost:4000"), TOKEN]), Ok(()));
        assert_eq!(check("/v1/tasks", &[(header::HOST, "[::1]:4000"), TOKEN]), Ok(()));
        let own_page = (header::ORIGIN, "http://localhost:4000");
        assert_eq!(check("/v1/tasks", &[HOST, TOKEN, own_page]), Ok(()));
    }

    #[test]
    fn a_missing_or_wrong_token_is_refused() {
        for value in ["Bearer wrong", "Bearer secret ", "Bearer ", "Basic secret", "secret", "bearer"] {
            let given = (header::AUTHORIZATION, value);
            assert_eq!(check("/v1/tasks", &[HOST, given]), Err(ProblemKind::Unauthorized), "{value}");
        }
        assert_eq!(check("/metrics", &[HOST]), Err(ProblemKind::Unauthorized));
    }

    #[test]
    fn a_foreign_host_is_refused_even_where_no_token_is_needed() {
        for host in ["evil.example", "127.0.0.1", "127.0.0.1:4001", "localhost:4000.evil.example", ""] {
            assert_eq!(check("/healthz", &[(header::HOST, host)]), Err(ProblemKind::Forbidden), "{host}");
        }
        assert_eq!(check("/healthz", &[]), Err(ProblemKind::Forbidden));
        assert_eq!(check("/healthz", &[HOST, HOST]), Err(ProblemKind::Forbidden), "two of them");
        assert_eq!(check("/healthz", &[HOST]), Ok(()));
    }

    #[test]
    fn a_foreign_origin_is_refused_even_with_the_token() {
        for origin in ["http://evil.example", "null", "https://127.0.0.1:4000", "http://127.0.0.1:4001", ""] {
            let given = (header::ORIGIN, origin);
            assert_eq!(check("/v1/tasks", &[HOST, TOKEN, given]), Err(ProblemKind::Forbidden), "{origin}");
        }
    }
}
