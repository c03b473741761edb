//! Who worked when, what it used, and what it does to the machine.

use std::collections::BTreeMap;

use divisi_engine::{Machine, Work};
use divisi_model::event::Usage;
use divisi_model::project::Project;
use divisi_model::spans::{Activity, Span};
use jiff::tz::Offset;
use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::{IntoParams, ToSchema};

use super::turn::UsageView;

/// Which time is asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct FleetQuery {
    /// From when; none: the last day.
    pub from: Option<Timestamp>,
    /// How far the days that are summed are from those of UTC, in minutes: 120 is two hours ahead.
    pub offset_minutes: i32,
}

/// Who worked when, what it used, and what it does to the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct FleetView {
    /// From when.
    pub from: Timestamp,
    /// Until when: now, by the daemon's clock.
    pub to: Timestamp,
    /// Each attempt that did or waited for something, by task.
    pub attempts: Vec<TimelineView>,
    /// What turns that began in this time used.
    pub total: SumView,
    /// By task, the largest first.
    pub by_task: Vec<SumView>,
    /// By agent, the largest first.
    pub by_agent: Vec<SumView>,
    /// By day, in order.
    pub by_day: Vec<SumView>,
    /// This machine.
    pub machine: MachineView,
}

/// What an attempt did over the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct TimelineView {
    /// What people call it.
    pub handle: String,
    /// Its task's title.
    pub title: String,
    /// The project's name.
    pub project: String,
    /// The agent that tries.
    pub agent: String,
    /// What it did or waited for, in order.
    pub spans: Vec<SpanView>,
}

/// A stretch of time in which an attempt did or waited for one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct SpanView {
    /// What.
    pub activity: ActivityKind,
    /// Its state in a word or two, as it was at first.
    pub state: String,
    /// From when.
    pub from: Timestamp,
    /// Until when; none: it lasts.
    pub to: Option<Timestamp>,
}

/// What an attempt did or waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// Its agent worked, or its workspace was made.
    Working,
    /// Divisi checked or landed its result.
    Checking,
    /// It waited for a person.
    Person,
    /// It waited for a limit to end.
    Limit,
    /// It waited for a free slot.
    Slot,
}

/// What turns used together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct SumView {
    /// Of what: a task's handle, an agent, a day (`2026-11-21`); empty for all.
    pub of: String,
    /// The task's title.
    pub title: String,
    /// How many turns.
    pub turns: u32,
    /// How long they ran, in milliseconds; those that run count until now.
    pub millis: u64,
    /// How many of these tasks have landed.
    pub landed: u32,
    /// What they used.
    pub usage: UsageView,
}

/// This machine; what cannot be seen is not told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema, TS)]
pub struct MachineView {
    /// Processor cores.
    pub cores: usize,
    /// Processes that ran or wanted to, on average over the last minute.
    pub load: Option<f64>,
    /// Memory in bytes.
    pub memory_total: Option<u64>,
    /// What of it could still be had.
    pub memory_free: Option<u64>,
    /// The disk of the data folder, in bytes.
    pub disk_total: Option<u64>,
    /// What of it is free.
    pub disk_free: Option<u64>,
}

#[derive(Default)]
struct Sum {
    title: String,
    turns: u32,
    millis: u64,
    landed: u32,
    usage: Usage,
}

impl FleetView {
    /// What was done between two moments; days are those of the offset.
    pub fn of(
        work: &[Work],
        projects: &[Project],
        machine: Machine,
        (from, to): (Timestamp, Timestamp),
        offset: Offset,
    ) -> Self {
        let mut all = Sum::default();
        let mut sums: [BTreeMap<String, Sum>; 3] = Default::default();
        let mut attempts = Vec::new();
        for Work { task, spans } in work {
            let title = &task.spec.title;
            let project = projects.iter().find(|project| project.id == task.spec.project);
            for attempt in &task.attempts {
                let spans: Vec<_> =
                    spans.iter().filter(|span| span.attempt == attempt.number).map(SpanView::from).collect();
                let handle = task.handle(attempt.number).to_string();
                let turns = attempt.turns.iter().filter(|turn| turn.started >= from);
                let landed = u32::from(attempt.landing.is_some());
                for (n, turn) in turns.enumerate() {
                    let day = offset.to_datetime(turn.started).date().to_string();
                    let [by_task, by_agent, by_day] = &mut sums;
                    let of_task = by_task.entry(task.spec.number.to_string()).or_default();
                    of_task.title.clone_from(title);
                    let ran = turn.ended.unwrap_or(to).duration_since(turn.started).as_millis();
                    let of = [
                        &mut all,
                        of_task,
                        by_agent.entry(attempt.agent.clone()).or_default(),
                        by_day.entry(day).or_default(),
                    ];
                    for sum in of {
                        sum.turns += 1;
                        sum.millis += u64::try_from(ran).unwrap_or(0);
                        sum.landed += if n == 0 { landed } else { 0 };
                        sum.usage.add(&turn.usage);
                    }
                }
                if !spans.is_empty() {
                    let project = project.map_or_else(String::new, |project| project.name.clone());
                    let (title, agent) = (title.clone(), attempt.agent.clone());
                    attempts.push(TimelineView { handle, title, project, agent, spans });
                }
            }
        }
        let [by_task, by_agent, by_day] = sums;
        Self {
            from,
            to,
            attempts,
            total: all.view(String::new()),
            by_task: largest(by_task),
            by_agent: largest(by_agent),
            by_day: by_day.into_iter().map(|(of, sum)| sum.view(of)).collect(),
            machine: machine.into(),
        }
    }
}

/// Those that cost most first; where no cost is known, those that used most tokens.
fn largest(sums: BTreeMap<String, Sum>) -> Vec<SumView> {
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, sum)| std::cmp::Reverse((sum.usage.cost(), sum.usage.tokens(), sum.millis)));
    sums.into_iter().map(|(of, sum)| sum.view(of)).collect()
}

impl Sum {
    fn view(self, of: String) -> SumView {
        let Self { title, turns, millis, landed, usage } = self;
        SumView { of, title, turns, millis, landed, usage: usage.into() }
    }
}

impl FleetQuery {
    /// The offset, where there is such a one.
    pub fn offset(&self) -> Option<Offset> {
        Offset::from_seconds(self.offset_minutes.checked_mul(60)?).ok()
    }

    /// From when, seen from now; to the second, so that what is looked at twice is the same.
    pub fn from(&self, now: Timestamp) -> Timestamp {
        let day = jiff::SignedDuration::from_hours(24);
        let from = self.from.unwrap_or_else(|| now.checked_sub(day).unwrap_or(now));
        from.round(Unit::Second).unwrap_or(from)
    }
}

impl From<&Span> for SpanView {
    fn from(span: &Span) -> Self {
        let activity = match span.activity {
            Activity::Working => ActivityKind::Working,
            Activity::Checking => ActivityKind::Checking,
            Activity::Person => ActivityKind::Person,
            Activity::Limit => ActivityKind::Limit,
            Activity::Slot => ActivityKind::Slot,
        };
        Self { activity, state: span.state.clone(), from: span.from, to: span.to }
    }
}

impl From<Machine> for MachineView {
    fn from(machine: Machine) -> Self {
        Self {
            cores: machine.cores,
            load: machine.load,
            memory_total: machine.memory.map(|(total, _)| total),
            memory_free: machine.memory.map(|(_, free)| free),
            disk_total: machine.disk.map(|(total, _)| total),
            disk_free: machine.disk.map(|(_, free)| free),
        }
    }
}
