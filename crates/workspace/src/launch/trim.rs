//! Letting go of the program's pages. Starting touches code all over a large program, and the kernel maps the pages
//! around each as well: megabytes for each shim and init process, for code that runs once. Pages that are needed again
//! come back from the page cache, which all of them share, in less than a microsecond each.

use std::ffi::c_void;
use std::fs;
use std::time::Duration;

use rustix::mm::{Advice, madvise};

/// Time without anything to do after which the pages of code are let go of again: one more wake-up, once.
pub(super) const REST_AFTER: Duration = Duration::from_secs(1);

/// Drops the mapped pages of code, and of what stands before the code in a program's file. Those were never written to;
/// what the loader wrote to stays, since it could not be read again.
pub(super) fn let_go_of_code() {
    // Only memory is at stake, so whatever fails here is passed over.
    let Ok(maps) = fs::read_to_string("/proc/self/maps") else { return };
    for (start, length) in droppable(&maps) {
        // SAFETY: the range is a private mapping of a file that is never written to, so that each page is read again
        // from the file, with the same content, when it is next touched.
        let _ = unsafe { madvise(start as *mut c_void, length, Advice::LinuxDontNeed) };
    }
}

/// Address and length of every mapping of code, and of one right before it from the beginning of the same file.
fn droppable(maps: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut before: Option<Mapping<'_>> = None;
    for mapping in maps.lines().filter_map(Mapping::read) {
        if mapping.kind == "r-xp" {
            let head =
                before.filter(|head| head.file == mapping.file && head.kind == "r--p" && head.offset == 0);
            found.extend(head.map(|head| (head.start, head.end - head.start)));
            found.push((mapping.start, mapping.end - mapping.start));
        }
        before = Some(mapping);
    }
    found
}

/// A line of `maps`; the form is that of proc_pid_maps(5).
struct Mapping<'a> {
    start: usize,
    end: usize,
    kind: &'a str,
    offset: u64,
    file: &'a str,
}

impl<'a> Mapping<'a> {
    /// Nothing for memory without a file.
    fn read(line: &'a str) -> Option<Self> {
        let mut words = line.splitn(6, ' ');
        let (start, end) = words.next()?.split_once('-')?;
        let (kind, offset) = (words.next()?, words.next()?);
        let file = words.nth(2)?.trim_start();
        Some(Mapping {
            start: usize::from_str_radix(start, 16).ok()?,
            end: usize::from_str_radix(end, 16).ok()?,
            kind,
            offset: u64::from_str_radix(offset, 16).ok()?,
            file: Some(file).filter(|file| file.starts_with('/'))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
55d000000000-55d000100000 r--p 00000000 fe:00 55 /opt/my programs/divisi
55d000100000-55d000300000 r-xp 00100000 fe:00 55 /opt/my programs/divisi
55d000300000-55d000340000 r--p 00300000 fe:00 55 /opt/my programs/divisi
55d000340000-55d000341000 rw-p 00340000 fe:00 55 /opt/my programs/divisi
7f0000000000-7f0000001000 rw-p 00000000 00:00 0
7f0000001000-7f0000002000 r--p 00001000 fe:00 66 /lib/odd.so
7f0000002000-7f0000003000 r-xp 00002000 fe:00 66 /lib/odd.so
7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0                          [vdso]
";

    #[test]
    fn code_goes_and_what_the_loader_wrote_to_stays() {
        let expected =
            [(0x55d0_0000_0000, 0x10_0000), (0x55d0_0010_0000, 0x20_0000), (0x7f00_0000_2000, 0x1000)];
        assert_eq!(droppable(MAPS), expected);
    }

    #[test]
    fn a_process_goes_on_without_the_pages_of_its_code() {
        let words = ["still", "here"].map(str::to_owned);
        let_go_of_code();
        assert_eq!(words.join(" "), "still here");
        assert!(fs::read_to_string("/proc/self/maps").is_ok());
    }
}
