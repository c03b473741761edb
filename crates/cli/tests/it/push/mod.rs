//! Notices to browsers whose page is closed, from a real daemon to a push service on loopback.

mod page;
mod service;

use divisi_testkit::{Repo, TestEnv};
use page::{Page, subscription};
use serde_json::{Value, json};
use service::Service;

/// Asks twice, so that something happens after the first answer too, and then has something to show.
const ASK: &str = "\
Tidy up the shop

```rehearsal
ask delete \"Delete secret.txt?\"
ask delete \"Delete other.txt?\"
  allowed
    delete README.md
```
";

fn configure(env: &TestEnv, push: &str) {
    std::fs::create_dir_all(env.home().join(".config/divisi")).unwrap();
    let text = format!("parallel = 8\n[push]\nsubject = \"mailto:ada@example.net\"\n{push}\n");
    std::fs::write(env.home().join(".config/divisi/config.toml"), text).unwrap();
}

fn project(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    repo.file("README.md", "shop\n").commit("first");
    repo
}

fn give(env: &TestEnv, repo: &Repo<'_>, prompt: &str) {
    let run = env.divisi().in_folder(repo.path());
    let run = run.args(["run", "--agent", "rehearsal", "--permissions", "ask", "-"]).input(prompt).run();
    run.require_success();
}

fn approve(env: &TestEnv, item: &str) {
    env.divisi().args(["approve", item]).run().require_success();
}

fn stop(env: &TestEnv) {
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn a_closed_page_is_told_once_what_needs_its_person_also_over_a_restart() {
    let env = TestEnv::new();
    configure(&env, "local_services = true");
    let (repo, service) = (project(&env), Service::start());
    let page = Page::enter(&env, &["open", "--print"]);
    let key = page.push()["key"].as_str().unwrap().to_owned();
    assert_eq!(page.push()["subscription"], Value::Null);
    page.subscribe(&service, None);
    give(&env, &repo, ASK);
    let first = service.message(0);
    assert_eq!(first.path, format!("/send/{}", page.device));
    let header = |name: &str| first.headers.get(name).map(String::as_str);
    assert_eq!(
        [header("ttl"), header("urgency"), header("content-encoding")],
        [Some("86400"), Some("high"), Some("aes128gcm")]
    );
    assert_eq!(header("topic").unwrap().len(), 32);
    let claims = first.claims(&key);
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!(service.base), &json!("mailto:ada@example.net")));
    let notice = first.open();
    let wanted = json!({ "id": "t1#1", "title": "t1: A permission is asked for", "body": "Tidy up the shop",
        "path": "/tasks/t1", "since": notice["since"] });
    assert_eq!(notice, wanted, "and nothing that the agent said");
    let listed = env.divisi().args(["devices", "--json"]).run().json();
    assert_eq!(listed[0]["push"], true);
    divisi_testkit::wait_until("it is noted", || page.push()["subscription"]["told"].is_string());
    stop(&env);
    // The next command starts the daemon anew, which looks what was told already.
    approve(&env, "t1#1");
    assert_eq!(service.message(1).open()["id"], "t1#2", "the first is not told again");
    assert_eq!(service.message(1).headers["topic"], first.headers["topic"], "the same task replaces itself");
    assert_eq!(page.push()["key"], key.as_str());
    use std::os::unix::fs::PermissionsExt;
    let kept = env.home().join(".local/share/divisi/push.key");
    assert_eq!(std::fs::metadata(kept).unwrap().permissions().mode() & 0o777, 0o600);
    stop(&env);
}

#[test]
fn a_service_that_is_down_is_asked_again_and_one_that_has_forgotten_is_not() {
    let env = TestEnv::new();
    configure(&env, "local_services = true");
    let (repo, service) = (project(&env), Service::start());
    let page = Page::enter(&env, &["open", "--print"]);
    page.subscribe(&service, None);
    service.answers(503);
    give(&env, &repo, ASK);
    assert_eq!(service.message(0).open()["id"], "t1#1");
    let trouble = || page.push()["subscription"]["trouble"].clone();
    divisi_testkit::wait_until("the trouble is told", || trouble() == "it said 503 Service Unavailable");
    service.answers(201);
    let seen = service.count();
    assert_eq!(service.message(seen).open()["id"], "t1#1", "tried again when the service had said");
    divisi_testkit::wait_until("the trouble is over", || trouble() == Value::Null);
    service.answers(410);
    approve(&env, "t1#1");
    divisi_testkit::wait_until("it is given up", || page.push()["subscription"] == Value::Null);
    stop(&env);
}

#[test]
fn what_is_seen_not_wanted_or_not_let_in_is_not_told() {
    let env = TestEnv::new();
    configure(&env, "local_services = true");
    let (repo, service) = (project(&env), Service::start());
    let (looks, other) = (Page::enter(&env, &["open", "--print"]), Page::enter(&env, &["open", "--print"]));
    looks.subscribe(&service, None);
    other.subscribe(&service, Some(json!({ "kinds": ["review", "landed"] })));
    let look = |looking: bool| looks.ask("PUT", "/v1/push/looking", Some(&json!({ "looking": looking }))).0;
    assert_eq!(look(true), 204);
    let kept = env.home().join(".local/state/divisi/push.json");
    let settled = || {
        let kept: Value = serde_json::from_slice(&std::fs::read(&kept).unwrap()).unwrap();
        kept["entries"].as_array().unwrap().iter().map(|entry| entry["settled"].clone()).collect::<Vec<_>>()
    };
    let before = settled();
    give(&env, &repo, ASK);
    let all_new = || settled().iter().zip(&before).all(|(now, before)| now != before);
    divisi_testkit::wait_until("the first item is settled for both", all_new);
    assert_eq!((service.count(), look(false)), (0, 204));
    approve(&env, "t1#1");
    assert_eq!(service.message(0).open()["id"], "t1#2");
    assert_eq!(service.message(0).path, format!("/send/{}", looks.device));
    env.divisi().args(["devices", "revoke", &looks.device]).run().require_success();
    assert_eq!(looks.ask("GET", "/v1/push", None).0, 401);
    approve(&env, "t1#2");
    let review = service.message(1);
    assert_eq!(
        (review.path.clone(), review.open()["path"].clone()),
        (format!("/send/{}", other.device), json!("/review/t1"))
    );
    assert_eq!(settled().len(), 1, "with a device its subscription goes");
    assert_eq!(other.ask("DELETE", "/v1/push", None).0, 204);
    assert_eq!(settled().len(), 0);
    stop(&env);
}

#[test]
fn a_test_comes_at_once_and_many_notices_come_as_one() {
    let env = TestEnv::new();
    configure(&env, "local_services = true");
    let (repo, service) = (project(&env), Service::start());
    let page = Page::enter(&env, &["open", "--print"]);
    assert_eq!(page.ask("POST", "/v1/push/test", None).0, 404, "it is not subscribed");
    page.subscribe(&service, None);
    assert_eq!(page.ask("POST", "/v1/push/test", None).0, 204);
    assert_eq!(service.message(0).open()["id"], "test");
    service.answers(403);
    let (status, problem) = page.ask("POST", "/v1/push/test", None);
    assert_eq!((status, problem["kind"].as_str()), (409, Some("wrong_state")), "{problem}");
    // Nothing is told in hours that never end; then everything at once.
    let hour = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).hour();
    let quiet = json!({ "from": hour, "to": (hour + 23) % 24, "zone": "UTC" });
    page.subscribe(&service, Some(json!({ "kinds": ["permission"], "quiet": quiet })));
    service.answers(201);
    for _ in 0..4 {
        give(&env, &repo, ASK);
    }
    divisi_testkit::wait_until("all of them wait", || {
        env.divisi().args(["inbox", "--json"]).run().json()["items"]
            .as_array()
            .is_some_and(|all| all.len() == 4)
    });
    assert_eq!(service.count(), 2);
    // A daemon that was started anew sees all of them at once.
    stop(&env);
    env.divisi().args(["inbox"]).run().require_success();
    page.subscribe(&service, Some(json!({ "kinds": ["permission"] })));
    let one = service.message(2).open();
    assert_eq!((&one["title"], &one["path"]), (&json!("4 things to see"), &json!("/inbox")));
    stop(&env);
}

#[test]
fn hostile_addresses_and_strangers_are_refused_and_push_can_be_switched_off() {
    let env = TestEnv::new();
    configure(&env, "");
    let page = Page::enter(&env, &["open", "--print"]);
    for endpoint in [
        "http://push.example.net/a",
        "https://127.0.0.1/a",
        "https://[::1]:4519/a",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/a",
        "file:///etc/passwd",
        "",
    ] {
        let (status, problem) = page.ask("PUT", "/v1/push", Some(&subscription(endpoint)));
        assert_eq!((status, &problem["kind"]), (400, &json!("bad_input")), "{endpoint}");
    }
    let mut body = subscription("https://push.example.net/a");
    body["p256dh"] = json!("AAAA");
    assert_eq!(page.ask("PUT", "/v1/push", Some(&body)).0, 400);
    let quiet = json!({ "from": 25, "to": 1, "zone": "UTC" });
    let mut body = subscription("https://push.example.net/a");
    body["choices"] = json!({ "kinds": [], "quiet": quiet });
    assert_eq!(page.ask("PUT", "/v1/push", Some(&body)).0, 400);
    // A name that leads into this machine is found when it is asked, and nothing is asked.
    let body = subscription("https://push.localhost/a");
    assert_eq!(page.ask("PUT", "/v1/push", Some(&body)).0, 204);
    let (status, problem) = page.ask("POST", "/v1/push/test", None);
    assert_eq!((status, &problem["kind"]), (409, &json!("wrong_state")), "{problem}");
    stop(&env);
    configure(&env, "enabled = false");
    let page = Page::enter(&env, &["open", "--print"]);
    assert_eq!(page.push(), json!({ "key": null, "subscription": null }));
    assert_eq!(page.ask("PUT", "/v1/push", Some(&subscription("https://push.example.net/a"))).0, 409);
    stop(&env);
}
