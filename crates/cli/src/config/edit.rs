//! The configuration files as text, for whoever edits them elsewhere than in an editor.

use std::path::{Path, PathBuf};

use divisi_agent::{DEFINITION_BYTES, Layer, Registry};
use divisi_api::types::{SettingsCheckView, SettingsProblemView};
use divisi_api::{SettingsError, SettingsFile, SettingsFiles, SettingsLimits};

use super::dashboard;
use super::layers::{Config, FILE_BYTES_MAX, PROJECT_FILE};
use crate::dirs::{self, Dirs};
use crate::errors::{CommandError, ErrorKind};

/// The files of the person with these folders.
pub(crate) struct ConfigFiles {
    dirs: Dirs,
    /// Two changes of one file must not both find it as it was.
    writing: std::sync::Mutex<()>,
}

impl ConfigFiles {
    /// The files of the person with these folders.
    pub(crate) fn new(dirs: Dirs) -> Self {
        Self { dirs, writing: std::sync::Mutex::new(()) }
    }

    /// Reads a text as the daemon would, and says what it warns of.
    fn read_as_daemon(&self, file: &SettingsFile, text: &str) -> Result<Vec<String>, CommandError> {
        let path = self.path(file).unwrap_or_default();
        match file {
            SettingsFile::User => Config::check_user(&self.dirs, text),
            SettingsFile::Project(_) => Config::check_project(&self.dirs, &path, text),
            SettingsFile::Dashboard => dashboard::check(text).map(|()| Vec::new()),
            SettingsFile::Agent(name) => {
                let fits = Layer::read(&path.display().to_string(), name, text);
                let fits = fits.and_then(|layer| Registry::with_layers(&[layer]));
                let wrong = |error: &dyn std::error::Error| {
                    let hint = "docs/guides/agents.md describes definitions";
                    CommandError::new(ErrorKind::Config, error.to_string(), hint)
                };
                fits.map(|_| Vec::new()).map_err(|error| wrong(&error))
            }
        }
    }
}

impl SettingsFiles for ConfigFiles {
    fn agents(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.dirs.agents()).into_iter().flatten().flatten();
        let paths =
            files.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "toml"));
        let mut names: Vec<_> = paths
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .filter(|name| is_name(name))
            .collect();
        names.sort();
        names
    }

    fn path(&self, file: &SettingsFile) -> Result<PathBuf, SettingsError> {
        match file {
            SettingsFile::User => Ok(self.dirs.user_config()),
            SettingsFile::Dashboard => Ok(self.dirs.dashboard_config()),
            SettingsFile::Project(root) => Ok(root.join(PROJECT_FILE)),
            SettingsFile::Agent(name) if is_name(name) => Ok(self.dirs.agents().join(format!("{name}.toml"))),
            SettingsFile::Agent(_) => Err(SettingsError::Unknown),
        }
    }

    fn read(&self, file: &SettingsFile) -> Result<Option<String>, SettingsError> {
        let path = self.path(file)?;
        let failed = |source| SettingsError::File { path: path.display().to_string(), source };
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
            Ok(found) if !found.is_file() => return Err(SettingsError::Unknown),
            Ok(found) if found.len() > FILE_BYTES_MAX => {
                let message = format!("{} is longer than {FILE_BYTES_MAX} bytes", path.display());
                return Err(SettingsError::Wrong { message, hint: String::new() });
            }
            Ok(_) => {}
        }
        std::fs::read_to_string(&path).map(Some).map_err(failed)
    }

    fn check(&self, file: &SettingsFile, text: &str) -> SettingsCheckView {
        match self.read_as_daemon(file, text) {
            Ok(warnings) => SettingsCheckView { problem: None, warnings },
            Err(error) => SettingsCheckView { problem: Some(problem(&error)), warnings: Vec::new() },
        }
    }

    fn write(
        &self,
        file: &SettingsFile,
        text: &str,
        before: &dyn Fn(Option<&str>) -> bool,
    ) -> Result<(), SettingsError> {
        let path = self.path(file)?;
        let bytes_max = match file {
            SettingsFile::Agent(_) => DEFINITION_BYTES as u64,
            SettingsFile::User | SettingsFile::Project(_) | SettingsFile::Dashboard => FILE_BYTES_MAX,
        };
        if text.len() as u64 > bytes_max {
            let message = format!("the text is longer than {bytes_max} bytes");
            return Err(SettingsError::Wrong { message, hint: String::new() });
        }
        if let Err(error) = self.read_as_daemon(file, text) {
            let SettingsProblemView { message, hint, line } = problem(&error);
            let message = line.map_or_else(|| message.clone(), |line| format!("line {line}: {message}"));
            return Err(SettingsError::Wrong { message, hint });
        }
        let _writing = self.writing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !before(self.read(file)?.as_deref()) {
            return Err(SettingsError::Changed);
        }
        let failed = |source| SettingsError::File { path: path.display().to_string(), source };
        // A link is kept: many people keep their configuration in a repository and link to it.
        let target = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        match file {
            SettingsFile::Project(_) => replace(&target, text).map_err(failed),
            SettingsFile::User | SettingsFile::Agent(_) | SettingsFile::Dashboard => {
                let folder = target.parent().unwrap_or(&target);
                dirs::make_private(folder).map_err(|error| failed(std::io::Error::other(error.message)))?;
                dirs::write_private(&target, text.as_bytes()).map_err(failed)
            }
        }
    }

    fn limits(&self) -> SettingsLimits {
        let config = Config::load(&self.dirs, None).unwrap_or_default();
        SettingsLimits { parallel: config.parallel(), checks_parallel: config.checks_parallel() }
    }
}

/// Replaces a file of a repository, which keeps its permissions.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let permissions = std::fs::metadata(path).map(|found| found.permissions()).ok();
    let beside = path.with_extension("toml.new");
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| {
        permissions.map_or(Ok(()), |permissions| file.set_permissions(permissions))?;
        std::fs::rename(&beside, path)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    !name.is_empty() && name.len() <= 64 && name.chars().all(plain)
}

/// An error of the reader, with the line that it names.
fn problem(error: &CommandError) -> SettingsProblemView {
    let told: Vec<_> = std::iter::once(&error.message).chain(&error.causes).map(String::as_str).collect();
    let text = told.join(": ");
    let line = text.split("at line ").nth(1).and_then(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    // The last line of a TOML error is what is wrong; those before it show the place.
    let message = match line {
        Some(_) => text.lines().last().unwrap_or_default().trim().to_owned(),
        None => text,
    };
    SettingsProblemView { message, hint: error.hint.clone(), line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(root: &Path) -> ConfigFiles {
        ConfigFiles::new(Dirs::below(root.join("home"), root))
    }

    #[test]
    fn a_text_is_read_as_the_daemon_reads_it() {
        let env = divisi_testkit::TestEnv::new();
        let files = files(env.root());
        let check = |file: &SettingsFile, text: &str| files.check(file, text);
        assert_eq!(check(&SettingsFile::User, "parallel = 3\n"), SettingsCheckView::default());
        let wrong = check(&SettingsFile::User, "rounds = 1\nparallel = \"many\"\n").problem.unwrap();
        assert_eq!(wrong.line, Some(2));
        assert!(wrong.message.contains("expected u16"), "{}", wrong.message);
        let unknown = check(&SettingsFile::User, "paralel = 3\n");
        assert!(unknown.warnings[0].contains("did you mean `parallel`"), "{unknown:?}");
        let project = SettingsFile::Project(env.join("project"));
        assert!(
            check(&project, "parallel = 3\n").problem.unwrap().message.contains("cannot be set by a project")
        );
        assert!(check(&SettingsFile::User, "setup_timeout = \"1d\"\n").problem.is_some());
        assert!(check(&SettingsFile::Agent("mine".into()), "command = 3\n").problem.is_some());
        let wrong =
            check(&SettingsFile::Dashboard, "{\n  \"look\": { \"theme\": \"purple\" }\n}\n").problem.unwrap();
        assert_eq!(wrong.line, Some(2));
        assert!(wrong.message.contains("purple"), "{}", wrong.message);
    }

    #[test]
    fn a_file_is_written_only_when_it_is_right_and_still_what_was_read() {
        let env = divisi_testkit::TestEnv::new();
        let files = files(env.root());
        let user = SettingsFile::User;
        files.write(&user, "rounds = 1\n", &|text| text.is_none()).unwrap();
        assert_eq!(files.read(&user).unwrap().as_deref(), Some("rounds = 1\n"));
        let changed = files.write(&user, "rounds = 2\n", &|text| text.is_none());
        assert!(matches!(changed, Err(SettingsError::Changed)));
        let wrong = files.write(&user, "rounds = \"x\"\n", &|_| true);
        assert!(
            matches!(wrong, Err(SettingsError::Wrong { message, .. }) if message.starts_with("line 1: "))
        );
        assert_eq!(files.read(&user).unwrap().as_deref(), Some("rounds = 1\n"), "nothing was written");
        for name in ["../x", "", "A", "a/b", "a.b"] {
            assert!(
                matches!(files.path(&SettingsFile::Agent(name.into())), Err(SettingsError::Unknown)),
                "{name}"
            );
        }
    }

    #[test]
    fn a_link_to_the_configuration_stays_one() {
        let env = divisi_testkit::TestEnv::new();
        let files = files(env.root());
        std::fs::create_dir_all(env.join("config")).unwrap();
        std::fs::write(env.join("real.toml"), "rounds = 1\n").unwrap();
        std::os::unix::fs::symlink(env.join("real.toml"), env.join("config/config.toml")).unwrap();
        files.write(&SettingsFile::User, "rounds = 2\n", &|_| true).unwrap();
        assert_eq!(std::fs::read_to_string(env.join("real.toml")).unwrap(), "rounds = 2\n");
        assert!(env.join("config/config.toml").is_symlink());
    }
}
