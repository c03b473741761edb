//! The simulated world: what survives the engine. Its clock, its disk, its processes, and what happens next in it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use divisi_engine::StepError;
use divisi_model::Oid;
use divisi_store::{Faults, StoreError};
use tokio::sync::Notify;

use crate::chance::Chance;
use crate::disk::Disk;
use crate::process::Process;
use crate::repo::{Files, Repo};
use crate::scenario::{Fault, How, Plan, Point};

/// More effects than this are of an engine that turns in a circle.
const EFFECTS_MAX: u64 = 200_000;

/// For how long a worker is out of reach after a fault, in milliseconds: longer than anybody tries before giving up.
const AWAY: u64 = 60_000;

/// A workspace, or a clean checkout.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    pub(crate) files: Files,
    pub(crate) base: Oid,
}

/// What a rollback did to a workspace.
#[derive(Clone, Debug)]
pub(crate) struct Rolled {
    /// Keeps what was there before.
    pub(crate) before: Oid,
    /// How many files it changed.
    pub(crate) changed: u32,
    /// All files after it.
    pub(crate) after: Files,
}

/// Something that will happen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Next {
    /// A process hears what was sent to it.
    Hear(PathBuf),
    /// A process takes its next step, unless it is beyond that by then.
    Step(PathBuf, u64),
    /// A process is gone.
    Exit(PathBuf, u64),
    /// The worker is back.
    Back,
    /// Somebody sets the wall clock, by so many milliseconds.
    SetClock(i64),
    /// A person, or chance, does something.
    Act,
}

/// The world.
pub(crate) struct World {
    /// Milliseconds of a time that only goes forward; everything that happens is ordered by it.
    pub(crate) now: i64,
    /// By how many milliseconds the wall clock was set away from it.
    pub(crate) clock_set: i64,
    pub(crate) chance: Chance,
    pub(crate) plan: Plan,
    queue: BinaryHeap<Reverse<(i64, u64, Next)>>,
    queued: u64,
    /// Effects so far: after each of them, and before, the engine may end.
    pub(crate) effects: u64,
    pub(crate) crash_at: Option<u64>,
    pub(crate) crashed: bool,
    counts: BTreeMap<Point, u64>,
    faults: Vec<Fault>,
    /// The worker cannot be reached.
    pub(crate) away: bool,
    /// Nothing goes wrong any more.
    pub(crate) calm: bool,
    pub(crate) repo: Repo,
    pub(crate) spaces: BTreeMap<String, Space>,
    pub(crate) archives: BTreeMap<String, Space>,
    /// What each rollback of an attempt did, by its number.
    pub(crate) rolled: BTreeMap<(String, u32), Rolled>,
    pub(crate) checkouts: BTreeMap<String, Space>,
    pub(crate) files: BTreeMap<PathBuf, Vec<u8>>,
    pub(crate) processes: BTreeMap<PathBuf, Process>,
    /// Sessions that agents remember.
    pub(crate) sessions: BTreeSet<String>,
    pub(crate) ids: u64,
    /// The log's disk.
    pub(crate) disk: Disk,
    /// Commands that exited 0, with the tree that they saw.
    pub(crate) proved: BTreeSet<(String, Oid)>,
    /// How often an agent got the prompt of a turn, by attempt.
    pub(crate) given: BTreeMap<(String, u64), u32>,
    /// What a turn used, as its agent said.
    pub(crate) used: BTreeMap<(String, u64), (u64, u64)>,
    /// What must never happen, and did.
    pub(crate) wrong: Option<String>,
    /// A hash of all that happened.
    pub(crate) trace: u64,
}

/// The world as all hold it.
pub(crate) struct Shared {
    world: Mutex<World>,
    /// Something changed that a launch's follower may wait for.
    pub(crate) news: Notify,
    /// Something new will happen, or the engine was ended.
    pub(crate) wake: Notify,
}

impl World {
    pub(crate) fn new(plan: Plan, chance: Chance) -> Self {
        let faults = plan.faults.clone();
        Self {
            now: 1_800_000_000_000,
            clock_set: 0,
            chance,
            plan,
            queue: BinaryHeap::new(),
            queued: 0,
            effects: 0,
            crash_at: None,
            crashed: false,
            counts: BTreeMap::new(),
            faults,
            away: false,
            calm: false,
            repo: Repo::default(),
            spaces: BTreeMap::new(),
            archives: BTreeMap::new(),
            rolled: BTreeMap::new(),
            checkouts: BTreeMap::new(),
            files: BTreeMap::new(),
            processes: BTreeMap::new(),
            sessions: BTreeSet::new(),
            ids: 0,
            disk: Disk::default(),
            proved: BTreeSet::new(),
            given: BTreeMap::new(),
            used: BTreeMap::new(),
            wrong: None,
            trace: 0xcbf2_9ce4_8422_2325,
        }
    }

    /// Notes that something happened, for the comparison of two runs.
    pub(crate) fn note(&mut self, what: &str) {
        tracing::trace!(at = self.now, effect = self.effects, "{what}");
        for byte in what.bytes() {
            self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Notes what must never happen. The first one counts.
    pub(crate) fn violate(&mut self, what: String) {
        self.wrong.get_or_insert(what);
    }

    /// Milliseconds since 1970 by the wall clock.
    pub(crate) fn wall(&self) -> i64 {
        self.now + self.clock_set
    }

    /// Something will happen, so many milliseconds from now.
    pub(crate) fn later(&mut self, millis: u64, next: Next) {
        self.queued += 1;
        let at = self.now.saturating_add(i64::try_from(millis).unwrap_or(i64::MAX));
        self.queue.push(Reverse((at, self.queued, next)));
    }

    /// When something happens next.
    pub(crate) fn next_at(&self) -> Option<i64> {
        self.queue.peek().map(|Reverse((at, ..))| *at)
    }

    /// What is due by now.
    pub(crate) fn due(&mut self) -> Option<Next> {
        if self.next_at()? > self.now {
            return None;
        }
        self.queue.pop().map(|Reverse((_, _, next))| next)
    }

    /// Does something, or fails to. Nothing: the engine is gone.
    fn carry_out<T>(
        &mut self,
        point: Point,
        what: &str,
        act: impl FnOnce(&mut World) -> Result<T, StepError>,
    ) -> Option<Result<T, StepError>> {
        if !self.passes() {
            return None;
        }
        if self.away {
            return Some(Err(StepError("the worker cannot be reached".to_owned())));
        }
        self.note(what);
        Some(match self.fails(point) {
            None => act(self),
            Some(How::Fails) => Err(StepError(format!("injected: {what} failed"))),
            Some(how) => {
                let done = act(self);
                if how == How::Away {
                    self.away = true;
                    self.later(AWAY, Next::Back);
                }
                done.and(Err(StepError(format!("injected: {what} was not answered"))))
            }
        })
    }

    /// An effect begins or has ended; the engine may end with it.
    fn passes(&mut self) -> bool {
        if self.crashed {
            return false;
        }
        self.effects += 1;
        if self.effects > EFFECTS_MAX {
            self.violate("it turns in a circle without end".to_owned());
            self.crashed = true;
            return false;
        }
        if self.crash_at.is_some_and(|at| self.effects >= at) {
            self.crash_at = None;
            self.crashed = true;
        }
        !self.crashed
    }

    /// Whether the effect at this point fails, and how.
    fn fails(&mut self, point: Point) -> Option<How> {
        let count = self.counts.entry(point).or_default();
        *count += 1;
        let count = *count;
        let found = self.faults.iter().position(|fault| fault.point == point && fault.nth <= count)?;
        let fault = self.faults.remove(found);
        self.note(&format!("{point:?} {count} fails"));
        Some(fault.how)
    }

    /// Nothing fails from now on, but what was asked for by its number.
    pub(crate) fn forget_faults(&mut self) {
        if self.plan.exact {
            return;
        }
        self.faults.clear();
        self.crash_at = None;
    }

    /// How often a point was passed.
    pub(crate) fn count(&self, point: Point) -> u64 {
        self.counts.get(&point).copied().unwrap_or_default()
    }
}

impl Shared {
    pub(crate) fn new(world: World) -> Arc<Self> {
        Arc::new(Self { world: Mutex::new(world), news: Notify::new(), wake: Notify::new() })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine is gone: nothing of it goes on.
    pub(crate) async fn dead(&self) -> ! {
        self.wake.notify_one();
        loop {
            std::future::pending::<()>().await;
        }
    }

    async fn pause(&self) {
        let pause = {
            let mut world = self.lock();
            let longest = world.plan.jitter;
            if world.calm { 0 } else { world.chance.below(longest + 1) }
        };
        if pause > 0 {
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    /// An effect on the world. It takes its time, may fail, and the engine may end before it or after it.
    pub(crate) async fn effect<T>(
        &self,
        point: Point,
        what: &str,
        act: impl FnOnce(&mut World) -> Result<T, StepError>,
    ) -> Result<T, StepError> {
        self.pause().await;
        let Some(done) = self.lock().carry_out(point, what, act) else { self.dead().await };
        self.wake.notify_one();
        self.news.notify_waiters();
        if !self.lock().passes() {
            self.dead().await;
        }
        self.pause().await;
        if self.lock().crashed {
            self.dead().await;
        }
        done
    }
}

/// The store's disk.
impl Faults for Shared {
    fn write(&self) -> Result<(), StoreError> {
        self.store(Point::Append)
    }

    fn commit(&self, sync: divisi_store::Sync) -> Result<(), StoreError> {
        self.lock().disk.commits(sync);
        self.store(Point::Fsync)
    }

    fn committed(&self) {
        let mut world = self.lock();
        world.disk.committed();
        world.passes();
        drop(world);
        // What is new is looked at before much else happens.
        self.wake.notify_one();
    }
}

impl Shared {
    fn store(&self, point: Point) -> Result<(), StoreError> {
        let mut world = self.lock();
        if !world.passes() {
            drop(world);
            self.wake.notify_one();
            return Err(StoreError::Closed);
        }
        let cause = || Arc::new(std::io::Error::other("injected"));
        match world.fails(point) {
            Some(_) => Err(StoreError::Disk(cause())),
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the world")
    }
}
