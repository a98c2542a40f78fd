//! `keys create`: an API key for the first admin, and for scripts.

use std::process::ExitCode;

use clap::Subcommand;
use webhook_api::{Flags, create_key};
use webhook_domain::{KeyName, Role};

#[derive(Subcommand)]
pub(super) enum Keys {
    /// Create an API key and print the key, which cannot be shown again
    Create {
        /// viewer, publisher, admin or owner
        #[arg(long)]
        role: Role,
        /// Purpose of the key
        #[arg(long, default_value = "Created on the command line")]
        name: KeyName,
    },
}

impl Keys {
    pub(super) async fn run(self, flags: &Flags) -> anyhow::Result<ExitCode> {
        let Self::Create { role, name } = self;
        let database_url = flags.check_database_url()?;
        let key = create_key(database_url.as_str(), role, &name).await?;
        // The key alone, for scripts.
        println!("{}", key.reveal());
        Ok(ExitCode::SUCCESS)
    }
}
