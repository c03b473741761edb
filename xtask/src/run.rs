//! Starting other programs: the command is shown, its output passes through, and its last lines are kept.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use crate::JobResult;

/// How many of the last lines of a program are kept for the summary.
const LAST_LINES_MAX: usize = 200;

/// What remains of a program that ran.
pub struct Finished {
    pub ok: bool,
    /// The last lines of standard output and standard error, without colours.
    pub last_lines: Vec<String>,
}

/// Runs `command` with no input; its output goes on to our standard error as it comes.
pub fn show(command: &mut Command) -> JobResult<Finished> {
    eprintln!("\n$ {}", describe(command));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start `{}`: {error}", describe(command)))?;
    let stdout = child.stdout.take().expect("stdout is piped");
    let stderr = child.stderr.take().expect("stderr is piped");
    let (from_stdout, from_stderr) = std::thread::scope(|scope| {
        let reader = scope.spawn(move || pass_on(stdout));
        let from_stderr = pass_on(stderr);
        (reader.join().unwrap_or_default(), from_stderr)
    });
    let ok = child.wait()?.success();
    Ok(Finished { ok, last_lines: from_stdout.into_iter().chain(from_stderr).collect() })
}

/// As [`show`], but a failing program is an error with `sentence`.
pub fn require(command: &mut Command, sentence: &str) -> JobResult<Finished> {
    let finished = show(command)?;
    if finished.ok { Ok(finished) } else { Err(sentence.into()) }
}

/// The command as one would type it.
pub fn describe(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    command
        .get_args()
        .fold(name.into_owned(), |line, argument| format!("{line} {}", argument.to_string_lossy()))
}

fn pass_on(stream: impl Read) -> VecDeque<String> {
    let mut kept = VecDeque::new();
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    // A read error means the program closed its end in an unusual way; its exit status tells the rest.
    while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        let _ = std::io::stderr().write_all(&line);
        if kept.len() == LAST_LINES_MAX {
            kept.pop_front();
        }
        kept.push_back(without_colours(&String::from_utf8_lossy(&line)).trim_end().to_owned());
        line.clear();
    }
    kept
}

/// Drops the escape sequences that colour a terminal (`ESC [ … m`).
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..start]);
        let sequence = &rest[start + 2..];
        match sequence.find(|c: char| c.is_ascii_alphabetic()) {
            Some(end) => rest = &sequence[end + 1..],
            None => rest = "",
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_dropped_and_text_stays() {
        assert_eq!(without_colours("\u{1b}[32;1m Summary\u{1b}[0m 3 passed"), " Summary 3 passed");
        assert_eq!(without_colours("cut \u{1b}[3"), "cut ");
    }

    #[test]
    fn a_failing_program_is_told_from_a_good_one_and_its_last_line_is_kept() {
        let good = show(Command::new("sh").args(["-c", "echo out; echo err >&2"])).unwrap();
        assert!(good.ok);
        assert_eq!(good.last_lines, ["out", "err"]);
        assert!(!show(Command::new("sh").args(["-c", "exit 3"])).unwrap().ok);
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = show(&mut Command::new("no-such-program-here")).err().expect("it cannot start");
        assert!(error.to_string().contains("no-such-program-here"), "{error}");
    }
}
