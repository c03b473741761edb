use divisi_testkit::{Finished, LargeRepo, TestEnv, fixture_repo_large};

fn run(env: &TestEnv, large: &LargeRepo, command: &str) -> Finished {
    env.program("sh").in_folder(large.repo.path()).args(["-c", command]).run()
}

#[test]
fn it_is_large_and_the_same_in_every_run() {
    let (one, other) = (TestEnv::new(), TestEnv::new());
    let (large, again) = (fixture_repo_large(&one), fixture_repo_large(&other));
    assert!(large.repo.files_at("main").len() >= 200, "{}", large.repo.files_at("main").len());
    assert_eq!(large.repo.head(), again.repo.head());
}

#[test]
fn its_suite_fails_exactly_where_the_faults_are() {
    let env = TestEnv::new();
    let large = fixture_repo_large(&env);
    let whole = run(&env, &large, large.test_command);
    whole.require_code(1);
    assert!(whole.stderr.contains("FAILED (failures=4)"), "{whole}");
    for bug in &large.bugs {
        run(&env, &large, bug.test_command).require_code(1);
    }
    assert_eq!(large.repo.status(), "", "a run of the tests leaves nothing behind");
}

#[test]
fn with_every_fault_mended_it_passes() {
    let env = TestEnv::new();
    let large = fixture_repo_large(&env);
    for (count, bug) in large.bugs.iter().enumerate() {
        large.repo.file(bug.path, bug.mended(&large.repo.read(bug.path)));
        run(&env, &large, bug.test_command).require_success();
        let whole = run(&env, &large, large.test_command);
        assert_eq!(whole.success(), count == 2, "{whole}");
    }
}
