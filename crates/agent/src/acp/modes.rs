//! The agent's modes: ids of the protocol, or the values of a configuration option.

use agent_client_protocol_schema::v1 as acp;
use divisi_model::transcript::{EntryBody, Notice};

use super::schema::clip;
use super::session::Session;

/// Modes of an agent that are remembered.
pub(super) const MODES: usize = 64;

impl Session {
    /// Wants no mode that the agent is in already or does not have.
    pub(super) fn resolve_mode(&mut self) {
        let Some(wanted) = self.modes.wanted.clone() else { return };
        if self.modes.current.as_deref().is_some_and(|current| is_mode(current, &wanted)) {
            self.modes.wanted = None;
            return;
        }
        let offered = self.modes.ids.iter().chain(self.modes.option.iter().flat_map(|(_, values)| values));
        if !offered.clone().any(|id| is_mode(id, &wanted)) {
            let list = offered.cloned().collect::<Vec<_>>().join(", ");
            let text = format!("The agent has no mode `{wanted}`; it offers: {list}");
            self.modes.wanted = None;
            self.record.notice(Notice::Agent, &text);
        }
    }

    /// The mode may be one of the agent's configuration options.
    pub(super) fn learn_options(&mut self, options: &[acp::SessionConfigOption]) {
        let is_mode_option = |o: &&acp::SessionConfigOption| {
            o.category == Some(acp::SessionConfigOptionCategory::Mode) || o.id.to_string() == "mode"
        };
        let Some(option) = options.iter().find(is_mode_option) else { return };
        let acp::SessionConfigKind::Select(select) = &option.kind else { return };
        let values: Vec<String> = match &select.options {
            acp::SessionConfigSelectOptions::Ungrouped(list) => {
                list.iter().map(|v| v.value.to_string()).collect()
            }
            acp::SessionConfigSelectOptions::Grouped(groups) => {
                groups.iter().flat_map(|g| &g.options).map(|v| v.value.to_string()).collect()
            }
            _ => return,
        };
        let known = self.modes.option.is_some();
        self.modes.option = Some((option.id.to_string(), values.into_iter().take(MODES).collect()));
        let current = select.current_value.to_string();
        if known {
            self.mode_is(&current);
        } else if self.modes.ids.is_empty() {
            self.modes.current = Some(current);
        }
    }

    pub(super) fn mode_is(&mut self, mode: &str) {
        if self.modes.current.as_deref() != Some(mode) {
            self.modes.current = Some(clip(mode));
            self.record.add(EntryBody::ModeChanged { mode: clip(mode) });
        }
    }
}

/// Whether an id means the mode; some agents use addresses that end in the plain name.
pub(super) fn is_mode(id: &str, wanted: &str) -> bool {
    id == wanted || id.rsplit_once('#').is_some_and(|(_, name)| name == wanted)
}
