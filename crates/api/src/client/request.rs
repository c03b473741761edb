//! One request and its answer.

use std::time::Duration;

pub(super) use reqwest::Method;
use reqwest::{RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Client, ClientError};
use crate::types::Problem;

/// How long a connection over loopback may take.
pub(super) const CONNECT_MAX: Duration = Duration::from_secs(5);

/// How often something is read before the daemon counts as unreachable.
const READ_TRIES_MAX: u32 = 20;
/// The first pause between two tries; doubled each time.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause between two tries.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Where a daemon listens and what it wants to hear.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// For example `127.0.0.1:4519`.
    pub address: String,
    /// The token.
    pub token: String,
}

/// Finds the daemon again after it was restarted.
pub trait Locate: Send + Sync {
    /// Where it listens now; none while it does not run.
    fn locate(&self) -> Option<Endpoint>;
}

/// The token never reaches a log.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Client {
    /// Where the daemon was last known to listen.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Looks where the daemon listens now.
    pub(super) fn relocate(&self) {
        if let Some(found) = self.locate.as_ref().and_then(|locate| locate.locate()) {
            *self.endpoint.write().unwrap_or_else(std::sync::PoisonError::into_inner) = found;
        }
    }

    /// Reads something. Where the daemon can be found again, a connection that breaks because it was restarted is tried
    /// again; only reading is, because nobody knows whether a command that got no answer was carried out.
    pub(super) async fn read(&self, path: &str) -> Result<(u16, Vec<u8>), ClientError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..READ_TRIES_MAX {
            match self.read_once(path).await {
                Err(ClientError::Unreachable(_) | ClientError::Broken(_)) if self.locate.is_some() => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    self.relocate();
                }
                done => return done,
            }
        }
        self.read_once(path).await
    }

    async fn read_once(&self, path: &str) -> Result<(u16, Vec<u8>), ClientError> {
        let response = self.send_raw(Method::GET, path, None::<&()>, &[]).await?;
        let status = response.status().as_u16();
        Ok((status, response.bytes().await.map_err(ClientError::Broken)?.into()))
    }

    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        headers: &[(&'static str, &str)],
    ) -> Result<T, ClientError> {
        let response = self.send_raw(method, path, body, headers).await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.map_err(ClientError::Broken)?;
        serde_json::from_slice(&bytes).map_err(|source| ClientError::Answer { status, source })
    }

    /// Sends a request with a body in JSON.
    pub(super) async fn send_raw(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        headers: &[(&'static str, &str)],
    ) -> Result<Response, ClientError> {
        let mut request = self.request(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            let json = serde_json::to_vec(body).map_err(ClientError::Request)?;
            request = request.header("content-type", "application/json").body(json);
        }
        answer_to(request).await
    }

    /// The same with a body that is not JSON.
    pub(super) async fn send_bytes(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Response, ClientError> {
        answer_to(self.request(method, path).header("content-type", "application/octet-stream").body(body))
            .await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let endpoint = self.endpoint();
        let request = self.http.request(method, format!("http://{}{path}", endpoint.address));
        request.bearer_auth(&endpoint.token)
    }
}

/// Sends a request; an answer that is no success is the problem it tells.
async fn answer_to(request: RequestBuilder) -> Result<Response, ClientError> {
    let response = request.send().await.map_err(ClientError::Unreachable)?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let bytes = response.bytes().await.map_err(ClientError::Broken)?;
    let problem: Problem = serde_json::from_slice(&bytes)
        .map_err(|source| ClientError::Answer { status: status.as_u16(), source })?;
    Err(problem.into())
}

/// A text as one segment of a path, or as a value of a query.
pub(super) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    // A segment of dots alone would mean another path.
    if out.chars().all(|c| c == '.') { out.replace('.', "%2E") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_cannot_leave_its_place() {
        assert_eq!(segment("t12.1"), "t12.1");
        assert_eq!(segment("t12#3"), "t12%233");
        assert_eq!(segment("../x?y"), "..%2Fx%3Fy");
        assert_eq!(segment(".."), "%2E%2E");
        assert_eq!(segment("ä b"), "%C3%A4%20b");
    }

    #[test]
    fn the_token_is_not_shown() {
        let endpoint = Endpoint { address: "127.0.0.1:1".into(), token: "secret".into() };
        assert!(!format!("{endpoint:?}").contains("secret"));
    }
}
