//! Who may enter with a browser: one-time codes, the devices they let in, and the names under which we answer.
//!
//! Nothing here is a decision about a task. What has to outlive the daemon is kept by whoever composes it, through
//! [`Keep`]; only hashes of secrets are given to it.

mod book;
mod codes;
mod cookie;
mod names;
mod wrong;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fast_qr::{ECL, QRBuilder};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::types::{DeviceKind, DeviceView, EnterRequest, EntryRequest, EntryView, Problem, ProblemKind};
use book::{Book, Device};
use codes::Codes;
pub(crate) use names::Names;
pub use names::{Origin, OriginError};
use wrong::WrongCodes;

/// Longest name of a device, in characters.
const NAME_CHARS_MAX: usize = 60;

/// Keeps the list of devices from one run of the daemon to the next.
pub trait Keep: Send + Sync {
    /// What was kept last; none if nothing ever was.
    fn load(&self) -> std::io::Result<Option<Vec<u8>>>;
    /// Keeps this instead, all of it or nothing.
    fn save(&self, bytes: &[u8]) -> std::io::Result<()>;
}

/// Who may enter. Clones share it.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    names: Names,
    port: u16,
    keep: Arc<dyn Keep>,
    /// Held while the list is kept, so that the newest is written last.
    keeping: Mutex<()>,
    state: Mutex<State>,
}

struct State {
    book: Book,
    codes: Codes,
    wrong: WrongCodes,
}

/// A device that was recognised.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) id: Uuid,
    pub(crate) kind: DeviceKind,
    /// Its name, if it is a paired one and so not the owner's own.
    pub(crate) away: Option<String>,
    /// Cancelled in the moment in which the device is revoked.
    pub(crate) revoked: CancellationToken,
}

/// A browser that was let in just now.
pub(crate) struct Entered {
    pub(crate) device: DeviceView,
    /// The value of the header `Set-Cookie`.
    pub(crate) cookie: String,
}

impl Access {
    /// Takes up the list of devices. The daemon listens at `address`; `origins` are where else people reach it.
    ///
    /// # Errors
    /// When what was kept cannot be read, or there is no randomness.
    pub fn open(keep: Arc<dyn Keep>, address: SocketAddr, origins: &[Origin]) -> std::io::Result<Self> {
        let kept = keep.load()?;
        let book = match &kept {
            Some(bytes) => Book::read(bytes)?,
            None => Book::new(random::<4>()?),
        };
        let names = Names::new(&book.host, address.port(), origins);
        let state = State { book, codes: Codes::default(), wrong: WrongCodes::default() };
        let inner =
            Inner { names, port: address.port(), keep, keeping: Mutex::new(()), state: Mutex::new(state) };
        if kept.is_none() {
            inner.save()?;
        }
        Ok(Self(Arc::new(inner)))
    }

    /// A code that lets one browser in, once, for some minutes.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn entry(&self, request: &EntryRequest) -> Result<EntryView, Problem> {
        let code = random::<32>().map_err(|error| internal(&error))?;
        let now = Timestamp::now();
        let name = request.name.as_deref().map(clean_name).filter(|name| !name.is_empty());
        let expires = self.0.state().codes.add(digest(&code), request.kind, name, now);
        let (base, remote) = self.0.names.link_base(request.kind);
        let link = format!("{base}/enter#{code}");
        Ok(EntryView { qr: qr(&link)?, link, code, remote, expires })
    }

    pub(crate) fn names(&self) -> &Names {
        &self.0.names
    }

    /// Takes a code for a cookie. A browser that was in already comes in anew, and what it was before is forgotten.
    pub(crate) async fn enter(
        &self,
        request: &EnterRequest,
        cookies: &[&str],
        address: Option<IpAddr>,
        secure: bool,
    ) -> Result<Entered, Problem> {
        let secret = random::<32>().map_err(|error| internal(&error))?;
        let now = Timestamp::now();
        let before = cookie::value(cookies, self.0.port).map(digest);
        let device = {
            let mut state = self.0.state();
            if state.wrong.is_over(address, now) {
                let hint = "wait a minute, then ask for a new link: divisi open, or divisi pair";
                return Err(Problem::new(ProblemKind::Limit, "there were too many wrong codes", hint));
            }
            let Some(code) = state.codes.take(&digest(&request.code), now) else {
                state.wrong.count(address, now);
                let hint = "a link can be used once, within ten minutes: divisi open, or divisi pair, makes a new one";
                return Err(Problem::new(
                    ProblemKind::Unauthorized,
                    "this link was used, or is too old",
                    hint,
                ));
            };
            if let Some(before) = before {
                state.book.forget(&before);
            }
            let said = request.name.as_deref().map(clean_name).filter(|name| !name.is_empty());
            let name = code.name.or(said).unwrap_or_else(|| "browser".to_owned());
            state.book.add(name, code.kind, digest(&secret), address, now)
        };
        self.kept().await?;
        let cookie = cookie::set(self.0.port, &secret, secure);
        Ok(Entered { device: DeviceView { current: true, ..device }, cookie })
    }

    /// The device whose cookie is among these.
    pub(crate) fn recognise(&self, cookies: &[&str], address: Option<IpAddr>) -> Option<Known> {
        let secret = digest(cookie::value(cookies, self.0.port)?);
        let (known, stale) = self.0.state().book.seen(&secret, address, Timestamp::now())?;
        if stale {
            let inner = Arc::clone(&self.0);
            // Nobody waits for it: when a device was last seen is no promise.
            tokio::task::spawn_blocking(move || {
                inner.save().inspect_err(|error| tracing::warn!(%error, "the list of devices was not kept"))
            });
        }
        Some(known)
    }

    /// All devices, the one that was seen last first; `current` is the one that asks.
    pub(crate) fn devices(&self, current: Option<Uuid>) -> Vec<DeviceView> {
        let mut devices: Vec<_> = self.0.state().book.devices(Timestamp::now()).map(Device::view).collect();
        devices.sort_by_key(|device| std::cmp::Reverse(device.last_seen));
        devices
            .into_iter()
            .map(|device| DeviceView { current: current == Some(device.id), ..device })
            .collect()
    }

    /// Whether a device is let in still.
    pub fn knows(&self, device: Uuid) -> bool {
        let mut state = self.0.state();
        let mut devices = state.book.devices(Timestamp::now());
        devices.any(|one| one.id() == device)
    }

    /// Lets a device in no longer; what it follows ends at once.
    pub(crate) async fn revoke(&self, id: Uuid) -> Result<(), Problem> {
        if !self.0.state().book.revoke(id) {
            return Err(Problem::not_found("there is no such device", "divisi devices lists them"));
        }
        self.kept().await
    }

    async fn kept(&self) -> Result<(), Problem> {
        let inner = Arc::clone(&self.0);
        let saved = tokio::task::spawn_blocking(move || inner.save()).await;
        saved.map_err(|error| internal(&error))?.map_err(|error| internal(&error))
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn save(&self) -> std::io::Result<()> {
        let _keeping = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = self.state().book.write()?;
        self.keep.save(&bytes)
    }
}

/// The rows of a QR code.
fn qr(link: &str) -> Result<Vec<String>, Problem> {
    let code = QRBuilder::new(link).ecl(ECL::L).build();
    let code = code.map_err(|_| {
        let hint = "name a shorter origin";
        Problem::new(ProblemKind::Internal, "the link is too long for a QR code", hint)
    })?;
    let row = |y: usize| code[y].iter().map(|module| if module.value() { '1' } else { '0' }).collect();
    Ok((0..code.size).map(row).collect())
}

/// What is kept of a secret, and compared: a hash tells nothing about what differs.
fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// Random bytes that nobody can guess, in hex.
pub(crate) fn random<const N: usize>() -> std::io::Result<String> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A name as it may be shown: one line of visible characters.
fn clean_name(name: &str) -> String {
    let words: Vec<_> = name.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect()
}

fn internal(error: &dyn std::error::Error) -> Problem {
    let hint = "see whether Divisi's state folder can be written";
    Problem::new(ProblemKind::Internal, format!("the list of devices cannot be kept: {error}"), hint)
}
