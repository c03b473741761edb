//! What no file may say: where somebody's machine keeps things, which registry serves a machine, what is yet to do.

use super::code::Code;
use super::files::Repository;
use super::finding::Finding;

/// Folders of somebody's machine. Cut in two so that this file does not find itself.
const MACHINE_PATHS: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("C:\\Us", "ers\\"),
    concat!("/wo", "rk/main/"),
    concat!("/wo", "rk/shared/"),
];

/// Homes that are nobody's, for examples.
const EXAMPLE_HOMES: &[&str] = &["you", "user", "ada", "me", "x"];

/// Hosts that serve packages: which one a machine uses is its own affair.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("arti", "factory"),
    concat!("registry.", "npmjs.org"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("py", "pi.org"),
    concat!("files.", "pythonhosted.org"),
];

/// Notes to oneself in comments.
const MARKERS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// A test that is left out. Only one that another test starts as a program of its own may be, and says so.
const IGNORED: &str = concat!("#[ig", "nore");

/// Macros that stand for missing code or left-over debugging.
const UNFINISHED: &[&str] = &["todo", "unimplemented", "dbg"];

pub fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &repository.files {
        let Some(text) = file.text.as_deref() else { continue };
        for (index, line) in text.lines().enumerate() {
            if let Some((sentence, remedy)) = objection(&file.path, line) {
                findings.push(Finding::new(&file.path, index + 1, sentence, remedy));
            }
        }
        if file.path.ends_with(".rs") {
            for mention in Code::read(text).macros.iter().filter(|m| UNFINISHED.contains(&m.name.as_str())) {
                let sentence = format!("`{}!` stands for code that is not finished", mention.name);
                findings.push(Finding::new(&file.path, mention.line, sentence, "finish it"));
            }
        }
    }
    findings
}

fn objection(path: &str, line: &str) -> Option<(String, &'static str)> {
    if let Some(found) = MACHINE_PATHS.iter().find(|folder| names_machine(line, folder)) {
        return Some((
            format!("names a folder of somebody's machine (`{found}`)"),
            "use a path relative to something",
        ));
    }
    if let Some(host) = REGISTRY_HOSTS.iter().find(|host| line.contains(*host)) {
        return Some((
            format!("names the registry host `{host}`"),
            "leave the host to the machine's own settings",
        ));
    }
    if path.ends_with(".rs") && line.trim_start().starts_with(IGNORED) && !line.contains("started by") {
        return Some(("a test that is never run".into(), "run it, or remove it; no test is skipped"));
    }
    let comment = line.split_once("//").filter(|_| path.ends_with(".rs"))?.1;
    let is_marked =
        |marker: &&&str| comment.split(|c: char| !c.is_alphanumeric()).any(|word| word == **marker);
    let marker = MARKERS.iter().find(is_marked)?;
    Some((format!("a note to oneself (`{marker}`)"), "do it, or write down in docs/ why it waits"))
}

/// Whether a line holds the folder as the start of an absolute path, and not of an example's.
fn names_machine(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let starts_path = before.is_none_or(|c| !(c.is_alphanumeric() || "._-~}])>*".contains(c)));
        let rest = &line[at + folder.len()..];
        // A folder by itself is a fact about systems, for example in a rule that hides it.
        let goes_on = rest.starts_with(|c: char| c.is_alphanumeric() || "._-".contains(c));
        let is_example = EXAMPLE_HOMES.iter().any(|home| {
            rest.strip_prefix(home).is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric()))
        });
        starts_path && goes_on && !is_example
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&Repository::of(&[(path, text)])).iter().map(|finding| finding.line).collect()
    }

    const NOTHING: [usize; 0] = [];

    #[test]
    fn machine_paths_are_found_in_any_text() {
        for folder in MACHINE_PATHS {
            assert_eq!(lines("a.md", &format!("\nsee {folder}someone/x")), [2], "{folder}");
        }
    }

    #[test]
    fn paths_that_are_nobodys_stay() {
        assert_eq!(lines("a.md", concat!("src/ho", "me/x and ~/ho", "me/y")), NOTHING);
        assert_eq!(lines("a.md", concat!("/ho", "me/you/project and /ho", "me/<name>/")), NOTHING);
        assert_eq!(lines("a.rs", concat!("hide(\"/ho", "me/\");")), NOTHING);
        assert_eq!(lines("a.md", concat!("/ho", "me/younger/x")), [1]);
    }

    #[test]
    fn registry_hosts_are_found() {
        for host in REGISTRY_HOSTS {
            assert_eq!(
                lines("web/package-lock.json", &format!("\"resolved\": \"https://{host}/a\"")),
                [1],
                "{host}"
            );
        }
    }

    #[test]
    fn a_test_that_is_left_out_is_found_unless_another_starts_it() {
        assert_eq!(lines("a.rs", &format!("#[test]\n    {IGNORED}]\nfn f() {{}}")), [2]);
        assert_eq!(lines("a.rs", &format!("{IGNORED} = \"flaky\"]")), [1]);
        assert_eq!(lines("a.rs", &format!("{IGNORED} = \"started by the test below\"]")), NOTHING);
    }

    #[test]
    fn notes_to_oneself_and_unfinished_code_are_found() {
        for marker in MARKERS {
            assert_eq!(lines("a.rs", &format!("fn f() {{}} // {marker}: later")), [1], "{marker}");
        }
        assert_eq!(lines("a.rs", &format!("const A: &str = \"{}\";", MARKERS[0])), NOTHING);
        assert_eq!(lines("a.rs", "fn f() {\n    todo!();\n    dbg!(1);\n}"), [2, 3]);
    }
}
