//! Texts that tools take instead of fields: patches, and lines for a shell.

use serde_json::Value;

use crate::script::Replacement;

/// A patch that makes a file.
pub fn add(path: &str, text: &str) -> String {
    let lines: String = text.lines().map(|line| format!("+{line}\n")).collect();
    wrap(&format!("*** Add File: {path}\n{lines}"))
}

/// A patch that deletes a file.
pub fn delete(path: &str) -> String {
    wrap(&format!("*** Delete File: {path}\n"))
}

/// A patch that replaces text, if its whole lines can be found in something the agent has read; patches know only
/// whole lines.
pub fn update<'a>(
    path: &str,
    replacements: &[Replacement],
    read: impl Iterator<Item = &'a str>,
) -> Option<String> {
    read.flat_map(contents).find_map(|content| {
        let mut hunks = String::new();
        for Replacement { old, new } in replacements {
            let at = content.find(old.as_str())?;
            let start = content[..at].rfind('\n').map_or(0, |newline| newline + 1);
            let after = at + old.len();
            let end = content[after..].find('\n').map_or(content.len(), |newline| after + newline);
            let replaced = format!("{}{new}{}", &content[start..at], &content[after..end]);
            hunks.push_str("@@\n");
            hunks.extend(content[start..end].split('\n').map(|line| format!("-{line}\n")));
            hunks.extend(replaced.split('\n').map(|line| format!("+{line}\n")));
        }
        Some(wrap(&format!("*** Update File: {path}\n{hunks}")))
    })
}

/// The contents in what a tool gave back: some pack them into JSON, and number their lines.
fn contents(result: &str) -> Vec<String> {
    let packed = serde_json::from_str::<Value>(result).map(|value| match value {
        Value::Array(entries) => entries,
        other => vec![other],
    });
    let texts = packed
        .unwrap_or_default()
        .into_iter()
        .filter_map(|entry| entry["result"].as_str().map(str::to_owned));
    let mut texts: Vec<String> = texts.collect();
    if texts.is_empty() {
        texts.push(result.to_owned());
    }
    texts.iter().map(|text| unnumbered(text).unwrap_or_else(|| text.clone())).collect()
}

/// Lines as `  1 | text` without their numbers; none where a line has none.
fn unnumbered(text: &str) -> Option<String> {
    let bare = text.lines().map(|line| {
        let (number, rest) = line.split_once(" | ").or_else(|| Some((line.strip_suffix(" |")?, "")))?;
        number.trim().parse::<u64>().ok().map(|_| rest)
    });
    bare.collect::<Option<Vec<_>>>().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n"))
}

fn wrap(body: &str) -> String {
    format!("*** Begin Patch\n{body}*** End Patch\n")
}

/// A word for a POSIX shell.
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A shell line that writes or appends text.
pub fn shell_write(path: &str, text: &str, append: bool) -> String {
    let path = quoted(path);
    let arrow = if append { ">>" } else { ">" };
    format!("mkdir -p \"$(dirname {path})\" && printf %s {} {arrow} {path}", quoted(text))
}

/// A shell line that replaces text which must be there.
pub fn shell_edit(path: &str, replacements: &[Replacement]) -> String {
    let one = |Replacement { old, new }: &Replacement| {
        format!(
            "OLD={} NEW={} perl -0pi -e '$n += s/\\Q$ENV{{OLD}}\\E/$ENV{{NEW}}/; END {{ exit($n ? 0 : 1) }}' {}",
            quoted(old),
            quoted(new),
            quoted(path)
        )
    };
    replacements.iter().map(one).collect::<Vec<_>>().join(" && ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_takes_whole_lines_from_what_was_read() {
        let replacements = [Replacement { old: "a - b".into(), new: "a + b".into() }];
        let read = ["nothing", "def add(a, b):\n    return a - b\n"];
        assert_eq!(
            update("calc.py", &replacements, read.into_iter()).unwrap(),
            "*** Begin Patch\n*** Update File: calc.py\n@@\n-    return a - b\n+    return a + b\n*** End Patch\n"
        );
        assert_eq!(update("calc.py", &replacements, ["x"].into_iter()), None);
    }

    #[test]
    fn what_was_read_may_be_packed_and_numbered() {
        let packed = r#"[{"query":"/w/a","result":"1 | one\n2 |\n3 | a | b","success":true}]"#;
        assert_eq!(contents(packed), ["one\n\na | b"]);
        assert_eq!(contents("a | b\n"), ["a | b\n"]);
        assert_eq!(contents("{\"name\": 1}"), ["{\"name\": 1}"]);
    }

    #[test]
    fn shell_lines_do_what_they_say_whatever_the_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it's/a file");
        let path = path.to_str().unwrap();
        let run =
            |line: &str| std::process::Command::new("sh").args(["-c", line]).status().unwrap().success();
        assert!(run(&shell_write(path, "one 'two' $HOME \\n\n", false)));
        assert!(run(&shell_write(path, "three\n", true)));
        let replacements = [Replacement { old: "$HOME \\n".into(), new: "`x` $y".into() }];
        assert!(run(&shell_edit(path, &replacements)));
        assert_eq!(std::fs::read_to_string(path).unwrap(), "one 'two' `x` $y\nthree\n");
        assert!(!run(&shell_edit(path, &replacements)));
    }
}
