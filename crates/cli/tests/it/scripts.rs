//! Scripts that run in a mount namespace of their own, for what no test may do to the whole machine.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use divisi_testkit::TestEnv;

/// What all scripts begin with: `$DATA` is the data folder, `$ROOT` the environment's, `$DIVISI` the program.
pub(crate) const PRELUDE: &str = r##"
set -u
disk() { mount -t tmpfs -o "size=$1,mode=700" divisi-test "$2" || exit 9; }
within() {
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || { echo "not within a minute: $*"; "$DIVISI" show t1; exit 1; }
        sleep 0.1
    done
}
shows() { "$DIVISI" show t1 | grep -q "$1"; }
says() { "$DIVISI" log t1 | grep -q "^$1"; }
# Takes all room below a folder but so many KiB.
fill() { dd if=/dev/zero of="$1/filler" bs=4k 2>/dev/null; truncate -s "-$2k" "$1/filler"; }
room() { rm "$1/filler"; }
say() { echo "\$ divisi $*"; code=0; "$DIVISI" "$@" 2>&1 || code=$?; [ $code = 0 ] || echo "[exit code $code]"; }
status() { "$DIVISI" show t1 | sed -n '5,6s/ for [^:]*:/:/p'; }
"##;

/// What a script prints.
#[track_caller]
pub(crate) fn run(env: &TestEnv, folder: &Path, script: &str, prompt: &str) -> String {
    let data = env.home().join(".local/share/divisi");
    fs::create_dir_all(&data).unwrap();
    let output = env
        .command("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &format!("{PRELUDE}{script}")])
        .current_dir(folder)
        .env("DATA", &data)
        .env("DIVISI", divisi_testkit::divisi_program())
        .env("PROMPT", prompt)
        .env("ROOT", env.root())
        .stdin(Stdio::null())
        .output()
        .expect("this test needs the program `unshare` (Debian package util-linux)");
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{errors}");
    env.redact(&said)
}
