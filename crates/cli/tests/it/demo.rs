//! The demonstration, where nobody sits at a terminal.

use divisi_testkit::TestEnv;

#[test]
fn the_link_comes_before_the_tasks_that_are_seen_by_it() {
    let env = TestEnv::new();
    let ran = env.divisi().args(["demo", "--keep"]).run();
    ran.require_success();
    let place = |what: &str| ran.stderr.find(what).unwrap_or_else(|| panic!("{what} is missing: {ran}"));
    assert!(place("/enter#") < place("You will see") && place("You will see") < place("  t1  "), "{ran}");
    // Nothing waits for a page where nobody is told to open one.
    assert!(!ran.stderr.contains("It begins when"), "{ran}");
    assert_eq!(ran.stderr.matches("✓ landed").count(), 3, "{ran}");
    assert_eq!(ran.stderr.matches("/enter#").count(), 2, "one to watch by, and one for later: {ran}");
    let home = ran.stderr.lines().find_map(|line| line.trim().strip_prefix("export DIVISI_HOME="));
    let stop = env.divisi().set("DIVISI_HOME", home.unwrap()).args(["stop", "--daemon"]);
    stop.run().require_success();
}
