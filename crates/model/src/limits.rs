//! Every bound with its name, so that none hides in the code.

/// Longest prompt or spec taken, in bytes.
pub const PROMPT_BYTES: usize = 2 * 1024 * 1024;
/// Longest title, in characters; longer ones are cut.
pub const TITLE_CHARS: usize = 80;
/// Most attempts of one task.
pub const ATTEMPTS: u16 = 16;
/// Most prompts waiting for one attempt.
pub const QUEUED_PROMPTS: usize = 100;
/// Most criteria of one task, and most gates of a project.
pub const CHECKS: usize = 64;
/// Most comments in one review.
pub const COMMENTS: usize = 500;
/// How much of a failed check's log goes back to the agent, in bytes (its end).
pub const CHECK_LOG_TAIL_BYTES: usize = 12 * 1024;
/// How often failing checks send an attempt back before a person is asked, unless set otherwise.
pub const ROUNDS_DEFAULT: u16 = 3;
/// Seconds a check may take, unless set otherwise.
pub const CHECK_SECONDS_DEFAULT: u32 = 30 * 60;
/// Seconds a setup script may take, unless set otherwise.
pub const SETUP_SECONDS_DEFAULT: u32 = 20 * 60;
/// Attempts that work at once on one machine, unless set otherwise.
pub const PARALLEL_DEFAULT: u16 = 8;
/// Ports given to each attempt.
pub const PORTS_PER_ATTEMPT: u16 = 10;
/// Seconds until an attempt is tried again whose agent ran into a limit and does not say when it ends; doubled each time.
pub const LIMIT_PAUSE_FIRST_SECONDS: i64 = 60;
/// Longest of these pauses, in seconds.
pub const LIMIT_PAUSE_MAX_SECONDS: i64 = 60 * 60;
/// How often it is tried again before a person is asked.
pub const LIMIT_TRIES: u32 = 12;
/// Attempts that waited for the same limit go on within this many seconds, not all at once.
pub const LIMIT_SPREAD_MAX_SECONDS: i64 = 60;
