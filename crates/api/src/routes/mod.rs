//! The routes, one file per resource. Each is declared once, and the OpenAPI document comes from the same declaration.

mod activity;
mod agents;
mod comments;
mod daemon;
mod dashboard;
mod devices;
mod diff;
mod events;
mod export;
mod find;
mod fleet;
mod images;
mod inbox;
mod live;
mod projects;
mod push;
mod settings;
mod tasks;
mod terminals;
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
        .fallback(dashboard::page)
        .method_not_allowed_fallback(|| async {
            let hint = "/openapi.json lists what can be asked of it";
            ApiError(Problem::new(ProblemKind::WrongMethod, "that cannot be asked of this page", hint))
        })
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Divisi", description = "The daemon of Divisi. Every request but `/healthz`, `/openapi.json` and \
        `/v1/enter` needs `Authorization: Bearer TOKEN`, or the cookie that `/v1/enter` gives a browser; with the cookie \
        whatever changes something needs an Origin too. Every error is a `Problem`."),
    modifiers(&Securities),
    security(("token" = []), ("cookie" = []))
)]
struct Document;

struct Securities;

impl utoipa::Modify for Securities {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", scheme);
        let cookie =
            ApiKeyValue::with_description("divisi-PORT", "its name ends with the port of the daemon");
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        components.schemas.insert("Problem".to_owned(), <Problem as utoipa::PartialSchema>::schema());
        components.schemas.insert("ProblemKind".to_owned(), <ProblemKind as utoipa::PartialSchema>::schema());
    }
}

fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(tasks::list, tasks::add))
        .routes(routes!(tasks::show, tasks::edit))
        .routes(routes!(tasks::start))
        .routes(routes!(tasks::move_to))
        .routes(routes!(verbs::send))
        .routes(routes!(verbs::take_back))
        .routes(routes!(verbs::roll_back))
        .routes(routes!(verbs::cancel))
        .routes(routes!(verbs::review))
        .routes(routes!(verbs::land))
        .routes(routes!(fleet::fleet))
        .routes(routes!(fleet::landings, verbs::land_several))
        .routes(routes!(verbs::undo))
        .routes(routes!(verbs::stop))
        .routes(routes!(verbs::resume))
        .routes(routes!(verbs::budget))
        .routes(routes!(verbs::archive))
        .routes(routes!(verbs::restore))
        .routes(routes!(transcript::read))
        .routes(routes!(transcript::follow))
        .routes(routes!(comments::write))
        .routes(routes!(comments::edit, comments::delete))
        .routes(routes!(comments::resolve))
        .routes(routes!(comments::reopen))
        .routes(routes!(comments::viewed))
        .routes(routes!(diff::whole))
        .routes(routes!(diff::files))
        .routes(routes!(diff::hunks))
        .routes(routes!(diff::commits))
        .routes(routes!(diff::blob))
        .routes(routes!(diff::lines))
        .routes(routes!(work::snapshots))
        .routes(routes!(work::resources))
        .routes(routes!(work::standing))
        .routes(routes!(work::check_log))
        .routes(routes!(work::setup_log))
        .routes(routes!(terminals::list, terminals::open))
        .routes(routes!(terminals::speak, terminals::close))
        .routes(routes!(terminals::journals))
        .routes(routes!(terminals::journal))
        .routes(routes!(images::store))
        .routes(routes!(images::show))
        .routes(routes!(inbox::list))
        .routes(routes!(inbox::answer))
        .routes(routes!(agents::list))
        .routes(routes!(projects::list, projects::add))
        .routes(routes!(projects::files))
        .routes(routes!(events::follow))
        .routes(routes!(live::follow))
        .routes(routes!(export::make))
        .routes(routes!(settings::list))
        .routes(routes!(settings::read, settings::write))
        .routes(routes!(settings::check))
        .routes(routes!(devices::entry))
        .routes(routes!(devices::enter))
        .routes(routes!(devices::list))
        .routes(routes!(devices::revoke))
        .routes(routes!(push::show, push::subscribe, push::unsubscribe))
        .routes(routes!(push::test))
        .routes(routes!(push::looking))
        .routes(routes!(daemon::health))
        .routes(routes!(daemon::shutdown))
        .routes(routes!(daemon::alive))
        .routes(routes!(daemon::metrics))
}
