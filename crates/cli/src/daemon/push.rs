//! Notices to browsers, as the API wants them: joins the routes with the service that sends.

use std::collections::HashSet;
use std::sync::Arc;

use divisi_api::types::{Problem, ProblemKind, PushChoices, PushQuiet, PushRequest, PushSubscriptionView};
use divisi_api::{Access, Push as Routes};
use divisi_engine::Handle;
use divisi_integrations::push::{Choices, Options, Push, PushError, Quiet, Subscription};
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::kept::KeptFile;
use crate::config::PushConfig;
use crate::dirs::Dirs;
use crate::errors::{CommandError, Done, ErrorKind};

/// Starts what sends notices; none where the settings switch it off.
pub(super) fn start(
    dirs: &Dirs,
    engine: &Handle,
    config: Option<PushConfig>,
    access: Access,
    stop: CancellationToken,
) -> Done<Option<Arc<dyn Routes>>> {
    let Some(PushConfig { subject, local_services, .. }) = config else { return Ok(None) };
    let options = Options {
        key: Arc::new(KeptFile(dirs.push_key())),
        subscriptions: Arc::new(KeptFile(dirs.push())),
        subject,
        local: local_services,
        is_known: Box::new(move |device| access.knows(device)),
    };
    let push = Push::start(engine.clone(), options, stop).map_err(|error| {
        let hint =
            "push.json in Divisi's state folder is damaged; without it every browser has to subscribe anew";
        CommandError::new(ErrorKind::Daemon, "the subscriptions of browsers cannot be read", hint)
            .because(&error)
    })?;
    Ok(Some(Arc::new(Joined(push))))
}

struct Joined(Push);

impl Routes for Joined {
    fn key(&self) -> Result<String, Problem> {
        self.0.key().map_err(problem)
    }

    fn devices(&self) -> HashSet<Uuid> {
        self.0.devices()
    }

    fn subscription(&self, device: Uuid) -> Option<PushSubscriptionView> {
        let shown = self.0.subscribed(device)?;
        let kinds = shown.choices.kinds.into_iter().map(Into::into).collect();
        let quiet = shown.choices.quiet.map(|Quiet { from, to, zone }| PushQuiet { from, to, zone });
        let choices = PushChoices { kinds, quiet };
        let (endpoint, told, trouble) = (shown.endpoint, shown.told, shown.trouble);
        Some(PushSubscriptionView { endpoint, choices, told, trouble })
    }

    fn subscribe(&self, device: Uuid, request: PushRequest) -> Result<(), Problem> {
        let PushRequest { endpoint, p256dh, auth, choices } = request;
        let choices = choices.map(|PushChoices { kinds, quiet }| Choices {
            kinds: kinds.into_iter().map(Into::into).collect(),
            quiet: quiet.map(|PushQuiet { from, to, zone }| Quiet { from, to, zone }),
        });
        self.0.subscribe(device, Subscription { endpoint, p256dh, auth }, choices).map_err(problem)
    }

    fn unsubscribe(&self, device: Uuid) -> Result<(), Problem> {
        self.0.unsubscribe(device).map_err(problem)
    }

    fn looking(&self, device: Uuid, looks: bool) {
        self.0.looking(device, looks);
    }

    fn test(&self, device: Uuid) -> BoxFuture<'_, Result<(), Problem>> {
        Box::pin(async move { self.0.test(device).await.map_err(problem) })
    }
}

fn problem(error: PushError) -> Problem {
    let again = "switch the notices off and on again in Settings, Notifications";
    let (kind, hint) = match &error {
        PushError::Unusable(_) => {
            (ProblemKind::BadInput, "a push service is reached by HTTPS, and by a name")
        }
        PushError::Full => (ProblemKind::Limit, "revoke a device that is used no longer: divisi devices"),
        PushError::NotSubscribed => {
            (ProblemKind::NotFound, "switch the notices on in Settings, Notifications")
        }
        PushError::Service(_) => (ProblemKind::WrongState, "what is due is tried again by itself"),
        PushError::Gone => (ProblemKind::WrongState, again),
        PushError::Kept(error) => {
            let message = format!("what is kept for notices cannot be read or written: {error}");
            return Problem::new(
                ProblemKind::Internal,
                message,
                "see whether Divisi's folders can be written",
            );
        }
    };
    Problem::new(kind, error.to_string(), hint)
}
