//! The board, kept right: everything at first, then what changed, folded here once rather than in every page.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, Sse};
use divisi_engine::Feed;
use divisi_model::project::Project;
use divisi_model::{AttemptId, Envelope, Stream as LogStream, TaskId, TaskState};
use futures::{Stream, stream};
use jiff::Timestamp;
use tokio::time::Instant;

use super::{activity, events};
use crate::problem::{ApiError, Asked};
use crate::server::App;
use crate::types::{AfterQuery, ChangesView, ProjectView, SnapshotView, TaskSummary};

/// What comes within this time is told together, so that a busy fleet costs a page few messages.
const TOGETHER: Duration = Duration::from_millis(50);
/// How often what attempts did last, and what holds them up, is looked at.
const LOOK: Duration = Duration::from_millis(400);
/// A page hears at least this often, so that it notices when it does not.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// Who missed more events than this gets everything anew.
const MISSED_MAX: u64 = 5000;

/// The board: a `snapshot`, then `changes`. A page that was cut off goes on with `Last-Event-ID` or `after`, and gets only
/// what changed since; one that missed much, or names a number that was never given, gets a snapshot again.
#[utoipa::path(get, path = "/v1/live", params(AfterQuery, ("Last-Event-ID" = Option<u64>, Header)),
    responses((status = 200, body = ChangesView, content_type = "text/event-stream")))]
pub(crate) async fn follow(
    State(app): State<App>,
    headers: HeaderMap,
    Asked(query): Asked<AfterQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let last = app.engine.last_seq();
    let known = events::last_event_id(&headers)?.or(query.after);
    let known = known.filter(|&known| known <= last && last - known <= MISSED_MAX);
    let mut live = Live {
        feed: app.engine.feed(known.unwrap_or(last)),
        seq: known.unwrap_or(last),
        greeted: false,
        snapshot: known.is_none(),
        held_up: BTreeMap::new(),
        activity: activity::Activity::new(&app),
        looked: Instant::now(),
        told: Instant::now(),
        app,
    };
    live.held_up = live.held_up_now();
    let messages = stream::unfold(live, |mut live| async move { Some((Ok(live.next().await?), live)) });
    Ok(Sse::new(messages))
}

/// One page's place in the log.
struct Live {
    app: App,
    feed: Feed,
    seq: u64,
    /// Whether the page has heard anything.
    greeted: bool,
    /// Whether the first message is everything.
    snapshot: bool,
    /// Why attempts are held up; it is not in the log.
    held_up: BTreeMap<AttemptId, String>,
    activity: activity::Activity,
    looked: Instant,
    told: Instant,
}

impl Live {
    /// The next message; none when the daemon ends.
    async fn next(&mut self) -> Option<Event> {
        if !std::mem::replace(&mut self.greeted, true) {
            self.activity.look(&self.app).await;
            return Some(if self.snapshot { self.everything() } else { self.changes(&Touched::default()) });
        }
        loop {
            let mut touched = Touched::default();
            tokio::select! {
                () = self.app.stop.cancelled() => return None,
                next = self.feed.next() => {
                    touched.add(&next.inspect_err(|error| tracing::warn!(%error, "a feed ended")).ok()?);
                    self.gather(&mut touched).await?;
                }
                () = tokio::time::sleep_until(self.looked + LOOK) => {}
            }
            self.look(&mut touched).await;
            let silent = self.told.elapsed() >= SILENCE_MAX;
            if silent || !touched.is_empty() || self.activity.has_news() {
                return Some(self.changes(&touched));
            }
        }
    }

    /// Takes in what comes right after.
    async fn gather(&mut self, touched: &mut Touched) -> Option<()> {
        let until = Instant::now() + TOGETHER;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return Some(()),
                next = self.feed.next() => touched.add(&next.ok()?),
            }
        }
    }

    async fn look(&mut self, touched: &mut Touched) {
        if self.looked.elapsed() < LOOK {
            return;
        }
        self.looked = Instant::now();
        let now = self.held_up_now();
        for (id, reason) in &now {
            if self.held_up.get(id) != Some(reason) {
                touched.tasks.insert(id.task);
            }
        }
        touched.tasks.extend(self.held_up.keys().filter(|id| !now.contains_key(id)).map(|id| id.task));
        self.held_up = now;
        self.activity.look(&self.app).await;
    }

    fn held_up_now(&self) -> BTreeMap<AttemptId, String> {
        let mut found = BTreeMap::new();
        for task in self.app.engine.tasks().iter().filter(|task| !task.archived) {
            for attempt in task.attempts.iter().filter(|attempt| !attempt.ended()) {
                let id = AttemptId { task: task.id, number: attempt.number };
                if let Some(trouble) = self.app.engine.trouble(id) {
                    found.insert(id, trouble.reason);
                }
            }
        }
        found
    }

    fn everything(&mut self) -> Event {
        let projects = self.app.engine.projects();
        let tasks = self.app.engine.tasks();
        let view = SnapshotView {
            seq: self.seq,
            now: Timestamp::now(),
            projects: projects.iter().map(ProjectView::from).collect(),
            tasks: tasks.iter().map(|task| summary(&self.app, &projects, task)).collect(),
            activity: self.activity.take(),
        };
        self.told = Instant::now();
        events::sse(self.seq, &view).event("snapshot")
    }

    fn changes(&mut self, touched: &Touched) -> Event {
        self.seq = self.seq.max(touched.seq);
        let projects = self.app.engine.projects();
        let tasks = self.app.engine.tasks();
        let tasks = tasks.iter().filter(|task| touched.tasks.contains(&task.id));
        let view = ChangesView {
            seq: self.seq,
            now: Timestamp::now(),
            tasks: tasks.map(|task| summary(&self.app, &projects, task)).collect(),
            projects: touched.projects.then(|| projects.iter().map(ProjectView::from).collect()),
            activity: self.activity.take(),
        };
        self.told = Instant::now();
        events::sse(self.seq, &view).event("changes")
    }
}

/// What events were about.
#[derive(Default)]
struct Touched {
    seq: u64,
    tasks: BTreeSet<TaskId>,
    projects: bool,
}

impl Touched {
    fn add(&mut self, envelope: &Envelope) {
        self.seq = envelope.seq;
        match envelope.stream {
            LogStream::Task(id) => {
                self.tasks.insert(id);
            }
            LogStream::Project(_) => self.projects = true,
        }
    }

    fn is_empty(&self) -> bool {
        self.tasks.is_empty() && !self.projects
    }
}

fn summary(app: &App, projects: &[Project], task: &TaskState) -> TaskSummary {
    TaskSummary::of(task, projects.iter().find(|project| project.id == task.spec.project))
        .with(|number| app.engine.trouble(AttemptId { task: task.id, number }))
}
