//! The types of the wire for the dashboard, so that its compiler finds what a change of the contract breaks.

use std::collections::BTreeMap;

use ts_rs::{Config, TS, TypeVisitor};

use crate::types::{
    AgentView, AnswerView, BudgetRequest, ChangesView, CommentRequest, CommitView, DeviceView, DiffView,
    EnterRequest, EntryRequest, EntryView, EventView, FleetView, HealthView, HunksRequest, ImageView,
    InboxView, JournalView, LandRequest, LandingsView, LinesView, LookingRequest, MoveRequest, NewProject,
    NewTask, Problem, ProjectView, PushRequest, PushView, ResourcesView, ReviewRequest, RollbackRequest,
    SendRequest, SettingsCheckRequest, SettingsTextRequest, SettingsTextView, SettingsView, SnapshotView,
    StandingView, TaskView, TerminalNews, TerminalRequest, TerminalView, TerminalWord, TranscriptEntryView,
    ViewedRequest, WordsRequest, WorkspaceSnapshotView,
};

const HEAD: &str =
    "// What goes over the wire, written by `cargo xtask codegen` from crates/api/src/types. Do not edit.\n";

/// TypeScript declarations of everything the dashboard sends and receives; those that others are made of come with them.
pub fn typescript() -> String {
    let mut found = Declarations { config: Config::new().with_large_int("number"), by_name: BTreeMap::new() };
    found.visit::<AgentView>();
    found.visit::<AnswerView>();
    found.visit::<ChangesView>();
    found.visit::<CommentRequest>();
    found.visit::<CommitView>();
    found.visit::<DeviceView>();
    found.visit::<DiffView>();
    found.visit::<EnterRequest>();
    found.visit::<EntryRequest>();
    found.visit::<EntryView>();
    found.visit::<BudgetRequest>();
    found.visit::<EventView>();
    found.visit::<FleetView>();
    found.visit::<LandingsView>();
    found.visit::<LookingRequest>();
    found.visit::<MoveRequest>();
    found.visit::<PushRequest>();
    found.visit::<PushView>();
    found.visit::<HealthView>();
    found.visit::<HunksRequest>();
    found.visit::<ImageView>();
    found.visit::<InboxView>();
    found.visit::<JournalView>();
    found.visit::<LandRequest>();
    found.visit::<LinesView>();
    found.visit::<NewProject>();
    found.visit::<NewTask>();
    found.visit::<Problem>();
    found.visit::<ProjectView>();
    found.visit::<ResourcesView>();
    found.visit::<ReviewRequest>();
    found.visit::<RollbackRequest>();
    found.visit::<SendRequest>();
    found.visit::<SettingsCheckRequest>();
    found.visit::<SettingsTextRequest>();
    found.visit::<SettingsTextView>();
    found.visit::<SettingsView>();
    found.visit::<SnapshotView>();
    found.visit::<StandingView>();
    found.visit::<TaskView>();
    found.visit::<TerminalNews>();
    found.visit::<TerminalRequest>();
    found.visit::<TerminalView>();
    found.visit::<TerminalWord>();
    found.visit::<TranscriptEntryView>();
    found.visit::<ViewedRequest>();
    found.visit::<WordsRequest>();
    found.visit::<WorkspaceSnapshotView>();
    let mut text = HEAD.to_owned();
    for declaration in found.by_name.values() {
        text.push('\n');
        text.push_str(declaration);
        text.push('\n');
    }
    text
}

/// Every declaration once, by its name.
struct Declarations {
    config: Config,
    by_name: BTreeMap<String, String>,
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        // Only derived types have a declaration; strings, lists and the like do not, and what is in them is visited anyway.
        if T::output_path().is_none() {
            return;
        }
        let name = T::ident(&self.config);
        if self.by_name.contains_key(&name) {
            return;
        }
        let docs = T::docs().unwrap_or_default();
        let declaration = format!("{docs}export {}", T::decl(&self.config));
        self.by_name.insert(name, declaration);
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

#[cfg(test)]
mod tests {
    use super::typescript;

    #[test]
    fn what_others_are_made_of_is_declared_too_and_numbers_are_numbers() {
        let text = typescript();
        for name in ["TaskSummary", "Attention", "ToolCall", "Text", "UsageView"] {
            let declared = text.matches(&format!("export type {name} ")).count();
            assert_eq!(declared, 1, "{name}");
        }
        assert!(!text.contains("bigint"));
    }
}
