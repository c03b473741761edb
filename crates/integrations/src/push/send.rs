//! One request to a service. Every request resolves the name anew and has a connection of its own: notices are rare, and
//! between the look at an address and the use of it nothing can change.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, RETRY_AFTER};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, Error};

use super::endpoint::Endpoint;

/// How long a request may take, from the name to the answer.
const REQUEST_MAX: Duration = Duration::from_secs(20);
/// How long a service keeps a message for a browser that is away, in seconds.
pub(super) const LIFE_SECONDS: u32 = 24 * 3600;

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// The service took it.
    Taken,
    /// The browser has unsubscribed, or the service has given it up.
    Gone,
    /// Not now; with what the service said about when.
    Later(Option<Duration>, String),
    /// Not this one, nor the same again.
    Refused(String),
}

/// A request before it is sent.
pub(super) struct Post<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) authorization: String,
    pub(super) topic: &'a str,
    pub(super) urgent: bool,
    pub(super) body: Vec<u8>,
}

/// Speaks with services.
pub(super) struct Sender {
    tls: Result<TlsConnector, Error>,
}

impl Sender {
    /// The authorities that this machine trusts are those that may vouch for a service.
    pub(super) fn new() -> Self {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map(|config| config.with_no_client_auth());
        Self { tls: config.map(|config| TlsConnector::from(Arc::new(config))) }
    }

    /// Sends it once.
    pub(super) async fn send(&self, post: Post<'_>) -> Sent {
        match tokio::time::timeout(REQUEST_MAX, self.answer(post)).await {
            Ok(Ok(answer)) => read(&answer, Timestamp::now()),
            Ok(Err(error)) => Sent::Later(None, format!("it cannot be reached: {error}")),
            Err(_) => Sent::Later(None, "it does not answer".to_owned()),
        }
    }

    async fn answer(&self, post: Post<'_>) -> Result<Response<hyper::body::Incoming>, Failure> {
        let Post { endpoint, authorization, topic, urgent, body } = post;
        let request = Request::post(endpoint.target())
            .header(HOST, endpoint.authority())
            .header(AUTHORIZATION, authorization)
            .header("ttl", LIFE_SECONDS)
            .header("urgency", if urgent { "high" } else { "normal" })
            .header("topic", topic)
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(Full::new(Bytes::from(body)))?;
        let stream = connect(endpoint).await?;
        if !endpoint.is_secure() {
            return exchange(stream, request).await;
        }
        let tls = self.tls.as_ref().map_err(Clone::clone)?;
        let name = ServerName::try_from(endpoint.host().to_owned())?;
        exchange(tls.connect(name, stream).await?, request).await
    }
}

/// What can fail on the way; only the sentence is of interest.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The first of its addresses that takes a connection.
async fn connect(endpoint: &Endpoint) -> Result<TcpStream, Failure> {
    Ok(TcpStream::connect(endpoint.addresses().await?.as_slice()).await?)
}

/// What the answer says stands in its head; the rest is not read, and the connection ends with it.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Response<hyper::body::Incoming>, Failure> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let answer = sender.send_request(request);
    tokio::pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => Ok(answer?),
        // A service may answer and hang up in one go; what it said is there all the same.
        ended = connection => {
            ended?;
            Ok(answer.await?)
        }
    }
}

/// What an answer means (RFC 8030, section 5 and 7.3).
fn read<T>(answer: &Response<T>, now: Timestamp) -> Sent {
    let status = answer.status();
    let said = || format!("it said {status}");
    match status {
        _ if status.is_success() => Sent::Taken,
        StatusCode::NOT_FOUND | StatusCode::GONE => Sent::Gone,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Sent::Later(after(answer, now), said())
        }
        _ if status.is_server_error() => Sent::Later(after(answer, now), said()),
        _ => Sent::Refused(said()),
    }
}

/// `Retry-After`: seconds, or a date.
fn after<T>(answer: &Response<T>, now: Timestamp) -> Option<Duration> {
    let text = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Duration::try_from(date.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, after: &str) -> Sent {
        let answer = Response::builder().status(status).header(RETRY_AFTER, after).body(()).unwrap();
        read(&answer, "2026-11-21T21:00:00Z".parse().unwrap())
    }

    #[test]
    fn an_answer_is_read_as_the_standard_says() {
        assert_eq!(answer(201, "0"), Sent::Taken);
        assert_eq!((answer(404, ""), answer(410, "")), (Sent::Gone, Sent::Gone));
        let later = |after| Sent::Later(after, "it said 503 Service Unavailable".to_owned());
        assert_eq!(answer(503, "120"), later(Some(Duration::from_secs(120))));
        assert_eq!(answer(503, "Sat, 21 Nov 2026 21:01:00 GMT"), later(Some(Duration::from_secs(60))));
        for nonsense in ["", "-1", "soon", "Sat, 21 Nov 2026 20:00:00 GMT"] {
            assert_eq!(answer(503, nonsense), later(None), "{nonsense}");
        }
        assert!(matches!(answer(429, "5"), Sent::Later(Some(_), _)));
        for status in [400, 401, 403, 413, 301, 302, 307] {
            assert!(matches!(answer(status, ""), Sent::Refused(_)), "{status}: nothing is sent elsewhere");
        }
    }
}
