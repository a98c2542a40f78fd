//! The configuration of the dispatcher, read once at start.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::BoolValueParser;
use webhook_domain::CircuitPolicy;
use webhook_service::database_url::DatabaseUrl;
use webhook_service::flag::{Flag, at_least, comma_separated, flag};
use webhook_service::flags::ServiceFlags;
use webhook_service::logging::LogFormat;
use webhook_service::problems::ConfigProblems;
use webhook_service::renamed::Renamed;
use webhook_traces::TraceSettings;

use crate::pipeline::meter::Detail;
use crate::worker::WorkerConfig;

/// Shortest lease, in milliseconds: twice the shortest timeout of an attempt.
const MIN_LEASE_MS: u64 = 1_000;

/// Shortest life of a connection, in milliseconds: with less, most requests would open a connection.
const MIN_CONNECTION_MAX_AGE_MS: u64 = 1_000;

/// Flags and variables as written by the operator; [`check`](Self::check) makes a [`Config`].
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "webhook-dispatcher", version, about)]
pub struct Flags {
    /// Flags of both services.
    #[command(flatten)]
    pub service: ServiceFlags,
    /// Address of health and metrics
    #[arg(long, env = "OPERATIONS_LISTEN", default_value = "127.0.0.1:8081", value_name = "ADDRESS:PORT",
        value_parser = flag(SocketAddr::from_str))]
    pub operations_listen: Flag<SocketAddr>,
    /// Whether attempts are counted for each webhook besides: a series per webhook and outcome
    #[arg(long, env = "METRICS_PER_WEBHOOK", default_value = "false", value_name = "BOOLEAN",
        value_parser = flag(BoolValueParser::new()))]
    pub metrics_per_webhook: Flag<bool>,
    /// How long a worker owns a leased delivery; after a crash, other workers wait for the rest of the time
    #[arg(long, env = "LEASE_MS", default_value = "60000", value_name = "MILLISECONDS",
        value_parser = flag(at_least(MIN_LEASE_MS)))]
    pub lease_ms: Flag<u64>,
    /// How long running attempts may take to end at a shutdown
    #[arg(long, env = "DRAIN_MS", default_value = "25000", value_name = "MILLISECONDS",
        value_parser = flag(at_least(0)))]
    pub drain_ms: Flag<u64>,
    /// Requests at once to a webhook without a number of its own
    #[arg(long, env = "LANE_CONCURRENCY", default_value = "16", value_name = "NUMBER",
        value_parser = flag(at_least(1)))]
    pub lane_concurrency: Flag<u64>,
    /// Name servers to ask instead of the machine's
    #[arg(long, env = "DNS_SERVERS", default_value = "", value_name = "ADDRESS:PORT[,…]",
        value_parser = comma_separated(SocketAddr::from_str))]
    pub dns_servers: Flag<Vec<SocketAddr>>,
    /// How long a connection takes requests; afterwards the host is looked up again
    #[arg(long, env = "CONNECTION_MAX_AGE_MS", default_value = "120000", value_name = "MILLISECONDS",
        value_parser = flag(at_least(MIN_CONNECTION_MAX_AGE_MS)))]
    pub connection_max_age_ms: Flag<u64>,
    // The dispatcher writes its own lines about the broker's connections.
    /// Filter of log lines, in the syntax of env_logger
    #[arg(
        long,
        env = "RUST_LOG",
        default_value = "info,lapin=off,tracing::span=warn",
        value_name = "FILTER"
    )]
    pub rust_log: String,
}

/// The checked configuration of the dispatcher.
pub struct Config {
    /// Address of Postgres.
    pub database_url: DatabaseUrl,
    /// The configuration of the worker.
    pub worker: WorkerConfig,
    /// Address of health and metrics.
    pub operations_listen: SocketAddr,
    /// How long running attempts may take to end at a shutdown.
    pub drain: Duration,
    /// Form of log lines.
    pub log_format: LogFormat,
    /// Filter of log lines, in the syntax of env_logger.
    pub log_filter: String,
    /// Where spans go, and of which events.
    pub traces: TraceSettings,
}

/// Variables with a new name.
pub const RENAMED: [Renamed; 1] = [Renamed {
    old: "LISTEN",
    new: "OPERATIONS_LISTEN",
    flag: "--operations-listen",
}];

impl Flags {
    /// Checks every flag.
    pub fn check(&self) -> Result<Config, ConfigProblems> {
        let mut problems = ConfigProblems::default();
        let service = self.service.check(&mut problems);
        let operations_listen = problems.check(&self.operations_listen);
        let metrics = problems.check(&self.metrics_per_webhook).map(detail);
        let lease = problems.check(&self.lease_ms);
        let drain = problems.check(&self.drain_ms);
        let lane_concurrency = problems.check(&self.lane_concurrency);
        let name_servers = problems.check(&self.dns_servers);
        let max_age = problems.check(&self.connection_max_age_ms);
        let config = || {
            let service = service?;
            Some(Config {
                worker: WorkerConfig {
                    broker: service.broker,
                    sealing_keys: service.sealing_keys,
                    addresses: service.addresses,
                    circuit_policy: CircuitPolicy::default(),
                    lease: Duration::from_millis(lease?),
                    lane_concurrency: usize::try_from(lane_concurrency?).unwrap_or(usize::MAX),
                    name_servers: name_servers?,
                    metrics: metrics?,
                    connection_max_age: Duration::from_millis(max_age?),
                },
                database_url: service.database_url,
                operations_listen: operations_listen?,
                drain: Duration::from_millis(drain?),
                log_format: service.log_format,
                traces: service.traces,
                log_filter: self.rust_log.clone(),
            })
        };
        problems.finish(config())
    }
}

fn detail(per_webhook: bool) -> Detail {
    if per_webhook {
        Detail::PerWebhook
    } else {
        Detail::Together
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use clap::Parser;

    const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    /// Good flags with some values changed.
    fn flags(changed: &[(&str, &str)]) -> Flags {
        let mut given = BTreeMap::from([
            ("--database-url", "postgres://localhost/x"),
            ("--amqp-url", "amqp://localhost"),
            ("--webhook-secret-key", KEY),
        ]);
        given.extend(changed.iter().copied());
        let given = given.iter().flat_map(|(name, value)| [*name, *value]);
        let mut flags = Flags::parse_from(["webhook-dispatcher"].into_iter().chain(given));
        // The variable may be set where the tests run.
        flags.service.webhook_secret_key_file = None;
        flags
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let config = flags(&[]).check().expect("it is right");

        assert_eq!(config.worker.circuit_policy, CircuitPolicy::default());
        assert_eq!(config.worker.lease, Duration::from_secs(60));
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_and_no_secret_is_repeated() {
        let mut flags = flags(&[
            ("--database-url", "hunter2"),
            ("--webhook-secret-key", "hunter2"),
            ("--lane-concurrency", "0"),
            ("--webhook-allow-networks", "10.0.0.0/8, nowhere"),
            ("--dns-servers", "127.0.0.1:53, 127.0.0.1"),
        ]);
        flags.service.amqp_url = None;

        let problems = flags.check().err().expect("it is wrong");

        assert_eq!(problems.count(), 6, "{problems}");
        assert!(!problems.to_string().contains("hunter2"), "{problems}");
    }

    #[test]
    fn attempts_are_counted_for_each_webhook_on_demand() {
        let metrics = |changed: &[_]| {
            let config = flags(changed).check().expect("the flags are right");
            config.worker.metrics
        };

        assert_eq!(metrics(&[]), Detail::Together);
        assert_eq!(
            metrics(&[("--metrics-per-webhook", "true")]),
            Detail::PerWebhook
        );
    }
}
