//! Notices to a browser whose page is closed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::words::NoticeKind;

/// Whether the browser that asks gets notices while its page is closed, and how it could.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct PushView {
    /// The public key with which a browser subscribes, in base64url; none where the settings switch push off.
    pub key: Option<String>,
    /// The subscription of the browser that asks.
    pub subscription: Option<PushSubscriptionView>,
}

/// A browser's subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct PushSubscriptionView {
    /// The address at the push service.
    pub endpoint: String,
    /// What it is told.
    pub choices: PushChoices,
    /// When the push service last took a notice.
    pub told: Option<Timestamp>,
    /// Why the push service last took none.
    pub trouble: Option<String>,
}

/// A browser subscribes, or changes what it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct PushRequest {
    /// The address at the push service.
    pub endpoint: String,
    /// The browser's public key, in base64url.
    pub p256dh: String,
    /// The secret that goes with it, in base64url.
    pub auth: String,
    /// What it is told; without it, what it was, or the usual.
    #[serde(default)]
    #[ts(optional)]
    pub choices: Option<PushChoices>,
}

/// What a browser is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct PushChoices {
    /// The kinds of notice.
    pub kinds: BTreeSet<NoticeKind>,
    /// When nothing is told; what still waits at its end is told then.
    #[serde(default)]
    pub quiet: Option<PushQuiet>,
}

/// Hours of the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct PushQuiet {
    /// The first of them, 0 to 23.
    pub from: u8,
    /// The first that is none of them.
    pub to: u8,
    /// Where: a name of the time zone database, such as `Europe/Vienna`.
    pub zone: String,
}

/// A page is looked at, or is no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct LookingRequest {
    /// Whether it is.
    pub looking: bool,
}
