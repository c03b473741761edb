//! Small values that every room of this crate shares: object names, paths inside a tree, people, moments.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Text that is not a full SHA-1 object name (exactly 40 lower-case hex digits).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a full object name (40 hex digits): {0:?}")]
pub struct BadObjectName(pub String);

macro_rules! object_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes exactly 40 lower-case hex digits; anything else (short names, refs, options) is refused.
            pub fn parse(text: &str) -> Result<Self, BadObjectName> {
                if text.len() == 40 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
                    Ok(Self(text.into()))
                } else {
                    Err(BadObjectName(text.chars().take(80).collect()))
                }
            }

            /// The 40 hex digits.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The first 10 digits, for messages.
            pub fn short(&self) -> &str {
                &self.0[..10]
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), &self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadObjectName;
            fn from_str(text: &str) -> Result<Self, BadObjectName> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(d)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

object_name! {
    /// The name of a commit.
    CommitId
}
object_name! {
    /// The name of a tree (a whole directory as git stores it).
    TreeId
}
object_name! {
    /// The name of a blob (the bytes of one file or the target of one symbolic link).
    BlobId
}

/// A path inside a tree: bytes separated by `/`, never starting with one, not necessarily UTF-8.
///
/// As text (`Display`, JSON) it is written plainly when it is ordinary UTF-8, and in git's quoted form
/// (`"a\nb\377"`, with the quotation marks) otherwise; reading either form back gives the same bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    /// Wraps the bytes as they are.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same bytes as a relative file-system path.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// The last component.
    pub fn file_name(&self) -> &[u8] {
        match self.0.iter().rposition(|b| *b == b'/') {
            Some(at) => &self.0[at + 1..],
            None => &self.0,
        }
    }

    /// Everything before the last component; empty at the top.
    pub fn parent(&self) -> &[u8] {
        match self.0.iter().rposition(|b| *b == b'/') {
            Some(at) => &self.0[..at],
            None => b"",
        }
    }

    /// Git's quoted form, always with quotation marks.
    pub fn quoted(&self) -> String {
        let mut out = String::with_capacity(self.0.len() + 2);
        out.push('"');
        for b in &self.0 {
            match b {
                b'"' => out.push_str("\\\""),
                b'\\' => out.push_str("\\\\"),
                b'\n' => out.push_str("\\n"),
                b'\t' => out.push_str("\\t"),
                0x20..=0x7e => out.push(char::from(*b)),
                other => out.push_str(&format!("\\{other:03o}")),
            }
        }
        out.push('"');
        out
    }

    /// Reads either written form back. A quoted form with a wrong escape is refused.
    pub fn from_text(text: &str) -> Option<Self> {
        let Some(inner) = text.strip_prefix('"') else { return Some(Self(text.as_bytes().to_vec())) };
        let inner = inner.strip_suffix('"')?.as_bytes();
        let mut out = Vec::with_capacity(inner.len());
        let mut at = 0;
        while at < inner.len() {
            if inner[at] != b'\\' {
                out.push(inner[at]);
                at += 1;
                continue;
            }
            match inner.get(at + 1)? {
                b'n' => out.push(b'\n'),
                b't' => out.push(b'\t'),
                quoted @ (b'"' | b'\\') => out.push(*quoted),
                b'0'..=b'3' => {
                    let digits = std::str::from_utf8(inner.get(at + 1..at + 4)?).ok()?;
                    out.push(u8::from_str_radix(digits, 8).ok()?);
                    at += 2;
                }
                _ => return None,
            }
            at += 2;
        }
        Some(Self(out))
    }

    fn plain(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.0).ok()?;
        (!text.starts_with('"') && !text.chars().any(char::is_control)).then_some(text)
    }
}

impl From<&str> for RepoPath {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.plain() {
            Some(text) => f.write_str(text),
            None => f.write_str(&self.quoted()),
        }
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.quoted())
    }
}

impl Serialize for RepoPath {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RepoPath {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(d)?;
        Self::from_text(&text).ok_or_else(|| serde::de::Error::custom("badly quoted path"))
    }
}

/// A person or agent as git records one. Line breaks and angle brackets are dropped when it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Shown name.
    pub name: String,
    /// Mail address.
    pub email: String,
}

impl Identity {
    /// Both parts at once.
    pub fn new(name: impl Into<String>, email: impl Into<String>) -> Self {
        Self { name: name.into(), email: email.into() }
    }

    /// The name, cleaned of what git's object format forbids, never empty.
    pub(crate) fn clean_name(&self) -> String {
        clean(&self.name, "unknown")
    }

    /// The address, cleaned likewise.
    pub(crate) fn clean_email(&self) -> String {
        clean(&self.email, "unknown@invalid")
    }
}

fn clean(text: &str, empty: &str) -> String {
    let kept: String = text.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).collect();
    // git strips these at both ends and refuses what is then empty.
    let kept = kept.trim_matches(|c: char| c.is_whitespace() || ".,:;\"\\'".contains(c));
    if kept.is_empty() { empty.to_owned() } else { kept.to_owned() }
}

/// Who signs a commit or a reflog line, and when. The clock is read by the caller, never here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The person or agent.
    pub who: Identity,
    /// Seconds since 1970-01-01 UTC; recorded with offset +0000.
    pub at: i64,
}

impl Signature {
    /// Both parts at once.
    pub fn new(who: Identity, at: i64) -> Self {
        Self { who, at: at.max(0) }
    }

    /// `Name <mail> seconds +0000`, as in a commit object.
    pub(crate) fn line(&self) -> String {
        format!("{} <{}> {} +0000", self.who.clean_name(), self.who.clean_email(), self.at.max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_names_are_whole_or_refused() {
        assert!(CommitId::parse(&"a".repeat(40)).is_ok());
        for bad in ["", "HEAD", "--all", &"A".repeat(40), &"a".repeat(39), &"a".repeat(64)] {
            assert!(CommitId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_path_survives_its_text() {
        for bytes in [
            &b"plain/a b.txt"[..],
            b"\"q\"",
            b"new\nline",
            b"tab\t\\x",
            b"\xff\x00\xc3\x28",
            "\u{e9}".as_bytes(),
        ] {
            let path = RepoPath::new(bytes);
            assert_eq!(RepoPath::from_text(&path.to_string()).as_ref(), Some(&path));
            let json = serde_json::to_string(&path).unwrap();
            assert_eq!(serde_json::from_str::<RepoPath>(&json).unwrap(), path);
        }
        assert_eq!(RepoPath::from_text("\"\\9\""), None);
    }

    #[test]
    fn identities_cannot_break_a_commit_header() {
        let s = Signature::new(Identity::new("A\n<b> ", " \n"), -5);
        assert_eq!(s.line(), "Ab <unknown@invalid> 0 +0000");
    }
}
