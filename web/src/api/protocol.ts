// What goes over the wire, written by `cargo xtask codegen` from crates/api/src/types. Do not edit.

/**
 * What an attempt did or waited for.
 */
export type ActivityKind = "working" | "checking" | "person" | "limit" | "slot";

/**
 * What an attempt did last, in a line.
 */
export type ActivityView = { 
/**
 * The attempt's handle.
 */
attempt: string, 
/**
 * The kind of the transcript's entry: `message`, `tool_call`, …
 */
kind: string, 
/**
 * What it says, in a line.
 */
line: string, 
/**
 * When it began.
 */
at: string, };

/**
 * Who caused an event.
 */
export type ActorView = { 
/**
 * `person`, `agent` or `divisi`.
 */
who: string, 
/**
 * The name of the person or agent.
 */
name: string | null, 
/**
 * The paired device that a person did it with.
 */
device: string | null, };

/**
 * Whether an agent can be used.
 */
export type AgentState = "ready" | "unverified" | "not_logged_in" | "not_installed";

/**
 * A configured agent.
 */
export type AgentView = { 
/**
 * What `--agent` calls it.
 */
name: string, 
/**
 * Its title.
 */
title: string, 
/**
 * How it is driven: `acp` or `exec`.
 */
driven: string, 
/**
 * Its version, where it was found.
 */
version: string | null, 
/**
 * Whether it can be used.
 */
readiness: ReadinessView, 
/**
 * What mends it; empty when it is ready.
 */
hint: string, };

/**
 * How an item ended.
 */
export type AnswerView = { "answer": "approved", 
/**
 * For all alike, not only once.
 */
always: boolean, } | { "answer": "denied", 
/**
 * Why, for the agent.
 */
reason: string, } | { "answer": "chosen", 
/**
 * The option's id.
 */
option: string, } | { "answer": "text", 
/**
 * The words.
 */
text: string, } | { "answer": "withdrawn", 
/**
 * Why.
 */
why: string, };

/**
 * How a permission request or a question ended.
 */
export type Answered = { "how": "chosen", 
/**
 * The option's id.
 */
option: string, } | { "how": "words", 
/**
 * The words.
 */
text: Text, } | { "how": "declined" } | { "how": "withdrawn" };

/**
 * One possible answer.
 */
export type AskOption = { 
/**
 * The agent's id for it.
 */
id: string, 
/**
 * What it says.
 */
name: string, 
/**
 * Its effect.
 */
effect: Effect, };

/**
 * What is asked of a person.
 */
export type AskView = { "kind": "permission", 
/**
 * What it wants to do, in a line.
 */
title: string, 
/**
 * The kind of tool: `edit`, `execute`, `read`, …
 */
tool: string, 
/**
 * The command, diff or paths.
 */
detail: string, 
/**
 * What can be answered.
 */
options: Array<OptionView>, } | { "kind": "question", 
/**
 * The question.
 */
text: string, 
/**
 * Proposed answers.
 */
options: Array<OptionView>, } | { "kind": "criterion", 
/**
 * Which one, from 1.
 */
criterion: number, 
/**
 * Its words.
 */
text: string, } | { "kind": "review", 
/**
 * The commit to look at.
 */
commit: string, } | { "kind": "stall", 
/**
 * Why.
 */
why: string, 
/**
 * What would help.
 */
hint: string, };

/**
 * What was asked for in place of the project's own.
 */
export type AskedView = { 
/**
 * The branch or commit to start from.
 */
base: string | null, 
/**
 * Which permissions are given without asking.
 */
permissions: Permissions | null, 
/**
 * How often failing checks send it back.
 */
rounds: number | null, };

/**
 * An attempt in a list.
 */
export type AttemptSummary = { 
/**
 * What people call it.
 */
handle: string, 
/**
 * The agent that tries.
 */
agent: string, 
/**
 * Its state, explained.
 */
status: StatusView, 
/**
 * What it handed back last.
 */
result: ResultView | null, 
/**
 * What its turns used.
 */
usage: UsageView, 
/**
 * How many of the task's criteria hold for its result.
 */
criteria_holding: number, 
/**
 * All checks, and whether they hold for its result.
 */
checks: Array<CheckBrief>, 
/**
 * Whether its result is on the target branch.
 */
landed: boolean, };

/**
 * One try at a task.
 */
export type AttemptView = { 
/**
 * What people call it: `t12`, or `t12.2` where the task has several.
 */
handle: string, 
/**
 * Which try, from 1.
 */
number: number, 
/**
 * The agent that tries.
 */
agent: string, 
/**
 * Its branch.
 */
branch: string, 
/**
 * Its state, explained.
 */
status: StatusView, 
/**
 * Its workspace, while it has one.
 */
workspace: WorkspaceView | null, 
/**
 * What keeps its newest session in its place: `namespaces`, `writes_only` or `off`; nothing if that is not known.
 */
sandbox: string | null, 
/**
 * Where that is now which somebody had put into its workspace's folder from outside, unseen by its agent.
 */
outside: string | null, 
/**
 * What it handed back last.
 */
result: ResultView | null, 
/**
 * Everything it handed back, oldest first.
 */
results: Array<PastResultView>, 
/**
 * The task's criteria, and whether they hold for the result.
 */
criteria: Array<CriterionView>, 
/**
 * All checks, and whether they hold for the result.
 */
checks: Array<CheckView>, 
/**
 * All evidence, oldest first; also what is stale by now.
 */
evidence: Array<EvidenceView>, 
/**
 * Its turns, in order.
 */
turns: Array<TurnView>, 
/**
 * Prompts that wait for the agent, in order.
 */
queue: Array<PromptView>, 
/**
 * How often it was sent back since a person last stepped in.
 */
rounds: number, 
/**
 * All verdicts, oldest first.
 */
reviews: Array<ReviewView>, 
/**
 * All comments by number.
 */
comments: Array<CommentView>, 
/**
 * Its landing.
 */
landing: LandingView | null, 
/**
 * Why it did not land, last.
 */
landing_failure: LandingFailureView | null, 
/**
 * Why its landing could not be taken back, last.
 */
undo_failure: string | null, 
/**
 * What all its turns used.
 */
usage: UsageView, 
/**
 * Its rollbacks, oldest first.
 */
rollbacks: Array<RollbackView>, 
/**
 * How much it may use before a person is asked.
 */
budget: string | null, 
/**
 * It was stopped, and what it started has not ended yet.
 */
ending: boolean, };

/**
 * The columns of the board, in their order.
 */
export type Attention = "backlog" | "working" | "needs_you" | "in_review" | "ready_to_land" | "done";

/**
 * Another budget for an attempt.
 */
export type BudgetRequest = { 
/**
 * How much it may use in all: `2.50` dollars, `200k` tokens; none: it has no limit.
 */
budget: string | null, };

/**
 * An attempt that may land.
 */
export type CandidateView = { 
/**
 * What people call it.
 */
handle: string, 
/**
 * Its task's title.
 */
title: string, 
/**
 * The project's name.
 */
project: string, 
/**
 * The agent that tried.
 */
agent: string, 
/**
 * The branch that it lands on.
 */
target: string, 
/**
 * Its state, explained.
 */
status: StatusView, 
/**
 * What it handed back.
 */
result: ResultView | null, 
/**
 * How many required checks it faces.
 */
checks: number, 
/**
 * What was checked on combinations with what had landed meanwhile, oldest first.
 */
combination: Array<EvidenceView>, 
/**
 * Why it did not land, last.
 */
failure: LandingFailureView | null, };

/**
 * What is different since the message before.
 */
export type ChangesView = { 
/**
 * The number of the last event it holds.
 */
seq: number, 
/**
 * When, by the daemon's clock.
 */
now: string, 
/**
 * Tasks that changed or are new, whole; each replaces the one of its handle.
 */
tasks: Array<TaskSummary>, 
/**
 * All projects, where one of them changed.
 */
projects: Array<ProjectView> | null, 
/**
 * What attempts at work did last.
 */
activity: Array<ActivityView>, };

/**
 * A check in a list.
 */
export type CheckBrief = { 
/**
 * The gate's name, or `criterion 2`.
 */
name: string, 
/**
 * What is known about the present result.
 */
state: CheckState, };

/**
 * What is known about a criterion or check.
 */
export type CheckState = "unknown" | "holds" | "fails" | "stale";

/**
 * One thing that Divisi runs to prove a result: a gate, or a criterion with a command.
 */
export type CheckView = { 
/**
 * The gate's name, or `criterion 2`.
 */
name: string, 
/**
 * Run by `sh -c`.
 */
command: string, 
/**
 * Whether its failure sends the attempt back.
 */
required: boolean, 
/**
 * What is known about the present result.
 */
state: CheckState, 
/**
 * The evidence for that, as its place in the attempt's list.
 */
evidence: number | null, };

/**
 * A comment to write. It is a draft until a request for changes sends it.
 */
export type CommentRequest = { 
/**
 * Where it stands; none: on the whole.
 */
place: PlaceRequest | null, 
/**
 * The words.
 */
text: string, };

/**
 * What has become of a comment.
 */
export type CommentStage = "draft" | "sent" | "answered" | "outdated" | "resolved" | "reopened";

/**
 * A comment as people write it: `src/lib.rs:12: please rename`, `src/lib.rs: too long`, or words alone.
 */
export type CommentText = string;

/**
 * A comment with all that became of it.
 */
export type CommentView = { 
/**
 * Its number in the attempt, from 1.
 */
number: number, 
/**
 * What has become of it.
 */
stage: CommentStage, 
/**
 * Whether the next request for changes sends it.
 */
pending: boolean, 
/**
 * Where it was written; none: on the whole.
 */
place: PlaceView | null, 
/**
 * Where it stands in the newest result, as far as it was followed.
 */
now: PlaceView | null, 
/**
 * Whether what it stood at is gone.
 */
gone: boolean, 
/**
 * The words.
 */
text: string, 
/**
 * What was said when it was taken up again, oldest first.
 */
more: Array<string>, 
/**
 * Who wrote it.
 */
by: string, 
/**
 * When.
 */
at: string, 
/**
 * When a verdict sent it last.
 */
sent: string | null, 
/**
 * The commit that answered it: the first result after it was sent that changed something at its place.
 */
answered: string | null, 
/**
 * The turn that it was given to the agent in, once that turn is over.
 */
turn: number | null, 
/**
 * When it was resolved.
 */
resolved: string | null, 
/**
 * By whom.
 */
resolved_by: string | null, };

/**
 * A commit of a result.
 */
export type CommitView = { 
/**
 * The commit.
 */
commit: string, 
/**
 * What it builds on.
 */
parent: string | null, 
/**
 * When it was written.
 */
at: string, 
/**
 * Who wrote it.
 */
author: string, 
/**
 * The first line of its message.
 */
subject: string, };

/**
 * How many tasks are in a column.
 */
export type CountView = { 
/**
 * The column.
 */
attention: Attention, 
/**
 * How many.
 */
tasks: number, };

/**
 * What a test runner counted.
 */
export type CountsView = { 
/**
 * Tests that passed.
 */
passed: number, 
/**
 * Tests that failed.
 */
failed: number, 
/**
 * Tests that were left out.
 */
skipped: number, };

/**
 * One acceptance criterion.
 */
export type CriterionRequest = { 
/**
 * What must hold, in words.
 */
text: string, 
/**
 * The command that proves it; none: a person judges.
 */
command: string | null, };

/**
 * One acceptance criterion, and whether it holds for an attempt.
 */
export type CriterionView = { 
/**
 * Its number in the task, from 1.
 */
number: number, 
/**
 * What must hold, in words.
 */
text: string, 
/**
 * The command that proves it; none where a person judges.
 */
command: string | null, 
/**
 * Whether it holds. In a task it is `unknown`; each attempt has its own.
 */
state: CheckState, };

/**
 * When a message reaches an agent that is in the middle of a turn.
 */
export type Delivery = "queue" | "steer" | "interrupt";

/**
 * Whose browser it is.
 */
export type DeviceKind = "owner" | "paired";

/**
 * A browser that was let in.
 */
export type DeviceView = { 
/**
 * Its identity.
 */
id: string, 
/**
 * What people call it.
 */
name: string, 
/**
 * Whose it is.
 */
kind: DeviceKind, 
/**
 * When it was let in.
 */
created: string, 
/**
 * When it last asked for something, to a minute or so.
 */
last_seen: string, 
/**
 * The address it asked from.
 */
address: string | null, 
/**
 * Whether it is the one that asks.
 */
current: boolean, 
/**
 * Whether it gets notices while its page is closed.
 */
push: boolean, };

/**
 * One changed file.
 */
export type DiffFileView = { 
/**
 * Its path in the project; quoted where it is not plain text.
 */
path: string, 
/**
 * Its path before, where it was renamed or copied.
 */
old_path: string | null, 
/**
 * What happened to it.
 */
change: FileChange, 
/**
 * Its mode before, as git writes it: `100644`, `100755`, `120000`.
 */
old_mode: string | null, 
/**
 * Its mode afterwards.
 */
new_mode: string | null, 
/**
 * Lines added.
 */
added: number, 
/**
 * Lines removed.
 */
removed: number, 
/**
 * Whether it is not text.
 */
binary: boolean, 
/**
 * Whether lines are missing because there are too many.
 */
truncated: boolean, 
/**
 * The name of its content before, for `…/blobs/`.
 */
old_blob: string | null, 
/**
 * The name of its content afterwards.
 */
new_blob: string | null, 
/**
 * What is seen of it here; a mark that it was viewed holds for this alone.
 */
seen: string, 
/**
 * Whether somebody marked it as viewed as it is here.
 */
viewed: boolean, 
/**
 * The changes, in order. Empty where only the files were asked for.
 */
hunks: Array<HunkView>, };

/**
 * A file of a comparison.
 */
export type DiffPathView = { 
/**
 * Its path, as the comparison names it.
 */
path: string, 
/**
 * Its path before, where it was renamed or copied.
 */
old_path: string | null, };

/**
 * The change of an attempt, or of one of its turns.
 */
export type DiffView = { 
/**
 * The commit before.
 */
from: string, 
/**
 * The commit afterwards.
 */
to: string, 
/**
 * Lines added in all files.
 */
added: number, 
/**
 * Lines removed in all files.
 */
removed: number, 
/**
 * The changed files, by path.
 */
files: Array<DiffFileView>, 
/**
 * Changed files that are not shown because there are too many.
 */
files_dropped: number, };

/**
 * Room on the disk.
 */
export type DiskView = { 
/**
 * Bytes that are taken.
 */
bytes: number, 
/**
 * Files and folders.
 */
files: number, 
/**
 * Not all of them were looked at.
 */
at_least: boolean, };

/**
 * What an option of a question does.
 */
export type Effect = "allow_once" | "allow_always" | "deny_once" | "deny_always" | "other";

/**
 * A browser shows its code.
 */
export type EnterRequest = { 
/**
 * The code.
 */
code: string, 
/**
 * What the browser says it is, for the list of devices.
 */
name: string | null, };

/**
 * A one-time code is wanted.
 */
export type EntryRequest = { 
/**
 * Whom it lets in.
 */
kind: DeviceKind, 
/**
 * What the device shall be called; without it, it says itself what it is.
 */
name: string | null, };

/**
 * A one-time code.
 */
export type EntryView = { 
/**
 * The code.
 */
code: string, 
/**
 * The page that takes it, with the code behind `#`, where no server sees it.
 */
link: string, 
/**
 * The link as a QR code: its rows, with `1` for what is dark.
 */
qr: Array<string>, 
/**
 * Whether another machine can open the link; if not, the daemon answers this machine alone.
 */
remote: boolean, 
/**
 * Until when it can be used.
 */
expires: string, };

/**
 * One line of the log.
 */
export type EventView = { 
/**
 * Its place in the whole log, from 1 without gaps.
 */
seq: number, 
/**
 * The stream it belongs to: `task/…` or `project/…`.
 */
stream: string, 
/**
 * The handle of the task it is about.
 */
task: string | null, 
/**
 * Its place in its stream, from 1 without gaps.
 */
version: number, 
/**
 * When it was appended.
 */
at: string, 
/**
 * Who caused it.
 */
actor: ActorView, 
/**
 * What kind of event: `turn_ended`, `landed`, …
 */
kind: string, 
/**
 * Its data; the fields depend on the kind.
 */
data: JsonValue, };

/**
 * The stored result of one check on one commit, run by Divisi in a clean checkout.
 */
export type EvidenceView = { 
/**
 * Its place in the attempt's list, from 0; its log is at `…/evidence/{index}/log`.
 */
index: number, 
/**
 * The check's name.
 */
check: string, 
/**
 * The command that ran.
 */
command: string, 
/**
 * Whether its failure sends the attempt back.
 */
required: boolean, 
/**
 * The criterion it proves, from 1.
 */
criterion: number | null, 
/**
 * The commit that was checked out.
 */
commit: string, 
/**
 * Whether it passed.
 */
passed: boolean, 
/**
 * How it ended, in words.
 */
outcome: string, 
/**
 * The exit code, where there was one.
 */
exit_code: number | null, 
/**
 * When it started.
 */
started: string, 
/**
 * How long it ran, in milliseconds.
 */
millis: number, 
/**
 * SHA-256 of the whole log, in hex.
 */
log_sha256: string, 
/**
 * Tests counted in the log, where a known runner said so.
 */
counts: CountsView | null, 
/**
 * What it ran on.
 */
environment: string, 
/**
 * Whether it says nothing about the present result any more.
 */
stale: boolean, };

/**
 * What happened to a file.
 */
export type FileChange = "added" | "deleted" | "modified" | "renamed" | "copied" | "type_changed";

/**
 * A change of one file, as the agent tells it.
 */
export type FileDiff = { 
/**
 * The path as the agent wrote it.
 */
path: string, 
/**
 * What was there; none for a new file, and where the agent does not say.
 */
old?: Text, 
/**
 * What is there now; for some agents only the replaced part.
 */
new: Text, };

/**
 * Who worked when, what it used, and what it does to the machine.
 */
export type FleetView = { 
/**
 * From when.
 */
from: string, 
/**
 * Until when: now, by the daemon's clock.
 */
to: string, 
/**
 * Each attempt that did or waited for something, by task.
 */
attempts: Array<TimelineView>, 
/**
 * What turns that began in this time used.
 */
total: SumView, 
/**
 * By task, the largest first.
 */
by_task: Array<SumView>, 
/**
 * By agent, the largest first.
 */
by_agent: Array<SumView>, 
/**
 * By day, in order.
 */
by_day: Array<SumView>, 
/**
 * This machine.
 */
machine: MachineView, };

/**
 * An image with the way in which an agent was given it.
 */
export type GivenImage = { 
/**
 * By what its bytes are found.
 */
hash: ImageHash, 
/**
 * What they are.
 */
media_type: MediaType, 
/**
 * How many there are.
 */
bytes: number, 
/**
 * What its file was called, for people: somebody else's words.
 */
name: string, } & ({ "given": "shown" } | { "given": "file", 
/**
 * The absolute path.
 */
path: string, });

/**
 * How the daemon is.
 */
export type HealthView = { 
/**
 * Divisi's version.
 */
version: string, 
/**
 * The daemon's process.
 */
pid: number, 
/**
 * Since when it runs.
 */
started: string, 
/**
 * The number of the last event.
 */
last_seq: number, 
/**
 * Tasks by column.
 */
tasks: Array<CountView>, 
/**
 * Sessions whose agent lives.
 */
live_sessions: number, 
/**
 * Why the log cannot be written at the moment, and what mends it.
 */
log_trouble: TroubleView | null, };

/**
 * What it takes for an attempt that stands still to go on.
 */
export type HeldView = { 
/**
 * The budget that is used up, so that it needs another one first.
 */
budget: string | null, 
/**
 * As much again on top of what was used; none where nobody knows what was.
 */
again: string | null, };

/**
 * One stretch of change with its context.
 */
export type HunkView = { 
/**
 * First line before, from 1 (0 if there are none).
 */
old_start: number, 
/**
 * Lines before.
 */
old_lines: number, 
/**
 * First line afterwards, from 1 (0 if there are none).
 */
new_start: number, 
/**
 * Lines afterwards.
 */
new_lines: number, 
/**
 * The function or heading above, if any.
 */
section: string, 
/**
 * The lines.
 */
lines: Array<LineView>, };

/**
 * Files whose hunks are wanted.
 */
export type HunksRequest = { 
/**
 * The commit before, as `…/diff/files` names it.
 */
from: string, 
/**
 * The commit afterwards.
 */
to: string, 
/**
 * The files.
 */
files: Array<DiffPathView>, 
/**
 * Passes over changes of white space alone.
 */
ignore_whitespace: boolean, 
/**
 * Lines around each change; none: a few.
 */
context: number | null, };

/**
 * The SHA-256 of an image's bytes, as 64 lower-case hexadecimal digits; nothing else, so it may stand in a path.
 */
export type ImageHash = string;

/**
 * An image that was stored before, and belongs to a prompt.
 */
export type ImageRequest = { 
/**
 * The SHA-256 of its bytes, as the answer to storing it says.
 */
hash: string, 
/**
 * What its file was called, for people.
 */
name: string, };

/**
 * An image that is stored.
 */
export type ImageView = { 
/**
 * The SHA-256 of its bytes: `/v1/images/HASH` has them.
 */
hash: string, 
/**
 * What it is, judged by its bytes: `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
 */
media_type: string, 
/**
 * Its size.
 */
bytes: number, 
/**
 * What its file was called.
 */
name: string, };

/**
 * Everything that waits for a person, oldest first.
 */
export type InboxView = { 
/**
 * The items.
 */
items: Array<ItemView>, };

/**
 * One thing that waits, or waited, for a person.
 */
export type ItemView = { 
/**
 * What people call it: `t12#3`, the third item of task 12. It never changes.
 */
handle: string, 
/**
 * Its identity.
 */
id: string, 
/**
 * The task's handle.
 */
task: string, 
/**
 * The task's title.
 */
task_title: string, 
/**
 * The handle of the attempt that waits.
 */
attempt: string, 
/**
 * The agent that waits.
 */
agent: string, 
/**
 * What is asked.
 */
ask: AskView, 
/**
 * Since when.
 */
since: string, 
/**
 * What a person can do, as commands.
 */
next: Array<string>, 
/**
 * How it ended, once it has.
 */
answered: AnswerView | null, 
/**
 * The person who answered it; none where a rule did, or where it was withdrawn.
 */
answered_by: string | null, 
/**
 * Its attempt stands still until somebody resumes it.
 */
held: HeldView | null, };

/**
 * The two journals of a session.
 */
export type Journal = "out" | "in";

/**
 * What the agent of a session wrote.
 */
export type JournalView = { 
/**
 * The session's number in its attempt, from 1.
 */
session: number, 
/**
 * When it was opened.
 */
opened: string, 
/**
 * Whether more may come.
 */
open: boolean, 
/**
 * How many bytes there are; nothing where they are gone.
 */
bytes: number | null, };

export type JsonValue = number | string | boolean | Array<JsonValue> | { [key in string]: JsonValue } | null;

/**
 * Attempts to land, in this order.
 */
export type LandRequest = { 
/**
 * Their handles.
 */
handles: Array<string>, };

/**
 * A result on its target branch.
 */
export type LandedView = { 
/**
 * What people call it.
 */
handle: string, 
/**
 * Its task's title.
 */
title: string, 
/**
 * The project's name.
 */
project: string, 
/**
 * The agent that tried.
 */
agent: string, 
/**
 * Where it is.
 */
landing: LandingView, 
/**
 * Since when.
 */
at: string, 
/**
 * Those that landed on the same branch after it, newest first: they have to be taken back before it.
 */
undo_first: Array<string>, 
/**
 * Why it could not be taken back, last.
 */
undo_failure: string | null, 
/**
 * Whether its task is put away.
 */
archived: boolean, };

/**
 * Why a result could not land.
 */
export type LandingFailureView = { 
/**
 * In a word: `conflict`, `checks_failed`, `checkout_dirty` or `other`.
 */
why: string, 
/**
 * In a sentence.
 */
text: string, 
/**
 * The files in the way, where it was files.
 */
paths: Array<string>, 
/**
 * Where the log of the first failed check is, relative to Divisi's data folder; empty where no check failed.
 */
log: string, 
/**
 * The evidence of that check, by its index: the log itself is at `…/evidence/{index}/log`.
 */
evidence: number | null, };

/**
 * How a result is put on its target branch.
 */
export type LandingMode = "merge" | "squash" | "rebase";

/**
 * A result on its target branch.
 */
export type LandingView = { 
/**
 * The branch that moved.
 */
target: string, 
/**
 * Where it was.
 */
before: string, 
/**
 * Where it is now.
 */
after: string, 
/**
 * Whether a checkout that showed the target was brought along.
 */
checkout_updated: boolean, 
/**
 * Who asked for it.
 */
by: string | null, };

/**
 * What can land, what is landing, and what has landed.
 */
export type LandingsView = { 
/**
 * Those that land, in their order: the first is being tried now. A landing that is taken back is among them.
 */
queue: Array<CandidateView>, 
/**
 * Approved results that could be landed, those that wait longest first.
 */
ready: Array<CandidateView>, 
/**
 * Those whose last try failed and that have not been landed since; most are on their way back by themselves.
 */
failed: Array<CandidateView>, 
/**
 * What is on its target branch, newest first.
 */
landed: Array<LandedView>, };

/**
 * Which side a line is on.
 */
export type LineSide = "context" | "added" | "removed";

/**
 * One line of a hunk.
 */
export type LineView = { 
/**
 * Which side it is on.
 */
kind: LineSide, 
/**
 * Its text without the line break.
 */
text: string, 
/**
 * Whether the file ends here without a line break.
 */
no_newline?: boolean, };

/**
 * Lines of a file.
 */
export type LinesView = { 
/**
 * The number of the first of them, from 1.
 */
first: number, 
/**
 * The lines without their line breaks.
 */
lines: Array<string>, 
/**
 * How many the file has.
 */
total: number, };

/**
 * A place in a file.
 */
export type Location = { 
/**
 * The path as the agent wrote it.
 */
path: string, 
/**
 * The line, from 1.
 */
line?: number, };

/**
 * A page is looked at, or is no longer.
 */
export type LookingRequest = { 
/**
 * Whether it is.
 */
looking: boolean, };

/**
 * This machine; what cannot be seen is not told.
 */
export type MachineView = { 
/**
 * Processor cores.
 */
cores: number, 
/**
 * Processes that ran or wanted to, on average over the last minute.
 */
load: number | null, 
/**
 * Memory in bytes.
 */
memory_total: number | null, 
/**
 * What of it could still be had.
 */
memory_free: number | null, 
/**
 * The disk of the data folder, in bytes.
 */
disk_total: number | null, 
/**
 * What of it is free.
 */
disk_free: number | null, };

/**
 * The kinds of images that are taken. Vector images are not: they can run script.
 */
export type MediaType = "image/png" | "image/jpeg" | "image/gif" | "image/webp";

/**
 * Another place among the tasks that wait; neither puts the task after all others.
 */
export type MoveRequest = { 
/**
 * Before all others.
 */
first: boolean, 
/**
 * Before this task.
 */
before: string | null, };

/**
 * Bytes over the network.
 */
export type NetworkView = { 
/**
 * Received.
 */
received: number, 
/**
 * Sent.
 */
sent: number, };

/**
 * A project to make known.
 */
export type NewProject = { 
/**
 * A folder in it, as an absolute path.
 */
root: string, };

/**
 * A task to give out.
 */
export type NewTask = { 
/**
 * A folder in the project, as an absolute path.
 */
root: string, 
/**
 * The prompt or spec in Markdown.
 */
prompt: string, 
/**
 * The images that belong to it, stored before.
 */
images: Array<ImageRequest>, 
/**
 * One line for people; else the first line of the prompt.
 */
title: string | null, 
/**
 * Acceptance criteria.
 */
criteria: Array<CriterionRequest>, 
/**
 * Commands that must exit 0, each a criterion of its own.
 */
checks: Array<string>, 
/**
 * The agents; empty takes the project's, or the first one that is ready.
 */
agents: Array<string>, 
/**
 * Attempts per agent; 0 counts as 1.
 */
attempts: number, 
/**
 * The branch or commit to start from; none is the project's current branch.
 */
base: string | null, 
/**
 * Overrides the project's setting.
 */
permissions: Permissions | null, 
/**
 * How often failing checks send it back; overrides the project's setting.
 */
rounds: number | null, 
/**
 * The paths that may be changed, as patterns of `.gitignore`; empty: all.
 */
scope: Array<string>, 
/**
 * How much each attempt may use before a person is asked: `2.50` dollars, `200k` tokens.
 */
budget: string | null, 
/**
 * It is only put on the board: a person starts it later.
 */
stage: boolean, };

/**
 * What a notice is about.
 */
export type Notice = "resumed" | "hand_off" | "process" | "protocol" | "cancel" | "agent";

/**
 * What a notice is about, in a word.
 */
export type NoticeKind = "permission" | "question" | "review" | "stall" | "landed" | "failed";

/**
 * One possible answer.
 */
export type OptionView = { 
/**
 * The agent's id for it.
 */
id: string, 
/**
 * What it says.
 */
name: string, 
/**
 * Its effect.
 */
effect: Effect, };

/**
 * Where a prompt comes from.
 */
export type Origin = "task" | "person" | "check" | "review" | "conflict" | "limit" | "scope";

/**
 * A result that an attempt handed back at some time.
 */
export type PastResultView = { 
/**
 * The turn after which it was built.
 */
turn: number, 
/**
 * The commit.
 */
commit: string, 
/**
 * The base it was compared with.
 */
base: string, 
/**
 * When.
 */
at: string, };

/**
 * Which permission requests are answered without a person.
 */
export type Permissions = "ask" | "edits" | "all";

/**
 * Where a comment is to stand. What the lines say is read by the daemon.
 */
export type PlaceRequest = { 
/**
 * The commit whose file it is: the `from` or `to` of the comparison that was looked at.
 */
commit: string, 
/**
 * The file, as the comparison names it.
 */
file: string, 
/**
 * Which side of the comparison that file is.
 */
side: Side, 
/**
 * The first line, from 1; none: the whole file.
 */
first: number | null, 
/**
 * The last line; none: only the first.
 */
last: number | null, };

/**
 * Where a comment stands.
 */
export type PlaceView = { 
/**
 * The commit whose file it is.
 */
commit: string, 
/**
 * The file, relative to the project; quoted where it is not plain text.
 */
file: string, 
/**
 * Which side of the comparison that file is.
 */
side: Side, 
/**
 * The first line, from 1; none: the whole file.
 */
first: number | null, 
/**
 * The last line.
 */
last: number | null, 
/**
 * What the lines say, cut where it is long.
 */
quote: string, };

/**
 * One step of a plan.
 */
export type PlanStep = { 
/**
 * What is to be done.
 */
text: string, 
/**
 * How far it is.
 */
status: StepStatus, };

/**
 * One port of an attempt.
 */
export type PortView = { 
/**
 * The port.
 */
port: number, 
/**
 * Whether somebody listens there.
 */
listening: boolean, 
/**
 * Whether that belongs to the attempt.
 */
own: boolean, 
/**
 * The name of the process, where it can be told.
 */
process: string | null, };

/**
 * Why a request was not carried out. Nothing was changed.
 */
export type Problem = { 
/**
 * What kind of problem; stable, for programs.
 */
kind: ProblemKind, 
/**
 * One sentence, for people.
 */
message: string, 
/**
 * What to do instead, often a command; may be empty.
 */
hint: string, };

/**
 * Kinds of problem; each has one HTTP status and one exit code of the command line.
 */
export type ProblemKind = "not_found" | "wrong_state" | "bad_input" | "not_ready" | "limit" | "too_large" | "unauthorized" | "forbidden" | "wrong_method" | "internal";

/**
 * One process.
 */
export type ProcessView = { 
/**
 * Its id on this machine.
 */
pid: number, 
/**
 * The name that it gives itself.
 */
name: string, 
/**
 * Processor time, in milliseconds.
 */
cpu_millis: number, 
/**
 * Memory, in bytes.
 */
memory_bytes: number, };

/**
 * A git repository that Divisi works on.
 */
export type ProjectView = { 
/**
 * Its identity.
 */
id: string, 
/**
 * The folder name.
 */
name: string, 
/**
 * The top folder of the user's checkout.
 */
root: string, 
/**
 * Where it was, if it was found again at another place by this very request.
 */
moved_from?: string | null, };

/**
 * Words for the agent.
 */
export type PromptView = { 
/**
 * Its number in the attempt, from 1.
 */
id: number, 
/**
 * The words.
 */
text: string, 
/**
 * The images that belong to them.
 */
images: Array<ImageView>, 
/**
 * Where they come from.
 */
origin: Origin, 
/**
 * When they reach the agent.
 */
delivery: Delivery, };

/**
 * What a browser is told.
 */
export type PushChoices = { 
/**
 * The kinds of notice.
 */
kinds: Array<NoticeKind>, 
/**
 * When nothing is told; what still waits at its end is told then.
 */
quiet: PushQuiet | null, };

/**
 * Hours of the day.
 */
export type PushQuiet = { 
/**
 * The first of them, 0 to 23.
 */
from: number, 
/**
 * The first that is none of them.
 */
to: number, 
/**
 * Where: a name of the time zone database, such as `Europe/Vienna`.
 */
zone: string, };

/**
 * A browser subscribes, or changes what it is told.
 */
export type PushRequest = { 
/**
 * The address at the push service.
 */
endpoint: string, 
/**
 * The browser's public key, in base64url.
 */
p256dh: string, 
/**
 * The secret that goes with it, in base64url.
 */
auth: string, 
/**
 * What it is told; without it, what it was, or the usual.
 */
choices?: PushChoices, };

/**
 * A browser's subscription.
 */
export type PushSubscriptionView = { 
/**
 * The address at the push service.
 */
endpoint: string, 
/**
 * What it is told.
 */
choices: PushChoices, 
/**
 * When the push service last took a notice.
 */
told: string | null, 
/**
 * Why the push service last took none.
 */
trouble: string | null, };

/**
 * Whether the browser that asks gets notices while its page is closed, and how it could.
 */
export type PushView = { 
/**
 * The public key with which a browser subscribes, in base64url; none where the settings switch push off.
 */
key: string | null, 
/**
 * The subscription of the browser that asks.
 */
subscription: PushSubscriptionView | null, };

/**
 * Whether an agent can be used.
 */
export type ReadinessView = { 
/**
 * In a word, for programs.
 */
state: AgentState, 
/**
 * In words, for people.
 */
words: string, 
/**
 * Whether a task may be given to it.
 */
usable: boolean, 
/**
 * Where its login comes from, where it is usable.
 */
login: string | null, };

/**
 * Money as an agent reported it.
 */
export type ReportedCost = { 
/**
 * How much.
 */
amount: number, 
/**
 * Of what: `USD`, `EUR`, `credits`.
 */
currency: string, };

/**
 * What an agent said about its use of tokens and money. Its scope differs between agents and between fields.
 */
export type ReportedUsage = { 
/**
 * Tokens, where reported.
 */
tokens?: Tokens, 
/**
 * What the token numbers cover.
 */
scope: UsageScope, 
/**
 * Tokens now in the model's context.
 */
context_used?: number, 
/**
 * Tokens that fit into the model's context.
 */
context_size?: number, 
/**
 * The cost of the whole session, where reported.
 */
cost?: ReportedCost, };

/**
 * What an attempt uses at this moment.
 */
export type ResourcesView = { 
/**
 * When it was looked at.
 */
at: string, 
/**
 * Processes that live; 0 while no agent does.
 */
processes: number, 
/**
 * Processor time since each of them began, in milliseconds: the difference of two looks is the load.
 */
cpu_millis: number, 
/**
 * Memory that they hold, in bytes. What several share is counted for each.
 */
memory_bytes: number, 
/**
 * The largest of them.
 */
largest: Array<ProcessView>, 
/**
 * Bytes received and sent; nothing where it cannot be told, because the agent shares the machine's network.
 */
network: NetworkView | null, 
/**
 * What the workspace takes on the disk, without what it shares with others; nothing while there is none.
 */
disk: DiskView | null, };

/**
 * The commit that an attempt handed back.
 */
export type ResultView = { 
/**
 * The turn after which it was built.
 */
turn: number, 
/**
 * The commit.
 */
commit: string, 
/**
 * The base it is compared with.
 */
base: string, 
/**
 * Files changed.
 */
files: number, 
/**
 * Lines added.
 */
added: number, 
/**
 * Lines removed.
 */
removed: number, 
/**
 * What a reviewer must know.
 */
notes: Array<string>, 
/**
 * Files that it changes although they are outside of the task's scope, the first of them.
 */
outside_scope: Array<string>, };

/**
 * A verdict on a result.
 */
export type ReviewRequest = { 
/**
 * The commit that was looked at; refused when there is a newer one. None: the newest.
 */
commit: string | null, 
/**
 * The verdict.
 */
verdict: Verdict, 
/**
 * Comments.
 */
comments: Array<CommentText>, 
/**
 * Words on the whole.
 */
note: string, };

/**
 * A verdict with its comments.
 */
export type ReviewView = { 
/**
 * The commit that was looked at.
 */
commit: string, 
/**
 * The verdict.
 */
verdict: Verdict, 
/**
 * The comments, as `file:line: words`.
 */
comments: Array<CommentText>, 
/**
 * The words on the whole.
 */
note: string, 
/**
 * When.
 */
at: string, 
/**
 * Who.
 */
by: string, 
/**
 * Whether there is a newer result by now.
 */
stale: boolean, };

/**
 * Files to bring back.
 */
export type RollbackRequest = { 
/**
 * The commit of the snapshot.
 */
to: string, 
/**
 * Files, and folders with all below them; the whole workspace, where there are none.
 */
paths: Array<string>, };

/**
 * Files that were brought back as a snapshot has them.
 */
export type RollbackView = { 
/**
 * The snapshot.
 */
to: string, 
/**
 * Files and folders; the whole workspace, where there are none.
 */
paths: Array<string>, 
/**
 * The turn that was the last then.
 */
after_turn: number, 
/**
 * When it was asked for.
 */
asked: string, 
/**
 * Who asked.
 */
by: string, 
/**
 * Whether it is over.
 */
ended: boolean, 
/**
 * The snapshot that was taken first; bringing it back undoes this.
 */
before: string | null, 
/**
 * How many files it changed.
 */
files: number, 
/**
 * Files that were in the way and in no snapshot, and where they are now.
 */
kept: Array<string>, 
/**
 * Why it could not be done.
 */
failed: string | null, };

/**
 * Words for the agent.
 */
export type SendRequest = { 
/**
 * The words.
 */
text: string, 
/**
 * The images that belong to them, stored before.
 */
images: Array<ImageRequest>, 
/**
 * When they reach the agent.
 */
delivery: Delivery, };

/**
 * A text to look at.
 */
export type SettingsCheckRequest = { 
/**
 * All of it.
 */
text: string, };

/**
 * What is wrong with a text.
 */
export type SettingsCheckView = { 
/**
 * Why it cannot be used.
 */
problem: SettingsProblemView | null, 
/**
 * What is no error but should be known, such as keys that nobody reads.
 */
warnings: Array<string>, };

/**
 * A file with settings.
 */
export type SettingsFileView = { 
/**
 * Names it in paths: `user`, `dashboard`, `project-ID`, `agent-NAME`.
 */
id: string, 
/**
 * Whose settings it holds.
 */
kind: SettingsKind, 
/**
 * The name of the project or agent; empty for the person's own files.
 */
name: string, 
/**
 * Where it lies.
 */
path: string, 
/**
 * Whether it is there.
 */
exists: boolean, };

/**
 * Whose settings a file holds.
 */
export type SettingsKind = "user" | "project" | "agent" | "dashboard";

/**
 * Why a text cannot be used.
 */
export type SettingsProblemView = { 
/**
 * One sentence.
 */
message: string, 
/**
 * What to do about it; may be empty.
 */
hint: string, 
/**
 * The line it is in, counted from 1, where that is known.
 */
line: number | null, };

/**
 * A file is to be changed.
 */
export type SettingsTextRequest = { 
/**
 * All of its text.
 */
text: string, 
/**
 * The hash of the text that was changed; a file that is another by now is left alone. Empty for a new file.
 */
hash: string, };

/**
 * The text of a file.
 */
export type SettingsTextView = { 
/**
 * Which file.
 */
id: string, 
/**
 * All of it; empty where there is no file.
 */
text: string, 
/**
 * Its hash, to be sent back with a change; empty where there is no file.
 */
hash: string, 
/**
 * What is wrong with it.
 */
check: SettingsCheckView, };

/**
 * The settings and where they are.
 */
export type SettingsView = { 
/**
 * The files; those that do not exist yet can be written too.
 */
files: Array<SettingsFileView>, 
/**
 * Attempts that work at once on this machine.
 */
parallel: number, 
/**
 * Checks that run at once on this machine.
 */
checks_parallel: number, };

/**
 * Which file of a comparison a line is in.
 */
export type Side = "before" | "after";

/**
 * What a snapshot was taken for.
 */
export type SnapshotMoment = "base" | "turn" | "before_rollback";

/**
 * Everything on the board at a moment.
 */
export type SnapshotView = { 
/**
 * The number of the last event it holds.
 */
seq: number, 
/**
 * When, by the daemon's clock.
 */
now: string, 
/**
 * All projects.
 */
projects: Array<ProjectView>, 
/**
 * All tasks, archived ones too.
 */
tasks: Array<TaskSummary>, 
/**
 * What attempts at work did last.
 */
activity: Array<ActivityView>, };

/**
 * Where in a session's journals the bytes of an entry are.
 */
export type Source = { 
/**
 * Which of the two.
 */
journal: Journal, 
/**
 * Offset of the first line, in bytes.
 */
offset: number, 
/**
 * Bytes from there to the end of the last line that belongs to the entry; other lines may lie between.
 */
len: number, };

/**
 * A stretch of time in which an attempt did or waited for one thing.
 */
export type SpanView = { 
/**
 * What.
 */
activity: ActivityKind, 
/**
 * Its state in a word or two, as it was at first.
 */
state: string, 
/**
 * From when.
 */
from: string, 
/**
 * Until when; none: it lasts.
 */
to: string | null, };

/**
 * Where an attempt's workspace stands.
 */
export type StandingView = { 
/**
 * The commit that its work is compared with.
 */
base: string, 
/**
 * Where the target branch is now; nothing if it is gone.
 */
target: string | null, 
/**
 * Commits of its result that the base does not have.
 */
ahead: number, 
/**
 * Commits of the target that the base does not have; nothing if that cannot be told.
 */
behind: number | null, 
/**
 * Files that differ from the base now; nothing while there is no workspace.
 */
changed: number | null, 
/**
 * Its ports.
 */
ports: Array<PortView>, };

/**
 * A state that explains itself.
 */
export type StatusView = { 
/**
 * The column.
 */
attention: Attention, 
/**
 * The state in a word or two: `working`, `waiting for permission`.
 */
state: string, 
/**
 * Why, in a sentence.
 */
reason: string, 
/**
 * Since when.
 */
since: string, 
/**
 * What a person can do next, as a command where there is one.
 */
next: string, 
/**
 * When it goes on by itself, where it waits for a time.
 */
until: string | null, };

/**
 * How far a step of a plan is.
 */
export type StepStatus = "pending" | "in_progress" | "completed";

/**
 * What turns used together.
 */
export type SumView = { 
/**
 * Of what: a task's handle, an agent, a day (`2026-11-21`); empty for all.
 */
of: string, 
/**
 * The task's title.
 */
title: string, 
/**
 * How many turns.
 */
turns: number, 
/**
 * How long they ran, in milliseconds; those that run count until now.
 */
millis: number, 
/**
 * How many of these tasks have landed.
 */
landed: number, 
/**
 * What they used.
 */
usage: UsageView, };

/**
 * A task in a list.
 */
export type TaskSummary = { 
/**
 * What people call it: `t12`.
 */
handle: string, 
/**
 * Its number.
 */
number: number, 
/**
 * Its identity.
 */
id: string, 
/**
 * One line for people.
 */
title: string, 
/**
 * The project's name.
 */
project: string, 
/**
 * The project's root folder.
 */
root: string, 
/**
 * Its state, explained: that of the attempt which needs a person most, or is furthest.
 */
status: StatusView, 
/**
 * Its attempts.
 */
attempts: Array<AttemptSummary>, 
/**
 * How many of its items wait for a person.
 */
open_items: number, 
/**
 * It is only on the board and has no attempts yet: a person starts it.
 */
staged: boolean, 
/**
 * The agents that try it or will, one per attempt.
 */
agents: Array<string>, 
/**
 * Its place among the tasks that wait: what waits since an earlier time, or was moved as if it did, comes first.
 */
waits_since: string, 
/**
 * Those items, oldest first.
 */
items: Array<ItemView>, 
/**
 * How many criteria it has.
 */
criteria: number, 
/**
 * The branch that the result lands on.
 */
target: string, 
/**
 * Whether it is put away.
 */
archived: boolean, 
/**
 * When it was added.
 */
added: string, 
/**
 * When something last happened to it.
 */
changed: string, };

/**
 * A task with all that happened to it.
 */
export type TaskView = { 
/**
 * What people call it: `t12`.
 */
handle: string, 
/**
 * Its number.
 */
number: number, 
/**
 * Its identity.
 */
id: string, 
/**
 * One line for people.
 */
title: string, 
/**
 * The prompt or spec in Markdown.
 */
prompt: string, 
/**
 * The images that belong to it.
 */
images: Array<ImageView>, 
/**
 * Its project.
 */
project: ProjectView, 
/**
 * The branch that the result lands on.
 */
target: string, 
/**
 * The commit that attempts start from.
 */
base: string, 
/**
 * Its state, explained.
 */
status: StatusView, 
/**
 * Its attempts.
 */
attempts: Array<AttemptView>, 
/**
 * What must hold for it to be done.
 */
criteria: Array<CriterionView>, 
/**
 * Everything that waited or waits for a person, oldest first.
 */
items: Array<ItemView>, 
/**
 * Which permissions are given without asking.
 */
permissions: Permissions, 
/**
 * How results land.
 */
landing_mode: LandingMode, 
/**
 * It is only on the board and has no attempts yet: a person starts it.
 */
staged: boolean, 
/**
 * The agents that try it or will, one per attempt.
 */
agents: Array<string>, 
/**
 * How often failing checks send it back before a person is asked.
 */
rounds: number, 
/**
 * The paths that may be changed, as patterns of `.gitignore`; empty: all.
 */
scope: Array<string>, 
/**
 * How much each attempt may use before a person is asked, as it was given out.
 */
budget: string | null, 
/**
 * What was asked for in place of the project's own.
 */
asked: AskedView, 
/**
 * Whether it is put away.
 */
archived: boolean, 
/**
 * When it was added.
 */
added: string, 
/**
 * When something last happened to it.
 */
changed: string, };

/**
 * What a page is told beside the bytes of its terminal, as text.
 */
export type TerminalNews = { "kind": "begins", 
/**
 * How many bytes were written before.
 */
offset: number, 
/**
 * How many of them this page has not seen and cannot see.
 */
missed: number, } | { "kind": "exited", 
/**
 * The code.
 */
code: number, } | { "kind": "signaled", 
/**
 * The signal's number.
 */
signal: number, };

/**
 * How large a terminal is, in characters.
 */
export type TerminalRequest = { 
/**
 * Columns.
 */
columns: number, 
/**
 * Rows.
 */
rows: number, };

/**
 * A person's shell in a workspace.
 */
export type TerminalView = { 
/**
 * Its id; nobody can guess it.
 */
terminal: string, 
/**
 * When it was opened.
 */
opened: string, 
/**
 * Whether a page is connected to it. One without is ended after some minutes.
 */
connected: boolean, };

/**
 * What a page says beside what is typed, as text.
 */
export type TerminalWord = { "kind": "size", 
/**
 * Columns.
 */
columns: number, 
/**
 * Rows.
 */
rows: number, } | { "kind": "shown", 
/**
 * How many bytes were written before.
 */
offset: number, };

/**
 * Text of bounded size that knows how much was left out. Cuts fall between characters.
 */
export type Text = { 
/**
 * The words, with a marker where some were cut.
 */
text: string, 
/**
 * Bytes that were left out.
 */
cut_bytes?: number, };

/**
 * What an attempt did over the time.
 */
export type TimelineView = { 
/**
 * What people call it.
 */
handle: string, 
/**
 * Its task's title.
 */
title: string, 
/**
 * The project's name.
 */
project: string, 
/**
 * The agent that tries.
 */
agent: string, 
/**
 * What it did or waited for, in order.
 */
spans: Array<SpanView>, };

/**
 * Token counts. What is not known is zero.
 */
export type Tokens = { 
/**
 * Input.
 */
input: number, 
/**
 * Output.
 */
output: number, 
/**
 * Input read from a cache.
 */
cached_read: number, 
/**
 * Input written to a cache.
 */
cached_write: number, 
/**
 * Thinking.
 */
reasoning: number, 
/**
 * The input counts what was read from a cache too, in transcripts of 0.1.0; nothing sets it any more.
 */
cached_in_input?: boolean, };

/**
 * A tool that the agent uses, in its newest state.
 */
export type ToolCall = { 
/**
 * The agent's id for it, unique in its session.
 */
id: string, 
/**
 * What it does, in a line.
 */
title: string, 
/**
 * What kind of tool it is, as far as the agent says.
 */
kind: ToolKind, 
/**
 * How far it is.
 */
status: ToolStatus, 
/**
 * The agent's own name of the tool, where it gives one.
 */
name?: string, 
/**
 * What it was called with, as JSON, where the agent shows it.
 */
input?: Text, 
/**
 * Files it looks at or changes.
 */
locations?: Array<Location>, 
/**
 * What it changes, as the agent tells it. The truth is in the workspace.
 */
diffs?: Array<FileDiff>, 
/**
 * What it gave back.
 */
output?: Text, 
/**
 * Files that it names but that are not listed here, because there are too many or their path is too long. A rule
 * must not decide about a call that it cannot see whole.
 */
left_out?: number, };

/**
 * What kind of tool it is.
 */
export type ToolKind = "read" | "edit" | "delete" | "move" | "search" | "execute" | "think" | "fetch" | "switch_mode" | "other";

/**
 * How far a tool call is.
 */
export type ToolStatus = "pending" | "in_progress" | "completed" | "failed";

/**
 * One entry of a transcript, in its newest state.
 */
export type TranscriptEntryView = { 
/**
 * The revision at which it was stored; follow on from here.
 */
rev: number, 
/**
 * The session it belongs to, from 1. Session and `seq` together name an entry: one seen again replaces the first.
 */
session: number, 
/**
 * Its place in the transcript, from 1 without gaps. An entry seen again with the same number replaces the first.
 */
seq: number, 
/**
 * When it was first seen. After a replay of the journals this is only near the truth: keep the time stored first.
 */
at: string, 
/**
 * The turn it belongs to, from 1; 0 before the first prompt.
 */
turn: number, 
/**
 * The bytes it came from; Divisi's own entries have none.
 */
source?: Source, } & ({ "entry": "prompt", 
/**
 * Where they come from.
 */
origin: Origin, 
/**
 * The words.
 */
text: Text, 
/**
 * The images that belong to them, and how the agent was given each.
 */
images?: Array<GivenImage>, } | { "entry": "message", 
/**
 * The words.
 */
text: Text, } | { "entry": "thought", 
/**
 * The words.
 */
text: Text, } | { "entry": "plan", 
/**
 * The steps in order.
 */
steps: Array<PlanStep>, } | { "entry": "tool_call" } & ToolCall | { "entry": "permission_request", 
/**
 * Names the request in its session.
 */
request: string, 
/**
 * The tool call it is about; its entry comes before this one.
 */
tool_call: string, 
/**
 * What the agent wants to do, in a line.
 */
title: string, 
/**
 * What can be answered.
 */
options: Array<AskOption>, } | { "entry": "question", 
/**
 * Names the request in its session.
 */
request: string, 
/**
 * The question.
 */
text: Text, 
/**
 * Proposed answers; empty where free words are wanted.
 */
options: Array<AskOption>, } | { "entry": "answered", 
/**
 * The request.
 */
request: string, 
/**
 * How.
 */
answer: Answered, } | { "entry": "usage" } & ReportedUsage | { "entry": "mode_changed", 
/**
 * The agent's id of the mode.
 */
mode: string, } | { "entry": "notice", 
/**
 * What it is about.
 */
notice: Notice, 
/**
 * The words.
 */
text: Text, } | { "entry": "turn_ended", 
/**
 * How the turn ended, as Divisi judges it.
 */
outcome: TurnOutcome, 
/**
 * What the agent itself said, such as `end_turn`.
 */
stop_reason?: string, } | { "entry": "raw", 
/**
 * What it calls itself.
 */
name: string, 
/**
 * Its JSON.
 */
json: Text, });

/**
 * Something that holds Divisi up until it is mended.
 */
export type TroubleView = { 
/**
 * What, in a sentence.
 */
reason: string, 
/**
 * What a person can do about it.
 */
hint: string, };

/**
 * How a turn ended, judged from the protocol and the process, not from an exit code alone.
 */
export type TurnOutcome = { "outcome": "completed" } | { "outcome": "cancelled" } | { "outcome": "refused" } | { "outcome": "needs_login", 
/**
 * What it said.
 */
text: string, 
/**
 * The exact command that logs in, where one is known.
 */
command: string | null, } | { "outcome": "usage_limit", 
/**
 * What it said.
 */
text: string, 
/**
 * When it ends, or is to be tried again.
 */
until: string | null, 
/**
 * Nobody said when it ends: the time is Divisi's own, to try again.
 */
guessed: boolean, } | { "outcome": "needs_credit", 
/**
 * What it said.
 */
text: string, } | { "outcome": "agent_error", 
/**
 * What it said.
 */
text: string, } | { "outcome": "cut_short", 
/**
 * Which limit, in the agent's words.
 */
text: string, } | { "outcome": "denied" } | { "outcome": "no_progress" } | { "outcome": "process_ended", 
/**
 * How.
 */
text: string, };

/**
 * One prompt, or several given together, and everything until the agent was idle again.
 */
export type TurnView = { 
/**
 * Its number in the attempt, from 1.
 */
number: number, 
/**
 * The session it belongs to, from 1.
 */
session: number, 
/**
 * What the agent was given.
 */
prompts: Array<PromptView>, 
/**
 * When it began.
 */
started: string, 
/**
 * When it ended.
 */
ended: string | null, 
/**
 * How it ended, in a word: `completed`, `cancelled`, `agent_error`, …
 */
outcome: string | null, 
/**
 * What the agent said about its end, where it said something.
 */
outcome_text: string | null, 
/**
 * Whether a person asked to end it.
 */
cancel_requested: boolean, 
/**
 * The commit of the snapshot taken after it.
 */
snapshot: string | null, 
/**
 * What it used.
 */
usage: UsageView, };

/**
 * What a number of tokens covers.
 */
export type UsageScope = "turn" | "session" | "last_call";

/**
 * Tokens, and money as the agent reported it.
 */
export type UsageView = { 
/**
 * Input tokens.
 */
input: number, 
/**
 * Output tokens.
 */
output: number, 
/**
 * Input tokens read from a cache.
 */
cached_read: number, 
/**
 * Input tokens written to a cache.
 */
cached_write: number, 
/**
 * US dollars, as reported or computed from prices; the number for people is `cost_micros`.
 */
cost_usd: number | null, 
/**
 * Always false: the input is counted without what was read from a cache, whatever the vendor counts.
 */
cached_in_input: boolean, 
/**
 * The tokens are a lower bound.
 */
at_least: boolean, 
/**
 * Cost in millionths of a US dollar; none: not known.
 */
cost_micros: number | null, 
/**
 * The cost was computed from prices rather than reported by the agent.
 */
estimated: boolean, 
/**
 * The real cost may be higher.
 */
cost_at_least: boolean, };

/**
 * What a person decides on a result.
 */
export type Verdict = "approved" | "changes_requested" | "withdrawn";

/**
 * A file, and what was seen of it.
 */
export type ViewedFile = { 
/**
 * Its path, as the comparison names it.
 */
path: string, 
/**
 * Its `seen`, as the comparison gives it: the mark holds for this content alone.
 */
seen: string, };

/**
 * Files that were viewed, or are so no more.
 */
export type ViewedRequest = { 
/**
 * The files.
 */
files: Array<ViewedFile>, 
/**
 * Whether they were viewed.
 */
viewed: boolean, };

/**
 * Words for a comment.
 */
export type WordsRequest = { 
/**
 * The words.
 */
text: string, };

/**
 * The whole workspace at a moment.
 */
export type WorkspaceSnapshotView = { 
/**
 * The commit.
 */
commit: string, 
/**
 * What it was taken for.
 */
moment: SnapshotMoment, 
/**
 * The turn that had ended then; 0 before the first.
 */
turn: number, 
/**
 * When; for the base, when the task was given out.
 */
at: string, 
/**
 * Files that differ from the snapshot before; nothing for the first, and where that was not counted.
 */
files: number | null, 
/**
 * Lines added since the snapshot before.
 */
added: number | null, 
/**
 * Lines removed since the snapshot before.
 */
removed: number | null, };

/**
 * An isolated checkout.
 */
export type WorkspaceView = { 
/**
 * Absolute path.
 */
path: string, 
/**
 * First port of its block.
 */
first_port: number, 
/**
 * How many ports it has.
 */
ports: number, 
/**
 * How it is made: `checkout` or `overlay`.
 */
kind: string, 
/**
 * Whether a setup script ran; its log is at `…/setup-log`.
 */
has_setup_log: boolean, 
/**
 * Files copied in by `.worktreeinclude`.
 */
included: number, };
