//! How problems leave the server, and how requests are read so that every failure is a [`Problem`].

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use divisi_model::Refusal;

use crate::types::{Problem, ProblemKind};

/// What every route gives back.
pub(crate) type Answer<T> = Result<Json<T>, ApiError>;

/// A problem on its way out.
#[derive(Debug)]
pub(crate) struct ApiError(pub Problem);

/// A JSON body.
#[derive(FromRequest)]
#[from_request(via(Json), rejection(ApiError))]
pub(crate) struct Body<T>(pub T);

/// A part of the path.
#[derive(FromRequestParts)]
#[from_request(via(Path), rejection(ApiError))]
pub(crate) struct Segment<T>(pub T);

/// The query.
#[derive(FromRequestParts)]
#[from_request(via(Query), rejection(ApiError))]
pub(crate) struct Asked<T>(pub T);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(problem = %self.0, "a request failed");
        }
        (status, Json(self.0)).into_response()
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.into())
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        let kind = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ProblemKind::TooLarge,
            _ => ProblemKind::BadInput,
        };
        Self(Problem::new(kind, rejection.body_text(), "/openapi.json describes every request"))
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self(Problem::bad_input(rejection.body_text(), "/openapi.json describes every request"))
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self(Problem::bad_input(rejection.body_text(), "/openapi.json describes every request"))
    }
}
