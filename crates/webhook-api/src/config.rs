//! What an operator can turn, read once at start; all that is wrong is told at once.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;
use webhook_broker::BrokerUrl;
use webhook_domain::{AddressPolicy, UrlSchemes};
use webhook_store::SealingKey;

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
    /// The key of the webhooks' secrets: 32 bytes in base64
    #[arg(long, env = "WEBHOOK_SECRET_KEY", hide_env_values = true)]
    pub webhook_secret_key: Option<String>,
    /// A file that holds that key
    #[arg(long, env = "WEBHOOK_SECRET_KEY_FILE")]
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
    /// `text` or `json`
    #[arg(long, env = "LOG_FORMAT", default_value = "text")]
    pub log_format: String,
    /// Which log lines are shown; the broker client's spans are noise
    #[arg(long, env = "RUST_LOG", default_value = "info,tracing::span=warn")]
    pub rust_log: String,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Which URLs a webhook may have.
#[derive(Debug, Clone)]
pub struct UrlRules {
    /// Whether plain `http` is allowed.
    pub schemes: UrlSchemes,
    /// Which addresses are.
    pub addresses: AddressPolicy,
}

/// A configuration without anything wrong.
pub struct Checked {
    /// Where Postgres is.
    pub database_url: String,
    /// Where events go.
    pub broker: BrokerUrl,
    /// What seals the webhooks' secrets.
    pub key: SealingKey,
    /// Which URLs a webhook may have.
    pub url_rules: UrlRules,
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
        let key = self.key(p);
        let listen = p.parse("LISTEN", &self.listen);
        let allow_http = p.parse("WEBHOOK_ALLOW_HTTP", &self.webhook_allow_http);
        let allowed = self.networks(p);
        let log_format = p.parse("LOG_FORMAT", &self.log_format);
        match (database_url, broker, key, listen, allow_http, log_format) {
            (
                Some(database_url),
                Some(broker),
                Some(key),
                Some(listen),
                Some(allow_http),
                Some(log_format),
            ) if problems.0.is_empty() => Ok(Checked {
                database_url,
                broker,
                key,
                url_rules: UrlRules {
                    schemes: schemes(allow_http),
                    addresses: AddressPolicy { allowed },
                },
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

    fn key(&self, problems: &mut ConfigProblems) -> Option<SealingKey> {
        let text = match (&self.webhook_secret_key, &self.webhook_secret_key_file) {
            (Some(text), None) => Ok(text.clone()),
            (None, Some(path)) => std::fs::read_to_string(path)
                .map_err(|error| format!("cannot read {}: {error}", path.display())),
            (None, None) => Err("or WEBHOOK_SECRET_KEY_FILE is required".to_owned()),
            (Some(_), Some(_)) => Err("and WEBHOOK_SECRET_KEY_FILE exclude each other".to_owned()),
        };
        let key = text.and_then(|text| SealingKey::parse(&text).map_err(|e| e.to_string()));
        key.map_err(|error| problems.add("WEBHOOK_SECRET_KEY", error))
            .ok()
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

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("must be text or json"),
        }
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
        config.log_format = "xml".to_owned();

        let problems = config.check().err().expect("it is wrong");

        assert_eq!(problems.0.len(), 6, "{problems}");
        assert!(!problems.to_string().contains("hunter2"), "{problems}");
    }
}
