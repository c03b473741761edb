//! `divisi resume`

use clap::Args;
use divisi_api::types::BudgetRequest;

use super::{client, show_short};
use crate::errors::Done;
use crate::ui::Ui;

/// What `--budget` takes for no limit.
pub(super) const NO_LIMIT: &str = "none";

/// Go on after a stop, a stall, a usage limit, a cancelled turn or a budget that is used up
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  divisi resume t12\n  divisi resume t12 --budget 5.00")]
pub(crate) struct ResumeArgs {
    /// The task or attempt
    #[arg(value_name = "TASK")]
    handle: String,
    /// How much it may use in all from now on: 5.00 dollars, 500k tokens; none: no limit
    #[arg(long, value_name = "AMOUNT")]
    budget: Option<String>,
}

pub(crate) async fn run(args: &ResumeArgs, ui: &Ui) -> Done {
    let client = client().await?;
    if let Some(budget) = &args.budget {
        let budget = Some(budget.clone()).filter(|budget| budget != NO_LIMIT);
        client.set_budget(&args.handle, &BudgetRequest { budget }).await?;
    }
    show_short(ui, &client.resume(&args.handle).await?)
}
