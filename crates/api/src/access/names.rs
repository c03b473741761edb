//! The names under which we answer. Any other Host means that somebody else's name was made to point here.

use std::str::FromStr;

use reqwest::Url;

use crate::types::DeviceKind;

/// Where a browser reaches the daemon: scheme, host, and port where it is not the usual one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// As browsers write it: `https://divisi.example.net`.
    text: String,
    secure: bool,
}

/// A text is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no origin")]
pub struct OriginError(String);

impl Origin {
    /// Whether it is reached by HTTPS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    fn host(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, host)| host)
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let wrong = || OriginError(text.to_owned());
        let url = Url::parse(text).map_err(|_| wrong())?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let nobody = url.username().is_empty() && url.password().is_none();
        let secure = url.scheme() == "https";
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_[]:".contains(c);
        let named = url.host_str().is_some_and(|host| host.chars().all(plain));
        if !(bare && nobody && named && (secure || url.scheme() == "http")) {
            return Err(wrong());
        }
        Ok(Self { text: url.origin().ascii_serialization(), secure })
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// All names.
pub(crate) struct Names {
    local: Vec<Origin>,
    remote: Vec<Origin>,
}

impl Names {
    /// The names of a daemon at this port. Browsers of this machine are sent to `LABEL.localhost`, which they look for at
    /// loopback: a cookie of 127.0.0.1 or localhost would go to every other server there too, such as one that an agent
    /// has started and that a person looks at. The label is not known to them, so they cannot lead a person there either.
    pub(super) fn new(label: &str, port: u16, origins: &[Origin]) -> Self {
        let own = format!("{label}.localhost");
        let local = [own.as_str(), "127.0.0.1", "localhost", "[::1]"]
            .map(|host| Origin { text: format!("http://{host}:{port}"), secure: false });
        Self { local: local.into(), remote: origins.to_vec() }
    }

    /// Whether a Host is ours.
    pub(crate) fn has_host(&self, host: &str) -> bool {
        self.all().any(|ours| ours.host().eq_ignore_ascii_case(host))
    }

    /// The origin of ours that this is.
    pub(crate) fn origin(&self, origin: &str) -> Option<&Origin> {
        self.all().find(|ours| ours.text == origin)
    }

    /// Whether a proxy with HTTPS stands before us.
    pub(crate) fn is_behind_proxy(&self) -> bool {
        self.remote.iter().any(Origin::is_secure)
    }

    /// Where a link for such a device leads, and whether another machine can follow it.
    pub(super) fn link_base(&self, kind: DeviceKind) -> (&str, bool) {
        let remote = self.remote.first().filter(|_| kind == DeviceKind::Paired);
        let local = self.local.first().map_or("", |own| own.text.as_str());
        remote.map_or((local, false), |origin| (origin.text.as_str(), true))
    }

    fn all(&self) -> impl Iterator<Item = &Origin> {
        self.local.iter().chain(&self.remote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (text, wanted) in [
            ("https://divisi.example.net", Some("https://divisi.example.net")),
            ("https://Divisi.Example.net:443/", Some("https://divisi.example.net")),
            ("http://10.0.0.5:4519", Some("http://10.0.0.5:4519")),
            ("https://divisi.example.net/path", None),
            ("https://ada@divisi.example.net", None),
            ("ftp://divisi.example.net", None),
            ("divisi.example.net", None),
            ("https://*", None),
            ("", None),
        ] {
            let read = text.parse::<Origin>().ok().map(|origin| origin.to_string());
            assert_eq!(read.as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn links_lead_where_the_device_is() {
        let names = |origins: &[Origin]| Names::new("divisi-1f", 4519, origins);
        let away: Origin = "https://divisi.example.net".parse().unwrap();
        let own = "http://divisi-1f.localhost:4519";
        assert_eq!(names(&[]).link_base(DeviceKind::Owner), (own, false));
        assert_eq!(names(&[]).link_base(DeviceKind::Paired), (own, false));
        let both = names(&[away]);
        assert_eq!(both.link_base(DeviceKind::Owner), (own, false));
        assert_eq!(both.link_base(DeviceKind::Paired), ("https://divisi.example.net", true));
        assert!(both.has_host("divisi.example.net") && both.has_host("divisi-1f.localhost:4519"));
        assert!(!both.has_host("divisi.example.net:4519") && !both.has_host("other.localhost:4519"));
        assert!(both.is_behind_proxy() && !names(&[]).is_behind_proxy());
    }
}
