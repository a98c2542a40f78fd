//! `./dev chaos [--short] [scenario…]`: every fault, in full or as in the tests, and what it cost.

use std::process::ExitCode;

use std::time::Duration;

use webhook_tests::chaos::{Outage, SCENARIOS, flood, hostile, isolation};
use webhook_tests::{Servers, World};

#[tokio::main]
async fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("off")).init();
    let (options, wanted): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|a| a.starts_with("--"));
    let short = options.iter().any(|option| option == "--short");
    let chosen = |name: &str| wanted.is_empty() || wanted.iter().any(|w| name.contains(w.as_str()));
    let servers = Servers::start().await;
    let mut kept = true;
    println!(
        "{:<30} {:>8} {:>11} {:>10} {:>10} {:>5} {:>10} {:>9}",
        "fault", "events", "deliveries", "duplicates", "in flight", "lost", "set aside", "recovery"
    );
    for scenario in SCENARIOS.iter().filter(|s| chosen(s.name)) {
        let scale = if short { scenario.short } else { scenario.full };
        let account = scenario.fault.run(&servers, scale).await;
        kept &= account.lost == 0 && account.set_aside == 0;
        kept &= account.duplicates <= account.in_flight;
        println!(
            "{:<30} {:>8} {:>11} {:>10} {:>10} {:>5} {:>10} {:>7.2} s",
            scenario.name,
            account.events,
            account.deliveries,
            account.duplicates,
            account.in_flight,
            account.lost,
            account.set_aside,
            account.recovery.as_secs_f64()
        );
    }
    if chosen("flood") {
        let flood = flood(
            World::on(servers.urls()).await,
            if short { 10_000 } else { 200_000 },
        )
        .await;
        kept &= flood.peak_mib < 256;
        println!(
            "flood: {} events wait for receivers that hang; one worker had {} MiB at most (bound: 256); \
             a healthy webhook that was added then was served after {:.2} s",
            flood.events,
            flood.peak_mib,
            flood.served_after.as_secs_f64()
        );
    }
    if chosen("isolation") {
        let isolation = isolation(World::on(servers.urls()).await, 100, 150, 5).await;
        let ratio = isolation.beside.as_secs_f64() / isolation.alone.as_secs_f64();
        kept &= ratio <= 1.5;
        println!(
            "isolation: p99 from publishing to arrival at 100 healthy webhooks: {:.1} ms alone, \
             {:.1} ms beside 100 that hang, ratio {ratio:.2} (bound: 1.5)",
            isolation.alone.as_secs_f64() * 1e3,
            isolation.beside.as_secs_f64() * 1e3,
        );
    }
    if chosen("hostile") {
        let (seeds, count) = if short { (1, 2_000) } else { (5, 20_000) };
        for seed in 0..seeds {
            let storm = hostile(World::on(servers.urls()).await, seed, count).await;
            kept &= storm.faults().is_empty();
            println!(
                "hostile, seed {seed}: {} sent, {} broken; {} healthy events beside them, the slowest after {:.2} s \
                 (bound: 2); {} pages and answers read again; dispatcher {} MiB, API {} MiB (bound: 256)",
                storm.sent,
                storm.broken,
                storm.healthy,
                storm.slowest.as_secs_f64(),
                storm.read,
                storm.peak_mib.0,
                storm.peak_mib.1
            );
            for fault in storm.faults() {
                println!("  not kept: {fault}");
            }
        }
    }
    // It takes half an hour, so only if it is asked for.
    if wanted.iter().any(|name| name == "outage") {
        let lasts = Duration::from_secs(if short { 60 } else { 25 * 60 });
        let run = async |outage: Outage| {
            let world = World::on(servers.urls()).await;
            (outage, outage.run(world, 1_500, lasts).await)
        };
        let (read_only, full) = tokio::join!(run(Outage::ReadOnly), run(Outage::Full));
        for (outage, account) in [read_only, full] {
            kept &= account.lost == 0 && account.set_aside == 0;
            println!(
                "outage, {outage:?} for {} s: {} events waited, {} lost, {} set aside, all there after {:.2} s; \
                 {} lines in a dispatcher's log",
                lasts.as_secs(),
                account.events,
                account.lost,
                account.set_aside,
                account.recovery.as_secs_f64(),
                account.log_lines
            );
        }
    }
    if kept {
        return ExitCode::SUCCESS;
    }
    eprintln!("a promise was broken");
    ExitCode::FAILURE
}
