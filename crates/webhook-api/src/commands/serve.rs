//! `serve`: the service itself.

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use webhook_api::{Flags, Listeners, request_id};
use webhook_service::logging::{self, CurrentField};
use webhook_service::signals::{ShutdownStep, cancel_on_signals};

/// Every log line written during a request carries the id of the request.
const REQUEST_ID: CurrentField = CurrentField {
    name: "request_id",
    value: request_id::current,
};

/// Serves until a signal and the drain.
pub(super) async fn serve(flags: &Flags) -> anyhow::Result<ExitCode> {
    let config = flags.check()?;
    logging::start(config.log_format, &config.log_filter, Some(REQUEST_ID));
    let traces = webhook_traces::start(&config.traces, "webhook-api")?;
    let listen = config.listen;
    let listener = bind(listen)?;
    let operations_listener = bind(config.operations_listen)?;
    let cancel = CancellationToken::new();
    let drain = ShutdownStep {
        log_line: "asked to stop: draining",
        cancel: cancel.clone(),
    };
    // Before the first connection: a signal at start begins the drain, too.
    tokio::spawn(cancel_on_signals([drain])?);
    log::info!("serving on http://{}", listener.local_addr()?);
    let listeners = Listeners {
        public: listener,
        operations: operations_listener,
    };
    let served = webhook_api::run(config, listeners, cancel).await;
    traces.end().await;
    served.map(|()| ExitCode::SUCCESS)
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))
}
