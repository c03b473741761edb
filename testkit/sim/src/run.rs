//! One run: a world, and one life of the engine after the other in it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use divisi_engine::{Engine, Handle, NewTask};
use divisi_model::{Actor, Command, Phase, TaskId};
use divisi_store::Store;
use tokio::runtime::Builder;

use crate::chance::Chance;
use crate::clock::SimClock;
use crate::invariants::Witness;
use crate::person;
use crate::ports;
use crate::scenario::{FAULTS, Point, Scenario};
use crate::worker::{MAIN, SimWorker};
use crate::world::{Next, Shared, World};

/// Milliseconds in which nobody does anything before the engine must be at rest.
const QUIET: i64 = 3 * 60 * 60 * 1000;
/// Milliseconds after which every task must have ended with somebody who helps.
const HELPED: i64 = 48 * 60 * 60 * 1000;
/// Milliseconds between two looks of somebody who helps.
const HELP_EVERY: u64 = 60_000;
/// Lives of the engine in one run, at most.
const LIVES: u32 = 64;

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many events it wrote.
    pub events: usize,
    /// How often the engine was ended.
    pub crashes: u32,
    /// How many effects on the world there were.
    pub effects: u64,
    /// How often each point that can fail was passed.
    pub passed: Vec<(&'static str, u64)>,
    /// What people were told of attempts that stood still, each with what helps.
    pub stalls: Vec<String>,
    /// Attempts that landed.
    pub landed: usize,
    /// A hash of the log.
    pub log: String,
    /// A hash of all that happened.
    pub trace: u64,
}

/// The parts of a run, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// People and chance do what they like.
    Trouble,
    /// Nothing goes wrong, and nobody does anything, until then.
    Quiet(i64),
    /// Somebody helps, until then at the latest.
    Help(i64),
}

struct Run {
    shared: Arc<Shared>,
    witness: Witness,
    part: Part,
    crashes_left: u64,
    crashes: u32,
    /// The last life ended with a power cut.
    power_was_cut: bool,
    actions_left: u64,
    tasks_left: u64,
    /// People act by dice of their own.
    chance: Chance,
    messages: u64,
    /// A rollback is still to be asked for by who helps.
    rolls_back: bool,
}

/// How a life of the engine ended.
enum End {
    Crashed,
    Done,
}

/// Runs a scenario. The error says what must not be.
pub fn run(scenario: &Scenario) -> Result<Report, String> {
    let mut chance = Chance::new(scenario.seed);
    let plan = scenario.plan(&mut chance);
    let (people, tasks, actions, crashes) =
        (Chance::new(chance.next()), plan.tasks, plan.actions, plan.crashes);
    let mut world = World::new(plan, chance);
    let first = [("shared.txt".to_owned(), "first\n".to_owned())].into();
    let first = world.repo.commit(first, Vec::new(), "first");
    world.repo.branches.insert(MAIN.to_owned(), first);
    world.crash_at = scenario.crash;
    world.disk.cut = scenario.power;
    world.later(1, Next::Act);
    for (after, by) in scenario.clock() {
        world.later(after, Next::SetClock(by));
    }
    let mut run = Run {
        shared: Shared::new(world),
        witness: Witness::default(),
        part: Part::Trouble,
        crashes_left: crashes,
        crashes: 0,
        power_was_cut: false,
        actions_left: actions,
        tasks_left: tasks,
        chance: people,
        messages: 0,
        rolls_back: scenario.rollback,
    };
    run.plan_crash();
    let folder = folder().map_err(|error| format!("no folder for the log: {error}"))?;
    for _ in 0..LIVES {
        if let End::Done = run.live(folder.path())? {
            return Ok(run.report());
        }
        run.crashes += 1;
        run.between_lives().map_err(|error| format!("the disk fails the simulation itself: {error}"))?;
    }
    Err("the engine was ended too often".to_owned())
}

/// In memory where that is possible: a log on a disk would wait for it.
fn folder() -> std::io::Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}

impl Run {
    /// One life of the engine, from a start to its end.
    fn live(&mut self, folder: &Path) -> Result<End, String> {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
        let shared = Arc::clone(&self.shared);
        let ended = runtime.block_on(async {
            let store =
                Store::open_in_place(&folder.join("log"), shared.clone()).map_err(|e| e.to_string())?;
            shared.lock().disk.opened(&folder.join("log"));
            match std::mem::take(&mut self.power_was_cut) {
                true => self.witness.rewind(&store, &mut shared.lock())?,
                false => self.witness.compare(&store)?,
            }
            self.witness.look(&store, &shared.lock())?;
            // Whoever asked for a task that is not there asks again.
            self.tasks_left = shared.lock().plan.tasks.saturating_sub(self.witness.tasks().count() as u64);
            let clock = Arc::new(SimClock::new(Arc::clone(&shared)));
            let options = ports::options(&shared.lock().plan);
            let worker = Arc::new(SimWorker(Arc::clone(&shared)));
            let engine = Engine::start_with(options, store.clone(), worker, clock.clone());
            let engine = engine.map_err(|error| format!("the engine does not start: {error}"))?;
            self.drive(&engine, &store, &clock).await
        });
        drop(runtime);
        ended
    }

    async fn drive(&mut self, engine: &Handle, store: &Store, clock: &SimClock) -> Result<End, String> {
        let shared = Arc::clone(&self.shared);
        loop {
            shared.lock().now = clock.millis();
            self.happen(engine)?;
            {
                let world = shared.lock();
                self.witness.look(store, &world)?;
                if let Some(wrong) = &world.wrong {
                    return Err(wrong.clone());
                }
                if world.crashed {
                    return Ok(End::Crashed);
                }
            }
            if self.goes_on(engine, store)? {
                return Ok(End::Done);
            }
            let limit = match self.part {
                Part::Trouble => None,
                Part::Quiet(until) | Part::Help(until) => Some(until),
            };
            let next = shared.lock().next_at();
            let wait = [next, limit].into_iter().flatten().min();
            let until = clock.moment(wait.unwrap_or(i64::MAX / 4).max(clock.millis()));
            tokio::select! {
                biased;
                () = shared.wake.notified() => {}
                () = tokio::time::sleep_until(until) => {}
            }
        }
    }

    /// Everything that is due.
    fn happen(&mut self, engine: &Handle) -> Result<(), String> {
        let mut any = false;
        loop {
            let next = self.shared.lock().due();
            let Some(next) = next else { break };
            any = true;
            if next == Next::Act {
                self.act(engine);
                continue;
            }
            self.shared.lock().happen(next);
        }
        if any {
            self.shared.news.notify_waiters();
        }
        Ok(())
    }

    /// Whether the run is over; else its next part begins where the last one ended.
    fn goes_on(&mut self, engine: &Handle, store: &Store) -> Result<bool, String> {
        let now = self.shared.lock().now;
        match self.part {
            Part::Quiet(until) if now >= until => {
                self.witness.at_rest()?;
                self.part = Part::Help(now + HELPED);
                self.shared.lock().later(1, Next::Act);
            }
            Part::Help(until) => {
                let over = |phase: &Phase| matches!(phase, Phase::Landed | Phase::Stopped);
                let attempts = || engine.tasks().into_iter().filter(|task| !task.archived);
                if attempts().all(|task| task.attempts.iter().all(|attempt| over(&attempt.phase))) {
                    return self.finish(engine, store).map(|()| true);
                }
                if now >= until {
                    let left = attempts().flat_map(|task| {
                        let state = |a: &divisi_model::AttemptState| {
                            format!("{}.{} {:?}", task.spec.number, a.number, a.phase)
                        };
                        task.attempts.iter().filter(|a| !over(&a.phase)).map(state).collect::<Vec<_>>()
                    });
                    return Err(format!("these do not end: {}", left.collect::<Vec<_>>().join(", ")));
                }
            }
            _ => {}
        }
        Ok(false)
    }

    /// The log, its tables and the engine's state say the same.
    fn finish(&self, engine: &Handle, store: &Store) -> Result<(), String> {
        let report = store.verify().map_err(|error| format!("the log cannot be verified: {error}"))?;
        if !report.sound() {
            return Err(format!("the log is not sound: {report:?}"));
        }
        let known: Vec<_> = self.witness.tasks().collect();
        for task in engine.tasks() {
            if !known.contains(&&*task) {
                return Err(format!("the engine's {} is not what the log says", task.spec.number));
            }
        }
        Ok(())
    }

    /// A person, or chance, does something.
    fn act(&mut self, engine: &Handle) {
        match self.part {
            Part::Trouble if self.tasks_left > 0 => {
                self.tasks_left -= 1;
                self.give_out(engine);
            }
            Part::Trouble if self.actions_left > 0 => {
                self.actions_left -= 1;
                self.meddle(engine);
            }
            Part::Trouble => {
                let mut world = self.shared.lock();
                world.calm = true;
                world.away = false;
                world.repo.dirty = false;
                world.forget_faults();
                self.part = Part::Quiet(world.now + QUIET);
                return;
            }
            Part::Quiet(_) => return,
            Part::Help(_) => {
                for task in engine.tasks() {
                    for attempt in &task.attempts {
                        let back = person::brings_back(attempt).filter(|_| self.rolls_back);
                        self.rolls_back &= attempt.rollbacks.is_empty();
                        if let Some(command) = back.or_else(|| person::helps(&task, attempt)) {
                            self.ask(engine, task.id, command);
                        }
                    }
                }
                return self.shared.lock().later(HELP_EVERY, Next::Act);
            }
        }
        let soon = self.chance.percent(30);
        let pause = self.chance.between(1, if soon { 2_000 } else { 240_000 });
        self.shared.lock().later(pause, Next::Act);
    }

    fn give_out(&mut self, engine: &Handle) {
        let plan = self.shared.lock().plan.clone();
        let agent =
            if self.chance.percent(if plan.trouble > 0 { 20 } else { 0 }) { "tool" } else { "rehearsal" };
        let new = NewTask {
            root: ports::ROOT.into(),
            prompt: format!("Do thing {}", self.tasks_left),
            agents: vec![agent.to_owned()],
            attempts: u16::try_from(plan.attempts).unwrap_or(1),
            criteria: plan.criteria,
            budget: plan.budget,
            ..NewTask::default()
        };
        let (engine, shared) = (engine.clone(), Arc::clone(&self.shared));
        tokio::spawn(async move {
            for _ in 0..200 {
                if engine.add_task(person(), new.clone()).await.is_ok() {
                    return;
                }
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            shared.lock().violate("a task cannot be given out".to_owned());
        });
    }

    /// Somebody does something, sensible or not.
    fn meddle(&mut self, engine: &Handle) {
        match self.chance.below(100) {
            0..=3 => return self.shared.lock().commit_by_hand(),
            4..=6 => {
                let mut world = self.shared.lock();
                world.repo.dirty = !world.repo.dirty;
                return;
            }
            7..=9 => {
                let millis = self.chance.between(1_000, 300_000);
                let mut world = self.shared.lock();
                world.away = true;
                return world.later(millis, Next::Back);
            }
            10 | 11 => return self.shared.lock().lose_all(),
            _ => {}
        }
        let tasks = engine.tasks();
        let Some(task) = self.chance.pick(&tasks).cloned() else { return };
        let helps = task.attempts.iter().find_map(|attempt| person::helps(&task, attempt));
        let command = match helps {
            Some(command) if self.chance.percent(60) => command,
            _ => person::anything(&task, &mut self.chance, &mut self.messages),
        };
        self.ask(engine, task.id, command);
    }

    fn ask(&self, engine: &Handle, task: TaskId, command: Command) {
        self.shared.lock().note(&format!("a person asks: {command:?}"));
        let engine = engine.clone();
        tokio::spawn(async move {
            if let Err(refusal) = engine.submit(person(), task, command).await {
                tracing::debug!(%refusal, "refused");
            }
        });
    }

    /// The engine is gone for a while; the world goes on.
    fn between_lives(&mut self) -> std::io::Result<()> {
        let down = self.chance.between(0, 30_000);
        let mut world = self.shared.lock();
        if world.disk.cut {
            world.note("the power is cut");
            world.disk.lose()?;
            world.lose_all();
            self.power_was_cut = true;
        }
        world.note("the engine starts again");
        world.crashed = false;
        let until = world.now + i64::try_from(down).unwrap_or_default();
        let mut acts = 0;
        while world.next_at().is_some_and(|at| at <= until) {
            world.now = world.next_at().unwrap_or(until).max(world.now);
            match world.due() {
                // Nobody can ask an engine that is not there; they try again later.
                Some(Next::Act) => acts += 1,
                Some(next) => world.happen(next),
                None => {}
            }
        }
        world.now = until;
        for _ in 0..acts {
            world.later(1_000, Next::Act);
        }
        drop(world);
        self.plan_crash();
        Ok(())
    }

    fn plan_crash(&mut self) {
        if self.crashes_left > 0 && self.part == Part::Trouble {
            self.crashes_left -= 1;
            let mut world = self.shared.lock();
            world.crash_at = Some(world.effects + self.chance.between(1, 400));
            world.disk.cut = self.chance.percent(25);
        }
    }

    fn report(&self) -> Report {
        let world = self.shared.lock();
        let landed = self.witness.tasks().flat_map(|task| &task.attempts);
        Report {
            events: self.witness.len(),
            crashes: self.crashes,
            effects: world.effects,
            passed: FAULTS.iter().map(|(name, point): &(&str, Point)| (*name, world.count(*point))).collect(),
            stalls: self.witness.stalls(),
            landed: landed.filter(|attempt| attempt.phase == Phase::Landed).count(),
            log: self.witness.hash(),
            trace: world.trace,
        }
    }
}

fn person() -> Actor {
    Actor::person("Ada")
}

impl World {
    fn happen(&mut self, next: Next) {
        match next {
            Next::Hear(dir) => self.hear(&dir),
            Next::Step(dir, era) => self.step(&dir, era),
            Next::Exit(dir, id) => self.exit(&dir, id),
            Next::Back => self.away = false,
            Next::SetClock(_) if self.calm => {}
            Next::SetClock(millis) => {
                self.note(&format!("the clock is set by {millis} ms"));
                self.clock_set += millis;
            }
            Next::Act => {}
        }
    }

    /// Somebody commits to the target branch.
    fn commit_by_hand(&mut self) {
        let Some(at) = self.repo.branches.get(MAIN).cloned() else { return };
        let mut files = self.repo.files(&at);
        self.ids += 1;
        files.insert("shared.txt".to_owned(), format!("by hand, {}\n", self.ids));
        let commit = self.repo.commit(files, vec![at], "by hand");
        self.repo.branches.insert(MAIN.to_owned(), commit);
    }
}
