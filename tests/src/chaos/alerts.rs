//! Alerts under faults, as a real Prometheus evaluates them: the right alert fires in time, and no other.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::dashboards::{Answered, ask_dashboards};
use crate::{Alarm, Receiver, Servers, Service, WebhookSample, World, free_port};

/// How often alerts are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The pause between two events of the load.
const PACE: Duration = Duration::from_millis(200);

/// How long an event may take over HTTP.
const PATIENCE: Duration = Duration::from_secs(10);

/// Held by the situation whose servers start.
static OPENING: Mutex<()> = Mutex::const_new(());

/// What goes wrong in a situation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    Nothing,
    /// Both dispatchers are killed.
    NoDispatcher,
    /// Postgres is stopped.
    NoPostgres,
    /// RabbitMQ has a disk alarm.
    BlockedBroker,
    /// The only receiver answers 500.
    DeadReceiver,
}

/// A trouble with the alerts that must fire, each within seconds, and those that may.
pub struct Situation {
    /// The trouble.
    pub trouble: Trouble,
    /// The trouble in words.
    pub name: &'static str,
    /// The alerts that fire within this number of seconds.
    pub expected: &'static [(&'static str, u64)],
    /// Alerts that may fire as well: what follows from the trouble.
    pub allowed: &'static [&'static str],
}

/// The situations. An alert fires after its `for`, a few looks of Prometheus, and the interval of what it measures.
pub const SITUATIONS: &[Situation] = &[
    Situation {
        trouble: Trouble::Nothing,
        name: "nothing is wrong",
        expected: &[],
        allowed: &[],
    },
    Situation {
        trouble: Trouble::NoDispatcher,
        name: "no dispatcher runs",
        expected: &[
            ("WebhookDispatchersAbsent", 140),
            ("WebhookTargetDown", 320),
        ],
        allowed: &[],
    },
    Situation {
        trouble: Trouble::NoPostgres,
        name: "Postgres is away",
        expected: &[("WebhookPostgresAway", 150), ("WebhookIntakeAbsent", 300)],
        allowed: &[
            "WebhookApiErrors",
            "WebhookIntakeStuck",
            "WebhookNotReady",
            "WebhookRecorderStuck",
            "WebhookTotalsUncounted",
        ],
    },
    Situation {
        trouble: Trouble::BlockedBroker,
        name: "RabbitMQ has a disk alarm",
        expected: &[
            ("WebhookBrokerBlocked", 140),
            ("WebhookPublishingFails", 300),
        ],
        allowed: &["WebhookNotReady", "WebhookApiErrors"],
    },
    Situation {
        trouble: Trouble::DeadReceiver,
        name: "a receiver answers 500",
        expected: &[],
        allowed: &[],
    },
];

/// The alerts of a situation.
#[derive(Debug)]
pub struct Alerts {
    /// Each alert that fired, and when, counted from the beginning of the trouble.
    pub fired: BTreeMap<String, Duration>,
    /// Expected alerts that fired too late or never.
    pub late: Vec<&'static str>,
    /// Alerts that neither had to fire nor may.
    pub wrong: Vec<String>,
    /// The answers to the queries of the dashboards, at the end.
    pub dashboards: Answered,
}

impl Situation {
    /// Looks at the alerts for as long as the trouble lasts.
    pub async fn run(&self, lasts: Duration) -> Alerts {
        // One after the other: a machine that starts all servers at once delivers late, and an alert says so.
        let turn = OPENING.lock().await;
        let servers = Servers::start().await;
        let mut scene = Scene::open(&servers, self.trouble).await;
        drop(turn);
        // Rates need some minutes of a sound past, as in production.
        let before = scene.watch(Duration::from_secs(30)).await;
        scene.begin(self.trouble, &servers).await;
        let mut fired = scene.watch(lasts).await;
        fired.extend(before);
        let dashboards = ask_dashboards(&scene.client, &scene.prometheus).await;
        scene.close();
        self.judge(fired, dashboards, lasts)
    }

    fn judge(
        &self,
        fired: BTreeMap<String, Duration>,
        dashboards: Answered,
        lasts: Duration,
    ) -> Alerts {
        let late = self.expected.iter().filter(|(name, within)| {
            let within = Duration::from_secs(*within);
            // A short run ends before some alerts are due.
            within <= lasts && fired.get(*name).is_none_or(|at| *at > within)
        });
        let is_known = |name: &str| {
            self.allowed.contains(&name) || self.expected.iter().any(|(one, _)| *one == name)
        };
        let wrong = fired.keys().filter(|name| !is_known(name));
        Alerts {
            late: late.map(|(name, _)| *name).collect(),
            wrong: wrong.cloned().collect(),
            fired,
            dashboards,
        }
    }
}

/// The platform under a light load, with a Prometheus.
struct Scene {
    dispatchers: Vec<Service>,
    api: Service,
    prometheus: String,
    load: JoinHandle<()>,
    client: Client,
}

impl Scene {
    async fn open(servers: &Servers, trouble: Trouble) -> Self {
        let world = World::on(servers.urls()).await;
        let receiver = match trouble {
            Trouble::DeadReceiver => Receiver::deciding(|_, _| crate::Answer::Status(500)).await,
            Trouble::Nothing
            | Trouble::NoDispatcher
            | Trouble::NoPostgres
            | Trouble::BlockedBroker => Receiver::answering(&[]).await,
        };
        let sample = WebhookSample::at(&receiver.url);
        sample.store(&mut world.database.connection().await).await;
        let ports = [free_port(), free_port(), free_port()];
        let listen = ports.map(|port| format!("127.0.0.1:{port}"));
        let variables = [
            ("OPERATIONS_LISTEN", listen[0].as_str()),
            ("KEY_RATE_LIMIT", "0"),
        ];
        let api = Service::api_with(&world, &variables).await;
        let dispatchers = listen[1..]
            .iter()
            .map(|listen| Service::dispatcher_at(&world, listen));
        let dispatchers = dispatchers.collect();
        let consumers = async || world.broker.consumers().await == 2;
        world.until("both dispatchers consume", consumers).await;
        let key = Service::new_key(&world, "owner").await;
        let targets = [
            ("webhook-api", ports[0]),
            ("webhook-dispatcher", ports[1]),
            ("webhook-dispatcher", ports[2]),
        ];
        let client = Client::new();
        let load = publish_for_ever(client.clone(), api.url.clone(), key);
        Self {
            dispatchers,
            api,
            prometheus: servers.start_prometheus(&targets).await,
            load: tokio::spawn(load),
            client,
        }
    }

    async fn begin(&mut self, trouble: Trouble, servers: &Servers) {
        match trouble {
            Trouble::Nothing | Trouble::DeadReceiver => {}
            Trouble::NoDispatcher => {
                for dispatcher in self.dispatchers.drain(..) {
                    dispatcher.kill().await;
                }
            }
            Trouble::NoPostgres => servers.stop_postgres().await,
            Trouble::BlockedBroker => servers.set_alarm(Alarm::Disk, true).await,
        }
    }

    /// The alerts that fire within a time, and when.
    async fn watch(&self, lasts: Duration) -> BTreeMap<String, Duration> {
        let (began, mut fired) = (Instant::now(), BTreeMap::new());
        let mut look = tokio::time::interval(LOOK);
        while began.elapsed() < lasts {
            look.tick().await;
            for name in self.firing().await {
                fired.entry(name).or_insert_with(|| began.elapsed());
            }
        }
        fired
    }

    async fn firing(&self) -> Vec<String> {
        let url = format!("{}/api/v1/alerts", self.prometheus);
        let response = self
            .client
            .get(url)
            .send()
            .await
            .expect("Prometheus answers");
        let body: Value = response.json().await.expect("JSON");
        let alerts = body["data"]["alerts"].as_array().expect("alerts");
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        let names = firing.filter_map(|alert| alert["labels"]["alertname"].as_str());
        names.map(str::to_owned).collect()
    }

    fn close(self) {
        self.load.abort();
        drop((self.api, self.dispatchers));
    }
}

/// Publishes events over HTTP, each without waiting for the one before.
async fn publish_for_ever(client: Client, api: String, key: String) {
    let mut pace = tokio::time::interval(PACE);
    loop {
        pace.tick().await;
        // The API assigns the time, from which an alert counts how late a first attempt is.
        let event = json!({"type": "license.activated", "environment": "production", "data": {}});
        let request = client.post(format!("{api}/api/v1/events"));
        let request = request.bearer_auth(&key).timeout(PATIENCE);
        tokio::spawn(request.json(&event).send());
    }
}
