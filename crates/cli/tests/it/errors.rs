//! What goes wrong, as it is told.

use divisi_testkit::TestEnv;

#[test]
fn a_wrong_call_says_what_is_wrong() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("a", "a").commit("first");
    // Whatever agents the machine has, they are not found here.
    env.set("PATH", only_git(&env));
    let mut typed = env.transcript(repo.path());
    typed.divisi(["rnu", "x"]);
    typed.divisi(["run"]);
    typed.divisi(["send", "t1", "x", "--steer", "--interrupt"]);
    typed.divisi(["show", "t9"]);
    typed.divisi(["show", "nonsense"]);
    typed.divisi(["show", "t9", "--json"]);
    typed.divisi(["run", "--agent", "nobody", "x", "--check", "true"]);
    typed.divisi(["run", "x", "--check", "true"]);
    typed.divisi(["run", "--file", "missing.md"]);
    typed.divisi(["-C", "nowhere", "ls"]);
    insta::assert_snapshot!(typed, @r#"
    $ divisi rnu x
    --- stderr
    error: unrecognized subcommand 'rnu'

    Usage: divisi [OPTIONS] <COMMAND>

    For more information, try '--help'.
    [exit code 2]

    $ divisi run
    --- stderr
    error: the following required arguments were not provided:
      <PROMPT>...

    Usage: divisi run <PROMPT>...

    For more information, try '--help'.
    [exit code 2]

    $ divisi send t1 x --steer --interrupt
    --- stderr
    error: the argument '--steer' cannot be used with '--interrupt'

    Usage: divisi send --steer <TASK> <TEXT>

    For more information, try '--help'.
    [exit code 2]

    $ divisi show t9
    --- stderr
    error: there is no task t9
    hint: divisi ls lists the tasks
    [exit code 3]

    $ divisi show nonsense
    --- stderr
    error: `nonsense` is not the handle of a task (t12) or of an attempt (t12.1)
    hint: divisi ls lists the tasks
    [exit code 2]

    $ divisi show t9 --json
    --- stderr
    {"error":"not_found","message":"there is no task t9","hint":"divisi ls lists the tasks","causes":[],"exit_code":3}
    [exit code 3]

    $ divisi run --agent nobody x --check true
    --- stderr
    error: there is no agent `nobody`
    hint: divisi agents lists them
    [exit code 3]

    $ divisi run x --check true
    --- stderr
    error: no agent is ready
    hint: divisi agents says for each how to install it or log in; to try without one, name the scripted one: --agent rehearsal
    [exit code 7]

    $ divisi run --file missing.md
    --- stderr
    warning: nothing will be proven: divisi.toml has no [[gates]] and no --check was given
    error: cannot read missing.md
      because No such file or directory (os error 2)
    [exit code 3]

    $ divisi -C nowhere ls
    --- stderr
    error: cannot enter nowhere
      because No such file or directory (os error 2)
    hint: -C wants a folder
    [exit code 2]
    "#);
}

#[test]
fn outside_of_a_repository_there_is_no_project() {
    let env = TestEnv::new();
    let folder = env.join("plain");
    std::fs::create_dir(&folder).unwrap();
    let mut typed = env.transcript(&folder);
    // The environments of tests lie in Divisi's own repository; there is none above this folder.
    for call in [
        &["init"][..],
        &["run", "x", "--agent", "rehearsal"],
        &["run", "x", "--agent", "rehearsal", "--stage"],
        &["ls"],
        &["inbox"],
    ] {
        typed.record(&env.divisi().in_folder("/").args(call).run());
    }
    insta::assert_snapshot!(typed, @r#"
    $ divisi init
    --- stderr
    error: / is not in a git repository
    hint: go to the project, name it with -C, or make one: git init
    [exit code 3]

    $ divisi run x --agent rehearsal
    --- stderr
    error: / is not in a git repository
    hint: go to the project, name it with -C, or make one: git init
    [exit code 3]

    $ divisi run x --agent rehearsal --stage
    --- stderr
    error: / is not in a git repository
    hint: go to the project, name it with -C, or make one: git init
    [exit code 3]

    $ divisi ls
    --- stderr
    There are no tasks. Give one out: divisi run "…"

    $ divisi inbox
    --- stderr
    Nothing waits for you.
    "#);
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn a_wrong_configuration_names_file_key_and_way_out() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("a", "a").commit("first");
    let mut typed = env.transcript(repo.path());
    for text in [
        "rounds = \"many\"\n",
        "[[gates]]\nname = \"test\"\n",
        "[[gates]]\nname = \"test\"\ncommand = \"true\"\ntimeout = \"soon\"\n",
        "permissions = \"all\"\n",
        "gate = 1\n[[gates]]\nname = \"test\"\ncomand = \"true\"\ncommand = \"true\"\n",
    ] {
        repo.file("divisi.toml", text);
        typed.divisi(["run", "--agent", "nobody", "x"]);
    }
    insta::assert_snapshot!(typed, @r#"
    $ divisi run --agent nobody x
    --- stderr
    error: [env]/shop/divisi.toml is not right
      because TOML parse error at line 1, column 10
          |
        1 | rounds = "many"
          |  ^^^^^^
        invalid type: string "many", expected u16
    hint: docs/reference/configuration.md lists the keys
    [exit code 9]

    $ divisi run --agent nobody x
    --- stderr
    error: [env]/shop/divisi.toml is not right
      because TOML parse error at line 1, column 1
          |
        1 | [[gates]]
          | ^^^^^^^^^
        missing field `command`
    hint: docs/reference/configuration.md lists the keys
    [exit code 9]

    $ divisi run --agent nobody x
    --- stderr
    error: `soon` is not a time limit
    hint: write [duration], [duration] or [duration]; at most [duration]
    [exit code 9]

    $ divisi run --agent nobody x
    --- stderr
    error: [env]/shop/divisi.toml: `permissions = "all"` cannot be set by a project
    hint: it belongs into your own configuration, [home]/.config/divisi/config.toml
    [exit code 9]

    $ divisi run --agent nobody x
    --- stderr
    warning: [env]/shop/divisi.toml: nobody reads `gate`; did you mean `gates`?
    warning: [env]/shop/divisi.toml: nobody reads `gates[0].comand`; did you mean `command`?
    error: there is no agent `nobody`
    hint: divisi agents lists them
    [exit code 3]
    "#);
}

/// A folder with git alone.
fn only_git(env: &TestEnv) -> std::path::PathBuf {
    let folder = env.join("bin");
    std::fs::create_dir(&folder).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let git = std::env::split_paths(&path).map(|folder| folder.join("git")).find(|git| git.exists()).unwrap();
    std::os::unix::fs::symlink(git, folder.join("git")).unwrap();
    folder
}
