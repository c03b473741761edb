//! Images of prompts: stored before the prompt that names them, and shown.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use divisi_model::image::NotAHash;

use crate::problem::{Answer, ApiError, Asked, Segment};
use crate::server::App;
use crate::types::{ImageQuery, ImageView, Problem, ProblemKind};

/// What a browser may do with the bytes of somebody else: show them.
pub(super) const SHOWN_ONLY: &str = "sandbox; default-src 'none'";

/// Store an image for a prompt: its bytes are the body. PNG, JPEG, GIF and WebP are taken, whatever the name says. The
/// same bytes are stored once, and go away by and by when no task refers to them.
#[utoipa::path(post, path = "/v1/images", params(ImageQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = ImageView), (status = 400, body = Problem), (status = 413, body = Problem)))]
pub(crate) async fn store(
    State(app): State<App>,
    Asked(query): Asked<ImageQuery>,
    body: Result<Bytes, BytesRejection>,
) -> Answer<ImageView> {
    let bytes = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            ProblemKind::TooLarge,
            "the image is too large",
            "make it smaller, or cut out what matters",
        ),
        _ => Problem::bad_input(rejection.body_text(), ""),
    })?;
    let image = app.engine.store_image(bytes.to_vec(), &query.name).await?;
    Ok(Json(ImageView::from(&image)))
}

/// The bytes of an image. They are somebody else's: a browser may show them, and nothing in them can act.
#[utoipa::path(get, path = "/v1/images/{hash}", params(("hash" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/png"), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(app): State<App>,
    Segment(hash): Segment<String>,
) -> Result<impl IntoResponse, ApiError> {
    let no_image = |error: NotAHash| Problem::bad_input(error.to_string(), "");
    let (media_type, bytes) = app.engine.image(&hash.parse().map_err(no_image)?).await?;
    let headers = [
        (header::CONTENT_TYPE, media_type.as_str()),
        (header::CONTENT_SECURITY_POLICY, SHOWN_ONLY),
        (header::CONTENT_DISPOSITION, "inline"),
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
    ];
    Ok((headers, bytes))
}
