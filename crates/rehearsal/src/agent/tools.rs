//! Steps that are tool calls: what is shown of them, and the permission they may need.

use std::path::PathBuf;
use std::time::Duration;

use agent_client_protocol_schema::v1::{
    Diff, ToolCall, ToolCallContent, ToolCallId, ToolCallLocation, ToolCallStatus, ToolCallUpdate,
    ToolCallUpdateFields, ToolKind,
};

use super::audience::Decision;
use super::files::Change;
use super::perform::{CANCELLED, Flow, Performer};
use super::{command, files};

/// Most of a file that a read shows.
const READ_BYTES_MAX: usize = 16 * 1024;

impl Performer<'_> {
    pub(super) fn read(&mut self, path: &str) -> Flow {
        let file = self.path(path);
        let call =
            self.call(&format!("Read {path}"), ToolKind::Read).locations(vec![ToolCallLocation::new(&file)]);
        self.tool(call, None, |_, _| {
            let bytes = std::fs::read(&file)
                .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(READ_BYTES_MAX)]).into_owned();
            Ok(vec![shown.into()])
        })
    }

    pub(super) fn change(&mut self, path: &str, verb: &str, change: Result<Change, String>) -> Flow {
        let call = self.call(&format!("{verb} {path}"), ToolKind::Edit);
        let call = call.locations(vec![ToolCallLocation::new(self.path(path))]);
        let change = match change {
            Ok(change) => change,
            Err(error) => return self.tool(call, None, |_, _| Err(error)),
        };
        self.tool(call.content(vec![change.diff().into()]), Some(ToolKind::Edit), |_, _| {
            change.apply().map(|()| vec![change.diff().into()])
        })
    }

    pub(super) fn delete(&mut self, path: &str) -> Flow {
        let file = self.path(path);
        let call = self
            .call(&format!("Delete {path}"), ToolKind::Delete)
            .locations(vec![ToolCallLocation::new(&file)]);
        let gone = Diff::new(&file, "").old_text(files::shown(&file));
        self.tool(call, Some(ToolKind::Delete), |_, _| files::delete(&file).map(|()| vec![gone.into()]))
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> Flow {
        let (old, new) = (self.path(from), self.path(to));
        let locations = vec![ToolCallLocation::new(&old), ToolCallLocation::new(&new)];
        let call = self.call(&format!("Move {from} to {to}"), ToolKind::Move).locations(locations);
        self.tool(call, Some(ToolKind::Move), |_, _| files::rename(&old, &new).map(|()| Vec::new()))
    }

    pub(super) fn run(&mut self, title: &str, script: &str, args: &[&str]) -> Flow {
        let call = self.call(title, ToolKind::Execute).raw_input(serde_json::json!({"command": title}));
        self.tool(call, Some(ToolKind::Execute), |this, id| {
            let progress = |output: &str| {
                let content = vec![output.to_owned().into()];
                let fields = ToolCallUpdateFields::new().status(ToolCallStatus::InProgress).content(content);
                this.audience.tool_update(ToolCallUpdate::new(id.tool_call_id.clone(), fields));
            };
            let ran = command::run(this.workspace, script, args, this.cancel, progress)?;
            let code = ran.status.and_then(|status| status.code());
            let fields = ToolCallUpdateFields::new().raw_output(serde_json::json!({"exitCode": code}));
            this.audience.tool_update(ToolCallUpdate::new(id.tool_call_id.clone(), fields));
            match code {
                Some(0) => Ok(vec![ran.output.into()]),
                Some(code) => Err(format!("{}(exit code {code})", ran.output)),
                None => Err(format!("{}(killed)", ran.output)),
            }
        })
    }

    /// Shows a tool call from its beginning to its end; `changes` is the kind that has to be allowed first.
    pub(super) fn tool(
        &mut self,
        call: ToolCall,
        changes: Option<ToolKind>,
        act: impl FnOnce(&mut Self, &ToolCall) -> Result<Vec<ToolCallContent>, String>,
    ) -> Flow {
        let asks = changes.filter(|_| self.asks);
        let status = if asks.is_some() { ToolCallStatus::Pending } else { ToolCallStatus::InProgress };
        self.audience.tool(call.clone().status(status));
        if let Some(kind) = asks {
            match self.decide(kind, &call) {
                Decision::Cancelled => return CANCELLED,
                Decision::Rejected { .. } => {
                    let fields = ToolCallUpdateFields::new().status(ToolCallStatus::Failed);
                    self.update(
                        &call.tool_call_id,
                        fields.content(vec!["The person said no.".to_owned().into()]),
                    );
                    return if self.reject_ends_turn { CANCELLED } else { Flow::On };
                }
                Decision::Allowed { .. } => {
                    self.update(
                        &call.tool_call_id,
                        ToolCallUpdateFields::new().status(ToolCallStatus::InProgress),
                    );
                }
            }
        }
        let wait = self.pace.tool();
        if self.cancel.wait(wait.or(Some(Duration::ZERO))) {
            return CANCELLED;
        }
        let fields = ToolCallUpdateFields::new();
        let fields = match act(self, &call) {
            Ok(content) if content.is_empty() => fields.status(ToolCallStatus::Completed),
            Ok(content) => fields.status(ToolCallStatus::Completed).content(content),
            Err(error) => fields.status(ToolCallStatus::Failed).content(vec![error.into()]),
        };
        self.update(&call.tool_call_id, fields);
        Flow::On
    }

    fn decide(&mut self, kind: ToolKind, call: &ToolCall) -> Decision {
        use agent_client_protocol_schema::v1::PermissionOptionKind::{AllowAlways, AllowOnce, RejectOnce};
        if let Some((_, allowed)) = self.always.iter().find(|(known, _)| *known == kind) {
            let always = true;
            return if *allowed { Decision::Allowed { always } } else { Decision::Rejected { always } };
        }
        let decision = self.audience.permission(call.clone().into(), &[AllowOnce, AllowAlways, RejectOnce]);
        match decision {
            Decision::Allowed { always: true } => self.always.push((kind, true)),
            Decision::Rejected { always: true } => self.always.push((kind, false)),
            _ => {}
        }
        decision
    }

    pub(super) fn call(&mut self, title: &str, kind: ToolKind) -> ToolCall {
        let number = self.next();
        let id = format!("call-{}-{number}", self.turn);
        ToolCall::new(id, title).kind(kind)
    }

    pub(super) fn update(&self, id: &ToolCallId, fields: ToolCallUpdateFields) {
        self.audience.tool_update(ToolCallUpdate::new(id.clone(), fields));
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.workspace.join(path)
    }
}
