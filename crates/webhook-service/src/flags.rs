//! The flags of both processes, and the checked values.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::EnumValueParser;
use ipnet::IpNet;
use url::Url;
use webhook_broker::Cluster;
use webhook_domain::AddressPolicy;
use webhook_store::SealingKeys;
use webhook_traces::{CollectorHeaders, TraceSettings};

use crate::database_url::DatabaseUrl;
use crate::flag::{Flag, comma_separated, flag};
use crate::logging::LogFormat;
use crate::problems::ConfigProblems;

/// The flags of both processes, unchecked; see [`check`](Self::check).
///
/// `global` flags may also follow a subcommand, as in `webhook-api migrate --database-url …`.
#[derive(Debug, Clone, clap::Args)]
pub struct ServiceFlags {
    /// Address of Postgres, `postgres://…`
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true, value_name = "URL",
        value_parser = flag(DatabaseUrl::from_str))]
    pub database_url: Option<Flag<DatabaseUrl>>,
    /// Addresses of RabbitMQ's nodes, `amqp://…` or `amqps://…`, tried in turn
    #[arg(long, env = "AMQP_URL", hide_env_values = true, global = true,
        value_name = "URL[,URL…]",
        value_parser = flag(Cluster::from_str))]
    pub amqp_url: Option<Flag<Cluster>>,
    /// Nodes of RabbitMQ that hold each queue, an odd number; counts when the queues are declared, and stays.
    /// Without a number RabbitMQ decides: three
    #[arg(long, env = "AMQP_QUEUE_REPLICAS", value_name = "NUMBER", value_parser = flag(parse_replicas))]
    pub amqp_queue_replicas: Option<Flag<NonZeroU16>>,
    /// Keys that seal the webhooks' secrets, each 32 bytes in base64; the first key seals, all keys open
    #[arg(long, env = "WEBHOOK_SECRET_KEY", hide_env_values = true, global = true,
        value_name = "KEY[,KEY…]", value_parser = flag(SealingKeys::parse))]
    pub webhook_secret_key: Option<Flag<SealingKeys>>,
    /// File with the keys instead, a key a line
    #[arg(
        long,
        env = "WEBHOOK_SECRET_KEY_FILE",
        global = true,
        value_name = "FILE"
    )]
    pub webhook_secret_key_file: Option<PathBuf>,
    /// Networks where webhooks are allowed although the addresses are not public
    #[arg(long, env = "WEBHOOK_ALLOW_NETWORKS", default_value = "", global = true, value_name = "CIDR[,CIDR…]",
        value_parser = comma_separated(IpNet::from_str))]
    pub webhook_allow_networks: Flag<Vec<IpNet>>,
    /// Form of log lines
    #[arg(long, env = "LOG_FORMAT", default_value = "text", value_name = "FORMAT",
        value_parser = flag(EnumValueParser::<LogFormat>::new()))]
    pub log_format: Flag<LogFormat>,
    /// Collector for spans over OTLP/HTTP, `http://…:4318`; without a collector no span is made
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL", value_parser = flag(parse_collector))]
    pub otel_exporter_otlp_endpoint: Option<Flag<Url>>,
    /// Headers of the collector's requests, such as a token
    #[arg(long, env = "OTEL_EXPORTER_OTLP_HEADERS", hide_env_values = true, default_value = "",
        value_name = "NAME=VALUE[,…]", value_parser = flag(CollectorHeaders::from_str))]
    pub otel_exporter_otlp_headers: Flag<CollectorHeaders>,
    /// Share of the events outside of a trace that begin a trace, 0 to 1
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", default_value = "1", value_name = "SHARE",
        value_parser = flag(parse_share))]
    pub otel_traces_sampler_arg: Flag<f64>,
}

/// The checked values of the flags of both processes.
pub struct ServiceConfig {
    /// Address of Postgres.
    pub database_url: DatabaseUrl,
    /// Address of RabbitMQ.
    pub broker: Cluster,
    /// The keys for sealing and opening the webhooks' secrets.
    pub sealing_keys: SealingKeys,
    /// The addresses allowed for webhooks.
    pub addresses: AddressPolicy,
    /// Form of log lines.
    pub log_format: LogFormat,
    /// Where spans go, and of which events.
    pub traces: TraceSettings,
}

impl ServiceFlags {
    /// Checks every flag. `None` if there is a problem; every problem is added to `problems`.
    pub fn check(&self, problems: &mut ConfigProblems) -> Option<ServiceConfig> {
        // Every flag is checked before the first `?`: no problem hides another.
        let database_url = self.database_url(problems);
        let broker = self.broker(problems);
        let sealing_keys = self.sealing_keys(problems);
        let allowed = problems.check(&self.webhook_allow_networks);
        let log_format = problems.check(&self.log_format);
        let traces = self.traces(problems);
        Some(ServiceConfig {
            database_url: database_url?,
            broker: broker?,
            sealing_keys: sealing_keys?,
            addresses: AddressPolicy { allowed: allowed? },
            log_format: log_format?,
            traces: traces?,
        })
    }

    fn traces(&self, problems: &mut ConfigProblems) -> Option<TraceSettings> {
        let endpoint = self.otel_exporter_otlp_endpoint.as_ref();
        let endpoint = endpoint.map(|endpoint| problems.check(endpoint));
        let headers = problems.check(&self.otel_exporter_otlp_headers);
        let ratio = problems.check(&self.otel_traces_sampler_arg);
        Some(TraceSettings {
            endpoint: match endpoint {
                Some(endpoint) => Some(endpoint?),
                None => None,
            },
            headers: headers?,
            ratio: ratio?,
        })
    }

    /// The address of Postgres alone, for commands without other needs.
    pub fn database_url(&self, problems: &mut ConfigProblems) -> Option<DatabaseUrl> {
        problems.require("DATABASE_URL", self.database_url.as_ref())
    }

    /// The nodes of RabbitMQ alone, for commands without other needs.
    pub fn broker(&self, problems: &mut ConfigProblems) -> Option<Cluster> {
        let replicas = self.amqp_queue_replicas.as_ref();
        let replicas = replicas.and_then(|replicas| problems.check(replicas));
        let cluster = problems.require("AMQP_URL", self.amqp_url.as_ref())?;
        Some(cluster.with_queue_replicas(replicas))
    }

    /// The sealing keys, from the variable or from the file. Exactly one of the two must be given.
    pub fn sealing_keys(&self, problems: &mut ConfigProblems) -> Option<SealingKeys> {
        const VARIABLE: &str = "WEBHOOK_SECRET_KEY";
        let path = match (&self.webhook_secret_key, &self.webhook_secret_key_file) {
            (Some(keys), None) => return problems.check(keys),
            (None, Some(path)) => path,
            (None, None) => {
                problems.add(VARIABLE, "or WEBHOOK_SECRET_KEY_FILE is required");
                return None;
            }
            (Some(_), Some(_)) => {
                problems.add(VARIABLE, "and WEBHOOK_SECRET_KEY_FILE exclude each other");
                return None;
            }
        };
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
        let keys = text.and_then(|text| SealingKeys::parse(&text).map_err(|e| e.to_string()));
        keys.map_err(|error| {
            let problem = format!("cannot be read from {}: {error}", path.display());
            problems.add(VARIABLE, problem);
        })
        .ok()
    }
}

/// Parses the base URL of a collector. An empty text would be a mistake of a template, not a collector.
fn parse_collector(text: &str) -> Result<Url, String> {
    let url: Url = text
        .trim()
        .parse()
        .map_err(|error| format!("is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("must be http://… or https://…".to_owned());
    }
    Ok(url)
}

fn parse_share(text: &str) -> Result<f64, String> {
    match text.trim().parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        Ok(_) | Err(_) => Err("must be a number from 0 to 1".to_owned()),
    }
}

/// Parses an odd number: an even number of nodes survives no more losses than one node less.
fn parse_replicas(text: &str) -> Result<NonZeroU16, String> {
    let number: NonZeroU16 = text.parse().map_err(|error| format!("{error}"))?;
    match number.get() % 2 {
        0 => Err("must be an odd number".to_owned()),
        _ => Ok(number),
    }
}
