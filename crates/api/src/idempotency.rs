//! Giving out a task twice by accident, because an answer was lost, gives the first task again.

use std::collections::VecDeque;
use std::future::Future;

use divisi_model::TaskNumber;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::problem::ApiError;
use crate::types::Problem;

/// How many keys are remembered; the oldest is forgotten first.
const KEYS_MAX: usize = 1024;
/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 256;

/// The keys of the last requests and the tasks they made. Lost when the daemon ends, which clients may not rely on
/// surviving: it covers a broken connection, not a broken machine.
#[derive(Default)]
pub(crate) struct Keys {
    // Held while a task is made, so that the same request sent twice at once makes one task.
    known: Mutex<VecDeque<Known>>,
}

struct Known {
    key: String,
    request: [u8; 32],
    task: TaskNumber,
}

impl Keys {
    /// The task that this key made, or the one that `make` makes now.
    pub(crate) async fn once(
        &self,
        key: &str,
        request: &[u8],
        make: impl Future<Output = Result<TaskNumber, ApiError>>,
    ) -> Result<TaskNumber, ApiError> {
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            let message = format!("an Idempotency-Key has 1 to {KEY_BYTES_MAX} bytes");
            return Err(Problem::bad_input(message, "a random id is a good key").into());
        }
        let request: [u8; 32] = Sha256::digest(request).into();
        let mut known = self.known.lock().await;
        if let Some(seen) = known.iter().find(|seen| seen.key == key) {
            if seen.request == request {
                return Ok(seen.task);
            }
            let hint = "each new task needs a key of its own";
            return Err(Problem::wrong_state("this Idempotency-Key was used for another task", hint).into());
        }
        let task = make.await?;
        if known.len() >= KEYS_MAX {
            known.pop_front();
        }
        known.push_back(Known { key: key.to_owned(), request, task });
        Ok(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::ProblemKind;

    async fn made(number: u32) -> Result<TaskNumber, ApiError> {
        Ok(TaskNumber(number))
    }

    #[tokio::test]
    async fn the_same_key_gives_the_first_task_again() {
        let keys = Keys::default();
        assert_eq!(keys.once("a", b"x", made(1)).await.unwrap(), TaskNumber(1));
        assert_eq!(keys.once("a", b"x", made(2)).await.unwrap(), TaskNumber(1));
        assert_eq!(keys.once("b", b"x", made(3)).await.unwrap(), TaskNumber(3));
    }

    #[tokio::test]
    async fn a_key_cannot_be_used_for_something_else() {
        let keys = Keys::default();
        keys.once("a", b"x", made(1)).await.unwrap();
        assert_eq!(keys.once("a", b"y", made(2)).await.unwrap_err().0.kind, ProblemKind::WrongState);
        assert_eq!(keys.once("", b"y", made(2)).await.unwrap_err().0.kind, ProblemKind::BadInput);
    }

    #[tokio::test]
    async fn a_refused_request_may_be_tried_again_with_its_key() {
        let keys = Keys::default();
        let refused = async { Err(Problem::bad_input("no", "").into()) };
        assert!(keys.once("a", b"x", refused).await.is_err());
        assert_eq!(keys.once("a", b"x", made(2)).await.unwrap(), TaskNumber(2));
    }

    #[tokio::test]
    async fn the_memory_is_bounded() {
        let keys = Keys::default();
        for n in 0..=KEYS_MAX {
            keys.once(&n.to_string(), b"x", made(1)).await.unwrap();
        }
        assert_eq!(keys.known.lock().await.len(), KEYS_MAX);
        assert_eq!(keys.once("0", b"x", made(7)).await.unwrap(), TaskNumber(7), "the oldest was forgotten");
    }
}
