//! `completions`: scripts that complete flags and verbs in a shell.

use std::io;
use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

#[derive(Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, command: &mut Command) -> anyhow::Result<ExitCode> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, command, "webhook-api", &mut script);
        io::Write::write_all(&mut io::stdout(), &script)?;
        Ok(ExitCode::SUCCESS)
    }
}
