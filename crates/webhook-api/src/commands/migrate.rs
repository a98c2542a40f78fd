//! `migrate`: the database's schema is brought up to date, or only looked at.

use std::process::ExitCode;

use clap::Args;
use webhook_api::Flags;
use webhook_service::logging::{self, LogFormat};

#[derive(Args)]
pub(super) struct Migrate {
    /// Only name the migrations that are pending: exit code 0 none, 1 some, or Postgres is away
    #[arg(long)]
    check: bool,
}

impl Migrate {
    pub(super) async fn run(&self, flags: &Flags) -> anyhow::Result<ExitCode> {
        let database_url = flags.check_database_url()?;
        let database_url = database_url.as_str();
        if self.check {
            return check(database_url).await;
        }
        logging::start(LogFormat::Text, &flags.rust_log, None);
        webhook_store::check_sessions(database_url).await?;
        webhook_api::migrate(database_url).await?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn check(database_url: &str) -> anyhow::Result<ExitCode> {
    let pending = webhook_store::migrations::list_pending(database_url).await?;
    if pending.is_empty() {
        println!("the schema is up to date");
        return Ok(ExitCode::SUCCESS);
    }
    for migration in &pending {
        println!("{migration}");
    }
    eprintln!(
        "webhook-api: the schema lacks {} of this version's migrations: run `webhook-api migrate`",
        pending.len()
    );
    Ok(ExitCode::FAILURE)
}
