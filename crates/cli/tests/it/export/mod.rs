//! Everything in one file, and from it the same Divisi on another machine.

mod refused;

use std::fs;
use std::path::{Path, PathBuf};

use divisi_testkit::{Finished, Repo, TestEnv, wait_until};

const GATE: &str = "[[gates]]\nname = \"list\"\ncommand = \"grep -qx two list.txt\"\n";
const MEND: &str =
    "Mend the list\n\n```rehearsal\nsay I mend it.\nedit list.txt replace \"too\" with \"two\"\n```\n";
const NOTE: &str = "Add a note\n\n```rehearsal\nwrite note.txt \"a note\\n\"\nedit list.txt replace \"too\" with \"two\"\n```\n";
const HANG: &str = "\
Write a long text

```rehearsal
write chapter.txt \"one\\n\"
hang
when prompt contains \"go on now\"
append chapter.txt \"two\\n\"
```
";

fn project(env: &TestEnv) -> Repo<'_> {
    let repo = env.repo("shop");
    repo.file("list.txt", "one\ntoo\n").file("divisi.toml", GATE).file(".gitignore", "secret.env\n");
    repo.commit("first");
    repo
}

fn divisi(env: &TestEnv, arguments: &[&str]) -> Finished {
    env.divisi().in_folder(env.join("shop")).args(arguments).run()
}

fn run(env: &TestEnv, prompt: &str, wait: bool) {
    let arguments = ["run", "--agent", "rehearsal", if wait { "--wait" } else { "--quiet" }, "-"];
    let program = env.divisi().in_folder(env.join("shop")).args(arguments);
    program.input(prompt).run().require_success();
}

fn workspace(env: &TestEnv, handle: &str) -> PathBuf {
    let shown = divisi(env, &["show", handle, "--json"]).require_success().json();
    shown["attempts"][0]["workspace"]["path"].as_str().unwrap().into()
}

fn clone(from: &TestEnv, to: &TestEnv) {
    to.program("git")
        .args(["clone", "-q"])
        .args([from.join("shop"), to.join("shop")])
        .run()
        .require_success();
}

/// What people look at, of tasks that are not at work.
fn looks(env: &TestEnv) -> String {
    let mut typed = env.transcript(env.join("shop"));
    for handle in ["t1", "t2"] {
        for verb in ["show", "log", "diff"] {
            typed.divisi([verb, handle]);
        }
        typed.divisi(["show", handle, "--check", "list"]);
    }
    typed.divisi(["ls", "--all", "-q"]);
    typed.to_string()
}

#[test]
fn another_machine_goes_on_where_the_first_one_was() {
    let (here, there) = (TestEnv::new(), TestEnv::new());
    let repo = project(&here);
    let first = repo.head();
    let agents = here.home().join(".config/divisi/agents");
    fs::create_dir_all(&agents).unwrap();
    let own = "title = \"Mine\"\ndrive = \"acp\"\ncommand = [\"mine\"]\n[environment]\nMINE_API_KEY = \"k-1\"\nLEVEL = \"3\"\n";
    fs::write(agents.join("mine.toml"), own).unwrap();
    run(&here, MEND, true);
    for verb in [&["review", "t1", "--approve"][..], &["land", "t1"]] {
        divisi(&here, verb).require_success();
    }
    run(&here, NOTE, true);
    run(&here, NOTE, true);
    let secret = ["open", "t3", "--", "sh", "-c", "echo kept by the archive > secret.env"];
    divisi(&here, &secret).require_success();
    let put_away = workspace(&here, "t3");
    divisi(&here, &["archive", "t3"]).require_success();
    wait_until("t3 is put away", || !put_away.exists());
    run(&here, HANG, false);
    wait_until("t4 is at work", || divisi(&here, &["log", "t4"]).stdout.contains("chapter.txt"));
    let draft = ["open", "t4", "--", "sh", "-c", "echo in no snapshot yet > draft.txt"];
    divisi(&here, &draft).require_success();

    let file = here.join("all.tar.gz");
    let mut typed = here.transcript(repo.path());
    typed.divisi([Path::new("export"), &file]);
    typed.divisi([Path::new("export"), &file]);
    insta::assert_snapshot!(without_numbers(&typed.to_string()), @r"
    $ divisi export [env]/all.tar.gz
    [env]/all.tar.gz  N [unit]
        N tasks, N project, N events, N journals
        t4 was working; it goes on here, and has stopped there
    left out
        logins of agents, and what they remember in their private homes
        the environment that agents were started with
        the daemon's token and its own log
        environment.MINE_API_KEY in agents/mine.toml, which may be a secret

    $ divisi export [env]/all.tar.gz
    --- stderr
    error: [env]/all.tar.gz is there already
    hint: name another file, or replace it: --force
    [exit code 4]
    ");
    assert!(divisi(&here, &["ls"]).stdout.contains("working"), "it goes on here");
    let listed = here.program("tar").args(["-tzf"]).args([&file]).run();
    let listed = &listed.require_success().stdout;
    assert!(listed.contains("sessions/t4.1/1/out.journal"), "{listed}");
    for secret in ["spec.json", "homes/", "daemon.json"] {
        assert!(!listed.contains(secret), "{secret} in {listed}");
    }
    let before = looks(&here);

    clone(&here, &there);
    let mut typed = there.transcript(there.join("shop"));
    typed.divisi([Path::new("import"), &file]);
    let text = typed.to_string().replace(here.root().to_str().unwrap(), "[there]");
    insta::assert_snapshot!(without_numbers(&text), @r"
    $ divisi import [there]/all.tar.gz
    imported from Divisi 0.1.0: N tasks, N events
        shop  [env]/shop, which was [there]/shop
        t4 has stopped: divisi resume t4
        configuration: agents/mine.toml
    agents must be logged in anew: divisi agents
    ");
    let back = |handle: &str| workspace(&there, handle).starts_with(there.root());
    wait_until("the workspaces are back", || ["t1", "t2", "t4"].iter().all(|handle| back(handle)));
    // What agents said names the folders that they were in.
    let home = here.home().display().to_string();
    assert_eq!(looks(&there).replace(&home, "[home]"), before);
    let mine = fs::read_to_string(there.home().join(".config/divisi/agents/mine.toml")).unwrap();
    assert!(mine.contains("LEVEL") && !mine.contains("k-1"), "{mine}");

    let mut typed = there.transcript(there.join("shop"));
    typed.divisi(["undo", "t1"]);
    typed.divisi(["restore", "t3"]);
    wait_until("t3 is back", || back("t3"));
    typed.divisi(["open", "t3", "--", "cat", "secret.env"]);
    typed.divisi(["open", "t3", "--", "git", "status", "--short"]);
    typed.divisi(["open", "t4", "--", "cat", "draft.txt", "chapter.txt"]);
    typed.divisi(["ls"]);
    typed.divisi(["show", "t4"]);
    typed.divisi(["doctor", "--quiet"]);
    insta::assert_snapshot!(typed, @r"
    $ divisi undo t1
    t1  ▲ ready to land  Mend the list
        next: divisi land t1

    $ divisi restore t3
    t3  ◇ in review  Add a note
        next: divisi diff t3, then divisi review t3 --approve

    $ divisi open t3 -- cat secret.env
    kept by the archive

    $ divisi open t3 -- git status --short
    ?? note.txt

    $ divisi open t4 -- cat draft.txt chapter.txt
    in no snapshot yet
    one

    $ divisi ls
    TASK  STATE  FOR  AGENT  CHANGE  TITLE
    t1  ▲ ready to land  [duration]  rehearsal  +1 -1  Mend the list
    t2  ◇ in review  [duration]  rehearsal  +1 -0  Add a note
    t3  ◇ in review  [duration]  rehearsal  +1 -0  Add a note
    t4  ■ stopped  [duration]  rehearsal  -  Write a long text

    $ divisi show t4
    t4  Write a long text
    project shop, onto main from [commit 2]

    t4 by rehearsal
      ■ stopped for [duration]: it was exported while it was under way, and what ran stayed on the other machine
      next: divisi resume t4
      branch  divisi/t4-write-a-long-text
      workspace  divisi open t4 (overlay, ports [ports])
      turns  1 process_ended: it was exported while it was under way, and what ran stayed on the other machine ([duration])
      checks
        · not run  list  grep -qx two list.txt

    $ divisi doctor --quiet
    ");
    let head = there.program("git").in_folder(there.join("shop")).args(["rev-parse", "main"]).run();
    assert_eq!(head.stdout.trim(), first);

    divisi(&there, &["send", "t4", "go on now"]).require_success();
    wait_until("t4 has gone on", || divisi(&there, &["ls"]).stdout.matches("in review").count() >= 3);
    let read = divisi(&there, &["open", "t4", "--", "cat", "draft.txt", "chapter.txt"]);
    assert_eq!(read.require_success().stdout, "in no snapshot yet\none\ntwo\n");
}

/// Sizes and counts of events differ from run to run by what the agents said and when.
fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let words: Vec<_> = line.split(' ').collect();
        let known = |word: &&str| word.parse::<f64>().is_ok();
        let line: Vec<_> = words.iter().map(|word| if known(word) { "N" } else { word }).collect();
        out.push_str(&format!("{}\n", line.join(" ").replace("KiB", "[unit]").replace("MiB", "[unit]")));
    }
    out
}

#[test]
fn a_project_is_found_where_somebody_says_or_later() {
    let (here, there) = (TestEnv::new(), TestEnv::new());
    let repo = project(&here);
    run(&here, MEND, true);
    let file = here.join("all.tar.gz");
    let export = here.divisi().args([Path::new("export"), &file, Path::new("--json")]).run();
    assert_eq!(export.require_success().json()["tasks"], 1);
    clone(&here, &there);
    fs::rename(repo.path(), here.join("elsewhere")).unwrap();

    let wrong = there.repo("wrong");
    wrong.file("a", "a").commit("another history");
    let mut typed = there.transcript(there.root());
    let said = |new: &str| format!("--repository=shop={}", there.join(new).display());
    let import = |typed: &mut divisi_testkit::Transcript<'_>, rest: &[&str]| {
        let arguments = [&["import", file.to_str().unwrap()], rest].concat();
        typed.divisi(arguments);
    };
    import(&mut typed, &[&said("wrong")]);
    import(&mut typed, &[&said("nowhere")]);
    import(&mut typed, &["--repository=other=/x"]);
    import(&mut typed, &["--repository=other"]);
    import(&mut typed, &[]);
    // Only into an empty one.
    import(&mut typed, &[]);
    typed.record(&divisi(&there, &["init"]));
    typed.record(&divisi(&there, &["diff", "t1"]));
    let text = typed.to_string().replace(here.root().to_str().unwrap(), "[there]");
    insta::assert_snapshot!(without_numbers(&text), @r#"
    $ divisi import [there]/all.tar.gz --repository=shop=[env]/wrong
    --- stderr
    error: [env]/wrong is not a clone of shop: its history begins with other commits
    hint: clone the project, then name it: --repository OLD=NEW; or leave that to `divisi init` in the clone
    [exit code 2]

    $ divisi import [there]/all.tar.gz --repository=shop=[env]/nowhere
    --- stderr
    error: [env]/nowhere is not a clone of shop: cannot read [env]/nowhere
    hint: clone the project, then name it: --repository OLD=NEW; or leave that to `divisi init` in the clone
    [exit code 2]

    $ divisi import [there]/all.tar.gz --repository=other=/x
    --- stderr
    error: the export has no project "other"
    hint: it has [there]/shop
    [exit code 3]

    $ divisi import [there]/all.tar.gz --repository=other
    --- stderr
    error: invalid value 'other' for '--repository <OLD=NEW>': the form is OLD=NEW: the old path or the name of a project, and its folder here

    For more information, try '--help'.
    [exit code 2]

    $ divisi import [there]/all.tar.gz
    imported from Divisi 0.1.0: N task, N events
        shop  not found: it was [there]/shop; `divisi init` in its clone takes it over
    agents must be logged in anew: divisi agents

    $ divisi import [there]/all.tar.gz
    --- stderr
    error: this Divisi is in use already: its log has N tasks and N events
    hint: an export becomes a whole Divisi of its own: DIVISI_HOME=/new/folder divisi import FILE
    [exit code 4]

    $ divisi init
    this project is known again, with its tasks; it was in [there]/shop

    $ divisi diff t1
    diff --git a/list.txt b/list.txt
    --- a/list.txt
    +++ b/list.txt
    @@ -1,2 +1,2 @@
     one
    -too
    +two
    "#);
}
