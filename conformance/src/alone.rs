//! A network namespace that holds nothing but the loopback interface, to which every address is led: whatever a
//! program tries to reach arrives here and can be seen, and nothing leaves the machine.

use std::fs;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType};
use rustix::thread::UnshareFlags;

/// Numbers of the kernel's routing protocol (`rtnetlink(7)`).
mod numbers {
    pub const RTM_NEWLINK: u16 = 16;
    pub const RTM_NEWROUTE: u16 = 24;
    /// A request that wants an acknowledgement.
    pub const REQUEST: u16 = 0x1 | 0x4;
    /// The same, creating what is not there.
    pub const CREATE: u16 = REQUEST | 0x400;
    pub const IFF_UP: u32 = 1;
    pub const TABLE_LOCAL: u8 = 255;
    pub const PROTOCOL_STATIC: u8 = 4;
    pub const SCOPE_HOST: u8 = 254;
    pub const TYPE_LOCAL: u8 = 2;
    pub const ATTRIBUTE_OUT_INTERFACE: u16 = 4;
}

/// The loopback interface has the first number in every network namespace.
const LOOPBACK: u32 = 1;

/// Moves this process, which must have one thread only, into such a namespace.
///
/// # Errors
/// Says in a sentence what the machine does not permit.
pub fn isolate() -> Result<(), String> {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    // SAFETY: there is one thread, and no file descriptors are unshared.
    let enter = |flags| unsafe { rustix::thread::unshare_unsafe(flags) };
    if enter(UnshareFlags::NEWNET).is_err() {
        enter(UnshareFlags::NEWUSER | UnshareFlags::NEWNET)
            .map_err(|error| format!("no network namespace is permitted here: {error}"))?;
        let map = |file: &str, text: String| {
            fs::write(format!("/proc/self/{file}"), text)
                .map_err(|error| format!("the user namespace cannot be set up: {error}"))
        };
        map("setgroups", "deny".to_owned())?;
        map("uid_map", format!("{uid} {uid} 1"))?;
        map("gid_map", format!("{gid} {gid} 1"))?;
    }
    let failed = |error| format!("the loopback interface cannot be set up: {error}");
    link_up().map_err(failed)?;
    route_everything(AddressFamily::INET).map_err(failed)?;
    // A machine without IPv6 has nowhere to phone by it.
    let _ = route_everything(AddressFamily::INET6);
    Ok(())
}

fn link_up() -> rustix::io::Result<()> {
    let mut body = vec![0; 4];
    body.extend(LOOPBACK.to_ne_bytes());
    body.extend(numbers::IFF_UP.to_ne_bytes());
    body.extend(numbers::IFF_UP.to_ne_bytes());
    ask(numbers::RTM_NEWLINK, numbers::REQUEST, &body)
}

/// `ip route add local default dev lo`: every address is one of this machine.
fn route_everything(family: AddressFamily) -> rustix::io::Result<()> {
    let family = family.as_raw() as u8;
    let mut body = vec![
        family,
        0,
        0,
        0,
        numbers::TABLE_LOCAL,
        numbers::PROTOCOL_STATIC,
        numbers::SCOPE_HOST,
        numbers::TYPE_LOCAL,
        0,
        0,
        0,
        0,
    ];
    body.extend(8_u16.to_ne_bytes());
    body.extend(numbers::ATTRIBUTE_OUT_INTERFACE.to_ne_bytes());
    body.extend(LOOPBACK.to_ne_bytes());
    ask(numbers::RTM_NEWROUTE, numbers::CREATE, &body)
}

/// One request and its acknowledgement.
fn ask(kind: u16, flags: u16, body: &[u8]) -> rustix::io::Result<()> {
    // No protocol named is number 0, which is routing.
    let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
    let mut message = Vec::new();
    message.extend((16 + body.len() as u32).to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    rustix::net::send(&socket, &message, SendFlags::empty())?;
    let mut answer = [0_u8; 4096];
    let (length, _) = rustix::net::recv(&socket, &mut answer, RecvFlags::empty())?;
    let code = answer.get(16..20).filter(|_| length >= 20).and_then(|bytes| bytes.try_into().ok());
    match code.map_or(0, i32::from_ne_bytes) {
        0 => Ok(()),
        error => Err(rustix::io::Errno::from_raw_os_error(-error)),
    }
}
