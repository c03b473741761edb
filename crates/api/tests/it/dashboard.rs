//! The dashboard's own files, as a browser asks for them.

use std::borrow::Cow;
use std::io::Write;

use divisi_api::Page;
use divisi_testkit::TestEnv;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::server::Running;

/// A dashboard of two files.
fn files(path: &str) -> Option<Page> {
    let (mime, text, immutable) = match path {
        "/index.html" => ("text/html", "the shell", false),
        "/assets/a-1.js" => ("text/javascript", "a script", true),
        _ => return None,
    };
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(text.as_bytes()).unwrap();
    Some(Page { mime: mime.to_owned(), gzip: Cow::Owned(packer.finish().unwrap()), immutable })
}

#[tokio::test]
async fn every_address_shows_the_shell_and_nothing_else_is_open() {
    let env = TestEnv::new();
    let server = Running::with_dashboard(&env, Some(files)).await;
    for path in ["/", "/inbox", "/tasks/t1", "/review/t1.2"] {
        let (status, headers, body) = server.raw(path, &[]).await;
        assert_eq!((status, body.as_str()), (200, "the shell"), "{path}");
        assert_eq!(headers["content-type"], "text/html");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(headers["cache-control"], "no-store");
    }
    let (_, headers, body) = server.raw("/assets/a-1.js", &[("accept-encoding", "br, gzip")]).await;
    assert_eq!(headers["content-encoding"], "gzip");
    assert!(headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert_ne!(body, "a script");
    for path in ["/assets/gone.js", "/favicon.ico"] {
        assert_eq!(server.raw(path, &[]).await.0, 404, "{path}");
    }
    for path in ["/v1/nothing", "/v1", "/metrics", "/v1/live"] {
        assert_eq!(server.raw(path, &[]).await.0, 401, "{path}");
    }
    server.end().await;
}

#[tokio::test]
async fn a_daemon_without_a_dashboard_says_so() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let (status, _, body) = server.raw("/", &[]).await;
    assert_eq!((status, body.as_str()), (404, "This daemon was built without the dashboard.\n"));
    server.end().await;
}
