//! Watching tasks until something is so.

use std::collections::HashMap;

use divisi_api::types::{EventView, TaskView};
use divisi_api::{Client, Follow};

use crate::errors::Done;
use crate::render::{clean, status, style};
use crate::ui::Ui;

/// Follows the log from a moment on, so that nothing that happens afterwards is missed.
pub(crate) struct Watch {
    client: Client,
    events: Follow<EventView>,
    told: HashMap<String, String>,
}

impl Watch {
    /// Begins now. Whatever is asked of the daemon after this is seen.
    pub(crate) async fn begin(client: &Client) -> Done<Self> {
        let last = client.health().await?.last_seq;
        Ok(Self { client: client.clone(), events: client.follow_events(last), told: HashMap::new() })
    }

    /// Waits until each of these tasks is `over`, and tells a person who looks on how they come along.
    pub(crate) async fn until(
        &mut self,
        ui: &Ui,
        handles: &[String],
        over: impl Fn(&TaskView) -> bool,
    ) -> Done<Vec<TaskView>> {
        let mut tasks = HashMap::new();
        for handle in handles {
            tasks.insert(handle.clone(), self.look(ui, handle).await?);
        }
        while tasks.values().any(|task| !over(task)) {
            let event = self.events.next().await?;
            if let Some(handle) = event.task.filter(|handle| tasks.contains_key(handle)) {
                let task = self.look(ui, &handle).await?;
                tasks.insert(handle, task);
            }
        }
        Ok(handles.iter().filter_map(|handle| tasks.remove(handle)).collect())
    }

    /// The newest state of a task.
    async fn look(&mut self, ui: &Ui, handle: &str) -> Done<TaskView> {
        let task = self.client.task(handle).await?;
        for attempt in &task.attempts {
            let line = format!(
                "{}  {}",
                status::status(&attempt.status),
                style::faint(clean::line(&attempt.status.reason))
            );
            if self.told.get(&attempt.handle) != Some(&line) {
                ui.progress(format!("{}  {line}", style::name(&attempt.handle)));
                self.told.insert(attempt.handle.clone(), line);
            }
        }
        Ok(task)
    }
}
