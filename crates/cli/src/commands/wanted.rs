//! The flags that say what must hold for a task and what its agents may do, the same for `divisi run` and `divisi edit`.

use clap::{Args, ValueEnum};
use divisi_api::types::{CriterionRequest, Permissions};

#[derive(Debug, Args)]
pub(super) struct WantedArgs {
    /// A command that must exit 0; Divisi runs it in a clean checkout of the result
    #[arg(long, value_name = "COMMAND")]
    pub(super) check: Vec<String>,
    /// What must hold, judged by you
    #[arg(long, value_name = "WORDS")]
    pub(super) criterion: Vec<String>,
    /// Which permission requests are answered without you
    #[arg(long, value_enum)]
    pub(super) permissions: Option<PermissionsArg>,
    /// How often failing checks send it back before you are asked
    #[arg(long, value_name = "NUMBER")]
    pub(super) rounds: Option<u16>,
    /// The paths that may be changed, as .gitignore names them; a result that changes others is sent back once
    #[arg(long, value_name = "PATTERN")]
    pub(super) scope: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum PermissionsArg {
    /// None
    Ask,
    /// Reading, searching and editing inside the workspace
    Edits,
    /// All
    All,
}

impl WantedArgs {
    /// The criteria that a person judges.
    pub(super) fn judged(&self) -> impl Iterator<Item = CriterionRequest> {
        self.criterion.iter().map(|text| CriterionRequest { text: text.clone(), command: None })
    }
}

impl From<PermissionsArg> for Permissions {
    fn from(asked: PermissionsArg) -> Self {
        match asked {
            PermissionsArg::Ask => Self::Ask,
            PermissionsArg::Edits => Self::Edits,
            PermissionsArg::All => Self::All,
        }
    }
}
