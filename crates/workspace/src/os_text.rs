//! Operating-system strings in JSON: text where they are text, a list of bytes where they are not.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Bytes(Vec<u8>),
}

impl Text {
    fn of(text: &std::ffi::OsStr) -> Text {
        match text.to_str() {
            Some(plain) => Text::Plain(plain.to_owned()),
            None => Text::Bytes(text.as_bytes().to_vec()),
        }
    }

    fn into_os(self) -> OsString {
        match self {
            Text::Plain(plain) => plain.into(),
            Text::Bytes(bytes) => OsString::from_vec(bytes),
        }
    }
}

/// For a `PathBuf`.
pub(crate) mod path {
    use std::path::{Path, PathBuf};

    use super::*;

    pub(crate) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        Text::of(path.as_os_str()).serialize(to)
    }

    pub(crate) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<PathBuf, D::Error> {
        Ok(Text::deserialize(from)?.into_os().into())
    }
}

/// For a `Vec<OsString>`.
pub(crate) mod list {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(list: &[OsString], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(list.iter().map(|text| Text::of(text)))
    }

    pub(crate) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Vec<OsString>, D::Error> {
        Ok(Vec::<Text>::deserialize(from)?.into_iter().map(Text::into_os).collect())
    }
}

/// For a `Vec<PathBuf>`.
pub(crate) mod paths {
    use std::path::PathBuf;

    use super::*;

    pub(crate) fn serialize<S: Serializer>(list: &[PathBuf], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(list.iter().map(|path| Text::of(path.as_os_str())))
    }

    pub(crate) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Vec<PathBuf>, D::Error> {
        Ok(Vec::<Text>::deserialize(from)?.into_iter().map(|text| text.into_os().into()).collect())
    }
}

/// For an `Option<PathBuf>`.
pub(crate) mod path_if_any {
    use std::path::PathBuf;

    use super::*;

    pub(crate) fn serialize<S: Serializer>(path: &Option<PathBuf>, to: S) -> Result<S::Ok, S::Error> {
        path.as_ref().map(|path| Text::of(path.as_os_str())).serialize(to)
    }

    pub(crate) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Option<PathBuf>, D::Error> {
        Ok(Option::<Text>::deserialize(from)?.map(|text| text.into_os().into()))
    }
}

/// For a `BTreeMap<OsString, OsString>`, as a list of pairs: a JSON key can only be text.
pub(crate) mod map {
    use std::collections::BTreeMap;

    use super::*;

    type Map = BTreeMap<OsString, OsString>;

    pub(crate) fn serialize<S: Serializer>(map: &Map, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(map.iter().map(|(name, value)| (Text::of(name), Text::of(value))))
    }

    pub(crate) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Map, D::Error> {
        let pairs = Vec::<(Text, Text)>::deserialize(from)?;
        Ok(pairs.into_iter().map(|(name, value)| (name.into_os(), value.into_os())).collect())
    }
}
