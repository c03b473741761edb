//! Agents that a person takes in from a listing of the ACP registry, and takes out again.

use divisi_testkit::TestEnv;

const LISTED: &str = r#"{"id":"some-agent","name":"Some Agent","version":"1.2.3","description":"Writes code.","authors":["x"],"license":"MIT",
"distribution":{"npx":{"package":"@scope/some-agent@1.2.3","args":["--acp","two words"],"env":{"SOME_MODE":"acp"}},
"uvx":{"package":"some-agent==1.2.3"}}}"#;

#[test]
fn an_agent_is_taken_in_shown_and_taken_out() {
    let env = TestEnv::new();
    let folder = env.join("listing");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("agent.json"), LISTED).unwrap();
    let mut typed = env.transcript(env.root());
    typed.divisi(["agents", "add", "listing", "--print"]);
    typed.divisi(["agents", "add", "listing"]);
    typed.divisi(["agents", "some-agent"]);
    typed.divisi(["agents", "add", "listing/agent.json"]).require_code(4);
    typed.divisi(["agents", "add", "listing", "--by", "uvx", "--force"]);
    typed.divisi(["agents", "add", "listing", "--as", "codex"]).require_code(4);
    typed.divisi(["agents", "add", "listing", "--as", "../x"]).require_code(2);
    typed.divisi(["agents", "add", "listing", "--by", "binary"]).require_code(3);
    typed.divisi(["agents", "remove", "some-agent"]);
    typed.divisi(["agents", "remove", "some-agent"]).require_code(3);
    typed.divisi(["agents", "remove", "goose"]).require_code(3);
    insta::assert_snapshot!(typed, @r##"
    $ divisi agents add listing --print
    # Written by `divisi agents add` from listing/agent.json.
    command = ["npx", "--yes", "@scope/some-agent@1.2.3", "--acp", "two words"]
    drive = "acp"
    note = "Writes code. Version 1.2.3 of the ACP registry."
    title = "Some Agent"
    verified = false

    [environment]
    SOME_MODE = "acp"

    $ divisi agents add listing
    some-agent  added, unverified: [home]/.config/divisi/agents/some-agent.toml
        next: divisi run --agent some-agent "…"
    --- stderr
    Some Agent 1.2.3: Writes code.
    Each of its sessions would run: SOME_MODE=acp npx --yes @scope/some-agent@1.2.3 --acp 'two words'

    $ divisi agents some-agent
    some-agent  Some Agent
      ready, unverified
      driven  acp
      from  agents/some-agent.toml
      login  no login needed

    $ divisi agents add listing/agent.json
    --- stderr
    error: there is an agent `some-agent` already, in [home]/.config/divisi/agents/some-agent.toml
    hint: --as NAME gives it another name, --force takes its place
    [exit code 4]

    $ divisi agents add listing --by uvx --force
    some-agent  added, unverified: [home]/.config/divisi/agents/some-agent.toml
        next: divisi run --agent some-agent "…"
    --- stderr
    Some Agent 1.2.3: Writes code.
    Each of its sessions would run: uvx some-agent==1.2.3

    $ divisi agents add listing --as codex
    --- stderr
    error: an agent `codex` comes with Divisi
    hint: --as NAME gives it another name, --force takes its place
    [exit code 4]

    $ divisi agents add listing --as ../x
    --- stderr
    error: listing/agent.json: `../x` is not a name: use a-z, 0-9, `-` and `_`
    hint: choose another name: --as NAME
    [exit code 2]

    $ divisi agents add listing --by binary
    --- stderr
    error: `some-agent` is not to be had by binary
    hint: here it is to be had by npx, uvx
    [exit code 3]

    $ divisi agents remove some-agent
    some-agent  removed

    $ divisi agents remove some-agent
    --- stderr
    error: you have no file agents/some-agent.toml
    hint: divisi agents lists them; one in config.toml is removed there
    [exit code 3]

    $ divisi agents remove goose
    --- stderr
    error: you have no file agents/goose.toml
    hint: it comes with Divisi and stays; default_agents in config.toml says which are taken
    [exit code 3]
    "##);
    env.divisi().args(["stop", "--daemon"]).run().require_success();
}

#[test]
fn bad_listings_are_refused_and_nothing_is_written() {
    let env = TestEnv::new();
    let write = |name: &str, text: &str| std::fs::write(env.join(name), text).unwrap();
    write("broken.json", "{\"id\": ");
    write("path.json", &LISTED.replace("some-agent\",\"name", "../../evil\",\"name"));
    write("shell.json", &LISTED.replace("@scope/some-agent@1.2.3", "x; rm -rf ~"));
    write(
        "index.json",
        &format!(
            "{{\"version\":\"1\",\"agents\":[{LISTED},{}]}}",
            LISTED.replace("some-agent\",\"name", "other\",\"name")
        ),
    );
    write(
        "windows.json",
        r#"{"id":"w","name":"W","version":"1.0.0","description":"","distribution":{"binary":{"windows-x86_64":{"archive":"https://example.com/w.zip","cmd":"w.exe"}}}}"#,
    );
    let mut typed = env.transcript(env.root());
    for file in ["broken.json", "path.json", "shell.json", "index.json", "windows.json", "absent.json"] {
        typed.divisi(["agents", "add", file]);
    }
    typed.divisi(["agents", "add", "index.json", "--id", "third"]);
    insta::assert_snapshot!(typed, @r##"
    $ divisi agents add broken.json
    --- stderr
    error: broken.json: it is not of the registry's form: EOF while parsing a value at line 1 column 7
    hint: the form is that of the ACP registry: agent.json, or registry.json with `agents`
    [exit code 2]

    $ divisi agents add path.json
    --- stderr
    error: path.json: `../../evil` is not an id: a-z, 0-9 and `-`, at most 40, beginning with a letter
    hint: if you trust it, write the definition by hand: docs/guides/agents.md
    [exit code 2]

    $ divisi agents add shell.json
    --- stderr
    error: shell.json: `x; rm -rf ~` is not the name of a package for npx
    hint: if you trust it, write the definition by hand: docs/guides/agents.md
    [exit code 2]

    $ divisi agents add index.json
    --- stderr
    error: index.json: it lists 2 agents
    hint: name one: --id some-agent, --id other
    [exit code 2]

    $ divisi agents add windows.json
    --- stderr
    error: windows.json: `w` offers nothing for linux-x86_64: it has binaries for windows-x86_64
    hint: docs/guides/agents.md says how to write a definition by hand
    [exit code 3]

    $ divisi agents add absent.json
    --- stderr
    error: cannot read absent.json
      because No such file or directory (os error 2)
    hint: name an agent.json, its folder, or a registry.json
    [exit code 3]

    $ divisi agents add index.json --id third
    --- stderr
    error: index.json: it lists no agent `third`
    hint: look into the file for its ids
    [exit code 3]
    "##);
    assert!(!env.home().join(".config/divisi/agents").exists());
}
