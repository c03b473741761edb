//! A stable block of ports per attempt, so that twenty development servers do not fight over 3000.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use serde::{Deserialize, Serialize};

/// How ports are dealt out. The default lies below the range that systems use for outgoing connections
/// (32768 and up on Linux).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortPlan {
    /// First port of slot 0.
    pub first: u16,
    /// Ports per slot.
    pub per_slot: u16,
    /// Number of slots.
    pub slots: u16,
}

impl Default for PortPlan {
    fn default() -> Self {
        Self { first: 20_000, per_slot: 10, slots: 1_200 }
    }
}

/// The ports of one attempt: `first`, `first + 1` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortBlock {
    /// The main port.
    pub first: u16,
    /// How many there are.
    pub count: u16,
}

impl PortPlan {
    /// The ports of a slot; nothing if there is no such slot. The same slot has the same ports for ever.
    pub fn block(&self, slot: u16) -> Option<PortBlock> {
        let first = self.first.checked_add(slot.checked_mul(self.per_slot)?)?;
        first.checked_add(self.per_slot.checked_sub(1)?)?;
        (slot < self.slots).then_some(PortBlock { first, count: self.per_slot })
    }

    /// The lowest slot that is neither taken by another attempt nor has a port in use on this machine.
    pub fn free_slot(&self, taken: &[u16]) -> Option<u16> {
        (0..self.slots)
            .filter(|slot| !taken.contains(slot))
            .find(|slot| self.block(*slot).is_some_and(|b| b.is_free()))
    }
}

impl PortBlock {
    /// All its ports.
    pub fn ports(&self) -> impl Iterator<Item = u16> + use<> {
        self.first..self.first.saturating_add(self.count)
    }

    /// True if nobody listens on any of them at the moment, on the loopback addresses or on all.
    pub fn is_free(&self) -> bool {
        self.ports().all(|port| {
            let free = |address: SocketAddr| match TcpListener::bind(address) {
                Ok(_) => true,
                // A machine without IPv6 has nobody listening there.
                Err(e) => {
                    e.kind() == std::io::ErrorKind::AddrNotAvailable
                        || e.raw_os_error() == Some(libc::EAFNOSUPPORT)
                }
            };
            free((Ipv4Addr::UNSPECIFIED, port).into()) && free((Ipv6Addr::LOCALHOST, port).into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_do_not_overlap_and_end_in_time() {
        let plan = PortPlan::default();
        let (a, b) = (plan.block(0).unwrap(), plan.block(1).unwrap());
        assert_eq!(a.ports().last().unwrap() + 1, b.first);
        assert_eq!(plan.block(1_200), None);
        assert!(plan.block(1_199).unwrap().ports().last().unwrap() < 32_768);
        assert_eq!(PortPlan { first: 65_530, per_slot: 10, slots: 3 }.block(0), None);
    }

    #[test]
    fn a_port_in_use_takes_its_block_out() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = held.local_addr().unwrap().port();
        assert!(!PortBlock { first: port, count: 1 }.is_free());
    }
}
