//! The one place where the engine reads a clock or makes an id, so that a simulation can bring its own.

use jiff::Timestamp;
use uuid::Uuid;

/// Where times and fresh ids come from. Timers follow the runtime's own clock.
pub trait Clock: Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;
    /// An id that nothing has; later ones sort after earlier ones.
    fn id(&self) -> Uuid;
}

/// The clock of the machine.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn id(&self) -> Uuid {
        Uuid::now_v7()
    }
}
