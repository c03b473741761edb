//! Every kind of event, made from a few numbers.

use std::collections::BTreeMap;

use divisi_model::budget::Budget;
use divisi_model::comment::{CommentMove, Lines, NewComment, Place, Side};
use divisi_model::event::{
    AttemptResult, Blocked, Delivery, Landing, LandingFailure, Origin, Prompt, SessionStart, TurnOutcome,
    Usage, Workspace,
};
use divisi_model::evidence::{CheckOutcome, Counts, Evidence};
use divisi_model::image::{Image, MediaType};
use divisi_model::inbox::{Answer, Ask, AskOption, Effect};
use divisi_model::review::{Comment, Verdict};
use divisi_model::{Event, ItemId};
use uuid::Uuid;

use crate::samples::*;

/// What events are made from.
#[derive(Clone, Debug)]
pub struct Seed {
    pub attempt: u16,
    pub n: u32,
    pub flag: bool,
    pub cost: Option<f64>,
    pub text: String,
}

/// How many kinds [`event`] knows: all that may follow in a task's stream.
pub const KINDS: usize = 49;

/// The event of a kind, from 0.
pub fn event(kind: usize, seed: &Seed) -> Event {
    let Seed { attempt, n, flag, cost, ref text } = *seed;
    let (why, commit, reference) = (text.clone(), oid(n), format!("refs/divisi/{n}"));
    let item = ItemId(Uuid::from_u128(n.into()));
    match kind {
        0 => Event::TaskArchived,
        1 => Event::TaskRestored,
        2 => Event::AttemptAdded { attempt, agent: "codex".into(), branch: format!("divisi/{n}") },
        3 => Event::PromptQueued { attempt, prompt: prompt_of(seed) },
        4 => Event::AttemptLeased { attempt, worker: "local".into(), slot: attempt },
        5 => Event::WorkspaceReady { attempt, workspace: workspace(seed) },
        6 => Event::WorkspaceFailed { attempt, why, log: flag.then(|| "logs/setup".to_owned()) },
        7 => Event::BaseMoved { attempt, base: commit, conflicts: vec![text.clone()] },
        8 => {
            let how = if flag { SessionStart::New } else { SessionStart::HandOff };
            Event::SessionOpened { attempt, session: n, launch: format!("launches/{n}"), how, sandbox: None }
        }
        9 => Event::SessionNamed { attempt, session: n, agent_session: text.clone() },
        10 => Event::SessionClosed { attempt, session: n, why, forgotten: flag },
        11 => Event::TurnStarted { attempt, turn: n, session: 1, prompts: (0..=n).collect() },
        12 => Event::TurnCancelRequested { attempt, turn: n },
        13 => Event::SnapshotTaken { attempt, turn: n, commit, reference, notes: vec![text.clone()] },
        14 => Event::TurnEnded { attempt, turn: n, outcome: outcome(seed), usage: usage(n, cost) },
        15 => Event::ResultMade { attempt, result: result(seed), comments: moves(seed) },
        16 => Event::EvidenceStored { attempt, evidence: Box::new(evidence(seed)) },
        17 => Event::ChecksEnded { attempt, commit, passed: flag },
        18 => Event::ItemOpened { item, attempt, ask: ask(seed) },
        19 if flag => Event::ItemAnswered { item, answer: Answer::Approved { always: flag } },
        19 => Event::ItemAnswered { item, answer: Answer::Text { text: text.clone() } },
        20 => Event::Reviewed {
            attempt,
            commit,
            verdict: if flag { Verdict::Approved } else { Verdict::ChangesRequested },
            comments: vec![Comment {
                file: Some("src/a.rs".into()),
                line: Some(n),
                last: None,
                text: text.clone(),
            }],
            note: text.clone(),
            sent: if flag { vec![] } else { vec![n] },
        },
        21 => Event::LandingRequested { attempt },
        22 => Event::Landed { attempt, landing: landing(seed) },
        23 => Event::LandingFailed { attempt, why: landing_failure(seed) },
        24 => Event::UndoRequested { attempt },
        25 => Event::LandingUndone { attempt, from: oid(n), to: oid(n + 1) },
        26 => Event::UndoFailed { attempt, why },
        27 => Event::AttemptStopped { attempt, why: flag.then_some(why) },
        28 => Event::AttemptResumed { attempt },
        29 if flag => Event::AttemptBlocked {
            attempt,
            why: Blocked::UsageLimit { text: why, until: Some(at(5)), guessed: false },
        },
        29 => Event::AttemptBlocked { attempt, why: Blocked::OutOfRounds { rounds: attempt } },
        30 => Event::WorkspaceArchived { attempt, commit, reference, outside: flag.then(|| text.clone()) },
        31 => Event::LandingPrepared { attempt, landing: landing(seed) },
        32 => Event::PromptGiven { attempt, turn: n, prompt: n },
        33 => Event::AttemptHeld { attempt, until: at(n.into()), why },
        34 => Event::LimitOver { attempt },
        35 => Event::TaskEdited { spec: Box::new(spec(n)) },
        47 => Event::BudgetSet { attempt, budget: flag.then(|| Budget::Tokens(n.into())) },
        36 => Event::TaskMoved { since: at(n.into()) },
        37 => Event::CommentWritten { attempt, comment: n, written: comment(seed) },
        38 => Event::CommentEdited { attempt, comment: n, text: text.clone() },
        39 => Event::CommentDeleted { attempt, comment: n },
        40 => Event::CommentResolved { attempt, comment: n },
        41 => Event::CommentReopened { attempt, comment: n, text: text.clone() },
        42 => {
            let files = BTreeMap::from([("src/a.rs".to_owned(), text.clone())]);
            Event::FilesViewed { attempt, files, viewed: flag }
        }
        43 => Event::PromptTakenBack { attempt, prompt: n },
        44 => Event::RollbackRequested { attempt, to: commit, paths: vec![text.clone()] },
        45 => Event::RolledBack { attempt, before: commit, reference, files: n, kept: vec![text.clone()] },
        46 => Event::RollbackFailed { attempt, why },
        _ => Event::WorkspaceRestored {
            attempt,
            path: format!("/w/{n}"),
            kind: flag.then(|| text.clone()),
            first_port: (n % 2 == 0).then_some(20_010),
        },
    }
}

/// The kind of an event as it is stored. Whoever adds a kind is sent here by the compiler: give [`event`] an arm too,
/// and the newest stored log a line.
pub fn kind_of(event: &Event) -> &'static str {
    match event {
        Event::ProjectAdded { .. } => "project_added",
        Event::TaskAdded { .. } => "task_added",
        Event::TaskEdited { .. } => "task_edited",
        Event::TaskMoved { .. } => "task_moved",
        Event::BudgetSet { .. } => "budget_set",
        Event::TaskArchived => "task_archived",
        Event::TaskRestored => "task_restored",
        Event::AttemptAdded { .. } => "attempt_added",
        Event::PromptQueued { .. } => "prompt_queued",
        Event::PromptTakenBack { .. } => "prompt_taken_back",
        Event::RollbackRequested { .. } => "rollback_requested",
        Event::RolledBack { .. } => "rolled_back",
        Event::RollbackFailed { .. } => "rollback_failed",
        Event::AttemptLeased { .. } => "attempt_leased",
        Event::WorkspaceReady { .. } => "workspace_ready",
        Event::WorkspaceFailed { .. } => "workspace_failed",
        Event::BaseMoved { .. } => "base_moved",
        Event::SessionOpened { .. } => "session_opened",
        Event::SessionNamed { .. } => "session_named",
        Event::SessionClosed { .. } => "session_closed",
        Event::TurnStarted { .. } => "turn_started",
        Event::PromptGiven { .. } => "prompt_given",
        Event::TurnCancelRequested { .. } => "turn_cancel_requested",
        Event::SnapshotTaken { .. } => "snapshot_taken",
        Event::TurnEnded { .. } => "turn_ended",
        Event::ResultMade { .. } => "result_made",
        Event::EvidenceStored { .. } => "evidence_stored",
        Event::ChecksEnded { .. } => "checks_ended",
        Event::ItemOpened { .. } => "item_opened",
        Event::ItemAnswered { .. } => "item_answered",
        Event::CommentWritten { .. } => "comment_written",
        Event::CommentEdited { .. } => "comment_edited",
        Event::CommentDeleted { .. } => "comment_deleted",
        Event::CommentResolved { .. } => "comment_resolved",
        Event::CommentReopened { .. } => "comment_reopened",
        Event::FilesViewed { .. } => "files_viewed",
        Event::Reviewed { .. } => "reviewed",
        Event::LandingRequested { .. } => "landing_requested",
        Event::LandingPrepared { .. } => "landing_prepared",
        Event::Landed { .. } => "landed",
        Event::LandingFailed { .. } => "landing_failed",
        Event::UndoRequested { .. } => "undo_requested",
        Event::LandingUndone { .. } => "landing_undone",
        Event::UndoFailed { .. } => "undo_failed",
        Event::AttemptStopped { .. } => "attempt_stopped",
        Event::AttemptResumed { .. } => "attempt_resumed",
        Event::AttemptHeld { .. } => "attempt_held",
        Event::LimitOver { .. } => "limit_over",
        Event::AttemptBlocked { .. } => "attempt_blocked",
        Event::WorkspaceArchived { .. } => "workspace_archived",
        Event::WorkspaceRestored { .. } => "workspace_restored",
    }
}

fn prompt_of(seed: &Seed) -> Prompt {
    let (origin, delivery) =
        if seed.flag { (Origin::Check, Delivery::Queue) } else { (Origin::Person, Delivery::Steer) };
    let image = Image {
        hash: format!("{:064x}", seed.n).parse().unwrap(),
        media_type: MediaType::Png,
        bytes: u64::from(seed.n),
        name: seed.text.clone(),
    };
    let images = if seed.flag { vec![] } else { vec![image] };
    Prompt { id: seed.n, text: seed.text.clone(), images, origin, delivery }
}

fn workspace(seed: &Seed) -> Workspace {
    Workspace {
        path: format!("/w/{}", seed.n),
        branch: "divisi/t1".into(),
        first_port: 20_000,
        ports: 10,
        kind: "checkout".into(),
        setup_log: seed.flag.then(|| "logs/setup".to_owned()),
        included: seed.n,
    }
}

fn outcome(seed: &Seed) -> TurnOutcome {
    match (seed.flag, seed.n % 3) {
        (true, _) => TurnOutcome::Completed,
        (_, 0) => {
            let until = Some(at(seed.n.into()));
            TurnOutcome::UsageLimit { text: seed.text.clone(), until, guessed: seed.attempt > 1 }
        }
        (_, 1) => TurnOutcome::AgentError { text: seed.text.clone() },
        _ => TurnOutcome::NoProgress,
    }
}

fn usage(n: u32, cost_usd: Option<f64>) -> Usage {
    Usage {
        input: n.into(),
        output: 7,
        cached_read: 1,
        cached_write: 2,
        cost_usd,
        cost_micros: cost_usd.map(|_| 7),
        ..Usage::default()
    }
}

fn result(seed: &Seed) -> AttemptResult {
    let (commit, tree, base) = (oid(seed.n), oid(seed.n + 1), oid(0));
    let notes = vec![seed.text.clone()];
    AttemptResult {
        turn: seed.n,
        commit,
        tree,
        base,
        files: 1,
        added: seed.n,
        removed: 2,
        notes,
        outside_scope: vec![],
    }
}

fn comment(seed: &Seed) -> NewComment {
    NewComment { place: seed.flag.then(|| place(seed)), text: seed.text.clone() }
}

fn place(seed: &Seed) -> Place {
    let lines = Some(Lines { first: seed.n, last: seed.n + 1 });
    Place { commit: oid(seed.n), file: "src/a.rs".into(), side: Side::After, lines, quote: seed.text.clone() }
}

fn moves(seed: &Seed) -> Vec<CommentMove> {
    let place = seed.flag.then(|| place(seed));
    vec![CommentMove { comment: seed.n, place, touched: seed.flag }]
}

fn evidence(seed: &Seed) -> Evidence {
    Evidence {
        check: "tests".into(),
        command: "cargo test".into(),
        required: true,
        criterion: seed.flag.then_some(0),
        commit: oid(seed.n),
        tree: oid(seed.n + 1),
        outcome: if seed.flag { CheckOutcome::Passed } else { CheckOutcome::Failed { code: 101 } },
        started: at(seed.n.into()),
        millis: 1_500,
        log_sha256: "0".repeat(64),
        log: "logs/check".into(),
        counts: Some(Counts { passed: seed.n, failed: 1, skipped: 0 }),
        environment: "linux x86_64".into(),
    }
}

fn ask(seed: &Seed) -> Ask {
    let options = vec![AskOption { id: "yes".into(), name: "Yes".into(), effect: Effect::AllowOnce }];
    match seed.n % 4 {
        0 => Ask::Permission {
            session: 1,
            request: seed.n.to_string(),
            title: seed.text.clone(),
            tool: "execute".into(),
            detail: "rm -rf target".into(),
            options,
        },
        1 => Ask::Question { session: 1, request: seed.n.to_string(), text: seed.text.clone(), options },
        2 => Ask::Criterion { criterion: 0, text: seed.text.clone() },
        _ => Ask::Review { commit: oid(seed.n) },
    }
}

fn landing(seed: &Seed) -> Landing {
    let (before, after, result) = (oid(0), oid(seed.n + 1), oid(seed.n));
    Landing { target: "main".into(), before, after, result, checkout_updated: seed.flag }
}

fn landing_failure(seed: &Seed) -> LandingFailure {
    if seed.flag {
        LandingFailure::Conflict { paths: vec![seed.text.clone()], target: oid(seed.n) }
    } else {
        LandingFailure::CheckoutDirty { paths: vec![seed.text.clone()] }
    }
}
