//! The floors: the least that could do the same, written as plainly as possible.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use rusqlite::{Connection, TransactionBehavior, params};
use rustix::pipe::SpliceFlags;

use crate::Result;
use crate::measure::timed;
use crate::repositories::Repository;

/// `git worktree add -b`; gives milliseconds. The worktree is left for whoever wants to look at it.
pub fn worktree(repository: &Repository, path: &Path, branch: &str) -> Result<f64> {
    worktree_of(repository, path, branch, "main")
}

/// The same of another commit.
pub fn worktree_of(repository: &Repository, path: &Path, branch: &str, base: &str) -> Result<f64> {
    let path = path.display().to_string();
    Ok(timed(|| repository.git(&["worktree", "add", "--quiet", "-b", branch, &path, base]))?.0)
}

/// Takes a worktree away again, off the clock.
pub fn remove_worktree(repository: &Repository, path: &Path, branch: &str) -> Result {
    fs::remove_dir_all(path)?;
    repository.git(&["worktree", "prune"])?;
    repository.git(&["branch", "--quiet", "-D", branch]).map(drop)
}

/// Milliseconds from starting a program to the first byte that it writes.
pub fn spawn(argv: &[&str]) -> Result<f64> {
    let started = Instant::now();
    let mut child =
        Command::new(argv[0]).args(&argv[1..]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut byte = [0];
    child.stdout.as_mut().ok_or("no output")?.read_exact(&mut byte)?;
    let took = started.elapsed().as_secs_f64() * 1000.0;
    child.wait()?;
    Ok(took)
}

/// Megabytes per second of a program's output through a FIFO and `splice` into a file, with nothing around it.
pub fn splice(folder: &Path, argv: &[&str], bytes: u64) -> Result<f64> {
    let (fifo, path) = (folder.join("fifo"), folder.join("spliced"));
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )?;
    // Open for both, so that nobody waits for the other end.
    let pipe = OpenOptions::new().read(true).write(true).open(&fifo)?;
    let file = File::create(&path)?;
    let started = Instant::now();
    let mut child =
        Command::new(argv[0]).args(&argv[1..]).stdin(Stdio::null()).stdout(pipe.try_clone()?).spawn()?;
    let mut moved = 0;
    while moved < bytes {
        moved += rustix::pipe::splice(&pipe, None, &file, None, 1 << 20, SpliceFlags::MOVE)? as u64;
    }
    let seconds = started.elapsed().as_secs_f64();
    child.wait()?;
    fs::remove_file(&fifo)?;
    fs::remove_file(&path)?;
    Ok(bytes as f64 / 1e6 / seconds)
}

/// Events per second of rows put into the same table of a fresh database, `group` in a transaction, with nothing around
/// it: no readers, nothing written out or folded.
pub fn inserts(folder: &Path, events: usize, group: usize, data: &str) -> Result<f64> {
    fs::create_dir_all(folder)?;
    let path = folder.join("floor.sqlite");
    let mut sql = Connection::open(&path)?;
    let _mode: String = sql.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    sql.pragma_update(None, "synchronous", "NORMAL")?;
    sql.execute_batch(
        "CREATE TABLE events (seq INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL, \
         at TEXT NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, data TEXT, UNIQUE (stream, version)) STRICT",
    )?;
    let streams: Vec<String> = (0..8).map(|_| format!("task/{}", uuid::Uuid::now_v7())).collect();
    let (took, ()) = timed(|| {
        let mut seq = 0;
        while seq < events {
            let transaction = sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut insert =
                transaction.prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
            for _ in 0..group {
                seq += 1;
                let (stream, version) = (&streams[seq % streams.len()], (seq / streams.len()) as i64);
                let at = "2026-01-01T00:00:00.000000000Z";
                insert.execute(params![
                    seq as i64,
                    stream,
                    version,
                    at,
                    r#"{"who":"divisi"}"#,
                    "turn_ended",
                    data
                ])?;
            }
            drop(insert);
            transaction.commit()?;
        }
        Ok(())
    })?;
    drop(sql);
    fs::remove_dir_all(folder)?;
    Ok(events as f64 / took * 1000.0)
}
