//! The examples of `docs/guides/rehearsal.md` are played, so the guide cannot lie.

use divisi_rehearsal::script::{Script, find_block};

use crate::conversation::Conversation;

const GUIDE: &str = include_str!("../../../../docs/guides/rehearsal.md");

/// The prompts in the guide's outer fences.
fn examples() -> Vec<String> {
    let mut parts = GUIDE.split("\n````markdown\n");
    parts.next();
    parts.map(|part| part.split("\n````\n").next().unwrap().to_owned()).collect()
}

#[test]
fn every_script_in_the_guide_is_right() {
    let mut rest = GUIDE.to_owned();
    let mut scripts = 0;
    while let Some(block) = find_block(&rest).unwrap() {
        Script::parse(&block.script).unwrap();
        rest = block.rest;
        scripts += 1;
    }
    assert_eq!(scripts, 4);
    assert_eq!(examples().len(), 3);
}

#[test]
fn the_first_example_mends_and_tests() {
    let mut client = Conversation::start(&[]);
    std::fs::write(client.workspace().join("calc.py"), "def add(a, b):\n    return a - b\n").unwrap();
    let transcript = client.prompt(&examples()[0]);
    assert_eq!(client.file("calc.py"), "def add(a, b):\n    return a + b\n");
    assert!(
        transcript.contains(r#"{"exitCode":0}"#) && !transcript.contains(r#""status":"failed""#),
        "{transcript}"
    );
}

#[test]
fn the_second_example_is_mended_when_its_check_fails() {
    let mut client = Conversation::start(&[]);
    client.prompt(&examples()[1]);
    assert_eq!(client.file("greeting.txt"), "Helo\n");
    client.prompt("The check `grep Hello greeting.txt` failed with exit code 1.");
    assert_eq!(client.file("greeting.txt"), "Hello\n");
    assert!(client.prompt("greeting.txt:1: with a comma, please").contains("a review comment"));
}

#[test]
fn the_third_example_goes_on_either_way() {
    for (answer, left, said) in
        [("allow-once", false, "old.txt is gone."), ("reject-once", true, "I left old.txt")]
    {
        let mut client = Conversation::start(&[]);
        std::fs::write(client.workspace().join("old.txt"), "").unwrap();
        let transcript = client.prompt_answering(&examples()[2], |_| Some(answer.to_owned()));
        assert_eq!(client.workspace().join("old.txt").exists(), left);
        assert!(transcript.contains(said), "{transcript}");
    }
}
