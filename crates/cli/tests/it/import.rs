//! `divisi init` takes over what a project has for other tools.

use divisi_testkit::TestEnv;

/// A project for each tool, and what is told of it.
#[test]
fn the_files_of_ten_tools_are_understood() {
    let env = TestEnv::new();
    let projects: [(&str, &str, &str); 10] = [
        (
            "conductor-old",
            "conductor.json",
            r#"{"scripts": {"setup": "npm ci; cp \"$CONDUCTOR_ROOT_PATH/.env\" .env", "run": "npm run dev", "archive": "rm -rf x"},
                "runScriptMode": "nonconcurrent", "enterpriseDataPrivacy": true}"#,
        ),
        (
            "conductor",
            ".conductor/settings.toml",
            "file_include_globs = \"\"\"\n.env\n.env.*.local\n\"\"\"\n[scripts]\nsetup = \"make deps\"\n[scripts.run.web]\ncommand = \"make web\"\n",
        ),
        (
            "superset",
            ".superset/config.json",
            r#"{"setup": ["bun install", "./.superset/db.sh \"$SUPERSET_WORKSPACE_NAME\"", "echo $SUPERSET_HOME_DIR"], "teardown": ["./x"]}"#,
        ),
        (
            "emdash",
            ".emdash.json",
            r#"{"preservePatterns": [".env", "config/*.local", "/etc/passwd", "../x"], "shellSetup": "nvm use", "scripts": {"setup": "pnpm i"}}"#,
        ),
        (
            "workmux",
            ".workmux.yaml",
            "merge_strategy: rebase\npost_create:\n  - <global>\n  - cd web && npm ci\n  - mise install\npre_merge:\n  - just check\n\
             files:\n  copy: [.env]\n  symlink: [node_modules]\npanes:\n  - command: <agent>\n",
        ),
        (
            "cursor",
            ".cursor/worktrees.json",
            "{\n  // for every agent\n  \"setup-worktree\": [\"npm ci\", \"cp $ROOT_WORKTREE_PATH/.env .env\"],\n  \"setup-worktree-windows\": [\"dir\"],\n}",
        ),
        (
            "worktrunk",
            ".config/wt.toml",
            "pre-start = \"npm ci\"\npost-start = \"npm run dev -- --port {{ branch | hash_port }}\"\n[pre-merge]\ntest = \"npm test\"\n\
             lint = \"npx eslint . # {{ branch }}\"\nurl = \"echo {{ target }}\"\n[list]\nurl = \"x\"\n",
        ),
        (
            "copilot",
            ".github/workflows/copilot-setup-steps.yml",
            "on: workflow_dispatch\njobs:\n  copilot-setup-steps:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v5\n      \
             - uses: actions/setup-node@v4\n      - run: npm ci\n      - name: Build\n        working-directory: packages/core lib\n        \
             env:\n          CI: true\n        run: |\n          npm run build\n          npm run generate\n      \
             - run: echo ${{ secrets.TOKEN }}\n      - if: always()\n        run: echo x\n      - shell: pwsh\n        run: Get-Item\n",
        ),
        (
            "devcontainer",
            ".devcontainer/devcontainer.json",
            r#"{ // JSON with comments
              "name": "x", "image": "debian:12", "forwardPorts": [3000],
              "postCreateCommand": {"deps": "pip install -r requirements.txt", "hooks": ["pre-commit", "install", "it's"]},
              "postStartCommand": "echo hi", "remoteEnv": {"DATABASE_URL": "${localEnv:DATABASE_URL}", "MODE": "dev"},
              "onCreateCommand": "make -C ${containerWorkspaceFolder} ${localEnv:FLAGS}", }"#,
        ),
        ("include", ".worktreeinclude", ".env\n"),
    ];
    let mut typed = env.transcript(env.root());
    for (name, file, text) in projects {
        env.repo(name).file(file, text);
        typed.divisi(["-C", name, "init", "--quiet", "--dry-run"]).require_success();
        typed.divisi(["-C", name, "init"]);
        // What was written is a configuration that Divisi reads without a warning.
        let doctor = env.divisi().args(["-C", name, "doctor", "--json"]).run();
        assert!(!doctor.stdout.contains("\"what\": \"configuration\""), "{name}: {doctor}");
    }
    insta::assert_snapshot!(typed, @r#"
    $ divisi -C conductor-old init --quiet --dry-run
    [env]/conductor-old/divisi.toml

    $ divisi -C conductor-old init
    wrote [env]/conductor-old/divisi.toml
      setup:
          set -e
          export CONDUCTOR_ROOT_PATH="$DIVISI_ROOT_PATH" CONDUCTOR_WORKSPACE_PATH="$DIVISI_WORKSPACE_PATH" CONDUCTOR_WORKSPACE_NAME="$DIVISI_TASK" CONDUCTOR_PORT="$DIVISI_PORT"
          npm ci; cp "$CONDUCTOR_ROOT_PATH/.env" .env
    taken over
      conductor.json as setup: npm ci; cp "$CONDUCTOR_ROOT_PATH/.env" .env
    left out
      conductor.json: scripts.run: npm run dev
        Divisi starts no servers; agents start what they need, on the ports that each attempt has
      conductor.json: scripts.archive: rm -rf x
        Divisi runs nothing when a workspace is put away
      conductor.json: enterpriseDataPrivacy
        Divisi has no equal
    --- stderr
    warning: no way to test this project was found; add a [[gates]] to divisi.toml, or nothing will be proven
    Look it over and commit it, then: divisi run "…"

    $ divisi -C conductor init --quiet --dry-run
    [env]/conductor/divisi.toml

    $ divisi -C conductor init
    wrote [env]/conductor/divisi.toml
      setup:
          set -e
          export CONDUCTOR_ROOT_PATH="$DIVISI_ROOT_PATH" CONDUCTOR_WORKSPACE_PATH="$DIVISI_WORKSPACE_PATH" CONDUCTOR_WORKSPACE_NAME="$DIVISI_TASK" CONDUCTOR_PORT="$DIVISI_PORT"
          make deps
    wrote .worktreeinclude: .env, .env.*.local
    taken over
      .conductor/settings.toml as setup: make deps
      .conductor/settings.toml as include: .env
      .conductor/settings.toml as include: .env.*.local
    left out
      .conductor/settings.toml: scripts.run
        Divisi starts no servers; agents start what they need, on the ports that each attempt has
    --- stderr
    warning: no way to test this project was found; add a [[gates]] to divisi.toml, or nothing will be proven
    Look it over and commit it, then: divisi run "…"

    $ divisi -C superset init --quiet --dry-run
    [env]/superset/divisi.toml

    $ divisi -C superset init
    wrote [env]/superset/divisi.toml
      setup:
          set -e
          export SUPERSET_ROOT_PATH="$DIVISI_ROOT_PATH" SUPERSET_WORKSPACE_PATH="$DIVISI_WORKSPACE_PATH" SUPERSET_WORKSPACE_NAME="$DIVISI_TASK"
          bun install
          ./.superset/db.sh "$SUPERSET_WORKSPACE_NAME"
    taken over
      .superset/config.json as setup: bun install
      .superset/config.json as setup: ./.superset/db.sh "$SUPERSET_WORKSPACE_NAME"
    left out
      .superset/config.json: setup: echo $SUPERSET_HOME_DIR
        Divisi has no equal for `SUPERSET_HOME_DIR`
      .superset/config.json: teardown: ./x
        Divisi runs nothing when a workspace is put away
    --- stderr
    warning: no way to test this project was found; add a [[gates]] to divisi.toml, or nothing will be proven
    Look it over and commit it, then: divisi run "…"

    $ divisi -C emdash init --quiet --dry-run
    [env]/emdash/divisi.toml

    $ divisi -C emdash init
    wrote [env]/emdash/divisi.toml
      setup:
          set -e
          export EMDASH_ROOT_PATH="$DIVISI_ROOT_PATH" EMDASH_TASK_PATH="$DIVISI_WORKSPACE_PATH" EMDASH_TASK_NAME="$DIVISI_TASK" EMDASH_PORT="$DIVISI_PORT"
          pnpm i
    wrote .worktreeinclude: .env, config/*.local
    taken over
      .emdash.json as setup: pnpm i
      .emdash.json as include: .env
      .emdash.json as include: config/*.local
    left out
      .emdash.json: preservePatterns: /etc/passwd
        it is no plain pattern inside the project
      .emdash.json: preservePatterns: ../x
        it is no plain pattern inside the project
      .emdash.json: shellSetup
        Divisi has no equal
    --- stderr
    warning: no way to test this project was found; add a [[gates]] to divisi.toml, or nothing will be proven
    Look it over and commit it, then: divisi run "…"

    $ divisi -C workmux init --quiet --dry-run
    [env]/workmux/divisi.toml

    $ divisi -C workmux init
    wrote [env]/workmux/divisi.toml
      setup:
          set -e
          export WM_PROJECT_ROOT="$DIVISI_ROOT_PATH" WM_WORKTREE_PATH="$DIVISI_WORKSPACE_PATH" WM_HANDLE="$DIVISI_TASK" WM_BRANCH_NAME="$DIVISI_BRANCH"
          (
          cd web && npm ci
          )
          mise install
      gate pre-merge: just check
    wrote .worktreeinclude: .env
    taken over
      .workmux.yaml as setup: cd web && npm ci
      .workmux.yaml as setup: mise install
      .workmux.yaml as gate: just check
      .workmux.yaml as include: .env
    left out
      .workmux.yaml: post_create: <global>
        it stands for commands of your own, which do not belong to the project
      .workmux.yaml: files.symlink: node_modules
        a workspace shares no files with your checkout; copy it by .worktreeinclude or make it in the setup
      .workmux.yaml: panes
        agents of Divisi work in no terminal
      .workmux.yaml: merge_strategy
        Divisi has no equal
    --- stderr
    Look it over and commit it, then: divisi run "…"

    $ divisi -C cursor init --quiet --dry-run
    [env]/cursor/divisi.toml

    $ divisi -C cursor init
    wrote [env]/cursor/divisi.toml
      setup:
          set -e
          export ROOT_WORKTREE_PATH="$DIVISI_ROOT_PATH"
          npm ci
          cp $ROOT_WORKTREE_PATH/.env .env
    taken over
      .cursor/worktrees.json as setup: npm ci
      .cursor/worktrees.json as setup: cp $ROOT_WORKTREE_PATH/.env .env
    --- stderr
    warning: no way to test this project was found; add a [[gates]] to divisi.toml, or nothing will be proven
    Look it over and commit it, then: divisi run "…"

    $ divisi -C worktrunk init --quiet --dry-run
    [env]/worktrunk/divisi.toml

    $ divisi -C worktrunk init
    wrote [env]/worktrunk/divisi.toml
      setup: npm ci
      gate lint: npx eslint . # ${DIVISI_BRANCH}
      gate test: npm test
    taken over
      .config/wt.toml as setup: npm ci
      .config/wt.toml as gate: npx eslint . # ${DIVISI_BRANCH}
      .config/wt.toml as gate: npm test
    left out
      .config/wt.toml: pre-merge: echo {{ target }}
        Divisi has no equal for `target`
      .config/wt.toml: post-start: npm run dev -- --port {{ branch | hash_port }}
        it is run beside the work; put what an agent needs into the setup
      .config/wt.toml: list
        Divisi has no equal
    --- stderr
    Look it over and commit it, then: divisi run "…"

    $ divisi -C copilot init --quiet --dry-run
    [env]/copilot/divisi.toml

    $ divisi -C copilot init
    wrote [env]/copilot/divisi.toml
      setup:
          set -e
          npm ci
          (
          export CI=true
          cd 'packages/core lib'
          npm run build
          npm run generate
          )
    taken over
      .github/workflows/copilot-setup-steps.yml as setup: npm ci
      .github/workflows/copilot-setup-steps.yml as setup:
          (
          export CI=true
          cd 'packages/core lib'
          npm run build
          npm run generate
          )
    left out
      .github/workflows/copilot-setup-steps.yml: steps.uses: actions/setup-node@v4
        tools come from this machine; install what it needs here
      .github/workflows/copilot-setup-steps.yml: steps.run: echo ${{ secrets.TOKEN }}
        Divisi has no equal for `secrets.TOKEN`
      .github/workflows/copilot-setup-steps.yml: steps.if: echo x
        it is run on a condition
      .github/workflows/copilot-setup-steps.yml: steps.shell: Get-Item
        setup is run by sh
    --- stderr
    warning: no way to test this project was found; add a [[gates]] to divisi.toml, or nothing will be proven
    Look it over and commit it, then: divisi run "…"

    $ divisi -C devcontainer init --quiet --dry-run
    [env]/devcontainer/divisi.toml

    $ divisi -C devcontainer init
    wrote [env]/devcontainer/divisi.toml
      setup:
          set -e
          make -C ${DIVISI_WORKSPACE_PATH} ${FLAGS}
          pip install -r requirements.txt
          pre-commit install 'it'\''s'
    taken over
      .devcontainer/devcontainer.json as pass_environment: FLAGS
      .devcontainer/devcontainer.json as setup: make -C ${DIVISI_WORKSPACE_PATH} ${FLAGS}
      .devcontainer/devcontainer.json as setup: pip install -r requirements.txt
      .devcontainer/devcontainer.json as setup: pre-commit install 'it'\''s'
      .devcontainer/devcontainer.json as pass_environment: DATABASE_URL
    left out
      .devcontainer/devcontainer.json: postStartCommand: echo hi
        a workspace is made once, and not started or attached to
      .devcontainer/devcontainer.json: remoteEnv.MODE
        Divisi sets no variables; pass_environment hands on yours
      .devcontainer/devcontainer.json: image: debian:12
        tools come from this machine; install what it needs here
      .devcontainer/devcontainer.json: forwardPorts
        each attempt has ports of its own: DIVISI_PORT
    --- stderr
    warning: no way to test this project was found; add a [[gates]] to divisi.toml, or nothing will be proven
    Look it over and commit it, then: divisi run "…"

    $ divisi -C include init --quiet --dry-run
    [env]/include/divisi.toml

    $ divisi -C include init
    wrote [env]/include/divisi.toml
    taken over
      .worktreeinclude as include: as it is
    --- stderr
    warning: no way to test this project was found; add a [[gates]] to divisi.toml, or nothing will be proven
    Look it over and commit it, then: divisi run "…"
    "#);
}

#[test]
fn several_files_one_setup_and_nothing_is_overwritten() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("conductor.json", r#"{"scripts": {"setup": "make deps"}}"#)
        .file(".cursor/worktrees.json", r#"{"setup-worktree": ["make deps", "make more"]}"#)
        .file(".emdash.json", r#"{"preservePatterns": [".env", "local.toml"]}"#)
        .file(".worktreeinclude", "# mine\n.env\n")
        .file("package.json", r#"{"scripts":{"test":"vitest run"},"devDependencies":{"vitest":"4"}}"#);
    let mut typed = env.transcript(repo.path());
    typed.divisi(["init", "--dry-run"]);
    assert!(!repo.path().join("divisi.toml").exists());
    typed.divisi(["init", "--no-import", "--json"]);
    let first = repo.read("divisi.toml");
    typed.divisi(["init"]).require_code(4);
    assert_eq!(repo.read("divisi.toml"), first);
    typed.divisi(["init", "--force", "--quiet"]).require_success();
    let second = repo.read("divisi.toml");
    assert!(second != first && second.contains("make deps"), "{second}");
    typed.divisi(["init", "--force", "--quiet"]).require_success();
    assert_eq!(repo.read("divisi.toml"), second, "the same project gives the same file");
    assert_eq!(repo.read(".worktreeinclude"), "# mine\n.env\n");
    insta::assert_snapshot!(typed, @r#"
    $ divisi init --dry-run
    would write [env]/shop/divisi.toml
      setup:
          set -e
          export CONDUCTOR_ROOT_PATH="$DIVISI_ROOT_PATH" CONDUCTOR_WORKSPACE_PATH="$DIVISI_WORKSPACE_PATH" CONDUCTOR_WORKSPACE_NAME="$DIVISI_TASK" CONDUCTOR_PORT="$DIVISI_PORT"
          make deps
      gate test: npm test
    taken over
      .worktreeinclude as include: as it is
      conductor.json as setup: make deps
    left out
      .emdash.json: preservePatterns: local.toml
        there is a .worktreeinclude already; add it there if you want it
      .cursor/worktrees.json: setup-worktree: make more
        the setup is taken from conductor.json
    --- stderr
    Nothing was written.

    $ divisi init --no-import --json
    {
      "path": "[env]/shop/divisi.toml",
      "written": true,
      "seen": [
        "package.json"
      ],
      "setup": "npm install",
      "gates": [
        {
          "name": "test",
          "command": "npm test"
        }
      ],
      "include": [],
      "taken": [],
      "left": []
    }
    --- stderr
    Look it over and commit it, then: divisi run "…"

    $ divisi init
    --- stderr
    error: [env]/shop/divisi.toml is there already
    hint: divisi init --print shows what would be written, --force replaces the file
    [exit code 4]

    $ divisi init --force --quiet
    [env]/shop/divisi.toml

    $ divisi init --force --quiet
    [env]/shop/divisi.toml
    "#);
}

#[test]
fn files_that_are_broken_too_long_or_elsewhere_are_named_and_the_rest_is_taken() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    std::fs::write(env.join("outside.json"), r#"{"scripts": {"setup": "echo outside"}}"#).unwrap();
    let laughs: String = std::iter::once("a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned())
        .chain(
            ('b'..='k')
                .zip('a'..)
                .map(|(name, of)| format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 10].join(", "))),
        )
        .collect();
    repo.file(".emdash.json", "{\"scripts\": ")
        .file(".workmux.yaml", &laughs)
        .file(".config/wt.toml", "pre-start = \n")
        .file(".superset/config.json", "x".repeat(10 * 1024 * 1024))
        .file(".cursor/worktrees.json", "[\"npm ci\"]")
        .file(".github/workflows/copilot-setup-steps.yml", "jobs: {}\n")
        .file(
            "conductor.json",
            "{\"scripts\": {\"setup\": \"echo \\u001b[31mred\\u0007 && touch ../ran\", \"run\": {\"a\": 1}}}",
        );
    std::fs::create_dir(repo.path().join(".conductor")).unwrap();
    std::os::unix::fs::symlink(env.join("outside.json"), repo.path().join(".conductor/settings.toml"))
        .unwrap();
    std::os::unix::fs::symlink(env.root(), repo.path().join(".devcontainer")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", repo.path().join(".worktreeinclude")).unwrap();
    let mut typed = env.transcript(repo.path());
    typed.divisi(["init"]).require_success();
    assert!(!env.join("ran").exists(), "nothing of it is run");
    insta::assert_snapshot!(typed, @r#"
    $ divisi init
    wrote [env]/shop/divisi.toml
      setup:
          set -e
          export CONDUCTOR_ROOT_PATH="$DIVISI_ROOT_PATH" CONDUCTOR_WORKSPACE_PATH="$DIVISI_WORKSPACE_PATH" CONDUCTOR_WORKSPACE_NAME="$DIVISI_TASK" CONDUCTOR_PORT="$DIVISI_PORT"
          echo ␛[31mred␇ && touch ../ran
    taken over
      conductor.json as setup: echo ␛[31mred␇ && touch ../ran
    left out
      .worktreeinclude: the file
        it is no regular file of this folder, or cannot be read
      .conductor/settings.toml: the file
        it is no regular file of this folder, or cannot be read
      conductor.json: scripts.run
        Divisi starts no servers; agents start what they need, on the ports that each attempt has
      .superset/config.json: the file
        it is longer than 262144 bytes
      .emdash.json: the file
        it is not JSON: unexpected end of input on line 1 column 1
      .workmux.yaml: the file
        it is not YAML: it unfolds to too much
      .cursor/worktrees.json: the file
        it is not a table in JSON
      .config/wt.toml: the file
        it is not TOML: string values must be quoted, expected literal string
      .github/workflows/copilot-setup-steps.yml: jobs
        it has no job `copilot-setup-steps` with steps
      .devcontainer/devcontainer.json: the file
        it is no regular file of this folder, or cannot be read
    --- stderr
    warning: no way to test this project was found; add a [[gates]] to divisi.toml, or nothing will be proven
    Look it over and commit it, then: divisi run "…"
    "#);
}

#[test]
fn a_divisi_toml_that_is_a_link_is_replaced_not_followed() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    std::fs::write(env.join("precious"), "mine").unwrap();
    std::os::unix::fs::symlink(env.join("precious"), repo.path().join("divisi.toml")).unwrap();
    env.divisi().in_folder(repo.path()).args(["init"]).run().require_code(4);
    env.divisi().in_folder(repo.path()).args(["init", "--force"]).run().require_success();
    assert_eq!(std::fs::read_to_string(env.join("precious")).unwrap(), "mine");
    assert!(repo.read("divisi.toml").contains("# Divisi on this project."));
}

#[test]
fn an_imported_setup_finds_the_variables_that_it_is_used_to() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    let setup = "test -f \\\"$CONDUCTOR_ROOT_PATH/divisi.toml\\\" && test \\\"$CONDUCTOR_WORKSPACE_PATH\\\" = \\\"$PWD\\\" && test -n \\\"$CONDUCTOR_PORT\\\"";
    repo.file("a.txt", "a\n")
        .file("conductor.json", format!("{{\"scripts\": {{\"setup\": \"{setup}\"}}}}"))
        .file("Makefile", "test:\n\ttrue\n");
    env.divisi().in_folder(repo.path()).args(["init"]).run().require_success();
    repo.commit("first");
    let run = ["run", "x", "--agent", "rehearsal", "--wait"];
    env.divisi().in_folder(repo.path()).args(run).run().require_success();
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}
