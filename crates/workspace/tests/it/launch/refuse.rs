//! Bad input gives one clear sentence.

use std::os::unix::fs::PermissionsExt;

use divisi_workspace::launch::{Launch, LaunchError, Outcome, ShimCommand, Stdin};

use super::support::*;

#[tokio::test]
async fn a_program_that_is_not_there() {
    let place = Place::new();
    let mut spec = place.spec(&[]);
    spec.argv = vec!["no-such-agent".into()];
    spec.env.insert("PATH".into(), "/usr/bin:/bin".into());
    let error = Launch::start(&place.launch_dir(), &spec, &shim()).await.map(drop).unwrap_err();
    assert_eq!(error.to_string(), "cannot start no-such-agent: No such file or directory (os error 2)");
    let outcome = exit(&place.attach().await).await.outcome;
    assert_eq!(outcome, Outcome::NotStarted { error: error.to_string() });
    assert!(output(&place.attach().await).await.is_empty());
}

#[tokio::test]
async fn a_directory_an_input_or_a_permission_that_is_not_there() {
    let place = Place::new();
    let fails = async |name: &str, spec| {
        Launch::start(&place.path(name), &spec, &shim()).await.map(drop).unwrap_err().to_string()
    };
    let mut spec = place.shell("true");
    spec.cwd = "/no/such/place".into();
    assert_eq!(fails("a", spec).await, "cannot start /bin/sh: there is no directory /no/such/place");
    let mut spec = place.shell("true");
    spec.stdin = Stdin::File("/no/such/prompt".into());
    let expected = "cannot open /no/such/prompt as standard input: No such file or directory (os error 2)";
    assert_eq!(fails("b", spec).await, expected);
    let file = place.path("not-executable");
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut spec = place.shell("true");
    spec.argv = vec![file.clone().into()];
    let expected = format!("cannot start {}: Permission denied (os error 13)", file.display());
    assert_eq!(fails("c", spec).await, expected);
}

#[tokio::test]
async fn a_second_start_in_the_same_directory() {
    let place = Place::new();
    let launch = place.start(&place.shell("exec sleep 1000")).await;
    let again = async || Launch::start(&place.launch_dir(), &place.shell("true"), &shim()).await.map(drop);
    assert!(matches!(again().await, Err(LaunchError::StartedBefore(_))));
    launch.kill().await.unwrap();
    exit(&launch).await;
    assert!(matches!(again().await, Err(LaunchError::StartedBefore(_))));
}

#[tokio::test]
async fn a_directory_that_is_no_launch_or_a_damaged_one() {
    let place = Place::new();
    assert!(matches!(try_attach(&place).await, Err(LaunchError::NotALaunch(_))));
    std::fs::create_dir(place.launch_dir()).unwrap();
    assert!(matches!(try_attach(&place).await, Err(LaunchError::NotALaunch(_))));
    let spec = place.launch_dir().join("spec.json");
    for garbage in ["", "{\"version\":1", "[]", "\0\0\0"] {
        std::fs::write(&spec, garbage).unwrap();
        let error = try_attach(&place).await.unwrap_err().to_string();
        assert_eq!(error, format!("{} is damaged", spec.display()));
    }
    let mut newer = serde_json::to_value(place.shell("true")).unwrap();
    newer["version"] = 99.into();
    std::fs::write(&spec, newer.to_string()).unwrap();
    let error = try_attach(&place).await.unwrap_err().to_string();
    assert_eq!(error, "the launch was written in layout 99, newer than the 1 known here");
}

#[tokio::test]
async fn a_shim_that_is_not_there_or_is_something_else() {
    let place = Place::new();
    let with = async |program: &str| {
        let shim = ShimCommand::new(program, [""; 0]);
        Launch::start(&place.launch_dir(), &place.shell("true"), &shim).await.map(drop).unwrap_err()
    };
    assert!(matches!(with("/no/such/shim").await, LaunchError::Shim { .. }));
    assert!(matches!(with("/bin/true").await, LaunchError::Silent(_)));
    assert!(matches!(with("/bin/echo").await, LaunchError::Silent(_)));
    // Nothing has run, so it can still be started.
    assert!(exit(&place.start(&place.shell("true")).await).await.success());
}

#[tokio::test]
async fn nobody_else_can_look_into_a_launch() {
    let place = Place::new();
    let launch = place.start(&place.shell("true")).await;
    exit(&launch).await;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(launch.dir()), 0o700);
    assert_eq!(mode(&launch.dir().join("out.journal")), 0o600);
}
