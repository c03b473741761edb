//! Every dependency is explained and used: the workspace table, the packages of the dashboard, their page in
//! `docs/design/dependencies.md`, and the manifests of the crates say the same.

use super::files::Repository;
use super::finding::Finding;

const MANIFEST: &str = "Cargo.toml";
const PACKAGES: &str = "web/package.json";
const PAGE: &str = "docs/design/dependencies.md";

pub fn check(repository: &Repository) -> Vec<Finding> {
    let Some(text) = repository.text_of(MANIFEST) else { return Vec::new() };
    let Ok(manifest) = text.parse::<toml::Table>() else { return Vec::new() };
    let page = repository.text_of(PAGE).unwrap_or_default();
    let table = manifest.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let Some(table) = table.and_then(toml::Value::as_table) else { return Vec::new() };

    let mut findings = Vec::new();
    for (name, value) in table {
        let line = line_of(text, &format!("{name} ="));
        let is_ours = value.get("path").is_some();
        if !is_ours && !explained(page).any(|(_, known)| known == *name) {
            let sentence = format!("{name} is not explained");
            findings.push(Finding::new(
                MANIFEST,
                line,
                sentence,
                format!("give it a row in {PAGE}, or remove it"),
            ));
        }
        if !is_used(repository, name) {
            findings.push(Finding::new(MANIFEST, line, format!("no crate uses {name}"), "remove it"));
        }
    }
    let packages = packages(repository);
    for name in packages.iter().filter(|name| !explained(page).any(|(_, known)| known == **name)) {
        let line = line_of(repository.text_of(PACKAGES).unwrap_or_default(), &format!("    \"{name}\":"));
        let remedy = format!("give it a row in {PAGE}, or remove it");
        findings.push(Finding::new(PACKAGES, line, format!("{name} is not explained"), remedy));
    }
    let known = |name: &str| table.contains_key(name) || packages.iter().any(|package| package == name);
    for (line, name) in explained(page).filter(|(_, name)| !known(name)) {
        findings.push(Finding::new(PAGE, line, format!("{name} is not a dependency"), "remove its row"));
    }
    findings
}

/// What the dashboard asks of npm.
fn packages(repository: &Repository) -> Vec<String> {
    let text = repository.text_of(PACKAGES).unwrap_or_default();
    let manifest: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let tables = ["dependencies", "devDependencies"].map(|table| manifest[table].as_object().cloned());
    tables.into_iter().flatten().flat_map(|table| table.into_iter().map(|(name, _)| name)).collect()
}

/// The crates and packages in backticks in the first cells of the page's tables, with their lines.
fn explained(page: &str) -> impl Iterator<Item = (usize, &str)> {
    page.lines().enumerate().flat_map(|(index, line)| {
        let cell = line.strip_prefix('|').and_then(|rest| rest.split('|').next()).unwrap_or_default();
        // Every second piece between backticks stands inside a pair.
        cell.split('`').skip(1).step_by(2).map(move |name| (index + 1, name))
    })
}

fn is_used(repository: &Repository, name: &str) -> bool {
    let names_it = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
    repository.texts("/Cargo.toml").any(|(_, text)| text.lines().any(names_it))
}

fn line_of(text: &str, start: &str) -> usize {
    text.lines().position(|line| line.starts_with(start)).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_page_and_manifests_say_the_same() {
        let manifest = "[workspace.dependencies]\ndivisi-model = { path = \"m\" }\nknown = \"1\"\nstrange = \"2\"\nidle = \"1\"\n";
        let page = "| `gone`, `known` | 1 | for | `strange` was looked at |\n\n| `idle` | 1 |\n";
        let user = "[dependencies]\ndivisi-model.workspace = true\nknown = { workspace = true }\nstrange.workspace = true\n";
        let repository = Repository::of(&[(MANIFEST, manifest), (PAGE, page), ("crates/a/Cargo.toml", user)]);
        let mut findings = check(&repository);
        findings.sort();
        let found: Vec<String> =
            findings.iter().map(|f| format!("{} {} {}", f.path, f.line, f.sentence)).collect();
        assert_eq!(
            found,
            [
                "Cargo.toml 4 strange is not explained",
                "Cargo.toml 5 no crate uses idle",
                "docs/design/dependencies.md 1 gone is not a dependency"
            ]
        );
    }

    #[test]
    fn packages_of_the_dashboard_are_explained_too() {
        let packages = "{\n  \"devDependencies\": {\n    \"known\": \"1\",\n    \"strange\": \"1\"\n  }\n}\n";
        let page = "| `known` | 1 |\n";
        let files = [(MANIFEST, "[workspace.dependencies]\n"), (PACKAGES, packages), (PAGE, page)];
        let findings = check(&Repository::of(&files));
        let found: Vec<_> = findings.iter().map(|f| (f.line, f.sentence.as_str())).collect();
        assert_eq!(found, [(4, "strange is not explained")]);
    }
}
