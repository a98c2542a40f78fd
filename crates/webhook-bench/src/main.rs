//! Measures the product against a bare loop of the same parts, on servers of its own.
//!
//! `./dev bench [--quick] [scenario…]` prints a table and writes `target/bench.json`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench {
    // What is measured, and against what.
    pub(crate) mod scenarios;

    pub(crate) mod bare;
    pub(crate) mod race;
    pub(crate) mod stack;

    // What it is measured with.
    pub(crate) mod load;
    pub(crate) mod sink;
    pub(crate) mod usage;

    // What is told of it.
    pub(crate) mod report;
}

use bench::report::Report;
use bench::scenarios::{SCENARIOS, Scale};
use bench::stack::Stack;

/// Measures what the product does, beside a bare loop of the same parts
#[derive(Parser)]
#[command(name = "webhook-bench", version)]
struct Options {
    /// A small part of each, in under a minute: whether it runs, not how fast
    #[arg(long)]
    quick: bool,
    /// Only scenarios with this in their name
    scenario: Vec<String>,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// What the product is measured against
    #[command(hide = true)]
    Bare(bench::bare::Bare),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    if let Some(Part::Bare(bare)) = options.part {
        bare.run().await?;
        return Ok(ExitCode::SUCCESS);
    }
    let scale = if options.quick {
        Scale::Quick
    } else {
        Scale::Full
    };
    let chosen = |name: &str| {
        let wanted = &options.scenario;
        wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()))
    };
    let stack = Stack::start().await;
    let mut report = Report::begin();
    for scenario in SCENARIOS.iter().filter(|scenario| chosen(scenario.name)) {
        let row = scenario.work.run(&stack, scale).await?;
        report.add(scenario, row);
    }
    report.write("target/bench.json")?;
    Ok(if report.all_met() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
