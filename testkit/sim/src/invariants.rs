//! What must hold after every event, whatever goes wrong.

use std::collections::{BTreeMap, BTreeSet};

use divisi_model::event::TurnOutcome;
use divisi_model::inbox::Ask;
use divisi_model::schedule::first_port;
use divisi_model::view::status;
use divisi_model::{Actor, AttemptState, Envelope, Event, Phase, Stream, TaskId, TaskState, fold};
use divisi_store::{READ_MAX, Store};

use crate::person;
use crate::repo;
use crate::worker::MAIN;
use crate::world::World;

/// Reads the log beside the engine and folds it by itself.
#[derive(Default)]
pub(crate) struct Witness {
    /// The log as it was read; an event that was committed once stays.
    log: Vec<Envelope>,
    states: BTreeMap<TaskId, TaskState>,
}

impl Witness {
    /// How many events there are.
    pub(crate) fn len(&self) -> usize {
        self.log.len()
    }

    pub(crate) fn tasks(&self) -> impl Iterator<Item = &TaskState> {
        self.states.values()
    }

    /// What people were told of attempts that stood still, each with what helps.
    pub(crate) fn stalls(&self) -> Vec<String> {
        let told = self.log.iter().filter_map(|envelope| match &envelope.event {
            Event::ItemOpened { ask: Ask::Stall { why, hint }, .. } => Some(format!("{why}; {hint}")),
            _ => None,
        });
        told.collect()
    }

    /// A hash of the log.
    pub(crate) fn hash(&self) -> String {
        let text: String =
            self.log.iter().map(|envelope| serde_json::to_string(envelope).unwrap_or_default()).collect();
        repo::hash(&text).0
    }

    /// After the engine was ended: everything that was ever read is still there.
    pub(crate) fn compare(&self, store: &Store) -> Result<(), String> {
        let again = store.read(0, READ_MAX).map_err(|error| format!("the log cannot be read: {error}"))?;
        match again.get(..self.log.len()) {
            Some(same) if same == self.log => Ok(()),
            _ => Err("the log lost events with the engine, or changed them".to_owned()),
        }
    }

    /// After a power cut: the last events may be gone, but for those that were not to be told before they were safe.
    pub(crate) fn rewind(&mut self, store: &Store, world: &mut World) -> Result<(), String> {
        let again = store.read(0, READ_MAX).map_err(|error| format!("the log cannot be read: {error}"))?;
        let kept = again.len().min(self.log.len());
        if self.log[..kept] != again[..kept] {
            return Err("the power cut changed the log instead of cutting it short".to_owned());
        }
        for lost in &self.log[kept..] {
            let by_person = matches!(lost.actor, Actor::Person { .. });
            let moved_files = matches!(
                lost.event,
                Event::Landed { .. } | Event::LandingUndone { .. } | Event::RolledBack { .. }
            );
            if by_person || moved_files {
                return Err(format!("the power cut took event {} away: {:?}", lost.seq, lost.event));
            }
        }
        self.log.truncate(kept);
        self.states.clear();
        for envelope in &self.log {
            if let Stream::Task(id) = envelope.stream {
                let state = fold(self.states.remove(&id), id, envelope).ok_or("it cannot be folded")?;
                self.states.insert(id, state);
            }
        }
        // A turn that the log knows nothing of was never begun, as far as anybody can tell.
        let attempts = self.states.values().flat_map(|task| task.attempts.iter().map(move |a| (task, a)));
        let known: BTreeSet<_> = attempts
            .flat_map(|(task, attempt)| {
                let name = format!("{}.{}", task.spec.number, attempt.number);
                attempt.turns.iter().map(move |turn| (name.clone(), u64::from(turn.number)))
            })
            .collect();
        world.given.retain(|turn, _| known.contains(turn));
        world.used.retain(|turn, _| known.contains(turn));
        Ok(())
    }

    /// Reads what is new and checks it.
    pub(crate) fn look(&mut self, store: &Store, world: &World) -> Result<usize, String> {
        let news = store
            .read(self.log.len() as u64, READ_MAX)
            .map_err(|e| format!("the log cannot be read: {e}"))?;
        let count = news.len();
        for envelope in news {
            if envelope.seq != self.log.len() as u64 + 1 {
                return Err(format!("event {} comes after {}", envelope.seq, self.log.len()));
            }
            tracing::debug!(seq = envelope.seq, event = ?envelope.event, "appended");
            if let Stream::Task(id) = envelope.stream {
                self.fold(id, &envelope, world).map_err(|why| format!("event {}: {why}", envelope.seq))?;
            }
            self.log.push(envelope);
        }
        if count > 0 {
            self.together(world)?;
        }
        Ok(count)
    }

    fn fold(&mut self, id: TaskId, envelope: &Envelope, world: &World) -> Result<(), String> {
        let before = self.states.remove(&id);
        let version = before.as_ref().map_or(0, |state| state.version);
        if envelope.version != version + 1 {
            return Err(format!("version {} after {version}", envelope.version));
        }
        if let Some(before) = &before {
            expect_before(before, envelope, world)?;
        }
        let after = fold(before, id, envelope).ok_or("it cannot be folded")?;
        for attempt in &after.attempts {
            self.expect_prompts(id, attempt, &envelope.event)
                .and_then(|()| expect_of(&after, attempt))
                .map_err(|why| format!("{}.{}: {why}", after.spec.number, attempt.number))?;
        }
        expect_after(&after, envelope, world)?;
        self.states.insert(id, after);
        Ok(())
    }

    /// Every prompt waits, was given once, or was taken back.
    fn expect_prompts(&self, task: TaskId, attempt: &AttemptState, now: &Event) -> Result<(), String> {
        let given = attempt.turns.iter().flat_map(|turn| &turn.prompts);
        let mut ids: Vec<u32> = given.chain(&attempt.queue).map(|prompt| prompt.id).collect();
        if ids.len() != attempt.prompts as usize {
            let of_task = self.log.iter().filter(|envelope| envelope.stream == Stream::Task(task));
            let events = of_task.map(|envelope| &envelope.event).chain([now]);
            ids.extend(events.filter_map(|event| match event {
                Event::PromptTakenBack { attempt: of, prompt } if *of == attempt.number => Some(*prompt),
                _ => None,
            }));
        }
        ids.sort_unstable();
        match ids == (1..=attempt.prompts).collect::<Vec<_>>() {
            true => Ok(()),
            false => Err(format!("of {} prompts there are {ids:?}", attempt.prompts)),
        }
    }

    /// What holds between attempts: slots.
    fn together(&self, world: &World) -> Result<(), String> {
        let attempts = || self.states.values().flat_map(|task| &task.attempts);
        let leases: Vec<u16> =
            attempts().filter_map(|attempt| attempt.lease.as_ref().map(|lease| lease.1)).collect();
        if leases.len() > usize::from(world.plan.parallel) {
            return Err(format!("{} attempts have a slot of {}", leases.len(), world.plan.parallel));
        }
        let mut ports = BTreeMap::new();
        for (task, attempt) in self.states.values().flat_map(|t| t.attempts.iter().map(move |a| (t, a))) {
            let here = attempt.workspace.as_ref().filter(|_| attempt.archived_as.is_none());
            let leased = attempt.lease.as_ref().map(|lease| first_port(lease.1));
            let name = format!("{}.{}", task.spec.number, attempt.number);
            for port in leased.into_iter().chain(here.map(|workspace| workspace.first_port)) {
                match ports.insert(port, name.clone()) {
                    Some(other) if other != name => {
                        return Err(format!("{other} and {name} have the same ports, from {port} on"));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Nothing moves any more: every attempt is done, or waits for a named reason and has a way on.
    pub(crate) fn at_rest(&self) -> Result<(), String> {
        let attempts = || self.states.values().flat_map(|task| task.attempts.iter().map(move |a| (task, a)));
        let busy = attempts().any(|(_, attempt)| attempt.lease.is_some());
        for (task, attempt) in attempts() {
            let asked = task.open_items().any(|item| item.attempt == attempt.number);
            let named = match attempt.phase {
                _ if task.archived => attempt.workspace.is_none() || attempt.archived_as.is_some(),
                Phase::Queued => busy,
                Phase::Working => asked,
                Phase::Preparing | Phase::Checking | Phase::Landing | Phase::Undoing | Phase::RollingBack => {
                    false
                }
                _ => attempt.archived_as.is_none(),
            };
            let status = status(task, attempt);
            let what = format!("{}.{} rests as `{}`", task.spec.number, attempt.number, status.state);
            if !named || status.reason.is_empty() {
                return Err(format!("{what} without a reason ({:?})", attempt.phase));
            }
            if !person::has_a_way_on(task, attempt) {
                return Err(format!("{what} without a way on"));
            }
        }
        Ok(())
    }
}

/// What must hold before an event.
fn expect_before(task: &TaskState, envelope: &Envelope, world: &World) -> Result<(), String> {
    let main = world.repo.branches.get(MAIN).cloned();
    let is_there = |commit| main.as_ref().is_some_and(|main| world.repo.ancestors(main).contains(commit));
    if let Event::LandingFailed { attempt, .. } = &envelope.event
        && let Some(prepared) = task.attempt(*attempt).and_then(|attempt| attempt.prepared.as_ref())
        && is_there(&prepared.after)
    {
        return Err("it is said not to have landed and is on its branch".to_owned());
    }
    if let Event::TurnStarted { attempt, .. } | Event::AttemptLeased { attempt, .. } = &envelope.event
        && let Some(state) = task.attempt(*attempt)
        && let Some(why) = state.over_budget(&state.usage)
    {
        return Err(format!("{attempt} begins something new and {why}"));
    }
    let Event::Landed { attempt, landing } = &envelope.event else { return Ok(()) };
    let attempt = task.attempt(*attempt).ok_or("there is no such attempt")?;
    let tree = repo::tree(&world.repo.files(&landing.after));
    for check in task.spec.checks().iter().filter(|check| check.required) {
        if !attempt.evidence_for(&check.name, &tree).is_some_and(|evidence| evidence.passed()) {
            return Err(format!("it landed without evidence of `{}` for its tree", check.name));
        }
        if !world.proved.contains(&(check.command.clone(), tree.clone())) {
            return Err(format!("the evidence of `{}` is made up", check.name));
        }
    }
    let last = attempt.reviews.iter().rev().find(|review| review.commit == landing.result);
    if !last.is_some_and(|review| review.verdict == divisi_model::review::Verdict::Approved) {
        return Err("it landed without an approval of what landed".to_owned());
    }
    match is_there(&landing.after) {
        true => Ok(()),
        false => Err("it is said to have landed and is not on its branch".to_owned()),
    }
}

/// What must hold after an event.
fn expect_after(task: &TaskState, envelope: &Envelope, world: &World) -> Result<(), String> {
    match &envelope.event {
        Event::TurnEnded { attempt, turn, outcome, usage } => {
            let state = task.attempt(*attempt).ok_or("there is no such attempt")?;
            let ended =
                state.turns.iter().find(|ended| ended.number == *turn).ok_or("there is no such turn")?;
            match &ended.snapshot {
                Some((commit, _)) if world.repo.commits.contains_key(commit) => {}
                _ => return Err(format!("turn {turn} ended without a snapshot")),
            }
            let name = format!("{}.{attempt}", task.spec.number);
            let used = world.used.get(&(name, u64::from(*turn))).copied();
            match (outcome, used) {
                (TurnOutcome::Completed, Some(used)) if used != (usage.input, usage.output) => {
                    Err(format!("turn {turn} used {used:?} and counts as {usage:?}"))
                }
                _ => Ok(()),
            }
        }
        Event::RolledBack { attempt, before, .. } => {
            let state = task.attempt(*attempt).ok_or("there is no such attempt")?;
            let name = format!("{}.{attempt}", task.spec.number);
            let number = u32::try_from(state.rollbacks.len()).unwrap_or(u32::MAX);
            let rolled = world.rolled.get(&(name.clone(), number)).ok_or("nothing was rolled back")?;
            if rolled.before != *before || !world.repo.commits.contains_key(before) {
                return Err("what was there before the rollback is not kept".to_owned());
            }
            match world.spaces.get(&name) {
                Some(space) if space.files != rolled.after => {
                    Err("the files are not what they were rolled back to".to_owned())
                }
                _ => Ok(()),
            }
        }
        Event::SnapshotTaken { commit, .. } | Event::WorkspaceArchived { commit, .. } => {
            match world.repo.commits.contains_key(commit) {
                true => Ok(()),
                false => Err(format!("there is no snapshot {commit}")),
            }
        }
        _ => Ok(()),
    }
}

/// What always holds for an attempt.
fn expect_of(task: &TaskState, attempt: &AttemptState) -> Result<(), String> {
    if attempt.sessions.iter().filter(|session| session.closed.is_none()).count() > 1 {
        return Err("two sessions are open".to_owned());
    }
    if attempt.turns.iter().filter(|turn| turn.ended.is_none()).count() > 1 {
        return Err("two turns run".to_owned());
    }
    let sum =
        attempt.turns.iter().fold((0, 0), |sum, turn| (sum.0 + turn.usage.input, sum.1 + turn.usage.output));
    if sum != (attempt.usage.input, attempt.usage.output) {
        return Err(format!("the turns used {sum:?}, the attempt {:?}", attempt.usage));
    }
    if attempt.usage.cost_usd.is_some_and(|cost| cost < 0.0) {
        return Err("the cost is negative".to_owned());
    }
    let open: Vec<_> = task.open_items().filter(|item| item.attempt == attempt.number).collect();
    for (place, item) in open.iter().enumerate() {
        if open[..place].iter().any(|other| other.ask.same_request(&item.ask)) {
            return Err(format!("the same is asked twice: {:?}", item.ask));
        }
    }
    Ok(())
}
