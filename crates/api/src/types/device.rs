//! Browsers that were let in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// Whose browser it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// A browser at the machine itself, let in by `divisi open`. It may do all that the command line may.
    #[default]
    Owner,
    /// One that was paired, such as a phone. It may not open a terminal, change settings, pair, export, or end the daemon.
    Paired,
}

/// A browser that was let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct DeviceView {
    /// Its identity.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Whose it is.
    pub kind: DeviceKind,
    /// When it was let in.
    pub created: Timestamp,
    /// When it last asked for something, to a minute or so.
    pub last_seen: Timestamp,
    /// The address it asked from.
    #[serde(default)]
    pub address: Option<String>,
    /// Whether it is the one that asks.
    #[serde(default)]
    pub current: bool,
    /// Whether it gets notices while its page is closed.
    #[serde(default)]
    pub push: bool,
}

/// A one-time code is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct EntryRequest {
    /// Whom it lets in.
    #[serde(default)]
    pub kind: DeviceKind,
    /// What the device shall be called; without it, it says itself what it is.
    #[serde(default)]
    pub name: Option<String>,
}

/// A one-time code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct EntryView {
    /// The code.
    pub code: String,
    /// The page that takes it, with the code behind `#`, where no server sees it.
    pub link: String,
    /// The link as a QR code: its rows, with `1` for what is dark.
    pub qr: Vec<String>,
    /// Whether another machine can open the link; if not, the daemon answers this machine alone.
    pub remote: bool,
    /// Until when it can be used.
    pub expires: Timestamp,
}

/// A browser shows its code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct EnterRequest {
    /// The code.
    pub code: String,
    /// What the browser says it is, for the list of devices.
    #[serde(default)]
    pub name: Option<String>,
}
