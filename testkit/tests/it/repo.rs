use divisi_testkit::TestEnv;
use insta::assert_snapshot;

#[test]
fn a_repository_is_built_step_by_step() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("README.md", "# Shop\n").executable("bin/run", "#!/bin/sh\necho hello\n");
    let first = repo.commit("shop: start");
    repo.switch("feature").file("src/new.txt", "new\n").remove("bin/run");
    let second = repo.commit("shop: another way");

    assert_eq!(repo.commit_of("main"), Some(first));
    assert_eq!(repo.commit_of("feature"), Some(second));
    assert_eq!(repo.files_at("main"), ["README.md", "bin/run"]);
    assert_eq!(repo.files_at("feature"), ["README.md", "src/new.txt"]);
    assert_eq!(repo.read_at("main", "bin/run").as_deref(), Some("#!/bin/sh\necho hello"));
    assert_eq!(repo.read_at("feature", "bin/run"), None);
    assert_eq!(repo.status(), "");
    repo.file("loose.txt", "");
    assert_eq!(repo.status(), "?? loose.txt");
    repo.switch("main");
    assert_eq!(repo.read("README.md"), "# Shop\n");
}

#[test]
fn the_same_steps_give_the_same_commits() {
    let commit = || {
        let env = TestEnv::new();
        let repo = env.repo("shop");
        repo.file("a", "1");
        repo.commit("one");
        repo.file("a", "2");
        repo.commit("two")
    };
    assert_eq!(commit(), commit());
}

#[test]
fn a_transcript_shows_call_output_and_exit_code() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("a", "1");
    repo.commit("one");
    let mut transcript = env.transcript(repo.path());
    let script = "git rev-parse HEAD; git rev-parse --short HEAD; pwd; echo oops >&2; exit 3";
    let run = env.program("sh").in_folder(repo.path()).args(["-c", script]).run();
    transcript.record(&run);
    transcript.record(&env.program("echo").args(["a b", "c"]).run());
    assert_snapshot!(transcript, @"
    $ sh -c 'git rev-parse HEAD; git rev-parse --short HEAD; pwd; echo oops >&2; exit 3'
    [commit 1]
    [commit 1]
    [env]/shop
    --- stderr
    oops
    [exit code 3]

    $ echo 'a b' c
    a b c
    ");
}
