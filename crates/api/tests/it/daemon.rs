//! The daemon's own pages.

use divisi_api::types::{AgentState, NewProject};
use divisi_testkit::TestEnv;

use crate::server::Running;

#[tokio::test]
async fn it_tells_how_it_is_and_counts() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    assert_eq!(server.client.alive().await.unwrap().status, "ok");
    server.client.add_task(&server.new_task("one"), "1").await.unwrap();
    let health = server.client.health().await.unwrap();
    assert_eq!(health.pid, std::process::id());
    assert_eq!(health.tasks.iter().map(|count| count.tasks).sum::<usize>(), 1);
    let metrics = server.client.metrics().await.unwrap();
    assert!(metrics.contains("# TYPE divisi_tasks gauge"), "{metrics}");
    assert!(metrics.contains("divisi_info{version=\"0.1.0\"} 1"), "{metrics}");
    let requests =
        metrics.lines().find(|line| line.starts_with("divisi_http_requests_total{status=\"2xx\"}"));
    assert!(requests.is_some_and(|line| !line.ends_with(" 0")), "{metrics}");
    server.end().await;
}

#[tokio::test]
async fn it_ends_when_asked_even_while_somebody_follows() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let client = server.client.clone();
    client.add_task(&server.new_task("one"), "1").await.unwrap();
    let mut feed = client.follow_events(0);
    feed.next().await.unwrap();
    client.shutdown().await.unwrap();
    server.ended().await;
}

#[tokio::test]
async fn projects_are_known_once_and_agents_say_what_mends_them() {
    let env = TestEnv::new();
    let server = Running::new(&env).await;
    let root = server.repo.path().display().to_string();
    let first = server.client.add_project(&NewProject { root: root.clone() }).await.unwrap();
    let again = server.client.add_project(&NewProject { root: format!("{root}/") }).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(server.client.projects().await.unwrap(), [first]);
    let agents = server.client.agents(Some(&root)).await.unwrap();
    assert_eq!(agents[0].readiness.state, AgentState::Ready);
    assert_eq!((agents[1].readiness.usable, agents[1].hint.as_str()), (false, "install it"));
    server.end().await;
}

/// The contract: a change of it is a change of this list.
#[test]
fn the_document_lists_every_route() {
    let document = serde_json::to_value(divisi_api::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let mut routes = Vec::new();
    for (path, item) in paths {
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            routes.push(format!("{} {path}", method.to_uppercase()));
        }
    }
    routes.sort_by(|a, b| a.split_once(' ').map(|x| x.1).cmp(&b.split_once(' ').map(|x| x.1)).then(a.cmp(b)));
    insta::assert_snapshot!(routes.join("\n"), @r#"
    GET /healthz
    GET /metrics
    GET /v1/agents
    GET /v1/devices
    DELETE /v1/devices/{id}
    POST /v1/enter
    POST /v1/entries
    GET /v1/events
    POST /v1/export
    GET /v1/fleet
    GET /v1/health
    POST /v1/images
    GET /v1/images/{hash}
    GET /v1/inbox
    POST /v1/inbox/{item}/answer
    GET /v1/landings
    POST /v1/landings
    GET /v1/live
    GET /v1/projects
    POST /v1/projects
    GET /v1/projects/files
    DELETE /v1/push
    GET /v1/push
    PUT /v1/push
    PUT /v1/push/looking
    POST /v1/push/test
    GET /v1/settings
    GET /v1/settings/{id}
    PUT /v1/settings/{id}
    POST /v1/settings/{id}/check
    POST /v1/shutdown
    GET /v1/tasks
    POST /v1/tasks
    GET /v1/tasks/{handle}
    PUT /v1/tasks/{handle}
    POST /v1/tasks/{handle}/archive
    GET /v1/tasks/{handle}/blobs/{blob}
    GET /v1/tasks/{handle}/blobs/{blob}/lines
    POST /v1/tasks/{handle}/budget
    POST /v1/tasks/{handle}/cancel
    POST /v1/tasks/{handle}/comments
    DELETE /v1/tasks/{handle}/comments/{comment}
    PUT /v1/tasks/{handle}/comments/{comment}
    POST /v1/tasks/{handle}/comments/{comment}/reopen
    POST /v1/tasks/{handle}/comments/{comment}/resolve
    GET /v1/tasks/{handle}/commits
    GET /v1/tasks/{handle}/diff
    GET /v1/tasks/{handle}/diff/files
    POST /v1/tasks/{handle}/diff/hunks
    GET /v1/tasks/{handle}/evidence/{index}/log
    GET /v1/tasks/{handle}/journals
    GET /v1/tasks/{handle}/journals/{session}
    POST /v1/tasks/{handle}/land
    POST /v1/tasks/{handle}/move
    DELETE /v1/tasks/{handle}/queue/{prompt}
    GET /v1/tasks/{handle}/resources
    POST /v1/tasks/{handle}/restore
    POST /v1/tasks/{handle}/resume
    POST /v1/tasks/{handle}/review
    POST /v1/tasks/{handle}/rollback
    POST /v1/tasks/{handle}/send
    GET /v1/tasks/{handle}/setup-log
    GET /v1/tasks/{handle}/snapshots
    POST /v1/tasks/{handle}/start
    POST /v1/tasks/{handle}/stop
    GET /v1/tasks/{handle}/terminals
    POST /v1/tasks/{handle}/terminals
    DELETE /v1/tasks/{handle}/terminals/{terminal}
    GET /v1/tasks/{handle}/terminals/{terminal}
    GET /v1/tasks/{handle}/transcript
    GET /v1/tasks/{handle}/transcript/live
    POST /v1/tasks/{handle}/undo
    POST /v1/tasks/{handle}/viewed
    GET /v1/tasks/{handle}/workspace
    "#);
    assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    assert!(document["components"]["schemas"]["Problem"].is_object());
}
