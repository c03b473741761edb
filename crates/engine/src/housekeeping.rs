//! What a process that died may have left half done, put right after a start. Nothing waits for it.

use std::sync::Arc;

use divisi_model::ProjectId;

use crate::context::{Context, blocking};
use crate::repository::{hub, repository};
use crate::stage::StepError;
use crate::workspaces::{CHECK_TREES, WORKSPACES, spaces_in};

/// Looks after every project once.
pub(crate) async fn after_a_start(context: Arc<Context>) {
    for project in context.authority.projects() {
        let work = {
            let context = Arc::clone(&context);
            move || tidy(&context, project.id)
        };
        match blocking(work).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) | Err(error) => {
                tracing::warn!(project = project.name, %error, "not everything could be put in order");
            }
        }
    }
}

fn tidy(context: &Context, project: ProjectId) -> Result<(), StepError> {
    let hub = hub(context, project).map_err(|error| StepError::of(&error))?;
    hub.recover_landings(&repository(context, project)?).map_err(|error| StepError::of(&error))?;
    for folder in [WORKSPACES, CHECK_TREES] {
        spaces_in(context, project, folder)?.tidy().map_err(|error| StepError::of(&error))?;
    }
    hub.tidy().map_err(|error| StepError::of(&error))
}
