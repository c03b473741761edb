//! The processes of the supervision tests: the shim itself, a daemon to be killed, and children with known habits.

#![allow(clippy::unwrap_used, reason = "only tests run it")]

use std::io::{self, BufRead, Write};
use std::net::TcpStream;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use divisi_workspace::launch::{
    Followed, Launch, Outcome, Pause, RequestError, ShimCommand, Spec, State, Stdin, shim_main,
};
use divisi_workspace::sandbox::{Holder, Overlay, SandboxError};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["shim", ..] => shim_main(std::env::args_os().skip(2)),
        ["daemon", dir] => daemon(Path::new(dir)),
        ["lines", count] => done(lines(count.parse().unwrap())),
        ["slow-lines", count] => done(slow_lines(count.parse().unwrap())),
        ["echo"] => done(echo()),
        ["stubborn"] => stubborn(),
        ["stray", file] => stray(file),
        ["flood"] => done(flood()),
        ["full-disk-output", dir] => full_disk_output(Path::new(dir)),
        ["full-disk-input", dir] => full_disk_input(Path::new(dir)),
        ["attach", dir] => attach(Path::new(dir)),
        ["launch", dir] => launch(Path::new(dir)),
        ["connect", port] => done(TcpStream::connect(("127.0.0.1", port.parse().unwrap())).map(drop)),
        ["connect-abstract", name] => {
            done(SocketAddr::from_abstract_name(name).and_then(|to| UnixStream::connect_addr(&to)).map(drop))
        }
        ["connect-path", path] => done(UnixStream::connect(path).map(drop)),
        ["hold", overlay] => hold(Path::new(overlay)),
        ["meet", dir] => meet(Path::new(dir)),
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

fn shim() -> ShimCommand {
    ShimCommand::new(std::env::current_exe().unwrap(), ["shim"]).with_fork_server()
}

fn run(work: impl Future<Output = ()>) -> ExitCode {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
    ExitCode::SUCCESS
}

/// Starts what lies prepared in `DIR/spec-for-daemon.json` and waits to be killed.
fn daemon(dir: &Path) -> ExitCode {
    let spec = std::fs::read(dir.join("spec-for-daemon.json")).unwrap();
    let spec = serde_json::from_slice(&spec).unwrap();
    run(async {
        let launch = Launch::start(&dir.join("launch"), &spec, &shim()).await.unwrap();
        println!("started");
        launch.wait().await;
    })
}

/// Starts what lies prepared in `DIR/spec-for-daemon.json`, which waits for a file `go`, and takes a mount of its overlay.
fn meet(dir: &Path) -> ExitCode {
    let spec = std::fs::read(dir.join("spec-for-daemon.json")).unwrap();
    let spec: Spec = serde_json::from_slice(&spec).unwrap();
    let overlay = spec.sandbox.as_ref().unwrap().overlay.clone().unwrap();
    run(async {
        let launch = Launch::start(&dir.join("launch"), &spec, &shim()).await.unwrap();
        let holder = Holder::share(&overlay).unwrap();
        while !holder.view().join("own").exists() {
            tokio::task::yield_now().await;
        }
        std::fs::write(holder.view().join("go"), "go\n").unwrap();
        assert!(launch.wait().await.success());
        assert!(matches!(Holder::mount(&overlay), Err(SandboxError::InUse(_))));
        print!("{}", std::fs::read_to_string(holder.view().join("own")).unwrap());
        drop(holder);
        print!("{}", Holder::mount(&overlay).unwrap().view().join("go").is_file());
    })
}

/// A child writes more than the disk `DIR` has room for, until room is made.
fn full_disk_output(dir: &Path) -> ExitCode {
    let filler = dir.join("filler");
    std::fs::write(&filler, vec![0; 700 << 10]).unwrap();
    let program = std::env::current_exe().unwrap().into_os_string();
    let spec = Spec::new([program, "lines".into(), "60000".into()], dir);
    let expected: String = (0..60_000).map(|n| format!("line {n}\n")).collect();
    run(async {
        let launch = Launch::start(&dir.join("launch"), &spec, &shim()).await.unwrap();
        let mut status = launch.status();
        while status.paused != Some(Pause::NoSpace) {
            assert_eq!(status.state, State::Running);
            status = launch.changed(&status).await;
        }
        std::fs::remove_file(filler).unwrap();
        assert!(launch.wait().await.success());
        let journal = std::fs::read_to_string(dir.join("launch/out.journal")).unwrap();
        assert!(journal == expected, "{} of {} bytes", journal.len(), expected.len());
    })
}

/// Input for a child whose launch directory is on the full disk `DIR`, and its end.
fn full_disk_input(dir: &Path) -> ExitCode {
    let mut spec = Spec::new(["/bin/cat"], "/");
    spec.stdin = Stdin::Journaled;
    run(async {
        let launch = Launch::start(&dir.join("launch"), &spec, &shim()).await.unwrap();
        assert_eq!(launch.write(0, b"before\n").await, Ok(7));
        let mut output = launch.follow(0).unwrap();
        assert_eq!(output.next().await.unwrap(), Followed::Bytes { offset: 0, bytes: b"before\n".to_vec() });
        let filler = dir.join("filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        let refused = launch.write(7, &[b'x'; 50_000]).await;
        assert!(matches!(refused, Err(RequestError::Full(_))), "{refused:?}");
        assert_eq!(launch.load_stdin().unwrap(), b"before\n");
        launch.terminate(None).await.unwrap();
        let exit = launch.wait().await;
        assert_eq!(exit.outcome, Outcome::Signaled { signal: 15 }, "{exit:?}");
        assert!(dir.join("launch/exit.json").exists());
    })
}

/// Runs what lies prepared in `DIR/spec-for-daemon.json` to its end, and says what it said and how it ended.
fn launch(dir: &Path) -> ExitCode {
    let spec = std::fs::read(dir.join("spec-for-daemon.json")).unwrap();
    let spec = serde_json::from_slice(&spec).unwrap();
    run(async {
        match Launch::start(&dir.join("launch"), &spec, &shim()).await {
            Ok(launch) => {
                let exit = launch.wait().await;
                io::stdout().write_all(&std::fs::read(dir.join("launch/out.journal")).unwrap()).unwrap();
                println!("{:?}", exit.outcome);
            }
            Err(error) => println!("{error}"),
        }
    })
}

/// Finds the launch in `DIR/launch` again, and says how it ended.
fn attach(dir: &Path) -> ExitCode {
    run(async {
        let launch = Launch::attach(&dir.join("launch"), &shim()).await.unwrap();
        println!("{:?}", launch.wait().await.outcome);
    })
}

/// Reads and writes through a holder of the overlay that a file describes.
fn hold(overlay: &Path) -> ExitCode {
    let overlay: Overlay = serde_json::from_slice(&std::fs::read(overlay).unwrap()).unwrap();
    let names = |at: &Path| std::fs::read_dir(at).unwrap().count();
    let holder = Holder::mount(&overlay).unwrap();
    println!("files {}", names(&holder.view()));
    print!("everywhere {}", std::fs::read_to_string(holder.view().join("everywhere")).unwrap());
    std::fs::write(holder.view().join("new"), "new").unwrap();
    std::fs::write(holder.view().join("from-7"), "changed").unwrap();
    // The second one is refused while the first is there.
    match Holder::mount(&overlay) {
        Err(SandboxError::InUse(_)) => println!("in use"),
        other => panic!("{other:?}"),
    }
    drop(holder);
    let again = Holder::mount(&overlay).unwrap();
    assert_eq!(std::fs::read_to_string(again.view().join("from-7")).unwrap(), "changed");
    println!("again {}", names(&again.view()));
    ExitCode::SUCCESS
}

fn flood() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let block = [b'f'; 8192];
    loop {
        out.write_all(&block)?;
    }
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
