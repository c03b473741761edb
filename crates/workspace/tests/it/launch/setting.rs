//! A child runs with what its spec says, and with nothing of the daemon.

use divisi_workspace::launch::{CgroupPlace, Launch, Level, ShimCommand, probe};

use super::support::*;

async fn says(
    place: &Place,
    argv: &[&str],
    change: impl FnOnce(&mut divisi_workspace::launch::Spec),
) -> String {
    let mut spec = place.spec(&[]);
    spec.argv = argv.iter().map(Into::into).collect();
    change(&mut spec);
    String::from_utf8(output(&place.start(&spec).await).await).unwrap()
}

#[tokio::test]
async fn the_environment_is_complete_but_for_the_mark() {
    let place = Place::new();
    let env = says(&place, &["/usr/bin/env"], |spec| {
        spec.env.clear();
        spec.env.insert("ONLY".into(), "this".into());
        spec.id = "the-mark".to_owned();
    })
    .await;
    assert_eq!(env, "DIVISI_LAUNCH=the-mark\nONLY=this\n");
}

#[tokio::test]
async fn it_has_three_open_files_and_its_own_group() {
    let place = Place::new();
    // The fourth is the directory that ls itself reads.
    let fds = says(&place, &["/bin/ls", "/proc/self/fd"], |_| {}).await;
    assert_eq!(fds, "0\n1\n2\n3\n");
    let place = Place::new();
    let stat = says(&place, &["/bin/cat", "/proc/self/stat"], |_| {}).await;
    let (pid, rest) = stat.split_once(" (cat) R ").unwrap();
    assert_eq!(rest.split(' ').nth(1), Some(pid), "the leader of its process group");
}

#[tokio::test]
async fn limits_directory_and_priority_for_the_kernel_are_set() {
    let place = Place::new();
    let script = "pwd; ulimit -c; ulimit -n; cat /proc/self/oom_score_adj; umask; \
                  sed -n 's/^Sig\\(Ign\\|Blk\\):.*\\(.\\{7\\}\\)$/\\1 \\2/p' /proc/self/status";
    let said = says(&place, &["/bin/sh", "-c", script], |spec| {
        spec.cwd = "/usr".into();
        spec.limits.nofile = Some(123);
        spec.oom_score_adj = Some(400);
    })
    .await;
    // The umask of this test is that of the daemon, and is passed on.
    let umask = std::process::Command::new("sh").args(["-c", "umask"]).output().unwrap().stdout;
    let umask = String::from_utf8(umask).unwrap();
    let expected = format!("/usr\n0\n123\n400\n{umask}Blk 0000000\nIgn 0000000\n");
    assert_eq!(said, expected);
}

#[tokio::test]
async fn where_groups_can_be_made_the_child_has_its_own() {
    let place = Place::new();
    let id = "a-group-of-its-own";
    let said = says(&place, &["/bin/cat", "/proc/self/cgroup"], |spec| spec.id = id.to_owned()).await;
    let own = said.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("").to_owned();
    let can = !matches!(probe().cgroup, CgroupPlace::Nowhere(_));
    assert_eq!(own.ends_with(&format!("/divisi-shims/{id}")), can, "{:?}: {own:?}", probe().cgroup);
    if let CgroupPlace::Beside(shims) | CgroupPlace::Below(shims) = probe().cgroup {
        assert!(!shims.join(id).exists(), "it is removed with the launch");
    }
}

#[test]
fn this_machine_is_good_enough_and_says_how_good() {
    assert_ne!(probe().level(), Level::Unsupported);
}

#[tokio::test]
async fn a_shim_that_brings_no_connection_is_found_by_its_socket() {
    let place = Place::new();
    // Its output is a pipe, as that of a shim of an older version ends after the first line.
    let script = "\"$0\" \"$@\" | /bin/cat";
    let shim = ShimCommand::new("/bin/sh", ["-c", script, program().to_str().unwrap(), "shim"]);
    let spec = place.shell("echo here; sleep 1000");
    let launch = Launch::start(&place.launch_dir(), &spec, &shim).await.unwrap();
    output_with(&launch, "here").await;
    launch.kill().await.unwrap();
    launch.wait().await;
}

#[tokio::test]
async fn a_launch_that_could_not_start_leaves_no_socket() {
    let place = Place::new();
    let mut spec = place.spec(&[]);
    spec.argv = vec!["/there/is/none".into()];
    assert!(Launch::start(&place.launch_dir(), &spec, &shim()).await.is_err());
    assert!(!place.launch_dir().join(divisi_workspace::launch::SOCKET).exists());
}
