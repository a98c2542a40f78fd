//! What an operator can turn, read once at start; all that is wrong is told at once.

use std::fmt::Display;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;
use webhook_admin::url_rules::UrlRules;
use webhook_broker::BrokerUrl;
use webhook_domain::{AddressPolicy, UrlSchemes};
use webhook_service::logging::LogFormat;
use webhook_store::SealingKeys;

/// The flags and variables as they were given, unchecked; see [`check`](Self::check).
#[derive(Clone, clap::Parser)]
#[command(name = "webhook-api", version)]
pub struct Config {
    /// Where Postgres is, `postgres://…`
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,
    /// Where RabbitMQ is, `amqp://…` or `amqps://…`
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub amqp_url: Option<String>,
    /// The key of the webhooks' secrets: 32 bytes in base64; others that still open may follow, separated by commas
    #[arg(
        long,
        env = "WEBHOOK_SECRET_KEY",
        hide_env_values = true,
        global = true
    )]
    pub webhook_secret_key: Option<String>,
    /// A file that holds that key, others in the lines after it
    #[arg(long, env = "WEBHOOK_SECRET_KEY_FILE", global = true)]
    pub webhook_secret_key_file: Option<PathBuf>,
    /// Where the API is served
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// Whether a webhook's URL may be plain http: `true` or `false`
    #[arg(long, env = "WEBHOOK_ALLOW_HTTP", default_value = "false")]
    pub webhook_allow_http: String,
    /// Networks that may be called although they are not public, comma-separated CIDRs
    #[arg(long, env = "WEBHOOK_ALLOW_NETWORKS", default_value = "")]
    pub webhook_allow_networks: String,
    /// Requests per second that one API key may make to one replica, publishing aside; 0: any number
    #[arg(long, env = "KEY_RATE_LIMIT", default_value = "100")]
    pub key_rate_limit: String,
    /// Origins whose pages may call the API from a browser, comma-separated; none unless given
    #[arg(long, env = "CORS_ORIGINS", default_value = "")]
    pub cors_origins: String,
    /// `text` or `json`
    #[arg(long, env = "LOG_FORMAT", default_value = "text")]
    pub log_format: String,
    /// Which log lines are shown; the broker client's spans and what is no HTTP are noise
    #[arg(
        long,
        env = "RUST_LOG",
        default_value = "info,lapin=off,tracing::span=warn,actix_http::h1=off"
    )]
    pub rust_log: String,
}

/// A configuration without anything wrong.
pub struct Checked {
    /// Where Postgres is.
    pub database_url: String,
    /// Where events go.
    pub broker: BrokerUrl,
    /// What seals the webhooks' secrets.
    pub keys: SealingKeys,
    /// Which URLs a webhook may have.
    pub url_rules: UrlRules,
    /// Requests per second and key; `None`: any number.
    pub key_rate_limit: Option<NonZeroU32>,
    /// Origins whose pages may call the API.
    pub cors_origins: Vec<String>,
    /// Where the API is served.
    pub listen: SocketAddr,
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
        let keys = self.keys(p);
        let listen = p.parse("LISTEN", &self.listen);
        let allow_http = p.parse("WEBHOOK_ALLOW_HTTP", &self.webhook_allow_http);
        let allowed = self.networks(p);
        let rate = p.parse("KEY_RATE_LIMIT", &self.key_rate_limit);
        let cors_origins = self.cors_origins(p);
        let log_format = p.parse("LOG_FORMAT", &self.log_format);
        match (
            database_url,
            broker,
            keys,
            listen,
            allow_http,
            rate,
            log_format,
        ) {
            (
                Some(database_url),
                Some(broker),
                Some(keys),
                Some(listen),
                Some(allow_http),
                Some(rate),
                Some(log_format),
            ) if problems.0.is_empty() => Ok(Checked {
                database_url,
                broker,
                keys,
                url_rules: UrlRules {
                    schemes: schemes(allow_http),
                    addresses: AddressPolicy { allowed },
                },
                key_rate_limit: NonZeroU32::new(rate),
                cors_origins,
                listen,
                log_format,
                log_filter: self.rust_log.clone(),
            }),
            _ => Err(problems),
        }
    }

    /// Checks what the commands need that only speak with the database.
    pub fn check_database_url(&self) -> Result<String, ConfigProblems> {
        let mut problems = ConfigProblems::default();
        self.database_url(&mut problems).ok_or(problems)
    }

    /// Checks what sealing anew needs.
    pub fn check_sealing(&self) -> Result<(String, SealingKeys), ConfigProblems> {
        let mut problems = ConfigProblems::default();
        let database_url = self.database_url(&mut problems);
        let keys = self.keys(&mut problems);
        database_url.zip(keys).ok_or(problems)
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

    fn keys(&self, problems: &mut ConfigProblems) -> Option<SealingKeys> {
        let text = match (&self.webhook_secret_key, &self.webhook_secret_key_file) {
            (Some(text), None) => Ok(text.clone()),
            (None, Some(path)) => std::fs::read_to_string(path)
                .map_err(|error| format!("cannot read {}: {error}", path.display())),
            (None, None) => Err("or WEBHOOK_SECRET_KEY_FILE is required".to_owned()),
            (Some(_), Some(_)) => Err("and WEBHOOK_SECRET_KEY_FILE exclude each other".to_owned()),
        };
        let keys = text.and_then(|text| SealingKeys::parse(&text).map_err(|e| e.to_string()));
        keys.map_err(|error| problems.add("WEBHOOK_SECRET_KEY", error))
            .ok()
    }

    /// An origin is a scheme, a host and perhaps a port (RFC 6454), as browsers write it.
    fn cors_origins(&self, problems: &mut ConfigProblems) -> Vec<String> {
        let texts = self.cors_origins.split(',').map(str::trim);
        let given = texts.filter(|text| !text.is_empty());
        let checked = given.filter_map(|text| {
            let url: url::Url = problems.parse("CORS_ORIGINS", text)?;
            let origin = url.origin().ascii_serialization();
            if origin != text {
                problems.add(
                    "CORS_ORIGINS",
                    format!("cannot be {text:?}: write {origin}"),
                );
            }
            Some(origin)
        });
        checked.collect()
    }

    fn networks(&self, problems: &mut ConfigProblems) -> Vec<IpNet> {
        let texts = self.webhook_allow_networks.split(',').map(str::trim);
        texts
            .filter(|text| !text.is_empty())
            .filter_map(|text| problems.parse("WEBHOOK_ALLOW_NETWORKS", text))
            .collect()
    }
}

fn schemes(allow_http: bool) -> UrlSchemes {
    if allow_http {
        UrlSchemes::HttpAllowed
    } else {
        UrlSchemes::HttpsOnly
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Config {
        Config {
            database_url: Some("postgres://localhost/x".to_owned()),
            amqp_url: Some("amqp://localhost".to_owned()),
            webhook_secret_key: Some(format!("{}=", "A".repeat(43))),
            webhook_secret_key_file: None,
            listen: "127.0.0.1:0".to_owned(),
            webhook_allow_http: "false".to_owned(),
            webhook_allow_networks: String::new(),
            key_rate_limit: "100".to_owned(),
            cors_origins: "https://portal.example.com, http://localhost:3000".to_owned(),
            log_format: "text".to_owned(),
            rust_log: "info".to_owned(),
        }
    }

    #[test]
    fn plain_http_is_allowed_only_when_it_was_asked_for() {
        let schemes = |allow: &str| {
            let mut config = good();
            config.webhook_allow_http = allow.to_owned();
            config.check().ok().map(|checked| checked.url_rules.schemes)
        };

        assert_eq!(schemes("false"), Some(UrlSchemes::HttpsOnly));
        assert_eq!(schemes("true"), Some(UrlSchemes::HttpAllowed));
        assert_eq!(schemes("maybe"), None);
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_and_no_secret_is_repeated() {
        let mut config = good();
        config.database_url = Some("hunter2".to_owned());
        config.amqp_url = Some("hunter2".to_owned());
        config.webhook_secret_key = Some("hunter2".to_owned());
        config.listen = "nowhere".to_owned();
        config.webhook_allow_networks = "10.0.0.0/8, nowhere".to_owned();
        config.key_rate_limit = "fast".to_owned();
        config.cors_origins = "portal.example.com, https://example.com/".to_owned();
        config.log_format = "xml".to_owned();

        let problems = config.check().err().expect("it is wrong");

        assert_eq!(problems.0.len(), 9, "{problems}");
        assert!(!problems.to_string().contains("hunter2"), "{problems}");
    }
}
