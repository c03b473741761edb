use std::cell::Cell;
use std::time::Instant;

use divisi_testkit::{WAIT_MAX, wait_for, wait_until};

#[test]
fn waiting_ends_as_soon_as_the_condition_holds() {
    let looks = Cell::new(0);
    let started = Instant::now();
    wait_until("the third look", || {
        looks.set(looks.get() + 1);
        looks.get() == 3
    });
    assert_eq!(looks.get(), 3);
    assert!(started.elapsed() < WAIT_MAX);
}

#[test]
fn what_was_found_is_returned() {
    let looks = Cell::new(0);
    let found = wait_for("a number above three", || {
        looks.set(looks.get() + 1);
        if looks.get() > 3 { Ok(looks.get()) } else { Err(format!("only {}", looks.get())) }
    });
    assert_eq!(found, 4);
}
