//! The server: one listener on loopback, one door, all routes.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use divisi_engine::Handle;
use divisi_model::limits;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::auth::{self, Door};
use crate::idempotency::Keys;
use crate::metrics::{self, Requests};
use crate::push::Push;
use crate::routes;
use crate::settings::SettingsFiles;
use crate::summaries::Summaries;
use crate::terminals::Terminals;

/// Longest request body, in bytes: a prompt of the greatest length, escaped, with what stands around it.
pub(crate) const BODY_BYTES_MAX: usize = 2 * limits::PROMPT_BYTES + 64 * 1024;

/// Gives the dashboard's file of a path such as `/assets/index-1a2b.js`; `/index.html` is its shell.
pub type Dashboard = fn(&str) -> Option<Page>;

/// A file of the dashboard.
#[derive(Clone, Debug)]
pub struct Page {
    /// What it is.
    pub mime: String,
    /// Its content, packed by gzip.
    pub gzip: Cow<'static, [u8]>,
    /// Its name changes with its content, so it never needs to be asked for again.
    pub immutable: bool,
}

/// What the server is given.
#[derive(Clone)]
pub struct ServerOptions {
    /// A program that does not know this is refused.
    pub token: String,
    /// The browsers that may enter.
    pub access: Access,
    /// The files with settings.
    pub settings: Arc<dyn SettingsFiles>,
    /// Sends notices to browsers; none: that is switched off.
    pub push: Option<Arc<dyn Push>>,
    /// The name under which requests enter the log: whoever holds the token is this person, and so is whoever asks with
    /// a device, whose own name is added if it is a paired one.
    pub person: String,
    /// The dashboard's files; none: this daemon has no dashboard.
    pub dashboard: Option<Dashboard>,
    /// Whether the owner may open terminals in workspaces.
    pub terminal: bool,
    /// Cancelled when the server shall end; cancelled by the server itself when a client asks for it.
    pub stop: CancellationToken,
}

/// The server: start it with [`Server::serve`].
pub struct Server;

/// What every route is given.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) engine: Handle,
    /// Who asks, unless a paired device does.
    pub(crate) person: String,
    pub(crate) keys: Arc<Keys>,
    pub(crate) summaries: Arc<Summaries>,
    pub(crate) requests: Arc<Requests>,
    pub(crate) dashboard: Option<Dashboard>,
    pub(crate) stop: CancellationToken,
    pub(crate) access: Access,
    pub(crate) settings: Arc<dyn SettingsFiles>,
    pub(crate) terminal: bool,
    pub(crate) terminals: Terminals,
    pub(crate) push: Option<Arc<dyn Push>>,
}

impl Server {
    /// Serves until `options.stop` is cancelled; requests under way are then finished, live feeds and terminals ended.
    pub async fn serve(engine: Handle, listener: TcpListener, options: ServerOptions) -> std::io::Result<()> {
        let stop = options.stop.clone();
        let terminals = Terminals::new();
        let router = Self::router(engine, options, terminals.clone());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let served = axum::serve(listener, service).with_graceful_shutdown(ended(stop.clone())).await;
        stop.cancel();
        terminals.ended().await;
        served
    }

    /// All routes behind the door.
    fn router(engine: Handle, options: ServerOptions, terminals: Terminals) -> Router {
        let app = App {
            engine,
            person: options.person,
            keys: Arc::default(),
            summaries: Arc::default(),
            requests: Arc::default(),
            dashboard: options.dashboard,
            stop: options.stop,
            access: options.access.clone(),
            settings: options.settings,
            terminal: options.terminal,
            terminals,
            push: options.push,
        };
        let door = Arc::new(Door::new(options.token, options.access));
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
