//! `listen`: a receiver for the terminal, which verifies and prints each request.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use tokio_util::sync::CancellationToken;
use url::Url;
use webhook_service::signals::{ShutdownStep, cancel_on_signals};

use forward::Forward;
use registration::{Registration, Wanted};
use secrets::Secrets;
use server::Desk;

mod forward;
mod pretty;
mod registration;
mod secrets;
mod server;
mod transcript;

#[derive(Args)]
pub(super) struct Listen {
    /// Address to listen at
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Webhook Secret (whsec_…) to verify requests with
    #[arg(
        long,
        env = "WEBHOOK_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    secret: Option<String>,
    /// File with a Webhook Secret on each line, read anew at every request
    #[arg(long, env = "WEBHOOK_SECRET_FILE", value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Status of the response to a request that is not refused
    #[arg(long, default_value_t = 204, value_name = "STATUS", value_parser = clap::value_parser!(u16).range(200..=599))]
    status: u16,
    /// URL to pass requests on to; the response has the status of the answer
    #[arg(long, value_name = "URL")]
    forward: Option<Url>,
    /// Address of the API, to register a webhook for this session
    #[arg(long, env = "WEBHOOK_API_URL", value_name = "URL", requires = "key")]
    api: Option<Url>,
    /// API key of an admin, to register a webhook for this session
    #[arg(
        long,
        env = "WEBHOOK_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    key: Option<String>,
    /// Public URL of a tunnel that leads here, for the webhook of this session
    #[arg(long, value_name = "URL", requires = "api")]
    url: Option<Url>,
    /// Environment of the webhook of this session
    #[arg(long, default_value = "development", value_name = "ENVIRONMENT")]
    environment: String,
    /// Event types and patterns of the webhook of this session
    #[arg(
        long,
        default_value = "*",
        value_name = "TYPE[,TYPE…]",
        value_delimiter = ','
    )]
    event_types: Vec<String>,
}

impl Listen {
    /// Listens until a signal.
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let mut secrets = Secrets::of(self.secret.as_deref(), self.secret_file.clone())?;
        let listener = TcpListener::bind(self.listen);
        let listener = listener.with_context(|| format!("cannot listen on {}", self.listen))?;
        let address = listener.local_addr()?;
        let cancel = CancellationToken::new();
        let stop = ShutdownStep {
            log_line: "asked to stop",
            cancel: cancel.clone(),
        };
        // Before the webhook is registered: a signal from now on removes the webhook.
        tokio::spawn(cancel_on_signals([stop])?);
        let registration = self.register(address).await?;
        if let Some(registration) = &registration {
            secrets.add(&registration.secret)?;
        }
        println!("listening on http://{address}, until Ctrl-C");
        let desk = Desk::new(
            secrets,
            self.status,
            self.forward.map(Forward::to).transpose()?,
        );
        let served = server::serve(listener, desk, cancel).await;
        // Also after a fault of the server: no webhook is left behind.
        if let Some(registration) = registration {
            registration.end().await?;
        }
        served?;
        Ok(ExitCode::SUCCESS)
    }

    /// Registers a webhook for this session, if the API and a key are given.
    async fn register(&self, address: SocketAddr) -> anyhow::Result<Option<Registration>> {
        let (Some(api), Some(key)) = (&self.api, &self.key) else {
            return Ok(None);
        };
        let own = || format!("http://{address}/");
        let wanted = Wanted {
            port: address.port(),
            url: self.url.as_ref().map_or_else(own, ToString::to_string),
            environment: &self.environment,
            event_types: &self.event_types,
        };
        let registration = Registration::begin(api, key, &wanted).await?;
        Ok(Some(registration))
    }
}
