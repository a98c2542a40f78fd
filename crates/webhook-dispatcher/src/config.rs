//! What an operator can turn, read once at start; all that is wrong is told at once.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use webhook_broker::BrokerUrl;
use webhook_domain::{AddressPolicy, CircuitPolicy};
use webhook_service::logging::LogFormat;
use webhook_store::SealingKeys;

use crate::worker::WorkerConfig;

/// A lease must hold the shortest attempt twice.
const MIN_LEASE_MS: u64 = 1_000;

/// The flags and variables as they were given, unchecked; see [`check`](Self::check).
#[derive(Clone, clap::Parser)]
#[command(name = "webhook-dispatcher", version, about)]
pub struct Config {
    /// Where Postgres is, `postgres://…`
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Where RabbitMQ is, `amqp://…` or `amqps://…`
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub amqp_url: Option<String>,
    /// The key of the webhooks' secrets: 32 bytes in base64
    #[arg(long, env = "WEBHOOK_SECRET_KEY", hide_env_values = true)]
    pub webhook_secret_key: Option<String>,
    /// A file that holds that key
    #[arg(long, env = "WEBHOOK_SECRET_KEY_FILE")]
    pub webhook_secret_key_file: Option<PathBuf>,
    /// Where health and metrics are served
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8081")]
    pub listen: String,
    /// Networks that may be called although they are not public, comma-separated CIDRs
    #[arg(long, env = "WEBHOOK_ALLOW_NETWORKS", default_value = "")]
    pub webhook_allow_networks: String,
    /// For how long a delivery belongs to the worker that took it
    #[arg(long, env = "LEASE_MS", default_value = "60000")]
    pub lease_ms: String,
    /// How long running attempts may take to end at a shutdown
    #[arg(long, env = "DRAIN_MS", default_value = "25000")]
    pub drain_ms: String,
    /// How many requests may run at once for a webhook that does not say
    #[arg(long, env = "LANE_CONCURRENCY", default_value = "16")]
    pub lane_concurrency: String,
    /// The name servers to ask instead of the machine's, comma-separated `address:port`
    #[arg(long, env = "DNS_SERVERS", default_value = "")]
    pub dns_servers: String,
    /// How long a connection takes requests; then the host is looked up again
    #[arg(long, env = "CONNECTION_MAX_AGE_MS", default_value = "120000")]
    pub connection_max_age_ms: String,
    /// `text` or `json`
    #[arg(long, env = "LOG_FORMAT", default_value = "text")]
    pub log_format: String,
    /// Which log lines are shown; what the broker's client says is told by us
    #[arg(
        long,
        env = "RUST_LOG",
        default_value = "info,lapin=off,tracing::span=warn"
    )]
    pub rust_log: String,
}

/// A configuration without anything wrong.
pub struct Checked {
    /// What the worker is told.
    pub settings: WorkerConfig,
    /// Where Postgres is.
    pub database_url: String,
    /// Where health and metrics are served.
    pub listen: SocketAddr,
    /// How long running attempts may take to end at a shutdown.
    pub drain: Duration,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// Which of them are shown.
    pub log_filter: String,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ConfigProblems(Vec<String>);

impl Display for ConfigProblems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the configuration is wrong:")?;
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for ConfigProblems {}

impl Config {
    /// Checks everything, and tells all that is wrong. Secrets are never repeated.
    pub fn check(&self) -> Result<Checked, ConfigProblems> {
        let mut problems = ConfigProblems::default();
        let p = &mut problems;
        let database_url = self.database_url(p);
        let broker = self.broker(p);
        let key = self.key(p);
        let listen = p.parse("LISTEN", &self.listen);
        let allowed = p.parse_list("WEBHOOK_ALLOW_NETWORKS", &self.webhook_allow_networks);
        let name_servers = p.parse_list("DNS_SERVERS", &self.dns_servers);
        let lease = p.at_least("LEASE_MS", &self.lease_ms, MIN_LEASE_MS);
        let drain = p.at_least("DRAIN_MS", &self.drain_ms, 0);
        let lanes = p.at_least("LANE_CONCURRENCY", &self.lane_concurrency, 1);
        let max_age = p.at_least("CONNECTION_MAX_AGE_MS", &self.connection_max_age_ms, 1_000);
        let log_format = p.parse("LOG_FORMAT", &self.log_format);
        match (
            database_url,
            broker,
            key,
            listen,
            lease,
            drain,
            lanes,
            max_age,
            log_format,
        ) {
            (
                Some(database_url),
                Some(broker),
                Some(key),
                Some(listen),
                Some(lease),
                Some(drain),
                Some(lanes),
                Some(max_age),
                Some(log_format),
            ) if problems.0.is_empty() => Ok(Checked {
                settings: WorkerConfig {
                    broker,
                    key,
                    addresses: AddressPolicy { allowed },
                    health: CircuitPolicy::default(),
                    lease: Duration::from_millis(lease),
                    lane_concurrency: usize::try_from(lanes).unwrap_or(usize::MAX),
                    name_servers,
                    connection_max_age: Duration::from_millis(max_age),
                },
                database_url,
                listen,
                drain: Duration::from_millis(drain),
                log_format,
                log_filter: self.rust_log.clone(),
            }),
            _ => Err(problems),
        }
    }

    fn database_url(&self, problems: &mut ConfigProblems) -> Option<String> {
        match &self.database_url {
            None => problems.add("DATABASE_URL", "is required"),
            Some(url)
                if ["postgres://", "postgresql://"]
                    .iter()
                    .any(|s| url.starts_with(s)) =>
            {
                return Some(url.clone());
            }
            Some(_) => problems.add("DATABASE_URL", "must start with postgres://"),
        }
        None
    }

    fn broker(&self, problems: &mut ConfigProblems) -> Option<BrokerUrl> {
        let Some(url) = &self.amqp_url else {
            problems.add("AMQP_URL", "is required");
            return None;
        };
        // The parser's own message is left out: it may repeat the password.
        let parsed = url.parse().ok();
        if parsed.is_none() {
            problems.add(
                "AMQP_URL",
                "must be an amqp:// or amqps:// URL that this build can use",
            );
        }
        parsed
    }

    fn key(&self, problems: &mut ConfigProblems) -> Option<SealingKeys> {
        let text = match (&self.webhook_secret_key, &self.webhook_secret_key_file) {
            (Some(text), None) => Ok(text.clone()),
            (None, Some(path)) => std::fs::read_to_string(path)
                .map_err(|error| format!("cannot read {}: {error}", path.display())),
            (None, None) => Err("or WEBHOOK_SECRET_KEY_FILE is required".to_owned()),
            (Some(_), Some(_)) => Err("and WEBHOOK_SECRET_KEY_FILE exclude each other".to_owned()),
        };
        let key = text.and_then(|text| SealingKeys::parse(&text).map_err(|e| e.to_string()));
        key.map_err(|error| problems.add("WEBHOOK_SECRET_KEY", error))
            .ok()
    }
}

impl ConfigProblems {
    fn add(&mut self, name: &str, problem: impl Display) {
        self.0.push(format!("{name} {problem}"));
    }

    fn parse<T: FromStr<Err: Display>>(&mut self, name: &str, text: &str) -> Option<T> {
        let parsed = text.trim().parse();
        parsed
            .map_err(|error| self.add(name, format!("cannot be {text:?}: {error}")))
            .ok()
    }

    /// Comma-separated values.
    fn parse_list<T: FromStr<Err: Display>>(&mut self, name: &str, text: &str) -> Vec<T> {
        let texts = text.split(',').map(str::trim);
        texts
            .filter(|text| !text.is_empty())
            .filter_map(|text| self.parse(name, text))
            .collect()
    }

    fn at_least(&mut self, name: &str, text: &str, least: u64) -> Option<u64> {
        let value = self.parse(name, text)?;
        if value < least {
            self.add(name, format!("must be {least} or more"));
            return None;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn good() -> Config {
        let mut config = Config::parse_from(["webhook-dispatcher"]);
        config.database_url = Some("postgres://localhost/x".to_owned());
        config.amqp_url = Some("amqp://localhost".to_owned());
        config.webhook_secret_key = Some(format!("{}=", "A".repeat(43)));
        config.webhook_secret_key_file = None;
        config
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let checked = good().check().expect("it is right");

        assert_eq!(checked.settings.health, CircuitPolicy::default());
        assert_eq!(checked.settings.lease, Duration::from_secs(60));
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_and_no_secret_is_repeated() {
        let mut config = good();
        config.database_url = Some("hunter2".to_owned());
        config.amqp_url = None;
        config.webhook_secret_key = Some("hunter2".to_owned());
        config.lane_concurrency = "0".to_owned();
        config.webhook_allow_networks = "10.0.0.0/8, nowhere".to_owned();
        config.dns_servers = "127.0.0.1:53, 127.0.0.1".to_owned();

        let problems = config.check().err().expect("it is wrong");

        assert_eq!(problems.0.len(), 6, "{problems}");
        assert!(!problems.to_string().contains("hunter2"), "{problems}");
    }
}
