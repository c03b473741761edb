//! What the routes for notices need of whoever sends them.

use std::collections::HashSet;

use futures::future::BoxFuture;
use uuid::Uuid;

use crate::types::{Problem, PushRequest, PushSubscriptionView};

/// Sends notices to browsers whose page is closed. The functions that are not asynchronous may block.
pub trait Push: Send + Sync {
    /// The public key with which a browser subscribes, in base64url.
    fn key(&self) -> Result<String, Problem>;

    /// The devices that are subscribed.
    fn devices(&self) -> HashSet<Uuid>;

    /// The subscription of a device.
    fn subscription(&self, device: Uuid) -> Option<PushSubscriptionView>;

    /// Subscribes a device, or changes what it was.
    fn subscribe(&self, device: Uuid, request: PushRequest) -> Result<(), Problem>;

    /// Sends nothing to a device any more.
    fn unsubscribe(&self, device: Uuid) -> Result<(), Problem>;

    /// Notes whether a page of a device is looked at.
    fn looking(&self, device: Uuid, looks: bool);

    /// Sends a notice that says nothing.
    fn test(&self, device: Uuid) -> BoxFuture<'_, Result<(), Problem>>;
}
