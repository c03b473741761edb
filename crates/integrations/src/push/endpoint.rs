//! The address at a service that a browser gave. It is hostile input: whoever was let in can name any.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hyper::Uri;

/// Longest address; those of the services have some hundred characters.
const LENGTH_MAX: usize = 2048;
/// The prefix by which networks without IPv4 reach it (RFC 6052).
const NAT64: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

/// An address that may be asked.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    uri: Uri,
    local: bool,
}

impl Endpoint {
    /// None unless it is HTTPS to a name. `local` also lets plain HTTP and this machine's own networks be asked.
    pub(super) fn parse(text: &str, local: bool) -> Option<Self> {
        if text.len() > LENGTH_MAX {
            return None;
        }
        let uri: Uri = text.parse().ok()?;
        let secure = uri.scheme_str() == Some("https");
        let authority = uri.authority()?;
        let host = authority.host();
        let named = host.parse::<IpAddr>().is_err() && !host.starts_with('[') && host.contains('.');
        let plain = !authority.as_str().contains('@') && !host.is_empty();
        let allowed = local && uri.scheme_str() == Some("http") || secure && (named || local);
        (allowed && plain).then_some(Self { uri, local })
    }

    /// Path and query, as a request names them.
    pub(super) fn target(&self) -> &str {
        self.uri.path_and_query().map_or("/", |target| target.as_str())
    }

    /// Name, and the port where it is not the usual one.
    pub(super) fn authority(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }

    /// The name alone.
    pub(super) fn host(&self) -> &str {
        self.uri.host().unwrap_or("").trim_matches(['[', ']'])
    }

    /// Whether it is HTTPS.
    pub(super) fn is_secure(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// Scheme, name and port: whom a signed word is for.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", if self.is_secure() { "https" } else { "http" }, self.authority())
    }

    /// Where it leads now. A name that leads into this machine or its network leads nowhere, whoever made it so.
    pub(super) async fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        let port = self.uri.port_u16().unwrap_or(if self.is_secure() { 443 } else { 80 });
        let found = tokio::net::lookup_host((self.host(), port)).await?;
        let allowed: Vec<_> = found.filter(|address| self.local || is_public(address.ip())).collect();
        if allowed.is_empty() {
            return Err(std::io::Error::other("its name leads to no address in the internet"));
        }
        Ok(allowed)
    }
}

/// Whether an address belongs to somebody in the internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let special = a == 0 || a >= 224 || (a, b, c) == (192, 0, 0) || (a == 198 && (b == 18 || b == 19));
    let own = address.is_private() || address.is_loopback() || address.is_link_local();
    !(shared || special || own || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    if parts[..6] == NAT64 {
        let [.., a, b, c, d] = address.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // Tunnels carry any address of IPv4 in them.
    let tunnel = parts[0] == 0x2002 || parts[..2] == [0x2001, 0];
    let documentation = parts[..2] == [0x2001, 0xdb8];
    (0x2000..0x4000).contains(&parts[0]) && !tunnel && !documentation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_https_are_asked() {
        for (text, usual, local) in [
            ("https://fcm.googleapis.com/fcm/send/abc:def?x=1", true, true),
            ("https://push.example.net:8443/a", true, true),
            ("http://push.example.net/a", false, true),
            ("http://127.0.0.1:9000/a", false, true),
            ("https://127.0.0.1/a", false, true),
            ("https://[::1]/a", false, true),
            ("https://localhost/a", false, true),
            ("https://2130706433/a", false, true),
            ("https://ada:secret@push.example.net/a", false, false),
            ("ftp://push.example.net/a", false, false),
            ("file:///etc/passwd", false, false),
            ("/v2/abc", false, false),
            ("", false, false),
        ] {
            assert_eq!(Endpoint::parse(text, false).is_some(), usual, "{text}");
            assert_eq!(Endpoint::parse(text, true).is_some(), local, "{text} where local ones may be asked");
        }
        assert!(
            Endpoint::parse(&format!("https://push.example.net/{}", "a".repeat(LENGTH_MAX)), false).is_none()
        );
    }

    #[test]
    fn parts_are_those_of_the_address() {
        let endpoint = Endpoint::parse("https://push.example.net:8443/a/b?c=d", false).unwrap();
        assert_eq!((endpoint.target(), endpoint.host()), ("/a/b?c=d", "push.example.net"));
        assert_eq!(endpoint.origin(), "https://push.example.net:8443");
    }

    #[test]
    fn addresses_of_this_machine_and_its_network_are_not_the_internet() {
        for (text, wanted) in [
            ("8.8.8.8", true),
            ("100.63.0.1", true),
            ("2a00:1450:4001::1", true),
            ("64:ff9b::808:808", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("224.0.0.1", false),
            ("198.18.0.1", false),
            ("::1", false),
            ("::", false),
            ("::ffff:127.0.0.1", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("ff02::1", false),
            ("2002:7f00:1::", false),
            ("2001:db8::1", false),
            ("64:ff9b::7f00:1", false),
        ] {
            assert_eq!(is_public(text.parse().unwrap()), wanted, "{text}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_home_is_not_asked() {
        // Names below `.localhost` lead to loopback wherever they are looked up at all.
        let endpoint = Endpoint::parse("https://push.localhost/a", false).unwrap();
        assert!(endpoint.addresses().await.is_err());
        let number = Endpoint { uri: "https://2130706433/a".parse().unwrap(), local: false };
        assert!(number.addresses().await.is_err());
    }
}
