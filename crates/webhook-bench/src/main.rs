//! Measures the product against a bare loop of the same parts, on servers of its own.
//!
//! `./dev bench [--quick] [scenario…]` prints a table and writes `target/bench.json`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use tikv_jemallocator::Jemalloc;

mod bench {
    // What is measured.
    pub(crate) mod scenarios;

    // Where that happens, and who works there.
    pub(crate) mod bare;
    pub(crate) mod course;
    pub(crate) mod stack;
    pub(crate) mod worker;

    // What it is given to do.
    pub(crate) mod broker;
    pub(crate) mod load;
    pub(crate) mod post;
    pub(crate) mod sink;

    // What is read of it.
    pub(crate) mod meter;
    pub(crate) mod ready;
    pub(crate) mod usage;

    // What is told of it.
    pub(crate) mod measure;
    pub(crate) mod report;
}

use bench::report::Report;
use bench::scenarios::{Scale, Scenario};
use bench::stack::Stack;

/// The bare loop has what the product has.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

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
    let wanted = &options.scenario;
    let chosen = |scenario: &Scenario| {
        wanted.is_empty() || wanted.iter().any(|part| scenario.name().contains(part))
    };
    // A receiver that hangs takes a file descriptor for each request.
    rlimit::increase_nofile_limit(u64::MAX).context("cannot raise the file limit")?;
    let stack = Stack::start().await;
    let mut report = Report::begin();
    for scenario in Scenario::ALL.into_iter().filter(chosen) {
        for measure in Box::pin(scenario.measure(&stack, scale)).await? {
            report.add(&measure);
        }
    }
    report.write(Path::new("target/bench.json"))?;
    Ok(match scale {
        Scale::Quick => {
            println!("quick: whether it runs; no bound decides anything");
            ExitCode::SUCCESS
        }
        Scale::Full if report.all_met() => ExitCode::SUCCESS,
        Scale::Full => ExitCode::FAILURE,
    })
}
