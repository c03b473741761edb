//! The whole road with real agents: Goose, Codex and OpenCode as they come from their registries, at the same time, on
//! a repository of some 270 files whose tests fail in three places. Only the model behind them is scripted.

mod fleet;

use divisi_api::types::{AskView, Origin};
use divisi_model::transcript::{EntryBody, ToolStatus};
use divisi_rehearsal::server::Outcome;
use divisi_testkit::{Bug, TestEnv, wait_for};

use fleet::{AGENTS, Fleet};

#[test]
fn three_agents_mend_three_faults_and_all_of_it_lands() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env);
    let [orders, invoices, shipments] = fleet.depot.bugs;
    let repo = &fleet.depot.repo;
    let tests = || env.program("sh").in_folder(repo.path()).args(["-c", fleet.depot.test_command]).run();
    assert!(!tests().success(), "three tests fail at first");
    for (name, ..) in AGENTS {
        let agent = fleet.divisi(&["agents", name, "--json"]).require_success().json();
        assert_eq!(agent["readiness"]["state"], "ready", "{agent}");
    }

    // Goose asks before it edits. Codex is sent back by a reviewer. OpenCode is interrupted in the middle of its words.
    let remark = "    # The average of a report is a whole number.";
    let goose =
        fleet.give("goose", "ask", &orders, &format!("{}\nsay The rule counts the edge in.", edit(&orders)));
    let codex_script = format!(
        "read {path}\n{edit}\nsay The average is rounded.\nwhen prompt contains \"say why\"\nread {path}\n\
         edit {path} replace \"{right}\" with \"{remark}\\n{right}\"\nsay The reason stands there.",
        path = invoices.path,
        edit = edit(&invoices),
        right = invoices.right,
    );
    let codex = fleet.give("codex", "all", &invoices, &codex_script);
    let opencode_script = format!(
        "read {}\nslow 250ms\nsay {}\nturn\n{}\nsay A removed shipment is gone.",
        shipments.path,
        "I think about it for a very long time. ".repeat(40),
        edit(&shipments)
    );
    let opencode = fleet.give("opencode", "all", &shipments, &opencode_script);
    assert_eq!([&goose, &codex, &opencode], ["t1", "t2", "t3"]);

    fleet.until_answering("opencode", 1);
    for (agent, ..) in AGENTS {
        assert!(!fleet.processes(agent).is_empty(), "{agent} is there at the same time as the others");
    }
    fleet.divisi(&["cancel", &opencode]).require_success();
    let task = fleet.until(&opencode, "waiting for instruction", 1);
    assert_eq!(task.attempts[0].turns[0].outcome.as_deref(), Some("cancelled"));
    assert_eq!(fleet.asked("opencode").last().unwrap().outcome, Outcome::AbortedByClient);
    fleet.divisi(&["resume", &opencode]).require_success();

    fleet.until(&goose, "waiting for permission", 1);
    let asked = fleet.inbox(&goose);
    assert!(matches!(&asked[..], [item] if matches!(item.ask, AskView::Permission { .. })), "{asked:#?}");
    assert_eq!(fleet.depot.repo.status(), "", "the person's own checkout is as it was");
    fleet.divisi(&["approve", &goose]).require_success();

    fleet.until(&codex, "in review", 1);
    let line = 1 + repo.read(invoices.path).lines().position(|line| line == invoices.wrong).unwrap();
    let comment = format!("{}:{line}: say why it is rounded", invoices.path);
    fleet.divisi(&["review", &codex, "--request", &comment]).require_success();

    for (handle, bug, turns) in [(&goose, &orders, 1), (&codex, &invoices, 2), (&opencode, &shipments, 2)] {
        let task = fleet.until(handle, "in review", turns);
        let attempt = &task.attempts[0];
        assert!(
            attempt.checks.iter().all(|check| check.command == bug.test_command),
            "{:#?}",
            attempt.checks
        );
        assert_eq!(attempt.result.as_ref().unwrap().files, 1, "{:#?}", attempt.result);
        assert!(attempt.evidence.iter().all(|evidence| evidence.passed), "{:#?}", attempt.evidence);
        assert!(attempt.turns.iter().all(|turn| turn.snapshot.is_some() && turn.session == 1));
        fleet.divisi(&["review", handle, "--approve"]).require_success();
    }
    let asked_again = &fleet.task(&codex).attempts[0].turns[1].prompts[0];
    assert_eq!(asked_again.origin, Origin::Review);
    assert!(asked_again.text.contains(&comment), "{}", asked_again.text);
    assert_eq!(fleet.said(&goose, 1), "The rule counts the edge in.");
    assert_eq!(fleet.said(&codex, 2), "The reason stands there.");
    assert_eq!(fleet.said(&opencode, 2), "A removed shipment is gone.");

    let before = repo.head();
    fleet.divisi(&["land", &goose, &codex, &opencode]).require_success();
    let landings: Vec<_> = [&goose, &codex, &opencode]
        .map(|handle| fleet.task(handle).attempts[0].landing.clone().unwrap())
        .into();
    assert_eq!(landings[0].before, before);
    assert_eq!(landings[1].before, landings[0].after, "in the order they were named");
    assert_eq!(landings[2].before, landings[1].after);
    assert_eq!(repo.head(), landings[2].after);
    assert_eq!(repo.status(), "", "the checkout shows what landed");
    assert!(repo.read(invoices.path).contains(remark));
    tests().require_success();

    fleet.divisi(&["undo", "--yes", &opencode]).require_success();
    assert_eq!(repo.head(), landings[1].after, "the branch is exactly where it was");
    assert_eq!(repo.status(), "");
    assert!(repo.read(shipments.path).contains(shipments.wrong));
    assert!(repo.read(orders.path).contains(orders.right), "what landed before stays");
    fleet.divisi(&["land", &opencode]).require_success();
    tests().require_success();
    end(&fleet);
}

#[test]
fn a_daemon_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    let env = TestEnv::new();
    let fleet = Fleet::new(&env);
    let words = "I think about it for quite a while before I do anything at all. ".repeat(3);
    let [orders, invoices, shipments] = fleet.depot.bugs;
    let give = |agent: &'static str, bug: &Bug| {
        // Codex and OpenCode want to have read what they edit; Goose would ask before it looks.
        let read = if agent == "goose" { String::new() } else { format!("read {}\n", bug.path) };
        let script = format!("slow 100ms\nsay {words}\n{read}{}\nsay It is mended.", edit(bug));
        (agent, fleet.give(agent, "ask", bug, &script))
    };
    let goose = give("goose", &orders);
    let codex = give("codex", &invoices);

    // The first daemon goes in the middle of the words of two agents; at their end only their shims listen.
    fleet.until_answering("goose", 0);
    fleet.until_answering("codex", 0);
    fleet.kill_daemon();
    fleet.until_answered("goose", 0);
    fleet.until_answered("codex", 0);
    let tasks = [goose, codex, give("opencode", &shipments)];

    // The second one goes in the middle of the third agent's words, and the next one comes before their end.
    fleet.until_answering("opencode", 0);
    fleet.kill_daemon();
    let started = AGENTS.map(|(agent, ..)| fleet.processes(agent));
    assert!(started.iter().all(|processes| !processes.is_empty()), "{started:?}");
    fleet.divisi(&["ls"]).require_success();

    // The third one goes while every agent waits for a permission.
    for (_, handle) in &tasks {
        fleet.until(handle, "waiting for permission", 1);
    }
    let items: Vec<_> = tasks.iter().map(|(_, handle)| fleet.inbox(handle)).collect();
    fleet.kill_daemon();
    assert_eq!(AGENTS.map(|(agent, ..)| fleet.processes(agent)), started, "the agents live on");
    for ((_, handle), before) in tasks.iter().zip(items) {
        assert_eq!(before.len(), 1, "{before:#?}");
        fleet.divisi(&["approve", handle]).require_success();
        assert!(fleet.inbox(handle).iter().all(|item| item.id != before[0].id), "{before:#?}");
    }

    for (agent, handle) in &tasks {
        let task = fleet.until(handle, "in review", 1);
        assert_eq!(task.attempts[0].turns[0].outcome.as_deref(), Some("completed"));
        assert_eq!(fleet.said(handle, 1), format!("{}\nIt is mended.", words.trim_end()), "{handle}");
        let tools = fleet.tools(handle);
        assert!(tools.iter().all(|tool| tool.status == ToolStatus::Completed), "{tools:#?}");
        let steps: Vec<_> =
            fleet.asked(agent).iter().map(|one| (one.prompts, one.step, one.outcome)).collect();
        let once: Vec<_> = (0..=tools.len()).map(|step| (1, step, Outcome::Answered)).collect();
        assert_eq!(steps, once, "each answer of the model was asked for once");
        assert_eq!(tools.len(), if *agent == "goose" { 1 } else { 2 }, "{tools:#?}");
        let events = fleet.events(handle);
        for kind in ["session_opened", "session_named", "turn_started", "turn_ended", "snapshot_taken"] {
            assert_eq!(events.iter().filter(|event| event.kind == kind).count(), 1, "{kind} of {events:#?}");
        }
        let asked: Vec<_> =
            task.items.iter().filter(|item| matches!(item.ask, AskView::Permission { .. })).collect();
        assert!(matches!(&asked[..], [item] if item.answered.is_some()), "{asked:#?}");
        let kinds = fleet.entries(handle);
        let asks = |body: &EntryBody| {
            matches!(body, EntryBody::PermissionRequest { .. } | EntryBody::Answered { .. })
        };
        assert_eq!(kinds.iter().filter(|entry| asks(&entry.body)).count(), 2, "{kinds:#?}");
    }
    for (_, handle) in &tasks {
        fleet.divisi(&["stop", handle]).require_success();
    }
    end(&fleet);
}

/// The step that mends a fault.
fn edit(bug: &Bug) -> String {
    format!("edit {} replace \"{}\" with \"{}\"", bug.path, bug.wrong, bug.right)
}

/// Everything is over: nothing that was started lives on.
fn end(fleet: &Fleet<'_>) {
    fleet.divisi(&["stop", "--daemon"]).require_success();
    wait_for("no process of any attempt lives", || {
        let living = fleet.env.processes();
        if living.is_empty() { Ok(()) } else { Err(format!("{living:#?}")) }
    });
}
