#![doc = include_str!("../README.md")]

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use tikv_jemallocator::Jemalloc;

mod bench {
    // The measurements.
    pub(crate) mod scenarios;

    // The testbed and the workers.
    pub(crate) mod bare;
    pub(crate) mod stack;
    pub(crate) mod testbed;
    pub(crate) mod worker;

    // The load.
    pub(crate) mod broker;
    pub(crate) mod load;
    pub(crate) mod post;
    pub(crate) mod sink;

    // The readings.
    pub(crate) mod meter;
    pub(crate) mod ready;
    pub(crate) mod usage;

    // The results.
    pub(crate) mod measure;
    pub(crate) mod report;
}

use bench::report::Report;
use bench::scenarios::Scenario;
use bench::scenarios::scale::Scale;
use bench::stack::Stack;

/// The same allocator as in the product, for the bare loop.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Measures the product beside a bare loop of the same parts
#[derive(Parser)]
#[command(name = "webhook-bench", version)]
struct Options {
    /// A small part of each scenario, in under a minute: checks that all run, measures no speed
    #[arg(long)]
    quick: bool,
    /// Parts of names: only scenarios with one of these
    scenario: Vec<String>,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// The bare loop
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
    // A hanging receiver holds a file descriptor for each request.
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
            println!("quick: all scenarios run; no bound was checked");
            ExitCode::SUCCESS
        }
        Scale::Full if report.all_met() => ExitCode::SUCCESS,
        Scale::Full => ExitCode::FAILURE,
    })
}
