//! `divisi-bench agent`: an agent that speaks as much of the Agent Client Protocol as is needed, and says in each line
//! when it wrote it. Its first act is to note when it was started, in the file that `BENCH_STARTED` names.

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// How a prompt asks for lines: `talk 300 lines, one each 50 ms`.
pub fn prompt(lines: u32, each: Duration) -> String {
    format!("talk {lines} lines, one each {} ms", each.as_millis())
}

/// Nanoseconds since 1970, by the clock that all processes share.
pub fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_nanos())
}

/// Number and time of a line.
pub fn read_line(text: &str) -> Option<(u32, u128)> {
    let mut words = text.strip_prefix("line ")?.split(' ');
    Some((words.next()?.parse().ok()?, words.next()?.strip_prefix('@')?.parse().ok()?))
}

/// Serves until its input ends.
pub fn main() -> ExitCode {
    let started = now();
    if let Some(file) = std::env::var_os("BENCH_STARTED") {
        // Whoever measures misses the note.
        let _ = std::fs::write(file, started.to_string());
    }
    let cancelled = Arc::new(AtomicBool::new(false));
    for line in std::io::stdin().lock().lines() {
        let Some(message) = line.ok().and_then(|line| serde_json::from_str::<Value>(&line).ok()) else {
            break;
        };
        let id = message.get("id").cloned();
        let result = match message["method"].as_str() {
            Some("initialize") => json!({"protocolVersion": 1, "agentCapabilities": {}, "authMethods": []}),
            Some("session/new") => json!({"sessionId": "bench"}),
            Some("session/prompt") => {
                let text = message["params"]["prompt"].to_string();
                let cancelled = Arc::clone(&cancelled);
                std::thread::spawn(move || {
                    talk(&text, &cancelled);
                    let reason =
                        if cancelled.swap(false, Ordering::Relaxed) { "cancelled" } else { "end_turn" };
                    answer(id, json!({"stopReason": reason}));
                });
                continue;
            }
            Some("session/cancel") => {
                cancelled.store(true, Ordering::Relaxed);
                continue;
            }
            _ => json!({}),
        };
        answer(id, result);
    }
    ExitCode::SUCCESS
}

fn talk(prompt: &str, cancelled: &AtomicBool) {
    let number = |before: &str| -> Option<u64> {
        let rest = prompt.split_once(before)?.1;
        rest.split(' ').next()?.parse().ok()
    };
    let (Some(lines), Some(each)) = (number("talk "), number("one each ")) else { return };
    for n in 1..=lines {
        if cancelled.load(Ordering::Relaxed) {
            return;
        }
        let text = format!("line {n} @{} {}", now(), "and so on ".repeat(8));
        say(
            &json!({"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "bench", "update": {
            "sessionUpdate": "agent_message_chunk", "messageId": format!("m{n}"),
            "content": {"type": "text", "text": text}}}}),
        );
        std::thread::sleep(Duration::from_millis(each));
    }
}

fn answer(id: Option<Value>, result: Value) {
    if let Some(id) = id {
        say(&json!({"jsonrpc": "2.0", "id": id, "result": result}));
    }
}

/// One line with one write.
fn say(message: &Value) {
    let mut line = message.to_string();
    line.push('\n');
    let mut out = std::io::stdout().lock();
    // A reader that went away ends the input too.
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_its_number_and_when_it_was_written() {
        assert_eq!(read_line("line 7 @12345 and so on"), Some((7, 12345)));
        assert_eq!(read_line("something else"), None);
        assert_eq!(prompt(300, Duration::from_millis(50)), "talk 300 lines, one each 50 ms");
    }
}
