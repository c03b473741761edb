//! The server: one listener on loopback, one door, all routes.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use divisi_engine::Handle;
use divisi_model::{Actor, limits};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::auth::{self, Door};
use crate::idempotency::Keys;
use crate::metrics::{self, Requests};
use crate::routes;

/// Longest request body, in bytes: a prompt of the greatest length, escaped, with what stands around it.
pub(crate) const BODY_BYTES_MAX: usize = 2 * limits::PROMPT_BYTES + 64 * 1024;

/// What the server is given.
#[derive(Clone)]
pub struct ServerOptions {
    /// Who does not know this is refused.
    pub token: String,
    /// The name under which requests enter the log: whoever holds the token is this person.
    pub person: String,
    /// Cancelled when the server shall end; cancelled by the server itself when a client asks for it.
    pub stop: CancellationToken,
}

/// The server: start it with [`Server::serve`].
pub struct Server;

/// What every route is given.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) engine: Handle,
    pub(crate) actor: Actor,
    pub(crate) keys: Arc<Keys>,
    pub(crate) requests: Arc<Requests>,
    pub(crate) stop: CancellationToken,
}

impl Server {
    /// Serves until `options.stop` is cancelled; requests under way are then finished, live feeds ended.
    pub async fn serve(engine: Handle, listener: TcpListener, options: ServerOptions) -> std::io::Result<()> {
        let address = listener.local_addr()?;
        let stop = options.stop.clone();
        let router = Self::router(engine, address, options);
        axum::serve(listener, router).with_graceful_shutdown(ended(stop)).await
    }

    /// All routes behind the door of a server at `address`.
    fn router(engine: Handle, address: SocketAddr, options: ServerOptions) -> Router {
        let app = App {
            engine,
            actor: Actor::Person { name: options.person },
            keys: Arc::default(),
            requests: Arc::default(),
            stop: options.stop,
        };
        let door = Arc::new(Door::new(options.token, address));
        routes::router()
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .layer(middleware::from_fn_with_state(door, auth::guard))
            .layer(middleware::from_fn_with_state(app.clone(), metrics::count))
            .with_state(app)
    }
}

async fn ended(stop: CancellationToken) {
    stop.cancelled().await;
}
