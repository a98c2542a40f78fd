//! What a dispatcher and an API take: memory, the time to start, the disk.

use std::time::{Duration, Instant};

use webhook_tests::{Service, World};

use super::Scale;
use super::ingest::post_singles;
use super::races::plain_drain;
use crate::bench::course::Course;
use crate::bench::measure::{Bound, Measure};
use crate::bench::ready::{free_address, is_ready};
use crate::bench::stack::Stack;
use crate::bench::usage::Group;

/// How often it is asked whether it is ready, which is as exact as the time is known.
const LOOK: Duration = Duration::from_millis(2);

/// The most memory of one that does nothing and of one that does all it can, in MiB.
const IDLE_MIB: f64 = 30.0;
const BUSY_MIB: f64 = 150.0;

/// The longest start, in milliseconds.
const READY_MS: f64 = 300.0;

/// A program of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Dispatcher,
    Api,
}

/// One that was started.
struct Started {
    service: Service,
    ready_ms: f64,
}

/// Measures both.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let mut measures = Vec::new();
    for program in [Program::Dispatcher, Program::Api] {
        let (mut ready, mut idle, mut bytes) = (Vec::new(), Vec::new(), 0.0);
        for _ in 0..scale.choose(1, 5) {
            // An exchange and a queue are there already, as they are in production.
            let course = Course::new(stack).await?;
            let started = program.start(&course.world).await?;
            tokio::time::sleep(Duration::from_millis(scale.choose(500, 5_000))).await;
            ready.push(started.ready_ms);
            idle.push(Group::process(started.service.pid()).usage().rss_mib);
            bytes = binary_mib(&started.service)?;
            started.service.kill().await;
            course.end().await;
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
            of(
                "binary",
                "MiB",
                &[bytes],
                Bound::Told("what it takes on the disk"),
            ),
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

    /// Starts it and waits until it says that it is ready.
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
                "it is never ready"
            );
            tokio::time::sleep(LOOK).await;
        }
        let ready_ms = began.elapsed().as_secs_f64() * 1_000.0;
        Ok(Started { service, ready_ms })
    }

    /// The most that it had while it did as much as it can.
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
