//! The process is killed, or the file cut, in the middle of writing.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use divisi_model::Stream;
use divisi_store::Sync;

use crate::samples::*;

const FOLDER: &str = "DIVISI_STORE_TEST_FOLDER";
const PRODUCERS: u32 = 3;

/// Not a test: what the next one starts and kills. It appends without end and says what was acknowledged.
#[test]
#[ignore = "started by the test below"]
fn appends_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = open(Path::new(&folder));
    std::thread::scope(|scope| {
        for producer in 1..=PRODUCERS {
            let store = store.clone();
            scope.spawn(move || {
                let stream = Stream::Task(task(producer));
                let mut version = store.task(task(producer)).unwrap().map_or(0, |task| task.version);
                loop {
                    let events = if version == 0 {
                        vec![added(producer), attempt(1)]
                    } else {
                        vec![small(1), small(2)]
                    };
                    let done =
                        store.append_blocking(stream, version, ada(), at(0), events, Sync::Full).unwrap();
                    version = done.last().unwrap().version;
                    // One write, so that a line is whole or not there.
                    let line = format!("\nacknowledged {}\n", done.last().unwrap().seq);
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    const ACKNOWLEDGED: usize = 60;
    let dir = tempfile::tempdir().unwrap();
    let mut highest = 0;
    for _round in 0..4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::appends_until_killed", "--ignored", "--nocapture"])
            .env(FOLDER, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut numbers = lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok());
        let mut seen: Vec<u64> = numbers.by_ref().take(ACKNOWLEDGED).collect();
        assert_eq!(seen.len(), ACKNOWLEDGED, "the child ended too early");
        child.kill().unwrap();
        seen.extend(numbers);
        child.wait().unwrap();

        let store = open(dir.path());
        let log = whole_log(&store);
        assert_gap_free(&log);
        let acknowledged = seen.into_iter().max().unwrap();
        assert!(acknowledged > highest);
        assert!(log.len() as u64 >= acknowledged, "{} events, {acknowledged} acknowledged", log.len());
        // Both events of an append or none.
        assert!(log.len().is_multiple_of(2));
        assert_eq!(store.tasks().unwrap(), folded(&log));
        assert_sound(&store);
        highest = acknowledged;
    }
}

#[test]
fn a_log_cut_anywhere_opens_with_what_was_committed() {
    const APPENDS: u32 = 12;
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    let store = with_a_task(&source);
    for n in 0..APPENDS {
        append(&store, Stream::Task(task(1)), u64::from(n) * 2 + 2, vec![small(n), small(n + 1)]).unwrap();
    }
    // The files of a store that is still open are what a power cut leaves.
    let file = std::fs::read(source.join("log.sqlite")).unwrap();
    let wal = std::fs::read(source.join("log.sqlite-wal")).unwrap();
    let log = whole_log(&store);
    assert!(wal.len() > 100_000, "all of it is still in the write-ahead log");

    let mut lengths = std::collections::BTreeSet::new();
    let cuts = (0..wal.len()).step_by(wal.len() / 60).chain([wal.len() - 1, wal.len()]);
    for (n, cut) in cuts.enumerate() {
        let folder = dir.path().join(format!("cut-{n}"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("log.sqlite"), &file).unwrap();
        let mut torn = wal[..cut].to_vec();
        if n % 2 == 1 {
            torn.resize(wal.len(), 0xa5);
        }
        std::fs::write(folder.join("log.sqlite-wal"), torn).unwrap();
        let store = open(&folder);
        let left = whole_log(&store);
        assert_eq!(left, log[..left.len()], "cut at {cut}");
        assert!(left.len().is_multiple_of(2), "half an append is left after a cut at {cut}");
        assert_sound(&store);
        if !left.is_empty() {
            append(&store, Stream::Task(task(1)), left.len() as u64, vec![small(9)]).unwrap();
        }
        lengths.insert(left.len());
    }
    assert!(lengths.len() > 10, "the cuts fell into different commits: {lengths:?}");
    assert_eq!(lengths.last(), Some(&log.len()));
}
