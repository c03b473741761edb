//! Plans a launch from a definition, the facts and the context. Nothing here touches the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::definition::{Arg, Definition, Drive, FileTemplate, ModeName, ModeSetting, PromptBy};
use crate::home::{
    ARGUMENT_BYTES, AgentLaunch, HomeFile, LaunchContext, LaunchError, LoginFile, NO_KEY, PASSED,
};
use crate::ready::Facts;
use crate::template::{Places, fill, fill_args, fill_file};

impl Definition {
    /// Plans a launch.
    pub fn launch(&self, facts: &Facts, context: &LaunchContext) -> Result<AgentLaunch, LaunchError> {
        let program = facts
            .program
            .clone()
            .ok_or_else(|| LaunchError::NotInstalled { program: self.program().to_owned() })?;
        let custom = self.base_url.is_some();
        let login = if custom { None } else { self.login(facts) };
        if !custom && login.is_none() && !self.login.is_empty() {
            return Err(LaunchError::NotLoggedIn { agent: self.name.clone() });
        }
        let places = self.places(context);
        let endpoint = self.endpoint.as_ref().filter(|_| custom);
        let none = ModeSetting::default();
        let mode = match self.mode(context.mode) {
            Some(mode) => mode,
            None if context.mode == ModeName::Plan => {
                return Err(LaunchError::NoMode { agent: self.name.clone(), what: "only reads and plans" });
            }
            // An agent that never asks is not kept from working by the wish that it may.
            None => &none,
        };

        let mut args = fill_args(&self.command, &places);
        args.drain(..1.min(args.len()));
        args.extend(fill_args(&mode.args, &places));
        args.extend(endpoint.map(|e| fill_args(&e.args, &places)).unwrap_or_default());
        let stdin = self.add_turn(&mut args, &places, context)?;

        let mut files: Vec<&FileTemplate> = self.files.iter().collect();
        for file in endpoint.iter().flat_map(|e| &e.files).chain(login.iter().flat_map(|l| &l.write)) {
            files.retain(|f| f.path != file.path);
            files.push(file);
        }
        let mut files: Vec<HomeFile> = files
            .into_iter()
            .map(|f| HomeFile { path: f.path.clone(), content: fill_file(&f.content, &places) })
            .collect();
        if self.drive == Drive::Exec
            && self.exec.prompt == PromptBy::File
            && let Some(turn) = &context.turn
        {
            files.push(HomeFile { path: PROMPT_FILE.to_owned(), content: turn.prompt.clone() });
        }

        let (mut environment, mut secrets) = (BTreeMap::new(), BTreeSet::new());
        let mut pass = |names: &mut dyn Iterator<Item = &str>, secret: bool| {
            for name in names {
                if let Some(value) = context.variables.get(name) {
                    environment.insert(name.to_owned(), value.clone());
                    if secret || is_secret(name) {
                        secrets.insert(name.to_owned());
                    }
                }
            }
        };
        pass(&mut PASSED.iter().copied(), false);
        if !custom {
            pass(&mut self.pass.iter().map(String::as_str), false);
            pass(&mut login.iter().flat_map(|l| &l.variables).map(String::as_str), true);
        }
        environment.extend(context.extra.clone());
        environment.extend(fixed(context));
        for (name, value) in self
            .environment
            .iter()
            .chain(login.iter().flat_map(|l| &l.environment))
            .chain(endpoint.iter().flat_map(|e| &e.environment))
            .chain(&mode.environment)
        {
            if let Some(filled) = fill(value, &places) {
                if value.contains("{api_key}") {
                    secrets.insert(name.clone());
                }
                environment.insert(name.clone(), filled);
            }
        }

        let logins = login.iter().flat_map(|login| {
            let also = login.also.iter().filter(|file| facts.files.contains(*file));
            login.files.iter().chain(also).map(|file| LoginFile {
                from: context.user_home.join(file),
                to: file.clone(),
                how: login.how,
            })
        });
        // A file that is written here must not go through a link into the user's own.
        let logins = logins.filter(|login| files.iter().all(|file| file.path != login.to)).collect();
        Ok(AgentLaunch {
            agent: self.name.clone(),
            program,
            args,
            environment,
            secrets,
            home: context.home.clone(),
            files,
            logins,
            stdin,
            mode_id: mode.id.clone(),
            authenticate: login
                .and_then(|login| login.authenticate.clone())
                .or_else(|| self.acp.authenticate.clone()),
            login: match (custom, login) {
                (true, _) => "custom endpoint".to_owned(),
                (false, Some(login)) => login.title.clone(),
                (false, None) => "no login needed".to_owned(),
            },
        })
    }

    fn places(&self, context: &LaunchContext) -> Places {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut places = Places::from([
            ("home", text(&context.home)),
            ("workspace", text(&context.workspace)),
            ("divisi", text(&context.divisi)),
            ("prompt_file", text(&context.home.join(PROMPT_FILE))),
        ]);
        if let Some(model) = self.model.clone().or_else(|| {
            self.endpoint
                .as_ref()
                .filter(|_| self.base_url.is_some())
                .and_then(|endpoint| endpoint.model.clone())
        }) {
            places.insert("model", model);
        }
        if let Some(url) = &self.base_url {
            let url = url.trim_end_matches('/');
            let url = url.strip_suffix("/v1").unwrap_or(url);
            let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            places.insert("base_url", url.to_owned());
            places.insert("base_url_origin", format!("{scheme}://{host}"));
            places.insert("base_url_path", if path.is_empty() { String::new() } else { format!("{path}/") });
            let key = self.api_key_variable.as_ref().and_then(|name| context.variables.get(name));
            places.insert("api_key", key.cloned().unwrap_or_else(|| NO_KEY.to_owned()));
        }
        if let Some(turn) = &context.turn {
            places.insert("prompt", turn.prompt.clone());
            if let Some(session) = &turn.session {
                places.insert("session", session.clone());
            }
        }
        places
    }

    /// That a prompt of so many bytes can be given at all. What Divisi adds to a prompt comes on top.
    pub fn require_prompt_fits(&self, bytes: usize) -> Result<(), LaunchError> {
        let as_argument = self.drive == Drive::Exec && self.exec.prompt == PromptBy::Argument;
        match as_argument && bytes > ARGUMENT_BYTES {
            true => Err(LaunchError::PromptTooLong { agent: self.name.clone(), bytes }),
            false => Ok(()),
        }
    }

    /// Adds the prompt and the session of an exec agent; gives what belongs on its stdin.
    fn add_turn(
        &self,
        args: &mut Vec<String>,
        places: &Places,
        context: &LaunchContext,
    ) -> Result<Option<String>, LaunchError> {
        if self.drive == Drive::Acp {
            return Ok(None);
        }
        let turn = context.turn.clone().unwrap_or_default();
        let session_args = if turn.resume { &self.exec.resume } else { &self.exec.first };
        args.extend(fill_args(session_args, places));
        if self.exec.prompt == PromptBy::Stdin {
            return Ok(Some(turn.prompt));
        }
        if self.exec.prompt == PromptBy::Argument {
            self.require_prompt_fits(turn.prompt.len())?;
            if !self.names_place("{prompt}") {
                args.push(turn.prompt);
            }
        }
        Ok(Some(String::new()))
    }

    fn names_place(&self, place: &str) -> bool {
        let all = self.command.iter().chain(&self.exec.first).chain(&self.exec.resume);
        all.flat_map(|arg| match arg {
            Arg::One(one) => std::slice::from_ref(one),
            Arg::Group(group) => group.as_slice(),
        })
        .any(|one| one.contains(place))
    }
}

/// Where the prompt of an exec agent lies in its private home.
const PROMPT_FILE: &str = ".divisi-prompt.md";

/// What is the same for every agent, whatever the user's environment says.
fn fixed(context: &LaunchContext) -> BTreeMap<String, String> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let identity = &context.identity;
    let mut fixed: BTreeMap<String, String> = [
        ("HOME", text(&context.home)),
        ("TMPDIR", text(&context.temp)),
        ("PWD", text(&context.workspace)),
        ("TERM", "dumb".to_owned()),
        ("GIT_AUTHOR_NAME", identity.name.clone()),
        ("GIT_AUTHOR_EMAIL", identity.email.clone()),
        ("GIT_COMMITTER_NAME", identity.name.clone()),
        ("GIT_COMMITTER_EMAIL", identity.email.clone()),
        ("GIT_TERMINAL_PROMPT", "0".to_owned()),
        ("GIT_EDITOR", "true".to_owned()),
        ("NO_COLOR", "1".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    if !context.variables.contains_key("LANG") {
        fixed.insert("LANG".to_owned(), "C.UTF-8".to_owned());
    }
    fixed
}

fn is_secret(name: &str) -> bool {
    ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"].iter().any(|word| name.to_uppercase().contains(word))
}
