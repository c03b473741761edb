//! The typed client: one method per route, for the command line and for tests.

mod error;
mod follow;
mod request;
mod sse;

use std::sync::{Arc, RwLock};

use serde::de::DeserializeOwned;

pub use error::ClientError;
pub use follow::Follow;
pub use request::{Endpoint, Locate};

use crate::types::{
    AgentView, AliveView, AnswerRequest, BudgetRequest, DeviceView, DiffScope, DiffView, EntryRequest,
    EntryView, EventView, ExportRequest, ExportView, FleetView, HealthView, ImageView, InboxView,
    LandRequest, LandingsView, MoveRequest, NewProject, NewTask, ProjectView, ReviewRequest, RollbackRequest,
    SendRequest, TaskSummary, TaskView, TranscriptEntryView, WorkspaceSnapshotView,
};
use request::{Method, segment};

/// Speaks with a daemon. Clones share the connection.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    endpoint: Arc<RwLock<Endpoint>>,
    locate: Option<Arc<dyn Locate>>,
}

impl Client {
    /// A client of the daemon at this endpoint.
    pub fn new(endpoint: Endpoint) -> Result<Self, ClientError> {
        // Only loopback is ever asked: no proxy stands between, and no answer may send us elsewhere.
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = http.connect_timeout(request::CONNECT_MAX).build().map_err(ClientError::Set)?;
        Ok(Self { http, endpoint: Arc::new(RwLock::new(endpoint)), locate: None })
    }

    /// Lets live feeds, and whatever is only read, find the daemon again after it was restarted elsewhere.
    #[must_use]
    pub fn with_locate(mut self, locate: Arc<dyn Locate>) -> Self {
        self.locate = Some(locate);
        self
    }

    /// That the daemon lives.
    pub async fn alive(&self) -> Result<AliveView, ClientError> {
        self.get("/healthz").await
    }

    /// How the daemon is.
    pub async fn health(&self) -> Result<HealthView, ClientError> {
        self.get("/v1/health").await
    }

    /// What a monitoring system reads.
    pub async fn metrics(&self) -> Result<String, ClientError> {
        Ok(String::from_utf8_lossy(&self.read("/metrics").await?.1).into_owned())
    }

    /// Asks the daemon to end.
    pub async fn shutdown(&self) -> Result<(), ClientError> {
        self.send_raw(Method::POST, "/v1/shutdown", None::<&()>, &[]).await.map(drop)
    }

    /// A link that lets one browser in.
    pub async fn entry(&self, request: &EntryRequest) -> Result<EntryView, ClientError> {
        self.send(Method::POST, "/v1/entries", Some(request), &[]).await
    }

    /// All browsers that were let in.
    pub async fn devices(&self) -> Result<Vec<DeviceView>, ClientError> {
        self.get("/v1/devices").await
    }

    /// Lets a browser in no longer.
    pub async fn revoke(&self, device: &str) -> Result<(), ClientError> {
        let path = format!("/v1/devices/{}", segment(device));
        self.send_raw(Method::DELETE, &path, None::<&()>, &[]).await.map(drop)
    }

    /// All tasks by number.
    pub async fn tasks(&self) -> Result<Vec<TaskSummary>, ClientError> {
        self.get("/v1/tasks").await
    }

    /// One task with all that happened to it.
    pub async fn task(&self, handle: &str) -> Result<TaskView, ClientError> {
        self.get(&format!("/v1/tasks/{}", segment(handle))).await
    }

    /// Gives out a task; the same key gives the same task.
    pub async fn add_task(&self, new: &NewTask, key: &str) -> Result<TaskView, ClientError> {
        self.send(Method::POST, "/v1/tasks", Some(new), &[("idempotency-key", key)]).await
    }

    /// Changes a staged task to what is wanted now.
    pub async fn edit_task(&self, handle: &str, new: &NewTask) -> Result<TaskView, ClientError> {
        self.send(Method::PUT, &format!("/v1/tasks/{}", segment(handle)), Some(new), &[]).await
    }

    /// Starts a staged task.
    pub async fn start(&self, handle: &str) -> Result<TaskView, ClientError> {
        self.verb(handle, "start", None::<&()>).await
    }

    /// Gives a task another place among those that wait.
    pub async fn move_task(&self, handle: &str, to: &MoveRequest) -> Result<TaskView, ClientError> {
        self.verb(handle, "move", Some(to)).await
    }

    /// Stores an image for a prompt.
    pub async fn store_image(&self, name: &str, bytes: Vec<u8>) -> Result<ImageView, ClientError> {
        let path = format!("/v1/images?name={}", segment(name));
        let response = self.send_bytes(Method::POST, &path, bytes).await?;
        let status = response.status().as_u16();
        let answer = response.bytes().await.map_err(ClientError::Broken)?;
        serde_json::from_slice(&answer).map_err(|source| ClientError::Answer { status, source })
    }

    /// Words for the agent.
    pub async fn send_words(&self, handle: &str, request: &SendRequest) -> Result<TaskView, ClientError> {
        self.verb(handle, "send", Some(request)).await
    }

    /// Takes words back that no agent has got yet.
    pub async fn take_back(&self, handle: &str, prompt: u32) -> Result<TaskView, ClientError> {
        let path = format!("/v1/tasks/{}/queue/{prompt}", segment(handle));
        self.send(Method::DELETE, &path, None::<&()>, &[]).await
    }

    /// The snapshots of an attempt in the order of time.
    pub async fn snapshots(&self, handle: &str) -> Result<Vec<WorkspaceSnapshotView>, ClientError> {
        self.get(&format!("/v1/tasks/{}/snapshots", segment(handle))).await
    }

    /// Brings files back as a snapshot has them.
    pub async fn roll_back(&self, handle: &str, request: &RollbackRequest) -> Result<TaskView, ClientError> {
        self.verb(handle, "rollback", Some(request)).await
    }

    /// Ends the running turn.
    pub async fn cancel(&self, handle: &str) -> Result<TaskView, ClientError> {
        self.verb(handle, "cancel", None::<&()>).await
    }

    /// A verdict on the result.
    pub async fn review(&self, handle: &str, request: &ReviewRequest) -> Result<TaskView, ClientError> {
        self.verb(handle, "review", Some(request)).await
    }

    /// Lands results in this order.
    pub async fn land(&self, handles: &[String]) -> Result<Vec<TaskView>, ClientError> {
        let request = LandRequest { handles: handles.to_vec() };
        self.send(Method::POST, "/v1/landings", Some(&request), &[]).await
    }

    /// What can land, what is landing, and what has landed.
    pub async fn landings(&self) -> Result<LandingsView, ClientError> {
        self.get("/v1/landings").await
    }

    /// Who worked when over the last day, what it used, and what it does to the machine.
    pub async fn fleet(&self) -> Result<FleetView, ClientError> {
        self.get("/v1/fleet").await
    }

    /// Takes a landing back.
    pub async fn undo(&self, handle: &str) -> Result<TaskView, ClientError> {
        self.verb(handle, "undo", None::<&()>).await
    }

    /// Stops an attempt, or all of a task.
    pub async fn stop(&self, handle: &str) -> Result<TaskView, ClientError> {
        self.verb(handle, "stop", None::<&()>).await
    }

    /// Goes on after a stop, a stall or a cancelled turn.
    pub async fn resume(&self, handle: &str) -> Result<TaskView, ClientError> {
        self.verb(handle, "resume", None::<&()>).await
    }

    /// Gives an attempt another budget.
    pub async fn set_budget(&self, handle: &str, request: &BudgetRequest) -> Result<TaskView, ClientError> {
        self.verb(handle, "budget", Some(request)).await
    }

    /// Files of a known project's current branch whose paths fit a few letters.
    pub async fn files(&self, root: &str, query: &str) -> Result<Vec<String>, ClientError> {
        self.get(&format!("/v1/projects/files?root={}&query={}", segment(root), segment(query))).await
    }

    /// Puts a task away.
    pub async fn archive(&self, handle: &str) -> Result<TaskView, ClientError> {
        self.verb(handle, "archive", None::<&()>).await
    }

    /// Takes a task out again.
    pub async fn restore(&self, handle: &str) -> Result<TaskView, ClientError> {
        self.verb(handle, "restore", None::<&()>).await
    }

    /// What an attempt changed; `turn` counts only for [`DiffScope::Turn`].
    pub async fn diff(&self, handle: &str, scope: DiffScope, turn: u32) -> Result<DiffView, ClientError> {
        let scope = match scope {
            DiffScope::Result => "result",
            DiffScope::Live => "live",
            DiffScope::Turn => "turn",
            DiffScope::Review => "review",
            DiffScope::Between => "between",
        };
        self.get(&format!("/v1/tasks/{}/diff?scope={scope}&turn={turn}", segment(handle))).await
    }

    /// The whole log of a check.
    pub async fn check_log(&self, handle: &str, index: usize) -> Result<Vec<u8>, ClientError> {
        Ok(self.read(&format!("/v1/tasks/{}/evidence/{index}/log", segment(handle))).await?.1)
    }

    /// The whole log of the setup script.
    pub async fn setup_log(&self, handle: &str) -> Result<Vec<u8>, ClientError> {
        Ok(self.read(&format!("/v1/tasks/{}/setup-log", segment(handle))).await?.1)
    }

    /// All entries of a transcript that changed after a revision.
    pub async fn transcript(
        &self,
        handle: &str,
        after: u64,
    ) -> Result<Vec<TranscriptEntryView>, ClientError> {
        let mut all: Vec<TranscriptEntryView> = Vec::new();
        let handle = segment(handle);
        loop {
            let from = all.last().map_or(after, |entry| entry.rev);
            let page: Vec<_> = self.get(&format!("/v1/tasks/{handle}/transcript?after={from}")).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// A transcript after a revision, then everything new.
    pub fn follow_transcript(&self, handle: &str, after: u64) -> Follow<TranscriptEntryView> {
        Follow::new(self.clone(), format!("/v1/tasks/{}/transcript/live", segment(handle)), after)
    }

    /// The log after a number, then everything new.
    pub fn follow_events(&self, after: u64) -> Follow<EventView> {
        Follow::new(self.clone(), "/v1/events".to_owned(), after)
    }

    /// Everything that waits for a person.
    pub async fn inbox(&self) -> Result<InboxView, ClientError> {
        self.get("/v1/inbox").await
    }

    /// Answers an inbox item.
    pub async fn answer(&self, item: &str, answer: &AnswerRequest) -> Result<TaskView, ClientError> {
        self.send(Method::POST, &format!("/v1/inbox/{}/answer", segment(item)), Some(answer), &[]).await
    }

    /// All agents with their readiness, as a project sees them.
    pub async fn agents(&self, root: Option<&str>) -> Result<Vec<AgentView>, ClientError> {
        match root {
            Some(root) => self.get(&format!("/v1/agents?root={}", segment(root))).await,
            None => self.get("/v1/agents").await,
        }
    }

    /// Writes everything to one file.
    pub async fn export(&self, request: &ExportRequest) -> Result<ExportView, ClientError> {
        self.send(Method::POST, "/v1/export", Some(request), &[]).await
    }

    /// All projects.
    pub async fn projects(&self) -> Result<Vec<ProjectView>, ClientError> {
        self.get("/v1/projects").await
    }

    /// Makes a project known.
    pub async fn add_project(&self, new: &NewProject) -> Result<ProjectView, ClientError> {
        self.send(Method::POST, "/v1/projects", Some(new), &[]).await
    }

    async fn verb(
        &self,
        handle: &str,
        verb: &str,
        body: Option<&impl serde::Serialize>,
    ) -> Result<TaskView, ClientError> {
        self.send(Method::POST, &format!("/v1/tasks/{}/{verb}", segment(handle)), body, &[]).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let (status, bytes) = self.read(path).await?;
        serde_json::from_slice(&bytes).map_err(|source| ClientError::Answer { status, source })
    }
}
