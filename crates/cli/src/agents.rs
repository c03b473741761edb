//! Agents on this machine: definitions shipped and of the user's own, and what is found of what they ask for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use divisi_agent::{
    DEFINITION_BYTES, Definition, DefinitionError, Drive, Facts, Layer, Registry, version_in,
};
use divisi_engine::{AgentInfo, AgentSource};
use divisi_model::Refusal;

use crate::config::{self, Config};
use crate::dirs::{self, Dirs};
use crate::env_vars;
use crate::errors::{CommandError, Done, ErrorKind};

/// How long a program may take to tell its version.
const VERSION_TIME_MAX: Duration = Duration::from_secs(10);

/// Looks for agents with the person's own eyes: their `PATH`, home and variables.
pub(crate) struct Agents {
    dirs: Dirs,
    variables: BTreeMap<String, String>,
    divisi: PathBuf,
    versions: Mutex<HashMap<Asked, Option<String>>>,
}

/// A program at a moment: it is asked again only when it was changed.
type Asked = (PathBuf, Option<SystemTime>, Vec<String>);

impl Agents {
    /// Agents of the person with these folders and variables; `divisi` is the path of this program.
    pub(crate) fn new(dirs: Dirs, variables: BTreeMap<String, String>, divisi: PathBuf) -> Self {
        Self { dirs, variables, divisi, versions: Mutex::default() }
    }

    /// All definitions: the shipped ones, with those in `config.toml` and then those in `agents/` laid over them.
    pub(crate) fn registry(&self) -> Done<Registry> {
        let config = Config::load(&self.dirs, None)?;
        let file = self.dirs.user_config().display().to_string();
        let table: toml::Table =
            config.agents().map(|(name, table)| (name.clone(), toml::Value::Table(table.clone()))).collect();
        let mut layers = Layer::from_agents_table(&file, &table).map_err(wrong)?;
        layers.extend(self.files()?);
        Registry::with_layers(&layers).map_err(wrong)
    }

    fn files(&self) -> Done<Vec<Layer>> {
        let folder = self.dirs.agents();
        let cannot = |path: &Path, error: std::io::Error| {
            let message = format!("cannot read {}", path.display());
            CommandError::new(ErrorKind::Config, message, "").because(&error)
        };
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(cannot(&folder, error)),
        };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut paths: Vec<_> =
            paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
        paths.sort();
        let mut layers = Vec::new();
        for path in paths {
            let size = std::fs::metadata(&path).map_err(|error| cannot(&path, error))?.len();
            if size > DEFINITION_BYTES as u64 {
                let message = format!("{} is longer than {DEFINITION_BYTES} bytes", path.display());
                return Err(CommandError::new(ErrorKind::Config, message, ""));
            }
            let text = std::fs::read_to_string(&path).map_err(|error| cannot(&path, error))?;
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            layers.push(Layer::read(&path.display().to_string(), name, &text).map_err(wrong)?);
        }
        Ok(layers)
    }

    fn program(&self, name: &str) -> Option<PathBuf> {
        if name == "{divisi}" {
            return Some(self.divisi.clone());
        }
        if name.contains('/') {
            let path = PathBuf::from(name);
            return (path.is_absolute() && is_program(&path)).then_some(path);
        }
        let path = self.variables.get(env_vars::PATH)?;
        std::env::split_paths(path).filter(|folder| folder.is_absolute()).find_map(|folder| {
            let path = folder.join(name);
            is_program(&path).then_some(path)
        })
    }

    /// What a program prints when it is asked for its version; each program is asked once.
    fn version(&self, program: &Path, args: &[String]) -> Option<String> {
        if args.is_empty() {
            return None;
        }
        let changed = std::fs::metadata(program).and_then(|metadata| metadata.modified()).ok();
        let key = (program.to_path_buf(), changed, args.to_vec());
        let lock = || self.versions.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = lock().get(&key) {
            return known.clone();
        }
        // Some programs make folders in the home as soon as they start; that home is not the person's.
        let home = self.dirs.state.join("version-home");
        dirs::make_private(&home).ok()?;
        let mut environment = BTreeMap::from([(env_vars::HOME.to_owned(), home.display().to_string())]);
        for name in [env_vars::PATH, "LANG"] {
            environment.extend(self.variables.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        let printed =
            divisi_workspace::ask_program(program, args, &environment, &home, VERSION_TIME_MAX).ok();
        let version = printed.and_then(|printed| version_in(&printed));
        lock().insert(key, version.clone());
        version
    }

    fn info(&self, definition: &Definition) -> AgentInfo {
        let facts = self.facts(definition);
        let readiness = definition.readiness(&facts);
        AgentInfo {
            name: definition.name.clone(),
            title: definition.title.clone(),
            driven: match definition.drive {
                Drive::Acp => "acp".to_owned(),
                Drive::Exec => "exec".to_owned(),
            },
            version: facts.version,
            hint: readiness.hint().unwrap_or_default().to_owned(),
            readiness,
        }
    }
}

impl AgentSource for Agents {
    fn agents(&self, _root: Option<&Path>) -> Result<Vec<AgentInfo>, Refusal> {
        let registry = self.registry().map_err(|error| config::refusal(&error))?;
        // Programs are asked side by side: some take a second to say their version.
        let mut agents: Vec<AgentInfo> = std::thread::scope(|scope| {
            let asked: Vec<_> =
                registry.all().iter().map(|definition| scope.spawn(|| self.info(definition))).collect();
            asked.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        agents.sort_by_key(|agent| (!agent.readiness.is_ready(), !agent.readiness.is_usable()));
        Ok(agents)
    }

    fn definition(&self, name: &str, _root: Option<&Path>) -> Result<Definition, Refusal> {
        let registry = self.registry().map_err(|error| config::refusal(&error))?;
        let found = registry.require(name).cloned();
        found.map_err(|error| Refusal::not_found(error.to_string(), "divisi agents lists them"))
    }

    fn facts(&self, definition: &Definition) -> Facts {
        let probe = definition.probe();
        let set = |name: &&String| self.variables.get(*name).is_some_and(|value| !value.is_empty());
        let there = |file: &&String| self.dirs.home.join(file).exists();
        let program = self.program(&probe.program);
        let version = program.as_ref().and_then(|program| self.version(program, &probe.version_args));
        Facts {
            version,
            program,
            files: probe.files.iter().filter(there).cloned().collect::<BTreeSet<_>>(),
            variables: probe.variables.iter().filter(set).cloned().collect::<BTreeSet<_>>(),
        }
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

fn wrong(error: DefinitionError) -> CommandError {
    CommandError::new(ErrorKind::Config, error.to_string(), "divisi agents lists the agents that are known")
}
