//! Starts and ends the server.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::evidence::{Evidence, Records};
use super::http::{Shared, handle};
use super::options::{ServerCommand, ServerOptions};
use super::registry::Registry;

/// How long open answers may take to end when the server does.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why the server cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The port is taken, or not to be had.
    #[error("Port {port} on 127.0.0.1 cannot be used: {source}.")]
    Listen {
        /// The wanted port.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// The folder for records.
    #[error("The folder for records cannot be made: {source}.")]
    Record {
        /// Why.
        source: std::io::Error,
    },
}

/// A running server. It ends when this is dropped; [`Handle::shutdown`] waits for it.
#[derive(Debug)]
pub struct Handle {
    address: SocketAddr,
    records: Arc<Records>,
    registry: Arc<Shared>,
    ending: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Handle {
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base URL of one run, which tells its requests from those of others.
    #[must_use]
    pub fn run_url(&self, run: &str) -> String {
        format!("{}/r/{run}", self.url())
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Registers a script for prompts that say `rehearsal:NAME`.
    ///
    /// # Errors
    /// Says in one sentence what is wrong with the script.
    pub fn put_script(&self, name: &str, text: &str) -> Result<(), String> {
        self.registry.registry.put(name, text)
    }

    /// What has been asked so far, oldest first.
    #[must_use]
    pub fn evidence(&self) -> Vec<Evidence> {
        self.records.all()
    }

    /// Ends the server: open answers are ended, then it is waited for.
    pub async fn shutdown(mut self) {
        // Nobody listening any more means that it has ended already.
        let _ = self.ending.send(true);
        if tokio::time::timeout(FAREWELL, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _ = self.ending.send(true);
    }
}

/// Starts the server on 127.0.0.1, inside the caller's runtime.
///
/// # Errors
/// When the port or the folder for records cannot be had.
pub async fn model_server(options: ServerOptions) -> Result<Handle, ServerError> {
    let records = Records::new(options.record).map_err(|source| ServerError::Record { source })?;
    let records = Arc::new(records);
    let port = options.port;
    let failed = |source| ServerError::Listen { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (ending, ended) = watch::channel(false);
    let registry = Registry::new(options.scripts);
    let shared = Arc::new(Shared::new(registry, records.clone(), ended.clone()));
    let app = axum::Router::new().fallback(handle).with_state(shared.clone());
    let task = tokio::spawn(async move {
        let mut ended = ended;
        let shutdown = async move {
            // A sender that is gone means the same as its word.
            let _ = ended.wait_for(|ending| *ending).await;
        };
        // Serving cannot fail once it listens: errors of single connections are axum's to bear.
        let _ = axum::serve(listener, app).with_graceful_shutdown(shutdown).await;
    });
    Ok(Handle { address, records, registry: shared, ending, task })
}

/// Runs the model server with the arguments after its command name until it is interrupted or terminated.
pub fn model_server_main<I>(args: I) -> ExitCode
where
    I: IntoIterator<Item = OsString>,
{
    let named = std::iter::once(OsString::from("divisi model-server")).chain(args);
    let command = match ServerCommand::try_parse_from(named) {
        Ok(command) => command,
        Err(error) => {
            // Nothing better can be done when even standard error is gone.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("The model server cannot start: {error}.");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        let handle = match model_server(command.into()).await {
            Ok(handle) => handle,
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        };
        println!("{}", handle.url());
        until_signal().await;
        handle.shutdown().await;
        ExitCode::SUCCESS
    })
}

async fn until_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // Without a handler the signal ends the process by itself.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
