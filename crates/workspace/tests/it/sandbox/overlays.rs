//! Overlays that a holder has mounted.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use divisi_workspace::sandbox::{Overlay, Sandbox};

use super::support::*;

/// What breaks a list of options: separators, quoting, ends of lines, bytes that are no text.
const ODD: &[&[u8]] = &[b"a b", b"a:b", b"a,b", b"a\\b", b"a\nb", b"a=b", b"-a", b"a\xffb", b"a\"b"];

#[test]
fn layers_with_any_name_make_one_tree_that_can_be_written() {
    for who in everyone() {
        let place = Place::new(who);
        let long = "l".repeat(200);
        let mut overlay = Overlay {
            lower: Vec::new(),
            upper: place.folder(OsStr::from_bytes(b"up,per:\\ \n")),
            work: place.folder(OsStr::from_bytes(b"wo,rk:\\ \n")),
            target: place.folder("target"),
        };
        for number in 0..40 {
            let odd = ODD[number % ODD.len()];
            let folder = place.folder(format!("layers/{number}/{long}/{long}")).join(OsStr::from_bytes(odd));
            std::fs::create_dir(&folder).unwrap();
            let name = folder.strip_prefix(place.root.path()).unwrap();
            place.file(name.join(format!("from-{number}")), format!("{number}\n"));
            place.file(name.join("everywhere"), format!("{number}\n"));
            overlay.lower.push(place.folder(name));
        }
        place.file("overlay.json", serde_json::to_vec(&overlay).unwrap());
        let out = place.run([OsStr::new("hold"), place.path("overlay.json").as_os_str()]);
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(out.status.success(), "{who:?}: {said}{}", String::from_utf8_lossy(&out.stderr));
        assert_eq!(said, "files 41\neverywhere 0\nin use\nagain 42\n", "{who:?}");
        let upper: Vec<_> =
            std::fs::read_dir(&overlay.upper).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(upper.len(), 2, "{upper:?}");
        assert_eq!(std::fs::read(overlay.lower[7].join("from-7")).unwrap(), b"7\n", "a layer never changes");
        assert_eq!(std::fs::read_dir(&overlay.target).unwrap().count(), 0, "it appears nowhere");
    }
}

#[test]
fn a_holder_shares_what_a_launch_has_mounted() {
    for who in everyone() {
        let place = Place::new(who);
        place.file("layer/file", "layer\n");
        let overlay = Overlay {
            lower: vec![place.path("layer")],
            upper: place.folder("upper"),
            work: place.folder("kernel"),
            target: place.folder("work"),
        };
        let sandbox = Sandbox { overlay: Some(overlay), writable: Vec::new(), ..place.sandbox() };
        let spec = place
            .shell("echo > own; while ! test -e go; do sleep 0.01; done; cat file go > own", Some(sandbox));
        let out = place.run([OsStr::new("meet"), place.prepare(&spec).as_os_str()]);
        let said = String::from_utf8_lossy(&out.stdout);
        assert_eq!(said, "layer\ngo\ntrue", "{who:?}: {}", String::from_utf8_lossy(&out.stderr));
    }
}
