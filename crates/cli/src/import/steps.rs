//! Environments written down for machines in the cloud: Copilot's setup steps and dev containers.

use serde_json::{Map, Value};

use super::command::{is_name, quoted, translate};
use super::document::Document;
use super::found::Collector;
use super::peers::{leave, setup_one};

const JOB: &str = "/jobs/copilot-setup-steps";
const OWN_TOOLS: &str = "tools come from this machine; install what it needs here";

/// `.github/workflows/copilot-setup-steps.yml`: the `run` steps of its one job.
pub(super) fn copilot(document: &Document, found: &mut Collector<'_>) {
    let Some(Value::Array(steps)) = document.at(&format!("{JOB}/steps")) else {
        return found.leave("jobs", "", "it has no job `copilot-setup-steps` with steps");
    };
    for (key, why) in
        [("services", OWN_TOOLS), ("container", OWN_TOOLS), ("env", "a setup sets its variables itself")]
    {
        leave(document, found, &format!("{JOB}/{key}"), why);
    }
    for step in steps {
        let Some(step) = step.as_object() else { continue };
        let text = |key: &str| step.get(key).and_then(Value::as_str);
        match (text("run"), text("uses")) {
            (Some(run), _) => run_step(step, run, found),
            // The workspace is the checkout.
            (None, Some(uses)) if uses.starts_with("actions/checkout@") => {}
            (None, Some(uses)) => found.leave("steps.uses", uses, OWN_TOOLS),
            (None, None) => found.leave("steps", "a step", "it has neither `run` nor `uses`"),
        }
    }
}

fn run_step(step: &Map<String, Value>, run: &str, found: &mut Collector<'_>) {
    let text = |key: &str| step.get(key).and_then(Value::as_str);
    let shell = text("shell").unwrap_or("bash");
    if step.contains_key("if") {
        return found.leave("steps.if", run, "it is run on a condition");
    }
    if !["bash", "sh"].contains(&shell) {
        return found.leave("steps.shell", run, "setup is run by sh");
    }
    let mut inner = String::new();
    for (name, value) in step.get("env").and_then(Value::as_object).into_iter().flatten() {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if !is_name(name) || value.contains("${{") {
            return found.leave("steps.env", run, &format!("Divisi has no equal for the value of `{name}`"));
        }
        inner.push_str(&format!("export {name}={}\n", quoted(&value)));
    }
    if let Some(folder) = text("working-directory") {
        if folder.contains("${{") {
            return found.leave("steps.working-directory", folder, "Divisi has no equal");
        }
        inner.push_str(&format!("cd {}\n", quoted(folder)));
    }
    match translate(run, &[]) {
        Ok(translated) if inner.is_empty() && !translated.command.contains('\n') => {
            found.setup("steps.run", translated.command);
        }
        // In a shell of its own, as each step is.
        Ok(translated) => found.setup("steps.run", format!("(\n{inner}{}\n)", translated.command)),
        Err(why) => found.leave("steps.run", run, &why),
    }
}

/// `devcontainer.json`: the commands that are run once in a new container.
pub(super) fn devcontainer(document: &Document, found: &mut Collector<'_>) {
    let once = ["onCreateCommand", "updateContentCommand", "postCreateCommand"];
    for key in once {
        commands(key, document.at(&format!("/{key}")), found);
    }
    leave(document, found, "/initializeCommand", "it is run on the host, which Divisi leaves alone");
    for key in ["postStartCommand", "postAttachCommand"] {
        leave(
            document,
            found,
            &format!("/{key}"),
            "a workspace is made once, and not started or attached to",
        );
    }
    for key in ["containerEnv", "remoteEnv"] {
        for (name, value) in document.at(&format!("/{key}")).and_then(Value::as_object).into_iter().flatten()
        {
            // A variable that only hands on the person's own.
            if is_name(name) && value.as_str() == Some(&format!("${{localEnv:{name}}}")) {
                found.pass(name);
            } else {
                found.leave(
                    &format!("{key}.{name}"),
                    "",
                    "Divisi sets no variables; pass_environment hands on yours",
                );
            }
        }
    }
    for key in ["image", "build", "dockerFile", "dockerComposeFile", "features", "mounts", "runArgs"] {
        leave(document, found, &format!("/{key}"), OWN_TOOLS);
    }
    leave(document, found, "/forwardPorts", "each attempt has ports of its own: DIVISI_PORT");
    let known = [
        "onCreateCommand",
        "updateContentCommand",
        "postCreateCommand",
        "initializeCommand",
        "postStartCommand",
        "postAttachCommand",
        "containerEnv",
        "remoteEnv",
        "image",
        "build",
        "dockerFile",
        "dockerComposeFile",
        "features",
        "mounts",
        "runArgs",
        "forwardPorts",
        "name",
    ];
    found.leave_keys(document.keys(""), &known);
}

/// A command for the shell, one as a list of words, or several by name.
fn commands(key: &str, value: Option<&Value>, found: &mut Collector<'_>) {
    match value {
        Some(Value::String(text)) => setup_one(found, key, text, &[]),
        Some(Value::Array(words)) if words.iter().all(Value::is_string) => {
            let words: Vec<_> = words.iter().filter_map(Value::as_str).map(quoted).collect();
            setup_one(found, key, &words.join(" "), &[]);
        }
        Some(Value::Object(several)) => {
            for (name, value) in several {
                if !value.is_object() {
                    commands(&format!("{key}.{name}"), Some(value), found);
                }
            }
        }
        Some(_) => found.leave(key, "", "it is no command"),
        None => {}
    }
}
