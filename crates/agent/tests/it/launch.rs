//! Readiness from facts, and the plan of a launch.

use std::collections::{BTreeMap, BTreeSet};

use divisi_agent::{
    Definition, ExecTurn, Facts, HandOver, LaunchContext, LaunchError, Layer, LoginFile, ModeName, Readiness,
    Registry, version_in,
};

fn agent(name: &str, layer: &str) -> Definition {
    let layer = Layer::read("test", name, layer).unwrap();
    Registry::with_layers(&[layer]).unwrap().require(name).unwrap().clone()
}

fn facts(files: &[&str], variables: &[&str]) -> Facts {
    let set = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<BTreeSet<_>>();
    Facts { program: Some("/bin/agent".into()), version: None, files: set(files), variables: set(variables) }
}

fn context(mode: ModeName) -> LaunchContext {
    let variables = [
        ("PATH", "/usr/bin"),
        ("LANG", "de_DE.UTF-8"),
        ("OPENAI_API_KEY", "sk-secret"),
        ("AWS_SECRET_ACCESS_KEY", "never"),
        ("MY_KEY", "local"),
        ("GOOSE_PROVIDER", "anthropic"),
        ("ANTHROPIC_API_KEY", "ant"),
        ("SSH_AUTH_SOCK", "/run/ssh"),
    ];
    LaunchContext {
        home: "/data/homes/t1.1".into(),
        workspace: "/data/repo/t1.1".into(),
        temp: "/data/tmp/t1.1".into(),
        divisi: "/bin/divisi".into(),
        user_home: "/home/ada".into(),
        variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        extra: BTreeMap::from([("PORT".to_owned(), "41000".to_owned())]),
        mode,
        ..LaunchContext::default()
    }
}

const URL: &str = "base_url = \"http://127.0.0.1:9100/r/run-7/v1/\"\nmodel = \"gpt-5.5\"\n";

#[test]
fn readiness_follows_from_program_and_login() {
    let ready = |login: &str| Readiness::Ready { login: login.into() };
    let unverified = |login: &str| Readiness::Unverified { login: login.into() };
    let not_logged_in = |hint: &str| Readiness::NotLoggedIn { hint: hint.into() };
    for (name, layer, facts, expected) in [
        ("codex", "", facts(&[".codex/auth.json"], &[]), ready("codex login")),
        ("codex", "", facts(&[], &["OPENAI_API_KEY"]), ready("OpenAI API key")),
        ("codex", "", facts(&[], &["GEMINI_API_KEY"]), not_logged_in("codex login")),
        ("codex", URL, facts(&[], &[]), ready("custom endpoint")),
        (
            "codex",
            &format!("{URL}api_key_variable = \"MY_KEY\""),
            facts(&[], &[]),
            not_logged_in("export MY_KEY=…"),
        ),
        (
            "codex",
            &format!("{URL}api_key_variable = \"MY_KEY\""),
            facts(&[], &["MY_KEY"]),
            ready("custom endpoint"),
        ),
        ("cline", "", facts(&[], &["CLINE_API_KEY"]), not_logged_in("cline auth")),
        ("cline", "", facts(&[], &["CLINE_API_KEY", "CLINE_PROVIDER"]), ready("API key")),
        ("rehearsal", "", facts(&[], &[]), ready("no login needed")),
        ("auggie", "", facts(&[".augment/session.json"], &[]), unverified("auggie login")),
        (
            "goose",
            "",
            Facts::default(),
            Readiness::NotInstalled { hint: "npm install -g @aaif/goose@0.20.1".into() },
        ),
    ] {
        let readiness = agent(name, layer).readiness(&facts);
        assert_eq!(readiness, expected, "{name} {layer}");
        assert_eq!(readiness.is_usable(), readiness.hint().is_none());
    }
    let probe = agent("gemini", "").probe();
    assert_eq!(probe.program, "gemini");
    assert!(
        probe.files.contains(".gemini/google_accounts.json") && probe.variables.contains("GEMINI_API_KEY")
    );
    let own = agent(
        "own",
        "drive = \"acp\"\ncommand = [\"own\"]\n[[login]]\ntitle = \"key\"\nvariables = [\"OWN\"]\n",
    );
    assert_eq!(own.readiness(&Facts::default()).hint(), Some("put `own` into PATH"));
    assert_eq!(own.readiness(&facts(&[], &[])).hint(), Some("set OWN"));
}

#[test]
fn codex_with_its_login_gets_the_login_and_nothing_else() {
    let codex = agent("codex", "");
    let launch = codex.launch(&facts(&[".codex/auth.json"], &[]), &context(ModeName::Ask)).unwrap();
    assert_eq!((launch.program.to_str(), launch.args.len()), (Some("/bin/agent"), 0));
    assert_eq!(launch.mode_id.as_deref(), Some("read-only"));
    assert_eq!(launch.stdin, None);
    assert_eq!(
        launch.logins,
        [LoginFile {
            from: "/home/ada/.codex/auth.json".into(),
            to: ".codex/auth.json".into(),
            how: HandOver::Link
        }]
    );
    let environment: Vec<_> = launch.environment.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(
        environment,
        [
            "CODEX_HOME=/data/homes/t1.1/.codex",
            "GIT_AUTHOR_EMAIL=agent@divisi.invalid",
            "GIT_AUTHOR_NAME=Divisi agent",
            "GIT_COMMITTER_EMAIL=agent@divisi.invalid",
            "GIT_COMMITTER_NAME=Divisi agent",
            "GIT_EDITOR=true",
            "GIT_TERMINAL_PROMPT=0",
            "HOME=/data/homes/t1.1",
            "LANG=de_DE.UTF-8",
            "NO_COLOR=1",
            "PATH=/usr/bin",
            "PORT=41000",
            "PWD=/data/repo/t1.1",
            "TERM=dumb",
            "TMPDIR=/data/tmp/t1.1",
        ]
    );
    assert_eq!(launch.files.len(), 1);
    let config: toml::Table = launch.files[0].content.parse().unwrap();
    assert!(!config.contains_key("model"), "the agent's own default: {config}");
    assert!(matches!(
        codex.launch(&facts(&[], &[]), &context(ModeName::Ask)),
        Err(LaunchError::NotLoggedIn { .. })
    ));
    let key = codex.launch(&facts(&[], &["OPENAI_API_KEY"]), &context(ModeName::Auto)).unwrap();
    assert_eq!(key.environment["OPENAI_API_KEY"], "sk-secret");
    assert!(key.secrets.contains("OPENAI_API_KEY") && key.logins.is_empty());
    assert_eq!(key.mode_id.as_deref(), Some("agent-full-access"));
    assert_eq!((key.authenticate.as_deref(), launch.authenticate.as_deref()), (Some("api-key"), None));
}

#[test]
fn a_custom_endpoint_is_written_as_each_agent_wants_it() {
    let launch = |name: &str| agent(name, URL).launch(&facts(&[], &[]), &context(ModeName::Auto)).unwrap();
    let codex = launch("codex");
    assert!(codex.logins.is_empty() && !codex.environment.contains_key("OPENAI_API_KEY"));
    let config: toml::Table = codex.files.last().unwrap().content.parse().unwrap();
    assert_eq!(codex.files.len(), 1, "the endpoint's file takes the place of the other");
    assert_eq!(
        config["model_providers"]["divisi"]["base_url"].as_str(),
        Some("http://127.0.0.1:9100/r/run-7/v1")
    );
    assert_eq!(config["model"].as_str(), Some("gpt-5.5"));
    assert_eq!(codex.environment["DIVISI_MODEL_KEY"], divisi_agent::NO_KEY);

    let goose = launch("goose");
    for (name, value) in [
        ("GOOSE_PROVIDER", "openai"),
        ("GOOSE_MODEL", "gpt-5.5"),
        ("GOOSE_MODE", "auto"),
        ("OPENAI_HOST", "http://127.0.0.1:9100"),
        ("OPENAI_BASE_PATH", "r/run-7/v1/chat/completions"),
    ] {
        assert_eq!(goose.environment[name], value, "{name}");
    }
    assert!(!goose.environment.contains_key("ANTHROPIC_API_KEY"), "no real key for a custom endpoint");
    let plain = agent("goose", "base_url = \"http://localhost:11434\"\napi_key_variable = \"MY_KEY\"");
    let plain = plain.launch(&facts(&[], &["MY_KEY"]), &context(ModeName::Ask)).unwrap();
    assert_eq!(plain.environment["OPENAI_BASE_PATH"], "v1/chat/completions");
    assert_eq!(plain.environment["OPENAI_API_KEY"], "local");
    assert_eq!(plain.environment["GOOSE_MODE"], "approve");
    assert!(plain.secrets.contains("OPENAI_API_KEY"));

    let opencode = launch("opencode");
    let config: serde_json::Value = serde_json::from_str(&opencode.files[0].content).unwrap();
    assert_eq!(config["provider"]["divisi"]["options"]["baseURL"], "http://127.0.0.1:9100/r/run-7/v1");
    assert_eq!(config["model"], "divisi/gpt-5.5");
    assert!(config["provider"]["divisi"]["models"]["gpt-5.5"].is_object());

    assert_eq!(launch("claude").environment["ANTHROPIC_BASE_URL"], "http://127.0.0.1:9100/r/run-7");
    assert_eq!(launch("gemini").args, ["--acp", "-m", "gpt-5.5"]);
    assert_eq!(launch("qwen").args, ["--acp", "--approval-mode", "yolo"]);
    let aider = launch("aider");
    let tail: Vec<_> = aider.args.iter().rev().take(6).rev().map(String::as_str).collect();
    assert_eq!(tail, ["--model", "openai/gpt-5.5", "--edit-format", "diff", "--map-tokens", "0"]);
}

#[test]
fn hostile_values_stay_inside_their_quotes() {
    let model = "x\"\n[evil]\nkey = \"y";
    let mut codex = agent("codex", URL);
    codex.model = Some(model.into());
    let launch = codex.launch(&facts(&[], &[]), &context(ModeName::Auto)).unwrap();
    let config: toml::Table = launch.files[0].content.parse().unwrap();
    assert_eq!(config["model"].as_str(), Some(model));
    assert!(!config.contains_key("evil"));
}

#[test]
fn exec_agents_get_their_prompt_as_they_want_it() {
    let turn = |prompt: &str, resume| LaunchContext {
        turn: Some(ExecTurn { prompt: prompt.into(), session: Some("s-9".into()), resume }),
        ..context(ModeName::Auto)
    };
    let aider = agent("aider", "").launch(&facts(&[], &["OPENAI_API_KEY"]), &turn("do it", true)).unwrap();
    assert_eq!(aider.args.last().map(String::as_str), Some("--restore-chat-history"));
    assert!(aider.args.contains(&"/data/homes/t1.1/.divisi-prompt.md".to_owned()), "{:?}", aider.args);
    assert_eq!(aider.files.last().unwrap().content, "do it");
    assert_eq!(aider.stdin.as_deref(), Some(""), "stdin is closed at once");

    let own =
        |exec: &str| agent("own", &format!("drive = \"exec\"\ncommand = [\"own\", \"run\"]\n[exec]\n{exec}"));
    let by_argument = own("").launch(&facts(&[], &[]), &turn("a b", false)).unwrap();
    assert_eq!(by_argument.args, ["run", "a b"]);
    let by_stdin = own("prompt = \"stdin\"\nresume = [[\"--session\", \"{session}\"]]\nfirst = [\"--new\"]");
    let first = by_stdin.launch(&facts(&[], &[]), &turn("words", false)).unwrap();
    assert_eq!(
        (first.args.as_slice(), first.stdin.as_deref()),
        (["run".to_owned(), "--new".to_owned()].as_slice(), Some("words"))
    );
    let next = by_stdin.launch(&facts(&[], &[]), &turn("words", true)).unwrap();
    assert_eq!(next.args, ["run", "--session", "s-9"]);
    let long = own("").launch(&facts(&[], &[]), &turn(&"x".repeat(200_000), false));
    assert!(matches!(long, Err(LaunchError::PromptTooLong { bytes: 200_000, .. })));
    assert!(own("").require_prompt_fits(200_000).is_err(), "so it can be told before");
    assert!(own("").require_prompt_fits(100_000).is_ok());
    assert!(own("prompt = \"stdin\"").require_prompt_fits(1 << 20).is_ok());
    assert!(agent("goose", URL).require_prompt_fits(1 << 20).is_ok());
}

#[test]
fn a_missing_mode_is_an_error_only_where_it_protects() {
    let own = agent("own", "drive = \"acp\"\ncommand = [\"own\"]\n");
    assert!(own.launch(&facts(&[], &[]), &context(ModeName::Ask)).is_ok());
    let plan = own.launch(&facts(&[], &[]), &context(ModeName::Plan)).unwrap_err();
    assert_eq!(plan.to_string(), "`own` has no mode in which it only reads and plans");
}

#[test]
fn a_launch_survives_storage() {
    let launch = agent("goose", URL).launch(&facts(&[], &[]), &context(ModeName::Ask)).unwrap();
    let text = serde_json::to_string(&launch).unwrap();
    assert_eq!(serde_json::from_str::<divisi_agent::AgentLaunch>(&text).unwrap(), launch);
}

#[test]
fn versions_are_found_in_what_programs_print() {
    for (printed, version) in [
        ("2.1.329 (Claude Code)\n", Some("2.1.329")),
        (" 1.34.0\n", Some("1.34.0")),
        ("codex-cli 0.169.0", Some("0.169.0")),
        ("aider 0.86.2", Some("0.86.2")),
        ("opencode v1.18.33-beta.1.", Some("1.18.33-beta.1")),
        ("error: unknown option", None),
        ("see https://x.y/1", None),
    ] {
        assert_eq!(version_in(printed).as_deref(), version, "{printed}");
    }
}
