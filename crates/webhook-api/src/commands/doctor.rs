//! `doctor`: everything that an installation needs, checked and told in sentences, worst first.

use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgMatches, Args};
use tokio::time::timeout;
use webhook_api::Flags;

use super::config;
use super::output::print;
use finding::{Finding, Weight, tell};

mod egress;
mod finding;
mod postgres;
mod rabbitmq;
mod stored;

/// How long the checks of Postgres, of RabbitMQ, and of the network may take, each beside the others. The whole
/// verb ends within 20 s, also when every server is silent.
const CHECKED_WITHIN: Duration = Duration::from_secs(6);

#[derive(Args)]
pub(super) struct Doctor {
    /// URL of a receiver whose addresses are looked up and judged; no request is sent
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

impl Doctor {
    /// Checks, prints the findings and the settings, and returns 0 if all is well, 1 for a problem, 2 for a wrong
    /// configuration.
    pub(super) async fn run(self, flags: &Flags, matches: &ArgMatches) -> anyhow::Result<ExitCode> {
        let (mut findings, stored) = check_servers(flags).await;
        findings.extend(egress::check(self.url.as_deref(), &stored.hosts, flags).await);
        let configuration = check_configuration(flags);
        let exit_code = match () {
            () if configuration.weight == Weight::Problem => ExitCode::from(2),
            () if findings.iter().any(|one| one.weight == Weight::Problem) => ExitCode::FAILURE,
            () => ExitCode::SUCCESS,
        };
        findings.push(configuration);
        let settings = config::lines(&config::list(matches));
        print(&format!("{}\nSettings:\n{settings}", tell(findings)));
        Ok(exit_code)
    }
}

/// Checks both servers beside each other. A part whose setting is wrong is left out: the configuration tells.
async fn check_servers(flags: &Flags) -> (Vec<Finding>, stored::Stored) {
    let postgres = async {
        let Ok(database_url) = flags.check_database_url() else {
            return postgres::Checked::default();
        };
        let checked = timeout(CHECKED_WITHIN, postgres::check(database_url.as_str())).await;
        checked.unwrap_or_else(|_| postgres::Checked::silent())
    };
    let rabbitmq = async {
        let Ok(broker) = flags.check_broker() else {
            return Vec::new();
        };
        let checked = timeout(CHECKED_WITHIN, rabbitmq::check(&broker)).await;
        checked.unwrap_or_else(|_| vec![rabbitmq::silent(&broker)])
    };
    let (postgres, mut findings) = tokio::join!(postgres, rabbitmq);
    findings.extend(postgres.findings);
    let stored = match (postgres.is_migrated, flags.check_sealing()) {
        (true, Ok((database_url, keys))) => {
            let checked =
                timeout(CHECKED_WITHIN, stored::check(database_url.as_str(), &keys)).await;
            checked.unwrap_or_else(|_| stored::Stored::unchecked("Postgres did not answer in time"))
        }
        (true, Err(_)) => stored::Stored::unchecked("the sealing keys are wrong"),
        (false, _) => stored::Stored::unchecked("Postgres is away or not migrated"),
    };
    findings.extend(stored.findings.iter().cloned());
    (findings, stored)
}

fn check_configuration(flags: &Flags) -> Finding {
    match flags.check() {
        Ok(_) => Finding::fine(
            "configuration",
            "every setting has a value that can be used",
        ),
        Err(problems) => {
            let problems: Vec<&str> = problems.iter().collect();
            Finding::problem("configuration", problems.join("; "))
                .advise("set the variables or give the flags: docs/configuration.md has all")
        }
    }
}
