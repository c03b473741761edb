//! The commented file that `divisi init` writes.

use super::detect::Proposal;

/// A `divisi.toml` with the proposed gates, and every other key commented out at its default.
pub(crate) fn template(proposal: &Proposal) -> String {
    let mut text = String::from(HEAD);
    match proposal.setup.as_slice() {
        [] => text.push_str("# setup = \"npm ci\"\n"),
        commands => text.push_str(&format!("setup = {}\n", quoted(&commands.join(" && ")))),
    }
    text.push_str(REST);
    match proposal.pass.as_slice() {
        [] => text.push_str("# pass_environment = [\"DATABASE_URL\"]\n"),
        names => {
            let names: Vec<_> = names.iter().map(|name| quoted(name)).collect();
            text.push_str(&format!("pass_environment = [{}]\n", names.join(", ")));
        }
    }
    text.push_str(END);
    if proposal.gates.is_empty() {
        text.push_str(NO_GATE);
    }
    for (name, command) in &proposal.gates {
        text.push_str(&format!("\n[[gates]]\nname = {}\ncommand = {}\n", quoted(name), quoted(command)));
    }
    text.push_str(GATE_END);
    text
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

const HEAD: &str = "\
# Divisi on this project. Every key is optional; those that are commented out show their default.
# Settings count for tasks that are given out afterwards. `divisi doctor` checks this file.

# Makes a new workspace ready, before its agent starts; run by `sh -c`. A failure stops the task.
";

const REST: &str = "\
# setup_timeout = \"20m\"

# How a result is put on its target branch: \"merge\", \"squash\" or \"rebase\".
# landing = \"merge\"

# Which permission requests are answered without you: \"ask\" (none) or \"edits\" (inside the workspace).
# permissions = \"edits\"

# How often failing checks or conflicts send an attempt back before you are asked.
# rounds = 3

# The agents that are taken when `divisi run` names none; otherwise the first one that is ready.
# default_agents = [\"codex\"]

# Put before the names of the branches that Divisi makes.
# branch_prefix = \"divisi/\"

# Environment variables passed on to setup, agents and checks; everything else is kept from them.
";

const END: &str = "
# Minutes without a sign of life in a turn until you are asked; 0 is never.
# stall_minutes = 15

# Whether commits name their task and agent in trailers.
# trailers = true

# What every result must pass. Divisi itself runs each gate in a clean checkout of the commit, and shows the evidence.
";

const NO_GATE: &str = "\
# No way to test this project was found, so nothing is proven until you add one:
#
# [[gates]]
# name = \"test\"
# command = \"make test\"
";

const GATE_END: &str = "\
# required = false      # only shown, never sends an attempt back
# timeout = \"30m\"
";

#[cfg(test)]
mod tests {
    use super::super::file::ConfigFile;
    use super::*;

    #[test]
    fn the_template_is_a_configuration_without_unknown_keys() {
        let proposal = Proposal {
            seen: vec![],
            setup: vec!["npm ci".into()],
            gates: vec![("test \"all\"".into(), "npm test -- \"a b\"".into())],
            pass: vec!["TOKEN".into()],
        };
        let text = template(&proposal);
        let file: ConfigFile = toml::from_str(&text).unwrap();
        let gate = &file.gates.as_ref().unwrap()[0];
        assert_eq!((gate.name.as_str(), gate.command.as_str()), ("test \"all\"", "npm test -- \"a b\""));
        assert_eq!(file.setup.as_deref(), Some("npm ci"));
        assert_eq!(file.pass_environment, Some(vec!["TOKEN".to_owned()]));
        assert_eq!(super::super::unknown::unknown_keys(&text.parse().unwrap()), []);
    }

    #[test]
    fn what_is_commented_out_is_the_default_and_every_key_is_there() {
        let text = template(&Proposal::default());
        let uncommented: String = text
            .lines()
            .filter_map(|line| line.strip_prefix("# ").or(Some(line)))
            .filter(|line| line.split_once(" = ").is_some_and(|(key, _)| !key.contains([' ', '`'])))
            .filter(|line| {
                !["name", "command", "required", "timeout"].iter().any(|key| line.starts_with(key))
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let file: ConfigFile = toml::from_str(&uncommented).unwrap();
        assert_eq!(super::super::unknown::unknown_keys(&uncommented.parse().unwrap()), []);
        let usual = divisi_model::task::TaskSettings::default();
        assert_eq!(file.rounds, Some(usual.rounds));
        assert_eq!(file.branch_prefix, Some(usual.branch_prefix));
        assert_eq!(file.stall_minutes, Some(usual.stall_minutes));
        assert_eq!(file.trailers, Some(usual.trailers));
        assert!(file.landing.is_some() && file.permissions.is_some() && file.setup_timeout.is_some());
    }
}
