//! The dashboard's own files. They hold no data: the page asks for all it shows, as any client does.

use std::io::Read;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;

use crate::problem::ApiError;
use crate::server::{App, Page};
use crate::types::{Problem, ProblemKind};

/// What a page of the dashboard may do: load what this daemon serves and talk to this daemon, nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The shell: every address of the dashboard shows it.
const SHELL: &str = "/index.html";

/// A file of the dashboard, its shell for every address that is not one of a file, or the word that there is no such page.
pub(crate) async fn page(State(app): State<App>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    let is_data = path == "/v1" || path.starts_with("/v1/");
    if is_data || !matches!(method, Method::GET | Method::HEAD) {
        return nothing();
    }
    let Some(dashboard) = app.dashboard else { return without_dashboard() };
    // Files lie below `assets` and at the top; the handle of an attempt has a dot too.
    let at_top = path.trim_start_matches('/');
    let is_file = path.starts_with("/assets/") || (at_top.contains('.') && !at_top.contains('/'));
    match dashboard(path).or_else(|| dashboard(SHELL).filter(|_| !is_file)) {
        Some(page) => send(page, &headers),
        None => nothing(),
    }
}

fn send(page: Page, asked: &HeaderMap) -> Response {
    let unpacks = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.contains("gzip"));
    let packed = asked.get_all(header::ACCEPT_ENCODING).iter().any(unpacks);
    let body = if packed {
        Ok(page.gzip.into_owned())
    } else {
        let mut plain = Vec::new();
        GzDecoder::new(page.gzip.as_ref()).read_to_end(&mut plain).map(|_| plain)
    };
    let Ok(body) = body else {
        let broken = Problem::new(ProblemKind::Internal, "a file of the dashboard cannot be unpacked", "");
        return ApiError(broken).into_response();
    };
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    let mime = HeaderValue::from_str(&page.mime);
    headers
        .insert(header::CONTENT_TYPE, mime.unwrap_or(HeaderValue::from_static("application/octet-stream")));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if page.immutable {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    }
    response
}

fn nothing() -> Response {
    ApiError(Problem::not_found("there is no such page", "/openapi.json lists them")).into_response()
}

fn without_dashboard() -> Response {
    let words = "This daemon was built without the dashboard.\n";
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], words).into_response()
}
