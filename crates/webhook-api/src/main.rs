//! The API's process: the command of an operator, exit code.

use std::process::ExitCode;

use tokio::runtime::Runtime;
use webhook_service::problems::ConfigProblems;

mod commands;

fn main() -> ExitCode {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("webhook-api: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(run());
    // A name that is still being looked up by the system holds up no exit.
    runtime.shutdown_background();
    code
}

async fn run() -> ExitCode {
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
