//! Documents that are made from the code: `openapi`, `asyncapi`, `configuration-docs`.

use std::process::ExitCode;

use clap::Command;
use webhook_service::reference;

use super::output::print;

/// The beginning of docs/configuration.md.
const CONFIGURATION_HEAD: &str = include_str!("documents/configuration.md");

/// Prints the description of the REST API.
pub(super) fn print_openapi() -> anyhow::Result<ExitCode> {
    print(&webhook_api::openapi_document());
    Ok(ExitCode::SUCCESS)
}

/// Prints the description of the messages on RabbitMQ.
pub(super) fn print_asyncapi() -> anyhow::Result<ExitCode> {
    print(&webhook_api::asyncapi_document());
    Ok(ExitCode::SUCCESS)
}

/// Prints docs/configuration.md up to the sections of the dispatcher, which the dispatcher prints.
pub(super) fn print_configuration(program: &Command) -> anyhow::Result<ExitCode> {
    print(&(CONFIGURATION_HEAD.to_owned() + &reference::sections(program)));
    Ok(ExitCode::SUCCESS)
}
