//! The fleet as a whole: who worked when, and what lands in which order.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;

use crate::problem::{Answer, Asked};
use crate::server::App;
use crate::types::{FleetQuery, FleetView, LandingsView, Problem};

/// Who worked when, what it used, and what it does to the machine.
#[utoipa::path(get, path = "/v1/fleet", params(FleetQuery),
    responses((status = 200, body = FleetView), (status = 400, body = Problem)))]
pub(crate) async fn fleet(State(app): State<App>, Asked(query): Asked<FleetQuery>) -> Answer<FleetView> {
    let offset = query.offset().ok_or_else(|| Problem::bad_input("there is no such offset", "120"))?;
    let now = Timestamp::now();
    let from = query.from(now);
    let work = app.engine.work(from).await?;
    Ok(Json(FleetView::of(&work, &app.engine.projects(), app.engine.machine(), (from, now), offset)))
}

/// What can land, what is landing, and what has landed.
#[utoipa::path(get, path = "/v1/landings", responses((status = 200, body = LandingsView)))]
pub(crate) async fn landings(State(app): State<App>) -> Json<LandingsView> {
    Json(LandingsView::of(&app.engine.tasks(), &app.engine.projects()))
}
