//! Every dependency is explained: what stands in the workspace table has a row in `docs/design/dependencies.md`.

use super::files::Repository;
use super::finding::Finding;

const MANIFEST: &str = "Cargo.toml";
const PAGE: &str = "docs/design/dependencies.md";

pub fn check(repository: &Repository) -> Vec<Finding> {
    let Some(text) = repository.text_of(MANIFEST) else { return Vec::new() };
    let page = repository.text_of(PAGE).unwrap_or_default();
    let Ok(manifest) = text.parse::<toml::Table>() else { return Vec::new() };
    let workspace = manifest.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let ours = |value: &toml::Value| value.get("path").is_some();
    let mut findings = Vec::new();
    for (name, value) in workspace.and_then(toml::Value::as_table).into_iter().flatten() {
        if !ours(value) && !has_row(page, name) {
            let line = text.lines().position(|line| line.starts_with(&format!("{name} ="))).unwrap_or(0) + 1;
            let sentence = format!("{name} is not explained");
            findings.push(Finding::new(
                MANIFEST,
                line,
                sentence,
                format!("give it a row in {PAGE}, or remove it"),
            ));
        }
    }
    findings
}

/// Whether the first cell of a row names the crate in backticks.
fn has_row(page: &str, name: &str) -> bool {
    let first_cell =
        |line: &'_ str| line.strip_prefix('|').and_then(|rest| rest.split('|').next()).map(str::to_owned);
    page.lines().filter_map(first_cell).any(|cell| cell.contains(&format!("`{name}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_without_a_row_is_found_and_our_own_crates_need_none() {
        let manifest =
            "[workspace.dependencies]\ndivisi-model = { path = \"m\" }\nknown = \"1\"\nstrange = \"2\"\n";
        let page = "| `other`, `known` | 1 | for | `strange` was looked at |\n";
        let repository = Repository::of(&[(MANIFEST, manifest), (PAGE, page)]);
        let findings = check(&repository);
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].line, findings[0].sentence.as_str()), (4, "strange is not explained"));
    }
}
