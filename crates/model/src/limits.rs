//! Every bound with its name, so that none hides in the code.

/// Longest prompt or spec taken, in bytes.
pub const PROMPT_BYTES: usize = 2 * 1024 * 1024;
/// Most images of one prompt.
pub const IMAGES: usize = 8;
/// Largest image that is taken, in bytes.
pub const IMAGE_BYTES: usize = 4 * 1024 * 1024;
/// Longest name of an image, in bytes.
pub const IMAGE_NAME_BYTES: usize = 200;
/// How much of the images of one turn an agent is shown, in bytes; it is given what is more as files.
pub const IMAGES_SHOWN_BYTES: u64 = 4 * 1024 * 1024;
/// Most images that are kept although no task refers to them yet.
pub const IMAGES_WAITING: usize = 100;
/// Longest title, in characters; longer ones are cut.
pub const TITLE_CHARS: usize = 80;
/// Most attempts of one task.
pub const ATTEMPTS: u16 = 16;
/// Most prompts waiting for one attempt.
pub const QUEUED_PROMPTS: usize = 100;
/// Most files and folders that one rollback names.
pub const ROLLBACK_PATHS: usize = 1_000;
/// Most criteria of one task, and most gates of a project.
pub const CHECKS: usize = 64;
/// Most patterns in a task's scope.
pub const SCOPE: usize = 64;
/// Most files outside of the scope that a result names.
pub const OUTSIDE_SCOPE: usize = 100;
/// Most comments of one attempt.
pub const COMMENTS: usize = 500;
/// Longest comment, in bytes.
pub const COMMENT_BYTES: usize = 64 * 1024;
/// How much of the lines that a comment stands at is quoted, in bytes.
pub const QUOTE_BYTES: usize = 4 * 1024;
/// Most files that are marked as viewed in one attempt.
pub const VIEWED_FILES: usize = 20_000;
/// For how many contents a file remembers that it was viewed.
pub const VIEWED_CONTENTS: usize = 4;
/// Longest path and longest mark that is taken, in bytes.
pub const VIEWED_BYTES: usize = 8 * 1024;
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
