//! Who is refused, and how.

use divisi_testkit::TestEnv;

use crate::server::{Running, TOKEN};

#[tokio::test]
async fn every_route_but_two_needs_the_token() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    for path in [
        "/v1/tasks",
        "/v1/tasks/t1",
        "/v1/inbox",
        "/v1/events",
        "/v1/health",
        "/v1/devices",
        "/metrics",
        "/v1/nothing",
    ] {
        let (status, _, body) = server.raw(path, &[]).await;
        assert_eq!(status, 401, "{path}");
        assert!(body.contains("\"unauthorized\""), "{body}");
        let (status, ..) = server.raw(path, &[("authorization", "Bearer wrong")]).await;
        assert_eq!(status, 401, "{path}");
    }
    for path in ["/healthz", "/openapi.json"] {
        assert_eq!(server.raw(path, &[]).await.0, 200, "{path}");
    }
    server.end().await;
}

#[tokio::test]
async fn a_page_of_somebody_else_is_refused_even_with_the_token() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let bearer = format!("Bearer {TOKEN}");
    let token = ("authorization", bearer.as_str());
    let own = format!("http://{}", server.address);
    for (headers, wanted) in [
        (vec![token, ("origin", "http://evil.example")], 403),
        (vec![token, ("origin", "null")], 403),
        (vec![token, ("host", "evil.example")], 403),
        (vec![token, ("origin", own.as_str())], 200),
    ] {
        let (status, answer, _) = server.raw("/v1/tasks", &headers).await;
        assert_eq!(status, wanted, "{headers:?}");
        assert!(!answer.keys().any(|name| name.as_str().starts_with("access-control-")), "{answer:?}");
    }
    // A rebound name reaches not even what needs no token.
    assert_eq!(server.raw("/healthz", &[("host", "evil.example")]).await.0, 403);
    server.end().await;
}

#[tokio::test]
async fn every_answer_tells_browsers_to_take_it_as_data() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    for path in ["/healthz", "/v1/tasks"] {
        let (_, headers, _) = server.raw(path, &[]).await;
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
    }
    server.end().await;
}

#[tokio::test]
async fn a_request_that_is_no_json_or_too_long_is_refused_with_a_problem() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let post = |body: Vec<u8>, kind: &'static str| {
        let request = reqwest::Client::new().post(format!("http://{}/v1/tasks", server.address));
        request.bearer_auth(TOKEN).header("content-type", kind).body(body).send()
    };
    // A form of another page can send text, but never JSON, without asking us first.
    let as_text = post(b"{}".to_vec(), "text/plain").await.unwrap();
    assert_eq!(as_text.status(), 400);
    let nonsense =
        post(b"{\"root\":\"/\",\"prompt\":\"x\",\"agnets\":[]}".to_vec(), "application/json").await.unwrap();
    assert_eq!(nonsense.status(), 400);
    assert!(nonsense.text().await.unwrap().contains("agnets"));
    let long = post(vec![b' '; 8 * 1024 * 1024], "application/json").await.unwrap();
    assert_eq!(long.status(), 413);
    assert!(long.text().await.unwrap().contains("too_large"));
    server.end().await;
}
