//! What the engine is given in a simulation: agents, settings, and a person.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use divisi_agent::{Definition, Facts, Layer, Registry};
use divisi_engine::{AgentInfo, AgentSource, Identity, Options, Person, SandboxOptions, SettingsSource};
use divisi_model::Refusal;
use divisi_model::task::TaskSettings;
use divisi_workspace::launch::ShimCommand;

use crate::scenario::Plan;

/// The user's repository.
pub(crate) const ROOT: &str = "/sim/project";

struct Settings(TaskSettings);

impl SettingsSource for Settings {
    fn settings(&self, _root: &Path) -> Result<TaskSettings, Refusal> {
        Ok(self.0.clone())
    }
}

struct Agents(Registry);

impl AgentSource for Agents {
    fn agents(&self, _root: Option<&Path>) -> Result<Vec<AgentInfo>, Refusal> {
        let info = |definition: &Definition| AgentInfo {
            name: definition.name.clone(),
            title: definition.title.clone(),
            driven: String::new(),
            version: None,
            readiness: definition.readiness(&self.facts(definition)),
            hint: String::new(),
        };
        Ok(self.0.all().iter().map(info).collect())
    }

    fn definition(&self, name: &str, _root: Option<&Path>) -> Result<Definition, Refusal> {
        self.0.require(name).cloned().map_err(|error| Refusal::not_found(error.to_string(), ""))
    }

    fn facts(&self, definition: &Definition) -> Facts {
        let program = if definition.name == "tool" { "/sim/tool" } else { "/sim/agent" };
        Facts {
            program: Some(program.into()),
            version: None,
            files: BTreeSet::new(),
            variables: BTreeSet::new(),
        }
    }
}

/// A one-shot agent.
const TOOL: &str = "title = \"A tool\"\ndrive = \"exec\"\ncommand = [\"tool\"]\nverified = true\n";

pub(crate) fn options(plan: &Plan) -> Options {
    let tool = Layer::read("the simulation", "tool", TOOL).into_iter().collect::<Vec<_>>();
    let agents = Registry::with_layers(&tool).unwrap_or_else(|_| Registry::shipped());
    Options {
        data: "/sim/data".into(),
        shim: ShimCommand::new("/sim/shim", [""; 0]),
        agents: Arc::new(Agents(agents)),
        settings: Arc::new(Settings(plan.settings.clone())),
        parallel: plan.parallel,
        checks_parallel: 2,
        person: Person {
            identity: Identity { name: "Ada".into(), email: "ada@example.invalid".into() },
            home: "/sim/home".into(),
            variables: BTreeMap::new(),
            divisi: "/sim/divisi".into(),
        },
        sandbox: SandboxOptions::default(),
        share_agents: false,
        anywhere: true,
    }
}
