//! The quick part of the conformance matrix, with the agents that the ordinary tests install; and the page.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use divisi_testkit::{TestEnv, require_agent};

const PROGRAM: &str = env!("CARGO_BIN_EXE_divisi-conformance");

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a crate lies in a folder").to_owned()
}

/// Far beyond what the quick columns take, also while every core is busy with other tests.
const ROW_MAX: Duration = Duration::from_secs(400);

/// What an agent does is what was written down of it: a new version that mends or breaks something is noticed.
#[track_caller]
fn is_as_written(agent: &str, package: &str, program: &Path) {
    let env = TestEnv::new();
    let results = repository().join("conformance/results");
    let row = ["row", "--quick", "--agent", agent, "--package", package].map(OsStr::new);
    let work = env.join("work");
    let places = [
        "--program".as_ref(),
        program.as_os_str(),
        "--work".as_ref(),
        work.as_os_str(),
        "--results".as_ref(),
    ];
    let row = env.program(PROGRAM).args(row).args(places).args([results]).time_max(ROW_MAX);
    row.run().require_success();
}

#[track_caller]
fn installed_is_as_written(agent: &str, name: &str) {
    let installed = require_agent(name);
    is_as_written(agent, &installed.version, &installed.program);
}

#[test]
fn goose_is_as_written() {
    installed_is_as_written("goose", "goose");
}

#[test]
fn codex_is_as_written() {
    installed_is_as_written("codex", "codex-acp");
}

#[test]
fn opencode_is_as_written() {
    installed_is_as_written("opencode", "opencode");
}

#[test]
fn a_plain_command_is_as_written() {
    is_as_written("command", "", Path::new("/bin/sh"));
}

#[test]
fn the_page_shows_the_results() {
    let env = TestEnv::new();
    let page = env.program(PROGRAM).args(["table"]).in_folder(repository()).run();
    let committed = std::fs::read_to_string(repository().join("docs/agents.md")).unwrap();
    let hint = "docs/agents.md is not what the results say; `cargo xtask codegen` writes it anew";
    assert!(page.require_success().stdout == committed, "{hint}");
}
