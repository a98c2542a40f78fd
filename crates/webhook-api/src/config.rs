//! The configuration of the API, read once at start.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::str::FromStr;

use clap::builder::BoolValueParser;
use url::Url;
use webhook_admin::url_rules::UrlRules;
use webhook_broker::Cluster;
use webhook_domain::{AddressPolicy, UrlSchemes};
use webhook_service::database_url::DatabaseUrl;
use webhook_service::flag::{Flag, comma_separated, flag};
use webhook_service::flags::ServiceFlags;
use webhook_service::logging::LogFormat;
use webhook_service::problems::ConfigProblems;
use webhook_store::SealingKeys;
use webhook_traces::TraceSettings;

/// Flags and variables as written by the operator; [`check`](Self::check) makes a [`Config`].
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "webhook-api", version)]
pub struct Flags {
    /// Flags of both services.
    #[command(flatten)]
    pub service: ServiceFlags,
    /// Address of the API and of the portal
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT",
        value_parser = flag(SocketAddr::from_str))]
    pub listen: Flag<SocketAddr>,
    /// Address of health and metrics
    #[arg(long, env = "OPERATIONS_LISTEN", default_value = "127.0.0.1:8082", value_name = "ADDRESS:PORT",
        value_parser = flag(SocketAddr::from_str))]
    pub operations_listen: Flag<SocketAddr>,
    /// Whether a webhook's URL may be plain http
    #[arg(long, env = "WEBHOOK_ALLOW_HTTP", default_value = "false", global = true, value_name = "BOOLEAN",
        value_parser = flag(BoolValueParser::new()))]
    pub webhook_allow_http: Flag<bool>,
    /// Requests per second and API key to a replica, publishing aside; 0: any number
    #[arg(long, env = "KEY_RATE_LIMIT", default_value = "100", value_name = "NUMBER",
        value_parser = flag(u32::from_str))]
    pub key_rate_limit: Flag<u32>,
    /// Origins whose pages may call the API from a browser
    #[arg(long, env = "CORS_ORIGINS", default_value = "", value_name = "ORIGIN[,ORIGIN…]",
        value_parser = comma_separated(parse_origin))]
    pub cors_origins: Flag<Vec<String>>,
    // The broker client's spans are noise, and lines about bytes outside HTTP are, too.
    /// Filter of log lines, in the syntax of env_logger
    #[arg(
        long,
        env = "RUST_LOG",
        default_value = "info,lapin=off,tracing::span=warn,actix_http::h1=off",
        value_name = "FILTER"
    )]
    pub rust_log: String,
}

/// The checked configuration of the API.
pub struct Config {
    /// Address of Postgres.
    pub database_url: DatabaseUrl,
    /// Address of RabbitMQ.
    pub broker: Cluster,
    /// The keys for sealing and opening the webhooks' secrets.
    pub sealing_keys: SealingKeys,
    /// The URLs allowed for webhooks.
    pub url_rules: UrlRules,
    /// Requests per second and API key; `None`: any number.
    pub key_rate_limit: Option<NonZeroU32>,
    /// Origins whose pages may call the API.
    pub cors_origins: Vec<String>,
    /// Address of the API and of the portal.
    pub listen: SocketAddr,
    /// Address of health and metrics.
    pub operations_listen: SocketAddr,
    /// Form of log lines.
    pub log_format: LogFormat,
    /// Filter of log lines, in the syntax of env_logger.
    pub log_filter: String,
    /// Where spans go, and of which events.
    pub traces: TraceSettings,
}

/// The checked configuration of `webhook-api plan` and `apply`.
pub struct ImportConfig {
    /// Address of Postgres.
    pub database_url: DatabaseUrl,
    /// The keys for sealing and opening the webhooks' secrets.
    pub sealing_keys: SealingKeys,
    /// The URLs allowed for webhooks.
    pub url_rules: UrlRules,
}

impl Flags {
    /// Checks every flag.
    pub fn check(&self) -> Result<Config, ConfigProblems> {
        let mut problems = ConfigProblems::default();
        let service = self.service.check(&mut problems);
        let listen = problems.check(&self.listen);
        let operations_listen = problems.check(&self.operations_listen);
        let schemes = problems.check(&self.webhook_allow_http).map(schemes);
        let rate_limit = problems.check(&self.key_rate_limit);
        let cors_origins = problems.check(&self.cors_origins);
        let config = || {
            let service = service?;
            Some(Config {
                database_url: service.database_url,
                broker: service.broker,
                sealing_keys: service.sealing_keys,
                url_rules: UrlRules {
                    schemes: schemes?,
                    addresses: service.addresses,
                },
                key_rate_limit: NonZeroU32::new(rate_limit?),
                cors_origins: cors_origins?,
                listen: listen?,
                operations_listen: operations_listen?,
                log_format: service.log_format,
                traces: service.traces,
                log_filter: self.rust_log.clone(),
            })
        };
        problems.finish(config())
    }

    /// Checks the address of Postgres alone: `webhook-api migrate` and `keys create` need no more.
    pub fn check_database_url(&self) -> Result<DatabaseUrl, ConfigProblems> {
        let mut problems = ConfigProblems::default();
        let database_url = self.service.database_url(&mut problems);
        problems.finish(database_url)
    }

    /// Checks the address of RabbitMQ alone: `webhook-api events publish` needs no more.
    pub fn check_broker(&self) -> Result<Cluster, ConfigProblems> {
        let mut problems = ConfigProblems::default();
        let broker = self.service.broker(&mut problems);
        problems.finish(broker)
    }

    /// Checks the flags of `webhook-api plan` and `apply`.
    pub fn check_import(&self) -> Result<ImportConfig, ConfigProblems> {
        let mut problems = ConfigProblems::default();
        let database_url = self.service.database_url(&mut problems);
        let sealing_keys = self.service.sealing_keys(&mut problems);
        let url_rules = self.url_rules(&mut problems);
        let config = || {
            Some(ImportConfig {
                database_url: database_url?,
                sealing_keys: sealing_keys?,
                url_rules: url_rules?,
            })
        };
        problems.finish(config())
    }

    /// Checks the rules for URLs alone: `webhook-api doctor` tells what can be told.
    pub fn check_url_rules(&self) -> Result<UrlRules, ConfigProblems> {
        let mut problems = ConfigProblems::default();
        let url_rules = self.url_rules(&mut problems);
        problems.finish(url_rules)
    }

    fn url_rules(&self, problems: &mut ConfigProblems) -> Option<UrlRules> {
        let schemes = problems.check(&self.webhook_allow_http).map(schemes);
        let allowed = problems.check(&self.service.webhook_allow_networks);
        Some(UrlRules {
            schemes: schemes?,
            addresses: AddressPolicy { allowed: allowed? },
        })
    }

    /// Checks the flags of `webhook-api secrets reseal`.
    pub fn check_sealing(&self) -> Result<(DatabaseUrl, SealingKeys), ConfigProblems> {
        let mut problems = ConfigProblems::default();
        let database_url = self.service.database_url(&mut problems);
        let sealing_keys = self.service.sealing_keys(&mut problems);
        problems.finish(database_url.zip(sealing_keys))
    }
}

fn schemes(allow_http: bool) -> UrlSchemes {
    if allow_http {
        UrlSchemes::HttpAllowed
    } else {
        UrlSchemes::HttpsOnly
    }
}

/// Parses a scheme, a host and perhaps a port (RFC 6454). Browsers send the shortest spelling, and
/// actix-cors compares texts: any other spelling is refused.
fn parse_origin(text: &str) -> Result<String, String> {
    let url: Url = text.parse().map_err(|error| format!("{error}"))?;
    let origin = url.origin().ascii_serialization();
    if origin == text {
        Ok(origin)
    } else {
        Err(format!("write {origin}"))
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
            (
                "--cors-origins",
                "https://portal.example.com, http://localhost:3000",
            ),
        ]);
        given.extend(changed.iter().copied());
        let given = given.iter().flat_map(|(name, value)| [*name, *value]);
        let mut flags = Flags::parse_from(["webhook-api"].into_iter().chain(given));
        // The variable may be set where the tests run.
        flags.service.webhook_secret_key_file = None;
        flags
    }

    #[test]
    fn plain_http_is_allowed_only_when_it_was_asked_for() {
        let schemes = |allow: &str| {
            let flags = flags(&[("--webhook-allow-http", allow)]);
            flags.check().ok().map(|config| config.url_rules.schemes)
        };

        assert_eq!(schemes("false"), Some(UrlSchemes::HttpsOnly));
        assert_eq!(schemes("true"), Some(UrlSchemes::HttpAllowed));
        assert_eq!(schemes("maybe"), None);
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_and_no_secret_is_repeated() {
        let flags = flags(&[
            ("--database-url", "hunter2"),
            ("--amqp-url", "hunter2"),
            ("--webhook-secret-key", "hunter2"),
            ("--listen", "nowhere"),
            ("--webhook-allow-networks", "10.0.0.0/8, nowhere"),
            ("--key-rate-limit", "fast"),
            ("--cors-origins", "portal.example.com, https://example.com/"),
            ("--log-format", "xml"),
        ]);

        let problems = flags.check().err().expect("it is wrong");

        assert_eq!(problems.count(), 9, "{problems}");
        assert!(!problems.to_string().contains("hunter2"), "{problems}");
    }
}
