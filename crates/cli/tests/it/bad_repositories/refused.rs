//! Where nothing can be done, it is said in one sentence, with the way out, and nothing is written.

use divisi_testkit::{Repo, TestEnv};

use super::{NEW, fingerprint, lands, names};

const RUN: [&str; 4] = ["run", "--agent", "rehearsal", "x"];

#[test]
fn what_cannot_be_a_project_is_told_with_the_way_out() {
    let env = TestEnv::new();
    let mut typed = env.transcript(env.root());
    let bare = env.join("bare.git");
    env.program("git").args(["init", "--quiet", "--bare", "bare.git"]).run().require_success();
    env.repo("unborn");
    let detached = env.repo("detached");
    detached.commit("first");
    detached.git(["checkout", "--quiet", "--detach"]);
    let option = env.repo("option");
    option.commit("first");
    option.git(["update-ref", "refs/heads/-x", "HEAD"]);
    option.git(["symbolic-ref", "HEAD", "refs/heads/-x"]);
    let call = ["init", "--quiet", "--object-format=sha256", "--initial-branch=main", "sha256"];
    env.program("git").args(call).run().require_success();
    let before = fingerprint(env.root()).into_iter();
    let of_repositories =
        |(path, _): &(std::path::PathBuf, _)| !path.starts_with("home") && !path.starts_with("run");
    let before: Vec<_> = before.filter(of_repositories).collect();
    assert!(bare.exists());
    for folder in ["bare.git", "unborn", "detached", "option", "sha256"] {
        typed.divisi(["-C", folder].into_iter().chain(RUN));
    }
    typed.divisi(["-C", "detached", "run", "--agent", "rehearsal", "--base", "HEAD~9", "x"]);
    let after: Vec<_> = fingerprint(env.root()).into_iter().filter(of_repositories).collect();
    assert_eq!(after, before);
    insta::assert_snapshot!(typed, @r#"
    $ divisi -C bare.git run --agent rehearsal x
    --- stderr
    error: [env]/bare.git is a bare repository, which has no files to work on
    hint: make a checkout of it: git worktree add ../FOLDER, or git clone
    [exit code 2]

    $ divisi -C unborn run --agent rehearsal x
    --- stderr
    warning: nothing will be proven: divisi.toml has no [[gates]] and no --check was given
    error: the branch main has no commit yet
    hint: make a first one: git commit --allow-empty -m "first"
    [exit code 4]

    $ divisi -C detached run --agent rehearsal x
    --- stderr
    warning: nothing will be proven: divisi.toml has no [[gates]] and no --check was given
    error: no branch is checked out, so there is none that the result could land on
    hint: git switch BRANCH, or name one: --base BRANCH
    [exit code 4]

    $ divisi -C option run --agent rehearsal x
    --- stderr
    warning: nothing will be proven: divisi.toml has no [[gates]] and no --check was given
    error: "-x" is not a branch name
    hint: give it another name: git branch -m NEW
    [exit code 2]

    $ divisi -C sha256 run --agent rehearsal x
    --- stderr
    warning: nothing will be proven: divisi.toml has no [[gates]] and no --check was given
    error: [env]/sha256/.git uses sha256 object names; only sha1 repositories are supported
    hint: make a copy: git init COPY, then git fast-export --all | git -C COPY fast-import
    [exit code 2]

    $ divisi -C detached run --agent rehearsal --base 'HEAD~9' x
    --- stderr
    warning: nothing will be proven: divisi.toml has no [[gates]] and no --check was given
    error: "HEAD~9" is not a commit of this repository
    hint: git branch --all lists the branches
    [exit code 3]
    "#);
}

#[test]
fn a_detached_checkout_works_when_a_branch_is_named() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.commit("first");
    repo.git(["checkout", "--quiet", "--detach"]);
    let task = super::run(&env, repo.path(), NEW, &["--base", "main"]).stdout.trim().to_owned();
    super::land(&env, repo.path(), &task).require_success();
    assert_eq!(repo.read_at("main", "new.txt").unwrap(), "hello");
    assert_eq!((repo.status(), repo.read_at("HEAD", "new.txt")), (String::new(), None));
}

/// A clone that has only a part of its objects, of a repository beside it.
fn partial(env: &TestEnv, source: &Repo<'_>) -> std::path::PathBuf {
    source.git(["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", source.path().display());
    let call = ["clone", "--quiet", "--filter=blob:none", &url, "partial"];
    env.program("git").args(call).run().require_success();
    env.join("partial")
}

#[test]
fn a_history_with_holes_is_told_and_works_once_it_is_whole() {
    let env = TestEnv::new();
    let source = env.repo("source");
    source.file("a", "1").commit("first");
    source.file("a", "2").commit("second");
    let partial = partial(&env, &source);
    let grafted = env.repo("grafted");
    grafted.file("a", "1").commit("first");
    grafted.file("a", "2").commit("second");
    let head = grafted.head();
    grafted.file(".git/info/grafts", format!("{head}\n"));

    let mut typed = env.transcript(env.root());
    typed.divisi(["-C", "partial"].into_iter().chain(RUN));
    typed.divisi(["-C", "grafted"].into_iter().chain(RUN));
    insta::assert_snapshot!(typed, @r#"
    $ divisi -C partial run --agent rehearsal x
    --- stderr
    warning: nothing will be proven: divisi.toml has no [[gates]] and no --check was given
    error: [env]/partial/.git is a partial clone, and objects that are needed are not here
    hint: git fetch --refetch --no-filter fetches all of them
    [exit code 2]

    $ divisi -C grafted run --agent rehearsal x
    --- stderr
    warning: nothing will be proven: divisi.toml has no [[gates]] and no --check was given
    error: [env]/grafted/.git cuts its history short by info/grafts, which cannot be copied
    hint: git replace --convert-graft-file makes replace refs of them, which are no obstacle
    [exit code 2]
    "#);

    let git = |folder: &str, call: &[&str]| {
        env.program("git").in_folder(env.join(folder)).args(call).run().require_success().stdout.clone()
    };
    git("partial", &["-c", "maintenance.auto=false", "fetch", "--quiet", "--refetch", "--no-filter"]);
    git("grafted", &["replace", "--convert-graft-file"]);
    for folder in [partial.as_path(), grafted.path()] {
        assert_eq!(lands(&env, folder, "main", NEW).1, names(&["new.txt"]));
    }
}
