//! What a monitoring system reads at `/metrics`, in the text format of Prometheus.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use divisi_engine::Health;
use jiff::Timestamp;

use crate::server::App;
use crate::types::Attention;

/// Requests by the first digit of their status, from 1xx to 5xx.
#[derive(Default)]
pub(crate) struct Requests([AtomicU64; 5]);

impl Requests {
    fn count(&self, status: u16) {
        let class = usize::from(status / 100).saturating_sub(1);
        if let Some(counter) = self.0.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Counts every request by how it ended.
pub(crate) async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    app.requests.count(response.status().as_u16());
    response
}

/// The page.
pub(crate) fn page(health: &Health, requests: &Requests, now: Timestamp) -> String {
    let mut page = Page::default();
    page.head("divisi_info", "gauge", "Always 1; its label tells the version.");
    page.sample("divisi_info", &[("version", &health.version)], 1);
    let uptime = now.duration_since(health.started).as_secs().max(0);
    page.head("divisi_uptime_seconds", "gauge", "Seconds since the daemon started.");
    page.sample("divisi_uptime_seconds", &[], uptime);
    page.head("divisi_events_total", "counter", "Events in the log.");
    page.sample("divisi_events_total", &[], health.last_seq);
    page.head("divisi_live_sessions", "gauge", "Sessions whose agent lives.");
    page.sample("divisi_live_sessions", &[], health.live_sessions);
    page.head("divisi_tasks", "gauge", "Tasks by column of the board.");
    for (attention, tasks) in &health.tasks {
        page.sample("divisi_tasks", &[("attention", Attention::from(*attention).as_str())], tasks);
    }
    page.head("divisi_http_requests_total", "counter", "Requests by class of status.");
    for (class, counter) in (1..).zip(&requests.0) {
        let class = format!("{class}xx");
        page.sample("divisi_http_requests_total", &[("status", &class)], counter.load(Ordering::Relaxed));
    }
    page.0
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<_> =
            labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escape(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
