//! `secrets reseal`: every secret sealed with the first sealing key.

use std::process::ExitCode;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use webhook_admin::command_line::{Resealing, reseal};
use webhook_api::Flags;

#[derive(Subcommand)]
pub(super) enum Secrets {
    /// Seal every secret with the first key of WEBHOOK_SECRET_KEY; then the other keys can be removed
    Reseal,
}

impl Secrets {
    pub(super) async fn run(self, flags: &Flags) -> anyhow::Result<ExitCode> {
        match self {
            Self::Reseal => reseal_all(flags).await,
        }
    }
}

/// `webhook-api reseal`, the name of `secrets reseal` until the release before.
pub(super) async fn reseal_by_old_name(flags: &Flags) -> anyhow::Result<ExitCode> {
    eprintln!(
        "webhook-api: `reseal` is called `secrets reseal` now; the next release knows the new name only"
    );
    reseal_all(flags).await
}

async fn reseal_all(flags: &Flags) -> anyhow::Result<ExitCode> {
    let (database_url, keys) = flags.check_sealing()?;
    // Draws on a terminal only.
    let bar = ProgressBar::no_length();
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {pos} of {len} webhooks, {eta} left",
    )?);
    let show = |Resealing { all, done }| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let (sealed, unreadable) = reseal(database_url.as_str(), &keys, show).await?;
    bar.finish_and_clear();
    println!("resealed the secrets of {sealed} webhooks");
    for id in &unreadable {
        eprintln!("no key opens the secrets of webhook {id}");
    }
    anyhow::ensure!(unreadable.is_empty(), "some secrets were not resealed");
    Ok(ExitCode::SUCCESS)
}
