//! A session that is rebuilt from its journals is the session that wrote them, wherever it was interrupted.

use std::collections::BTreeMap;

use divisi_agent::acp::{Session, Setup, Stage};
use divisi_agent::{Action, Reply};
use divisi_model::transcript::Entry;
use proptest::prelude::*;

use crate::conversation::{Conversation, INITIALIZED, now, sent, setup};

/// A long conversation with everything in it; a copy of the session after every step.
fn long() -> (Conversation, Vec<Session>) {
    let mut talk = Conversation::new(Setup { elicitation: true, mode: Some("ask".into()), ..setup() });
    let mut copies = vec![talk.session.clone()];
    let ask = |id: u32, call: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"session/request_permission","params":{{"sessionId":"s-1","toolCall":{{"toolCallId":"{call}","title":"Write","kind":"edit"}},"options":[{{"optionId":"yes","name":"Yes","kind":"allow_once"}},{{"optionId":"no","name":"No","kind":"reject_once"}}]}}}}"#
        )
    };
    let mut step = |talk: &mut Conversation, what: &dyn Fn(&mut Conversation)| {
        what(talk);
        copies.push(talk.session.clone());
    };
    step(&mut talk, &|t| t.hear("a banner"));
    step(&mut talk, &|t| t.hear(INITIALIZED));
    step(&mut talk, &|t| {
        t.hear(r#"{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s-1","modes":{"currentModeId":"auto","availableModes":[{"id":"auto","name":"A"},{"id":"ask","name":"B"}]}}}"#)
    });
    step(&mut talk, &|t| t.hear(r#"{"jsonrpc":"2.0","id":3,"result":{}}"#));
    step(&mut talk, &|t| t.prompt(1, "first"));
    step(&mut talk, &|t| t.say("I begin. "));
    step(&mut talk, &|t| t.say("ä — and go on."));
    step(&mut talk, &|t| {
        t.update(r#"{"sessionUpdate":"tool_call","toolCallId":"c1","title":"Write a","kind":"edit","status":"pending","content":[{"type":"diff","path":"a","newText":"1"}]}"#)
    });
    step(&mut talk, &|t| t.hear(&ask(0, "c1")));
    step(&mut talk, &|t| t.hear(&ask(1, "c2")));
    step(&mut talk, &|t| {
        t.update(
            r#"{"sessionUpdate":"plan","entries":[{"content":"x","priority":"high","status":"pending"}]}"#,
        )
    });
    step(&mut talk, &|t| t.answer("1", Reply::Allow { always: false }).unwrap());
    step(&mut talk, &|t| {
        t.hear(r#"{"jsonrpc":"2.0","id":9,"method":"fs/read_text_file","params":{"path":"/x"}}"#)
    });
    step(&mut talk, &|t| t.update(r#"{"sessionUpdate":"current_mode_update","currentModeId":"auto"}"#));
    step(&mut talk, &|t| t.answer("2", Reply::Deny { always: false }).unwrap());
    step(&mut talk, &|t| {
        t.hear(r#"{"jsonrpc":"2.0","id":"q1","method":"elicitation/create","params":{"sessionId":"s-1","mode":"form","message":"How many?","requestedSchema":{"type":"object","properties":{"n":{"type":"integer"}}}}}"#)
    });
    step(&mut talk, &|t| t.answer("3", Reply::Words("3".into())).unwrap());
    step(&mut talk, &|t| t.update(r#"{"sessionUpdate":"usage_update","used":10,"size":100}"#));
    step(&mut talk, &|t| {
        t.hear(r#"{"jsonrpc":"2.0","id":4,"result":{"stopReason":"end_turn","usage":{"inputTokens":10,"outputTokens":2}}}"#)
    });
    step(&mut talk, &|t| t.prompt(2, "second"));
    step(&mut talk, &|t| t.hear(&ask(2, "c3")));
    step(&mut talk, &|t| t.cancel());
    step(&mut talk, &|t| t.hear(&ask(3, "c4")));
    step(&mut talk, &|t| t.hear(r#"{"jsonrpc":"2.0","id":5,"result":{"stopReason":"cancelled"}}"#));
    step(&mut talk, &|t| t.prompt(5, "third, after numbers that went elsewhere"));
    step(&mut talk, &|t| {
        t.hear(r#"{"jsonrpc":"2.0","id":6,"error":{"code":-32603,"message":"Internal error"}}"#)
    });
    (talk, copies)
}

fn entries(actions: &[Action]) -> BTreeMap<u64, Entry> {
    let entry = |action: &Action| match action {
        Action::Entry(entry) => Some((entry.seq, entry.clone())),
        _ => None,
    };
    actions.iter().filter_map(entry).collect()
}

fn sends(actions: &[Action]) -> Vec<u8> {
    let bytes = |action: &Action| match action {
        Action::Send(bytes) => Some(bytes.clone()),
        _ => None,
    };
    actions.iter().filter_map(bytes).flatten().collect()
}

#[test]
fn after_every_step_a_replay_gives_the_same_state_and_sends_nothing() {
    let (talk, copies) = long();
    // The first step of the conversation is its beginning, before which there is nothing.
    for (copy, (in_len, out_len)) in copies.iter().zip(&talk.steps[1..]) {
        let (replayed, actions) = Session::replay(
            talk.setup.clone(),
            &talk.in_journal[..*in_len],
            &talk.out_journal[..*out_len],
            now(),
        );
        assert_eq!(&replayed, copy, "in {in_len}, out {out_len}");
        assert_eq!(sends(&actions), b"", "in {in_len}, out {out_len}");
        assert_eq!(replayed.open_requests(), copy.open_requests());
    }
    let (_, actions) = Session::replay(talk.setup.clone(), &talk.in_journal, &talk.out_journal, now());
    assert_eq!(entries(&actions), talk.entries);
}

#[test]
fn what_was_due_but_never_written_is_sent_by_the_replay() {
    let (talk, _) = long();
    let mut unsent = 0;
    for pair in talk.steps.windows(2) {
        let ((in_before, out_before), (in_after, out_after)) = (pair[0], pair[1]);
        if out_after == out_before || in_after == in_before {
            continue;
        }
        // The agent's line reached the journal, but the daemon died before it wrote what follows from it.
        let (replayed, actions) = Session::replay(
            talk.setup.clone(),
            &talk.in_journal[..in_before],
            &talk.out_journal[..out_after],
            now(),
        );
        assert_eq!(sent(&sends(&actions)), sent(&talk.in_journal[in_before..in_after]));
        unsent += 1;
        // And once it is written, a second replay has nothing left to do.
        let journal = [&talk.in_journal[..in_before], &sends(&actions)].concat();
        let (again, actions) =
            Session::replay(talk.setup.clone(), &journal, &talk.out_journal[..out_after], now());
        assert_eq!(sends(&actions), b"");
        assert_eq!(again, replayed);
    }
    assert_eq!(unsent, 4, "session/new, the mode, a refusal, the cancelled request");
}

#[test]
fn the_second_half_of_a_cancel_is_made_good() {
    let (talk, _) = long();
    let journal = String::from_utf8(talk.in_journal.clone()).unwrap();
    let cancel = journal.find("session/cancel").unwrap();
    let end = cancel + journal[cancel..].find('\n').unwrap() + 1;
    let step = talk.steps.iter().find(|(in_len, _)| *in_len > end).unwrap();
    let (session, actions) =
        Session::replay(talk.setup.clone(), &talk.in_journal[..end], &talk.out_journal[..step.1], now());
    let due = sent(&sends(&actions));
    assert_eq!(due.len(), 1);
    assert_eq!((&due[0]["id"], &due[0]["result"]["outcome"]["outcome"]), (&2.into(), &"cancelled".into()));
    assert_eq!(session.stage(), Stage::Turn);
}

#[test]
fn a_torn_message_was_never_sent() {
    let (talk, copies) = long();
    let (in_len, out_len) = talk.steps[6];
    let torn = [&talk.in_journal[..in_len], b"{\"jsonrpc\":\"2.0\",\"met"].concat();
    assert_eq!(Session::torn_bytes(&torn), 21);
    assert_eq!(Session::torn_bytes(&talk.in_journal), 0);
    let (replayed, _) = Session::replay(talk.setup.clone(), &torn, &talk.out_journal[..out_len], now());
    assert_eq!(replayed, copies[5]);
}

#[test]
fn journals_of_others_without_our_notes_are_understood_too() {
    let (talk, copies) = long();
    let bare: Vec<u8> = talk.sent().iter().flat_map(|value| format!("{value}\n").into_bytes()).collect();
    let (replayed, actions) = Session::replay(talk.setup.clone(), &bare, &talk.out_journal, now());
    assert_eq!(replayed.stage(), copies.last().unwrap().stage());
    assert_eq!(replayed.session_id(), Some("s-1"));
    assert_eq!(sends(&actions), b"");
}

#[test]
fn it_goes_on_after_a_replay_as_if_nothing_had_happened() {
    let (talk, _) = long();
    let at =
        talk.steps.iter().position(|(_, out)| talk.out_journal[..*out].ends_with(b"}]}}}\n")).unwrap_or(8);
    let (in_len, out_len) = talk.steps[at];
    let (mut session, _) =
        Session::replay(talk.setup.clone(), &talk.in_journal[..in_len], &talk.out_journal[..out_len], now());
    assert!(session.start(now()).iter().all(|a| !matches!(a, Action::Send(_))));
    let mut live =
        Session::replay(talk.setup.clone(), &talk.in_journal[..in_len], &talk.out_journal[..out_len], now())
            .0;
    let line = b"{\"jsonrpc\":\"2.0\",\"method\":\"session/update\",\"params\":{\"sessionId\":\"s-1\",\"update\":{\"sessionUpdate\":\"agent_message_chunk\",\"content\":{\"type\":\"text\",\"text\":\"on\"}}}}\n";
    assert_eq!(session.feed_out(line, out_len as u64, now()), live.feed_out(line, out_len as u64, now()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_do_not_matter(cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40), replay in any::<bool>()) {
        let (talk, copies) = long();
        let journal = &talk.out_journal;
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(journal.len() + 1)).collect();
        cuts.sort_unstable();
        cuts.push(journal.len());
        let mut session = Session::replaying(talk.setup.clone(), &talk.in_journal, now());
        let mut actions = Vec::new();
        let mut from = 0;
        for cut in cuts {
            // Overlaps are cut away by the session.
            let start = if replay { from / 2 } else { from };
            actions.extend(session.feed_out(&journal[start..cut.max(start)], start as u64, now()));
            from = cut;
        }
        actions.extend(session.live(now()));
        prop_assert_eq!(&session, copies.last().unwrap());
        prop_assert_eq!(entries(&actions), talk.entries);
    }

    #[test]
    fn no_bytes_make_it_panic(lines in prop::collection::vec("[ -~]{0,60}|\\{\"id\":[0-9],\"(method|result|error)\":[\\[{\"a-z}\\]]{0,12}\\}", 0..20)) {
        let mut talk = Conversation::opened(setup());
        for line in lines {
            talk.hear(&line);
        }
    }
}
