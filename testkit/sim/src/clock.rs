//! The clocks of a simulated world: its time follows tokio's paused clock and outlives the runtime; the wall clock is set
//! by hours and days away from it, as people, batteries and time servers do.

use std::sync::Arc;

use divisi_engine::Clock;
use jiff::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use crate::world::Shared;

/// The clock of one life of the engine.
pub(crate) struct SimClock {
    shared: Arc<Shared>,
    /// The world's time when this life began.
    began: i64,
    start: Instant,
}

impl SimClock {
    /// To be made inside the runtime.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let began = shared.lock().now;
        Self { shared, began, start: Instant::now() }
    }

    /// The world's time, in milliseconds; it only goes forward.
    pub(crate) fn millis(&self) -> i64 {
        self.began + i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// The runtime's moment of a time of the world.
    pub(crate) fn moment(&self, millis: i64) -> Instant {
        let after = u64::try_from(millis - self.began).unwrap_or_default();
        self.start + std::time::Duration::from_millis(after)
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let set = self.shared.lock().clock_set;
        Timestamp::from_millisecond(self.millis() + set).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn id(&self) -> Uuid {
        let mut world = self.shared.lock();
        world.ids += 1;
        Uuid::from_u128((u128::from(world.ids) << 64) | 0x7000_8000_0000_0000_0000)
    }
}
