//! `divisi init`

use divisi_testkit::TestEnv;

#[test]
fn it_proposes_what_the_project_already_has() {
    let env = TestEnv::new();
    let projects: [(&str, &[(&str, &str)]); 6] = [
        ("rust", &[("Cargo.toml", "[workspace]\n")]),
        (
            "node",
            &[
                (
                    "package.json",
                    r#"{"scripts":{"test":"vitest run","lint":"eslint ."},"devDependencies":{"vitest":"4"}}"#,
                ),
                ("pnpm-lock.yaml", ""),
            ],
        ),
        ("python", &[("pyproject.toml", "[tool.pytest.ini_options]\n")]),
        ("go", &[("go.mod", "module x\n")]),
        ("make", &[("Makefile", "all:\n\ncheck: all\n\ttrue\n")]),
        (
            "empty",
            &[("package.json", r#"{"scripts":{"test":"echo \"Error: no test specified\" && exit 1"}}"#)],
        ),
    ];
    let mut typed = env.transcript(env.root());
    for (name, files) in projects {
        let repo = env.repo(name);
        for (path, text) in files {
            repo.file(path, text);
        }
        typed.divisi(["-C", name, "init"]);
    }
    insta::assert_snapshot!(typed, @r#"
    $ divisi -C rust init
    wrote [env]/rust/divisi.toml
      gate test: cargo test --workspace
    --- stderr
    Look it over and commit it, then: divisi run "…"

    $ divisi -C node init
    wrote [env]/node/divisi.toml
      gate test: pnpm test
      gate lint: pnpm run lint
    --- stderr
    Look it over and commit it, then: divisi run "…"

    $ divisi -C python init
    wrote [env]/python/divisi.toml
      gate test: python3 -m pytest -q
    --- stderr
    Look it over and commit it, then: divisi run "…"

    $ divisi -C go init
    wrote [env]/go/divisi.toml
      gate test: go test ./...
    --- stderr
    Look it over and commit it, then: divisi run "…"

    $ divisi -C make init
    wrote [env]/make/divisi.toml
      gate check: make check
    --- stderr
    Look it over and commit it, then: divisi run "…"

    $ divisi -C empty init
    wrote [env]/empty/divisi.toml
    --- stderr
    warning: no way to test this project was found; add a [[gates]] to divisi.toml, or nothing will be proven
    Look it over and commit it, then: divisi run "…"
    "#);
}

#[test]
fn the_file_explains_itself_and_is_never_overwritten() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("Makefile", "test:\n\ttrue\n");
    let mut typed = env.transcript(repo.path());
    typed.divisi(["init", "--quiet"]);
    let written = repo.read("divisi.toml");
    typed.divisi(["init"]);
    assert_eq!(repo.read("divisi.toml"), written);
    insta::assert_snapshot!(typed, @r#"
    $ divisi init --quiet
    [env]/shop/divisi.toml

    $ divisi init
    --- stderr
    error: [env]/shop/divisi.toml is there already
    hint: divisi init --print shows what would be written, --force replaces the file
    [exit code 4]
    "#);
    insta::assert_snapshot!(written, @r#"
    # Divisi on this project. Every key is optional; those that are commented out show their default.
    # Settings count for tasks that are given out afterwards. `divisi doctor` checks this file.

    # Makes a new workspace ready, before its agent starts; run by `sh -c`. A failure stops the task.
    # setup = "npm ci"
    # setup_timeout = "20m"

    # How a result is put on its target branch: "merge", "squash" or "rebase".
    # landing = "merge"

    # Which permission requests are answered without you: "ask" (none) or "edits" (inside the workspace).
    # permissions = "edits"

    # How often failing checks or conflicts send an attempt back before you are asked.
    # rounds = 3

    # The agents that are taken when `divisi run` names none; otherwise the first one that is ready.
    # default_agents = ["codex"]

    # Put before the names of the branches that Divisi makes.
    # branch_prefix = "divisi/"

    # Environment variables passed on to setup, agents and checks; everything else is kept from them.
    # pass_environment = ["DATABASE_URL"]

    # Minutes without a sign of life in a turn until you are asked; 0 is never.
    # stall_minutes = 15

    # Whether commits name their task and agent in trailers.
    # trailers = true

    # What every result must pass. Divisi itself runs each gate in a clean checkout of the commit, and shows the evidence.

    [[gates]]
    name = "test"
    command = "make test"
    # required = false      # only shown, never sends an attempt back
    # timeout = "30m"
    "#);
}
