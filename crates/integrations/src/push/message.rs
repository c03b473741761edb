//! What is sent: small, and without a word of an agent. It is a whole sentence, so that a service worker of an older
//! dashboard can show what a newer daemon tells.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use divisi_model::TaskId;
use divisi_model::notice::{Notice, NoticeKind};
use ring::digest::{SHA256, digest};
use serde_json::json;

/// Longest title of a task that is sent, in characters.
const TITLE_CHARS_MAX: usize = 200;

/// A message before it is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// The JSON.
    pub(super) text: String,
    /// A newer message with the same topic replaces one that was not delivered yet. It tells the service nothing.
    pub(super) topic: String,
    /// Whether a phone is woken for it.
    pub(super) urgent: bool,
}

impl Message {
    /// One notice.
    pub(super) fn of(task: TaskId, notice: &Notice) -> Self {
        let Notice { id, kind, handle, title, path, since } = notice;
        let body: String = title.chars().take(TITLE_CHARS_MAX).collect();
        let title = format!("{handle}: {}", sentence(*kind));
        let text =
            json!({ "id": id, "title": title, "body": body, "path": path, "since": since }).to_string();
        Self { text, topic: topic(task.0.as_bytes()), urgent: *kind != NoticeKind::Landed }
    }

    /// So many notices at once.
    pub(super) fn several(count: usize) -> Self {
        Self::about("several", &format!("{count} things to see"), "", "/inbox")
    }

    /// One that a person asked for to see that it comes.
    pub(super) fn test() -> Self {
        let body = "So Divisi tells you what needs you while its page is closed.";
        Self::about("test", "Notices come through", body, "/settings/notifications")
    }

    fn about(id: &str, title: &str, body: &str, path: &str) -> Self {
        let text = json!({ "id": id, "title": title, "body": body, "path": path }).to_string();
        Self { text, topic: topic(id.as_bytes()), urgent: true }
    }
}

/// The same sentences as those of an open page, in web/src/notices.ts.
fn sentence(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Permission => "A permission is asked for",
        NoticeKind::Question => "A question waits for an answer",
        NoticeKind::Review => "A result waits for your review",
        NoticeKind::Stall => "An agent is stuck",
        NoticeKind::Landed => "A result has landed",
        NoticeKind::Failed => "A landing failed",
    }
}

/// 32 characters, as long as a topic may be.
fn topic(about: &[u8]) -> String {
    let hash = digest(&SHA256, about);
    BASE64_URL_SAFE_NO_PAD.encode(hash.as_ref().get(..24).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::push::encrypt::TEXT_BYTES_MAX;

    #[test]
    fn the_longest_notice_fits_and_one_task_has_one_topic() {
        let notice = |kind| Notice {
            id: format!("t{}#65535", u32::MAX),
            kind,
            handle: format!("t{}.65535", u32::MAX),
            title: "\u{1f9d1}\"\n".repeat(500),
            path: format!("/review/t{}.65535", u32::MAX),
            since: Timestamp::MAX,
        };
        let task = TaskId(Uuid::from_u128(1));
        let (one, other) =
            (Message::of(task, &notice(NoticeKind::Review)), Message::of(task, &notice(NoticeKind::Landed)));
        assert!(one.text.len() <= TEXT_BYTES_MAX, "{}", one.text.len());
        assert_eq!((&one.topic, one.urgent, other.urgent), (&other.topic, true, false));
        assert_ne!(one.topic, Message::of(TaskId(Uuid::from_u128(2)), &notice(NoticeKind::Review)).topic);
        assert_eq!(one.topic.len(), 32);
    }
}
