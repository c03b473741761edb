//! For which attempts something is under way in this process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use divisi_model::AttemptId;

/// How much is under way for each attempt.
#[derive(Debug, Default)]
pub(crate) struct UnderWay(Mutex<BTreeMap<AttemptId, usize>>);

impl UnderWay {
    /// Something is under way for the attempt as long as this is kept.
    pub(crate) fn begin(self: &Arc<Self>, id: AttemptId) -> Begun {
        *self.lock().entry(id).or_default() += 1;
        Begun { of: Arc::clone(self), id }
    }

    /// Whether something is under way for the attempt.
    pub(crate) fn has(&self, id: AttemptId) -> bool {
        self.lock().contains_key(&id)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AttemptId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`UnderWay::begin`].
pub(crate) struct Begun {
    of: Arc<UnderWay>,
    id: AttemptId,
}

impl Drop for Begun {
    fn drop(&mut self) {
        let mut under_way = self.of.lock();
        if let Some(count) = under_way.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.id);
            }
        }
    }
}
