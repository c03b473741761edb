//! Prompts whose answer never reached the agent.
//!
//! Goose joins such a prompt and the next one into a single message. The conversation alone cannot tell the two apart,
//! so this is the one thing that the server remembers, and only until the answer has been given.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most prompts remembered; beyond it all are forgotten.
const PROMPTS_MAX: usize = 10_000;

/// The prompts without answer, by the run and the prompts before them.
#[derive(Debug, Default)]
pub struct Unanswered {
    prompts: Mutex<HashMap<u64, String>>,
}

/// One prompt while its answer is under way.
#[derive(Debug)]
pub struct Waiting {
    unanswered: Arc<Unanswered>,
    key: u64,
}

impl Unanswered {
    /// The prompts of a conversation with joined ones taken apart.
    pub fn take_apart(&self, run: &str, prompts: &[&str]) -> Vec<String> {
        let known = self.lock();
        let mut apart: Vec<String> = Vec::with_capacity(prompts.len());
        for prompt in prompts {
            let mut rest = *prompt;
            while let Some(before) = known.get(&key(run, &apart)) {
                match rest.strip_prefix(before.as_str()).filter(|rest| rest.starts_with('\n')) {
                    Some(after) => rest = after.trim_start_matches('\n'),
                    None => break,
                }
                apart.push(before.clone());
            }
            apart.push(rest.to_owned());
        }
        apart
    }

    /// Remembers the last prompt until [`Waiting::answered`].
    pub fn remember(self: &Arc<Self>, run: &str, prompts: &[String]) -> Option<Waiting> {
        let (last, before) = prompts.split_last()?;
        let key = key(run, before);
        let mut known = self.lock();
        if known.len() >= PROMPTS_MAX {
            known.clear();
        }
        known.insert(key, last.clone());
        Some(Waiting { unanswered: self.clone(), key })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, String>> {
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// The agent has its answer.
    pub fn answered(self) {
        self.unanswered.lock().remove(&self.key);
    }
}

fn key(run: &str, before: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (run, before).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_prompt_without_answer_is_taken_apart() {
        let unanswered = Arc::new(Unanswered::default());
        let own = |prompts: &[&str]| prompts.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let joined = ["one", "two\nthree"];
        assert_eq!(unanswered.take_apart("r", &joined), own(&joined));
        let waiting = unanswered.remember("r", &own(&["one", "two"])).unwrap();
        assert_eq!(unanswered.take_apart("r", &joined), own(&["one", "two", "three"]));
        assert_eq!(unanswered.take_apart("r", &["one", "two"]), own(&["one", "two"]));
        assert_eq!(unanswered.take_apart("other", &joined), own(&joined));
        waiting.answered();
        assert_eq!(unanswered.take_apart("r", &joined), own(&joined));
    }
}
