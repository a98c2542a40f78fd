//! The API's process: the command of an operator, exit code.

use std::process::ExitCode;

use webhook_service::problems::ConfigProblems;

mod commands;

#[tokio::main]
async fn main() -> ExitCode {
    let invocation = match commands::Invocation::read() {
        Ok(invocation) => invocation,
        Err(ended) => return ended,
    };
    match invocation.run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("webhook-api: {error:#}");
            if error.is::<ConfigProblems>() {
                return ExitCode::from(2);
            }
            ExitCode::FAILURE
        }
    }
}
