//! Images of prompts, from files.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use divisi_api::Client;
use divisi_api::types::ImageRequest;
use divisi_model::limits::{IMAGE_BYTES, IMAGES};

use crate::errors::{CommandError, Done, ErrorKind};

/// Stores the images, before the prompt that names them. Their bytes say what they are, and not their names.
pub(crate) async fn store(client: &Client, files: &[PathBuf]) -> Done<Vec<ImageRequest>> {
    if files.len() > IMAGES {
        return Err(CommandError::usage(format!("a prompt has at most {IMAGES} images"), ""));
    }
    let mut images = Vec::new();
    for file in files {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let stored = client.store_image(&name, read(file)?).await?;
        images.push(ImageRequest::from(&stored));
    }
    Ok(images)
}

fn read(path: &Path) -> Done<Vec<u8>> {
    let cannot = |error: std::io::Error| {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Failed,
        };
        CommandError::new(kind, format!("cannot read {}", path.display()), "").because(&error)
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    // One byte more than is taken, so that the daemon says that it is too large.
    file.take(IMAGE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}
