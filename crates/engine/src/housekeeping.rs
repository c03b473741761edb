//! What a process that died may have left half done, put right after a start. Nothing waits for it.

use std::sync::Arc;

use divisi_model::project::Project;

use crate::context::{Context, blocking};
use crate::repository::{hub, repository};
use crate::stage::StepError;
use crate::worker::Local;
use crate::workspaces::{CHECK_TREES, WORKSPACES, spaces_in};

/// Looks after every project once.
pub(crate) async fn after_a_start(context: Arc<Context>) {
    let _ = std::fs::remove_dir_all(context.path(crate::export::GATHERED));
    crate::images::tidy(&context).await;
    for project in context.authority.projects() {
        let name = project.name.clone();
        if let Err(error) = context.worker.tidy(project).await {
            tracing::warn!(project = name, %error, "not everything could be put in order");
        }
    }
}

/// Puts a project's places in order.
pub(crate) async fn tidy(local: &Local, project: Project) -> Result<(), StepError> {
    let local = local.clone();
    blocking(move || {
        let hub = hub(&local, &project).map_err(|error| StepError::of(&error))?;
        hub.recover_landings(&repository(&local, &project)?).map_err(|error| StepError::of(&error))?;
        for folder in [WORKSPACES, CHECK_TREES] {
            spaces_in(&local, &project, folder)?.tidy().map_err(|error| StepError::of(&error))?;
        }
        hub.tidy().map_err(|error| StepError::of(&error))
    })
    .await?
}
