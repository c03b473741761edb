use std::process::Stdio;

use divisi_testkit::{TestEnv, target_folder, wait_until};

#[test]
fn programs_see_only_the_environment_of_the_test() {
    let env = TestEnv::new();
    let seen = env.program("env").run().stdout;
    let home = format!("HOME={}", env.home().display());
    assert!(seen.lines().any(|line| line == home), "{seen}");
    assert!(!seen.contains("CARGO"), "what cargo sets must not leak: {seen}");
    assert!(env.root().starts_with(target_folder()), "{}", env.root().display());
}

#[test]
fn git_has_an_identity_and_no_configuration_of_the_real_user() {
    let env = TestEnv::new();
    let seen = env.program("git").args(["config", "--list", "--show-origin"]).run();
    assert_eq!(seen.stdout, "");
    let identity = env.program("git").args(["var", "GIT_AUTHOR_IDENT"]).run().stdout;
    assert!(identity.starts_with("Ada Example <ada@example.org>"), "{identity}");
}

#[test]
fn the_folder_goes_and_with_it_every_process_that_was_started_in_it() {
    let env = TestEnv::new();
    let root = env.root().to_path_buf();
    // A grandchild of its own session, whose parent is gone: what a daemon or an agent is.
    let script = "setsid sleep 600 >/dev/null 2>&1 </dev/null & exit 0";
    env.program("sh").args(["-c", script]).run().require_success();
    wait_until("the process lives", || env.processes().iter().any(|p| p.command_line == "sleep 600"));
    let pid = env.processes()[0].pid;
    drop(env);
    assert!(!root.exists());
    let state = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    assert_eq!(state, "", "the process must be gone or a zombie");
}

#[test]
fn a_read_only_folder_is_removed_too() {
    let env = TestEnv::new();
    let root = env.root().to_path_buf();
    env.program("sh").args(["-c", "mkdir -p a/b && touch a/b/c && chmod 500 a/b a"]).run().require_success();
    drop(env);
    assert!(!root.exists());
}

#[test]
fn a_process_of_another_environment_is_left_alone() {
    let (one, other) = (TestEnv::new(), TestEnv::new());
    let mut sleeper = other.command("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
    drop(one);
    assert!(sleeper.try_wait().unwrap().is_none(), "it must still live");
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
}
