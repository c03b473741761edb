//! Logs of every released version, as envelopes in JSON lines. A file is never changed after its version was released;
//! a new version adds a file, with every kind of event that it knows.

use std::collections::BTreeSet;
use std::path::PathBuf;

use divisi_model::{Envelope, Event, Phase, Stream, TaskNumber};
use divisi_store::{Store, Sync};
use serde_json::Value;

use crate::events::{KINDS, Seed, event, kind_of};
use crate::samples::*;

fn log_files() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/logs");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn lines(file: &PathBuf) -> Vec<Value> {
    std::fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Takes a log into an empty store, event by event.
fn take_in(store: &Store, log: &[Envelope]) {
    for envelope in log {
        let Envelope { stream, version, at, actor, event, .. } = envelope.clone();
        let done = store.append_blocking(stream, version - 1, actor, at, vec![event], Sync::Normal).unwrap();
        assert_eq!(done, std::slice::from_ref(envelope));
    }
}

/// Whether everything that is said in `part` is also said in `whole`, which may say more.
fn says_all(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| says_all(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| says_all(whole, part))
        }
        _ => whole == part,
    }
}

#[test]
fn old_logs_always_open() {
    assert!(!log_files().is_empty());
    for file in log_files() {
        let lines = lines(&file);
        let log: Vec<Envelope> = lines
            .iter()
            .map(|line| serde_json::from_value(line.clone()).unwrap_or_else(|e| panic!("{line}: {e}")))
            .collect();
        for (envelope, line) in log.iter().zip(&lines) {
            let now = serde_json::to_value(envelope).unwrap();
            assert!(says_all(&now, line), "{} lost something:\n{line}\n{now}", file.display());
        }
        assert_gap_free(&log);
        let dir = tempfile::tempdir().unwrap();
        take_in(&open(dir.path()), &log);
        let store = open(dir.path());
        assert_eq!(whole_log(&store), log);
        assert_eq!(store.tasks().unwrap(), folded(&log));
        assert_sound(&store);
    }
}

#[test]
fn the_log_of_0_1_0_folds_to_what_happened() {
    let file = log_files().into_iter().find(|file| file.ends_with("0.1.0.jsonl")).unwrap();
    let log: Vec<Envelope> =
        lines(&file).into_iter().map(|line| serde_json::from_value(line).unwrap()).collect();
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    take_in(&store, &log);

    let projects = store.projects().unwrap();
    assert_eq!((projects.len(), projects[0].name.as_str()), (1, "store"), "the project moved");
    let tasks = store.tasks().unwrap();
    let [first, second, third] = &tasks[..] else { panic!("{} tasks", tasks.len()) };
    assert_eq!((first.spec.number, first.archived, first.items.len()), (TaskNumber(1), false, 7));
    assert_eq!(first.open_items().count(), 0);
    let attempt = &first.attempts[0];
    assert_eq!((&attempt.phase, attempt.sessions.len(), attempt.turns.len()), (&Phase::Landed, 3, 13));
    assert!(attempt.archived_as.is_some() && attempt.queue.is_empty());
    assert!((attempt.usage.cost_usd.unwrap() - 0.6).abs() < 1e-9);
    assert_eq!(first.attempts[1].phase, Phase::Stopped);
    assert_eq!((second.archived, &second.attempts[0].phase), (true, &Phase::Stopped));
    assert_eq!((third.staged(), third.spec.prompt.as_str()), (true, "Sort by name"));
    assert!(third.moved_to.is_some_and(|since| since < third.added));
    assert_eq!(store.next_task_number().unwrap(), TaskNumber(4));
}

#[test]
fn the_newest_log_has_every_kind_of_event() {
    let newest = log_files().pop().unwrap();
    let stored: BTreeSet<String> =
        lines(&newest).iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect();
    let seed = Seed { attempt: 1, n: 1, flag: true, cost: Some(0.1), text: "x".into() };
    let mut known: Vec<Event> = (0..KINDS).map(|kind| event(kind, &seed)).collect();
    known.extend([added(1), Event::ProjectAdded { project: project() }]);
    let kinds: BTreeSet<_> = known.iter().map(|event| kind_of(event).to_owned()).collect();
    assert_eq!(kinds.len(), known.len());
    assert_eq!(stored, kinds);
    for event in known {
        assert_eq!(serde_json::to_value(&event).unwrap()["kind"], kind_of(&event));
    }
}

#[test]
fn a_stored_stream_is_named_by_what_it_is_about() {
    for stream in [Stream::Task(task(1)), Stream::Project(project().id)] {
        assert_eq!(Stream::try_from(stream.to_string()), Ok(stream));
    }
}
