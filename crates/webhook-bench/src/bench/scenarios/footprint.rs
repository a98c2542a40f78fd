//! The footprint of dispatcher and API: memory, time to start, size on disk.

use std::time::{Duration, Instant};

use webhook_tests::{Service, World};

use super::ingest::post_singles;
use super::races::plain_drain;
use super::scale::Scale;
use crate::bench::measure::{Bound, Measure};
use crate::bench::ready::{free_address, is_ready};
use crate::bench::stack::Stack;
use crate::bench::testbed::Testbed;
use crate::bench::usage::Group;

/// Interval between two readiness checks, and so the precision of the start time.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// Most memory of an idle program, in MiB, and of a busy program.
const IDLE_MIB: f64 = 30.0;
const BUSY_MIB: f64 = 150.0;

/// Longest start until readiness, in milliseconds.
const READY_MS: f64 = 300.0;

/// A program under measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Dispatcher,
    Api,
}

/// A started program.
struct Started {
    service: Service,
    ready_ms: f64,
}

/// Measures both programs.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let mut measures = Vec::new();
    for program in [Program::Dispatcher, Program::Api] {
        let (mut ready, mut idle, mut bytes) = (Vec::new(), Vec::new(), 0.0);
        for _ in 0..scale.choose(1, 5) {
            // Exchange and queue exist already, as in production.
            let testbed = Testbed::new(stack).await?;
            let started = program.start(&testbed.world).await?;
            tokio::time::sleep(Duration::from_millis(scale.choose(500, 5_000))).await;
            ready.push(started.ready_ms);
            idle.push(Group::process(started.service.pid()).usage().rss_mib);
            bytes = binary_mib(&started.service)?;
            started.service.kill().await;
            testbed.end().await;
        }
        let busy = program.busy_mib(stack, scale).await?;
        let of = |what: &str, unit, figures: &[f64], bound| {
            Measure::new(
                &format!("{name} {}, {what}", program.name()),
                unit,
                figures,
                bound,
            )
        };
        measures.extend([
            of("idle", "MiB", &idle, Bound::AtMost(IDLE_MIB)),
            of("busy", "MiB", &[busy], Bound::AtMost(BUSY_MIB)),
            of("ready", "ms", &ready, Bound::AtMost(READY_MS)),
            of("binary", "MiB", &[bytes], Bound::Unbounded("size on disk")),
        ]);
    }
    Ok(measures)
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Dispatcher => "dispatcher",
            Self::Api => "API",
        }
    }

    /// Starts the program and waits until the program is ready.
    async fn start(self, world: &World) -> anyhow::Result<Started> {
        let address = free_address()?;
        let began = Instant::now();
        let service = match self {
            Self::Dispatcher => Service::dispatcher_at(world, &address),
            Self::Api => Service::api_with(world, &[("LISTEN", &address)]).await,
        };
        while !is_ready(&address).await {
            anyhow::ensure!(
                began.elapsed() < Duration::from_secs(60),
                "the program is not ready after 60 s"
            );
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        let ready_ms = began.elapsed().as_secs_f64() * 1_000.0;
        Ok(Started { service, ready_ms })
    }

    /// Peak memory under full load, in MiB.
    async fn busy_mib(self, stack: &Stack, scale: Scale) -> anyhow::Result<f64> {
        let events = scale.choose(3_000, 60_000);
        let (run, part) = match self {
            Self::Dispatcher => (plain_drain(stack, events).await?, "worker"),
            Self::Api => (post_singles(stack, events).await?, "api"),
        };
        Ok(run
            .costs
            .get(part)
            .map_or(f64::NAN, |used| used.peak_rss_mib))
    }
}

#[allow(clippy::cast_precision_loss, reason = "no program is that large")]
fn binary_mib(service: &Service) -> anyhow::Result<f64> {
    let file = std::fs::metadata(format!("/proc/{}/exe", service.pid()))?;
    Ok(file.len() as f64 / 1_048_576.0)
}
