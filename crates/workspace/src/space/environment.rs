//! The environment that agents, setup scripts and checks see: an allow-list, and what Divisi adds.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::ports::PortBlock;

/// Variables that pass from the person's environment: where programs, languages, certificates and proxies are.
/// Everything else stays out, above all tokens, keys, agent sockets and whatever steers git.
pub const PASSED: &[&str] = &[
    "PATH",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_TIME",
    "TZ",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "USER",
    "LOGNAME",
    "SHELL",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "GOPATH",
    "GOROOT",
    "GOMODCACHE",
    "GOPROXY",
    "GOFLAGS",
    "JAVA_HOME",
    "MAVEN_OPTS",
    "GRADLE_USER_HOME",
    "NVM_DIR",
    "VOLTA_HOME",
    "PNPM_HOME",
    "BUN_INSTALL",
    "DENO_INSTALL",
    "PYENV_ROOT",
    "ASDF_DIR",
    "ASDF_DATA_DIR",
    "MISE_DATA_DIR",
    "NIX_PATH",
    "NIX_PROFILES",
    "NIX_SSL_CERT_FILE",
    "PKG_CONFIG_PATH",
    "LIBCLANG_PATH",
    "DOTNET_ROOT",
    "ANDROID_HOME",
];

/// Tool homes that lie in the real home folder unless a variable says otherwise. An agent with a private home
/// would not find the compilers without them.
const TOOL_HOMES: &[(&str, &str)] =
    &[("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup"), ("NVM_DIR", ".nvm"), ("PYENV_ROOT", ".pyenv")];

/// What Divisi says about the place.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// The user's checkout (`DIVISI_ROOT_PATH`).
    pub root_path: &'a Path,
    /// The workspace (`DIVISI_WORKSPACE_PATH`).
    pub workspace_path: &'a Path,
    /// Its branch (`DIVISI_BRANCH`).
    pub branch: &'a str,
    /// The task's handle (`DIVISI_TASK`), for example `t12`.
    pub task: &'a str,
    /// Its ports (`DIVISI_PORT`, `DIVISI_PORT_1` …).
    pub ports: Option<PortBlock>,
}

/// Builds an environment: the allowed part of `inherited`, then the variables named in `allow_also` (a trailing `*`
/// takes all that begin so), then tool homes below `real_home` that exist, then what describes the place.
pub fn build(
    inherited: &[(OsString, OsString)],
    allow_also: &[String],
    real_home: Option<&Path>,
    place: &Place<'_>,
) -> BTreeMap<OsString, OsString> {
    let allowed = |name: &OsStr| {
        let Some(name) = name.to_str() else { return false };
        PASSED.contains(&name)
            || allow_also.iter().any(|a| match a.strip_suffix('*') {
                Some(start) => !start.is_empty() && name.starts_with(start),
                None => name == a,
            })
    };
    let mut out: BTreeMap<OsString, OsString> =
        inherited.iter().filter(|(name, _)| allowed(name)).cloned().collect();
    for (name, folder) in TOOL_HOMES {
        let Some(home) = real_home.map(|home| home.join(folder)).filter(|home| home.is_dir()) else {
            continue;
        };
        out.entry((*name).into()).or_insert_with(|| home.into());
    }
    out.extend(describe(place));
    out
}

/// The variables that describe the place, with the names that setup scripts written for other tools look for.
pub fn describe(place: &Place<'_>) -> BTreeMap<OsString, OsString> {
    let mut out = BTreeMap::new();
    let mut set = |name: &str, value: &OsStr| drop(out.insert(OsString::from(name), value.to_owned()));
    set("DIVISI", "1".as_ref());
    set("DIVISI_ROOT_PATH", place.root_path.as_ref());
    set("DIVISI_WORKSPACE_PATH", place.workspace_path.as_ref());
    set("DIVISI_BRANCH", place.branch.as_ref());
    set("DIVISI_TASK", place.task.as_ref());
    set("CONDUCTOR_ROOT_PATH", place.root_path.as_ref());
    set("CONDUCTOR_WORKSPACE_PATH", place.workspace_path.as_ref());
    if let Some(block) = place.ports {
        for (n, port) in block.ports().enumerate() {
            let name = if n == 0 { "DIVISI_PORT".to_owned() } else { format!("DIVISI_PORT_{n}") };
            set(&name, port.to_string().as_ref());
        }
        set("CONDUCTOR_PORT", block.first.to_string().as_ref());
        set("EMDASH_PORT", block.first.to_string().as_ref());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_out_and_the_place_is_named() {
        let inherited: Vec<(OsString, OsString)> =
            ["PATH", "GITHUB_TOKEN", "SSH_AUTH_SOCK", "GIT_DIR", "MY_A", "MY_B", "HOME"]
                .iter()
                .map(|name| ((*name).into(), "x".into()))
                .collect();
        let place = Place {
            root_path: Path::new("/r"),
            workspace_path: Path::new("/w"),
            branch: "divisi/t1-x",
            task: "t1",
            ports: Some(PortBlock { first: 20_010, count: 3 }),
        };
        let built = build(&inherited, &["MY_*".into(), "*".into()], None, &place);
        let has = |name: &str| built.contains_key(OsStr::new(name));
        assert!(has("PATH") && has("MY_A") && has("MY_B") && has("DIVISI_PORT_2") && has("CONDUCTOR_PORT"));
        for name in ["GITHUB_TOKEN", "SSH_AUTH_SOCK", "GIT_DIR", "HOME", "DIVISI_PORT_3"] {
            assert!(!has(name), "{name}");
        }
        assert_eq!(built[OsStr::new("DIVISI_PORT")], "20010");
    }
}
