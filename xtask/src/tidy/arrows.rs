//! Arrows between crates point down only, and some dependencies belong to one crate alone (`ARCHITECTURE.md`).

use super::files::Repository;
use super::finding::Finding;

/// A crate of ours and its layer; it may know every crate of a lower layer, and none of its own.
struct Place {
    name: &'static str,
    layer: u8,
}

const LAYERS: &[Place] = &[
    Place { name: "divisi-model", layer: 0 },
    Place { name: "divisi-store", layer: 1 },
    Place { name: "divisi-workspace", layer: 1 },
    Place { name: "divisi-agent", layer: 1 },
    Place { name: "divisi-engine", layer: 2 },
    Place { name: "divisi-api", layer: 3 },
    // For tests only: it stands beside what runs the engine, and nothing knows it.
    Place { name: "divisi-simulation", layer: 4 },
    Place { name: "divisi-integrations", layer: 3 },
    Place { name: "divisi-cli", layer: 4 },
];

/// Leaves know no crate of ours, and only the command line knows them; tests may use them.
const LEAVES: &[&str] = &["divisi-rehearsal", "divisi-web"];

/// The helpers for tests: below everything but `model`, and for tests only.
const TESTKIT: &str = "divisi-testkit";

/// The bench measures every crate, and floors beside them; the conformance matrix drives agents through them. Nobody
/// knows either.
const ONLOOKERS: &[&str] = &["divisi-bench", "divisi-conformance"];

/// Dependencies that only the named crates may have outside their tests.
const BELONGS_TO: &[(&str, &[&str])] = &[
    ("rusqlite", &["divisi-store"]),
    ("gix", &["divisi-workspace"]),
    ("landlock", &["divisi-workspace"]),
    ("seccompiler", &["divisi-workspace"]),
    ("agent-client-protocol-schema", &["divisi-agent", "divisi-rehearsal"]),
    ("axum", &["divisi-api", "divisi-rehearsal"]),
    ("utoipa", &["divisi-api"]),
    ("reqwest", &["divisi-api", "divisi-integrations"]),
    ("clap", &["divisi-cli", "divisi-rehearsal", "xtask"]),
    ("ratatui", &["divisi-cli"]),
];

/// Dependencies with which `model` could no longer decide everything in a unit test.
const NEVER_IN_MODEL: &[&str] =
    &["tokio", "tokio-util", "tokio-stream", "futures", "rustix", "getrandom", "tracing"];

/// How a crate depends on another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Normal,
    ForTests,
}

struct Dependency {
    name: String,
    kind: Kind,
}

pub fn check(repository: &Repository) -> Vec<Finding> {
    let manifests = repository.texts("/Cargo.toml");
    manifests.flat_map(|(path, text)| check_manifest(path, text)).collect()
}

fn check_manifest(path: &str, text: &str) -> Vec<Finding> {
    let Ok(manifest) = text.parse::<toml::Table>() else {
        return vec![Finding::new(path, 1, "this is not TOML", "mend it; `cargo metadata` says where")];
    };
    let Some(name) =
        manifest.get("package").and_then(|package| package.get("name")).and_then(|name| name.as_str())
    else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    if !is_placed(name) {
        let remedy = "give it a place in xtask/src/tidy/arrows.rs and in ARCHITECTURE.md";
        findings.push(Finding::new(path, 1, format!("{name} has no place among the layers"), remedy));
    }
    for dependency in dependencies(&manifest) {
        if let Some((sentence, remedy)) = objection(name, &dependency) {
            findings.push(Finding::new(path, line_of(text, &dependency.name), sentence, remedy));
        }
    }
    findings
}

/// What is wrong with `name` depending on `dependency`, and what to do.
fn objection(name: &str, dependency: &Dependency) -> Option<(String, &'static str)> {
    let other = dependency.name.as_str();
    if is_placed(other) {
        return (!may_know(name, other, dependency.kind)).then(|| {
            let sentence = format!("{name} may not know {other}");
            (
                sentence,
                "arrows point down only: move what is needed into a lower crate, or pass it in from above",
            )
        });
    }
    if dependency.kind == Kind::ForTests {
        return None;
    }
    if name == "divisi-model" && NEVER_IN_MODEL.contains(&other) {
        let sentence = format!("model may not use {other}");
        return Some((
            sentence,
            "model decides from values alone; let the caller bring time, files and bytes",
        ));
    }
    let (_, owners) = BELONGS_TO.iter().find(|(belonging, _)| *belonging == other)?;
    (!owners.contains(&name) && !ONLOOKERS.contains(&name)).then(|| {
        let sentence = format!("{other} belongs to {} alone, and {name} uses it", owners.join(" and "));
        (sentence, "ask that crate for what is needed instead")
    })
}

fn may_know(name: &str, other: &str, kind: Kind) -> bool {
    if ONLOOKERS.contains(&other) {
        return false;
    }
    if ONLOOKERS.contains(&name) && other != TESTKIT {
        return true;
    }
    if other == TESTKIT {
        return kind == Kind::ForTests;
    }
    if LEAVES.contains(&other) {
        return name == "divisi-cli" || kind == Kind::ForTests && name != "divisi-model";
    }
    if name == TESTKIT {
        return other == "divisi-model";
    }
    matches!((layer_of(name), layer_of(other)), (Some(own), Some(below)) if below < own)
}

fn layer_of(name: &str) -> Option<u8> {
    LAYERS.iter().find(|place| place.name == name).map(|place| place.layer)
}

fn is_placed(name: &str) -> bool {
    layer_of(name).is_some()
        || [LEAVES, ONLOOKERS].concat().contains(&name)
        || [TESTKIT, "xtask"].contains(&name)
}

/// Everything a manifest depends on, on any platform. A dependency under another name counts by its real one.
fn dependencies(manifest: &toml::Table) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut collect = |table: &toml::Table| {
        for (section, kind) in [
            ("dependencies", Kind::Normal),
            ("build-dependencies", Kind::Normal),
            ("dev-dependencies", Kind::ForTests),
        ] {
            for (key, value) in table.get(section).and_then(toml::Value::as_table).into_iter().flatten() {
                let real = value.get("package").and_then(toml::Value::as_str).unwrap_or(key);
                found.push(Dependency { name: real.to_owned(), kind });
            }
        }
    };
    collect(manifest);
    let platforms = manifest.get("target").and_then(toml::Value::as_table);
    platforms.into_iter().flatten().filter_map(|(_, table)| table.as_table()).for_each(collect);
    found
}

fn line_of(text: &str, name: &str) -> usize {
    let names_it = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
    text.lines().position(|line| names_it(line.trim_start())).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(name: &str, rest: &str) -> Vec<String> {
        let text = format!("[package]\nname = \"{name}\"\n{rest}");
        check_manifest("crates/x/Cargo.toml", &text)
            .iter()
            .map(|f| format!("{}: {}", f.line, f.sentence))
            .collect()
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn an_arrow_down_is_right_and_one_up_or_sideways_is_not() {
        assert_eq!(sentences("divisi-engine", "[dependencies]\ndivisi-store.workspace = true\n"), NOTHING);
        assert_eq!(
            sentences(
                "divisi-store",
                "[dependencies]\ndivisi-engine.workspace = true\ndivisi-agent = { path = \"a\" }\n"
            ),
            ["5: divisi-store may not know divisi-agent", "4: divisi-store may not know divisi-engine"]
        );
        assert_eq!(
            sentences("divisi-agent", "[dev-dependencies]\ndivisi-workspace.workspace = true\n"),
            ["4: divisi-agent may not know divisi-workspace"]
        );
    }

    #[test]
    fn the_kit_and_the_rehearsal_are_for_tests_and_leaves() {
        let tests =
            "[dev-dependencies]\ndivisi-testkit.workspace = true\ndivisi-rehearsal.workspace = true\n";
        assert_eq!(sentences("divisi-engine", tests), NOTHING);
        assert_eq!(
            sentences("divisi-engine", "[dependencies]\ndivisi-testkit.workspace = true\n"),
            ["4: divisi-engine may not know divisi-testkit"]
        );
        assert_eq!(sentences("divisi-cli", "[dependencies]\ndivisi-rehearsal.workspace = true\n"), NOTHING);
        assert_eq!(
            sentences("divisi-rehearsal", "[dependencies]\ndivisi-model.workspace = true\n"),
            ["4: divisi-rehearsal may not know divisi-model"]
        );
    }

    #[test]
    fn the_bench_knows_every_crate_and_nobody_knows_it() {
        let all =
            "[dependencies]\ndivisi-store.workspace = true\ndivisi-cli.workspace = true\nrusqlite = \"1\"\n";
        assert_eq!(sentences("divisi-bench", all), NOTHING);
        let bench = "[dev-dependencies]\ndivisi-bench.workspace = true\n";
        assert_eq!(sentences("divisi-cli", bench), ["4: divisi-cli may not know divisi-bench"]);
    }

    #[test]
    fn sql_and_web_server_have_one_home() {
        assert_eq!(
            sentences("divisi-engine", "[target.'cfg(unix)'.dependencies]\nrusqlite = \"1\"\n"),
            ["4: rusqlite belongs to divisi-store alone, and divisi-engine uses it"]
        );
        assert_eq!(
            sentences("divisi-cli", "[dependencies]\nserver = { package = \"axum\", version = \"1\" }\n"),
            ["1: axum belongs to divisi-api and divisi-rehearsal alone, and divisi-cli uses it"]
        );
        assert_eq!(sentences("divisi-cli", "[dev-dependencies]\naxum = \"1\"\n"), NOTHING);
    }

    #[test]
    fn model_has_no_runtime_and_an_unknown_crate_no_place() {
        assert_eq!(
            sentences("divisi-model", "[dependencies]\ntokio = \"1\"\n"),
            ["4: model may not use tokio"]
        );
        assert_eq!(sentences("divisi-utils", ""), ["1: divisi-utils has no place among the layers"]);
    }
}
