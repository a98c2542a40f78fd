//! A storm of hostile traffic: messages broken in every known way, receivers with odd responses,
//! requests that no well-made client sends, and healthy events in between.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinHandle;
use webhook_domain::outside::MAX_REJECTED_BODY_BYTES;
use webhook_domain::{Environment, Event, EventType, RetryPolicy};
use webhook_store::rejected_messages::{self, RejectedMessageFilter};

use crate::{Platform, Receiver, Stranger, StrangersMessage, World, event};

mod answers;
mod messages;
mod reading;
mod requests;

/// The longest time of a healthy event from the publication to the arrival.
const ARRIVES_WITHIN: Duration = Duration::from_secs(2);

/// The pause between two healthy events.
const HEALTHY_PACE: Duration = Duration::from_millis(20);

/// The account of a hostile storm.
#[derive(Debug)]
pub struct Hostilities {
    /// Sent messages and requests.
    pub sent: usize,
    /// Messages without an event.
    pub broken: usize,
    /// Healthy events published meanwhile.
    pub healthy: usize,
    /// The longest time from the publication of a healthy event until the arrival.
    pub slowest: Duration,
    /// Healthy events that did not arrive in time.
    pub late: usize,
    /// Broken messages that are not rejected exactly once, and rejected messages that are not broken.
    pub misjudged: usize,
    /// Requests with a 5xx as answer.
    pub server_errors: Vec<String>,
    /// The longest reason of a rejection, in characters.
    pub longest_reason: usize,
    /// Reads of stored values through the API and as pages.
    pub read: usize,
    /// Reads with an answer other than 200, for instance `500 /admin/events/…`.
    pub unreadable: Vec<String>,
    /// The peak memory of the dispatcher and of the API, in MiB.
    pub peak_mib: (u64, u64),
}

/// Sends about `count` hostile messages and requests; the same seed makes the same messages.
pub async fn hostile(world: World, seed: u64, count: usize) -> Hostilities {
    let amqp_url = world.broker.url.clone();
    let platform = Platform::with_broker(world, &amqp_url).await;
    retry_soon(&platform).await;
    let healthy = Receiver::answering(&[]).await;
    platform
        .create_webhook(&healthy.url, "production", "active", &["license.activated"])
        .await;
    let _hostile = hostile_webhooks(&platform, seed).await;
    let stranger = Stranger::connect(&platform.world).await;

    let over = Arc::new(AtomicBool::new(false));
    let flowing = flow(Stranger::connect(&platform.world).await, over.clone());
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut broken, mut server_errors) = (HashMap::<Vec<u8>, i64>::new(), Vec::new());
    for number in 0..count {
        if number % 4 == 3 {
            server_errors.extend(requests::send(&mut rng, &platform).await);
            continue;
        }
        let message = messages::draw(&mut rng);
        // The broker refuses a message too large for a dispatcher.
        if stranger.publish(&message).await && is_broken(&message) {
            let kept = message.body.len().min(MAX_REJECTED_BODY_BYTES);
            *broken.entry(message.body[..kept].to_vec()).or_default() += 1;
        }
    }
    over.store(true, Ordering::Relaxed);
    let published = flowing.await.expect("no panic");

    let (slowest, late) = arrivals(&platform, &healthy, &published).await;
    let (misjudged, longest_reason) = settle_rejected(&platform, broken.clone()).await;
    let peak_mib = (
        peak_mib(platform.dispatcher.pid()),
        peak_mib(platform.api.pid()),
    );
    start_jobs(&platform).await;
    let (read, unreadable) = reading::read_all(&platform).await;
    let broken = broken.values().sum::<i64>();
    platform.end().await;
    Hostilities {
        sent: count,
        broken: usize::try_from(broken).unwrap_or(0),
        healthy: published.len(),
        slowest,
        late,
        misjudged,
        server_errors,
        longest_reason,
        read,
        unreadable,
        peak_mib,
    }
}

/// Lets the hostile webhooks fail for good within the test.
async fn retry_soon(platform: &Platform) {
    platform
        .world
        .database
        .set_retry_policy(&RetryPolicy {
            max_attempts: 2,
            initial_interval: Duration::from_millis(100),
            timeout: Duration::from_millis(500),
            ..RetryPolicy::default()
        })
        .await;
}

impl Hostilities {
    /// The broken promises, in words.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut check = |holds: bool, fault: String| {
            if !holds {
                faults.push(fault);
            }
        };
        check(
            self.late == 0,
            format!("{} healthy events were late", self.late),
        );
        check(
            self.misjudged == 0,
            format!("{} were misjudged", self.misjudged),
        );
        check(
            self.longest_reason <= 2_000,
            format!("a reason has {} characters", self.longest_reason),
        );
        check(
            self.server_errors.is_empty(),
            format!("server errors: {:?}", self.server_errors),
        );
        check(
            self.unreadable.is_empty(),
            format!("not readable: {:?}", self.unreadable),
        );
        let (dispatcher, api) = self.peak_mib;
        check(
            dispatcher < 256 && api < 256,
            format!("memory: {:?} MiB", self.peak_mib),
        );
        faults
    }
}

/// Creates webhooks whose receivers answer with odd responses.
async fn hostile_webhooks(platform: &Platform, seed: u64) -> Vec<Receiver> {
    let mut receivers = Vec::new();
    for number in 0..6 {
        let receiver =
            Receiver::deciding(move |request, _| answers::draw(seed + number, request)).await;
        let types = ["product.*", "telemetry.flagged"];
        platform
            .create_webhook(&receiver.url, "production", "active", &types)
            .await;
        receivers.push(receiver);
    }
    receivers
}

/// Publishes healthy events at a steady pace until `over` is set.
fn flow(stranger: Stranger, over: Arc<AtomicBool>) -> JoinHandle<Vec<(Event, Instant)>> {
    tokio::spawn(async move {
        let mut published = Vec::new();
        let mut pace = tokio::time::interval(HEALTHY_PACE);
        while !over.load(Ordering::Relaxed) {
            pace.tick().await;
            let event = event(Environment::Production, EventType::LicenseActivated);
            let at = Instant::now();
            let message = StrangersMessage::event(event.body.to_vec());
            assert!(stranger.publish(&message).await, "the broker confirms");
            published.push((event, at));
        }
        stranger.leave().await;
        published
    })
}

/// The longest time until an arrival, and the number of events that did not arrive in time.
async fn arrivals(
    platform: &Platform,
    healthy: &Receiver,
    published: &[(Event, Instant)],
) -> (Duration, usize) {
    let all = async || {
        let bodies = healthy.bodies();
        let mut published = published.iter();
        let all = published.all(|(event, _)| bodies.contains(event.body.as_ref()));
        all.then_some(())
    };
    // An event without an arrival counts as late.
    let _ = tokio::time::timeout(
        Duration::from_secs(15),
        platform.world.patiently("all", all),
    )
    .await;
    let mut arrived: HashMap<Vec<u8>, Instant> = HashMap::new();
    for received in healthy.received() {
        arrived.entry(received.body).or_insert(received.at);
    }
    let took = published.iter().map(|(event, at)| {
        let arrived = arrived.get(event.body.as_ref());
        arrived.map_or(Duration::MAX, |arrived| arrived.duration_since(*at))
    });
    let took: Vec<Duration> = took.collect();
    let late = took.iter().filter(|took| **took > ARRIVES_WITHIN).count();
    (took.into_iter().max().unwrap_or_default(), late)
}

/// Whether a message must be rejected.
fn is_broken(message: &StrangersMessage) -> bool {
    message.exchange.is_empty() || Event::parse(message.body.clone().into()).is_err()
}

/// Waits until as many messages are rejected as are broken. Returns the number of messages that are
/// rejected without being broken, or not as often as they were sent, and the length of the longest
/// reason.
async fn settle_rejected(platform: &Platform, mut broken: HashMap<Vec<u8>, i64>) -> (usize, usize) {
    let expected: i64 = broken.values().sum();
    let all = async || (platform.world.database.set_aside().await >= expected).then_some(());
    let _ = tokio::time::timeout(
        Duration::from_secs(60),
        platform.world.patiently("all", all),
    )
    .await;
    let mut longest = 0;
    let (mut after, filter) = (None, RejectedMessageFilter::default());
    loop {
        let mut connection = platform.world.database.connection().await;
        let page = rejected_messages::list(&mut connection, &filter, after, 500).await;
        let page = page.expect("the page is read");
        let Some(last) = page.last() else {
            break;
        };
        after = Some(last.id);
        for message in page {
            longest = longest.max(message.reason.chars().count());
            let found = rejected_messages::find(&mut connection, message.id).await;
            let (_, body) = found
                .expect("the message is read")
                .expect("the message exists");
            *broken.entry(body).or_default() -= 1;
        }
    }
    let misjudged = broken.values().filter(|count| **count != 0).count();
    (misjudged, longest)
}

/// Starts a retry of failed deliveries and a replay of events, so that there are jobs to read.
async fn start_jobs(platform: &Platform) {
    let retry = json!({"status": "failed"});
    platform.post("/api/v1/deliveries/retry", &retry).await;
    let webhooks = platform.get("/api/v1/webhooks").await;
    let id = webhooks["data"][0]["id"].as_str().expect("an id");
    let replay = json!({"since": "2026-01-01T00:00:00Z"});
    platform
        .post(&format!("/api/v1/webhooks/{id}/replay"), &replay)
        .await;
    let running = async || {
        let (_, page) = platform.ask(Method::GET, "/api/v1/jobs", None).await;
        let jobs = page["data"].as_array()?;
        let mut jobs = jobs.iter();
        jobs.all(|job| job["status"] != "running").then_some(())
    };
    platform.world.patiently("the jobs end", running).await;
}

/// The peak memory of a process, in MiB.
pub fn peak_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line
        .expect("Linux tells the peak")
        .trim()
        .trim_end_matches(" kB");
    kib.parse::<u64>().expect("a number") / 1024
}
