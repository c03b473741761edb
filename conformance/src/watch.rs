//! Sees what programs in the namespace try to reach, and answers questions for names with "there is no such name".

use std::collections::BTreeSet;
use std::net::{IpAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::net::{AddressFamily, RecvFlags, SocketType, eth};

/// Where the machine's resolver is written down.
const RESOLVERS: &str = "/etc/resolv.conf";
/// The port of name servers.
const NAMES: u16 = 53;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// Names and addresses that something tried to reach.
#[derive(Clone, Default)]
pub struct Watch {
    seen: Arc<Mutex<BTreeSet<String>>>,
}

impl Watch {
    /// Begins to look. Needs a namespace made by [`crate::alone::isolate`].
    ///
    /// # Errors
    /// Says in a sentence why nothing could be seen.
    pub fn start() -> Result<Self, String> {
        let watch = Self::default();
        let packets = rustix::net::socket(AddressFamily::PACKET, SocketType::DGRAM, Some(eth::ALL))
            .map_err(|error| format!("the traffic cannot be seen: {error}"))?;
        let looking = watch.clone();
        std::thread::spawn(move || {
            let mut packet = vec![0_u8; 65_536];
            while let Ok((length, _)) = rustix::net::recv(&packets, &mut packet[..], RecvFlags::empty()) {
                if let Some(place) = place_in(&packet[..length.min(65_536)]) {
                    looking.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(place);
                }
            }
        });
        let text = std::fs::read_to_string(RESOLVERS).unwrap_or_default();
        for server in text.lines().filter_map(|line| line.strip_prefix("nameserver")) {
            if let Ok(address) = server.trim().parse::<IpAddr>()
                && let Ok(socket) = UdpSocket::bind((address, NAMES))
            {
                std::thread::spawn(move || answer(&socket));
            }
        }
        Ok(watch)
    }

    /// What was tried so far, in words for people.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Says of every name that there is none.
fn answer(socket: &UdpSocket) {
    let mut question = [0_u8; 1500];
    while let Ok((length, from)) = socket.recv_from(&mut question) {
        if length >= 12 {
            // An answer, recursion available, and the code for a name that does not exist.
            (question[2], question[3]) = (question[2] | 0x80, 0x83);
            // A client that is gone needs no answer.
            drop(socket.send_to(&question[..length], from));
        }
    }
}

/// What an IP packet wants to reach outside the loopback network: the beginning of a connection, or a datagram.
fn place_in(packet: &[u8]) -> Option<String> {
    let (protocol, to, body) = match packet.first()? >> 4 {
        4 => {
            let length = usize::from(packet[0] & 0xf) * 4;
            let to: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
            (*packet.get(9)?, IpAddr::from(to), packet.get(length..)?)
        }
        6 => {
            let to: [u8; 16] = packet.get(24..40)?.try_into().ok()?;
            (*packet.get(6)?, IpAddr::from(to), packet.get(40..)?)
        }
        _ => return None,
    };
    let port = u16::from_be_bytes(body.get(2..4)?.try_into().ok()?);
    match protocol {
        // The answers of name servers.
        UDP if body.get(..2)? == NAMES.to_be_bytes() => None,
        UDP if port == NAMES => name_in(body.get(8..)?).map(|name| format!("the name {name}")),
        _ if to.is_loopback() || to.is_multicast() => None,
        UDP => Some(format!("{to}, UDP port {port}")),
        TCP if body.get(13)? & 0x12 == 0x02 => Some(format!("{to}, port {port}")),
        _ => None,
    }
}

/// The name that a question is about.
fn name_in(message: &[u8]) -> Option<String> {
    if message.get(2)? & 0x80 != 0 {
        return None;
    }
    let (mut at, mut labels) = (12, Vec::new());
    loop {
        let length = usize::from(*message.get(at)?);
        if length == 0 {
            return (!labels.is_empty()).then(|| labels.join("."));
        }
        labels.push(String::from_utf8_lossy(message.get(at + 1..at + 1 + length)?).to_lowercase());
        at += 1 + length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(protocol: u8, to: [u8; 4], port: u16, rest: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45; 20];
        packet[9] = protocol;
        packet[16..20].copy_from_slice(&to);
        packet.extend([0x80, 0x00]);
        packet.extend(port.to_be_bytes());
        packet.extend(rest);
        packet
    }

    #[test]
    fn beginnings_of_connections_and_questions_for_names_are_seen() {
        let syn = |flags: u8| [0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 0, 0];
        assert_eq!(place_in(&packet(TCP, [9, 9, 9, 9], 443, &syn(2))), Some("9.9.9.9, port 443".into()));
        assert_eq!(place_in(&packet(TCP, [9, 9, 9, 9], 443, &syn(0x12))), None, "the answer to it");
        assert_eq!(place_in(&packet(TCP, [127, 0, 0, 1], 443, &syn(2))), None);
        let mut question = vec![0, 0, 0, 0];
        question.extend([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        question.extend(b"\x03API\x07example\x00\x00\x01\x00\x01");
        assert_eq!(place_in(&packet(UDP, [10, 0, 0, 1], 53, &question)), Some("the name api.example".into()));
        assert_eq!(
            place_in(&packet(UDP, [127, 0, 0, 53], 53, &question)),
            Some("the name api.example".into())
        );
        for length in 0..40 {
            place_in(&packet(UDP, [10, 0, 0, 1], 53, &question)[..length]);
        }
    }
}
