//! One task on a straight road, or with a rollback on its way: the engine ends at every effect on the world, and everything that can fail does.

use divisi_simulation::{FAULTS, Fault, How, Point, Report, Scenario, run};

/// Dice for the pauses; the road is the same.
const SEED: u64 = 1;

/// Every failed run with the line that runs it again.
fn failures(scenarios: impl Iterator<Item = Scenario>) -> Vec<String> {
    let failed = scenarios.filter_map(|scenario| match run(&scenario) {
        Ok(report) if report.landed == 1 => None,
        Ok(_) => Some(format!("{scenario}  # it did not land")),
        Err(why) => Some(format!("{scenario}  # {why}")),
    });
    failed.collect()
}

/// The straight road, and the one with a rollback, each with how much of it is to be gone through. The two are the same
/// for more than half of the straight one.
fn roads() -> [(Scenario, Report, u64); 2] {
    let straight = Scenario::small(SEED);
    let back = Scenario { rollback: true, ..straight.clone() };
    let (report, report_back) = (run(&straight).unwrap(), run(&back).unwrap());
    let half = report.effects / 2;
    assert!(half > 50 && report_back.effects > report.effects, "{report:?} {report_back:?}");
    [(straight, report, 1), (back, report_back, half)]
}

#[test]
fn the_task_lands_wherever_the_engine_is_ended() {
    for (road, report, first) in roads() {
        let ended = (first..=report.effects).map(|at| Scenario { crash: Some(at), ..road.clone() });
        let failed = failures(ended);
        assert!(failed.is_empty(), "\n{}", failed.join("\n"));
    }
}

/// A quarter of an hour without a word, and the person who is told of it resumes: the agent is interrupted and asked again.
#[test]
fn an_agent_that_gives_no_sign_of_life_is_told_of_and_asked_again() {
    let silent = Scenario { silent: true, ..Scenario::small(SEED) };
    let report = run(&silent).unwrap();
    assert_eq!(report.landed, 1);
    assert_eq!(report.stalls, ["no sign of life for 15 minutes; divisi log t1, then divisi resume t1"]);
    let ended = (1..=report.effects).map(|at| Scenario { crash: Some(at), ..silent.clone() });
    let failed = failures(ended);
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

#[test]
fn the_task_lands_wherever_the_power_is_cut() {
    for (road, report, first) in roads() {
        let cut = |at| Scenario { crash: Some(at), power: true, ..road.clone() };
        let failed = failures((first..=report.effects).map(cut));
        assert!(failed.is_empty(), "\n{}", failed.join("\n"));
    }
}

#[test]
fn the_task_lands_whatever_fails_once() {
    for (road, report, first) in roads() {
        let all = FAULTS.iter().zip(&report.passed).flat_map(|((_, point), (_, times))| {
            assert!(*times > 0, "nothing passed {point:?}");
            let from = 1 + times * (first - 1) / report.effects;
            (from..=*times).flat_map(|nth| How::ALL.map(|(_, how)| Fault { point: *point, nth, how }))
        });
        // What the log did not take was not written, however late it says so.
        let of_log = |point| matches!(point, Point::Append | Point::Fsync);
        let sensible = all.filter(|fault| fault.how == How::Fails || !of_log(fault.point));
        let failed = failures(sensible.map(|fault| Scenario { fault: Some(fault), ..road.clone() }));
        assert!(failed.is_empty(), "\n{}", failed.join("\n"));
    }
}
