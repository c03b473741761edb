//! The list of tasks, which is asked for often and changes little: a task is written anew only when it has changed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use divisi_engine::Trouble;
use divisi_model::project::Project;
use divisi_model::{AttemptId, TaskId, TaskState};

use crate::types::TaskSummary;

/// What was written of each task.
#[derive(Default)]
pub(crate) struct Summaries(Mutex<BTreeMap<TaskId, Written>>);

struct Written {
    /// The state that it was written of. While this is kept, no other state has the same address.
    of: Weak<TaskState>,
    project: Option<Project>,
    json: String,
}

impl Summaries {
    /// The summaries of these tasks as an array of JSON. `held_up` says what is not in the log: what holds an attempt up
    /// at the moment.
    pub(crate) fn list(
        &self,
        tasks: &[Arc<TaskState>],
        projects: &[Project],
        held_up: impl Fn(AttemptId) -> Option<Trouble>,
    ) -> Result<Vec<u8>, serde_json::Error> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut list = Vec::with_capacity(written.values().map(|one| one.json.len() + 1).sum::<usize>() + 2);
        list.push(b'[');
        for (n, task) in tasks.iter().enumerate() {
            if n > 0 {
                list.push(b',');
            }
            let project = projects.iter().find(|project| project.id == task.spec.project);
            let known = written.get(&task.id).filter(|one| {
                std::ptr::eq(one.of.as_ptr(), Arc::as_ptr(task)) && one.project.as_ref() == project
            });
            let trouble = |number| held_up(AttemptId { task: task.id, number });
            let is_held_up = task.attempts.iter().any(|attempt| trouble(attempt.number).is_some());
            match known {
                Some(known) if !is_held_up => list.extend_from_slice(known.json.as_bytes()),
                _ => {
                    let json = serde_json::to_string(&TaskSummary::of(task, project).with(trouble))?;
                    list.extend_from_slice(json.as_bytes());
                    if is_held_up {
                        written.remove(&task.id);
                    } else {
                        let of = Arc::downgrade(task);
                        written.insert(task.id, Written { of, project: project.cloned(), json });
                    }
                }
            }
        }
        list.push(b']');
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use divisi_model::event::{Delivery, Origin, Prompt};
    use divisi_model::task::{Base, TaskSettings, TaskSpec};
    use divisi_model::{Actor, Envelope, Event, Oid, ProjectId, Stream, TaskNumber, fold};
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn project() -> Project {
        Project { id: ProjectId(Uuid::nil()), name: "shop".into(), root: "/shop".into() }
    }

    fn happens(state: Option<TaskState>, id: TaskId, event: Event) -> TaskState {
        let version = state.as_ref().map_or(0, |state| state.version) + 1;
        let at = Timestamp::UNIX_EPOCH;
        let envelope =
            Envelope { seq: version, stream: Stream::Task(id), version, at, actor: Actor::Divisi, event };
        fold(state, id, &envelope).unwrap()
    }

    fn task(number: u32) -> TaskState {
        let spec = TaskSpec {
            number: TaskNumber(number),
            project: project().id,
            title: format!("Task {number}"),
            prompt: String::new(),
            images: Vec::new(),
            criteria: Vec::new(),
            base: Base { branch: "main".into(), commit: Oid("0".repeat(40)) },
            agents: vec!["rehearsal".into()],
            settings: TaskSettings::default(),
            scope: Vec::new(),
            budget: None,
            asked: Default::default(),
        };
        let id = TaskId(Uuid::from_u128(u128::from(number)));
        let added = happens(None, id, Event::TaskAdded { spec: Box::new(spec) });
        let event = Event::AttemptAdded { attempt: 1, agent: "rehearsal".into(), branch: "b".into() };
        let prompt = Prompt {
            id: 1,
            text: "work".into(),
            images: Vec::new(),
            origin: Origin::Person,
            delivery: Delivery::default(),
        };
        let tried = happens(Some(added), id, event);
        happens(Some(tried), id, Event::PromptQueued { attempt: 1, prompt })
    }

    /// Number, root and state of each task.
    fn read(list: &[u8]) -> Vec<(u32, String, String)> {
        let tasks: Vec<TaskSummary> = serde_json::from_slice(list).unwrap();
        tasks.into_iter().map(|task| (task.number, task.root, task.status.state)).collect()
    }

    #[test]
    fn a_task_is_written_anew_when_something_of_it_has_changed() {
        let (summaries, nothing) = (Summaries::default(), |_| None);
        let mut tasks = vec![Arc::new(task(1)), Arc::new(task(2))];
        let of = |number, root: &str, state: &str| (number, root.to_owned(), state.to_owned());
        assert_eq!(read(&summaries.list(&[], &[], nothing).unwrap()), []);
        let first = summaries.list(&tasks, &[project()], nothing).unwrap();
        assert_eq!(read(&first), [of(1, "/shop", "queued"), of(2, "/shop", "queued")]);
        assert_eq!(summaries.list(&tasks, &[project()], nothing).unwrap(), first);

        let id = tasks[1].id;
        let stopped = Event::AttemptStopped { attempt: 1, why: None };
        tasks[1] = Arc::new(happens(Some(TaskState::clone(&tasks[1])), id, stopped));
        let list = summaries.list(&tasks, &[project()], nothing).unwrap();
        assert_eq!(read(&list), [of(1, "/shop", "queued"), of(2, "/shop", "stopped")]);

        let moved = [Project { root: "/elsewhere".into(), ..project() }];
        let list = summaries.list(&tasks, &moved, nothing).unwrap();
        assert_eq!(read(&list), [of(1, "/elsewhere", "queued"), of(2, "/elsewhere", "stopped")]);
    }

    #[test]
    fn what_holds_a_task_up_is_shown_as_long_as_it_does() {
        let (summaries, tasks) = (Summaries::default(), [Arc::new(task(1))]);
        let full = |_| Some(Trouble { reason: "the disk is full".into(), hint: String::new() });
        let state = |list: Vec<u8>| read(&list)[0].2.clone();
        assert_eq!(state(summaries.list(&tasks, &[], |_| None).unwrap()), "queued");
        assert_eq!(state(summaries.list(&tasks, &[], full).unwrap()), "held up");
        assert_eq!(state(summaries.list(&tasks, &[], |_| None).unwrap()), "queued");
    }
}
