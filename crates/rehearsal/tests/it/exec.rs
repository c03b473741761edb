//! The single run without a protocol.

use std::process::{Command, Output};

fn exec(folder: &std::path::Path, prompt: &str, flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_divisi-rehearsal"));
    command.args(["rehearsal-agent", "--exec", prompt]).args(flags).current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_script_is_performed_in_plain_text() {
    let folder = tempfile::tempdir().unwrap();
    let script = "say I write a file.\nplan\n  [x] write\nwrite a.txt \"x\\n\"\nrun false\nask execute Push\n  \
                  rejected\n    say Not pushed.\nusage input 5 output 2 cost 0.1";
    let output = exec(folder.path(), &format!("Do it\n```rehearsal\n{script}\n```"), &[]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(text(&output.stdout), @r#"
I write a file.
[x] write
* Write a.txt
* false
  failed: (exit code 1)
* Push
  not allowed, because nobody is there to ask: Push
Not pushed.
tokens: 5 in, 2 out, $0.1
"#);
    assert_eq!(std::fs::read_to_string(folder.path().join("a.txt")).unwrap(), "x\n");
}

#[test]
fn exit_codes_tell_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let code = |script: &str| {
        let output = exec(folder.path(), &format!("```rehearsal\n{script}\n```"), &[]);
        (output.status.code(), text(&output.stderr))
    };
    assert_eq!(code("say fine"), (Some(0), String::new()));
    assert_eq!(code("crash 7").0, Some(7));
    assert_eq!(code("error unauthorized"), (Some(1), "Error: Invalid API key. Log in first.\n".into()));
    assert_eq!(code("sing").0, Some(2));
    assert!(code("sing").1.starts_with("Script line 1: “sing” is not a step"));
    let output = exec(folder.path(), "hello", &["--script", "missing"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("The script missing cannot be read"));
}
