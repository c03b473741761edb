//! A person's shell at a terminal of its own, in a workspace.

use std::fs;
use std::path::Path;

use divisi_workspace::{Terminal, TerminalEnd, TerminalSize, Workspace};

use crate::overlays::{overlay, rich};

const SIZE: TerminalSize = TerminalSize { columns: 80, rows: 24 };

fn open(space: &Workspace, also: &[(&str, &str)]) -> Terminal {
    let mut environment = vec![("PATH", "/usr/local/bin:/usr/bin:/bin"), ("PS1", "$ ")];
    environment.extend(also);
    space.terminal("/bin/sh".as_ref(), environment, SIZE).unwrap()
}

async fn types(terminal: &Terminal, text: &str) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let taken = terminal.write(rest).await.unwrap();
        rest = &rest[taken..];
    }
}

/// Reads until this was said.
async fn hears(terminal: &Terminal, wanted: &str) -> String {
    let (mut heard, mut buffer) = (String::new(), [0; 4096]);
    while !heard.contains(wanted) {
        let read = terminal.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "{wanted} was not said, only {heard:?}");
        heard.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    heard
}

/// Whether a process lives, told by its id in a file.
fn lives(file: &Path) -> bool {
    let pid = fs::read_to_string(file).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

#[tokio::test]
async fn a_shell_echoes_takes_another_size_and_ends_with_its_code() {
    let f = rich();
    let terminal = open(&overlay(&f, "t1.1"), &[]);
    types(&terminal, "stty size; test -t 0 && tty\r").await;
    let heard = hears(&terminal, "/dev/pts/").await;
    assert!(heard.contains("stty size; test") && heard.contains("24 80"), "{heard:?}");
    terminal.resize(TerminalSize { columns: 132, rows: 50 }).unwrap();
    types(&terminal, "stty size\r").await;
    hears(&terminal, "50 132").await;
    types(&terminal, "exit 7\r").await;
    assert_eq!(terminal.ended().await.unwrap(), TerminalEnd::Exited(7));
    // It may be asked again, also by somebody who comes later.
    assert_eq!(terminal.ended().await.unwrap(), TerminalEnd::Exited(7));
}

#[tokio::test]
async fn it_is_among_the_files_of_an_overlay_with_whoever_else_is_there() {
    let f = rich();
    let space = overlay(&f, "t1.1");
    let terminal = open(&space, &[]);
    types(&terminal, "test \"$PWD\" = \"$(pwd)\" && git status --short; echo mine > person; echo st''ands\r")
        .await;
    hears(&terminal, "stands").await;
    let script = "grep -q mine person && echo yours > other";
    assert!(space.run_inside("sh".as_ref(), &["-c".into(), script.into()]).unwrap().success());
    types(&terminal, "cat other\r").await;
    hears(&terminal, "yours").await;
}

#[tokio::test]
async fn its_environment_is_what_was_given_and_where_it_is() {
    let f = rich();
    let space = overlay(&f, "t1.1");
    let terminal = open(&space, &[("GIVEN", "yes")]);
    types(&terminal, "env | cut -d= -f1 | sort | tr '\\n' ' '; echo en''d\r").await;
    let heard = hears(&terminal, "end").await;
    let names: Vec<&str> = heard.lines().find(|line| line.contains("GIVEN")).unwrap().split(' ').collect();
    let wanted = ["DIVISI_LAUNCH", "DIVISI_WORKSPACE_PATH", "GIVEN", "PATH", "PS1", "PWD", "TERM"];
    assert_eq!(names.into_iter().filter(|name| wanted.contains(name)).count(), wanted.len(), "{heard}");
    let variables = heard.lines().find(|line| line.contains("GIVEN")).unwrap();
    assert!(!variables.contains("CARGO") && !variables.contains("HOME"), "{variables}");
}

#[tokio::test]
async fn what_floods_is_interrupted_by_a_key() {
    let f = rich();
    let terminal = open(&overlay(&f, "t1.1"), &[]);
    types(&terminal, "yes; echo \"en''ded $?\"\r").await;
    hears(&terminal, "y\r\ny\r\ny\r\n").await;
    types(&terminal, "\x03").await;
    types(&terminal, "echo aft''er\r").await;
    hears(&terminal, "after").await;
}

#[tokio::test]
async fn everything_that_came_out_of_it_is_gone_with_it() {
    let f = rich();
    let terminal = open(&overlay(&f, "t1.1"), &[]);
    let file = |name: &str| f.path(name);
    let script = format!(
        "sleep 1000 & echo $! > '{0}'; (trap '' HUP; exec sleep 1000) & echo $! > '{1}'; \
         setsid -w sh -c 'sleep 1000 & echo $! > {2}'; (env -i sleep 1000 & echo $! > '{3}'); echo rea''dy\r",
        file("job").display(),
        file("deaf").display(),
        file("away").display(),
        file("bare").display(),
    );
    types(&terminal, &script).await;
    hears(&terminal, "ready").await;
    let names = ["job", "deaf", "away", "bare"];
    assert!(names.iter().all(|name| lives(&file(name))), "they have begun");
    drop(terminal);
    let left: Vec<_> = names.iter().filter(|name| lives(&file(name))).collect();
    assert!(left.is_empty(), "{left:?} live on");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_an_error() {
    let f = rich();
    let nothing: [(&str, &str); 0] = [];
    let refused = overlay(&f, "t1.1").terminal("/nonexistent/shell".as_ref(), nothing, SIZE).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::NotFound);
}
