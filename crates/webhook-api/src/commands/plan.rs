//! `plan` and `apply`: an export file beside the database, and made true. The decision of an import stands in
//! `webhook_admin::webhooks`, for REST and for both verbs.

use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Args;
use webhook_admin::webhooks::{
    ImportDocument, ImportResult, ImportTarget, MAX_IMPORT_BYTES, import_webhooks,
};
use webhook_admin::{Caller, Connections, Refusal};
use webhook_api::{Flags, ImportConfig};
use webhook_domain::Environment;
use webhook_service::printable::printable;
use webhook_store::PoolPurpose;

use super::config::ListFormat;
use super::output::print;
use report::report;

mod report;

/// The exit code of a plan with changes, as for `diff` and others. Errors have exit code 1.
const CHANGES: u8 = 2;

#[derive(Args)]
pub(super) struct Plan {
    #[command(flatten)]
    import: ImportFlags,
}

#[derive(Args)]
pub(super) struct Apply {
    #[command(flatten)]
    import: ImportFlags,
    /// Without a question
    #[arg(long)]
    yes: bool,
}

/// The flags of both verbs.
#[derive(Args)]
struct ImportFlags {
    /// Export of an environment, as of GET /api/v1/webhooks/export; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Environment to change, when another than that of the file
    #[arg(long, value_name = "ENVIRONMENT")]
    environment: Option<Environment>,
    /// Form of the report
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    format: ListFormat,
}

impl Plan {
    /// Reports the changes of an import. A wrong configuration ends with 1, as 2 says that there are changes.
    pub(super) async fn run(self, flags: &Flags) -> anyhow::Result<ExitCode> {
        // The text alone: the type of the error would make the exit code 2.
        let config = flags
            .check_import()
            .map_err(|problems| anyhow!("{problems}"))?;
        let import = Import::open(&self.import, config).await?;
        let planned = import.plan().await?;
        self.import.show(&planned)?;
        Ok(match planned.created + planned.updated {
            0 => ExitCode::SUCCESS,
            _ => ExitCode::from(CHANGES),
        })
    }
}

impl Apply {
    /// Shows the plan, asks on a terminal, and imports. A repeated call changes nothing.
    pub(super) async fn run(self, flags: &Flags) -> anyhow::Result<ExitCode> {
        let import = Import::open(&self.import, flags.check_import()?).await?;
        let planned = import.plan().await?;
        if planned.created + planned.updated == 0 {
            self.import.show(&planned)?;
            return Ok(ExitCode::SUCCESS);
        }
        if !self.yes {
            eprint!("{}", report(&planned));
            ask()?;
        }
        let applied = import.apply().await?;
        self.import.show(&applied)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Asks for consent. Without a terminal nobody can answer, and nothing is changed.
fn ask() -> anyhow::Result<()> {
    anyhow::ensure!(
        io::stdin().is_terminal() && io::stderr().is_terminal(),
        "there is no terminal for the question: nothing was changed; give --yes to apply without a question"
    );
    eprint!("Apply? (yes or no) ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    anyhow::ensure!(["y", "yes"].contains(&answer.trim()), "nothing was changed");
    Ok(())
}

impl ImportFlags {
    fn show(&self, result: &ImportResult) -> anyhow::Result<()> {
        match self.format {
            ListFormat::Text => print(&report(result)),
            ListFormat::Json => print(&(serde_json::to_string_pretty(result)? + "\n")),
        }
        Ok(())
    }
}

/// A document, ready to be imported.
struct Import {
    document: ImportDocument,
    environment: Environment,
    connections: Connections,
    config: ImportConfig,
}

impl Import {
    async fn open(flags: &ImportFlags, config: ImportConfig) -> anyhow::Result<Self> {
        let body = read(&flags.file)?;
        // The environment of the document counts for people: a file is about one environment.
        let environment = match flags.environment {
            Some(environment) => environment,
            None => find_environment(&body, &config)?,
        };
        let document = ImportDocument::parse(&body, environment, &config.url_rules);
        let document = document.map_err(told)?;
        let database_url = config.database_url.as_str();
        webhook_store::check_sessions(database_url).await?;
        let pool = webhook_store::connect(database_url, 1, PoolPurpose::Commands).await?;
        Ok(Self {
            document,
            environment,
            connections: Connections::new(pool),
            config,
        })
    }

    async fn plan(&self) -> anyhow::Result<ImportResult> {
        self.import(true).await
    }

    async fn apply(&self) -> anyhow::Result<ImportResult> {
        self.import(false).await
    }

    async fn import(&self, dry_run: bool) -> anyhow::Result<ImportResult> {
        let target = ImportTarget {
            environment: self.environment,
            dry_run: Some(dry_run),
        };
        let caller = Caller::command_line();
        let (connections, keys) = (&self.connections, &self.config.sealing_keys);
        let imported = import_webhooks(&target, &self.document, &caller, connections, keys);
        imported.await.map_err(told)
    }
}

/// The environment that the file names.
fn find_environment(body: &[u8], config: &ImportConfig) -> anyhow::Result<Environment> {
    // The target of the first reading does not count: the name of the environment is read alone.
    let document = ImportDocument::parse(body, Environment::Production, &config.url_rules);
    let environment = document.map_err(told)?.environment;
    environment.context("the file has no `environment`: give --environment")
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let limit = u64::try_from(MAX_IMPORT_BYTES).unwrap_or(u64::MAX);
    let mut body = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().take(limit + 1).read_to_end(&mut body)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut body))
    };
    read.with_context(|| format!("cannot read {}", path.display()))?;
    anyhow::ensure!(
        body.len() <= MAX_IMPORT_BYTES,
        "{} has more than {MAX_IMPORT_BYTES} bytes",
        path.display()
    );
    Ok(body)
}

/// A refusal with every wrong field on a line of its own, and with the database's own words.
#[allow(
    clippy::needless_pass_by_value,
    reason = "used as a function of map_err"
)]
fn told(refusal: Refusal) -> anyhow::Error {
    let fields = refusal.fields().iter();
    let fields: String = fields
        .map(|one| format!("\n  {}: {}", printable(&one.field), printable(&one.reason)))
        .collect();
    // An operator has the log of this verb only, and may see the cause.
    if let Refusal::Store(error) = &refusal {
        return anyhow!("{error}");
    }
    if let Refusal::Broken(error) = &refusal {
        return anyhow!("{error}");
    }
    anyhow!("{refusal}{fields}")
}
