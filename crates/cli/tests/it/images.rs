//! Images of prompts: given out and sent, shown to agents that take them and given as files to others, kept and carried.

use std::fs;
use std::path::Path;

use divisi_testkit::{Finished, TestEnv, wait_until};

/// The smallest PNG there is: one pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";
/// As much of a GIF as says that it is one.
const GIF: &[u8] = b"GIF89a\x01\0\x01\0\0\0\0;";
const LOOK: &str = "\
Make it look like this

```rehearsal
expect 1 images
write seen.txt \"one\\n\"

when prompt contains \"these two\"
expect 2 images
append seen.txt \"two\\n\"
```
";
/// Reads what the prompt names, as a person would, and notes its size.
const READER: &str = "title = \"Reader\"\ndrive = \"exec\"\ncommand = [\"sh\", \"-c\", \
    'path=$(sed -n \"s/^- .shot.png.: //p\"); wc -c < \"$path\" > size.txt; ! touch \"$path\" 2>/dev/null']\n\
    [exec]\nprompt = \"stdin\"\n";
const BLIND: &str =
    "title = \"Blind\"\ndrive = \"acp\"\ncommand = [\"{divisi}\", \"rehearsal-agent\", \"--no-images\"]\n";

fn divisi(env: &TestEnv, arguments: &[&str]) -> Finished {
    env.divisi().in_folder(env.join("shop")).args(arguments).run()
}

fn project(env: &TestEnv) {
    env.repo("shop").file("a.txt", "a\n").file("divisi.toml", "").commit("first");
    fs::write(env.join("shot.png"), PNG).unwrap();
    fs::write(env.join("other.gif"), GIF).unwrap();
    let agents = env.home().join(".config/divisi/agents");
    fs::create_dir_all(&agents).unwrap();
    fs::write(agents.join("reader.toml"), READER).unwrap();
    fs::write(agents.join("blind.toml"), BLIND).unwrap();
}

fn until_in_review(env: &TestEnv) {
    wait_until("it is in review", || {
        divisi(env, &["show", "t1", "--json"]).json()["status"]["attention"] == "in_review"
    });
}

fn given(env: &TestEnv, agent: &str, prompt: &str) {
    let run = ["run", "--agent", agent, "--image", "../shot.png", "--wait", "-"];
    env.divisi().in_folder(env.join("shop")).args(run).input(prompt).run().require_success();
}

fn read(env: &TestEnv, file: &str) -> String {
    divisi(env, &["open", "t1", "--", "cat", file]).require_success().stdout.clone()
}

#[test]
fn an_agent_is_shown_the_images_of_its_prompts_and_they_are_carried_along() {
    let (here, there) = (TestEnv::new(), TestEnv::new());
    project(&here);
    given(&here, "rehearsal", LOOK);
    assert_eq!(read(&here, "seen.txt"), "one\n");
    let send = ["send", "t1", "like these two", "--image", "../shot.png", "--image", "../other.gif"];
    divisi(&here, &send).require_success();
    wait_until("it has seen both", || read(&here, "seen.txt") == "one\ntwo\n");
    until_in_review(&here);
    let log = divisi(&here, &["log", "t1"]).stdout;
    assert!(log.contains("I see image/png of 70 bytes."), "{log}");
    assert!(log.contains("[image other.gif: shown to the agent]"), "{log}");
    let stored = |env: &TestEnv| fs::read_dir(env.home().join(".local/share/divisi/images")).unwrap().count();
    assert_eq!(stored(&here), 2, "the same bytes are stored once");
    let changed = divisi(&here, &["diff", "t1", "--stat"]).stdout;
    assert!(changed.contains("seen.txt") && !changed.contains("png"), "{changed}");

    let file = here.join("all.tar.gz");
    divisi(&here, &["export", file.to_str().unwrap()]).require_success();
    there
        .program("git")
        .args(["clone", "-q"])
        .args([here.join("shop"), there.join("shop")])
        .run()
        .require_success();
    divisi(&there, &["import", file.to_str().unwrap()]).require_success();
    assert_eq!(stored(&there), 2);
    assert!(divisi(&there, &["log", "t1"]).stdout.contains("[image shot.png: shown to the agent]"));
}

#[test]
fn who_cannot_be_shown_an_image_is_given_a_file_that_is_no_part_of_the_change() {
    let env = TestEnv::new();
    project(&env);
    given(&env, "reader", "Measure it");
    assert_eq!(read(&env, "size.txt"), format!("{}\n", PNG.len()));
    let changed = divisi(&env, &["diff", "t1", "--stat"]).stdout;
    assert!(changed.contains("size.txt") && !changed.contains("png"), "{changed}");
    let log = divisi(&env, &["log", "t1"]).stdout;
    assert!(log.contains("[image shot.png: given as the file /") && log.contains(".png]"), "{log}");
}

#[test]
fn files_given_to_an_agent_go_with_its_workspace_and_come_back_with_it() {
    let env = TestEnv::new();
    project(&env);
    given(&env, "reader", "Measure it");
    let log = divisi(&env, &["log", "t1"]).stdout;
    let path = log.split_once("[image shot.png: given as the file ").unwrap().1;
    let path = Path::new(path.split_once(']').unwrap().0).to_owned();
    assert_eq!(fs::read(&path).unwrap(), PNG);
    divisi(&env, &["archive", "t1"]).require_success();
    wait_until("the folder is gone", || !path.parent().unwrap().exists());
    divisi(&env, &["restore", "t1"]).require_success();
    wait_until("the file is back", || fs::read(&path).is_ok_and(|bytes| bytes == PNG));
}

#[test]
fn a_session_that_remembers_nothing_is_given_the_images_of_before_again() {
    let env = TestEnv::new();
    project(&env);
    // A command is started anew for each turn, and this one cannot take up what it did before.
    given(&env, "reader", "Measure it");
    divisi(&env, &["open", "t1", "--", "rm", "size.txt"]).require_success();
    divisi(&env, &["send", "t1", "and again"]).require_success();
    wait_until("the second turn is over", || {
        let task = divisi(&env, &["show", "t1", "--json"]).json();
        let turns = task["attempts"][0]["turns"].as_array().unwrap();
        turns.len() == 2 && turns[1]["ended"].is_string()
    });
    assert_eq!(read(&env, "size.txt"), format!("{}\n", PNG.len()));
}

#[test]
fn a_staged_task_shows_its_images_and_they_are_replaced_or_left_out() {
    let env = TestEnv::new();
    project(&env);
    let stage = ["run", "--stage", "--agent", "rehearsal", "--image", "../shot.png", "Look"];
    divisi(&env, &stage).require_success();
    let images = || {
        let shown = divisi(&env, &["show", "t1"]).stdout;
        shown.lines().filter(|line| line.starts_with("image ")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(images(), "image shot.png: image/png, 70 bytes");
    divisi(&env, &["edit", "t1", "--title", "Look at it"]).require_success();
    assert_eq!(images(), "image shot.png: image/png, 70 bytes", "what is not named stays");
    divisi(&env, &["edit", "t1", "--image", "../other.gif"]).require_success();
    assert_eq!(images(), "image other.gif: image/gif, 14 bytes");
    divisi(&env, &["edit", "t1", "--no-image"]).require_success();
    assert_eq!(images(), "");
    let both = divisi(&env, &["edit", "t1", "--no-image", "--image", "../shot.png"]);
    assert!(!both.success() && both.stderr.contains("cannot be used with"), "{both}");
}

#[test]
fn an_agent_of_the_protocol_that_takes_no_images_is_given_files_too() {
    let env = TestEnv::new();
    project(&env);
    given(&env, "blind", "Look\n\n```rehearsal\nexpect 0 images\nwrite a.txt \"b\\n\"\n```\n");
    let log = divisi(&env, &["log", "t1"]).stdout;
    assert!(log.contains("I see nothing.") && log.contains("[image shot.png: given as the file /"), "{log}");
}

#[test]
fn what_is_no_image_is_refused_before_anything_is_given_out() {
    let env = TestEnv::new();
    project(&env);
    fs::write(env.join("picture.png"), "<svg xmlns='http://www.w3.org/2000/svg'/>").unwrap();
    fs::write(env.join("large.png"), [PNG, &vec![0; 4 * 1024 * 1024]].concat()).unwrap();
    let mut typed = env.transcript(env.join("shop"));
    for image in ["../picture.png", "../large.png", "../absent.png"] {
        typed.divisi([
            Path::new("run"),
            "--agent".as_ref(),
            "rehearsal".as_ref(),
            "x".as_ref(),
            "--image".as_ref(),
            image.as_ref(),
        ]);
    }
    typed.divisi(["ls"]);
    insta::assert_snapshot!(typed, @r#"
    $ divisi run --agent rehearsal x --image ../picture.png
    --- stderr
    warning: nothing will be proven: divisi.toml has no [[gates]] and no --check was given
    error: "picture.png" is no image that is taken
    hint: PNG, JPEG, GIF and WebP are
    [exit code 2]

    $ divisi run --agent rehearsal x --image ../large.png
    --- stderr
    warning: nothing will be proven: divisi.toml has no [[gates]] and no --check was given
    error: "large.png" is larger than 4 MiB
    hint: make it smaller, or cut out what matters
    [exit code 8]

    $ divisi run --agent rehearsal x --image ../absent.png
    --- stderr
    warning: nothing will be proven: divisi.toml has no [[gates]] and no --check was given
    error: cannot read ../absent.png
      because No such file or directory (os error 2)
    [exit code 3]

    $ divisi ls
    --- stderr
    There are no tasks. Give one out: divisi run "…"
    "#);
}
