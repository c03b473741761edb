//! What holds for every sequence of commands and reports, sensible or not.

use divisi_model::event::{Delivery, LandingFailure, Origin, TurnOutcome, Usage};
use divisi_model::inbox::Answer;
use divisi_model::review::Verdict;
use divisi_model::{Command, Event, Phase, fold};
use proptest::prelude::*;

use crate::board::{Board, evidence, oid, result, spec, workspace};

fn command() -> impl Strategy<Value = Command> {
    let attempt = 1..3u16;
    let report = prop_oneof![
        attempt.clone().prop_map(|attempt| Event::AttemptLeased {
            attempt,
            worker: "w".into(),
            slot: attempt
        }),
        (attempt.clone(), 0..2u32).prop_map(|(attempt, files)| Event::RolledBack {
            attempt,
            before: oid(4),
            reference: "r".into(),
            files,
            kept: vec![]
        }),
        attempt.clone().prop_map(|attempt| Event::RollbackFailed { attempt, why: "no".into() }),
        attempt.clone().prop_map(|attempt| Event::WorkspaceReady { attempt, workspace: workspace() }),
        attempt.clone().prop_map(|attempt| Event::WorkspaceFailed { attempt, why: "no".into(), log: None }),
        (attempt.clone(), 1..4u32).prop_map(|(attempt, session)| Event::SessionOpened {
            attempt,
            session,
            launch: "l".into(),
            how: divisi_model::event::SessionStart::New,
            sandbox: None,
        }),
        (attempt.clone(), 1..6u32).prop_map(|(attempt, turn)| Event::TurnStarted {
            attempt,
            turn,
            session: 1,
            prompts: (1..20).collect()
        }),
        (attempt.clone(), 1..6u32, 0..3u8).prop_map(|(attempt, turn, how)| Event::TurnEnded {
            attempt,
            turn,
            outcome: match how {
                0 => TurnOutcome::Completed,
                1 => TurnOutcome::Cancelled,
                _ => TurnOutcome::AgentError { text: "x".into() },
            },
            usage: Usage::default()
        }),
        (attempt.clone(), 1..4u32, 0..2u32).prop_map(|(attempt, n, files)| Event::ResultMade {
            attempt,
            result: result(n, files),
            comments: vec![]
        }),
        (attempt.clone(), 1..4u32, any::<bool>()).prop_map(|(attempt, n, passed)| Event::EvidenceStored {
            attempt,
            evidence: Box::new(evidence(n, "tests", passed))
        }),
        (attempt.clone(), 1..4u32, any::<bool>()).prop_map(|(attempt, n, passed)| Event::ChecksEnded {
            attempt,
            commit: oid(n),
            passed
        }),
        attempt.clone().prop_map(|attempt| Event::LandingFailed {
            attempt,
            why: LandingFailure::Conflict { paths: vec![], target: oid(3) }
        }),
        attempt.clone().prop_map(|attempt| Event::Landed {
            attempt,
            landing: divisi_model::event::Landing {
                target: "main".into(),
                before: oid(0),
                after: oid(5),
                result: oid(1),
                checkout_updated: false
            }
        }),
        attempt.clone().prop_map(|attempt| Event::LandingUndone { attempt, from: oid(5), to: oid(0) }),
    ];
    prop_oneof![
        6 => report.prop_map(Command::Report),
        1 => (attempt.clone(), 0..3u8).prop_map(|(attempt, how)| Command::Send {
            attempt,
            text: "do".into(),
            images: vec![],
            delivery: [Delivery::Queue, Delivery::Steer, Delivery::Interrupt][usize::from(how)]
        }),
        1 => attempt.clone().prop_map(|attempt| Command::Cancel { attempt }),
        1 => (attempt.clone(), 2..4u32).prop_map(|(attempt, prompt)| Command::TakeBack { attempt, prompt }),
        1 => attempt.clone().prop_map(|attempt| Command::RollBack { attempt, to: oid(0), paths: vec![] }),
        1 => (attempt.clone(), 0..3usize).prop_map(|(attempt, which)| Command::Review {
            attempt,
            commit: None,
            verdict: [Verdict::Approved, Verdict::ChangesRequested, Verdict::Withdrawn][which],
            comments: vec![],
            note: "n".into()
        }),
        1 => (100..130u128).prop_map(|n| Command::Answer {
            item: divisi_model::ItemId(uuid::Uuid::from_u128(n)),
            answer: Answer::Approved { always: false }
        }),
        1 => attempt.clone().prop_map(|attempt| Command::Land { attempt }),
        1 => attempt.clone().prop_map(|attempt| Command::Undo { attempt }),
        1 => attempt.clone().prop_map(|attempt| Command::Stop { attempt }),
        1 => attempt.clone().prop_map(|attempt| Command::Resume { attempt }),
        1 => attempt.prop_map(|attempt| Command::SendBack {
            attempt,
            text: "mend".into(),
            origin: Origin::Check
        }),
        1 => Just(Command::Archive),
        1 => Just(Command::Restore),
    ]
}

/// A sequence of sensible steps in which any step may be replaced by any command, so that deep states are reached.
fn story() -> impl Strategy<Value = Vec<Command>> {
    let good = |n: u32| {
        vec![
            Command::Report(Event::AttemptLeased { attempt: 1, worker: "w".into(), slot: 0 }),
            Command::Report(Event::WorkspaceReady { attempt: 1, workspace: workspace() }),
            Command::Report(Event::SessionOpened {
                attempt: 1,
                session: 1,
                launch: "l".into(),
                how: divisi_model::event::SessionStart::New,
                sandbox: None,
            }),
            Command::Report(Event::TurnStarted {
                attempt: 1,
                turn: n,
                session: 1,
                prompts: (1..20).collect(),
            }),
            Command::Report(Event::TurnEnded {
                attempt: 1,
                turn: n,
                outcome: TurnOutcome::Completed,
                usage: Usage::default(),
            }),
            Command::Report(Event::ResultMade { attempt: 1, result: result(n, 1), comments: vec![] }),
            Command::Report(Event::EvidenceStored {
                attempt: 1,
                evidence: Box::new(evidence(n, "tests", true)),
            }),
            Command::Report(Event::ChecksEnded { attempt: 1, commit: oid(n), passed: true }),
            Command::Review {
                attempt: 1,
                commit: None,
                verdict: Verdict::Approved,
                comments: vec![],
                note: "".into(),
            },
            Command::Land { attempt: 1 },
        ]
    };
    let steps = (1..4u32).flat_map(good).collect::<Vec<_>>();
    let noise = proptest::collection::vec((0..steps.len(), command()), 0..25);
    noise.prop_map(move |noise| {
        let mut story = steps.clone();
        for (at, command) in noise {
            story.insert(at, command);
        }
        story
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_state_is_sound_and_has_a_way_on(story in story()) {
        let mut board = Board::new(spec(&["tests"], &[], 2));
        for command in story {
            let before = board.log.len();
            let refused = board.ask(command).is_err();
            prop_assert!(!refused || board.log.len() == before, "a refusal changes nothing");
            let state = board.state();
            for attempt in &state.attempts {
                if matches!(attempt.phase, Phase::Approved | Phase::Landing | Phase::Landed) {
                    prop_assert!(attempt.proven(&state.spec), "approved without fresh evidence");
                }
                let running = attempt.turns.iter().filter(|t| t.ended.is_none()).count();
                prop_assert!(running <= 1, "two turns at once");
                prop_assert!(attempt.sessions.iter().filter(|s| s.closed.is_none()).count() <= 1);
                prop_assert!(attempt.rounds <= state.spec.settings.rounds + 1);
                let status = divisi_model::view::status(state, attempt);
                prop_assert!(!status.state.is_empty() && !status.reason.is_empty());
                let leased = matches!(attempt.phase, Phase::Preparing | Phase::Working);
                prop_assert_eq!(attempt.lease.is_some(), leased, "a slot is held exactly while it is used: {:?}", attempt.phase);
                if matches!(attempt.phase, Phase::Queued) {
                    prop_assert!(!attempt.queue.is_empty(), "queued with nothing to say");
                }
            }
        }
    }

    #[test]
    fn folding_the_log_again_gives_the_same_state(story in story()) {
        let mut board = Board::new(spec(&["tests"], &["reads well"], 2));
        for command in story {
            drop(board.ask(command));
        }
        let task = board.state().id;
        let json: Vec<String> = board.log.iter().map(|e| serde_json::to_string(e).unwrap()).collect();
        let mut state = None;
        for line in json {
            let envelope: divisi_model::Envelope = serde_json::from_str(&line).unwrap();
            state = fold(state, task, &envelope);
        }
        prop_assert_eq!(state.as_ref(), Some(board.state()));
    }
}
