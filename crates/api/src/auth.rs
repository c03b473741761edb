//! Who may ask. A page in a browser on this machine can send requests to loopback too, so an address proves nothing:
//! the token or the cookie of a device must be known, and Host and Origin must be ours.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State};
use axum::http::Method;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use subtle::ConstantTimeEq;

use crate::access::{Access, Known, Origin};
use crate::problem::ApiError;
use crate::types::{DeviceKind, Problem, ProblemKind};

/// Routes that are told to whoever reaches them with our Host: that the daemon lives, the public contract, and the page
/// that takes codes.
const OPEN_ROUTES: [&str; 3] = ["/healthz", "/openapi.json", "/v1/enter"];
/// What a proxy adds about whom it speaks for; the last entry is its own.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// How browsers say from where a page asks.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a request is held against.
pub(crate) struct Door {
    token: String,
    access: Access,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// A program of the person's own, which knows the token.
    Program,
    /// A browser that was let in.
    Device(Known),
}

/// Refuses what only the person at the machine itself may do: terminals, settings, pairing, exports, and the end of the
/// daemon.
pub(crate) fn owner_only(caller: &Caller) -> Result<(), Problem> {
    match caller {
        Caller::Device(Known { kind: DeviceKind::Paired, .. }) => {
            let hint = "do it at the machine that Divisi runs on: divisi open";
            Err(Problem::new(ProblemKind::Forbidden, "a paired device may not do this", hint))
        }
        Caller::Device(Known { kind: DeviceKind::Owner, .. }) | Caller::Program => Ok(()),
    }
}

impl Caller {
    /// Ends when the caller may no longer ask; for connections that outlive their request.
    pub(crate) async fn revoked(&self) {
        match self {
            Self::Device(known) => known.revoked.cancelled().await,
            Self::Program => std::future::pending().await,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| ApiError(unknown()))
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address(pub(crate) Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Address {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(Self(None)))
    }
}

impl Door {
    /// A door that knows this token and these devices.
    pub(crate) fn new(token: String, access: Access) -> Self {
        Self { token, access }
    }

    /// Who asks; none where nobody has to say so.
    fn check(
        &self,
        route: Option<&str>,
        path: &str,
        method: &Method,
        uri_host: Option<&str>,
        headers: &HeaderMap,
        from: Address,
    ) -> Result<Option<Caller>, Problem> {
        self.check_host(uri_host, headers)?;
        self.check_origin(headers)?;
        if is_open(route, path) {
            return Ok(None);
        }
        if headers.contains_key(header::AUTHORIZATION) {
            return self.check_token(headers).map(|()| Some(Caller::Program));
        }
        let known = self.access.recognise(&cookies(headers), from.0).ok_or_else(unknown)?;
        check_own_page(method, headers)?;
        Ok(Some(Caller::Device(known)))
    }

    /// A foreign Host means that a name of somebody else was made to point here (DNS rebinding).
    fn check_host(&self, uri_host: Option<&str>, headers: &HeaderMap) -> Result<(), Problem> {
        let named: Vec<_> =
            headers.get_all(header::HOST).iter().map(|value| value.to_str().unwrap_or("")).collect();
        let known = |host: &str| self.access.names().has_host(host);
        let ok = named.len() == 1 && named.iter().all(|host| known(host)) && uri_host.is_none_or(known);
        if ok { Ok(()) } else { Err(forbidden("the Host of the request is not this server")) }
    }

    /// Only browsers send an Origin, and no page but our own may ask.
    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let ours =
            |value: &HeaderValue| value.to_str().is_ok_and(|text| self.access.names().origin(text).is_some());
        if headers.get_all(header::ORIGIN).iter().all(ours) {
            return Ok(());
        }
        Err(forbidden("the Origin of the request is not this server"))
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or("");
        // The comparison takes the same time wherever the first wrong byte is.
        if bool::from(given.as_bytes().ct_eq(self.token.as_bytes())) { Ok(()) } else { Err(unknown()) }
    }

    /// Who is at the other end. A proxy on this machine says for whom it speaks, in the last entry of a list.
    fn from(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Address {
        let last = headers.get_all(FORWARDED_FOR).iter().next_back().and_then(|value| value.to_str().ok());
        let told = last.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
        let by_proxy = self.access.names().is_behind_proxy() && peer.is_some_and(|peer| peer.is_loopback());
        Address(if by_proxy { told.or(peer) } else { peer })
    }
}

/// Whether something tells nothing of anybody. What is no route is the empty dashboard, which asks for everything it shows by
/// itself.
fn is_open(route: Option<&str>, path: &str) -> bool {
    match route {
        Some(route) => OPEN_ROUTES.contains(&route),
        None => path != "/v1" && !path.starts_with("/v1/"),
    }
}

/// A browser sends a cookie along whichever page asks. So what changes something, and what stays open in both ways, must
/// say that it comes from a page of ours; and what only reads must not come from another site.
fn check_own_page(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let only_reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if (!only_reads || headers.contains_key(header::UPGRADE)) && !headers.contains_key(header::ORIGIN) {
        return Err(forbidden("the request does not say from which page it comes"));
    }
    let site = headers.get(FETCH_SITE).map(HeaderValue::as_bytes);
    match site {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(forbidden("the request comes from the page of another site")),
    }
}

/// The cookies of a request.
pub(crate) fn cookies(headers: &HeaderMap) -> Vec<&str> {
    headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).collect()
}

/// The origin of the page that asks, which the door has found to be ours.
pub(crate) fn origin<'a>(access: &'a Access, headers: &HeaderMap) -> Option<&'a Origin> {
    headers.get(header::ORIGIN).and_then(|value| access.names().origin(value.to_str().ok()?))
}

/// Refuses who may not ask, and tells browsers to treat every answer as data, unless the answer says otherwise.
pub(crate) async fn guard(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let from = door.from(peer, request.headers());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map(MatchedPath::as_str);
    let (uri, headers) = (request.uri(), request.headers());
    let uri_host = uri.authority().map(|authority| authority.as_str());
    let mut response = match door.check(route, uri.path(), request.method(), uri_host, headers, from) {
        Ok(caller) => {
            request.extensions_mut().insert(from);
            if let Some(caller) = &caller {
                request.extensions_mut().insert(caller.clone());
            }
            until_revoked(next.run(request).await, caller)
        }
        Err(problem) => ApiError(problem).into_response(),
    };
    let headers = response.headers_mut();
    // The dashboard's files say themselves what they may do and how long they stay true.
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

/// A live feed of a device ends in the moment in which the device is revoked.
fn until_revoked(response: Response, caller: Option<Caller>) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_feed = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    match caller {
        Some(caller) if is_feed => response.map(|body| {
            let revoked = async move { caller.revoked().await };
            axum::body::Body::from_stream(body.into_data_stream().take_until(revoked))
        }),
        _ => response,
    }
}

fn unknown() -> Problem {
    let hint =
        "divisi open lets a browser in; a program sends the token in daemon.json in Divisi's state folder";
    Problem::new(ProblemKind::Unauthorized, "the token is missing or wrong", hint)
}

fn forbidden(message: &str) -> Problem {
    Problem::new(
        ProblemKind::Forbidden,
        message,
        "Divisi answers only its own pages and programs that know its token",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Keep;
    use crate::types::{EnterRequest, EntryRequest};

    struct Nowhere;

    impl Keep for Nowhere {
        fn load(&self) -> std::io::Result<Option<Vec<u8>>> {
            Ok(None)
        }

        fn save(&self, _bytes: &[u8]) -> std::io::Result<()> {
            Ok(())
        }
    }

    const HOST: (HeaderName, &str) = (header::HOST, "127.0.0.1:4000");
    const AWAY: (HeaderName, &str) = (header::HOST, "divisi.example.net");
    const TOKEN: (HeaderName, &str) = (header::AUTHORIZATION, "Bearer secret");
    const OWN_PAGE: (HeaderName, &str) = (header::ORIGIN, "http://localhost:4000");

    fn door(remote: bool) -> Door {
        let address = SocketAddr::from(([127, 0, 0, 1], 4000));
        let origins = remote.then(|| "https://divisi.example.net".parse().unwrap());
        let access = Access::open(Arc::new(Nowhere), address, origins.as_slice()).unwrap();
        Door::new("secret".to_owned(), access)
    }

    fn map(headers: &[(HeaderName, &str)]) -> HeaderMap {
        let pairs = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        pairs.collect()
    }

    fn ask(
        door: &Door,
        method: &Method,
        route: &str,
        headers: &[(HeaderName, &str)],
    ) -> Result<(), ProblemKind> {
        let checked = door.check(Some(route), route, method, None, &map(headers), Address(None));
        checked.map(drop).map_err(|problem| problem.kind)
    }

    fn check(route: &str, headers: &[(HeaderName, &str)]) -> Result<(), ProblemKind> {
        ask(&door(false), &Method::GET, route, headers)
    }

    async fn cookie(door: &Door, kind: DeviceKind) -> String {
        let code = door.access.entry(&EntryRequest { kind, name: None }).unwrap().code;
        let entered = door.access.enter(&EnterRequest { code, name: None }, &[], None, false).await.unwrap();
        entered.cookie.split(';').next().unwrap().to_owned()
    }

    #[test]
    fn the_right_token_and_host_may_ask() {
        assert_eq!(check("/v1/tasks", &[HOST, TOKEN]), Ok(()));
        assert_eq!(check("/v1/tasks", &[(header::HOST, "localhost:4000"), TOKEN]), Ok(()));
        assert_eq!(check("/v1/tasks", &[(header::HOST, "[::1]:4000"), TOKEN]), Ok(()));
        assert_eq!(check("/v1/tasks", &[HOST, TOKEN, OWN_PAGE]), Ok(()));
    }

    #[test]
    fn a_route_is_closed_unless_it_is_named_open() {
        for route in ["/v1/tasks", "/metrics", "/v1/devices/{id}", "/anything"] {
            assert!(!is_open(Some(route), route), "{route}");
        }
        assert!(
            is_open(Some("/v1/enter"), "/v1/enter") && is_open(None, "/tasks/t1") && is_open(None, "/v12")
        );
        assert!(!is_open(None, "/v1") && !is_open(None, "/v1/nothing"));
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
        for host in [
            "evil.example",
            "127.0.0.1",
            "127.0.0.1:4001",
            "localhost:4000.evil.example",
            "divisi.example.net",
            "",
        ] {
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

    #[test]
    fn a_name_elsewhere_is_answered_only_when_it_was_named() {
        let door = door(true);
        let ask = |headers: &[(HeaderName, &str)]| ask(&door, &Method::GET, "/v1/tasks", headers);
        assert_eq!(ask(&[AWAY, TOKEN]), Ok(()));
        assert_eq!(ask(&[AWAY, TOKEN, (header::ORIGIN, "https://divisi.example.net")]), Ok(()));
        for origin in
            ["http://divisi.example.net", "https://divisi.example.net.evil.example", "https://example.net"]
        {
            assert_eq!(
                ask(&[AWAY, TOKEN, (header::ORIGIN, origin)]),
                Err(ProblemKind::Forbidden),
                "{origin}"
            );
        }
        let rebound = (header::HOST, "divisi.example.net:4000");
        assert_eq!(ask(&[rebound, TOKEN]), Err(ProblemKind::Forbidden));
    }

    #[tokio::test]
    async fn a_cookie_reads_and_changes_only_from_a_page_of_ours() {
        let door = door(false);
        let cookie = cookie(&door, DeviceKind::Owner).await;
        let cookie = (header::COOKIE, cookie.as_str());
        let site = |site: &'static str| (FETCH_SITE, site);
        let upgrade = (header::UPGRADE, "websocket");
        let (get, post) = (Method::GET, Method::POST);
        let evil = (header::ORIGIN, "http://evil.example");
        for (method, headers, wanted) in [
            (&get, vec![], Ok(())),
            (&get, vec![site("same-origin")], Ok(())),
            (&get, vec![site("none")], Ok(())),
            (&get, vec![site("same-site")], Err(ProblemKind::Forbidden)),
            (&get, vec![site("cross-site")], Err(ProblemKind::Forbidden)),
            (&get, vec![upgrade.clone()], Err(ProblemKind::Forbidden)),
            (&get, vec![upgrade.clone(), evil.clone()], Err(ProblemKind::Forbidden)),
            (&get, vec![upgrade, OWN_PAGE], Ok(())),
            (&post, vec![], Err(ProblemKind::Forbidden)),
            (&post, vec![evil], Err(ProblemKind::Forbidden)),
            (&post, vec![OWN_PAGE], Ok(())),
            (&post, vec![OWN_PAGE, site("same-site")], Err(ProblemKind::Forbidden)),
            (&Method::DELETE, vec![], Err(ProblemKind::Forbidden)),
            (&Method::CONNECT, vec![], Err(ProblemKind::Forbidden)),
            // Whoever sends a token is held to it, whatever else is sent along.
            (&get, vec![(header::AUTHORIZATION, "Bearer wrong")], Err(ProblemKind::Unauthorized)),
        ] {
            let all = [vec![HOST, cookie.clone()], headers].concat();
            assert_eq!(ask(&door, method, "/v1/tasks", &all), wanted, "{method} {all:?}");
        }
        let other = (header::COOKIE, "divisi-4000=0000");
        assert_eq!(ask(&door, &get, "/v1/tasks", &[HOST, other]), Err(ProblemKind::Unauthorized));
    }

    #[tokio::test]
    async fn what_is_the_owners_is_refused_to_a_paired_device() {
        let door = door(false);
        for (kind, wanted) in [(DeviceKind::Owner, true), (DeviceKind::Paired, false)] {
            let cookie = cookie(&door, kind).await;
            let headers = map(&[HOST, (header::COOKIE, &cookie)]);
            let caller = door
                .check(Some("/v1/tasks"), "/v1/tasks", &Method::GET, None, &headers, Address(None))
                .unwrap();
            assert_eq!(owner_only(&caller.unwrap()).is_ok(), wanted, "{kind:?}");
        }
        assert!(owner_only(&Caller::Program).is_ok());
    }

    #[test]
    fn only_a_proxy_on_this_machine_is_believed_for_whom_it_speaks() {
        let headers = map(&[(FORWARDED_FOR, "1.2.3.4, 10.0.0.9")]);
        let (here, away, told) = ([127, 0, 0, 1].into(), [192, 168, 0, 7].into(), [10, 0, 0, 9].into());
        for (remote, peer, wanted) in [(true, here, told), (true, away, away), (false, here, here)] {
            assert_eq!(door(remote).from(Some(peer), &headers).0, Some(wanted));
        }
    }
}
