//! Where Divisi keeps its things.

use std::path::{Path, PathBuf};

use crate::env_vars;
use crate::errors::{CommandError, Done};

/// The folders of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dirs {
    /// The person's own folder.
    pub(crate) home: PathBuf,
    /// `config.toml` and `agents/`.
    pub(crate) config: PathBuf,
    /// The log, hubs, workspaces and journals: everything durable.
    pub(crate) data: PathBuf,
    /// `daemon.json`, its lock, and its log.
    pub(crate) state: PathBuf,
}

impl Dirs {
    /// From the environment: `DIVISI_HOME`, else the XDG folders, else their usual places in the home folder.
    pub(crate) fn from_environment() -> Done<Self> {
        Self::from(|name| env_vars::text(name).map(PathBuf::from))
    }

    /// Everything below one folder, but the person's home.
    pub(crate) fn below(home: PathBuf, root: &Path) -> Self {
        Self { home, config: root.join("config"), data: root.join("data"), state: root.join("state") }
    }

    fn from(variable: impl Fn(&str) -> Option<PathBuf>) -> Done<Self> {
        let home = variable(env_vars::HOME)
            .filter(|path| path.is_absolute())
            .ok_or_else(|| CommandError::failed("there is no home folder", "set HOME to an absolute path"))?;
        if let Some(root) = variable(env_vars::DIVISI_HOME) {
            if !root.is_absolute() {
                let hint = "set DIVISI_HOME to an absolute path";
                return Err(CommandError::usage("DIVISI_HOME is not an absolute path", hint));
            }
            return Ok(Self::below(home, &root));
        }
        // The XDG rules say that a relative path is to be passed over.
        let place = |name: &str, usual: &str| {
            let base = variable(name).filter(|path| path.is_absolute());
            base.unwrap_or_else(|| home.join(usual)).join("divisi")
        };
        Ok(Self {
            config: place(env_vars::XDG_CONFIG_HOME, ".config"),
            data: place(env_vars::XDG_DATA_HOME, ".local/share"),
            state: place(env_vars::XDG_STATE_HOME, ".local/state"),
            home,
        })
    }

    /// The user's own configuration.
    pub(crate) fn user_config(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// What the person chose for the dashboard.
    pub(crate) fn dashboard_config(&self) -> PathBuf {
        self.config.join("dashboard.json")
    }

    /// The user's own agents, one file each.
    pub(crate) fn agents(&self) -> PathBuf {
        self.config.join("agents")
    }

    /// What is known of the running daemon.
    pub(crate) fn daemon_record(&self) -> PathBuf {
        self.state.join("daemon.json")
    }

    /// Held by the daemon as long as it lives.
    pub(crate) fn daemon_lock(&self) -> PathBuf {
        self.state.join("daemon.lock")
    }

    /// The browsers that were let in.
    pub(crate) fn devices(&self) -> PathBuf {
        self.state.join("devices.json")
    }

    /// The browsers that get notices while their page is closed.
    pub(crate) fn push(&self) -> PathBuf {
        self.state.join("push.json")
    }

    /// The key with which notices are signed.
    pub(crate) fn push_key(&self) -> PathBuf {
        self.data.join("push.key")
    }

    /// The port at which the daemon listened last.
    pub(crate) fn last_port(&self) -> PathBuf {
        self.state.join("port")
    }

    /// What the daemon says.
    pub(crate) fn daemon_log(&self) -> PathBuf {
        self.state.join("daemon.log")
    }
}

/// What to do about a place that takes nothing.
pub(crate) const KEPT_THERE: &str = "Divisi keeps its things there; DIVISI_HOME names another folder";

/// Makes a folder, with its parents, that only its owner can look into.
pub(crate) fn make_private(path: &Path) -> Done {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| {
        CommandError::failed(format!("cannot make the folder {}", path.display()), KEPT_THERE).because(&error)
    })
}

/// Writes a file that only its owner can read, whole or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    // One that is left over may have had other permissions.
    let _ = std::fs::remove_file(&beside);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirs(variables: &[(&str, &str)]) -> Done<Dirs> {
        Dirs::from(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| PathBuf::from(value)))
    }

    #[test]
    fn usual_places_xdg_and_one_folder_for_all() {
        let usual = dirs(&[("HOME", "/h")]).unwrap();
        assert_eq!(usual.data, Path::new("/h/.local/share/divisi"));
        assert_eq!(usual.user_config(), Path::new("/h/.config/divisi/config.toml"));
        let xdg = dirs(&[("HOME", "/h"), ("XDG_DATA_HOME", "/d"), ("XDG_STATE_HOME", "relative")]).unwrap();
        assert_eq!(xdg.data, Path::new("/d/divisi"));
        assert_eq!(xdg.state, Path::new("/h/.local/state/divisi"));
        let one = dirs(&[("HOME", "/h"), ("DIVISI_HOME", "/one"), ("XDG_DATA_HOME", "/d")]).unwrap();
        assert_eq!(one.data, Path::new("/one/data"));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(dirs(&[]).is_err());
        assert!(dirs(&[("HOME", "relative")]).is_err());
        assert!(dirs(&[("HOME", "/h"), ("DIVISI_HOME", "relative")]).is_err());
    }
}
