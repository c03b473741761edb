//! What a run is about, all of it drawn from its seed.

use std::fmt;

use divisi_model::budget::Budget;
use divisi_model::limits;
use divisi_model::task::{CheckedBy, Criterion, Gate, LandingMode, Permissions, TaskSettings};

use crate::chance::Chance;

/// Keeps the dice of the clock apart from all others of a seed.
const CLOCK_DICE: u64 = 0x9E37_79B9_7F4A_7C15;
/// Longest pause before the clock is set again, in milliseconds.
const CLOCK_PAUSE: u64 = 45 * 60_000;
/// By how much it is set at most: a second, some hours, some days, a year.
const CLOCK_STEPS: [u64; 4] = [1_000, 6 * 3_600_000, 9 * 86_400_000, 366 * 86_400_000];

/// Where something can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// Events are appended to the log.
    Append,
    /// The log is synced.
    Fsync,
    /// A process is started.
    Spawn,
    /// A file, a workspace, a ref is written.
    Write,
    /// Something is sent to a process.
    Send,
    /// Something is only looked at: it never fails, but the engine may end there.
    Look,
}

/// Those that fail, with their names.
pub const FAULTS: [(&str, Point); 5] = [
    ("append", Point::Append),
    ("fsync", Point::Fsync),
    ("spawn", Point::Spawn),
    ("write", Point::Write),
    ("send", Point::Send),
];

/// A fault: the n-th at its point fails, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub point: Point,
    /// Which one, from 1.
    pub nth: u64,
    /// In which way.
    pub how: How,
}

/// In which way something fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It is not done.
    Fails,
    /// It is done, and only its success is not told.
    Late,
    /// The same, and the worker is out of reach for a while then.
    Away,
}

impl How {
    /// All ways, with their names where they have one.
    pub const ALL: [(&'static str, Self); 3] =
        [("", Self::Fails), ("late", Self::Late), ("away", Self::Away)];
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// One task on a straight road, for going through every crash and fault; else many, and all kinds of trouble.
    pub small: bool,
    /// On the straight road, the person who helps has everything brought back once before approving.
    pub rollback: bool,
    /// On the straight road, the agent gives no sign of life after its first words, until it is asked again.
    pub silent: bool,
    /// The engine ends at this effect on the world, counted from 1.
    pub crash: Option<u64>,
    /// With it the power is cut: processes end, and what was not synced is gone.
    pub power: bool,
    /// What fails.
    pub fault: Option<Fault>,
}

/// The details of a scenario.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) tasks: u64,
    pub(crate) attempts: u64,
    pub(crate) parallel: u16,
    pub(crate) settings: TaskSettings,
    pub(crate) criteria: Vec<Criterion>,
    pub(crate) budget: Option<Budget>,
    /// How often people and chance step in before it gets quiet.
    pub(crate) actions: u64,
    pub(crate) crashes: u64,
    pub(crate) faults: Vec<Fault>,
    /// How many in a hundred of an agent's turns, commands and launches go wrong.
    pub(crate) trouble: u64,
    /// Longest pause before and after an effect, in milliseconds.
    pub(crate) jitter: u64,
    /// The first turn of an attempt hangs.
    pub(crate) silent: bool,
    /// Crash and fault are asked for by their number, and come whenever that is.
    pub(crate) exact: bool,
}

impl Scenario {
    /// All kinds of trouble.
    pub fn large(seed: u64) -> Self {
        Self { seed, small: false, rollback: false, silent: false, crash: None, power: false, fault: None }
    }

    /// A straight road.
    pub fn small(seed: u64) -> Self {
        Self { seed, small: true, rollback: false, silent: false, crash: None, power: false, fault: None }
    }

    pub(crate) fn plan(&self, chance: &mut Chance) -> Plan {
        if self.small {
            return self.small_plan(chance);
        }
        let faults = (0..chance.below(6)).filter_map(|_| {
            let (_, point) = *chance.pick(&FAULTS)?;
            let nth = chance.between(1, 60);
            let how = match chance.below(100) {
                0..30 => How::Late,
                30..40 => How::Away,
                _ => How::Fails,
            };
            Some(Fault { point, nth, how })
        });
        let faults = faults.collect();
        let gate = |name: &str, required| Gate {
            name: name.to_owned(),
            command: format!("check {name}"),
            required,
            timeout_seconds: 600,
        };
        let mut gates = vec![gate("clean", true)];
        if chance.percent(30) {
            gates.push(gate("style", false));
        }
        let person = Criterion { text: "It is nice".to_owned(), by: CheckedBy::Person };
        Plan {
            tasks: chance.between(1, 4),
            attempts: chance.between(1, 2),
            parallel: u16::try_from(chance.between(1, 3)).unwrap_or(1),
            settings: TaskSettings {
                setup: chance.percent(50).then(|| "setup".to_owned()),
                gates,
                landing: *chance
                    .pick(&[LandingMode::Merge, LandingMode::Squash])
                    .unwrap_or(&LandingMode::Merge),
                rounds: u16::try_from(chance.between(1, 3)).unwrap_or(1),
                permissions: *chance
                    .pick(&[Permissions::Ask, Permissions::Edits, Permissions::All])
                    .unwrap_or(&Permissions::Ask),
                ..TaskSettings::default()
            },
            criteria: if chance.percent(30) { vec![person] } else { Vec::new() },
            // A turn uses up to 2,000 tokens; nobody knows what they cost.
            budget: match chance.below(10) {
                0..=2 => Some(Budget::Tokens(chance.between(1, 3_000))),
                3 => Some(Budget::CostMicros(1_000_000)),
                _ => None,
            },
            actions: chance.between(5, 60),
            crashes: chance.below(6),
            faults,
            trouble: chance.between(0, 40),
            jitter: *chance.pick(&[0, 3, 200, 5_000]).unwrap_or(&0),
            silent: false,
            exact: false,
        }
    }

    /// When the wall clock is set, and by how much, in milliseconds. By dice of its own, and in two seeds of three: what
    /// happens in the others is what happened before clocks were set, and a bug that one of them found stays found.
    pub(crate) fn clock(&self) -> Vec<(u64, i64)> {
        if self.small || self.seed % 3 == 1 {
            return Vec::new();
        }
        let mut chance = Chance::new(self.seed.wrapping_mul(CLOCK_DICE));
        let mut at = 0;
        let times = chance.between(1, 4);
        let set = (0..times).map(|_| {
            at += chance.between(1, CLOCK_PAUSE);
            let longest = *chance.pick(&CLOCK_STEPS).unwrap_or(&0);
            let by = i64::try_from(chance.between(1, longest)).unwrap_or_default();
            (at, if chance.percent(50) { by } else { -by })
        });
        set.collect()
    }

    fn small_plan(&self, chance: &mut Chance) -> Plan {
        let gate = Gate {
            name: "clean".to_owned(),
            command: "check clean".to_owned(),
            required: true,
            timeout_seconds: limits::CHECK_SECONDS_DEFAULT,
        };
        let settings =
            TaskSettings { setup: Some("setup".to_owned()), gates: vec![gate], ..TaskSettings::default() };
        Plan {
            tasks: 1,
            attempts: 1,
            parallel: 1,
            settings,
            criteria: Vec::new(),
            budget: None,
            actions: 0,
            crashes: 0,
            faults: self.fault.into_iter().collect(),
            trouble: 0,
            jitter: chance.below(3),
            silent: self.silent,
            exact: true,
        }
    }
}

/// The line that runs it again.
impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cargo xtask sim --seed {}", self.seed)?;
        if self.small {
            f.write_str(" --small")?;
        }
        if self.rollback {
            f.write_str(" --rollback")?;
        }
        if self.silent {
            f.write_str(" --silent")?;
        }
        if let Some(crash) = self.crash {
            write!(f, " --crash {crash}")?;
        }
        if self.power {
            f.write_str(" --power")?;
        }
        if let Some(fault) = self.fault {
            let name =
                FAULTS.iter().find(|(_, point)| *point == fault.point).map_or("look", |(name, _)| name);
            write!(f, " --fault {name}:{}", fault.nth)?;
            match How::ALL.iter().find(|(_, how)| *how == fault.how) {
                Some((how, _)) if !how.is_empty() => write!(f, ":{how}")?,
                _ => {}
            }
        }
        Ok(())
    }
}
