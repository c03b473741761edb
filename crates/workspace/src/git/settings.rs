//! The environment and the configuration that every git call gets, each with its reason.

/// A home that does not exist, so that no `~/.gitconfig`, `~/.config/git/attributes` or `ignore` is found.
pub const NO_HOME: &str = "/nonexistent";

/// The whole environment of a git call besides `PATH`, `GIT_DIR` and what a call adds itself.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    // Messages are read by us: always English, always UTC.
    ("LC_ALL", "C"),
    ("TZ", "UTC"),
    ("HOME", NO_HOME),
    ("XDG_CONFIG_HOME", NO_HOME),
    // Only the named repository's configuration, never the machine's or the person's (filters, aliases, helpers).
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    // Reading never takes a lock that a person's own git would then trip over.
    ("GIT_OPTIONAL_LOCKS", "0"),
    // A replace ref makes a diff show other content than the one that lands.
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    // A partial clone must not reach for the network in the middle of a read.
    ("GIT_NO_LAZY_FETCH", "1"),
    // Nothing may wait for a person.
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ASKPASS", "false"),
    ("SSH_ASKPASS", "false"),
    ("GIT_EDITOR", "false"),
    ("GIT_SEQUENCE_EDITOR", "false"),
    ("GIT_PAGER", "cat"),
    // Paths are paths: `*` and `:(magic)` in a file name mean nothing else.
    ("GIT_LITERAL_PATHSPECS", "1"),
    ("GIT_DEFAULT_HASH", "sha1"),
    ("GIT_PROTOCOL_FROM_USER", "0"),
];

/// `-c` settings of every call. They outrank the repository's own configuration.
pub const CONFIG: &[(&str, &str)] = &[
    // Both run programs named by configuration.
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.editor", "false"),
    ("core.pager", "cat"),
    ("core.sshCommand", "false"),
    ("core.gitProxy", ""),
    ("core.askPass", "false"),
    ("credential.helper", ""),
    ("diff.external", ""),
    ("gpg.program", "false"),
    ("commit.gpgSign", "false"),
    ("tag.gpgSign", "false"),
    ("log.showSignature", "false"),
    // Rules that live outside the tree would make one machine see other files than the next.
    ("core.attributesFile", "/dev/null"),
    ("core.excludesFile", "/dev/null"),
    // No transport at all; the calls that move objects between two local repositories allow `file` themselves.
    ("protocol.allow", "never"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("transfer.bundleURI", "false"),
    ("core.useReplaceRefs", "false"),
    // No background process is left behind, no repack under somebody's feet.
    ("gc.auto", "0"),
    ("gc.autoDetach", "false"),
    ("maintenance.auto", "false"),
    ("fetch.writeCommitGraph", "false"),
    // Above this size a blob is streamed instead of held in memory (default 512 MiB).
    ("core.bigFileThreshold", "16m"),
    ("core.quotePath", "false"),
    ("advice.detachedHead", "false"),
];
