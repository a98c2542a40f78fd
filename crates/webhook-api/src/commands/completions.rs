//! `completions`: scripts that complete flags and verbs in a shell.

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use super::output::print;

#[derive(Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, command: &mut Command) -> anyhow::Result<ExitCode> {
        // The generator panics when a pipe is closed: the script is made first.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, command, "webhook-api", &mut script);
        print(&String::from_utf8(script)?);
        Ok(ExitCode::SUCCESS)
    }
}
