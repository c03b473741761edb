//! Check: Divisi builds the attempt's commit, runs every check on it in a clean checkout, and stores the evidence. What
//! an agent says of its own work counts for nothing here.

use std::sync::Arc;

use divisi_model::comment::fence_for;
use divisi_model::event::{Blocked, Event, Origin};
use divisi_model::evidence::Evidence;
use divisi_model::limits::CHECK_LOG_TAIL_BYTES;
use divisi_model::{AttemptId, AttemptState, Command, Phase, TaskState};

use crate::checks;
use crate::context::Context;
use crate::stage::{Stage, StepError};

/// See the module.
pub(crate) struct Check;

impl Stage for Check {
    const NAME: &'static str = "check";

    fn waiting(&self, _task: &TaskState, attempt: &AttemptState) -> bool {
        attempt.phase == Phase::Checking
    }

    async fn step(&self, context: Arc<Context>, id: AttemptId) -> Result<(), StepError> {
        let task = context.task(id)?;
        let Some(attempt) = task.attempt(id.number) else { return Ok(()) };
        let turn = attempt.turns.last().map_or(0, |turn| turn.number);
        if attempt.result.as_ref().is_none_or(|result| result.turn != turn) {
            context.worker.bring_back(context.attempt(id)?).await?;
            let result = context.worker.result(context.attempt(id)?, turn).await?;
            let comments = context.worker.follow(context.attempt(id)?, result.clone()).await?;
            return context.report(id, Event::ResultMade { attempt: id.number, result, comments }).await;
        }
        let Some(result) = attempt.result.clone() else { return Ok(()) };
        let (project, conflicts) = (context.project(&task)?, attempt.conflicts.clone());
        let unresolved = context.worker.with_markers(project, result.commit.clone(), conflicts).await?;
        if !unresolved.is_empty() {
            let files = unresolved.join("\n- ");
            let text = format!(
                "There are still conflict markers in these files. Resolve them, then end your turn.\n\n- {files}\n"
            );
            return context
                .submit(id, Command::SendBack { attempt: id.number, text, origin: Origin::Conflict })
                .await;
        }
        if !result.outside_scope.is_empty() && !attempt.told_of_scope() {
            let text = scope_prompt(&result.outside_scope, &task.spec.scope);
            return context
                .submit(id, Command::SendBack { attempt: id.number, text, origin: Origin::Scope })
                .await;
        }
        let subject = checks::Subject { commit: result.commit.clone(), tree: result.tree.clone() };
        if !checks::run_missing(&context, id, &task, &subject).await? {
            return Ok(());
        }
        let task = context.task(id)?;
        let Some(attempt) = task.attempt(id.number) else { return Ok(()) };
        let passed = attempt.proven(&task.spec);
        let ended = Event::ChecksEnded { attempt: id.number, commit: result.commit.clone(), passed };
        context.report(id, ended).await?;
        if passed {
            return Ok(());
        }
        let failed: Vec<_> = task
            .spec
            .checks()
            .iter()
            .filter(|check| check.required)
            .filter_map(|check| attempt.evidence_for(&check.name, &result.tree))
            .filter(|evidence| !evidence.passed())
            .cloned()
            .collect();
        let text = send_back_prompt(&context, &failed, "your change").await;
        context.submit(id, Command::SendBack { attempt: id.number, text, origin: Origin::Check }).await
    }

    async fn give_up(
        &self,
        _: &Context,
        _: &TaskState,
        attempt: &AttemptState,
        why: String,
    ) -> Option<Event> {
        let why = Blocked::Workspace { why: format!("the result cannot be checked: {why}") };
        Some(Event::AttemptBlocked { attempt: attempt.number, why })
    }
}

/// The next prompt of an attempt that changed files outside of the task's scope. It is told once: if it does so again,
/// the reviewer decides, who sees which files they are.
fn scope_prompt(outside: &[String], scope: &[String]) -> String {
    format!(
        "Your change touches files outside of this task's scope:\n\n- {}\n\nThe scope, as patterns of `.gitignore`:\n\n\
         - {}\n\nTake these changes back and reach the goal within the scope. If that cannot be, leave what must stay, \
         and say why. Then end your turn.\n",
        outside.join("\n- "),
        scope.join("\n- ")
    )
}

/// The next prompt of an attempt whose checks failed.
pub(crate) async fn send_back_prompt(context: &Context, failed: &[Evidence], on: &str) -> String {
    let mut text = format!("Checks were run on {on} in a clean checkout, and these failed.\n");
    let share = CHECK_LOG_TAIL_BYTES / failed.len().max(1);
    for evidence in failed {
        text.push_str(&format!("\n## {}: `{}` {}\n", evidence.check, evidence.command, evidence.outcome));
        let end = context.worker.log_end(context.path(&evidence.log), share).await;
        let end = end.map(|(end, _)| end).unwrap_or_default();
        if end.trim().is_empty() {
            text.push_str("\nIt printed nothing.\n");
        } else {
            let fence = fence_for(&end);
            text.push_str(&format!("\nThe end of its output:\n\n{fence}\n{}\n{fence}\n", end.trim_end()));
        }
    }
    text.push_str("\nMend the cause, not the check. Then end your turn; the checks are run again.\n");
    text
}
