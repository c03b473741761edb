//! Who else is in an overlay: a person beside an agent, what a person left running, and Divisi itself.

use std::fs;

use divisi_workspace::launch::{Launch, ShimCommand, Spec};
use divisi_workspace::sandbox::{Holder, Sandbox};
use divisi_workspace::{ArchiveLimits, ArchiveRequest, Workspaces};

use crate::overlays::{overlay, rich};
use crate::support::{divisi, request, write};

#[test]
fn a_person_finds_an_ordinary_repository_and_what_they_commit_is_kept() {
    let f = rich();
    let space =
        Workspaces::of_folder(&f.git, f.spaces().root(), &overlay(&f, "t1.1").path()).unwrap().unwrap();
    let script = "test \"$PWD\" = \"$(pwd)\" && git status --porcelain && echo mine > person && git add person \
                  && git -c user.name=P -c user.email=p@x commit -qm 'by a person' && exit 3";
    let shell = |script: &str| space.run_inside("sh".as_ref(), &["-c".into(), script.into()]).unwrap();
    assert_eq!(shell(script).code(), Some(3));
    // Another one meanwhile joins the first.
    let fifo = f.path("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RWXU).unwrap();
    let waits = format!("echo > '{0}'; cat '{0}'", fifo.display());
    std::thread::scope(|scope| {
        let first = scope.spawn(|| shell(&waits));
        fs::read(&fifo).unwrap();
        assert!(shell("test -f person").success());
        fs::write(&fifo, "").unwrap();
        assert!(first.join().unwrap().success());
    });
    let taken = f.snapshot(&space);
    let asked = crate::results::result_request("t1.1");
    let result = space.record_result(&f.hub, &taken, &asked).unwrap().unwrap();
    assert_eq!(result.history, divisi_workspace::History::Kept { commits: 1 });
    assert_eq!(f.show(&result.commit, "person"), "mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_and_an_agent_are_among_the_same_files_whoever_came_first() {
    use crate::launch::support::{exit, output_with};
    let f = rich();
    let space = overlay(&f, "t1.1");
    let fifo = f.path("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RWXU).unwrap();
    let shell = |script: String| {
        let space = space.clone();
        std::thread::spawn(move || space.run_inside("sh".as_ref(), &["-c".into(), script.into()]).unwrap())
    };
    let script =
        "echo > '@'; cat '@'; cat agents && echo more > persons".replace('@', fifo.to_str().unwrap());
    let person = shell(format!("echo mine > persons; {script}"));
    fs::read(&fifo).unwrap();

    let waits = "cat persons > agents && echo ready; while ! test -e go; do sleep 0.01; done; cat persons go";
    let mut spec = Spec::new(["/bin/sh", "-c", waits], space.path());
    spec.env.insert("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into());
    let parts = space.sandbox_parts();
    let (overlay, read_only, held) = (parts.overlay, parts.read_only, parts.held);
    spec.sandbox = Some(Sandbox { overlay, read_only, held, ..Sandbox::default() });
    let program = env!("CARGO_BIN_EXE_divisi-shim-test");
    let shim = ShimCommand::new(program, ["shim"]);
    let launch = Launch::start(&f.path("launch"), &spec, &shim).await.unwrap();
    output_with(&launch, "ready").await;
    fs::write(&fifo, "").unwrap();
    assert!(person.join().unwrap().success(), "they see what the agent wrote");

    // The agent is there alone now, still nobody else can have the folders, and a person comes in again.
    let archive = ArchiveRequest { by: divisi(), limits: ArchiveLimits::default(), allow_loss: false };
    let refused = f.spaces().archive(&f.hub, &space, &archive).unwrap_err();
    let why = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(why, "a program has it open");
    let writes_settings = "grep -q more persons && git config user.name Me && echo on > go".to_owned();
    assert!(shell(writes_settings).join().unwrap().success(), "the pins are the agent's and not theirs");
    assert!(exit(&launch).await.success());
    let said = crate::launch::support::output(&launch).await;
    assert_eq!(String::from_utf8_lossy(&said), "ready\nmore\non\n");
    f.spaces().archive(&f.hub, &space, &archive).unwrap();
}

#[test]
fn what_a_person_leaves_running_keeps_the_workspace() {
    let f = rich();
    let space = overlay(&f, "t1.1");
    let script = format!("(read line < '{0}'; echo late > late; echo > '{0}') &", f.path("fifo").display());
    rustix::fs::mkfifoat(rustix::fs::CWD, f.path("fifo"), rustix::fs::Mode::RWXU).unwrap();
    assert!(space.run_inside("sh".as_ref(), &["-c".into(), script.into()]).unwrap().success());
    assert!(f.spaces().discard(&space).is_err(), "it is still mounted");
    assert!(space.run_inside("git".as_ref(), &["status".into()]).unwrap().success(), "but shared");
    fs::write(f.path("fifo"), "go\n").unwrap();
    fs::read(f.path("fifo")).unwrap();
    assert_eq!(f.show(&f.snapshot(&space).commit, "late"), "late");
}

#[test]
fn an_overlay_in_use_is_neither_archived_nor_removed() {
    let f = rich();
    let space = overlay(&f, "t1.1");
    let holder = Holder::mount(&space.overlay().unwrap()).unwrap();
    let archive = ArchiveRequest { by: divisi(), limits: ArchiveLimits::default(), allow_loss: false };
    assert!(f.spaces().archive(&f.hub, &space, &archive).is_err());
    assert!(f.spaces().discard(&space).is_err());
    write(&holder.view(), "work", "precious");
    drop(holder);
    assert_eq!(f.show(&space.snapshot(&f.hub, &request("t1.1")).unwrap().commit, "work"), "precious");
}
