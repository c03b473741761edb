//! What a person does to the repository or to a workspace while Divisi works.

use std::fs;
use std::path::PathBuf;

use divisi_testkit::{Finished, Repo, TestEnv, wait_until};

use super::{NEW, fingerprint, land, run, without_objects};

fn shop(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    repo.file("list.txt", "one\n").commit("first");
    repo
}

fn workspace(env: &TestEnv, task: &str) -> PathBuf {
    let shown = env.divisi().args(["show", task, "--json"]).run().require_success().json();
    shown["attempts"][0]["workspace"]["path"].as_str().unwrap().into()
}

/// Workspaces whose files are seen, and can be deleted, from outside.
fn checkouts(env: &TestEnv) {
    let folder = env.home().join(".config/divisi");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), "workspace = \"checkout\"\n").unwrap();
}

/// Runs a command among the files of a workspace.
fn inside(env: &TestEnv, task: &str, call: &[&str]) -> Finished {
    env.divisi().args(["open", task, "--"]).args(call).run()
}

fn state(env: &TestEnv, task: &str) -> String {
    let shown = env.divisi().args(["show", task, "--json"]).run().require_success().json();
    shown["status"]["state"].as_str().unwrap().to_owned()
}

#[test]
fn what_a_rewrite_of_the_target_dropped_stays_dropped() {
    let env = TestEnv::new();
    let repo = shop(&env);
    let first = run(&env, repo.path(), "write dropped.txt \"x\\n\"", &[]).stdout.trim().to_owned();
    land(&env, repo.path(), &first).require_success();
    let dropped = repo.head();
    let second = run(&env, repo.path(), NEW, &[]).stdout.trim().to_owned();
    repo.git(["reset", "--quiet", "--hard", "HEAD~1"]);
    repo.file("list.txt", "one\ntwo\n").commit("rewritten");
    let rewritten = repo.head();
    land(&env, repo.path(), &second).require_success();
    assert_eq!(repo.files_at("main"), ["list.txt", "new.txt"]);
    assert_eq!(repo.git(["rev-parse", "main^1"]), rewritten);
    let below = repo.git(["rev-list", "main"]);
    assert!(!below.contains(&dropped), "the dropped commit is no part of the history");
    env.divisi().args(["undo", &second]).run().require_success();
    assert_eq!((repo.head(), repo.status()), (rewritten, String::new()));
}

#[test]
fn what_is_in_the_way_of_a_landing_is_named_and_left_alone() {
    let env = TestEnv::new();
    let repo = shop(&env);
    let task = run(&env, repo.path(), NEW, &[]).stdout.trim().to_owned();
    env.divisi().args(["review", &task, "--approve"]).run().require_success();
    let mut typed = env.transcript(repo.path());
    let mut refused = |what: &str| {
        let before = without_objects(repo.path());
        typed.divisi(["land", &task]).require_code(1);
        assert_eq!(without_objects(repo.path()), before, "{what}");
    };
    repo.file("new.txt", "mine\n");
    refused("an untracked file");
    repo.git(["add", "new.txt"]);
    refused("a staged file");
    repo.git(["rm", "--quiet", "--force", "new.txt"]);
    repo.file(".git/index.lock", "");
    refused("a lock of the index");
    repo.remove(".git/index.lock").file(".git/refs/heads/main.lock", "");
    refused("a lock of the branch");
    repo.remove(".git/refs/heads/main.lock").switch("side");
    repo.file("list.txt", "side\n").commit("on the side");
    repo.switch("main").file("list.txt", "main\n").commit("on main");
    assert!(repo.try_git(["merge", "side"]).is_none());
    refused("a merge");
    repo.git(["merge", "--abort"]);
    assert!(repo.try_git(["rebase", "side"]).is_none());
    refused("a rebase");
    repo.git(["rebase", "--abort"]);
    repo.switch("side").git(["branch", "--quiet", "-m", "main", "renamed"]);
    refused("a branch that is gone");
    repo.git(["branch", "main", "renamed"]);
    insta::assert_snapshot!(typed, @r#"
    $ divisi land t1
    t1  landing failed: approved, but it did not land: local changes in your checkout are in the way: new.txt
    --- stderr
    error: t1 did not land
      because local changes in your checkout are in the way: new.txt
    hint: divisi land t1
    [exit code 1]

    $ divisi land t1
    t1  landing failed: approved, but it did not land: local changes in your checkout are in the way: new.txt
    --- stderr
    error: t1 did not land
      because local changes in your checkout are in the way: new.txt
    hint: divisi land t1
    [exit code 1]

    $ divisi land t1
    t1  landing failed: approved, but it did not land: [env]/shop is busy: another git command holds its index (index.lock)
    --- stderr
    error: t1 did not land
      because [env]/shop is busy: another git command holds its index (index.lock)
    hint: divisi land t1
    [exit code 1]

    $ divisi land t1
    t1  landing failed: approved, but it did not land: [env]/shop/.git is busy: another git command holds the branch (refs/heads/main.lock)
    --- stderr
    error: t1 did not land
      because [env]/shop/.git is busy: another git command holds the branch (refs/heads/main.lock)
    hint: divisi land t1
    [exit code 1]

    $ divisi land t1
    t1  landing failed: approved, but it did not land: [env]/shop is busy: a merge is not finished
    --- stderr
    error: t1 did not land
      because [env]/shop is busy: a merge is not finished
    hint: divisi land t1
    [exit code 1]

    $ divisi land t1
    t1  landing failed: approved, but it did not land: [env]/shop is busy: a rebase of the branch is not finished
    --- stderr
    error: t1 did not land
      because [env]/shop is busy: a rebase of the branch is not finished
    hint: divisi land t1
    [exit code 1]

    $ divisi land t1
    t1  landing failed: approved, but it did not land: the branch main is gone; git branch main COMMIT makes it again
    --- stderr
    error: t1 did not land
      because the branch main is gone; git branch main COMMIT makes it again
    hint: divisi land t1
    [exit code 1]
    "#);
    repo.file("list.txt", "edited, and nobody minds\n");
    env.divisi().args(["land", &task]).run().require_success();
    assert_eq!(repo.files_at("main"), ["list.txt", "new.txt"]);
    assert_eq!(repo.status(), " M list.txt");
}

#[test]
fn a_repository_that_was_moved_is_told_and_found_again() {
    let env = TestEnv::new();
    let repo = shop(&env);
    let task = run(&env, repo.path(), NEW, &[]).stdout.trim().to_owned();
    env.divisi().args(["review", &task, "--approve"]).run().require_success();
    let elsewhere = env.join("elsewhere");
    fs::rename(repo.path(), &elsewhere).unwrap();
    let before = fingerprint(&elsewhere);
    let mut typed = env.transcript(env.root());
    typed.divisi(["land", &task]);
    assert_eq!(fingerprint(&elsewhere), before);
    typed.divisi(["diff", &task]);
    insta::assert_snapshot!(typed, @r#"
    $ divisi land t1
    t1  landing failed: approved, but it did not land: the project is not in [env]/shop any more; move it back, or say where it is: divisi init in its new place
    --- stderr
    error: t1 did not land
      because the project is not in [env]/shop any more; move it back, or say where it is: divisi init in its new place
    hint: divisi land t1
    [exit code 1]

    $ divisi diff t1
    diff --git a/new.txt b/new.txt
    new file mode 100644
    --- /dev/null
    +++ b/new.txt
    @@ -0,0 +1 @@
    +hello
    "#);
    std::os::unix::fs::symlink(&elsewhere, repo.path()).unwrap();
    env.divisi().args(["land", &task]).run().require_success();
    assert_eq!(fs::read_to_string(elsewhere.join("new.txt")).unwrap(), "hello\n");
}

#[test]
fn a_workspace_that_was_deleted_comes_back_as_it_was() {
    let env = TestEnv::new();
    checkouts(&env);
    let repo = shop(&env);
    let script = format!("{NEW}\nwhen prompt contains \"more\"\nwrite more.txt \"more\\n\"");
    let task = run(&env, repo.path(), &script, &[]).stdout.trim().to_owned();
    let folder = workspace(&env, &task);
    fs::remove_dir_all(&folder).unwrap();
    assert!(env.divisi().args(["diff", &task]).run().require_success().stdout.contains("+hello"));
    env.divisi().args(["send", &task, "more"]).run().require_success();
    wait_until("the next turn is done", || {
        folder.join("more.txt").exists() && state(&env, &task) == "in review"
    });
    land(&env, repo.path(), &task).require_success();
    assert_eq!(repo.files_at("main"), ["list.txt", "more.txt", "new.txt"]);
}

#[test]
fn a_workspace_that_is_deleted_under_its_agent_needs_a_person_and_goes_on() {
    let env = TestEnv::new();
    checkouts(&env);
    let repo = shop(&env);
    let script = "write lost.txt \"x\\n\"\nask execute \"Go on\"\n  allowed\n    say Done.\n\
                  turn\nwrite new.txt \"hello\\n\"\nsay There.";
    let call = ["run", "--quiet", "--agent", "rehearsal", "-"];
    let given = env.divisi().in_folder(repo.path()).args(call).input(super::prompt(script)).run();
    let task = given.require_success().stdout.trim().to_owned();
    wait_until("the agent asks", || state(&env, &task) == "waiting for permission");
    assert!(workspace(&env, &task).join("lost.txt").exists());
    fs::remove_dir_all(workspace(&env, &task)).unwrap();
    env.divisi().args(["approve", &task]).run().require_success();
    let mut typed = env.transcript(repo.path());
    wait_until("a person is needed", || state(&env, &task) == "agent failed");
    typed.divisi(["show", &task]);
    insta::assert_snapshot!(typed, @r#"
    $ divisi show t1
    t1  Do it
    project shop, onto main from [commit 1]

    t1 by rehearsal
      ◐ agent failed for [duration]: the workspace's folder was deleted while the agent worked; it is there again, without this turn
      next: divisi log t1, then divisi resume t1
      branch  divisi/t1-do-it
      workspace  [home]/.local/share/divisi/workspaces/t1.1 (checkout, ports [ports])
      turns  1 agent_error: the workspace's folder was deleted while the agent worked; it is there again, without this turn ([duration])

    answered
      t1#2  permission  Go on: yes  (person)

    waits for you
      t1#3  stall  the workspace's folder was deleted while the agent worked; it is there again, without this turn ([duration])
          divisi log t1, then divisi resume t1
    "#);
    assert!(workspace(&env, &task).join("list.txt").exists(), "it is there again");
    env.divisi().args(["resume", &task]).run().require_success();
}

#[test]
fn a_persons_commit_in_a_workspace_is_part_of_the_next_result() {
    let env = TestEnv::new();
    let repo = shop(&env);
    let script = format!("{NEW}\nwhen prompt contains \"go on\"\nwrite more.txt \"more\\n\"");
    let task = run(&env, repo.path(), &script, &[]).stdout.trim().to_owned();
    let folder = workspace(&env, &task);
    let sh = |script: &str| inside(&env, &task, &["sh", "-c", script]);
    let has = |name: &str| inside(&env, &task, &["test", "-e", name]).success();
    sh("echo mine > mine.txt && git add --all && git commit --quiet -m 'by hand'").require_success();
    let head = || sh("git rev-parse HEAD").require_success().stdout.trim().to_owned();
    let mine = head();
    env.divisi().args(["send", &task, "go on"]).run().require_success();
    wait_until("the next turn is done", || state(&env, &task) == "in review" && has("more.txt"));
    land(&env, repo.path(), &task).require_success();
    assert_eq!(repo.files_at("main"), ["list.txt", "mine.txt", "more.txt", "new.txt"]);
    assert!(repo.git(["rev-list", "main"]).contains(&mine), "the commit is in the history as it was made");
    env.divisi().args(["archive", &task]).run().require_success();
    wait_until("the workspace is put away", || !folder.exists());
    env.divisi().args(["restore", &task]).run().require_success();
    wait_until("it is back", || has("mine.txt"));
    assert_eq!(head(), mine);
}
