//! Browsers are let in by a code, recognised by a cookie, and revoked.

use divisi_api::types::{DeviceKind, EntryRequest};
use divisi_testkit::TestEnv;
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::Running;

/// A page of ours in a browser that keeps its cookie.
pub struct Page {
    http: reqwest::Client,
    pub base: String,
    pub cookie: Option<String>,
}

impl Page {
    pub fn new(server: &Running<'_>) -> Self {
        Self { http: reqwest::Client::new(), base: format!("http://{}", server.address), cookie: None }
    }

    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Response {
        let request = self.http.request(method, format!("{}{path}", self.base)).header("origin", &self.base);
        let request = self.cookie.iter().fold(request, |request, cookie| request.header("cookie", cookie));
        let request = body.iter().fold(request, |request, body| request.json(body));
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> u16 {
        self.ask(Method::GET, path, None).await.status().as_u16()
    }

    /// Enters with a new code; what the daemon says of this device.
    pub async fn enter(&mut self, server: &Running<'_>, kind: DeviceKind) -> Value {
        let code = server.client.entry(&EntryRequest { kind, name: None }).await.unwrap().code;
        self.enter_by(&code).await.unwrap()
    }

    async fn enter_by(&mut self, code: &str) -> Result<Value, u16> {
        let body = json!({ "code": code, "name": "Firefox\n on Linux" });
        let answer = self.ask(Method::POST, "/v1/enter", Some(body)).await;
        if !answer.status().is_success() {
            return Err(answer.status().as_u16());
        }
        let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(set.contains("; HttpOnly; SameSite=Strict") && !set.contains("Secure"), "{set}");
        self.cookie = Some(set.split(';').next().unwrap().to_owned());
        Ok(answer.json().await.unwrap())
    }
}

#[tokio::test]
async fn a_link_lets_one_browser_in_once() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let mut page = Page::new(&server);
    assert_eq!(page.get("/v1/tasks").await, 401);
    let entry = server.client.entry(&EntryRequest::default()).await.unwrap();
    let (base, code) = entry.link.split_once("/enter#").unwrap();
    assert!(base.starts_with("http://divisi-") && base.contains(".localhost:"), "{base}");
    assert_eq!((code, entry.remote), (entry.code.as_str(), false));
    let device = page.enter_by(&entry.code).await.unwrap();
    assert_eq!((&device["name"], &device["kind"]), (&json!("Firefox on Linux"), &json!("owner")));
    assert_eq!(device["address"], "127.0.0.1");
    assert_eq!(page.get("/v1/tasks").await, 200);
    assert_eq!(Page::new(&server).enter_by(&entry.code).await, Err(401), "a second browser");
    let body = json!({ "root": server.repo.path(), "prompt": "x", "agents": ["rehearsal"] });
    assert_eq!(page.ask(Method::POST, "/v1/tasks", Some(body.clone())).await.status(), 201);
    let kept = std::fs::read_to_string(env.join("data/devices.json")).unwrap();
    let secret = page.cookie.as_deref().unwrap().split_once('=').unwrap().1;
    assert!(!kept.contains(secret) && kept.contains("Firefox"), "only hashes are kept: {kept}");
    // The same with a page of another site, and with none.
    for origin in [Some("http://evil.example"), Some("http://127.0.0.1:1"), None] {
        let request = page.http.post(format!("{}/v1/tasks", page.base)).json(&body);
        let request = request.header("cookie", page.cookie.as_deref().unwrap());
        let request = origin.iter().fold(request, |request, origin| request.header("origin", *origin));
        assert_eq!(request.send().await.unwrap().status(), 403, "{origin:?}");
    }
    server.end().await;
}

#[tokio::test]
async fn a_device_stays_known_after_a_restart_and_comes_in_anew_as_one() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let mut page = Page::new(&server);
    page.enter(&server, DeviceKind::Paired).await;
    page.enter(&server, DeviceKind::Owner).await;
    assert_eq!(server.client.devices().await.unwrap().len(), 1, "the same browser");
    let server = server.restart().await;
    let devices = server.client.devices().await.unwrap();
    assert_eq!((devices.len(), devices[0].kind), (1, DeviceKind::Owner));
    // The port is another one here, and the cookie is named by it.
    let mut again = Page::new(&server);
    let (_, secret) = page.cookie.as_deref().unwrap().split_once('=').unwrap();
    let port = server.address.rsplit(':').next().unwrap();
    again.cookie = Some(format!("divisi-{port}={secret}"));
    assert_eq!(again.get("/v1/tasks").await, 200);
    server.end().await;
}

#[tokio::test]
async fn who_is_revoked_is_out_at_once() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let mut page = Page::new(&server);
    let device = page.enter(&server, DeviceKind::Paired).await;
    let mut feed = page.ask(Method::GET, "/v1/events?after=0", None).await;
    server.client.add_task(&server.new_task("one"), "1").await.unwrap();
    assert!(feed.chunk().await.unwrap().is_some());
    server.client.revoke(device["id"].as_str().unwrap()).await.unwrap();
    while let Ok(Some(_)) = feed.chunk().await {}
    assert_eq!(page.get("/v1/tasks").await, 401);
    assert_eq!(server.client.devices().await.unwrap(), []);
    server.end().await;
}

#[tokio::test]
async fn the_log_names_the_paired_device_that_did_something_also_when_it_is_gone() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let (mut desk, mut phone) = (Page::new(&server), Page::new(&server));
    desk.enter(&server, DeviceKind::Owner).await;
    let device = phone.enter(&server, DeviceKind::Paired).await;
    let staged = divisi_api::types::NewTask { stage: true, ..server.new_task("one") };
    server.client.add_task(&staged, "1").await.unwrap();
    for (page, verb) in [(&phone, "archive"), (&desk, "restore")] {
        let answer = page.ask(Method::POST, &format!("/v1/tasks/t1/{verb}"), None).await;
        assert!(answer.status().is_success(), "{verb}");
    }
    server.client.revoke(device["id"].as_str().unwrap()).await.unwrap();
    server.client.archive("t1").await.unwrap();
    let mut feed = server.client.follow_events(0);
    let mut devices = Vec::new();
    while devices.len() < 4 {
        let event = feed.next().await.unwrap();
        if ["task_added", "task_archived", "task_restored"].contains(&event.kind.as_str()) {
            assert_eq!(event.actor.name.as_deref(), Some("Ada"), "{}", event.kind);
            devices.push(event.actor.device);
        }
    }
    assert_eq!(devices, [None, Some("Firefox on Linux".to_owned()), None, None]);
    server.end().await;
}

#[tokio::test]
async fn a_paired_device_may_not_do_what_is_the_owners() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let (mut desk, mut phone) = (Page::new(&server), Page::new(&server));
    let desk_device = desk.enter(&server, DeviceKind::Owner).await;
    let phone_device = phone.enter(&server, DeviceKind::Paired).await;
    let revoke = |device: &Value| format!("/v1/devices/{}", device["id"].as_str().unwrap());
    for (method, path, body) in [
        (Method::POST, "/v1/entries", json!({})),
        (Method::POST, "/v1/export", json!({ "file": "/nonexistent/x" })),
        (Method::POST, "/v1/shutdown", json!({})),
        (Method::GET, "/v1/settings", json!({})),
        (Method::GET, "/v1/settings/user", json!({})),
        (Method::PUT, "/v1/settings/user", json!({ "text": "", "hash": "" })),
        (Method::POST, "/v1/settings/user/check", json!({ "text": "" })),
        (Method::DELETE, revoke(&desk_device).as_str(), json!({})),
    ] {
        let answer = phone.ask(method, path, Some(body)).await;
        assert_eq!(answer.status(), 403, "{path}");
        assert!(answer.text().await.unwrap().contains("a paired device may not do this"), "{path}");
    }
    let seen: Vec<Value> = phone.ask(Method::GET, "/v1/devices", None).await.json().await.unwrap();
    let current: Vec<_> = seen.iter().filter(|device| device["current"] == true).collect();
    assert_eq!((seen.len(), &current[0]["id"]), (2, &phone_device["id"]));
    assert_eq!(phone.ask(Method::DELETE, &revoke(&phone_device), None).await.status(), 204, "itself it may");
    assert_eq!((phone.get("/v1/tasks").await, desk.get("/v1/tasks").await), (401, 200));
    server.end().await;
}

#[tokio::test]
async fn links_for_other_machines_lead_to_the_named_origin_whose_cookie_is_secure() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let request = EntryRequest { kind: DeviceKind::Paired, name: Some("phone".into()) };
    let entry = server.client.entry(&request).await.unwrap();
    assert!(entry.remote && entry.link.starts_with("https://divisi.example.net/enter#"), "{}", entry.link);
    let enter = |host: &'static str, origin: &'static str| {
        let request = reqwest::Client::new().post(format!("http://{}/v1/enter", server.address));
        let request = request.header("host", host).header("origin", origin);
        request.header("x-forwarded-for", "10.9.9.9").json(&json!({ "code": entry.code })).send()
    };
    for (host, origin) in [
        ("evil.example", "https://divisi.example.net"),
        ("divisi.example.net", "http://divisi.example.net"),
        ("divisi.example.net", "https://evil.example"),
    ] {
        assert_eq!(enter(host, origin).await.unwrap().status(), 403, "{host} {origin}");
    }
    let entered = enter("divisi.example.net", "https://divisi.example.net").await.unwrap();
    assert!(entered.headers()["set-cookie"].to_str().unwrap().ends_with("; Secure"));
    let device: Value = entered.json().await.unwrap();
    assert_eq!((&device["name"], &device["address"]), (&json!("phone"), &json!("10.9.9.9")));
    server.end().await;
}

#[tokio::test]
async fn wrong_codes_are_heard_for_a_while_only() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let mut page = Page::new(&server);
    let mut last = 401;
    for n in 0..12 {
        last = page.enter_by(&n.to_string()).await.unwrap_err();
    }
    assert_eq!(last, 429);
    server.end().await;
}

#[tokio::test]
async fn settings_are_changed_as_text_by_who_read_them_last() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let mut page = Page::new(&server);
    page.enter(&server, DeviceKind::Owner).await;
    let project = server.client.projects().await.unwrap();
    assert_eq!(project.len(), 0);
    let listed: Value = page.ask(Method::GET, "/v1/settings", None).await.json().await.unwrap();
    assert_eq!(listed["parallel"], 4);
    let ids: Vec<_> = listed["files"].as_array().unwrap().iter().map(|file| file["id"].clone()).collect();
    assert_eq!(ids, [json!("user"), json!("dashboard"), json!("agent-mine")]);
    let write = async |text: &str, hash: &str| {
        let body = json!({ "text": text, "hash": hash });
        let answer = page.ask(Method::PUT, "/v1/settings/user", Some(body)).await;
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, first) = write("a = 1\n", "").await;
    assert_eq!((status, &first["text"]), (200, &json!("a = 1\n")));
    assert_eq!(write("a = 2\n", "").await.0, 409, "somebody else made the file meanwhile");
    let hash = first["hash"].as_str().unwrap();
    let (status, problem) = write("wrong", hash).await;
    assert_eq!((status, &problem["message"]), (400, &json!("line 1: wrong")));
    assert_eq!(write("a = 2\n", hash).await.0, 200);
    assert_eq!(write("a = 3\n", hash).await.0, 409);
    let check = page.ask(Method::POST, "/v1/settings/user/check", Some(json!({ "text": "wrong" }))).await;
    assert_eq!(check.json::<Value>().await.unwrap()["problem"]["line"], 1);
    for id in ["nothing", "project-1", "project-00000000-0000-0000-0000-000000000000"] {
        assert_eq!(page.get(&format!("/v1/settings/{id}")).await, 404, "{id}");
    }
    server.end().await;
}

#[tokio::test]
async fn what_was_chosen_for_the_dashboard_is_read_by_every_device_and_changed_by_the_owner() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let mut phone = Page::new(&server);
    phone.enter(&server, DeviceKind::Paired).await;
    assert_eq!(phone.get("/v1/settings/dashboard").await, 200);
    let body = json!({ "text": "{}", "hash": "" });
    let refused = phone.ask(Method::PUT, "/v1/settings/dashboard", Some(body)).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(phone.get("/v1/settings/nothing").await, 403, "it is not told which others there are");
    server.end().await;
}
