//! Every environment variable that the program itself reads, in one place.

/// One folder for everything of Divisi (`config`, `data`, `state` below it), instead of the user's usual ones.
pub(crate) const DIVISI_HOME: &str = "DIVISI_HOME";
/// Set to anything: workspaces may lie in a temporary folder of the system. For demonstrations and tests only.
pub(crate) const DIVISI_ANYWHERE: &str = "DIVISI_ANYWHERE";
/// The port of the daemon; 0 is the one it had last, or a free one.
pub(crate) const DIVISI_PORT: &str = "DIVISI_PORT";
/// What the daemon writes to its log, as a filter of the crate `tracing`: `info`, `divisi_engine=debug`, …
pub(crate) const DIVISI_LOG: &str = "DIVISI_LOG";
/// Where configuration lies.
pub(crate) const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
/// Where data lies.
pub(crate) const XDG_DATA_HOME: &str = "XDG_DATA_HOME";
/// Where state lies.
pub(crate) const XDG_STATE_HOME: &str = "XDG_STATE_HOME";
/// The home folder.
pub(crate) const HOME: &str = "HOME";
/// Where programs are looked up.
pub(crate) const PATH: &str = "PATH";
/// The person's shell.
pub(crate) const SHELL: &str = "SHELL";
/// The person's browsers, separated by colons.
pub(crate) const BROWSER: &str = "BROWSER";
/// Set where there is a screen that a browser can be shown on.
pub(crate) const SCREENS: [&str; 2] = ["WAYLAND_DISPLAY", "DISPLAY"];
/// Who the person is, as the log names them.
pub(crate) const USER: &str = "USER";
/// The same, on systems that set only this one.
pub(crate) const LOGNAME: &str = "LOGNAME";
/// The person's name for commits.
pub(crate) const GIT_AUTHOR_NAME: &str = "GIT_AUTHOR_NAME";
/// The person's address for commits.
pub(crate) const GIT_AUTHOR_EMAIL: &str = "GIT_AUTHOR_EMAIL";
/// How many columns the terminal has, where it cannot be asked.
pub(crate) const COLUMNS: &str = "COLUMNS";
/// Set to `dumb` where the terminal shows plain characters only.
pub(crate) const TERM: &str = "TERM";
/// The language, which says whether the terminal shows more than ASCII.
pub(crate) const LANG: [&str; 3] = ["LC_ALL", "LC_CTYPE", "LANG"];

/// A variable that is set, not empty and text.
pub(crate) fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
