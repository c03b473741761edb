//! Commands of other tools, with what they interpolate put into Divisi's words, or the reason why that cannot be.

/// What Divisi says about a place, and what other tools call it.
pub(super) const CONDUCTOR: &[(&str, &str)] = &[
    ("CONDUCTOR_ROOT_PATH", "DIVISI_ROOT_PATH"),
    ("CONDUCTOR_WORKSPACE_PATH", "DIVISI_WORKSPACE_PATH"),
    ("CONDUCTOR_WORKSPACE_NAME", "DIVISI_TASK"),
    ("CONDUCTOR_PORT", "DIVISI_PORT"),
];
pub(super) const SUPERSET: &[(&str, &str)] = &[
    ("SUPERSET_ROOT_PATH", "DIVISI_ROOT_PATH"),
    ("SUPERSET_WORKSPACE_PATH", "DIVISI_WORKSPACE_PATH"),
    ("SUPERSET_WORKSPACE_NAME", "DIVISI_TASK"),
];
pub(super) const EMDASH: &[(&str, &str)] = &[
    ("EMDASH_ROOT_PATH", "DIVISI_ROOT_PATH"),
    ("EMDASH_TASK_PATH", "DIVISI_WORKSPACE_PATH"),
    ("EMDASH_TASK_NAME", "DIVISI_TASK"),
    ("EMDASH_PORT", "DIVISI_PORT"),
];
pub(super) const WORKMUX: &[(&str, &str)] = &[
    ("WM_PROJECT_ROOT", "DIVISI_ROOT_PATH"),
    ("WM_WORKTREE_PATH", "DIVISI_WORKSPACE_PATH"),
    ("WM_HANDLE", "DIVISI_TASK"),
    ("WM_BRANCH_NAME", "DIVISI_BRANCH"),
];
pub(super) const CURSOR: &[(&str, &str)] = &[("ROOT_WORKTREE_PATH", "DIVISI_ROOT_PATH")];

/// How the variables of these tools begin.
const PREFIXES: [&str; 6] = ["CONDUCTOR_", "SUPERSET_", "EMDASH_", "WM_", "GITHUB_", "RUNNER_"];

/// Templates of Worktrunk that have an equal.
const TEMPLATES: [(&str, &str); 6] = [
    ("branch", "DIVISI_BRANCH"),
    ("repo_path", "DIVISI_ROOT_PATH"),
    ("repo_root", "DIVISI_ROOT_PATH"),
    ("primary_worktree_path", "DIVISI_ROOT_PATH"),
    ("worktree_path", "DIVISI_WORKSPACE_PATH"),
    ("worktree", "DIVISI_WORKSPACE_PATH"),
];

/// A command as Divisi can run it.
pub(super) struct Translated {
    pub(super) command: String,
    /// Variables of the person that it names.
    pub(super) pass: Vec<String>,
}

/// Puts a command into Divisi's words. `known` are the variables that it will be given. The error says what has no
/// equal.
pub(super) fn translate(command: &str, known: &[(&str, &str)]) -> Result<Translated, String> {
    let mut out = String::new();
    let mut pass = Vec::new();
    let mut rest = command.trim();
    while let Some(at) = rest.find(['$', '{']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if from.starts_with("${{") {
            return Err(no_equal(between(from, "${{", "}}")));
        } else if from.starts_with("{{") {
            let inner = between(from, "{{", "}}");
            let ours = TEMPLATES.iter().find(|(theirs, _)| *theirs == inner.trim());
            let (_, ours) = ours.ok_or_else(|| no_equal(inner))?;
            out.push_str(&format!("${{{ours}}}"));
            rest = from.get(inner.len() + 4..).unwrap_or_default();
        } else if let Some(inner) =
            (from.starts_with("${") && from.contains('}')).then(|| between(from, "${", "}"))
        {
            out.push_str(&braces(inner, &mut pass)?);
            rest = from.get(inner.len() + 3..).unwrap_or_default();
        } else {
            out.push_str(&from[..1]);
            rest = &from[1..];
        }
    }
    out.push_str(rest);
    match foreign(&out, known) {
        Some(name) => Err(no_equal(&name)),
        None => Ok(Translated { command: out, pass }),
    }
}

/// Quotes a word for `sh`.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Whether a text can name a variable.
pub(super) fn is_name(text: &str) -> bool {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What stands in `${…}`: a variable of a dev container, or the shell's own business.
fn braces(inner: &str, pass: &mut Vec<String>) -> Result<String, String> {
    match inner.split_once(':') {
        None if matches!(inner, "localWorkspaceFolder" | "containerWorkspaceFolder") => {
            Ok("${DIVISI_WORKSPACE_PATH}".to_owned())
        }
        None if inner.contains("WorkspaceFolder") || inner == "devcontainerId" => Err(no_equal(inner)),
        Some(("localEnv" | "containerEnv", name)) if is_name(name) => {
            pass.push(name.to_owned());
            Ok(format!("${{{name}}}"))
        }
        Some(("localEnv" | "containerEnv", _)) => Err(no_equal(inner)),
        _ => Ok(format!("${{{inner}}}")),
    }
}

/// A variable of another tool that nobody will set.
fn foreign(command: &str, known: &[(&str, &str)]) -> Option<String> {
    let mut names = command.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let unset = |name: &&str| {
        PREFIXES.iter().any(|prefix| name.starts_with(prefix) && name.len() > prefix.len())
            && !known.iter().any(|(theirs, _)| theirs == name)
    };
    names.find(unset).map(str::to_owned)
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> &'a str {
    let inner = text.get(open.len()..).unwrap_or_default();
    inner.find(close).map_or(inner, |end| &inner[..end])
}

fn no_equal(what: &str) -> String {
    let told: String = what.trim().chars().filter(|c| !c.is_control()).take(60).collect();
    format!("Divisi has no equal for `{told}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_an_equal_is_translated_and_the_rest_is_named() {
        let fine = |text: &str| translate(text, CONDUCTOR).map(|t| (t.command, t.pass.join(",")));
        let same = |text: &str| assert_eq!(fine(text), Ok((text.to_owned(), String::new())));
        same("npm ci && cp \"$CONDUCTOR_ROOT_PATH/.env\" .env");
        same("x=${y:-1}; echo $(( 1 + 2 )) {a,b} '{'");
        same("echo ${");
        same("echo é${ü} 💡 $");
        assert_eq!(fine("cp {{ repo_path }}/.env .").unwrap().0, "cp ${DIVISI_ROOT_PATH}/.env .");
        let (command, pass) = fine("cd ${containerWorkspaceFolder} && echo ${localEnv:TOKEN}").unwrap();
        assert_eq!(
            (command.as_str(), pass.as_str()),
            ("cd ${DIVISI_WORKSPACE_PATH} && echo ${TOKEN}", "TOKEN")
        );
        for (text, named) in [
            ("echo $CONDUCTOR_DEFAULT_BRANCH", "CONDUCTOR_DEFAULT_BRANCH"),
            ("echo ${{ secrets.KEY }}", "secrets.KEY"),
            ("echo {{ branch | hash_port }}", "branch | hash_port"),
            ("echo {{ never closed", "never closed"),
            ("echo $GITHUB_ENV", "GITHUB_ENV"),
            ("echo ${localEnv:A:b}", "localEnv:A:b"),
        ] {
            assert_eq!(fine(text), Err(format!("Divisi has no equal for `{named}`")), "{text}");
        }
    }

    #[test]
    fn words_are_quoted_for_the_shell() {
        assert_eq!(["a b", "it's", "", "x/y"].map(quoted), ["'a b'", "'it'\\''s'", "''", "x/y"]);
    }
}
