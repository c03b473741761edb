//! Builds the dashboard with npm and Vite into cargo's own output folder, and packs every file.
//!
//! `DIVISI_DASHBOARD` names a folder that Vite has built already; then npm is not needed.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::fs::{FlockOperation, flock};

/// What the dashboard is made of. Only what exists: cargo would run this for ever for a missing one.
const INPUTS: &[&str] =
    &["src", "public", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"];

const PREBUILT: &str = "DIVISI_DASHBOARD";

fn main() {
    println!("cargo::rerun-if-env-changed={PREBUILT}");
    for input in INPUTS {
        println!("cargo::rerun-if-changed={input}");
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let built = match std::env::var_os(PREBUILT).filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => build(&out.join("built")),
    };
    let packed = out.join("packed");
    let _ = fs::remove_dir_all(&packed);
    if let Err(error) = pack(&built, &packed) {
        fail(&format!("the dashboard in {} cannot be packed: {error}", built.display()));
    }
}

/// Installs what is missing, and runs Vite. An editor and a terminal may build at once, so one waits for the other.
fn build(folder: &Path) -> PathBuf {
    let lock = File::create("node_modules.lock").and_then(|file| {
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    });
    if let Err(error) = &lock {
        fail(&format!("web/node_modules.lock cannot be locked: {error}"));
    }
    if !is_installed() {
        npm(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]));
        let _ = fs::copy("package-lock.json", INSTALLED);
    }
    npm(Command::new("npm")
        .args(["exec", "--no", "--", "vite", "build", "--logLevel", "warn", "--emptyOutDir", "--outDir"])
        .arg(folder));
    folder.to_owned()
}

/// The lock file as it was when packages were installed last.
const INSTALLED: &str = "node_modules/.divisi-installed.json";

fn is_installed() -> bool {
    let read = |path: &str| fs::read(path).ok();
    read(INSTALLED).is_some_and(|installed| Some(installed) == read("package-lock.json"))
}

/// Runs npm; a build without a dashboard must be asked for, so there is none instead of a broken one.
fn npm(command: &mut Command) {
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => fail(&format!("npm does not start: {error}")),
    };
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        fail(&format!("npm failed:\n{}", String::from_utf8_lossy(&said)));
    }
}

fn fail(why: &str) -> ! {
    eprintln!("{why}");
    eprintln!(
        "the dashboard is not built; install Node 20.19 or newer with npm, or name a built folder in {PREBUILT}, or build \
         without it: cargo build --package divisi-cli --no-default-features"
    );
    exit(1);
}

/// Every file of a folder, packed, under the same path.
fn pack(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            pack(&entry.path(), &target)?;
            continue;
        }
        let mut packer = GzEncoder::new(File::create(target)?, Compression::best());
        packer.write_all(&fs::read(entry.path())?)?;
        packer.finish()?;
    }
    Ok(())
}
