//! Help and completion.

use divisi_testkit::TestEnv;

#[test]
fn every_command_explains_itself_with_examples() {
    let env = TestEnv::new();
    let overview = env.divisi().args(["--help"]).run();
    let listed = overview.require_success().stdout.split("Commands:\n").nth(1).unwrap();
    let commands: Vec<_> = listed
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert!(commands.len() > 20, "{commands:?}");
    for command in
        commands.iter().filter(|command| !["rehearsal-agent", "model-server", "help"].contains(command))
    {
        let help = env.divisi().args([*command, "--help"]).run();
        let text = &help.require_success().stdout;
        assert!(
            text.contains("Example") && text.contains(&format!("divisi {command}")),
            "{command}:\n{text}"
        );
    }
}

#[test]
fn the_performers_of_a_rehearsal_show_their_own_options() {
    let env = TestEnv::new();
    for (performer, option) in [("rehearsal-agent", "--pace"), ("model-server", "--record")] {
        let help = env.divisi().args([performer, "--help"]).run();
        assert!(help.require_success().stdout.contains(option), "{help}");
    }
}

#[test]
fn completion_scripts_know_the_commands() {
    let env = TestEnv::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = env.divisi().args(["completion", shell]).run();
        assert!(script.require_success().stdout.contains("review"), "{shell}");
    }
}

#[test]
fn output_that_nobody_reads_is_no_error() {
    let env = TestEnv::new();
    let divisi = divisi_testkit::divisi_program();
    // The reader goes away before the first byte is written.
    let script = format!("(sleep 0.2; '{}' help-markdown; echo \"code $?\" >&2) | true", divisi.display());
    let piped = env.program("sh").args(["-c", script.as_str()]).run();
    assert_eq!(piped.stderr, "code 0\n");
}
