//! Images of prompts over the wire.

use divisi_api::types::{ImageRequest, NewTask, ProblemKind};
use divisi_testkit::TestEnv;

use crate::server::{Running, TOKEN};

const GIF: &[u8] = b"GIF89a\x01\0\x01\0\0\0\0;";

#[tokio::test]
async fn an_image_is_stored_once_and_served_so_that_nothing_in_it_can_act() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let client = &server.client;
    let stored = client.store_image("../shot of me.png", GIF.to_vec()).await.unwrap();
    assert_eq!((stored.media_type.as_str(), stored.name.as_str()), ("image/gif", "shot of me.png"));
    assert_eq!(client.store_image("other.gif", GIF.to_vec()).await.unwrap().hash, stored.hash);

    let path = format!("/v1/images/{}", stored.hash);
    assert_eq!(server.raw(&path, &[]).await.0, 401);
    let bearer = format!("Bearer {TOKEN}");
    let (status, headers, _) = server.raw(&path, &[("authorization", bearer.as_str())]).await;
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "image/gif");
    assert_eq!(headers["content-security-policy"], "sandbox; default-src 'none'");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    for wrong in ["/v1/images/abc", "/v1/images/..%2F..%2Fdaemon.json"] {
        assert_eq!(server.raw(wrong, &[("authorization", bearer.as_str())]).await.0, 400, "{wrong}");
    }
    let absent = format!("/v1/images/{}", "0".repeat(64));
    assert_eq!(server.raw(&absent, &[("authorization", bearer.as_str())]).await.0, 404);

    let named = ImageRequest::from(&stored);
    let new = NewTask { stage: true, images: vec![named.clone()], ..server.new_task("as in the picture") };
    let task = client.add_task(&new, "k").await.unwrap();
    assert_eq!(task.images, [stored]);
    let lost = NewTask { images: vec![ImageRequest { hash: "0".repeat(64), ..named }], ..new };
    let error = client.add_task(&lost, "l").await.unwrap_err();
    assert!(error.to_string().contains("no such image"), "{error}");
    server.end().await;
}

#[tokio::test]
async fn what_is_no_image_or_too_large_is_refused() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let kind = |error: divisi_api::ClientError| match error {
        divisi_api::ClientError::Problem(problem) => problem.kind,
        other => panic!("{other}"),
    };
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec();
    assert_eq!(kind(server.client.store_image("a.png", svg).await.unwrap_err()), ProblemKind::BadInput);
    let large = [GIF, &vec![0; 4 * 1024 * 1024]].concat();
    assert_eq!(kind(server.client.store_image("a.gif", large).await.unwrap_err()), ProblemKind::Limit);
    server.end().await;
}
