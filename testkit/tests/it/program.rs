use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use divisi_testkit::{Program, TestEnv, require_agent};

/// The message with which running this program fails the test.
fn failure_of(program: Program<'_>) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| program.run())).expect_err("it has to fail");
    panic.downcast_ref::<String>().expect("the message is formatted").clone()
}

#[test]
fn input_output_and_code_are_kept() {
    let env = TestEnv::new();
    let run = env.program("sh").args(["-c", "cat; echo no >&2; exit 7"]).input("hello\n").run();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("hello\n", "no\n"));
    run.require_code(7);
    assert!(!run.success());
}

#[test]
fn a_program_that_hangs_fails_the_test_with_what_it_had_said() {
    let env = TestEnv::new();
    let hanging =
        env.program("sh").args(["-c", "echo started; exec sleep 600"]).time_max(Duration::from_millis(300));
    let message = failure_of(hanging);
    assert!(message.contains("did not end in") && message.contains("started"), "{message}");
}

#[test]
fn a_program_that_is_missing_is_named() {
    let env = TestEnv::new();
    let message = failure_of(env.program("no-such-program-here"));
    assert!(message.contains("cannot start `no-such-program-here`"), "{message}");
}

#[test]
fn output_that_is_json_is_parsed() {
    let env = TestEnv::new();
    assert_eq!(env.program("echo").args([r#"{"tasks":[1]}"#]).run().json()["tasks"][0], 1);
}

#[test]
fn a_missing_agent_fails_with_the_sentence_that_says_how_to_get_it() {
    let panic = catch_unwind(|| require_agent("no-such-agent")).expect_err("there is none");
    let message = panic.downcast_ref::<String>().expect("the message is formatted");
    assert!(message.contains("no-such-agent") && message.contains("cargo xtask install-agents"), "{message}");
}
