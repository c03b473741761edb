//! How fast the demonstration goes.

use std::time::Duration;

/// How long it waits for its page to be opened.
const OPEN_MAX: Duration = Duration::from_secs(30);
/// How long something that a person does is left to be seen before it is done.
const BEFORE_AN_ACT: Duration = Duration::from_secs(4);
/// What an agent waits before each step, as its script says it.
const BEFORE_A_STEP: &str = "sleep 1500ms\n";
/// The steps that are seen on the board.
const STEPS: [&str; 8] = ["ask", "edit", "plan", "read", "run", "say", "think", "write"];

/// How fast it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Nothing waits but for what it needs.
    AtOnce,
    /// A person at a terminal is to follow it in the browser.
    Watched,
}

impl Pace {
    /// How long to wait at most for the page to be opened.
    pub(crate) fn longest_wait(self) -> Duration {
        match self {
            Self::AtOnce => Duration::ZERO,
            Self::Watched => OPEN_MAX,
        }
    }

    /// Leaves what is there to be seen before a person's act changes it.
    pub(crate) async fn leave_time(self) {
        if self == Self::Watched {
            tokio::time::sleep(BEFORE_AN_ACT).await;
        }
    }

    /// A script whose steps can be followed.
    pub(crate) fn script(self, script: &str) -> String {
        let seen = |line: &str| line.split(' ').next().is_some_and(|word| STEPS.contains(&word));
        let mut paced = String::new();
        for line in script.split_inclusive('\n') {
            if self == Self::Watched && seen(line.trim_end()) {
                paced.push_str(BEFORE_A_STEP);
            }
            paced.push_str(line);
        }
        paced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_waits_before_each_step_only_when_it_is_watched() {
        let script = "think why\nwrite a.txt\n  say this is text\nusage input 1 output 1 cost 0\n";
        assert_eq!(Pace::AtOnce.script(script), script);
        assert_eq!(
            Pace::Watched.script(script),
            "sleep 1500ms\nthink why\nsleep 1500ms\nwrite a.txt\n  say this is text\nusage input 1 output 1 cost 0\n"
        );
    }
}
