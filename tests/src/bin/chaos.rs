//! `./dev chaos [--short] [scenario…]`: every fault, in full or as in the tests, and the cost.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use futures_util::future::join_all;
use webhook_tests::chaos::{
    Account, Alerts, Outage, SCENARIOS, SITUATIONS, Scale, discord_burst, discord_that_refuses,
    flood, hostile, isolation, lost_nodes, promoted_standby, rolling_upgrade,
};
use webhook_tests::zoo::{Extent, ReceiverAccount, table, zoo};
use webhook_tests::{Platform, Servers, World};

/// The scenarios to be tried.
struct Choice {
    short: bool,
    wanted: Vec<String>,
}

impl Choice {
    fn has(&self, name: &str) -> bool {
        let mut wanted = self.wanted.iter();
        self.wanted.is_empty() || wanted.any(|word| name.contains(word.as_str()))
    }

    /// Whether a scenario that takes very long is to be tried.
    fn is_asked_for(&self, name: &str) -> bool {
        self.wanted.iter().any(|wanted| wanted == name)
    }

    /// The size of storms over whole servers.
    fn fleet(&self) -> Scale {
        Scale::new(self.of(20_000, 2_000), 1, Duration::ZERO)
    }

    /// The scenarios in full, without `--short`.
    fn of<T>(&self, full: T, short: T) -> T {
        if self.short { short } else { full }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("off")).init();
    let (options, wanted): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|a| a.starts_with("--"));
    let choice = Choice {
        short: options.iter().any(|option| option == "--short"),
        wanted,
    };
    let servers = Servers::start().await;
    let mut kept = strike(&servers, &choice).await;
    if choice.has("nodes") {
        kept &= settle("nodes of RabbitMQ lost", &lost_nodes(choice.fleet()).await);
    }
    if choice.has("standby") {
        kept &= settle(
            "a standby promoted",
            &promoted_standby(choice.fleet()).await,
        );
    }
    if let Some(previous) = previous_release().filter(|_| choice.is_asked_for("upgrade")) {
        let upgrade = rolling_upgrade(&servers, &previous, choice.fleet()).await;
        kept &= settle("rolling upgrade", &upgrade);
    }
    if choice.has("flood") {
        kept &= hang(&servers, &choice).await;
    }
    if choice.has("isolation") {
        kept &= isolate(&servers).await;
    }
    if choice.has("hostile") {
        kept &= storm(&servers, &choice).await;
    }
    if choice.has("discord") {
        kept &= keep_discords_limits(&servers, &choice).await;
    }
    if choice.has("zoo") {
        kept &= visit(&servers, &choice).await;
    }
    // The scenario takes half an hour, and runs only when asked for.
    if choice.is_asked_for("outage") {
        kept &= fail(&servers, &choice).await;
    }
    if choice.is_asked_for("alerts") {
        kept &= alert(&choice).await;
    }
    if kept {
        return ExitCode::SUCCESS;
    }
    eprintln!("a promise was broken");
    ExitCode::FAILURE
}

/// Faults under load. Tells whether all promises were kept, as the other scenarios do.
async fn strike(servers: &Servers, choice: &Choice) -> bool {
    let mut kept = true;
    println!(
        "{:<30} {:>8} {:>11} {:>10} {:>10} {:>5} {:>10} {:>9} {:>9}",
        "fault",
        "events",
        "deliveries",
        "duplicates",
        "in flight",
        "lost",
        "set aside",
        "recovery",
        "silence"
    );
    for scenario in SCENARIOS.iter().filter(|s| choice.has(s.name)) {
        let scale = choice.of(scenario.full, scenario.short);
        kept &= settle(scenario.name, &scenario.fault.run(servers, scale).await);
    }
    kept
}

/// Prints the account of a storm. Tells whether the promises were kept.
fn settle(name: &str, account: &Account) -> bool {
    println!(
        "{name:<30} {:>8} {:>11} {:>10} {:>10} {:>5} {:>10} {:>7.2} s {:>7.2} s",
        account.events,
        account.deliveries,
        account.duplicates,
        account.in_flight,
        account.lost,
        account.set_aside,
        account.recovery.as_secs_f64(),
        account.silence.as_secs_f64()
    );
    account.kept()
}

/// The folder with the programs of the release before this one, which `./dev chaos upgrade` builds.
fn previous_release() -> Option<PathBuf> {
    std::env::var_os("PREVIOUS_RELEASE").map(PathBuf::from)
}

/// Every situation at once, each with servers of its own, as alerts take minutes.
async fn alert(choice: &Choice) -> bool {
    let lasts = Duration::from_secs(choice.of(360, 200));
    let runs = SITUATIONS
        .iter()
        .map(|situation| async move { (situation, situation.run(lasts).await) });
    let mut kept = true;
    for (situation, alerts) in join_all(runs).await {
        let Alerts {
            fired,
            late,
            wrong,
            dashboards,
        } = alerts;
        kept &= late.is_empty() && wrong.is_empty() && dashboards.refused.is_empty();
        println!(
            "alerts, {}, watched for {} s:",
            situation.name,
            lasts.as_secs()
        );
        for (name, after) in &fired {
            println!("  {name} fires after {:.0} s", after.as_secs_f64());
        }
        for name in late {
            println!("  not kept: {name} is late or never fires");
        }
        for name in wrong {
            println!("  not kept: {name} has no reason");
        }
        println!(
            "  dashboards: {} queries with data, {} without",
            dashboards.with_data, dashboards.empty
        );
        for query in dashboards.refused {
            println!("  not kept: Prometheus refuses {query}");
        }
    }
    kept
}

async fn hang(servers: &Servers, choice: &Choice) -> bool {
    let world = World::on(servers.urls()).await;
    let flood = flood(world, choice.of(200_000, 10_000)).await;
    println!(
        "flood: {} events wait for receivers that hang; one worker had {} MiB at most (bound: 256); \
         a healthy webhook that was added then was served after {:.2} s",
        flood.events,
        flood.peak_mib,
        flood.served_after.as_secs_f64()
    );
    flood.peak_mib < 256
}

async fn isolate(servers: &Servers) -> bool {
    let isolation = isolation(World::on(servers.urls()).await, 100, 150, 5).await;
    let ratio = isolation.beside.as_secs_f64() / isolation.alone.as_secs_f64();
    println!(
        "isolation: p99 from publishing to arrival at 100 healthy webhooks: {:.1} ms alone, \
         {:.1} ms beside 100 that hang, ratio {ratio:.2} (bound: 1.5)",
        isolation.alone.as_secs_f64() * 1e3,
        isolation.beside.as_secs_f64() * 1e3,
    );
    ratio <= 1.5
}

async fn storm(servers: &Servers, choice: &Choice) -> bool {
    let (seeds, count) = choice.of((5, 20_000), (1, 2_000));
    let mut kept = true;
    for seed in 0..seeds {
        let storm = hostile(World::on(servers.urls()).await, seed, count).await;
        println!(
            "hostile, seed {seed}: {} sent, {} broken; {} healthy events beside them, the slowest \
             after {:.2} s (bound: 2); {} pages and answers read again; dispatcher {} MiB, API {} MiB \
             (bound: 256)",
            storm.sent,
            storm.broken,
            storm.healthy,
            storm.slowest.as_secs_f64(),
            storm.read,
            storm.peak_mib.0,
            storm.peak_mib.1
        );
        for fault in storm.faults() {
            kept = false;
            println!("  not kept: {fault}");
        }
    }
    kept
}

/// A burst at Discord's pace, and a Discord that refuses every request for a minute.
async fn keep_discords_limits(servers: &Servers, choice: &Choice) -> bool {
    let world = World::on(servers.urls()).await;
    let amqp_url = world.broker.url.clone();
    let platform = Platform::with_broker(world, &amqp_url).await;
    let burst = discord_burst(&platform, choice.of(40, 6)).await;
    println!(
        "discord: {} of {} events arrived in {:.1} s, {} invalid requests (bound: 0)",
        burst.messages,
        burst.events,
        burst.lasted.as_secs_f64(),
        burst.invalid_requests
    );
    platform.end().await;
    let world = World::on(servers.urls()).await;
    let amqp_url = world.broker.url.clone();
    let platform = Platform::with_broker(world, &amqp_url).await;
    let span = Duration::from_secs(choice.of(60, 3));
    let refused = discord_that_refuses(&platform, span).await;
    println!(
        "discord, 429 for {} s: {} of {} events arrived after {} refusals, circuit {}",
        span.as_secs(),
        refused.messages,
        refused.events,
        refused.invalid_requests,
        refused.circuit
    );
    platform.end().await;
    let all_came = burst.messages == burst.events && refused.messages == refused.events;
    all_came && burst.invalid_requests == 0 && refused.circuit == "closed"
}

async fn visit(servers: &Servers, choice: &Choice) -> bool {
    let extent = choice.of(Extent::Full, Extent::Short);
    let accounts = zoo(World::on(servers.urls()).await, extent).await;
    print!("{}", table(&accounts));
    accounts.iter().all(ReceiverAccount::kept)
}

async fn fail(servers: &Servers, choice: &Choice) -> bool {
    let lasts = Duration::from_secs(choice.of(25 * 60, 60));
    let run = async |outage: Outage| {
        let world = World::on(servers.urls()).await;
        (outage, outage.run(world, 1_500, lasts).await)
    };
    let (read_only, full) = tokio::join!(run(Outage::ReadOnly), run(Outage::Full));
    let mut kept = true;
    for (outage, account) in [read_only, full] {
        kept &= account.lost == 0 && account.set_aside == 0;
        println!(
            "outage, {outage:?} for {} s: {} events waited, {} lost, {} set aside, all there after \
             {:.2} s; {} lines in a dispatcher's log",
            lasts.as_secs(),
            account.events,
            account.lost,
            account.set_aside,
            account.recovery.as_secs_f64(),
            account.log_lines
        );
    }
    kept
}
