//! `cargo xtask replay`: a short history with everything in it that git can carry.

use std::os::unix::fs::symlink;

use divisi_testkit::{Finished, Repo, TestEnv, divisi_program};

/// Ten commits on a base: one is a merge, one rests on an earlier one, one contradicts an earlier one, one changes
/// nothing on the base, one adds an ignored file, and one moves a submodule.
fn history(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    let long: String = (0..40).map(|n| format!("line {n}\n")).collect();
    repo.file("long.txt", &long).file("a/b/one.txt", "one\n").file("run.sh", "true\n").file("gone", "x\n");
    repo.file("image.bin", [0, 159, 146, 150, 0, 10]).file("twist", "a file\n");
    symlink("long.txt", repo.path().join("link")).unwrap();
    repo.file(".gitignore", "*.log\n").commit("base");

    repo.file("long.txt", long.replace("line 3\n", "line three\n")).commit("change a line");
    repo.git(["mv", "a", "moved"]);
    repo.commit("rename a folder");
    repo.file("image.bin", [0, 255, 254, 0, 10, 13]).executable("run.sh", "true\n").remove("gone");
    repo.remove("link").remove("twist").file("twist/now", "a folder\n").file("new", "so\n");
    symlink("../outside", repo.path().join("link")).unwrap();
    repo.commit("binary, mode, deletion, link, and a file that becomes a folder");
    repo.file("moved/b/one.txt", "one, changed after the rename\n").commit("rests on the rename");
    repo.file("long.txt", long.replace("line 3\n", "line III\n")).commit("rests on the first");
    repo.remove("new").commit("remove what the base does not have");
    repo.file("new", "or otherwise\n").commit("contradicts the third");
    repo.file("build.log", "x\n").git(["add", "--force", "build.log"]);
    repo.commit("add a file that is ignored");
    repo.switch("side");
    repo.file("side.txt", "side\n")
        .file("name with\nnewline \"and\" quotes", "x\n")
        .commit("on a side branch");
    repo.switch("main");
    repo.git(["merge", "--quiet", "--no-ff", "-m", "merge the side branch", "side"]);
    let head = repo.head();
    repo.git(["update-index", "--add", "--cacheinfo", &format!("160000,{head},module")]);
    repo.git(["commit", "--quiet", "-m", "a submodule"]);
    repo
}

fn replay(env: &TestEnv, arguments: &[&str]) -> Finished {
    let divisi = divisi_program();
    let scratch = env.join("replay");
    let call = env.program(env!("CARGO_BIN_EXE_xtask")).args(["replay", "--repo", "shop", "--divisi"]);
    call.args([divisi, "--scratch".into(), scratch]).args(arguments).run()
}

#[test]
fn each_commit_ends_as_with_git_alone() {
    let env = TestEnv::new();
    let repo = history(&env);
    let before = (repo.refs(), repo.status());
    let done = replay(&env, &["--commits", "10", "--json"]);
    done.require_success();
    let report = done.json();
    assert_eq!((&report["equal"], &report["tree"]), (&true.into(), &report["tree_by_git"]), "{done}");
    let rows = report["commits"].as_array().unwrap().iter();
    let rows: Vec<_> = rows.map(|row| (row["outcome"].as_str().unwrap(), row["files"].to_string())).collect();
    let expected = [
        ("landed", "[]"),
        ("landed", "[]"),
        ("landed", "[]"),
        ("landed", "[]"),
        ("does_not_apply", "[\"long.txt\"]"),
        ("empty", "[]"),
        ("conflicts", "[\"new\"]"),
        ("left_out", "[\"build.log\"]"),
        ("landed", "[]"),
        ("left_out", "[\"module\"]"),
    ];
    let expected: Vec<_> = expected.into_iter().map(|(word, files)| (word, files.to_owned())).collect();
    assert_eq!(rows, expected, "{done}");
    assert_eq!((repo.refs(), repo.status()), before, "the repository is only read");
    assert!(!env.join("replay").exists(), "nothing is left");
}

#[test]
fn squashed_and_rebased_it_comes_to_the_same() {
    let env = TestEnv::new();
    history(&env);
    for landing in ["squash", "rebase"] {
        let done = replay(&env, &["--commits", "9", "--tip", "main~1", "--landing", landing]);
        done.require_success();
        assert!(done.stdout.contains("\nequal\n"), "{done}");
    }
}

#[test]
fn a_wrong_call_is_told() {
    let env = TestEnv::new();
    env.repo("shop").commit("only one");
    for arguments in [&["--tip", "nowhere"][..], &[], &["--commits", "0"]] {
        assert_ne!(replay(&env, arguments).code, Some(0), "{arguments:?}");
    }
}
