//! `divisi completion`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::args::Cli;
use crate::errors::Done;
use crate::ui::Ui;

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    divisi completion bash > ~/.local/share/bash-completion/completions/divisi\n  \
    divisi completion zsh > ~/.zfunc/_divisi\n  \
    divisi completion fish > ~/.config/fish/completions/divisi.fish")]
pub(crate) struct CompletionArgs {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &CompletionArgs, ui: &Ui) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "divisi", &mut script);
    ui.data(&String::from_utf8_lossy(&script))
}
