//! Images of prompts.

use divisi_engine::NamedImage;
use divisi_model::image::{Image, NotAHash};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::{IntoParams, ToSchema};

use super::Problem;

/// An image that is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct ImageView {
    /// The SHA-256 of its bytes: `/v1/images/HASH` has them.
    pub hash: String,
    /// What it is, judged by its bytes: `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
    pub media_type: String,
    /// Its size.
    pub bytes: u64,
    /// What its file was called.
    pub name: String,
}

/// An image that was stored before, and belongs to a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ImageRequest {
    /// The SHA-256 of its bytes, as the answer to storing it says.
    pub hash: String,
    /// What its file was called, for people.
    pub name: String,
}

/// What an image is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ImageQuery {
    /// The name of its file.
    pub name: String,
}

impl From<&Image> for ImageView {
    fn from(image: &Image) -> Self {
        Self {
            hash: image.hash.to_string(),
            media_type: image.media_type.as_str().to_owned(),
            bytes: image.bytes,
            name: image.name.clone(),
        }
    }
}

impl From<&ImageView> for ImageRequest {
    fn from(image: &ImageView) -> Self {
        Self { hash: image.hash.clone(), name: image.name.clone() }
    }
}

impl ImageRequest {
    /// Reads what was asked.
    pub(crate) fn read(images: Vec<Self>) -> Result<Vec<NamedImage>, Problem> {
        let read =
            images.into_iter().map(|image| Ok(NamedImage { hash: image.hash.parse()?, name: image.name }));
        let read: Result<_, NotAHash> = read.collect();
        read.map_err(|error| {
            Problem::bad_input(error.to_string(), "POST /v1/images stores an image and says its hash")
        })
    }
}
