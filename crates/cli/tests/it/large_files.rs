//! Files of 200 MB. Sparse, so that they take no room of their own; to git and to Divisi they are files like others.

use std::fs::OpenOptions;

use divisi_testkit::{Repo, TestEnv};

use crate::misbehaving::resident_kib;

const LARGE_BYTES: u64 = 200 << 20;

/// Most memory that the daemon may have taken, in KiB: less than the file has.
const RESIDENT_KIB_MAX: u64 = 120 * 1024;

fn shop(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    repo.file("list.txt", "one\n").file("divisi.toml", "[[gates]]\nname = \"test\"\ncommand = \"ls -l\"\n");
    repo
}

/// Gives a task out, and waits until it is in review.
fn run(env: &TestEnv, repo: &Repo<'_>, script: &str) {
    let prompt = format!("Work\n\n```rehearsal\n{script}\n```\n");
    let call = ["run", "--agent", "rehearsal", "--permissions", "all", "--wait", "-"];
    env.divisi().in_folder(repo.path()).args(call).input(prompt).run().require_success();
}

fn length(repo: &Repo<'_>, file: &str) -> u64 {
    repo.path().join(file).metadata().unwrap().len()
}

#[test]
fn one_in_the_repository_is_changed_landed_and_taken_back() {
    let env = TestEnv::new();
    let repo = shop(&env);
    let large = OpenOptions::new().create_new(true).write(true).open(repo.path().join("large.bin")).unwrap();
    large.set_len(LARGE_BYTES).unwrap();
    let before = repo.commit("first");
    run(&env, &repo, "append list.txt \"two\\n\"\nrun printf x >> large.bin");
    let mut typed = env.transcript(repo.path());
    typed.divisi(["diff", "t1", "--stat"]);
    typed.divisi(["diff", "t1"]);
    typed.divisi(["review", "t1", "--approve"]);
    env.divisi().in_folder(repo.path()).args(["land", "t1"]).run().require_success();
    assert_eq!((length(&repo, "large.bin"), repo.status()), (LARGE_BYTES + 1, String::new()));
    typed.divisi(["undo", "t1"]);
    assert_eq!((length(&repo, "large.bin"), repo.status()), (LARGE_BYTES, String::new()));
    assert_eq!(repo.head(), before);
    insta::assert_snapshot!(typed, @"
    $ divisi diff t1 --stat
     M  large.bin  binary
     M  list.txt  +1 -0
     2 files changed, 1 added, 0 removed

    $ divisi diff t1
    diff --git a/large.bin b/large.bin
    Binary files a/large.bin and b/large.bin differ
    diff --git a/list.txt b/list.txt
    --- a/list.txt
    +++ b/list.txt
    @@ -1 +1,2 @@
     one
    +two

    $ divisi review t1 --approve
    t1  ▲ ready to land  Work
        next: divisi land t1

    $ divisi undo t1
    t1  ▲ ready to land  Work
        next: divisi land t1
    ");
    let resident = resident_kib(&env);
    assert!(resident < RESIDENT_KIB_MAX, "the daemon took {resident} KiB");
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn a_new_one_is_left_out_and_named() {
    let env = TestEnv::new();
    let repo = shop(&env);
    repo.commit("first");
    run(&env, &repo, &format!("append list.txt \"two\\n\"\nrun truncate -s {LARGE_BYTES} large.bin"));
    let mut typed = env.transcript(repo.path());
    typed.divisi(["show", "t1"]);
    typed.divisi(["diff", "t1", "--stat"]);
    typed.divisi(["review", "t1", "--approve"]);
    env.divisi().in_folder(repo.path()).args(["land", "t1"]).run().require_success();
    assert_eq!(repo.files_at("main"), ["divisi.toml", "list.txt"]);
    // It is the person's to fetch, as long as the workspace is there.
    typed.divisi(["open", "t1", "--", "du", "--apparent-size", "-m", "large.bin"]);
    insta::assert_snapshot!(typed, @"
    $ divisi show t1
    t1  Work
    project shop, onto main from [commit 1]

    t1 by rehearsal
      ◇ in review for [duration]: 1 required check passed
      next: divisi diff t1, then divisi review t1 --approve
      branch  divisi/t1-work
      workspace  divisi open t1 (overlay, ports [ports])
      result  [commit 2]: 1 file, +1 -0, after turn 1
                 large.bin: too large; left out
      turns  1 completed ([duration])
      checks
        ✓ passed  test  ls -l  passed in [duration], on [commit 2]

    waits for you
      t1#1  review  look at [commit 2] ([duration])
          divisi diff t1, or divisi review t1 --approve

    $ divisi diff t1 --stat
     M  list.txt  +1 -0
     1 file changed, 1 added, 0 removed

    $ divisi review t1 --approve
    t1  ▲ ready to land  Work
        next: divisi land t1

    $ divisi open t1 -- du --apparent-size -m large.bin
    200	large.bin
    ");
    let resident = resident_kib(&env);
    assert!(resident < RESIDENT_KIB_MAX, "the daemon took {resident} KiB");
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}
