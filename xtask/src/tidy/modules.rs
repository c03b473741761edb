//! No forgotten file: every Rust file is declared as a module, and a crate has one integration test binary.

use super::code::Code;
use super::files::Repository;
use super::finding::Finding;

/// Names of files that cargo finds by itself or that are a folder's own module.
const ROOTS: &[&str] = &["main.rs", "lib.rs", "mod.rs", "build.rs"];

pub fn check(repository: &Repository) -> Vec<Finding> {
    repository.texts(".rs").filter_map(|(path, _)| check_file(repository, path)).collect()
}

fn check_file(repository: &Repository, path: &str) -> Option<Finding> {
    let (folder, name) = path.rsplit_once('/')?;
    if folder.ends_with("/tests") && !folder.contains("/src/") {
        let sentence = "a test binary of its own, which costs a link";
        return Some(Finding::new(
            path,
            1,
            sentence,
            "move it to tests/it/ and declare it in tests/it/main.rs",
        ));
    }
    let is_found_by_cargo =
        folder.ends_with("/src/bin") || folder.ends_with("/examples") || folder.ends_with("/benches");
    if ROOTS.contains(&name) || is_found_by_cargo || is_named_by_manifest(repository, path) {
        return None;
    }
    let module = name.trim_end_matches(".rs");
    let parents = [
        format!("{folder}.rs"),
        format!("{folder}/mod.rs"),
        format!("{folder}/lib.rs"),
        format!("{folder}/main.rs"),
    ];
    let mut declared = parents.iter().filter_map(|parent| repository.text_of(parent));
    if declared.any(|text| declares(text, module)) {
        return None;
    }
    let sentence = format!("no module declares `mod {module};`, so it is not compiled");
    Some(Finding::new(
        path,
        1,
        sentence,
        format!("declare it in one of {}, or remove it", parents.join(", ")),
    ))
}

/// Whether the manifest of the file's crate names it as the root of a program or test.
fn is_named_by_manifest(repository: &Repository, path: &str) -> bool {
    let folders = path.match_indices('/').map(|(at, _)| path.split_at(at));
    folders.into_iter().any(|(folder, inner)| {
        let manifest = repository.text_of(&format!("{folder}/Cargo.toml")).unwrap_or_default();
        manifest.contains(&format!("path = \"{}\"", inner.trim_start_matches('/')))
    })
}

/// Whether a file holds `mod name;` or `mod name {`, for tests or not.
fn declares(text: &str, module: &str) -> bool {
    let plain = text.replace("#[cfg(test)]", "").replace("#![cfg(test)]", "");
    let code = Code::read(&plain);
    code.paths.windows(2).any(|pair| pair[0].name == "mod" && pair[1].name.trim_start_matches("r#") == module)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forgotten(files: &[(&str, &str)]) -> Vec<String> {
        check(&Repository::of(files)).into_iter().map(|finding| finding.path).collect()
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn a_test_file_that_nobody_declares_is_found() {
        let main = (
            "crates/a/tests/it/main.rs",
            "//! mod forgotten;\nmod known;\n#[cfg(test)]\npub(crate) mod also;",
        );
        assert_eq!(
            forgotten(&[main, ("crates/a/tests/it/known.rs", ""), ("crates/a/tests/it/also.rs", "")]),
            NOTHING
        );
        let file = ("crates/a/tests/it/forgotten.rs", "");
        assert_eq!(forgotten(&[main, file]), ["crates/a/tests/it/forgotten.rs"]);
    }

    #[test]
    fn modules_in_folders_are_declared_by_their_folder() {
        let files = [
            ("crates/a/src/lib.rs", "mod one;\nmod two;"),
            ("crates/a/src/one.rs", "mod inner;"),
            ("crates/a/src/one/inner.rs", ""),
            ("crates/a/src/two/mod.rs", "mod inner;"),
            ("crates/a/src/two/inner.rs", ""),
            ("crates/a/src/two/lost.rs", ""),
        ];
        assert_eq!(forgotten(&files), ["crates/a/src/two/lost.rs"]);
    }

    #[test]
    fn a_program_that_the_manifest_names_is_no_module() {
        let manifest = ("crates/a/Cargo.toml", "[[bin]]\nname = \"x\"\npath = \"tests/x/helper.rs\"\n");
        assert_eq!(forgotten(&[manifest, ("crates/a/tests/x/helper.rs", "")]), NOTHING);
        assert_eq!(forgotten(&[manifest, ("crates/a/tests/x/other.rs", "")]), ["crates/a/tests/x/other.rs"]);
    }

    #[test]
    fn a_second_test_binary_is_found() {
        assert_eq!(forgotten(&[("crates/a/tests/more.rs", "")]), ["crates/a/tests/more.rs"]);
    }
}
