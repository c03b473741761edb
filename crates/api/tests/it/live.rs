//! The board's own feed: everything at first, then only what changed.

use divisi_api::types::{ChangesView, SnapshotView};
use divisi_testkit::TestEnv;

use crate::server::{Running, TOKEN};

/// Reads one connection's messages as a browser does.
struct Page {
    response: reqwest::Response,
    buffered: String,
}

impl Page {
    async fn open(server: &Running<'_>, query: &str) -> Self {
        let request = reqwest::Client::new().get(format!("http://{}/v1/live{query}", server.address));
        let response = request.bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self { response, buffered: String::new() }
    }

    /// The next message: its event and data.
    async fn next(&mut self) -> (String, String) {
        loop {
            if let Some((message, rest)) = self.buffered.split_once("\n\n") {
                let field = |name: &str| {
                    let found = message.lines().find_map(|line| line.strip_prefix(name));
                    found.map(|value| value.trim_start().to_owned()).unwrap_or_default()
                };
                let found = (field("event:"), field("data:"));
                self.buffered = rest.to_owned();
                return found;
            }
            let chunk = self.response.chunk().await.unwrap().expect("the feed goes on");
            self.buffered.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn changes(&mut self) -> ChangesView {
        let (event, data) = self.next().await;
        assert_eq!(event, "changes");
        serde_json::from_str(&data).unwrap()
    }
}

#[tokio::test]
async fn a_page_gets_everything_then_each_task_that_changed_and_goes_on_where_it_was() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    server.client.add_task(&server.new_task("one"), "1").await.unwrap();

    let mut page = Page::open(&server, "").await;
    let (event, data) = page.next().await;
    assert_eq!(event, "snapshot");
    let snapshot: SnapshotView = serde_json::from_str(&data).unwrap();
    assert_eq!(snapshot.tasks.iter().map(|task| task.handle.as_str()).collect::<Vec<_>>(), ["t1"]);
    assert_eq!(snapshot.projects.len(), 1);

    server.client.add_task(&server.new_task("two"), "2").await.unwrap();
    let changes = loop {
        let changes = page.changes().await;
        if changes.tasks.iter().any(|task| task.handle == "t2") {
            break changes;
        }
    };
    assert!(changes.seq > snapshot.seq);
    drop(page);

    // Cut off at the snapshot: what came after it is told at once, and what did not change is not told again.
    let mut again = Page::open(&server, &format!("?after={}", snapshot.seq)).await;
    let greeting = again.changes().await;
    assert_eq!((greeting.seq, greeting.tasks.len()), (snapshot.seq, 0));
    let missed = again.changes().await;
    assert!(missed.tasks.iter().any(|task| task.handle == "t2"), "{missed:?}");
    server.end().await;
}

#[tokio::test]
async fn a_number_that_was_never_given_means_another_log_and_gets_everything() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let mut page = Page::open(&server, "?after=999999").await;
    assert_eq!(page.next().await.0, "snapshot");
    server.end().await;
}
