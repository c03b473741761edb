//! What the model server is started with.

use std::path::PathBuf;

use clap::Parser;

/// Options of the model server, for the library.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Where requests are written down; nowhere if none.
    pub record: Option<PathBuf>,
    /// Folder of scripts `NAME.rehearsal`.
    pub scripts: Option<PathBuf>,
}

/// A model that follows a script, for rehearsing real agents without a key.
///
/// Speaks the Anthropic, OpenAI (responses and chat) and Gemini interfaces on 127.0.0.1 and prints its URL.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "divisi model-server",
    version,
    after_help = "Examples:\n  \
        divisi model-server --record requests               takes a free port and writes every request down\n  \
        divisi model-server --port 9100 --scripts scripts   prompts may say rehearsal:NAME\n\n\
        Put /r/NAME in front of the path to tell agents apart. docs/guides/rehearsal.md has the settings of each agent."
)]
pub struct ServerCommand {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Writes every request down in this folder.
    #[arg(long, value_name = "DIR")]
    pub record: Option<PathBuf>,
    /// Folder of scripts NAME.rehearsal, for prompts that say rehearsal:NAME.
    #[arg(long, value_name = "DIR")]
    pub scripts: Option<PathBuf>,
}

impl From<ServerCommand> for ServerOptions {
    fn from(command: ServerCommand) -> Self {
        Self { port: command.port, record: command.record, scripts: command.scripts }
    }
}
