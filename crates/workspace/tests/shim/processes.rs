//! The processes of the supervision tests: the shim itself, a daemon to be killed, and children with known habits.

#![allow(clippy::unwrap_used, reason = "only tests run it")]

use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use divisi_workspace::launch::{Launch, ShimCommand, shim_main};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["shim", "--adopt", dir] => shim_main(Path::new(dir), true),
        ["shim", dir] => shim_main(Path::new(dir), false),
        ["daemon", dir] => daemon(Path::new(dir)),
        ["lines", count] => done(lines(count.parse().unwrap())),
        ["slow-lines", count] => done(slow_lines(count.parse().unwrap())),
        ["echo"] => done(echo()),
        ["stubborn"] => stubborn(),
        ["stray", file] => stray(file),
        ["one-line", bytes] => done(one_line(bytes.parse().unwrap())),
        other => {
            eprintln!("unknown: {other:?}");
            ExitCode::from(64)
        }
    }
}

fn done(result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(3)
        }
    }
}

/// Starts what lies prepared in `DIR/spec-for-daemon.json` and waits to be killed.
fn daemon(dir: &Path) -> ExitCode {
    let spec = std::fs::read(dir.join("spec-for-daemon.json")).unwrap();
    let spec = serde_json::from_slice(&spec).unwrap();
    let shim = ShimCommand { program: std::env::current_exe().unwrap(), args: vec!["shim".into()] };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let launch = Launch::start(&dir.join("launch"), &spec, &shim).await.unwrap();
        println!("started");
        launch.wait().await;
    });
    ExitCode::SUCCESS
}

fn lines(count: u64) -> io::Result<()> {
    let mut out = io::stdout().lock();
    (0..count).try_for_each(|n| writeln!(out, "line {n}"))
}

/// As `lines`, but a little at a time, so that others can come in between.
fn slow_lines(count: u64) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for n in 0..count {
        writeln!(out, "line {n}")?;
        if n % 1000 == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    Ok(())
}

fn echo() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        writeln!(out, "{}", line?)?;
    }
    writeln!(out, "end of input")
}

/// Takes no notice of SIGTERM.
fn stubborn() -> ExitCode {
    let script = "trap '' TERM; echo ready; while :; do sleep 1000; done";
    let error = Command::new("sh").args(["-c", script]).exec();
    done(Err(error))
}

/// Leaves three processes behind in sessions of their own, parents gone, and writes their ids to `file`.
fn stray(file: &str) -> ExitCode {
    let file = PathBuf::from(file);
    for _ in 0..3 {
        let script = format!("setsid sh -c 'sleep 1000 & echo $! >> {}' &", file.display());
        Command::new("sh").args(["-c", &script]).status().unwrap();
    }
    while std::fs::read_to_string(&file).map_or(0, |text| text.lines().count()) < 3 {
        std::thread::sleep(Duration::from_millis(5));
    }
    println!("left three");
    ExitCode::SUCCESS
}

fn one_line(bytes: usize) -> io::Result<()> {
    let mut line = vec![b'x'; bytes];
    line.push(b'\n');
    io::stdout().write_all(&line)
}
