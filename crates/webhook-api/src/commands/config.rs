//! `config`: every setting of the API with the source of its value.

use std::process::ExitCode;

use clap::{ArgMatches, Args, CommandFactory, ValueEnum};
use webhook_api::Flags;
use webhook_service::settings::{self, Setting};

use super::output::print;

#[derive(Args)]
pub(super) struct ShowConfig {
    /// Form of the list
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    format: ListFormat,
}

/// The form of a list on the terminal.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl ShowConfig {
    /// Prints the settings. Wrong settings are listed too, before the error that names each.
    pub(super) fn run(&self, flags: &Flags, matches: &ArgMatches) -> anyhow::Result<ExitCode> {
        let settings = list(matches);
        match self.format {
            ListFormat::Text => print(&lines(&settings)),
            ListFormat::Json => print(&(serde_json::to_string_pretty(&settings)? + "\n")),
        }
        flags.check()?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The settings of the API, secrets masked.
pub(super) fn list(matches: &ArgMatches) -> Vec<Setting> {
    settings::list(&Flags::command(), matches)
}

/// A line for each setting: variable, value, source.
pub(super) fn lines(settings: &[Setting]) -> String {
    let width = settings.iter().map(|one| one.variable.len()).max();
    let width = width.unwrap_or_default();
    let lines = settings.iter().map(|setting| {
        let (name, source) = (&setting.variable, setting.source.as_str());
        let value = setting.value.as_deref().filter(|value| !value.is_empty());
        let value = value.map(|value| format!("{value}  ")).unwrap_or_default();
        format!("{name:width$}  {value}({source})\n")
    });
    lines.collect()
}
