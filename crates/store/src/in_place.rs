//! The log without a thread of its own, for simulations: commits happen on the thread that asks, in groups as ever, and
//! faults can be put in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::store::Sync;
use crate::writer::{Asked, Group, Request, Room};

/// What may go wrong when a group is committed. The process may also be ended at each of these moments.
pub trait Faults: std::fmt::Debug + Send + std::marker::Sync {
    /// A group is about to be written. An error refuses all of it.
    fn write(&self) -> Result<(), StoreError>;
    /// A group was written and is about to be committed. An error takes all of it back.
    fn commit(&self, sync: Sync) -> Result<(), StoreError>;
    /// A group was committed; nobody knows yet.
    fn committed(&self);
}

/// The room of the writer, where everybody comes in person.
#[derive(Debug)]
pub(crate) struct InPlace {
    room: Mutex<Room>,
    waiting: Mutex<Vec<Box<dyn Request>>>,
}

impl InPlace {
    pub(crate) fn new(room: Room) -> Arc<Self> {
        Arc::new(Self { room: Mutex::new(room), waiting: Mutex::default() })
    }

    /// What other tasks ask for in the same round of the runtime is committed together.
    pub(crate) async fn ask<T, E, W>(self: &Arc<Self>, sync: Sync, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: FnOnce(&mut Group<'_>) -> Result<Result<T, E>, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let reply = |result| reply.send(result).is_ok();
        lock(&self.waiting).push(Box::new(Asked::new(sync, work, reply)));
        let this = Arc::clone(self);
        // Also when who asks goes away, as the writer's thread does.
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            this.flush();
        });
        answer.await.map_err(|_| StoreError::Closed)?
    }

    pub(crate) fn ask_blocking<T, E, W>(&self, sync: Sync, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: FnOnce(&mut Group<'_>) -> Result<Result<T, E>, StoreError> + Send + 'static,
    {
        let (reply, answer) = std::sync::mpsc::sync_channel(1);
        let reply = move |result| reply.send(result).is_ok();
        lock(&self.waiting).push(Box::new(Asked::new(sync, work, reply)));
        self.flush();
        answer.try_recv().map_err(|_| StoreError::Closed)?
    }

    fn flush(&self) {
        let group = std::mem::take(&mut *lock(&self.waiting));
        if !group.is_empty() {
            lock(&self.room).commit_and_answer(group);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
