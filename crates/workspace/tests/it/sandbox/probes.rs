//! What can be done from inside: each attack first without the sandbox, where it works, and then in it.

use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::Command;

use divisi_workspace::sandbox::{Network, Sandbox, Walls};

use super::support::*;

/// `try NAME COMMAND…` says whether the command could do it; `{place}` and others are filled in.
const ATTACKS: &str = r#"
try() { name=$1; shift; if sh -c "$1" >/dev/null 2>&1; then echo "$name: done"; else echo "$name: no"; fi; }
cd "{place}"
export INIT=$PPID
try 'write a file outside' 'echo x > outside/file'
try 'make a file outside' 'echo x > outside/new'
try 'rename outside' 'mv outside/file outside/moved && mv outside/moved outside/file'
try 'remove outside' 'rm outside/doomed'
try 'change the mode outside' 'chmod 700 outside/file'
try 'change the time outside' 'touch -d 2001-01-01 outside/file'
try 'link to a file outside' 'ln outside/file work/link'
try 'write through a link' 'ln -sf ../outside/file work/soft && echo x > work/soft'
try 'read what is hidden' 'cat hidden/secret'
try 'read a hidden file' 'cat token'
try 'look behind the cover' 'cat hidden/../hidden/./secret || cat /proc/1/root{place}/hidden/secret'
try 'read the launch' 'cat runs/*/launch/spec.json'
try 'signal a process outside' 'kill -0 {pid}'
try 'see a process outside' 'test -d /proc/{pid}'
try 'connect to an abstract socket' './program connect-abstract {abstract}'
try 'connect to a service of the machine' './program connect {port}'
try 'reach the files of the init process' 'ls /proc/$INIT/cwd/'
try 'leave by namespaces of its own' 'unshare -r -m sh -c "mount -o remount,bind,rw / ; umount -l {place}/hidden; echo x > outside/file"'
"#;

const HARMLESS: &str = r#"
try 'write at work' 'echo x > work/file && chmod 700 work/file && mv work/file work/other && rm work/other'
try 'read outside' 'cat outside/file'
try 'read what is visible' 'cat hidden/objects/object'
try 'write to /tmp' 'for at in /tmp /var/tmp /dev/shm; do f=$(mktemp -p $at) && rm $f || exit 1; done'
try 'use devices' 'echo x > /dev/null && head -c 4 /dev/urandom | wc -c | grep 4'
try 'use a terminal' 'python3 -c "import os; m, s = os.openpty(); os.write(s, b\"x\"); assert os.read(m, 1) == b\"x\"; open(os.ttyname(s)).close()"'
try 'connect to a socket in the file system' './program connect-path "{place}/outside/socket"'
try 'use itself' 'test -r /proc/self/status && test $(cat /proc/self/comm) = cat'
"#;

/// What the sandboxes that agents build for themselves need.
const NESTED: &str = r#"
try 'make a namespace of its own' 'unshare -r -m sh -c "mount -t tmpfs none /mnt && echo x > /mnt/x"'
"#;

/// Runs the attacks and what is no attack, without a sandbox and then in it.
fn probe(place: &Place, sandbox: Sandbox) -> [String; 2] {
    place.file("outside/file", "outside\n");
    place.file("hidden/secret", "secret\n");
    place.file("hidden/objects/object", "object\n");
    place.file("token", "token\n");
    let mut outside = place.command("sleep").arg("1000").spawn().unwrap();
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = format!("divisi-test-{}", outside.id());
    let socket = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let path = UnixListener::bind(place.path("outside/socket")).unwrap();
    std::fs::set_permissions(place.path("outside/socket"), std::fs::Permissions::from_mode(0o777)).unwrap();
    let script = [ATTACKS, HARMLESS, NESTED].concat();
    let script = script
        .replace("{place}", place.root.path().to_str().unwrap())
        .replace("{pid}", &outside.id().to_string())
        .replace("{port}", &service.local_addr().unwrap().port().to_string())
        .replace("{abstract}", &name);
    let said = [None, Some(sandbox)].map(|sandbox| {
        place.file("outside/doomed", "");
        drop(std::fs::remove_file(place.path("outside/new")));
        place.launch(&place.shell(&script, sandbox))
    });
    outside.kill().unwrap();
    outside.wait().unwrap();
    drop((socket, path));
    said
}

/// The names of what was done and of what was not.
fn sorted(said: &str) -> (Vec<&str>, Vec<&str>) {
    let done = said.lines().filter_map(|line| line.strip_suffix(": done")).collect();
    (done, said.lines().filter_map(|line| line.strip_suffix(": no")).collect())
}

fn names(script: &str) -> Vec<&str> {
    script.lines().filter_map(|line| line.strip_prefix("try '")?.split('\'').next()).collect()
}

#[test]
fn no_attack_gets_out_and_what_is_none_works() {
    for who in everyone() {
        let place = Place::new(who);
        let sandbox = Sandbox {
            hidden: vec![place.path("hidden"), place.path("token"), place.path("runs")],
            visible: vec![place.root.path().to_owned(), place.path("hidden/objects")],
            network: Network::Loopback,
            ..place.sandbox()
        };
        let [without, within] = probe(&place, sandbox);
        assert_eq!(
            sorted(&without).1,
            Vec::<&str>::new(),
            "each attack works without it: {who:?}\n{without}"
        );
        let (done, refused) = sorted(&within);
        assert_eq!(refused, names(ATTACKS), "{who:?}\n{within}");
        assert_eq!(done, [names(HARMLESS), names(NESTED)].concat(), "{who:?}\n{within}");
        assert!(within.ends_with("Exited { code: 0 }\n"), "{within}");
    }
}

#[test]
fn without_namespaces_it_can_still_write_only_where_it_may() {
    for who in everyone() {
        let place = Place::new(who);
        let sandbox = Sandbox { walls: Walls::Landlock, ..place.sandbox() };
        let [_, within] = probe(&place, sandbox);
        let (done, refused) = sorted(&within);
        if place.root.path().starts_with("/tmp") {
            // There everything may be written.
            continue;
        }
        let stopped = [
            "write a file outside",
            "make a file outside",
            "rename outside",
            "remove outside",
            "link to a file outside",
            "write through a link",
            "signal a process outside",
            "connect to an abstract socket",
            "reach the files of the init process",
            "leave by namespaces of its own",
        ];
        assert_eq!(refused, [&stopped[..], &names(NESTED)].concat(), "{who:?}\n{within}");
        assert!(done.contains(&"change the mode outside"), "Landlock alone does not stop that");
    }
}

#[test]
fn root_cannot_change_the_kernel_by_being_root() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let place = Place::new(Who::Self_);
    let script = r#"
        setting=/proc/sys/kernel/printk_ratelimit
        try() { if sh -c "$2" 2>/dev/null; then echo "$1: done"; else echo "$1: no"; fi; }
        value=$(cat $setting)
        try 'change a setting of the kernel' "echo $value > $setting"
        try 'use a disk' 'for disk in /dev/[hsv]d[a-z] /dev/nvme0n1 /dev/loop0; do test -e $disk && exit 0; done; exit 1'
        try 'have more than one capability' 'grep "^Cap\(Prm\|Eff\|Bnd\)" /proc/self/status | grep -qv "	0000000080000000$"'
        try 'mount' "mount -t tmpfs none '$PWD' && umount '$PWD'"
    "#;
    let within = place.launch(&place.shell(script, Some(place.sandbox())));
    let without = Command::new("sh").args(["-c", script]).current_dir(place.folder("work")).output().unwrap();
    let without = String::from_utf8_lossy(&without.stdout).into_owned();
    assert!(without.starts_with("change a setting of the kernel: done\n"), "{without}");
    let all = ["change a setting of the kernel", "use a disk", "have more than one capability", "mount"];
    assert_eq!(sorted(&within).1, all, "{within}");
}
