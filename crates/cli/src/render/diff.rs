//! A change as a unified diff, made of the structured one.

use std::fmt::Write;

use divisi_api::types::{DiffFileView, DiffView, FileChange, LineSide};

use super::{clean, style};

/// The whole change as a unified diff.
pub(crate) fn unified(diff: &DiffView) -> String {
    let mut out = String::new();
    for file in &diff.files {
        head(&mut out, file);
        body(&mut out, file);
    }
    dropped(&mut out, diff);
    out
}

/// What a change has more than is shown.
fn dropped(out: &mut String, diff: &DiffView) {
    if diff.files_dropped > 0 {
        let files = super::count(diff.files_dropped, "more file");
        let verb = if diff.files_dropped == 1 { "is" } else { "are" };
        let _ = writeln!(out, "{}", style::warn(format!("… {files} {verb} not shown")));
    }
}

/// One line per file with what changed, and the sum.
pub(crate) fn stat(diff: &DiffView) -> String {
    let mut out = String::new();
    let width = diff.files.iter().map(|file| super::table::width(&file.path)).max().unwrap_or(0);
    for file in &diff.files {
        let path = clean::line(&file.path);
        let pad = width.saturating_sub(super::table::width(&path));
        let counts = if file.binary {
            "binary".to_owned()
        } else {
            format!(
                "{} {}",
                style::good(format!("+{}", file.added)),
                style::bad(format!("-{}", file.removed))
            )
        };
        let _ = writeln!(out, " {}  {path}{:pad$}  {counts}", letter(file.change), "");
    }
    dropped(&mut out, diff);
    let files = diff.files.len() + diff.files_dropped;
    let _ = writeln!(
        out,
        " {} changed, {} added, {} removed",
        super::count(files, "file"),
        diff.added,
        diff.removed
    );
    out
}

fn head(out: &mut String, file: &DiffFileView) {
    let path = clean::line(&file.path);
    let old = file.old_path.as_deref().map_or_else(|| path.clone(), clean::line);
    let (a, b) = (beside("a", &old), beside("b", &path));
    let mut lines = vec![format!("diff --git {a} {b}")];
    match file.change {
        FileChange::Added => lines.push(format!("new file mode {}", mode(file.new_mode.as_deref()))),
        FileChange::Deleted => lines.push(format!("deleted file mode {}", mode(file.old_mode.as_deref()))),
        FileChange::Renamed => lines.extend([format!("rename from {old}"), format!("rename to {path}")]),
        FileChange::Copied => lines.extend([format!("copy from {old}"), format!("copy to {path}")]),
        FileChange::Modified | FileChange::TypeChanged if file.old_mode != file.new_mode => {
            lines.push(format!("old mode {}", mode(file.old_mode.as_deref())));
            lines.push(format!("new mode {}", mode(file.new_mode.as_deref())));
        }
        FileChange::Modified | FileChange::TypeChanged => {}
    }
    if file.binary {
        lines.push(format!("Binary files {a} and {b} differ"));
    } else if !file.hunks.is_empty() {
        let none = "/dev/null".to_owned();
        lines.push(format!("--- {}", if file.change == FileChange::Added { none.clone() } else { a }));
        lines.push(format!("+++ {}", if file.change == FileChange::Deleted { none } else { b }));
    }
    for line in lines {
        let _ = writeln!(out, "{}", style::strong(line));
    }
}

/// A name behind its side. One that is in quotes stays so as a whole, as git writes it and reads it again.
fn beside(side: &str, name: &str) -> String {
    match name.strip_prefix('"') {
        Some(rest) => format!("\"{side}/{rest}"),
        None => format!("{side}/{name}"),
    }
}

fn body(out: &mut String, file: &DiffFileView) {
    for hunk in &file.hunks {
        let range =
            |start: u32, lines: u32| if lines == 1 { start.to_string() } else { format!("{start},{lines}") };
        let (old, new) = (range(hunk.old_start, hunk.old_lines), range(hunk.new_start, hunk.new_lines));
        let section =
            if hunk.section.is_empty() { String::new() } else { format!(" {}", clean::line(&hunk.section)) };
        let _ = writeln!(out, "{}{section}", style::name(format!("@@ -{old} +{new} @@")));
        for line in &hunk.lines {
            let text = clean::text(&line.text).replace('\n', "␊");
            let _ = match line.kind {
                LineSide::Context => writeln!(out, " {text}"),
                LineSide::Added => writeln!(out, "{}", style::good(format!("+{text}"))),
                LineSide::Removed => writeln!(out, "{}", style::bad(format!("-{text}"))),
            };
            if line.no_newline {
                let _ = writeln!(out, "\\ No newline at end of file");
            }
        }
    }
    if file.truncated {
        let _ = writeln!(out, "{}", style::warn("… the rest of this file is not shown"));
    }
}

fn mode(mode: Option<&str>) -> &str {
    mode.unwrap_or("100644")
}

fn letter(change: FileChange) -> String {
    match change {
        FileChange::Added => style::good("A"),
        FileChange::Deleted => style::bad("D"),
        FileChange::Modified => "M".to_owned(),
        FileChange::Renamed => "R".to_owned(),
        FileChange::Copied => "C".to_owned(),
        FileChange::TypeChanged => "T".to_owned(),
    }
}
