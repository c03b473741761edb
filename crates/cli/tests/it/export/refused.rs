//! Files that are no export, or no longer, or pretend to be one: one sentence each, and nothing is there afterwards.

use std::fs;
use std::path::{Path, PathBuf};

use divisi_testkit::TestEnv;

use super::{MEND, clone, project, run};

/// Writes an archive with these parts: name, kind (as in the form of tar), content.
const FORGE: &str = r#"
import gzip, io, json, sys, tarfile
source, target, what = sys.argv[1:4]
with tarfile.open(source) as old:
    parts = [(m.name, old.extractfile(m).read()) for m in old]
def rename(old, new): return [(new if n == old else n, b) for n, b in parts]
kind, link = tarfile.REGTYPE, ""
if what == "traversal": parts = rename("log/events.jsonl", "../../evil")
if what == "absolute": parts = rename("log/events.jsonl", "/tmp/evil")
if what == "login": parts = rename("log/events.jsonl", "homes/t1.1/.codex/auth.json")
if what == "twice": parts.insert(2, parts[1])
if what == "newer": parts[0] = (parts[0][0], json.dumps(json.loads(parts[0][1]) | {"divisi": "99.0.0"}).encode())
if what == "form": parts[0] = (parts[0][0], json.dumps(json.loads(parts[0][1]) | {"divisi_export": 2}).encode())
if what == "changed": parts[1] = (parts[1][0], parts[1][1].replace(b"Mend", b"Bend", 1))
if what == "missing": parts = parts[:-1]
if what == "gap":
    lines = parts[1][1].splitlines(keepends=True)
    parts[1] = (parts[1][0], b"".join(lines[:3] + lines[4:]))
if what == "commit":
    parts = [(n, b"PACK\0\0\0\2\0\0\0\0\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e"
        if n.endswith("hub.pack") else b) for n, b in parts]
if what in ("gap", "commit"):
    import hashlib
    manifest = json.loads(parts[-1][1])
    manifest["parts"] = [{"name": n, "bytes": len(b), "sha256": hashlib.sha256(b).hexdigest()} for n, b in parts[:-1]]
    parts[-1] = (parts[-1][0], json.dumps(manifest).encode())
with tarfile.open(target, "w:gz", format=tarfile.USTAR_FORMAT) as new:
    for n, b in parts:
        info = tarfile.TarInfo(n); info.size = len(b)
        if what == "link" and n == "log/events.jsonl":
            info.type, info.linkname, info.size, b = tarfile.SYMTYPE, "/etc/passwd", 0, b""
        if what == "folder" and n == "log/events.jsonl":
            info.type, info.size, b = tarfile.DIRTYPE, 0, b""
        new.addfile(info, io.BytesIO(b))
"#;

/// An export of one task, and an environment with a clone that has no Divisi yet.
fn export(here: &TestEnv) -> PathBuf {
    project(here);
    run(here, MEND, true);
    let file = here.join("all.tar.gz");
    here.divisi().args([Path::new("export"), &file]).run().require_success();
    here.divisi().args(["stop", "--daemon"]).run().require_success();
    file
}

#[test]
fn what_is_no_sound_export_changes_nothing() {
    let (here, there) = (TestEnv::new(), TestEnv::new());
    let file = export(&here);
    clone(&here, &there);
    let sound = fs::read(&file).unwrap();
    let make = |name: &str, bytes: &[u8]| fs::write(there.join(name), bytes).unwrap();
    make("empty", b"");
    make("text", b"hello\n");
    make("cut", &sound[..sound.len() / 2]);
    make("end-cut", &sound[..sound.len() - 20]);
    let mut flipped = sound.clone();
    flipped[sound.len() / 2] ^= 1;
    make("flipped", &flipped);
    there.program("tar").args(["-czf", "other", "shop/list.txt"]).run().require_success();
    let forged = [
        "traversal",
        "absolute",
        "login",
        "twice",
        "newer",
        "form",
        "changed",
        "missing",
        "gap",
        "commit",
        "link",
        "folder",
    ];
    for what in forged {
        let forge = there.program("python3").args(["-c", FORGE]);
        forge.args([file.as_path(), Path::new(what), Path::new(what)]).run().require_success();
    }
    let mut typed = there.transcript(there.root());
    typed.divisi(["import", "nowhere"]);
    for bad in ["shop", "empty", "text", "other", "cut", "end-cut"].iter().chain(&forged) {
        typed.divisi(["import", *bad]);
    }
    insta::assert_snapshot!(typed, @r#"
    $ divisi import nowhere
    --- stderr
    error: cannot read nowhere: No such file or directory (os error 2)
    hint: name a file that you can read
    [exit code 3]

    $ divisi import shop
    --- stderr
    error: shop is not an export of Divisi
    hint: divisi export FILE makes one
    [exit code 2]

    $ divisi import empty
    --- stderr
    error: empty is not an export of Divisi
    hint: divisi export FILE makes one
    [exit code 2]

    $ divisi import text
    --- stderr
    error: text is not an export of Divisi
    hint: divisi export FILE makes one
    [exit code 2]

    $ divisi import other
    --- stderr
    error: other is not an export of Divisi
    hint: divisi export FILE makes one
    [exit code 2]

    $ divisi import cut
    --- stderr
    error: the export is cut off: its end is missing
    hint: copy the file again, or make a new export; nothing was changed here
    [exit code 2]

    $ divisi import end-cut
    --- stderr
    error: the export is cut off: its end is missing
    hint: copy the file again, or make a new export; nothing was changed here
    [exit code 2]

    $ divisi import traversal
    --- stderr
    error: the export holds what Divisi never writes: a part called "../../evil"
    hint: import only what `divisi export` made; nothing was changed here
    [exit code 2]

    $ divisi import absolute
    --- stderr
    error: the export holds what Divisi never writes: a part called "/tmp/evil"
    hint: import only what `divisi export` made; nothing was changed here
    [exit code 2]

    $ divisi import login
    --- stderr
    error: the export holds what Divisi never writes: a part called "homes/t1.1/.codex/auth.json"
    hint: import only what `divisi export` made; nothing was changed here
    [exit code 2]

    $ divisi import twice
    --- stderr
    error: the export holds what Divisi never writes: two parts called "log/events.jsonl"
    hint: import only what `divisi export` made; nothing was changed here
    [exit code 2]

    $ divisi import newer
    --- stderr
    error: the export has form 1 and was made by Divisi 99.0.0; this is Divisi 0.1.0
    hint: install Divisi 99.0.0 or newer here
    [exit code 2]

    $ divisi import form
    --- stderr
    error: the export has form 2 and was made by Divisi 0.1.0; this is Divisi 0.1.0
    hint: install Divisi 0.1.0 or newer here
    [exit code 2]

    $ divisi import changed
    --- stderr
    error: the export is damaged: "log/events.jsonl" is not what was written
    hint: copy the file again, or make a new export; nothing was changed here
    [exit code 2]

    $ divisi import missing
    --- stderr
    error: the export is cut off: its end is missing
    hint: copy the file again, or make a new export; nothing was changed here
    [exit code 2]

    $ divisi import gap
    --- stderr
    error: the log in the export is not sound: event 5 comes where 4 should
    hint: import only what `divisi export` made; nothing was changed here
    [exit code 2]

    $ divisi import commit
    --- stderr
    error: the git objects of shop cannot be taken in: the hub has no object [commit 1]
    hint: nothing was changed here; make a new export
    [exit code 1]

    $ divisi import link
    --- stderr
    error: the export holds what Divisi never writes: "log/events.jsonl", which is no plain file
    hint: import only what `divisi export` made; nothing was changed here
    [exit code 2]

    $ divisi import folder
    --- stderr
    error: the export holds what Divisi never writes: "log/events.jsonl/", which is no plain file
    hint: import only what `divisi export` made; nothing was changed here
    [exit code 2]
    "#);
    // What a changed byte breaks first depends on where it is.
    let flipped = there.divisi().args(["import", "flipped"]).run();
    assert!(flipped.require_code(2).stderr.contains("the export is"), "{flipped}");
    let data = there.home().join(".local/share/divisi");
    assert_eq!(fs::read_dir(&data).unwrap().count(), 0, "nothing is left of them");
    assert!(!there.join("evil").exists() && !Path::new("/tmp/evil").exists());
    // And then the sound one comes in.
    there.divisi().in_folder(there.join("shop")).args([Path::new("import"), &file]).run().require_success();
}

#[test]
fn an_import_that_was_killed_half_way_can_be_run_again() {
    let (here, there) = (TestEnv::new(), TestEnv::new());
    let file = export(&here);
    clone(&here, &there);
    let data = there.home().join(".local/share/divisi");
    // As after a crash between two renames: folders are in place, and the log is not.
    for folder in ["importing/new/log", "projects/x", "sessions/t1.1/1"] {
        fs::create_dir_all(data.join(folder)).unwrap();
    }
    fs::write(data.join("sessions/t1.1/1/out.journal"), "half").unwrap();
    let import = || there.divisi().in_folder(there.join("shop")).args([Path::new("import"), &file]).run();
    import().require_success();
    assert!(!data.join("importing").exists() && !data.join("projects/x").exists());
    let log = there.divisi().in_folder(there.join("shop")).args(["log", "t1"]).run();
    assert!(log.require_success().stdout.contains("I mend it."), "{log}");
    import().require_code(4);
}

#[test]
fn what_is_not_of_divisi_in_the_data_folder_is_left_alone() {
    let (here, there) = (TestEnv::new(), TestEnv::new());
    let file = export(&here);
    let data = there.home().join(".local/share/divisi");
    fs::create_dir_all(data.join("sessions")).unwrap();
    fs::write(data.join("sessions/mine"), "mine").unwrap();
    let mut typed = there.transcript(there.root());
    typed.record(&there.divisi().args([Path::new("import"), &file]).run());
    fs::remove_dir_all(&data).unwrap();
    fs::write(&data, "a file").unwrap();
    typed.record(&there.divisi().args([Path::new("import"), &file]).run());
    let text = typed.to_string().replace(here.root().to_str().unwrap(), "[there]");
    insta::assert_snapshot!(text, @r"
    $ divisi import [there]/all.tar.gz
    --- stderr
    error: this Divisi is in use already: there is something in [home]/.local/share/divisi/sessions
    hint: an export becomes a whole Divisi of its own: DIVISI_HOME=/new/folder divisi import FILE
    [exit code 4]

    $ divisi import [there]/all.tar.gz
    --- stderr
    error: cannot make [home]/.local/share/divisi: File exists (os error 17)
    hint: check that the folder belongs to you and can be written
    [exit code 1]
    ");
}
