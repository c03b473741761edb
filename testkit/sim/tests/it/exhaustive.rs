//! One task on a straight road: the engine ends at every effect on the world, and everything that can fail does.

use divisi_simulation::{FAULTS, Fault, How, Point, Scenario, run};

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

#[test]
fn the_task_lands_wherever_the_engine_is_ended() {
    let effects = run(&Scenario::small(SEED)).unwrap().effects;
    assert!(effects > 100, "{effects}");
    let failed = failures((1..=effects).map(|at| Scenario { crash: Some(at), ..Scenario::small(SEED) }));
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

#[test]
fn the_task_lands_wherever_the_power_is_cut() {
    let effects = run(&Scenario::small(SEED)).unwrap().effects;
    let failed =
        failures((1..=effects).map(|at| Scenario { crash: Some(at), power: true, ..Scenario::small(SEED) }));
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

#[test]
fn the_task_lands_whatever_fails_once() {
    let passed = run(&Scenario::small(SEED)).unwrap().passed;
    let all = FAULTS.iter().zip(&passed).flat_map(|((_, point), (_, times))| {
        assert!(*times > 0, "nothing passed {point:?}");
        (1..=*times).flat_map(|nth| How::ALL.map(|(_, how)| Fault { point: *point, nth, how }))
    });
    // What the log did not take was not written, however late it says so.
    let of_log = |point| matches!(point, Point::Append | Point::Fsync);
    let sensible = all.filter(|fault| fault.how == How::Fails || !of_log(fault.point));
    let failed = failures(sensible.map(|fault| Scenario { fault: Some(fault), ..Scenario::small(SEED) }));
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}
