//! Who does what a request asks for: the log says it by name.

use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use divisi_model::Actor;

use crate::auth::Caller;
use crate::problem::ApiError;
use crate::server::App;

/// What a route is given that changes something: the app, and in whose name it acts.
pub(crate) struct Asker {
    app: App,
    pub(crate) actor: Actor,
}

impl Deref for Asker {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl FromRequestParts<App> for Asker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let device = match Caller::from_request_parts(parts, app).await? {
            Caller::Program => None,
            Caller::Device(known) => known.away,
        };
        Ok(Self { actor: Actor::Person { name: app.person.clone(), device }, app: app.clone() })
    }
}
