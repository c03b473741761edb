//! The shipped definitions, and the user's own laid over them.

use divisi_agent::{Definition, Drive, Layer, ModeName, Registry};

fn layer(name: &str, text: &str) -> Layer {
    Layer::read(&format!("agents/{name}.toml"), name, text).unwrap()
}

fn refusal(name: &str, text: &str) -> String {
    match Layer::read(&format!("agents/{name}.toml"), name, text) {
        Ok(layer) => Registry::with_layers(&[layer]).unwrap_err().to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_shipped_definition_is_read_and_written_back() {
    let registry = Registry::shipped();
    assert_eq!(registry.all().len(), 17);
    for definition in registry.all() {
        let text = toml::to_string(definition).unwrap();
        assert_eq!(&toml::from_str::<Definition>(&text).unwrap(), definition, "{text}");
        if definition.name != "rehearsal" {
            assert!(definition.install.is_some() && definition.log_in.is_some(), "{}", definition.name);
            assert!(!definition.login.is_empty(), "{}", definition.name);
        }
        if !["rehearsal", "amp", "auggie", "crush", "cursor"].contains(&definition.name.as_str()) {
            assert!(definition.endpoint.is_some(), "{} takes a model server", definition.name);
            assert!(definition.mode(ModeName::Auto).is_some(), "{}", definition.name);
        }
    }
    let unverified: Vec<_> = registry.all().iter().filter(|d| !d.verified).map(|d| d.name.as_str()).collect();
    assert_eq!(unverified, ["amp", "auggie", "crush", "cursor"], "all others have a row in docs/agents.md");
    let names = |drive| registry.all().iter().filter(move |d| d.drive == drive).map(|d| d.name.as_str());
    assert_eq!(names(Drive::Exec).collect::<Vec<_>>(), ["aider", "mini-swe-agent", "amp", "crush"]);
    assert_eq!(registry.all().last().unwrap().name, "rehearsal", "never taken unnamed before a real one");
}

#[test]
fn every_file_that_a_definition_writes_is_of_its_kind() {
    for definition in Registry::shipped().all() {
        let files = definition.files.iter().chain(definition.endpoint.iter().flat_map(|e| &e.files));
        for file in files.chain(definition.login.iter().flat_map(|l| &l.write)) {
            if file.path.ends_with(".json") {
                serde_json::from_str::<serde_json::Value>(&file.content).unwrap();
            } else if file.path.ends_with(".toml") {
                file.content.parse::<toml::Table>().unwrap();
            } else {
                panic!("{}: what is {}?", definition.name, file.path);
            }
        }
    }
}

#[test]
fn a_layer_changes_what_it_names_and_nothing_else() {
    let shipped = Registry::shipped();
    let registry = Registry::with_layers(&[
        layer(
            "goose",
            "model = \"qwen3\"\nbase_url = \"http://127.0.0.1:11434\"\n[quirks]\nload_once = true\n",
        ),
        layer("goose", "[environment]\nEXTRA = \"1\"\n"),
        layer("fixer", "drive = \"exec\"\ncommand = [\"cargo\", \"fix\"]\n"),
    ])
    .unwrap();
    let goose = registry.require("goose").unwrap();
    let mut expected = shipped.require("goose").unwrap().clone();
    expected.model = Some("qwen3".into());
    expected.base_url = Some("http://127.0.0.1:11434".into());
    expected.quirks.load_once = true;
    expected.environment.insert("EXTRA".into(), "1".into());
    assert_eq!(goose, &expected);
    let first = &registry.all()[0];
    assert_eq!((first.name.as_str(), first.title.as_str(), first.drive), ("fixer", "fixer", Drive::Exec));
    assert_eq!(registry.all().len(), 18);
    assert_eq!(registry.require("claude").unwrap(), shipped.require("claude").unwrap());
}

#[test]
fn layers_come_from_a_table_of_divisi_toml() {
    let file: toml::Table =
        "[agents.goose]\nmodel = \"m\"\n[agents.mine]\ndrive=\"acp\"\ncommand=[\"m\"]".parse().unwrap();
    let layers = Layer::from_agents_table("divisi.toml", file["agents"].as_table().unwrap()).unwrap();
    let registry = Registry::with_layers(&layers).unwrap();
    assert_eq!(registry.require("goose").unwrap().model.as_deref(), Some("m"));
    assert!(registry.require("mine").is_ok());
    let wrong: toml::Table = "goose = 1".parse().unwrap();
    let error = Layer::from_agents_table("divisi.toml", &wrong).unwrap_err();
    assert_eq!(error.to_string(), "[agents.goose] in divisi.toml: a table is wanted here");
}

#[test]
fn what_is_wrong_is_named_with_what_may_be_meant() {
    for (name, text, said) in [
        ("goose", "[quirks]\neof_doesnt_exit = true\n", "(hint: did you mean `eof_does_not_exit`?)"),
        ("goose", "modle = \"x\"\n", "agents/goose.toml: unknown field `modle`"),
        (
            "goose",
            "drive = \"apc\"\n",
            "unknown variant `apc`, expected `acp` or `exec` (hint: did you mean `acp`?)",
        ),
        ("goose", "command = 3\n", "agents/goose.toml: "),
        ("goose", "drive = \n", "agents/goose.toml is not valid TOML: TOML parse error at line 1"),
        ("goose", "name = \"goosey\"\n", "its `name` is `goosey`, but the file or table is called `goose`"),
        ("new", "drive = \"acp\"\n", "agents/new.toml: missing field `command`"),
        ("new", "drive = \"acp\"\ncommand = []\n", "`command` must name a program"),
        (
            "new",
            "drive = \"acp\"\ncommand = [\"x\", \"{prompt}\"]\n",
            "a {prompt}, which only exec agents get",
        ),
        ("new", "drive = \"exec\"\ncommand = [\"x\"]\nexec.prompt = \"file\"\n", "has no {prompt_file}"),
        ("new", "drive = \"acp\"\ncommand = [\"x\"]\nbase_url = \"http://h\"\n", "no [endpoint]"),
        ("goose", "base_url = \"localhost:1\"\n", "must begin with http://"),
        (
            "goose",
            "[[files]]\npath = \"../.bashrc\"\ncontent = \"\"\n",
            "`../.bashrc` must be a relative path",
        ),
        (
            "goose",
            "[[login]]\ntitle = \"x\"\nfiles = [\"/etc/passwd\"]\n",
            "`/etc/passwd` must be a relative path",
        ),
        ("Bad Name", "drive = \"acp\"\ncommand = [\"x\"]\n", "`Bad Name` is not a name"),
    ] {
        let error = refusal(name, text);
        assert!(error.contains(said), "{text} -> {error}");
    }
    let huge = "#".repeat(300 * 1024);
    assert!(refusal("goose", &huge).contains("longer than"));
    let unknown = Registry::shipped().require("gose").unwrap_err().to_string();
    assert!(
        unknown.starts_with("there is no agent `gose`, did you mean `goose`?; known are: claude, "),
        "{unknown}"
    );
}

#[test]
fn the_examples_of_the_guide_are_right() {
    let guide = include_str!("../../../../docs/guides/agents.md");
    let mut layers = Vec::new();
    for block in guide.split("```toml\n").skip(1) {
        let text = block.split("```").next().unwrap();
        let name = text.strip_prefix("# agents/").and_then(|rest| rest.split(".toml").next()).unwrap();
        layers.push(layer(name, text));
    }
    assert_eq!(layers.len(), 5);
    let registry = Registry::with_layers(&layers).unwrap();
    assert_eq!(registry.require("goose").unwrap().base_url.as_deref(), Some("http://127.0.0.1:11434"));
    for quirk in ["reject_ends_turn", "litter", "leaves_daemon", "usage_scope", "cannot_commit"] {
        assert!(guide.contains(&format!("`{quirk}`")), "{quirk}");
    }
}
