//! Agents of the registry: what is taken, and what is not.

use divisi_agent::{Layer, Listed, ListingError, Registry};

const PLATFORM: &str = "linux-x86_64";

fn agent(id: &str, distribution: &str) -> String {
    format!(
        r#"{{"id":"{id}","name":"Some Agent","version":"1.2.3","description":"Writes code.\nFast.","authors":["x"],"license":"MIT","distribution":{distribution}}}"#
    )
}

fn read(distribution: &str) -> Result<Listed, ListingError> {
    Listed::read(&agent("some-agent", distribution), None, PLATFORM)
}

const NPX: &str =
    r#"{"npx":{"package":"@scope/some-agent@1.2.3","args":["--acp"],"env":{"SOME_MODE":"acp"}}}"#;

#[test]
fn each_way_becomes_a_command_without_a_shell() {
    let command = |distribution: &str| read(distribution).unwrap().ways[0].command.join(" ");
    assert_eq!(command(NPX), "npx --yes @scope/some-agent@1.2.3 --acp");
    assert_eq!(
        command(r#"{"npx":{"package":"some@1","cmd":"some-acp","args":["serve"]}}"#),
        "npx --yes --package some@1 some-acp serve"
    );
    assert_eq!(
        command(r#"{"uvx":{"package":"some-agent==1.2.3","args":["acp"]}}"#),
        "uvx some-agent==1.2.3 acp"
    );
    assert_eq!(command(r#"{"uvx":{"package":"some","cmd":"run-some"}}"#), "uvx --from some run-some");
    let binary = format!(
        r#"{{"binary":{{"linux-x86_64":{{"archive":"https://example.com/a.tar.gz","sha256":"{}","cmd":"./bin/some","args":["acp"]}}}}}}"#,
        "ab".repeat(32)
    );
    let listed = read(&binary).unwrap();
    assert_eq!(listed.ways[0].command, ["some", "acp"]);
    let install = listed.ways[0].install.as_deref().unwrap();
    assert!(
        install.contains("https://example.com/a.tar.gz") && install.contains(&"ab".repeat(32)),
        "{install}"
    );
}

#[test]
fn the_definition_is_one_that_divisi_reads() {
    let listed = read(NPX).unwrap();
    let text = listed.definition(&listed.ways[0], "agent.json\n[evil]");
    let layer = Layer::read("agents/some-agent.toml", "some-agent", &text).unwrap();
    let registry = Registry::with_layers(&[layer]).unwrap();
    let agent = registry.require("some-agent").unwrap();
    assert_eq!((agent.title.as_str(), agent.verified), ("Some Agent", false));
    assert_eq!(agent.note.as_deref(), Some("Writes code. Fast. Version 1.2.3 of the ACP registry."));
    assert_eq!(agent.environment["SOME_MODE"], "acp");
    assert_eq!(agent.program(), "npx");
}

#[test]
fn an_index_has_many() {
    let index = format!(r#"{{"version":"1.0.0","agents":[{},{}]}}"#, agent("one", NPX), agent("two", NPX));
    let refused = Listed::read(&index, None, PLATFORM).unwrap_err();
    assert_eq!(refused, ListingError::Several { count: 2, ids: vec!["one".into(), "two".into()] });
    assert_eq!(Listed::read(&index, Some("two"), PLATFORM).unwrap().id, "two");
    assert_eq!(Listed::read(&index, Some("six"), PLATFORM), Err(ListingError::Unknown("six".into())));
}

#[test]
fn hostile_listings_are_refused_with_a_sentence() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        "7",
        r#"{"agents":7}"#,
        r#"{"id":"a"}"#,
        r#"{"id":7,"name":"x","version":"1","distribution":{}}"#,
    ] {
        assert!(matches!(Listed::read(text, None, PLATFORM), Err(ListingError::Form(_))), "{text}");
    }
    assert!(matches!(Listed::read(&" ".repeat(5 << 20), None, PLATFORM), Err(ListingError::TooLong)));
    assert!(matches!(Listed::read(&"[".repeat(100_000), None, PLATFORM), Err(ListingError::Form(_))));
    for id in ["../../etc/passwd", "a/b", "..", "A", "-a", "", "a b", "a\\u0000", "a.toml", &"a".repeat(41)] {
        let refused = Listed::read(&agent(id, NPX), None, PLATFORM);
        assert!(matches!(refused, Err(ListingError::Refused(_))), "{id}: {refused:?}");
    }
    for distribution in [
        r#"{"npx":{"package":"--call=rm -rf ~"}}"#,
        r#"{"npx":{"package":"a; rm -rf ~"}}"#,
        r#"{"npx":{"package":"git+https://example.com/x.git"}}"#,
        r#"{"npx":{"package":"file:../x"}}"#,
        r#"{"npx":{"package":"https://example.com/x.tgz"}}"#,
        r#"{"npx":{"package":"@scope"}}"#,
        r#"{"npx":{"package":""}}"#,
        r#"{"uvx":{"package":"git+https://example.com/x"}}"#,
        r#"{"uvx":{"package":"-c"}}"#,
        r#"{"uvx":{"package":"x","cmd":"../../bin/sh"}}"#,
        r#"{"npx":{"package":"x","cmd":"sh -c evil"}}"#,
        r#"{"npx":{"package":"x","args":["a\nb"]}}"#,
        r#"{"npx":{"package":"x","args":["{api_key}"]}}"#,
        r#"{"npx":{"package":"x","env":{"LD_PRELOAD":"/tmp/x.so"}}}"#,
        r#"{"npx":{"package":"x","env":{"PATH":"/tmp"}}}"#,
        r#"{"npx":{"package":"x","env":{"A=B":"1"}}}"#,
        r#"{"npx":{"package":"x","env":{"A":"{home}"}}}"#,
        r#"{"binary":{"linux-x86_64":{"archive":"http://example.com/a.tgz","cmd":"x"}}}"#,
        r#"{"binary":{"linux-x86_64":{"archive":"https://example.com/$(evil)","cmd":"x"}}}"#,
        r#"{"binary":{"linux-x86_64":{"archive":"https://example.com/a.tgz","cmd":"/bin/sh"}}}"#,
        r#"{"binary":{"linux-x86_64":{"archive":"https://example.com/a.tgz","cmd":"../x"}}}"#,
        r#"{"binary":{"linux-x86_64":{"archive":"https://example.com/a.tgz","sha256":"12","cmd":"x"}}}"#,
    ] {
        let refused = read(distribution);
        assert!(matches!(refused, Err(ListingError::Refused(_))), "{distribution}: {refused:?}");
    }
    let other = r#"{"binary":{"windows-x86_64":{"archive":"https://example.com/a.zip","cmd":"x.exe"}}}"#;
    let refused = read(other).unwrap_err().to_string();
    assert_eq!(refused, "`some-agent` offers nothing for linux-x86_64: it has binaries for windows-x86_64");
    assert!(matches!(read("{}"), Err(ListingError::Platform { .. })));
}
