//! The engine in a simulated world: one thread, a virtual clock, and a seed that decides everything.
//!
//! Real are the engine with its stages, the model, the conversations with agents and their replay from journals, and the
//! log with its SQLite. Simulated is what lies behind the engine's seams: the worker with its repository, workspaces and
//! processes, the clock, and people. See `docs/design/simulation.md`.

mod agent;
mod chance;
mod clock;
mod command;
mod disk;
mod invariants;
mod launch;
mod person;
mod ports;
mod process;
mod repo;
mod run;
mod scenario;
mod worker;
mod world;

pub use command::command;
pub use run::{Report, run};
pub use scenario::{FAULTS, Fault, How, Point, Scenario};
