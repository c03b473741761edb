//! Reading the text of a patch, line by line, into hunks.
//!
//! Which file a stretch belongs to is told by the order alone, which is that of the raw records; the names in the
//! text are never read. Inside a hunk lines are counted, so that content which looks like a header is not one.

use super::{DiffLimits, FileDiff, FileStatus, Hunk, Line, LineKind};

/// The hunks of one `diff --git` stretch.
#[derive(Debug, Default)]
pub(super) struct Patch {
    hunks: Vec<Hunk>,
    lines: usize,
    truncated: bool,
}

/// Reads a patch as it comes.
pub(super) struct Patches<'a> {
    limits: &'a DiffLimits,
    done: Vec<Patch>,
    old_left: u32,
    new_left: u32,
}

impl<'a> Patches<'a> {
    pub(super) fn new(limits: &'a DiffLimits) -> Self {
        Self { limits, done: Vec::new(), old_left: 0, new_left: 0 }
    }

    /// Takes one line without its line break.
    pub(super) fn line(&mut self, line: &[u8]) {
        if line.starts_with(b"\\ ") {
            // "\ No newline at end of file" belongs to the line before it.
            if let Some(last) =
                self.done.last_mut().and_then(|p| p.hunks.last_mut()).and_then(|h| h.lines.last_mut())
            {
                last.no_newline = true;
            }
            return;
        }
        if self.old_left > 0 || self.new_left > 0 {
            return self.content(line);
        }
        if line.starts_with(b"diff --git ") {
            self.done.push(Patch::default());
        } else if let (Some(hunk), Some(patch)) = (parse_header(line), self.done.last_mut()) {
            (self.old_left, self.new_left) = (hunk.old_lines, hunk.new_lines);
            if patch.lines < self.limits.lines_per_file {
                patch.hunks.push(hunk);
            } else {
                patch.truncated = true;
            }
        }
    }

    fn content(&mut self, line: &[u8]) {
        let (kind, text) = match line.split_first() {
            Some((b'+', text)) => (LineKind::Added, text),
            Some((b'-', text)) => (LineKind::Removed, text),
            Some((_, text)) => (LineKind::Context, text),
            // A context line that is empty, from a git that trims them.
            None => (LineKind::Context, &line[..0]),
        };
        if kind != LineKind::Added {
            self.old_left = self.old_left.saturating_sub(1);
        }
        if kind != LineKind::Removed {
            self.new_left = self.new_left.saturating_sub(1);
        }
        let Some(patch) = self.done.last_mut() else { return };
        patch.lines += 1;
        if patch.truncated || patch.lines > self.limits.lines_per_file {
            patch.truncated = true;
            return;
        }
        if let Some(hunk) = patch.hunks.last_mut() {
            let mut shown =
                String::from_utf8_lossy(&text[..text.len().min(self.limits.line_bytes)]).into_owned();
            if text.len() > self.limits.line_bytes {
                shown.push('…');
                patch.truncated = true;
            }
            hunk.lines.push(Line { kind, text: shown, no_newline: false });
        }
    }

    pub(super) fn finish(self) -> Vec<Patch> {
        self.done
    }
}

/// Gives each file its hunks. A changed type is told in two stretches: the old removed, the new added.
pub(super) fn join(files: &mut [FileDiff], patches: Vec<Patch>, whole: bool) {
    let read = patches.len();
    let mut patches = patches.into_iter();
    let mut taken = 0;
    for file in files {
        let stretches = if file.status == FileStatus::TypeChanged { 2 } else { 1 };
        for _ in 0..stretches {
            taken += 1;
            match patches.next() {
                Some(patch) => {
                    file.truncated |= patch.truncated || (!whole && taken == read);
                    file.hunks.extend(patch.hunks);
                }
                None => file.truncated |= !whole,
            }
        }
    }
}

/// `@@ -1,2 +3 @@ section`
fn parse_header(line: &[u8]) -> Option<Hunk> {
    let text = String::from_utf8_lossy(line.strip_prefix(b"@@ -")?);
    let (ranges, section) = text.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let range = |text: &str| match text.split_once(',') {
        Some((start, lines)) => Some((start.parse().ok()?, lines.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    };
    let ((old_start, old_lines), (new_start, new_lines)) = (range(old)?, range(new)?);
    let section = section.trim().chars().take(200).collect();
    Some(Hunk { old_start, old_lines, new_start, new_lines, section, lines: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_that_looks_like_a_header_is_content() {
        let limits = DiffLimits::default();
        let mut patches = Patches::new(&limits);
        let text = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@ fn f\n-diff --git a/y b/y\n--- gone\n\
                    +@@ -9 +9 @@\n+new\n\\ No newline at end of file\n\
                    diff --git a/z b/z\nBinary files differ";
        for line in text.lines() {
            patches.line(line.as_bytes());
        }
        let done = patches.finish();
        assert_eq!(done.len(), 2);
        let hunk = &done[0].hunks[0];
        assert_eq!(hunk.section, "fn f");
        assert_eq!(hunk.lines.len(), 4);
        assert_eq!(hunk.lines[1].text, "-- gone");
        assert!(hunk.lines[3].no_newline);
        assert!(done[1].hunks.is_empty());
    }

    #[test]
    fn limits_cut_and_say_so() {
        let limits = DiffLimits { lines_per_file: 1, line_bytes: 2, ..DiffLimits::default() };
        let mut patches = Patches::new(&limits);
        for line in ["diff --git a/x b/x", "@@ -0,0 +1,3 @@", "+abcdef", "+b", "+c"] {
            patches.line(line.as_bytes());
        }
        let done = patches.finish();
        assert_eq!(done[0].hunks[0].lines.len(), 1);
        assert_eq!(done[0].hunks[0].lines[0].text, "ab…");
        assert!(done[0].truncated);
    }
}
