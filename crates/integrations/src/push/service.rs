//! Subscribing, and everything that is kept of it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use divisi_engine::Handle;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::book::{Book, Choices, Entry, Subscribed};
use super::encrypt::Browser;
use super::endpoint::Endpoint;
use super::keys::Keys;
use super::message::Message;
use super::send::{Post, Sender, Sent};
use super::teller;

/// A page that said that it is looked at is believed so long; it says so again meanwhile.
const LOOKS: Duration = Duration::from_secs(60);

/// Keeps bytes from one run of the daemon to the next, so that only the person can read them.
pub trait Keep: Send + Sync {
    /// What was kept last; none if nothing ever was.
    fn load(&self) -> std::io::Result<Option<Vec<u8>>>;
    /// Keeps this instead, all of it or nothing.
    fn save(&self, bytes: &[u8]) -> std::io::Result<()>;
}

/// What the service of notices is given.
pub struct Options {
    /// Keeps the key of this daemon.
    pub key: Arc<dyn Keep>,
    /// Keeps the subscriptions.
    pub subscriptions: Arc<dyn Keep>,
    /// Whom a push service may turn to: `mailto:…` or `https://…`.
    pub subject: String,
    /// Whether services without HTTPS, or in this machine's own networks, may be asked.
    pub local: bool,
    /// Whether a device is let in still.
    pub is_known: Box<dyn Fn(Uuid) -> bool + Send + Sync>,
}

/// What a browser gives when it subscribes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The address at the service.
    pub endpoint: String,
    /// The browser's public key, in base64url.
    pub p256dh: String,
    /// The secret that goes with it, in base64url.
    pub auth: String,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// What the browser gave cannot be used.
    #[error("{0}")]
    Unusable(&'static str),
    /// There are as many subscriptions as there may be.
    #[error("there are too many subscriptions")]
    Full,
    /// The device is not subscribed.
    #[error("this browser is not subscribed")]
    NotSubscribed,
    /// The push service did not take it.
    #[error("the push service did not take the notice: {0}")]
    Service(String),
    /// The subscription no longer exists at the push service.
    #[error("the push service no longer knows this browser")]
    Gone,
    /// Something could not be kept or read.
    #[error("what is kept for notices cannot be read or written")]
    Kept(#[from] std::io::Error),
}

/// Notices to browsers. Clones share it.
#[derive(Clone)]
pub struct Push(Arc<Inner>);

pub(super) struct Inner {
    pub(super) engine: Handle,
    /// Told when there is something to look at.
    pub(super) changed: Notify,
    options: Options,
    sender: Sender,
    keys: Mutex<Option<Arc<Keys>>>,
    book: Mutex<Book>,
    /// Held while subscriptions are kept, so that the newest are written last.
    keeping: Mutex<()>,
    looking: Mutex<HashMap<Uuid, Instant>>,
    /// One test at a time.
    testing: tokio::sync::Mutex<()>,
}

impl Push {
    /// Takes up the subscriptions and tells them what the engine's log says from now on, until `stop`.
    ///
    /// # Errors
    /// When what was kept cannot be read.
    pub fn start(engine: Handle, options: Options, stop: CancellationToken) -> std::io::Result<Self> {
        let kept = options.subscriptions.load()?;
        let book = kept.map_or(Ok(Book::default()), |bytes| Book::read(&bytes))?;
        let after = book.entries().iter().map(|entry| entry.settled).min();
        // A log that was brought back from elsewhere may be shorter than what was told of another.
        let feed = engine.feed(after.unwrap_or(u64::MAX).min(engine.last_seq()));
        let inner = Arc::new(Inner {
            engine,
            changed: Notify::new(),
            options,
            sender: Sender::new(),
            keys: Mutex::default(),
            book: Mutex::new(book),
            keeping: Mutex::default(),
            looking: Mutex::default(),
            testing: tokio::sync::Mutex::default(),
        });
        tokio::spawn(teller::run(Arc::clone(&inner), feed, stop));
        Ok(Self(inner))
    }

    /// The public key with which a browser subscribes, in base64url. It is made when it is asked for first. Blocks.
    pub fn key(&self) -> Result<String, PushError> {
        Ok(self.0.keys()?.public())
    }

    /// The devices that are subscribed.
    pub fn devices(&self) -> HashSet<Uuid> {
        lock(&self.0.book).entries().iter().map(|entry| entry.device).collect()
    }

    /// The subscription of a device.
    pub fn subscribed(&self, device: Uuid) -> Option<Subscribed> {
        lock(&self.0.book).get(device).map(Entry::shown)
    }

    /// Subscribes a device, or changes what it was; without choices they stay what they were. Blocks.
    pub fn subscribe(
        &self,
        device: Uuid,
        subscription: Subscription,
        choices: Option<Choices>,
    ) -> Result<(), PushError> {
        let Subscription { endpoint, p256dh, auth } = subscription;
        if Endpoint::parse(&endpoint, self.0.options.local).is_none() {
            return Err(PushError::Unusable("this is not the address of a push service"));
        }
        if browser(&p256dh, &auth).is_none() {
            return Err(PushError::Unusable("these are not the keys of a browser"));
        }
        if choices.iter().flat_map(|choices| &choices.quiet).any(|quiet| !quiet.is_sound()) {
            return Err(PushError::Unusable("these quiet hours, or their time zone, do not exist"));
        }
        let (settled, usual) = (self.0.engine.last_seq(), Choices::default());
        let entry =
            Entry { device, endpoint, p256dh, auth, choices: usual, settled, told: None, trouble: None };
        if !lock(&self.0.book).put(entry, choices) {
            return Err(PushError::Full);
        }
        self.0.save()?;
        self.0.changed.notify_one();
        Ok(())
    }

    /// Sends nothing to a device any more. Blocks.
    pub fn unsubscribe(&self, device: Uuid) -> Result<(), PushError> {
        if lock(&self.0.book).keep(|entry| entry.device != device) {
            self.0.save()?;
        }
        Ok(())
    }

    /// Notes whether a page of a device is looked at; what happens meanwhile is not sent to it.
    pub fn looking(&self, device: Uuid, looks: bool) {
        let mut looking = lock(&self.0.looking);
        looking.retain(|_, until| *until > Instant::now());
        match looks && lock(&self.0.book).get(device).is_some() {
            true => drop(looking.insert(device, Instant::now() + LOOKS)),
            false => drop(looking.remove(&device)),
        }
    }

    /// Sends a notice that says nothing, to see that it comes.
    pub async fn test(&self, device: Uuid) -> Result<(), PushError> {
        let _testing = self.0.testing.lock().await;
        let entry = lock(&self.0.book).get(device).cloned().ok_or(PushError::NotSubscribed)?;
        let sent = self.0.send(&entry, &Message::test()).await;
        self.0.sent(&entry, &sent, None).await;
        match sent {
            Sent::Taken => Ok(()),
            Sent::Gone => Err(PushError::Gone),
            Sent::Later(_, why) | Sent::Refused(why) => Err(PushError::Service(why)),
        }
    }
}

impl Inner {
    pub(super) fn entries(&self) -> Vec<Entry> {
        lock(&self.book).entries().to_vec()
    }

    pub(super) fn looks(&self, device: Uuid) -> bool {
        lock(&self.looking).get(&device).is_some_and(|until| *until > Instant::now())
    }

    /// Gives up the subscriptions of devices that are let in no longer.
    pub(super) async fn forget_unknown(self: &Arc<Self>) {
        if lock(&self.book).keep(|entry| (self.options.is_known)(entry.device)) {
            self.saved().await;
        }
    }

    /// Sends a message once.
    pub(super) async fn send(self: &Arc<Self>, entry: &Entry, message: &Message) -> Sent {
        let made = self.post(entry, message).await;
        let (endpoint, authorization, body) = match made {
            Ok(made) => made,
            Err(why) => return Sent::Refused(why),
        };
        let Message { topic, urgent, .. } = message;
        let post = Post { endpoint: &endpoint, authorization, topic, urgent: *urgent, body };
        self.sender.send(post).await
    }

    async fn post(
        self: &Arc<Self>,
        entry: &Entry,
        message: &Message,
    ) -> Result<(Endpoint, String, Vec<u8>), String> {
        let endpoint = Endpoint::parse(&entry.endpoint, self.options.local);
        let endpoint = endpoint.ok_or("its address may not be asked")?;
        let browser = browser(&entry.p256dh, &entry.auth).ok_or("the browser's keys are damaged")?;
        let body = browser.encrypt(message.text.as_bytes()).map_err(|error| error.to_string())?;
        let inner = Arc::clone(self);
        let keys =
            tokio::task::spawn_blocking(move || inner.keys()).await.map_err(|error| error.to_string())?;
        let authorization = keys
            .and_then(|keys| keys.authorization(&endpoint.origin(), &self.options.subject, Timestamp::now()));
        Ok((endpoint, authorization.map_err(|error| error.to_string())?, body))
    }

    /// Notes what became of a message; `settled` is the event up to which the device knows everything then.
    pub(super) async fn sent(self: &Arc<Self>, entry: &Entry, sent: &Sent, settled: Option<u64>) {
        let settle = |entry: &mut Entry| entry.settled = settled.unwrap_or(0).max(entry.settled);
        match sent {
            Sent::Taken => {
                self.note(entry, |entry| {
                    settle(entry);
                    (entry.told, entry.trouble) = (Some(Timestamp::now()), None);
                })
                .await;
            }
            Sent::Gone => {
                tracing::info!(device = %entry.device, "a push service no longer knows a browser");
                lock(&self.book).keep(|one| one.endpoint != entry.endpoint);
                self.saved().await;
            }
            Sent::Later(_, why) => {
                tracing::warn!(device = %entry.device, why, "a notice could not be sent and is tried again");
                self.note(entry, |entry| entry.trouble = Some(why.clone())).await;
            }
            Sent::Refused(why) => {
                tracing::warn!(device = %entry.device, why, "a notice was refused");
                self.note(entry, |entry| {
                    settle(entry);
                    entry.trouble = Some(why.clone());
                })
                .await;
            }
        }
    }

    /// Changes what is kept of a subscription, if it is still the same.
    pub(super) async fn note(self: &Arc<Self>, entry: &Entry, change: impl FnOnce(&mut Entry)) {
        {
            let mut book = lock(&self.book);
            let kept = book.get_mut(entry.device).filter(|kept| kept.endpoint == entry.endpoint);
            let Some(kept) = kept else { return };
            change(kept);
        }
        self.saved().await;
    }

    /// Keeps the subscriptions. Where that fails the person is told once too often at worst.
    async fn saved(self: &Arc<Self>) {
        let inner = Arc::clone(self);
        let saved = tokio::task::spawn_blocking(move || inner.save()).await;
        if let Err(error) = saved.map_err(std::io::Error::other).and_then(|saved| saved) {
            tracing::warn!(%error, "the subscriptions of browsers were not kept");
        }
    }

    fn save(&self) -> std::io::Result<()> {
        let _keeping = lock(&self.keeping);
        let bytes = lock(&self.book).write()?;
        self.options.subscriptions.save(&bytes)
    }

    fn keys(&self) -> std::io::Result<Arc<Keys>> {
        let mut keys = lock(&self.keys);
        if let Some(keys) = &*keys {
            return Ok(Arc::clone(keys));
        }
        let made = match self.options.key.load()? {
            Some(bytes) => Keys::read(&bytes)?,
            None => {
                let (made, bytes) = Keys::make()?;
                self.options.key.save(&bytes)?;
                made
            }
        };
        Ok(Arc::clone(keys.insert(Arc::new(made))))
    }
}

/// The keys of a browser from how it writes them.
fn browser(p256dh: &str, auth: &str) -> Option<Browser> {
    let bytes =
        |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).or_else(|_| BASE64_URL_SAFE.decode(text)).ok();
    Browser::new(&bytes(p256dh)?, &bytes(auth)?)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
