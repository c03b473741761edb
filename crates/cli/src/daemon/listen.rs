//! Where the daemon listens, and for whom: this machine alone, unless the person said otherwise.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use divisi_api::Origin;
use tokio::net::TcpListener;

use crate::config::RemoteConfig;
use crate::dirs::Dirs;
use crate::env_vars;
use crate::errors::{CommandError, Done, ErrorKind};

/// The usual port, so that bookmarks, cookies and installed pages outlive the daemon.
const PORT_USUAL: u16 = 4519;

/// What was said about listening. Options of the command count before the environment, and that before the settings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listen {
    /// The port; 0 is the one it had last, or a free one.
    pub(crate) port: Option<u16>,
    /// What other machines may do; none where they may do nothing.
    pub(crate) remote: Option<RemoteConfig>,
}

/// A listener, and where people reach it from elsewhere.
pub(super) struct Listening {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) origins: Vec<Origin>,
}

/// Ports that are tried in turn.
#[derive(Debug, PartialEq, Eq)]
enum Ports {
    /// This one or none.
    Only(u16),
    /// The first that is free, and else any.
    Try(Vec<u16>),
}

impl Listen {
    /// Listens there.
    pub(super) async fn bind(&self, dirs: &Dirs) -> Done<Listening> {
        let place = self.place()?;
        let said = self.port.or_else(|| env_vars::text(env_vars::DIVISI_PORT)?.parse().ok());
        let usual = env_vars::text(env_vars::DIVISI_HOME).is_none();
        let last = std::fs::read_to_string(dirs.last_port()).ok().and_then(|text| text.trim().parse().ok());
        let listener = bind(place.host, ports(said, last, usual)).await?;
        let address = listener.local_addr().map_err(|error| cannot("cannot listen").because(&error))?;
        // Without it the next daemon takes another port, and nothing worse.
        let _ = std::fs::write(dirs.last_port(), format!("{}\n", address.port()));
        let origins = match place.origins.is_empty() && self.remote.is_some() {
            true => vec![origin(&format!("http://{address}"))?],
            false => place.origins,
        };
        Ok(Listening { listener, address, origins })
    }

    fn place(&self) -> Done<Place> {
        let Some(remote) = &self.remote else {
            return Ok(Place { host: Ipv4Addr::LOCALHOST.into(), origins: Vec::new() });
        };
        remote.place()
    }
}

/// An address to listen at, and the names of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    host: IpAddr,
    origins: Vec<Origin>,
}

impl RemoteConfig {
    /// What is laid over it by the options of the command.
    pub(crate) fn with(self, host: Option<String>, origins: Vec<String>, insecure_http: bool) -> Self {
        Self {
            host: host.or(self.host),
            origins: if origins.is_empty() { self.origins } else { origins },
            insecure_http: insecure_http || self.insecure_http,
        }
    }

    /// Where to listen. Plain HTTP to another machine tells everybody on the way what is sent, cookies first of all, so
    /// it has to be said aloud.
    pub(crate) fn place(&self) -> Done<Place> {
        let host = self.host.as_deref().unwrap_or("127.0.0.1");
        let host: IpAddr = host.parse().map_err(|_| {
            wrong(
                format!("`{host}` is no address to listen at"),
                "127.0.0.1, 0.0.0.0, or one of this machine's own",
            )
        })?;
        let origins = self.origins.iter().map(|text| origin(text)).collect::<Done<Vec<_>>>()?;
        let guide = "docs/guides/phone.md has recipes; --insecure-http does it nevertheless";
        if let Some(plain) = origins.iter().find(|origin| !origin.is_secure())
            && !self.insecure_http
        {
            return Err(wrong(format!("{plain} is plain HTTP: everybody on the way can read along"), guide));
        }
        if origins.is_empty() && (host.is_loopback() || host.is_unspecified()) {
            let hint = "name it as a browser writes it: --origin https://divisi.example.net";
            return Err(wrong("nobody knows by which name other machines reach Divisi", hint));
        }
        if origins.is_empty() && !self.insecure_http {
            let message = format!("without HTTPS in front of {host} everybody on the way can read along");
            return Err(wrong(message, format!("--origin https://… names the proxy that has it; {guide}")));
        }
        Ok(Place { host, origins })
    }
}

fn ports(said: Option<u16>, last: Option<u16>, usual: bool) -> Ports {
    match said {
        Some(port) if port > 0 => Ports::Only(port),
        Some(_) => Ports::Try(last.into_iter().collect()),
        None => Ports::Try(last.into_iter().chain(usual.then_some(PORT_USUAL)).collect()),
    }
}

async fn bind(host: IpAddr, ports: Ports) -> Done<TcpListener> {
    let tried = match ports {
        Ports::Only(port) => TcpListener::bind((host, port)).await,
        Ports::Try(wanted) => {
            for port in wanted {
                if let Ok(listener) = TcpListener::bind((host, port)).await {
                    return Ok(listener);
                }
            }
            return TcpListener::bind((host, 0))
                .await
                .map_err(|error| cannot(&format!("cannot listen at {host}")).because(&error));
        }
    };
    tried.map_err(|error| {
        let Ports::Only(port) = ports else { return cannot("cannot listen").because(&error) };
        cannot(&format!("cannot listen on port {port} of {host}")).because(&error)
    })
}

fn origin(text: &str) -> Done<Origin> {
    let hint =
        "write scheme and name, and the port where it is not the usual one: https://divisi.example.net";
    text.parse().map_err(|error: divisi_api::OriginError| wrong(error.to_string(), hint))
}

fn wrong(message: impl Into<String>, hint: impl Into<String>) -> CommandError {
    CommandError::new(ErrorKind::Config, message, hint)
}

fn cannot(message: &str) -> CommandError {
    CommandError::new(ErrorKind::Daemon, message, "divisi doctor looks for the cause")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(host: Option<&str>, origins: &[&str], insecure_http: bool) -> Result<usize, String> {
        let host = host.map(str::to_owned);
        let origins = origins.iter().map(|text| (*text).to_owned()).collect();
        let remote = RemoteConfig::default().with(host, origins, insecure_http);
        remote.place().map(|place| place.origins.len()).map_err(|error| error.message)
    }

    #[test]
    fn plain_http_leaves_the_machine_only_when_it_was_said_aloud() {
        let (https, http) = ("https://divisi.example.net", "http://10.0.0.5:4519");
        for (host, origins, insecure, wanted) in [
            (None, &[https][..], false, true),
            (Some("10.0.0.5"), &[https], false, true),
            (Some("0.0.0.0"), &[https], false, true),
            (Some("10.0.0.5"), &[], true, true),
            (Some("10.0.0.5"), &[http], true, true),
            (Some("10.0.0.5"), &[], false, false),
            (Some("10.0.0.5"), &[http], false, false),
            (Some("10.0.0.5"), &[https, http], false, false),
            (Some("0.0.0.0"), &[], true, false),
            (None, &[], false, false),
            (None, &[], true, false),
            (Some("divisi.example.net"), &[https], false, false),
            (None, &["divisi.example.net"], false, false),
        ] {
            assert_eq!(place(host, origins, insecure).is_ok(), wanted, "{host:?} {origins:?} {insecure}");
        }
    }

    #[test]
    fn the_port_stays_what_it_was() {
        assert_eq!(ports(Some(8080), Some(1), true), Ports::Only(8080));
        assert_eq!(ports(None, None, true), Ports::Try(vec![PORT_USUAL]));
        assert_eq!(ports(None, Some(40123), true), Ports::Try(vec![40123, PORT_USUAL]));
        assert_eq!(ports(None, None, false), Ports::Try(vec![]), "another home is another daemon");
        assert_eq!(ports(Some(0), Some(40123), true), Ports::Try(vec![40123]));
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_passed_over_unless_it_was_named() {
        let host = Ipv4Addr::LOCALHOST.into();
        let taken = bind(host, Ports::Try(vec![])).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let other = bind(host, Ports::Try(vec![port])).await.unwrap();
        assert_ne!(other.local_addr().unwrap().port(), port);
        assert!(bind(host, Ports::Only(port)).await.is_err());
    }
}
