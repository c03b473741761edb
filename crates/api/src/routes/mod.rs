//! The routes, one file per resource. Each is declared once, and the OpenAPI document comes from the same declaration.

mod agents;
mod daemon;
mod events;
mod export;
mod find;
mod inbox;
mod projects;
mod tasks;
mod transcript;
mod verbs;
mod work;

use axum::Router;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::ApiError;
use crate::server::App;
use crate::types::{Problem, ProblemKind};

/// The document at `/openapi.json`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented().split_for_parts().1
}

/// All routes.
pub(crate) fn router() -> Router<App> {
    let (router, document) = documented().split_for_parts();
    let document = axum::Json(document);
    router
        .route("/openapi.json", axum::routing::get(move || std::future::ready(document)))
        .fallback(|| async {
            ApiError(Problem::not_found("there is no such page", "/openapi.json lists them"))
        })
        .method_not_allowed_fallback(|| async {
            let hint = "/openapi.json lists what can be asked of it";
            ApiError(Problem::new(ProblemKind::WrongMethod, "that cannot be asked of this page", hint))
        })
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Divisi", description = "The daemon of Divisi on the loopback interface. Every request but \
        `/healthz` and `/openapi.json` needs `Authorization: Bearer TOKEN`; every error is a `Problem`."),
    modifiers(&BearerToken),
    security(("token" = []))
)]
struct Document;

struct BearerToken;

impl utoipa::Modify for BearerToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", scheme);
        components.schemas.insert("Problem".to_owned(), <Problem as utoipa::PartialSchema>::schema());
        components.schemas.insert("ProblemKind".to_owned(), <ProblemKind as utoipa::PartialSchema>::schema());
    }
}

fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(tasks::list, tasks::add))
        .routes(routes!(tasks::show))
        .routes(routes!(verbs::send))
        .routes(routes!(verbs::cancel))
        .routes(routes!(verbs::review))
        .routes(routes!(verbs::land))
        .routes(routes!(verbs::land_several))
        .routes(routes!(verbs::undo))
        .routes(routes!(verbs::stop))
        .routes(routes!(verbs::resume))
        .routes(routes!(verbs::archive))
        .routes(routes!(verbs::restore))
        .routes(routes!(transcript::read))
        .routes(routes!(transcript::follow))
        .routes(routes!(work::diff))
        .routes(routes!(work::check_log))
        .routes(routes!(work::setup_log))
        .routes(routes!(inbox::list))
        .routes(routes!(inbox::answer))
        .routes(routes!(agents::list))
        .routes(routes!(projects::list, projects::add))
        .routes(routes!(events::follow))
        .routes(routes!(export::make))
        .routes(routes!(daemon::health))
        .routes(routes!(daemon::shutdown))
        .routes(routes!(daemon::alive))
        .routes(routes!(daemon::metrics))
}
