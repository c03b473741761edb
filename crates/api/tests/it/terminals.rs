//! A person's shell in a workspace, over a real connection and a real terminal.

use std::path::Path;

use divisi_api::types::{DeviceKind, TerminalNews, TerminalView};
use divisi_testkit::{TestEnv, wait_until};
use futures::{FutureExt as _, SinkExt as _, StreamExt as _};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::devices::Page;
use crate::server::{Running, TOKEN};

/// Bytes that may be on their way without having been shown, and one more piece.
const UNSHOWN_MAX: u64 = (256 + 16) << 10;

/// A connection as a page has it.
struct Shell {
    socket: WebSocketStream<TcpStream>,
    news: Vec<TerminalNews>,
    text: String,
    /// How many bytes were seen and shown.
    seen: u64,
    shown: u64,
}

impl Shell {
    async fn type_in(&mut self, text: &str) {
        self.socket.send(Message::Binary(text.as_bytes().to_vec().into())).await.unwrap();
    }

    async fn say(&mut self, word: Value) {
        self.socket.send(Message::Text(word.to_string().into())).await.unwrap();
    }

    async fn show(&mut self) {
        self.shown = self.seen;
        self.say(json!({ "kind": "shown", "offset": self.seen })).await;
    }

    /// The next message; how the connection ended.
    async fn take(&mut self) -> Result<(), Option<CloseFrame>> {
        match self.socket.next().await {
            Some(Ok(Message::Binary(bytes))) => {
                self.seen += bytes.len() as u64;
                self.text.push_str(&String::from_utf8_lossy(&bytes));
                Ok(())
            }
            Some(Ok(Message::Text(text))) => {
                let news = serde_json::from_str(&text).unwrap();
                if let TerminalNews::Begins { offset, .. } = news {
                    self.seen = offset;
                }
                self.news.push(news);
                Ok(())
            }
            Some(Ok(Message::Close(frame))) => Err(frame),
            Some(Ok(_)) => Ok(()),
            Some(Err(_)) | None => Err(None),
        }
    }

    async fn hears(&mut self, wanted: &str) {
        while !self.text.contains(wanted) {
            let taken = self.take().await;
            assert_eq!(taken, Ok(()), "{wanted} was not said, only {:?} and {:?}", self.text, self.news);
            self.show().await;
        }
    }

    /// Reads on to the end; why it ended.
    async fn ends(&mut self) -> String {
        loop {
            if let Err(frame) = self.take().await {
                return frame.map(|frame| frame.reason.to_string()).unwrap_or_default();
            }
        }
    }
}

/// A task with a workspace; its attempt.
async fn workspace(server: &Running<'_>) -> String {
    let task = server.client.add_task(&server.new_task("one"), "1").await.unwrap();
    loop {
        let task = server.client.task(&task.handle).await.unwrap();
        if task.attempts.first().is_some_and(|attempt| attempt.workspace.is_some()) {
            return task.attempts[0].handle.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn owner(server: &Running<'_>) -> Page {
    let mut page = Page::new(server);
    page.enter(server, DeviceKind::Owner).await;
    page
}

fn path(attempt: &str) -> String {
    format!("/v1/tasks/{attempt}/terminals")
}

async fn open(page: &Page, attempt: &str) -> TerminalView {
    let size = json!({ "columns": 80, "rows": 24 });
    let opened = page.ask(Method::POST, &path(attempt), Some(size)).await;
    assert_eq!(opened.status(), 201);
    opened.json().await.unwrap()
}

async fn listed(page: &Page, attempt: &str) -> Vec<TerminalView> {
    page.ask(Method::GET, &path(attempt), None).await.json().await.unwrap()
}

/// Speaks to a shell with these headers; the status where that is refused.
async fn speak(server: &Running<'_>, path: &str, headers: &[(&'static str, &str)]) -> Result<Shell, u16> {
    let mut request = format!("ws://{}{path}", server.address).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let stream = TcpStream::connect(&server.address).await.unwrap();
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((socket, _)) => Ok(Shell { socket, news: vec![], text: String::new(), seen: 0, shown: 0 }),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

async fn enter(server: &Running<'_>, page: &Page, attempt: &str, id: &str, from: u64) -> Shell {
    let headers = [("origin", page.base.as_str()), ("cookie", page.cookie.as_deref().unwrap())];
    speak(server, &format!("{}/{id}?from={from}", path(attempt)), &headers).await.unwrap()
}

fn lives(file: &Path) -> bool {
    let pid = std::fs::read_to_string(file).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

#[tokio::test]
async fn the_owner_types_and_sees_and_the_end_is_told() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let attempt = workspace(&server).await;
    let page = owner(&server).await;
    let id = open(&page, &attempt).await.terminal;
    let mut shell = enter(&server, &page, &attempt, &id, 0).await;
    shell.type_in("cat README.md; stty size; env | sed s/=.*//\r").await;
    shell.hears("24 80").await;
    shell.hears("COLORTERM").await;
    assert!(shell.text.contains("# Project"), "{}", shell.text);
    assert!(shell.text.contains("HOME") && !shell.text.contains("DIVISI_HOME"), "{}", shell.text);
    assert_eq!(shell.news, [TerminalNews::Begins { offset: 0, missed: 0 }]);
    shell.say(json!({ "kind": "size", "columns": 100, "rows": 40 })).await;
    shell.type_in("stty size\r").await;
    shell.hears("40 100").await;
    assert!(listed(&page, &attempt).await[0].connected);
    shell.type_in("exit 7\r").await;
    assert_eq!(shell.ends().await, "the shell has ended");
    assert_eq!(shell.news.last(), Some(&TerminalNews::Exited { code: 7 }));
    while !listed(&page, &attempt).await.is_empty() {
        tokio::task::yield_now().await;
    }
    server.end().await;
}

#[tokio::test]
async fn nobody_else_speaks_to_it() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let attempt = workspace(&server).await;
    let (page, other) = (owner(&server).await, owner(&server).await);
    let mut phone = Page::new(&server);
    phone.enter(&server, DeviceKind::Paired).await;
    let terminal = format!("{}/{}", path(&attempt), open(&page, &attempt).await.terminal);
    let size = json!({ "columns": 80, "rows": 24 });
    assert_eq!(phone.ask(Method::POST, &path(&attempt), Some(size)).await.status(), 403);
    assert_eq!(phone.ask(Method::GET, &path(&attempt), None).await.status(), 403);
    assert_eq!(phone.ask(Method::DELETE, &terminal, None).await.status(), 403);
    assert_eq!(other.ask(Method::DELETE, &terminal, None).await.status(), 404);
    assert_eq!(listed(&other, &attempt).await, []);

    let (own, evil) = (page.base.as_str(), "http://evil.example");
    let bearer = format!("Bearer {TOKEN}");
    let cookie = |page: &Page| page.cookie.clone().unwrap();
    let (mine, theirs, paired) = (cookie(&page), cookie(&other), cookie(&phone));
    for (headers, wanted) in [
        (vec![("cookie", mine.as_str())], 403),
        (vec![("cookie", mine.as_str()), ("origin", evil)], 403),
        (vec![("cookie", mine.as_str()), ("origin", "null")], 403),
        (vec![("cookie", mine.as_str()), ("origin", own), ("sec-fetch-site", "cross-site")], 403),
        (vec![("authorization", bearer.as_str())], 403),
        (vec![("authorization", bearer.as_str()), ("origin", evil)], 403),
        (vec![("authorization", bearer.as_str()), ("origin", own)], 404),
        (vec![("cookie", theirs.as_str()), ("origin", own)], 404),
        (vec![("cookie", paired.as_str()), ("origin", own)], 403),
        (vec![("origin", own)], 401),
    ] {
        assert_eq!(speak(&server, &terminal, &headers).await.err(), Some(wanted), "{headers:?}");
    }
    // Nor does anything but a WebSocket.
    assert_eq!(page.ask(Method::GET, &terminal, None).await.status(), 400);
    assert!(speak(&server, &terminal, &[("cookie", &mine), ("origin", own)]).await.is_ok());
    server.end().await;
}

#[tokio::test]
async fn where_it_is_switched_off_nobody_opens_one() {
    let env = TestEnv::new();
    let server = Running::without_terminals(&env).await;
    let attempt = workspace(&server).await;
    let size = json!({ "columns": 80, "rows": 24 });
    let refused = owner(&server).await.ask(Method::POST, &path(&attempt), Some(size)).await;
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("terminal = true"));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_in_the_moment_in_which_its_browser_is_revoked() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let attempt = workspace(&server).await;
    let mut page = Page::new(&server);
    let device = page.enter(&server, DeviceKind::Owner).await;
    let id = open(&page, &attempt).await.terminal;
    let mut shell = enter(&server, &page, &attempt, &id, 0).await;
    let file = env.join("pid");
    shell
        .type_in(&format!("setsid -w sh -c 'sleep 1000 & echo $! > {}'; echo st''arted\r", file.display()))
        .await;
    shell.hears("started").await;
    assert!(lives(&file));
    let device = format!("/v1/devices/{}", device["id"].as_str().unwrap());
    assert_eq!(owner(&server).await.ask(Method::DELETE, &device, None).await.status(), 204);
    assert_eq!(shell.ends().await, "this browser may not be here any more");
    wait_until("what came out of it is gone", || !lives(&file));
    server.end().await;
}

#[tokio::test]
async fn a_flood_waits_for_the_page_and_a_key_still_ends_it() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let attempt = workspace(&server).await;
    let page = owner(&server).await;
    let id = open(&page, &attempt).await.terminal;
    let mut shell = enter(&server, &page, &attempt, &id, 0).await;
    shell.type_in("yes\r").await;
    while shell.seen < 256 << 10 {
        shell.take().await.unwrap();
    }
    // Nothing was shown so far, so nothing more comes, whatever happens meanwhile.
    for _ in 0..20 {
        assert_eq!(listed(&page, &attempt).await.len(), 1);
        while let Some(taken) = shell.take().now_or_never() {
            taken.unwrap();
        }
        assert!(shell.seen <= UNSHOWN_MAX, "{} bytes are on their way", shell.seen);
    }
    shell.type_in("\x03").await;
    shell.type_in("echo af''ter\r").await;
    shell.text.clear();
    while !shell.text.contains("after") {
        shell.show().await;
        shell.take().await.unwrap();
        assert!(shell.seen - shell.shown <= UNSHOWN_MAX);
    }
    assert!(shell.seen < 8 << 20, "{} bytes came after the key", shell.seen);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_sees_what_was_missed() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let attempt = workspace(&server).await;
    let page = owner(&server).await;
    let id = open(&page, &attempt).await.terminal;
    let mut shell = enter(&server, &page, &attempt, &id, 0).await;
    let (go, done) = (env.join("go"), env.join("done"));
    let waits = format!(
        "while ! test -e {}; do sleep 0.01; done; echo la''ter; touch {}",
        go.display(),
        done.display()
    );
    shell.type_in(&format!("echo be''fore; {waits}\r")).await;
    shell.hears("before").await;
    let seen = shell.seen;
    drop(shell);
    while listed(&page, &attempt).await[0].connected {
        tokio::task::yield_now().await;
    }
    std::fs::write(&go, "").unwrap();
    wait_until("it went on while nobody looked", || done.exists());
    let mut shell = enter(&server, &page, &attempt, &id, seen).await;
    shell.hears("later").await;
    assert_eq!(shell.news, [TerminalNews::Begins { offset: seen, missed: 0 }]);
    assert!(!shell.text.contains("before"), "nothing is doubled: {:?}", shell.text);

    // More than is kept was written while nobody looked: that is said.
    let (go, done) = (env.join("go-2"), env.join("done-2"));
    let waits = format!("while ! test -e {}; do sleep 0.01; done; ", go.display());
    shell
        .type_in(&format!("{waits} head -c 2000000 /dev/zero | tr '\\0' x; touch {}\r", done.display()))
        .await;
    shell.hears("touch").await;
    let seen = shell.seen;
    drop(shell);
    while listed(&page, &attempt).await[0].connected {
        tokio::task::yield_now().await;
    }
    std::fs::write(&go, "").unwrap();
    wait_until("it went on while nobody looked", || done.exists());
    let mut shell = enter(&server, &page, &attempt, &id, seen).await;
    shell.type_in("echo en''ded\r").await;
    shell.hears("ended").await;
    let missed = shell
        .news
        .iter()
        .map(|news| if let TerminalNews::Begins { missed, .. } = news { *missed } else { 0 });
    assert!(missed.sum::<u64>() > 1_000_000, "{:?}", shell.news);

    // Another page takes it over, and the first is told.
    let mut second = enter(&server, &page, &attempt, &id, shell.seen).await;
    assert_eq!(shell.ends().await, "it was opened on another page");
    second.type_in("echo sec''ond\r").await;
    second.hears("second").await;
    let closed = page.ask(Method::DELETE, &format!("{}/{id}", path(&attempt)), None).await;
    assert_eq!(closed.status(), 204);
    assert_eq!(second.ends().await, "it was closed");
    server.end().await;
}

#[tokio::test]
async fn the_end_of_the_daemon_ends_it_and_one_too_many_takes_the_place_of_one_that_is_away() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let attempt = workspace(&server).await;
    let page = owner(&server).await;
    let mut first = open(&page, &attempt).await;
    let mut ids = vec![first.terminal.clone()];
    let mut shell = enter(&server, &page, &attempt, &first.terminal, 0).await;
    let file = env.join("pid");
    shell
        .type_in(&format!("(trap '' HUP; exec sleep 1000) & echo $! > {}; echo st''arted\r", file.display()))
        .await;
    shell.hears("started").await;
    for _ in 0..8 {
        ids.push(open(&page, &attempt).await.terminal);
    }
    let kept: Vec<_> = listed(&page, &attempt).await.into_iter().map(|view| view.terminal).collect();
    assert_eq!((kept.len(), kept.contains(&ids[0]), kept.contains(&ids[1])), (8, true, false));
    first.connected = true;
    assert!(listed(&page, &attempt).await.contains(&first));
    assert!(lives(&file));
    server.end().await;
    assert!(!lives(&file), "nothing of it is left when the server has ended");
}

#[tokio::test]
async fn a_task_that_is_archived_takes_its_workspace_from_the_shells_in_it() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let attempt = workspace(&server).await;
    let page = owner(&server).await;
    let (seen, away) = (open(&page, &attempt).await.terminal, open(&page, &attempt).await.terminal);
    let mut shell = enter(&server, &page, &attempt, &seen, 0).await;
    shell.type_in("touch typed; echo do''ne\r").await;
    shell.hears("done").await;
    assert!(listed(&page, &attempt).await.iter().any(|view| view.terminal == away && !view.connected));
    let task = attempt.split('.').next().unwrap();
    for verb in ["stop", "archive"] {
        let done = page.ask(Method::POST, &format!("/v1/tasks/{task}/{verb}"), None).await;
        assert_eq!(done.status(), 200, "{verb}: {}", done.text().await.unwrap());
    }
    assert_eq!(shell.ends().await, "it was closed");
    while !listed(&page, &attempt).await.is_empty() {
        tokio::task::yield_now().await;
    }
    let refused = page.ask(Method::POST, &path(&attempt), Some(json!({ "columns": 80, "rows": 24 }))).await;
    assert_eq!(refused.status(), 409);
    assert!(refused.text().await.unwrap().contains("divisi restore"));
    server.end().await;
}
