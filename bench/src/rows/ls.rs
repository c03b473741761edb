//! The list of tasks of somebody who has used Divisi for a year.

use divisi_model::project::Project;
use divisi_model::{Actor, Event, ProjectId, Stream, TaskId};
use divisi_store::{Store, Sync};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Bench, store};
use crate::measure::{by_turns, timed};
use crate::repositories::{self, Repository};
use crate::row::{Bar, Findings, Outcome};
use crate::{Result, divisi};

/// `divisi ls` against `git status`, both as whole processes.
pub fn measure(bench: &Bench<'_>) -> Result<Findings> {
    let repository = Repository::make(bench.place, "ls-repository", 200)?;
    let home = divisi::Home::make(bench.place, "ls", 4)?;
    let (tasks, events) = bench.pick((1_000, 100), (20, 20));
    fill(&home, &repository, tasks, events)?;
    let (daemon, _client) = bench.runtime()?.block_on(home.serve())?;
    let list = |_| {
        let mut ls = home.command(&repository.path)?;
        let (took, done) = timed(|| Ok(ls.arg("ls").output()?))?;
        let shown = done.stdout.iter().filter(|byte| **byte == b'\n').count();
        match done.status.success() && shown > tasks as usize {
            true => Ok(took),
            false => {
                Err(format!("ls showed {shown} lines: {}", String::from_utf8_lossy(&done.stderr)).into())
            }
        }
    };
    let status = |_| {
        let mut status = repositories::git_command(&repository.path);
        let (took, done) = timed(|| Ok(status.arg("status").output()?))?;
        if done.status.success() { Ok(took) } else { Err("git status failed".into()) }
    };
    let pair = by_turns(bench.pick(60, 3), list, status)?;
    drop(daemon);
    let what = format!("`divisi ls`, {tasks} tasks, {} events", tasks * events);
    let against = "`git status`, 200 files";
    Ok(Findings::rows([Outcome::ratio("ls", what, against, Bar::RatioAtMost(5.0), pair)]))
}

/// A log of tasks that were stopped, all of one project.
fn fill(home: &divisi::Home, repository: &Repository, tasks: u32, events: u32) -> Result {
    let store = Store::open(&home.root.join("data/log"))?;
    let id = ProjectId(Uuid::now_v7());
    let root = repository.path.display().to_string();
    let project = Project { id, name: "ls".to_owned(), root };
    let append = |stream, events| {
        store.append_blocking(stream, 0, Actor::Divisi, Timestamp::now(), events, Sync::Normal)
    };
    append(Stream::Project(id), vec![Event::ProjectAdded { project }])?;
    for number in 1..=tasks {
        let mut history = store::history(number, events as usize - 2, id, 200);
        history.push(Event::AttemptStopped { attempt: 1, why: None });
        history.push(Event::SessionClosed {
            attempt: 1,
            session: 1,
            why: "the attempt is over".to_owned(),
            forgotten: false,
        });
        append(Stream::Task(TaskId(Uuid::now_v7())), history)?;
    }
    Ok(())
}
