//! Waiting for conditions, never for time.

use std::time::{Duration, Instant};

/// How long a condition is waited for. Far beyond what any should take, on the slowest machine: only a condition that
/// never comes meets it.
pub const WAIT_MAX: Duration = Duration::from_secs(60);

/// The longest pause between two looks.
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// Waits until `condition` holds. For tests that are not async; async ones run it in `spawn_blocking`.
///
/// # Panics
/// If it does not hold within [`WAIT_MAX`]; the message names `what` was waited for.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || if condition() { Ok(()) } else { Err("the condition does not hold") });
}

/// Waits until `look` finds a value. What it sees instead is the error, and the last one is reported.
///
/// # Panics
/// If it finds none within [`WAIT_MAX`].
#[track_caller]
pub fn wait_for<T, E: std::fmt::Display>(what: &str, mut look: impl FnMut() -> Result<T, E>) -> T {
    let started = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) if started.elapsed() > WAIT_MAX => {
                panic!("waited {WAIT_MAX:?} for this: {what}\nlast seen: {seen}")
            }
            Err(_) => std::thread::sleep(pause),
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}
