//! The simulated world as a worker.

use std::path::PathBuf;
use std::sync::Arc;

use divisi_agent::AgentLaunch;
use divisi_engine::worker::{
    Answer, Attempt, Back, Built, Combination, Launch, Moved, PutAway, RolledBack, Taken, Worker,
};
use divisi_engine::{StepError, Subject};
use divisi_model::event::{AttemptResult, Landing, Workspace};
use divisi_model::limits::PORTS_PER_ATTEMPT;
use divisi_model::project::Project;
use divisi_model::schedule::first_port;
use divisi_model::task::Base;
use divisi_model::{Oid, Refusal};
use divisi_workspace::launch::{Spec, Stdin};
use divisi_workspace::{Diff, launch};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use crate::launch::SimLaunch;
use crate::repo::{self, Files};
use crate::scenario::Point;
use crate::world::{Rolled, Shared, Space, World};

/// The branch that everything lands on.
pub(crate) const MAIN: &str = "main";

/// The world as a worker.
pub(crate) struct SimWorker(pub(crate) Arc<Shared>);

fn gone(what: &str) -> StepError {
    StepError(format!("{what} is not there"))
}

impl SimWorker {
    fn effect<'a, T: Send + 'a>(
        &'a self,
        point: Point,
        what: String,
        act: impl FnOnce(&mut World) -> Result<T, StepError> + Send + 'a,
    ) -> Answer<'a, T> {
        async move { self.0.effect(point, &what, act).await }.boxed()
    }
}

impl Worker for SimWorker {
    fn tidy(&self, _project: Project) -> Answer<'_, ()> {
        self.effect(Point::Write, "tidy".to_owned(), |_| Ok(()))
    }

    fn top(&self, path: PathBuf) -> BoxFuture<'_, Result<PathBuf, Refusal>> {
        async move { Ok(path) }.boxed()
    }

    fn base(&self, _project: Project, _asked: Option<String>) -> BoxFuture<'_, Result<Base, Refusal>> {
        let act = |world: &mut World| {
            let commit = world.repo.branches.get(MAIN).cloned().ok_or_else(|| gone(MAIN))?;
            Ok(Base { branch: MAIN.to_owned(), commit })
        };
        let base = async move { self.0.effect(Point::Write, "take the base", act).await };
        base.map(|base| base.map_err(|error| Refusal::internal(error.0, ""))).boxed()
    }

    fn create(&self, attempt: Attempt) -> Answer<'_, Workspace> {
        self.effect(Point::Write, format!("create {}", attempt.name()), move |world| {
            let state = attempt.state()?;
            let Some((_, slot)) = state.lease else { return Err(gone("the slot")) };
            let files = world.repo.files(&state.base);
            let made = Space { files, base: state.base.clone() };
            world.spaces.entry(attempt.name()).or_insert(made);
            Ok(Workspace {
                path: format!("/sim/workspaces/{}", attempt.name()),
                branch: state.branch.clone(),
                first_port: first_port(slot),
                ports: PORTS_PER_ATTEMPT,
                kind: "checkout".to_owned(),
                setup_log: None,
                included: 0,
            })
        })
    }

    fn snapshot(&self, attempt: Attempt, turn: u32) -> Answer<'_, Taken> {
        self.effect(Point::Write, format!("snapshot {} after turn {turn}", attempt.name()), move |world| {
            let space = world.spaces.get(&attempt.name()).cloned().ok_or_else(|| gone("the workspace"))?;
            let commit = world.repo.commit(space.files, vec![space.base], &format!("snapshot {turn}"));
            let reference = format!("refs/divisi/snapshots/{}/{turn}", attempt.name());
            Ok(Taken { visible: commit.clone(), commit, reference, notes: Vec::new() })
        })
    }

    fn result(&self, attempt: Attempt, turn: u32) -> Answer<'_, AttemptResult> {
        self.effect(Point::Write, format!("result of {}", attempt.name()), move |world| {
            let space = world.spaces.get(&attempt.name()).cloned().ok_or_else(|| gone("the workspace"))?;
            let before = world.repo.files(&space.base);
            let changed = differing(&before, &space.files);
            let tree = repo::tree(&space.files);
            let commit = match changed {
                0 => space.base.clone(),
                _ => world.repo.commit(space.files, vec![space.base.clone()], &attempt.name()),
            };
            let lines = u32::try_from(changed).unwrap_or(u32::MAX);
            let base = space.base;
            let notes = Vec::new();
            Ok(AttemptResult {
                turn,
                commit,
                tree,
                base,
                files: lines,
                added: lines,
                removed: 0,
                notes,
                outside_scope: Vec::new(),
            })
        })
    }

    fn move_base(&self, attempt: Attempt, base: Oid) -> Answer<'_, Vec<String>> {
        self.effect(Point::Write, format!("move {} to {}", attempt.name(), base.short()), move |world| {
            let space = world.spaces.get(&attempt.name()).cloned().ok_or_else(|| gone("the workspace"))?;
            if space.base == base {
                let marked = space.files.iter().filter(|(_, text)| text.contains("<<<<<<< "));
                return Ok(marked.map(|(path, _)| path.clone()).collect());
            }
            let merged = world.repo.merge(&space.base, &base, &space.files);
            world.spaces.insert(attempt.name(), Space { files: merged.files, base });
            Ok(merged.conflicts)
        })
    }

    fn roll_back(
        &self,
        attempt: Attempt,
        number: u32,
        to: Oid,
        paths: Vec<String>,
    ) -> Answer<'_, RolledBack> {
        self.effect(Point::Write, format!("rollback {number} of {}", attempt.name()), move |world| {
            let rolled = roll_back(world, &attempt.name(), number, &to, &paths)?;
            let reference = format!("refs/divisi/snapshots/{}/rollback-{number}", attempt.name());
            Ok(RolledBack::Yes { before: rolled.before, reference, files: rolled.changed, kept: Vec::new() })
        })
    }

    fn archive(&self, attempt: Attempt) -> Answer<'_, PutAway> {
        self.effect(Point::Write, format!("archive {}", attempt.name()), move |world| {
            let name = attempt.name();
            if let Some(space) = world.spaces.remove(&name) {
                world.archives.insert(name.clone(), space);
            }
            let space = world.archives.get(&name).cloned().ok_or_else(|| gone("the workspace"))?;
            let commit = world.repo.commit(space.files, vec![space.base], "archive");
            let reference = format!("refs/divisi/archives/{name}/{commit}");
            Ok(PutAway { commit, reference, outside: None })
        })
    }

    fn restore(&self, attempt: Attempt) -> Answer<'_, Back> {
        self.effect(Point::Write, format!("restore {}", attempt.name()), move |world| {
            let name = attempt.name();
            if !world.spaces.contains_key(&name) {
                let space = world.archives.get(&name).cloned().ok_or_else(|| gone("the archive"))?;
                world.spaces.insert(name.clone(), space);
            }
            Ok(Back { path: format!("/sim/workspaces/{name}"), kind: "checkout".to_owned() })
        })
    }

    fn with_markers(&self, _project: Project, commit: Oid, files: Vec<String>) -> Answer<'_, Vec<String>> {
        self.effect(Point::Look, "look for markers".to_owned(), move |world| {
            let now = world.repo.files(&commit);
            Ok(files
                .into_iter()
                .filter(|path| now.get(path).is_some_and(|t| t.contains("<<<<<<< ")))
                .collect())
        })
    }

    fn clean_checkout(&self, _project: Project, commit: Oid, checkout: String) -> Answer<'_, PathBuf> {
        self.effect(Point::Write, format!("check out {checkout}"), move |world| {
            let space = Space { files: world.repo.files(&commit), base: commit };
            world.checkouts.entry(checkout.clone()).or_insert(space);
            Ok(PathBuf::from("/sim/check-trees").join(checkout))
        })
    }

    fn remove_checkout(&self, _project: Project, checkout: String) -> Answer<'_, ()> {
        self.effect(Point::Write, format!("remove {checkout}"), move |world| {
            world.checkouts.remove(&checkout);
            Ok(())
        })
    }

    fn diff(&self, _project: Project, _from: Oid, _to: Oid) -> Answer<'_, Diff> {
        async { Err(gone("a diff")) }.boxed()
    }

    fn build(&self, attempt: Attempt) -> Answer<'_, Built> {
        self.effect(Point::Write, format!("build {}", attempt.name()), move |world| build(world, &attempt))
    }

    fn has_happened(&self, _project: Project, landing: Landing) -> Answer<'_, bool> {
        self.effect(Point::Look, "look whether it landed".to_owned(), move |world| {
            let at = world.repo.branches.get(MAIN).cloned();
            Ok(at.is_some_and(|at| world.repo.ancestors(&at).contains(&landing.after)))
        })
    }

    fn advance(&self, attempt: Attempt, landing: Landing) -> Answer<'_, Moved> {
        self.effect(Point::Write, format!("land {}", attempt.name()), move |world| {
            if world.repo.branches.get(MAIN) != Some(&landing.before) {
                return Ok(Moved::Elsewhere);
            }
            if world.repo.dirty {
                return Ok(Moved::Dirty { paths: vec!["shared.txt".to_owned()] });
            }
            world.repo.branches.insert(MAIN.to_owned(), landing.after);
            Ok(Moved::Yes { checkout_updated: true })
        })
    }

    fn take_back(&self, attempt: Attempt, landing: Landing) -> Answer<'_, Moved> {
        self.effect(Point::Write, format!("take back {}", attempt.name()), move |world| {
            let at = world.repo.branches.get(MAIN).cloned();
            if at.as_ref() == Some(&landing.before) {
                return Ok(Moved::Yes { checkout_updated: false });
            }
            if at.as_ref() != Some(&landing.after) {
                return Ok(Moved::Elsewhere);
            }
            if world.repo.dirty {
                return Ok(Moved::Dirty { paths: vec!["shared.txt".to_owned()] });
            }
            world.repo.branches.insert(MAIN.to_owned(), landing.before);
            Ok(Moved::Yes { checkout_updated: true })
        })
    }

    fn furnish(&self, plan: AgentLaunch, workspace: PathBuf, _dir: PathBuf) -> Answer<'_, Spec> {
        self.effect(Point::Write, "furnish a home".to_owned(), move |_| {
            let program = plan.program.clone().into_os_string();
            let mut spec = Spec::new([program], workspace);
            spec.id = "sim".to_owned();
            spec.stdin = Stdin::Journaled;
            Ok(spec)
        })
    }

    fn attach(&self, dir: PathBuf) -> Answer<'_, Option<Arc<dyn Launch>>> {
        let shared = Arc::clone(&self.0);
        self.effect(Point::Look, format!("attach to {}", dir.display()), move |world| {
            let known = world.processes.contains_key(&dir);
            Ok(known.then(|| Arc::new(SimLaunch { shared, dir }) as Arc<dyn Launch>))
        })
    }

    fn start(&self, dir: PathBuf, spec: Spec) -> Answer<'_, Arc<dyn Launch>> {
        let shared = Arc::clone(&self.0);
        self.effect(Point::Spawn, format!("start {}", dir.display()), move |world| {
            world.start(&dir, &spec).map_err(StepError)?;
            Ok(Arc::new(SimLaunch { shared, dir }) as Arc<dyn Launch>)
        })
    }

    fn remove(&self, dir: PathBuf) -> Answer<'_, ()> {
        self.effect(Point::Write, format!("remove {}", dir.display()), move |world| {
            match world.processes.remove(&dir) {
                Some(process) if process.runs() => {
                    world.violate(format!("{} runs and is removed", dir.display()))
                }
                _ => {}
            }
            Ok(())
        })
    }

    fn log(&self, dir: PathBuf, _bytes: u64) -> Answer<'_, Vec<u8>> {
        self.effect(Point::Look, "read a log".to_owned(), move |world| {
            Ok(world.processes.get(&dir).map(|process| process.out.clone()).unwrap_or_default())
        })
    }

    fn log_end(&self, dir: PathBuf, _bytes: usize) -> Answer<'_, (String, String)> {
        self.effect(Point::Look, "read the end of a log".to_owned(), move |world| {
            let out = world.processes.get(&dir).map(|process| process.out.clone()).unwrap_or_default();
            let text = String::from_utf8_lossy(&out).into_owned();
            let hash = repo::hash(&text).0;
            Ok((text, hash))
        })
    }

    fn load(&self, path: PathBuf) -> Answer<'_, Option<Vec<u8>>> {
        self.effect(Point::Look, format!("read {}", path.display()), move |world| {
            Ok(world.files.get(&path).cloned())
        })
    }

    fn save(&self, path: PathBuf, content: Vec<u8>) -> Answer<'_, ()> {
        self.effect(Point::Write, format!("write {}", path.display()), move |world| {
            world.files.insert(path, content);
            Ok(())
        })
    }
}

fn differing(one: &Files, other: &Files) -> usize {
    let gone = one.keys().filter(|path| !other.contains_key(*path)).count();
    gone + other.iter().filter(|(path, text)| one.get(*path) != Some(text)).count()
}

/// Brings files back as a snapshot has them on the workspace's base; the same number again does nothing more.
fn roll_back(
    world: &mut World,
    name: &str,
    number: u32,
    to: &Oid,
    paths: &[String],
) -> Result<Rolled, StepError> {
    if world.in_turn(name) {
        world.violate(format!("{name} is rolled back while its agent is in a turn"));
    }
    let key = (name.to_owned(), number);
    if let Some(done) = world.rolled.get(&key) {
        return Ok(done.clone());
    }
    let space = world.spaces.get(name).cloned().ok_or_else(|| gone("the workspace"))?;
    let taken = world.repo.commits.get(to).cloned().ok_or_else(|| gone("the snapshot"))?;
    let before = world.repo.commit(
        space.files.clone(),
        vec![space.base.clone()],
        &format!("before rollback {number}"),
    );
    let there = match taken.parents.first() {
        Some(base) if *to != space.base => world.repo.merge(base, &space.base, &taken.files).files,
        _ => taken.files,
    };
    let wanted = |path: &String| paths.is_empty() || paths.contains(path);
    let mut after: Files = space.files.clone().into_iter().filter(|(path, _)| !wanted(path)).collect();
    after.extend(there.into_iter().filter(|(path, _)| wanted(path)));
    let changed = u32::try_from(differing(&space.files, &after)).unwrap_or(u32::MAX);
    let rolled = Rolled { before, changed, after: after.clone() };
    world.spaces.insert(name.to_owned(), Space { files: after, base: space.base });
    world.rolled.insert(key, rolled.clone());
    Ok(rolled)
}

fn build(world: &mut World, attempt: &Attempt) -> Result<Built, StepError> {
    let result = attempt.state()?.result.clone().ok_or_else(|| gone("the result"))?;
    let target = world.repo.branches.get(MAIN).cloned().ok_or_else(|| gone(MAIN))?;
    // As git is told to: what the result's base had and the target has no more does not come back.
    let merged = world.repo.merge(&result.base, &target, &world.repo.files(&result.commit));
    if !merged.conflicts.is_empty() {
        let prompt = "It conflicts with what landed meanwhile.".to_owned();
        return Ok(Built::Conflict { paths: merged.conflicts, target, prompt });
    }
    if merged.files == world.repo.files(&target) {
        return Ok(Built::Impossible { text: format!("{MAIN} has all of it already") });
    }
    let tree = repo::tree(&merged.files);
    let parents = vec![target.clone(), result.commit.clone()];
    let commit = world.repo.commit(merged.files, parents, &format!("land {}", attempt.name()));
    let landing = Landing {
        target: MAIN.to_owned(),
        before: target,
        after: commit.clone(),
        result: result.commit,
        checkout_updated: false,
    };
    Ok(Built::Combination(Combination { subject: Subject { commit, tree }, landing }))
}

/// How a launch's exit reads where nothing else is known.
pub(crate) fn lost() -> launch::Exit {
    launch::Exit {
        version: 1,
        outcome: launch::Outcome::Lost { why: "its folder is gone".to_owned() },
        ended_by: None,
        started_at_ms: 0,
        ended_at_ms: 0,
        strays_ended: 0,
        strays_left: 0,
    }
}
