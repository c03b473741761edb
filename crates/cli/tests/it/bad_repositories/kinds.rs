//! Unusual repositories in which everything simply works.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use divisi_testkit::{Repo, TestEnv};

use super::{NEW, land, lands, names, prompt, run};

fn with_two_commits<'env>(env: &'env TestEnv, name: &str) -> Repo<'env> {
    let repo = env.repo(name);
    repo.file("list.txt", "one\n").commit("first");
    repo.file("list.txt", "one\ntwo\n").commit("second");
    repo
}

fn git(env: &TestEnv, folder: &str, call: &[&str]) -> String {
    let done = env.program("git").in_folder(env.join(folder)).args(call).run();
    done.require_success();
    done.stdout.trim_end().to_owned()
}

#[test]
fn shallow_shared_and_replaced_histories_work() {
    let env = TestEnv::new();
    let source = with_two_commits(&env, "source");
    let url = format!("file://{}", source.path().display());
    git(&env, "", &["clone", "--quiet", "--depth=1", &url, "shallow"]);
    git(&env, "", &["clone", "--quiet", "--shared", "source", "shared"]);
    let replaced = with_two_commits(&env, "replaced");
    replaced.git(["replace", "--graft", "HEAD"]);
    for folder in ["shallow", "shared", "replaced"] {
        assert_eq!(lands(&env, &env.join(folder), "main", NEW).1, names(&["new.txt"]), "{folder}");
        assert_eq!(git(&env, folder, &["status", "--porcelain"]), "", "{folder}");
        git(&env, folder, &["fsck", "--strict"]);
    }
    assert_eq!(git(&env, "shallow", &["rev-list", "--count", "--first-parent", "HEAD"]), "2");
    assert_eq!(git(&env, "replaced", &["--no-replace-objects", "rev-list", "--count", "HEAD"]), "4");
}

#[test]
fn a_repository_with_refs_in_tables_works() {
    let env = TestEnv::new();
    let made =
        env.program("git").args(["init", "--quiet", "--ref-format=reftable", "-b", "main", "tables"]).run();
    if !made.success() {
        // Git before 2.45 knows no such repositories, so nobody has one.
        assert!(made.stderr.contains("ref-format"), "{made}");
        return;
    }
    git(&env, "tables", &["commit", "--quiet", "--allow-empty", "-m", "first"]);
    let before = git(&env, "tables", &["rev-parse", "HEAD"]);
    let (task, _) = lands(&env, &env.join("tables"), "main", NEW);
    assert_eq!(git(&env, "tables", &["show", "main:new.txt"]), "hello");
    env.divisi().args(["undo", &task]).run().require_success();
    assert_eq!(git(&env, "tables", &["rev-parse", "HEAD"]), before);
}

#[test]
fn submodules_stay_where_they_are() {
    let env = TestEnv::new();
    let library = with_two_commits(&env, "library");
    let repo = with_two_commits(&env, "shop");
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"];
    repo.git(add.into_iter().chain([library.path().to_str().unwrap(), "lib"]));
    repo.git(["commit", "--quiet", "-m", "add the library"]);
    let before = repo.git(["submodule", "status"]);
    let script =
        "write lib/stray.txt \"an agent's file in the submodule's folder\\n\"\nwrite new.txt \"hello\\n\"";
    let (task, written) = lands(&env, repo.path(), "main", script);
    assert_eq!(written, names(&["new.txt"]));
    assert_eq!((repo.git(["submodule", "status"]), repo.status()), (before, String::new()));
    let shown = env.divisi().args(["show", &task]).run();
    assert!(shown.stdout.contains("lib: files of a submodule; left out"), "{shown}");
}

#[test]
fn pointers_of_a_filter_are_bytes_and_a_landing_that_needs_the_filter_says_the_way_out() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    repo.file(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n").file("a.bin", pointer);
    repo.commit("first");
    let ran = env.join("filter-ran");
    for kind in ["clean", "smudge", "process"] {
        repo.git(["config", &format!("filter.lfs.{kind}"), &format!("touch {}; cat", ran.display())]);
    }
    assert_eq!(lands(&env, repo.path(), "main", "run cp a.bin seen.txt").1, names(&["seen.txt"]));
    assert_eq!(repo.read("seen.txt"), pointer);

    let task = run(&env, repo.path(), "append a.bin \"more\\n\"", &[]).stdout.trim().to_owned();
    let before = super::without_objects(repo.path());
    let mut typed = env.transcript(repo.path());
    typed.divisi(["review", &task, "--approve"]);
    typed.divisi(["land", &task]);
    assert_eq!(super::without_objects(repo.path()), before);
    assert!(!ran.exists(), "no filter ran");
    insta::assert_snapshot!(typed, @r#"
    $ divisi review t2 --approve
    t2  ▲ ready to land  Do it
        next: divisi land t2

    $ divisi land t2
    t2  landing failed: approved, but it did not land: your checkout passes files that this would change through a filter such as Git LFS, and Divisi runs no filters (a.bin); leave the branch (git switch --detach), land, and go back to it: then your own git runs them
    --- stderr
    error: t2 did not land
      because your checkout passes files that this would change through a filter such as Git LFS, and Divisi runs no filters (a.bin); leave the branch (git switch --detach), land, and go back to it: then your own git runs them
    hint: divisi land t2
    [exit code 1]
    "#);
    repo.git(["switch", "--quiet", "--detach"]);
    env.divisi().args(["land", &task]).run().require_success();
}

#[test]
fn a_sparse_checkout_stays_sparse() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("in/a", "a\n").file("out/b", "b\n").commit("first");
    repo.git(["sparse-checkout", "set", "in"]);
    let script = "append out/b \"b\\n\"\nwrite out/new \"n\\n\"\nwrite in/new \"n\\n\"";
    let (task, written) = lands(&env, repo.path(), "main", script);
    assert_eq!(written, names(&["in/new"]));
    assert!(repo.status().is_empty() && !repo.path().join("out").exists());
    assert_eq!(repo.read_at("main", "out/b").unwrap(), "b\nb");
    env.divisi().args(["undo", &task]).run().require_success();
    assert!(repo.status().is_empty() && !repo.path().join("in/new").exists());
}

#[test]
fn names_are_bytes_and_links_are_texts() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let odd = ["sp ace", "new\nline", "-option", "tab\t\"quote\"", ":(magic)*", "ünï"];
    for name in odd {
        repo.file(name, "one\n");
    }
    let raw = OsStr::from_bytes(b"no text \xff");
    fs::write(repo.path().join(raw), "one\n").unwrap();
    repo.file("Case", "A\n").file("case", "a\n").file("folder/file", "x\n");
    for (target, link) in
        [("/etc/passwd", "out"), ("../../..", "up"), ("nowhere", "dangling"), ("folder", "to")]
    {
        symlink(target, repo.path().join(link)).unwrap();
    }
    repo.commit("first");
    let outside = fs::read("/etc/passwd").unwrap();
    let script = "run for file in *; do if [ -f \"$file\" ] && [ ! -L \"$file\" ]; then echo two >> \"./$file\"; fi; done\n\
                  run ln -sfn /etc/shadow out; rm to; mkdir to; echo x > to/x; rm -r folder; ln -s .. folder";
    let (task, _) = lands(&env, repo.path(), "main", script);
    assert_eq!(repo.status(), "");
    for name in odd {
        assert_eq!(repo.read(name), "one\ntwo\n", "{name:?}");
    }
    assert_eq!(fs::read_to_string(repo.path().join(raw)).unwrap(), "one\ntwo\n");
    assert_eq!((repo.read("Case"), repo.read("case")), ("A\ntwo\n".into(), "a\ntwo\n".into()));
    assert_eq!(fs::read_link(repo.path().join("out")).unwrap(), OsStr::new("/etc/shadow"));
    assert_eq!(fs::read("/etc/passwd").unwrap(), outside);
    // What is shown can be given to git as a patch.
    let shown = env.divisi().args(["diff", &task]).run().stdout;
    let patch = env.join("patch");
    let texts: String =
        shown.split_inclusive("diff --git ").filter(|part| part.contains("no text")).collect();
    assert!(texts.contains("\"a/no text \\377\" \"b/no text \\377\""), "{texts}");
    fs::write(&patch, &shown).unwrap();
    env.divisi().args(["undo", &task]).run().require_success();
    assert_eq!((repo.status(), repo.read("sp ace")), (String::new(), "one\n".into()));
    repo.git(["apply", "--check", patch.to_str().unwrap()]);
}

#[test]
fn hooks_monitors_and_line_endings_of_the_repository_stay_its_own() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file(".gitattributes", "* text=auto eol=crlf\n").file("win.txt", "a\r\nb\r\n").commit("first");
    repo.remove("win.txt").git(["checkout", "--quiet", "--", "win.txt"]);
    let ran = env.join("ran");
    for hook in
        ["post-checkout", "reference-transaction", "post-index-change", "post-merge", "pre-commit", "update"]
    {
        repo.executable(&format!(".git/hooks/{hook}"), format!("#!/bin/sh\ntouch {}\n", ran.display()));
    }
    repo.git(["config", "core.fsmonitor", ran.to_str().unwrap()]);
    let _ = fs::remove_file(&ran);
    let (_, written) = lands(&env, repo.path(), "main", NEW);
    assert_eq!(written, names(&["new.txt"]));
    assert!(!ran.exists(), "nothing of the repository ran");
    assert_eq!(repo.read("win.txt"), "a\r\nb\r\n");
    assert_eq!(
        repo.git(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "status", "--short"]),
        ""
    );
}

#[test]
fn worktrees_of_the_person_and_odd_branch_names_work() {
    let env = TestEnv::new();
    let repo = with_two_commits(&env, "shop");
    repo.git(["update-ref", "refs/divisi/base/mine", "HEAD"]);
    repo.git(["branch", "divisi"]);
    let branch = "füü/日本-😀";
    repo.git(["worktree", "add", "--quiet", "../tree", "-b", branch]);
    let main = super::fingerprint(repo.path());
    let task = run(&env, &env.join("tree"), NEW, &[]).stdout.trim().to_owned();
    land(&env, &env.join("tree"), &task).require_success();
    assert_eq!(git(&env, "tree", &["status", "--porcelain"]), "");
    assert!(env.join("tree/new.txt").exists() && !repo.path().join("new.txt").exists());
    let written = super::written(&main, &super::fingerprint(repo.path()), branch);
    let tree = |name: &str| format!(".git/worktrees/tree/{name}");
    assert_eq!(written, names(&[&tree("index"), &tree("logs/HEAD")]));
    // From the worktree onto the branch of the main checkout.
    let task = run(&env, &env.join("tree"), NEW, &["--base", "main"]).stdout.trim().to_owned();
    land(&env, &env.join("tree"), &task).require_success();
    assert_eq!((repo.read("new.txt"), repo.status()), ("hello\n".into(), String::new()));
    assert_eq!(repo.git(["rev-parse", "refs/divisi/base/mine"]), repo.git(["rev-parse", "divisi"]));
}

#[test]
fn a_prompt_of_a_megabyte_works() {
    let env = TestEnv::new();
    let repo = with_two_commits(&env, "shop");
    let long = format!("{}\n{}", prompt(NEW), "word ".repeat(220_000));
    fs::write(env.join("long.md"), long).unwrap();
    let call = ["run", "--quiet", "--agent", "rehearsal", "--wait", "--file", "../long.md"];
    env.divisi().in_folder(repo.path()).args(call).run().require_success();
    land(&env, repo.path(), "t1").require_success();
    assert_eq!((repo.read("new.txt"), repo.status()), ("hello\n".into(), String::new()));
}
