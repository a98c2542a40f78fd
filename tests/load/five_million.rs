//! A log of five million deliveries beside 10,000 webhooks with a backlog each: the time of each list and
//! page. No list and no page may read a large table from start to end.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use reqwest::Client;
use serde_json::Value;
use webhook_tests::{EXPLAIN_ALL, Plan, Servers, Service, Visitor, World, log};

use crate::machine::alone_when_optimised;
use crate::ten_thousand::webhooks::add_webhooks;

/// Deliveries in the log. In a debug build 100,000 are enough for Postgres to make the same plans.
const DELIVERIES: usize = if cfg!(debug_assertions) {
    100_000
} else {
    5_000_000
};

/// An overdue delivery for each of the 10,000 webhooks.
const BACKLOG: &str = include_str!("five_million/backlog.sql");

/// Measured requests of each list, after unmeasured requests.
const TIMES: usize = if cfg!(debug_assertions) { 5 } else { 100 };
const WARM_UP: usize = 3;

/// The bound of a request at p99. Holds for optimised programs only, as `./dev bench` builds.
const BOUND: Duration = Duration::from_millis(50);

/// Every filter alone, every list of events, an explanation: requests within [`BOUND`].
/// `{webhook}` and `{event}` differ from request to request, `{span}` is a day.
const HELD: [&str; 28] = [
    "deliveries",
    "deliveries?webhook_id={webhook}",
    "deliveries?event_id={event}",
    "deliveries?event_type=license.created",
    "deliveries?environment=staging",
    "deliveries?status=pending",
    "deliveries?status=retrying",
    "deliveries?status=succeeded",
    "deliveries?status=failed",
    "deliveries?status=cancelled",
    "deliveries?response=503",
    "deliveries?response=5xx",
    "deliveries?response=2xx",
    "deliveries?response=timeout",
    "deliveries?response=none",
    "deliveries?{span}",
    "deliveries?search=receiver%2077",
    "deliveries?search=rece",
    "deliveries?search=777",
    "events",
    "events?event_type=license.created",
    "events?environment=staging",
    "events?matched=true",
    "events?matched=false",
    "events?{span}",
    "events?limit=200",
    "events?event_type=license.created&environment=staging&matched=false&{span}",
    "events/{event}/explanation",
];

/// Pages of the portal, with a session. `{delivery}` differs from request to request, too.
const PAGES: [&str; 21] = [
    "/admin/overview",
    "/admin/overview?environment=staging&span=30d",
    "/admin/webhooks",
    "/admin/webhooks?search=ab",
    "/admin/webhooks?health=failing&sort=-failure_rate",
    "/admin/webhooks?environment=staging&status=active&event_type=license.created&sort=-response_time",
    "/admin/webhooks?sort=last_delivery",
    "/admin/webhooks/{webhook}",
    "/admin/webhook-deliveries",
    "/admin/webhook-deliveries?webhook_id={webhook}",
    "/admin/webhook-deliveries?status=failed",
    "/admin/webhook-deliveries?status=retrying",
    "/admin/webhook-deliveries?response=5xx",
    "/admin/webhook-deliveries?environment=staging&event_type=license.created",
    "/admin/webhook-deliveries?search=rece",
    "/admin/webhook-deliveries?{span}",
    "/admin/webhook-deliveries/{delivery}",
    "/admin/events",
    "/admin/events?matched=false",
    "/admin/events?{span}",
    "/admin/events/{event}",
];

/// Filters together, the longest pages, totals: measured without a bound, as the time grows with the
/// number of found rows.
const MEASURED: [&str; 10] = [
    "deliveries?status=failed&response=tls&environment=development&event_type=contract.deleted",
    "deliveries?webhook_id={webhook}&status=failed&response=5xx",
    "deliveries?environment=staging&event_type=license.created&{span}",
    "deliveries?search=receiver%2077&status=failed",
    "deliveries?search=rece&status=failed&limit=200",
    "deliveries?status=succeeded&limit=200",
    "deliveries?webhook_id={webhook}&total=true",
    "deliveries?status=failed&total=true",
    "deliveries?{span}&total=true",
    "events/{event}",
];

/// A full log, with a key and the ids for requests.
struct Asked {
    servers: Servers,
    world: World,
    client: Client,
    key: String,
    webhooks: Vec<String>,
    events: Vec<String>,
    deliveries: Vec<String>,
}

/// An API, with a session of the portal.
struct Asks {
    api: Service,
    visitor: Visitor,
}

impl Asked {
    async fn new() -> Self {
        let servers = Servers::start().await;
        let world = World::on(servers.urls()).await;
        let began = Instant::now();
        // Beside the 1,000 webhooks of the log.
        add_webhooks(&world).await;
        world.database.execute(BACKLOG).await;
        log::fill(&world, DELIVERIES).await;
        let made: i64 = world.database.deliveries().await;
        println!("{made} deliveries, written in {:.0?}", began.elapsed());
        let chosen =
            "FROM (SELECT id, event_id, webhook_id FROM deliveries TABLESAMPLE bernoulli (1)
                         ORDER BY random() LIMIT 200) AS chosen";
        Self {
            client: Client::new(),
            key: Service::new_key(&world, "owner").await,
            webhooks: world
                .database
                .ask(&format!("SELECT array_agg(webhook_id::text) {chosen}"))
                .await,
            events: world
                .database
                .ask(&format!("SELECT array_agg(event_id::text) {chosen}"))
                .await,
            deliveries: world
                .database
                .ask(&format!("SELECT array_agg(id::text) {chosen}"))
                .await,
            servers,
            world,
        }
    }

    /// Starts an API with `options` behind the URL of the database.
    async fn api(&self, options: &str) -> Asks {
        let database = format!("{}?{options}", self.world.database.url);
        let api = Service::api_with(
            &self.world,
            &[
                ("AMQP_URL", &self.world.broker.url),
                ("DATABASE_URL", &database),
                ("KEY_RATE_LIMIT", "0"),
            ],
        )
        .await;
        let visitor = Visitor::sign_in(&api, &self.key).await;
        Asks { api, visitor }
    }

    /// Sends a request and returns the JSON of the answer, or `null` for a page of the portal.
    async fn get(&self, asks: &Asks, request: &str, turn: usize) -> Value {
        let since = (Utc::now() - TimeDelta::days(14)).format("%FT%TZ");
        let until = (Utc::now() - TimeDelta::days(13)).format("%FT%TZ");
        let path = request
            .replace("{webhook}", &self.webhooks[turn])
            .replace("{event}", &self.events[turn])
            .replace("{delivery}", &self.deliveries[turn])
            .replace("{span}", &format!("since={since}&until={until}"));
        if path.starts_with('/') {
            let page = asks.visitor.get(&path).await;
            assert_eq!(page.status(), 200, "{path}");
            page.bytes().await.expect("the page is read");
            return Value::Null;
        }
        let url = format!("{}/api/v1/{path}", asks.api.url);
        let asked = self.client.get(url).bearer_auth(&self.key).send().await;
        let answer = asked.expect("the API answers");
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.expect("JSON")
    }

    /// The times of a repeated request, shortest first.
    async fn measure(&self, asks: &Asks, request: &str) -> Vec<Duration> {
        let mut times = Vec::with_capacity(TIMES);
        for turn in 0..WARM_UP + TIMES {
            let began = Instant::now();
            self.get(asks, request, turn).await;
            times.push(began.elapsed());
        }
        let mut times = times.split_off(WARM_UP);
        times.sort_unstable();
        times
    }

    /// The plans of the statements of a request.
    async fn plans(&self, explaining: &Asks, request: &str) -> Vec<Plan> {
        let log = self.servers.postgres_log();
        let skip = std::fs::read(&log).expect("Postgres writes a log").len();
        let answer = self.get(explaining, request, 0).await;
        let found = answer["data"]
            .as_array()
            .is_none_or(|rows| !rows.is_empty());
        assert!(found || !HELD.contains(&request), "{request} finds no row");
        // Not every page reads a large table.
        let statements = if request.starts_with('/') {
            0
        } else if answer["total"].is_number() {
            2
        } else {
            1
        };
        let logged = async || {
            let plans = Plan::read(&log, skip);
            (plans.len() >= statements).then_some(plans)
        };
        self.world.eventually("the plans are logged", logged).await
    }
}

/// Prints the times of a request, and returns the time at p99.
fn print(request: &str, times: &[Duration]) -> Duration {
    let [p50, p99, max] = [TIMES / 2, TIMES * 99 / 100 - 1, TIMES - 1].map(|at| times[at]);
    println!("p50 {p50:>10.2?}  p99 {p99:>10.2?}  max {max:>10.2?}  {request}");
    p99
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_millions_is_listed_and_explained_fast_and_by_index() {
    let _machine = alone_when_optimised().await;
    let asked = Asked::new().await;
    let api = asked.api("").await;
    let explaining = asked.api(EXPLAIN_ALL).await;

    let (mut slow, mut whole) = (Vec::new(), Vec::new());
    for request in HELD.into_iter().chain(PAGES).chain(MEASURED) {
        let p99 = print(request, &asked.measure(&api, request).await);
        if !MEASURED.contains(&request) && p99 > BOUND {
            slow.push((request, p99));
        }
        let plans = asked.plans(&explaining, request).await;
        whole.extend(plans.into_iter().filter(|plan| !plan.goes_by_index()));
    }

    assert!(whole.is_empty(), "{whole:#?}");
    assert!(cfg!(debug_assertions) || slow.is_empty(), "{slow:?}");
    api.api.kill().await;
    explaining.api.kill().await;
    asked.world.end().await;
}
