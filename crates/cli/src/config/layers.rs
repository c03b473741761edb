//! Reading the files and laying one over the other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use divisi_engine::{SandboxMode, SandboxOptions, WorkspaceMode};
use divisi_model::limits;
use divisi_model::task::{Gate, TaskSettings};

use super::file::{ConfigFile, GateConfig, PermissionsConfig, PushConfig, RemoteConfig};
use super::unknown::unknown_keys;
use crate::dirs::Dirs;
use crate::errors::{CommandError, Done, ErrorKind};

/// The project's configuration, in its top folder.
pub(crate) const PROJECT_FILE: &str = "divisi.toml";
/// Longest configuration file, in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The configuration that holds for a project, or for this machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    user: ConfigFile,
    project: ConfigFile,
    /// Things that are no error but that a person should know, such as keys that nobody reads.
    pub(crate) warnings: Vec<String>,
}

impl Config {
    /// Reads the user's own file and, with a project's top folder, its `divisi.toml`. A file that is not there is empty.
    pub(crate) fn load(dirs: &Dirs, root: Option<&Path>) -> Done<Self> {
        let mut config = Self::default();
        let user = dirs.user_config();
        config.user = load_file(&user, &mut config.warnings)?;
        if let Some(root) = root {
            let path = root.join(PROJECT_FILE);
            config.project = load_file(&path, &mut config.warnings)?;
            refuse_what_is_the_users(&config.project, &path, &user)?;
        }
        config.checked(dirs)
    }

    /// Reads a text as if it stood in the user's own file. Gives what is to be warned of.
    pub(super) fn check_user(dirs: &Dirs, text: &str) -> Done<Vec<String>> {
        let mut config = Self::default();
        config.user = parse(&dirs.user_config(), text, &mut config.warnings)?;
        Ok(config.checked(dirs)?.warnings)
    }

    /// Reads a text as if it stood in a project's file. Gives what is to be warned of.
    pub(super) fn check_project(dirs: &Dirs, path: &Path, text: &str) -> Done<Vec<String>> {
        let mut config = Self::default();
        config.project = parse(path, text, &mut config.warnings)?;
        refuse_what_is_the_users(&config.project, path, &dirs.user_config())?;
        Ok(config.checked(dirs)?.warnings)
    }

    /// What is wrong is found here, not in the middle of a task.
    fn checked(self, dirs: &Dirs) -> Done<Self> {
        self.task_settings()?;
        self.sandbox(dirs)?;
        self.remote().map(RemoteConfig::place).transpose()?;
        self.push()?;
        Ok(self)
    }

    /// Attempts that work at once on this machine.
    pub(crate) fn parallel(&self) -> u16 {
        self.user.parallel.unwrap_or(limits::PARALLEL_DEFAULT).max(1)
    }

    /// Checks that run at once on this machine.
    pub(crate) fn checks_parallel(&self) -> u16 {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        self.user.checks_parallel.unwrap_or(u16::try_from(cores).unwrap_or(2)).max(1)
    }

    /// Whether the dashboard opens terminals in workspaces.
    pub(crate) fn terminal(&self) -> bool {
        self.user.terminal.unwrap_or(true)
    }

    /// Whether sessions may share a process of their agent.
    pub(crate) fn share_agents(&self) -> bool {
        self.user.share_agents.unwrap_or(false)
    }

    /// The port of the daemon.
    pub(crate) fn port(&self) -> Option<u16> {
        self.user.port
    }

    /// How other machines reach the daemon.
    pub(crate) fn remote(&self) -> Option<&RemoteConfig> {
        self.user.remote.as_ref()
    }

    /// Notices to browsers; none where they are switched off.
    pub(crate) fn push(&self) -> Done<Option<PushConfig>> {
        let push = self.user.push.clone().unwrap_or_default();
        if !push.subject.starts_with("mailto:") && !push.subject.starts_with("https://") {
            let message =
                format!("`{}` below [push] is nobody that a push service could turn to", push.subject);
            return Err(wrong(message, "write subject = \"mailto:…\" or \"https://…\""));
        }
        Ok(Some(push).filter(|push| push.enabled))
    }

    /// What keeps agents, setup and checks in their place.
    pub(crate) fn sandbox(&self, dirs: &Dirs) -> Done<SandboxOptions> {
        let mut writable = Vec::new();
        for text in self.user.sandbox_writable.iter().flatten() {
            let path = match text.strip_prefix("~/") {
                Some(below) => dirs.home.join(below),
                None => PathBuf::from(text),
            };
            if !path.is_absolute() {
                let message = format!("`{text}` in sandbox_writable is not an absolute path");
                return Err(wrong(message, "write it from / on, or as ~/…"));
            }
            writable.push(path);
        }
        let mode = self.user.sandbox.map_or_else(SandboxMode::default, Into::into);
        let workspaces = self.user.workspace.map_or_else(WorkspaceMode::default, Into::into);
        let hidden = vec![dirs.config.clone(), dirs.state.clone()];
        Ok(SandboxOptions { mode, writable, hidden, workspaces })
    }

    /// The agents that are taken when none is named.
    pub(crate) fn default_agents(&self) -> &[String] {
        self.project.default_agents.as_deref().or(self.user.default_agents.as_deref()).unwrap_or_default()
    }

    /// The tables of agents, by name.
    pub(crate) fn agents(&self) -> impl Iterator<Item = (&String, &toml::Table)> {
        self.user.agents.iter().flatten()
    }

    /// The gates in their order.
    pub(crate) fn gates(&self) -> &[GateConfig] {
        self.project.gates.as_deref().or(self.user.gates.as_deref()).unwrap_or_default()
    }

    /// What a task of this project is given.
    pub(crate) fn task_settings(&self) -> Done<TaskSettings> {
        let usual = TaskSettings::default();
        let (project, user) = (&self.project, &self.user);
        macro_rules! chosen {
            ($field:ident) => {
                project.$field.clone().or_else(|| user.$field.clone())
            };
        }
        let seconds = |text: Option<String>, usual| text.map_or(Ok(usual), |text| seconds(&text));
        Ok(TaskSettings {
            setup: chosen!(setup).filter(|setup| !setup.trim().is_empty()),
            setup_timeout_seconds: seconds(chosen!(setup_timeout), usual.setup_timeout_seconds)?,
            gates: gates(self.gates())?,
            landing: chosen!(landing).map_or(usual.landing, Into::into),
            rounds: chosen!(rounds).unwrap_or(usual.rounds),
            permissions: chosen!(permissions).map_or(usual.permissions, Into::into),
            branch_prefix: branch_prefix(chosen!(branch_prefix).unwrap_or(usual.branch_prefix))?,
            pass_environment: chosen!(pass_environment).unwrap_or(usual.pass_environment),
            stall_minutes: chosen!(stall_minutes).unwrap_or(usual.stall_minutes),
            trailers: chosen!(trailers).unwrap_or(usual.trailers),
        })
    }
}

/// Reads `90s`, `20m`, `2h`, or a number of seconds.
pub(super) fn seconds(text: &str) -> Done<u32> {
    let text = text.trim();
    let (number, unit) = match text.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
        Some((at, _)) => text.split_at(at),
        None => (text, "s"),
    };
    let factor: u64 = match unit.trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => 0,
    };
    let total = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    match total.and_then(|total| u32::try_from(total).ok()) {
        Some(total) if total > 0 && u64::from(total) <= Duration::from_secs(86_400).as_secs() => Ok(total),
        _ => Err(wrong(format!("`{text}` is not a time limit"), "write 90s, 20m or 2h; at most 24h")),
    }
}

fn load_file(path: &PathBuf, warnings: &mut Vec<String>) -> Done<ConfigFile> {
    let shown = path.display();
    let cannot = |error: std::io::Error| wrong(format!("cannot read {shown}"), "").because(&error);
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(ConfigFile::default()),
        Err(error) => return Err(cannot(error)),
        Ok(metadata) if metadata.len() > FILE_BYTES_MAX => {
            return Err(wrong(format!("{shown} is longer than {FILE_BYTES_MAX} bytes"), ""));
        }
        Ok(_) => {}
    }
    parse(path, &std::fs::read_to_string(path).map_err(cannot)?, warnings)
}

fn parse(path: &Path, text: &str, warnings: &mut Vec<String>) -> Done<ConfigFile> {
    let shown = path.display();
    let table: toml::Table = toml::from_str(text).map_err(|error| in_file(path, &error))?;
    for key in unknown_keys(&table) {
        let near = key.near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        warnings.push(format!("{shown}: nobody reads `{}`{near}", key.path));
    }
    toml::from_str(text).map_err(|error| in_file(path, &error))
}

/// A project's file comes with the repository, so it may not give away what belongs to the person: what runs without
/// asking, which program is an agent and which key it gets, and how much of the machine is used.
fn refuse_what_is_the_users(project: &ConfigFile, path: &Path, user: &Path) -> Done {
    let refused = [
        ("permissions = \"all\"", project.permissions == Some(PermissionsConfig::All)),
        ("[agents]", project.agents.is_some()),
        ("parallel", project.parallel.is_some()),
        ("checks_parallel", project.checks_parallel.is_some()),
        ("port", project.port.is_some()),
        ("terminal", project.terminal.is_some()),
        ("[remote]", project.remote.is_some()),
        ("[push]", project.push.is_some()),
        ("sandbox", project.sandbox.is_some()),
        ("sandbox_writable", project.sandbox_writable.is_some()),
        ("workspace", project.workspace.is_some()),
        ("share_agents", project.share_agents.is_some()),
    ];
    let Some((what, _)) = refused.into_iter().find(|(_, is)| *is) else { return Ok(()) };
    let message = format!("{}: `{what}` cannot be set by a project", path.display());
    Err(wrong(message, format!("it belongs into your own configuration, {}", user.display())))
}

fn gates(gates: &[GateConfig]) -> Done<Vec<Gate>> {
    if gates.len() > limits::CHECKS {
        return Err(wrong(
            format!("there are more than {} gates", limits::CHECKS),
            "join some of them in a script",
        ));
    }
    let mut made: Vec<Gate> = Vec::new();
    for gate in gates {
        let GateConfig { name, command, required, timeout } = gate;
        if name.trim().is_empty() || command.trim().is_empty() {
            return Err(wrong(
                "a gate has no name or no command",
                "each [[gates]] needs `name` and `command`",
            ));
        }
        if made.iter().any(|other| other.name == *name) {
            return Err(wrong(format!("two gates are called `{name}`"), "evidence is kept by name"));
        }
        let timeout_seconds = timeout.as_deref().map_or(Ok(limits::CHECK_SECONDS_DEFAULT), seconds)?;
        let (name, command, required) = (name.clone(), command.clone(), *required);
        made.push(Gate { name, command, required, timeout_seconds });
    }
    Ok(made)
}

/// A prefix that can stand before a branch name.
fn branch_prefix(prefix: String) -> Done<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let bad = prefix.starts_with(['-', '/', '.'])
        || prefix.contains("..")
        || prefix.contains("//")
        || prefix.contains("/.")
        || !prefix.chars().all(allowed);
    if bad {
        let hint = "letters, digits, `-`, `_`, `.` and `/`, such as `divisi/` or `ada/`";
        return Err(wrong(format!("`{prefix}` cannot begin the name of a branch"), hint));
    }
    Ok(prefix)
}

fn in_file(path: &Path, error: &toml::de::Error) -> CommandError {
    let text = error.to_string();
    let mut wrong =
        wrong(format!("{} is not right", path.display()), "docs/reference/configuration.md lists the keys");
    wrong.causes.push(text.trim_end().replace('\n', "\n    "));
    wrong
}

fn wrong(message: impl Into<String>, hint: impl Into<String>) -> CommandError {
    CommandError::new(ErrorKind::Config, message, hint)
}

#[cfg(test)]
mod tests {
    use divisi_model::task::{LandingMode, Permissions};

    use super::*;

    fn config(user: &str, project: &str) -> Config {
        Config {
            user: toml::from_str(user).unwrap(),
            project: toml::from_str(project).unwrap(),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn the_project_wins_over_the_user_and_the_user_over_the_defaults() {
        let config = config("rounds = 1\nlanding = \"squash\"\nparallel = 3", "rounds = 5\nsetup = \"make\"");
        let settings = config.task_settings().unwrap();
        assert_eq!((settings.rounds, settings.landing), (5, LandingMode::Squash));
        assert_eq!(settings.setup.as_deref(), Some("make"));
        assert_eq!(settings.permissions, Permissions::Edits);
        assert_eq!(config.parallel(), 3);
    }

    #[test]
    fn time_limits_have_units_and_bounds() {
        let read = |text: &str| seconds(text).ok();
        assert_eq!(
            [read("90s"), read("20m"), read("2h"), read("45")],
            [Some(90), Some(1200), Some(7200), Some(45)]
        );
        for text in ["", "0s", "m", "-1s", "1d", "25h", "99999999999999999999h", "1.5m"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_belongs_to_the_person_is_refused_in_a_project() {
        for text in [
            "permissions = \"all\"",
            "[agents.x]\na = 1",
            "parallel = 2",
            "checks_parallel = 2",
            "port = 80",
            "terminal = true",
            "[remote]\nhost = \"0.0.0.0\"",
            "[push]\nlocal_services = true",
            "sandbox = \"off\"",
            "sandbox_writable = [\"/\"]",
            "workspace = \"checkout\"",
            "share_agents = true",
        ] {
            let project = toml::from_str(text).unwrap();
            let refused = refuse_what_is_the_users(&project, Path::new("/p/divisi.toml"), Path::new("/u"));
            assert_eq!(refused.unwrap_err().kind, ErrorKind::Config, "{text}");
        }
        let fine = toml::from_str("permissions = \"ask\"\nrounds = 1").unwrap();
        assert!(refuse_what_is_the_users(&fine, Path::new("/p"), Path::new("/u")).is_ok());
    }

    #[test]
    fn gates_need_a_name_of_their_own_and_prefixes_make_branches() {
        let gate = "[[gates]]\nname = \"a\"\ncommand = \"b\"\n";
        assert!(config("", gate).task_settings().is_ok());
        assert!(config("", &gate.repeat(2)).task_settings().is_err());
        for prefix in ["-x", "a..b", "/a", "a b", "a~", ".a", "a//b", "a/.b"] {
            assert!(
                config("", &format!("branch_prefix = \"{prefix}\"")).task_settings().is_err(),
                "{prefix}"
            );
        }
        assert_eq!(config("", "branch_prefix = \"\"").task_settings().unwrap().branch_prefix, "");
    }
}
