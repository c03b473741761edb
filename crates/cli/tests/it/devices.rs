//! Browsers from the command line: the link, pairing, the list, and listening for other machines.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use divisi_testkit::{Finished, TestEnv};

fn divisi(env: &TestEnv, arguments: &[&str]) -> Finished {
    env.divisi().args(arguments).run()
}

fn configure(env: &TestEnv, text: &str) {
    std::fs::create_dir_all(env.home().join(".config/divisi")).unwrap();
    std::fs::write(env.home().join(".config/divisi/config.toml"), text).unwrap();
}

#[test]
fn open_gives_a_link_and_hands_it_to_the_browser_that_is_named() {
    let env = TestEnv::new();
    let printed = divisi(&env, &["open", "--print"]);
    printed.require_success();
    let link = printed.stdout.trim();
    assert!(link.starts_with("http://divisi-") && link.contains("/enter#"), "{printed}");
    let without = divisi(&env, &["open"]);
    assert!(without.stderr.contains("No browser could be opened here"), "{without}");
    let seen = env.join("seen");
    env.set("BROWSER", browser(&env, "browser", &seen));
    let opened = divisi(&env, &["open"]);
    opened.require_success();
    divisi_testkit::wait_until("the browser was started", || seen.exists());
    assert_eq!(std::fs::read_to_string(&seen).unwrap(), opened.stdout);
    divisi(&env, &["stop", "--daemon"]).require_success();
}

#[test]
fn open_finds_the_browser_of_the_desktop_where_none_is_named_or_the_named_one_is_missing() {
    let env = TestEnv::new();
    let seen = env.join("seen");
    browser(&env, "bin/xdg-open", &seen);
    env.prepend_path(env.join("bin"));
    let without_screen = divisi(&env, &["open"]);
    assert!(without_screen.stderr.contains("No browser could be opened here"), "{without_screen}");
    env.set("DISPLAY", ":99");
    for named in ["", "no-such-browser"] {
        env.set("BROWSER", named);
        let opened = divisi(&env, &["open"]);
        opened.require_success();
        assert_eq!(opened.stderr, "", "{opened}");
        divisi_testkit::wait_until("the browser was started", || seen.exists());
        assert_eq!(std::fs::read_to_string(&seen).unwrap(), opened.stdout);
        std::fs::remove_file(&seen).unwrap();
    }
    divisi(&env, &["stop", "--daemon"]).require_success();
}

/// A program that writes down the link that it is to open.
fn browser(env: &TestEnv, name: &str, seen: &Path) -> PathBuf {
    let program = env.join(name);
    std::fs::create_dir_all(program.parent().unwrap()).unwrap();
    let script = format!("#!/bin/sh\necho \"$1\" > {0}.new; mv {0}.new {0}\n", seen.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

#[test]
fn the_port_is_the_same_after_a_restart() {
    let env = TestEnv::new();
    let port = || {
        let link = divisi(&env, &["open", "--print"]).stdout;
        link.split(['#', '/']).nth(2).map(str::to_owned)
    };
    let first = port();
    assert!(first.is_some());
    divisi(&env, &["stop", "--daemon"]).require_success();
    assert_eq!(port(), first);
    divisi(&env, &["stop", "--daemon"]).require_success();
}

#[test]
fn a_phone_is_paired_by_a_code_that_leads_to_the_named_origin() {
    let env = TestEnv::new();
    let alone = divisi(&env, &["pair"]);
    alone.require_success();
    assert!(alone.stderr.contains("this machine alone can open the link"), "{alone}");
    assert!(alone.stdout.contains('▀') && alone.stdout.contains("Scan it"), "{alone}");
    divisi(&env, &["stop", "--daemon"]).require_success();
    configure(&env, "[remote]\norigins = [\"https://divisi.example.net\"]\n");
    let paired = divisi(&env, &["pair", "--name", "phone", "--quiet"]);
    assert!(paired.stdout.starts_with("https://divisi.example.net/enter#"), "{paired}");
    let none = divisi(&env, &["devices"]);
    assert!(none.stderr.contains("No browser was let in yet"), "{none}");
    divisi(&env, &["devices", "revoke", "phone"]).require_code(3);
    divisi(&env, &["stop", "--daemon"]).require_success();
}

#[test]
fn plain_http_leaves_this_machine_only_when_it_was_said_aloud() {
    let env = TestEnv::new();
    let mut typed = env.transcript(env.root());
    typed.divisi(["serve", "--host", "10.0.0.5"]).require_code(2);
    typed.divisi(["serve", "--remote"]).require_code(9);
    typed.divisi(["serve", "--remote", "--host", "10.0.0.5"]).require_code(9);
    typed.divisi(["serve", "--remote", "--origin", "http://divisi.example.net"]).require_code(9);
    insta::assert_snapshot!(typed, @r#"
    $ divisi serve --host 10.0.0.5
    --- stderr
    error: the following required arguments were not provided:
      --remote

    Usage: divisi serve --remote --host <ADDRESS>

    For more information, try '--help'.
    [exit code 2]

    $ divisi serve --remote
    --- stderr
    error: nobody knows by which name other machines reach Divisi
    hint: name it as a browser writes it: --origin https://divisi.example.net
    [exit code 9]

    $ divisi serve --remote --host 10.0.0.5
    --- stderr
    error: without HTTPS in front of 10.0.0.5 everybody on the way can read along
    hint: --origin https://… names the proxy that has it; docs/guides/phone.md has recipes; --insecure-http does it nevertheless
    [exit code 9]

    $ divisi serve --remote --origin http://divisi.example.net
    --- stderr
    error: http://divisi.example.net is plain HTTP: everybody on the way can read along
    hint: docs/guides/phone.md has recipes; --insecure-http does it nevertheless
    [exit code 9]
    "#);
}
