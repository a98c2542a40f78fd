//! Health and metrics of both programs, on their listeners for operators.

use std::collections::HashMap;

use webhook_tests::{Platform, Service, World, free_port};

mod metrics;
mod spans;
mod start;
mod totals;
mod traces;

/// The page of metrics, by series: `name{label="value"}`.
struct Scrape(HashMap<String, f64>);

impl Scrape {
    async fn of(address: &str) -> Self {
        let page = reqwest::get(format!("http://{address}/metrics")).await;
        let text = page.expect("a page").text().await.expect("text");
        let lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let series = lines.map(|line| {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            (series.to_owned(), value.parse().expect("a number"))
        });
        Self(series.collect())
    }

    /// The value of a series; panics if the page has no such series.
    fn value(&self, series: &str) -> f64 {
        let found = self.0.get(series);
        *found.unwrap_or_else(|| panic!("no {series} in {:#?}", self.0.keys()))
    }
}

/// The status of a path, and the body as text.
async fn look(address: &str, path: &str) -> (u16, String) {
    let page = reqwest::get(format!("http://{address}{path}")).await;
    let page = page.expect("the endpoint replies");
    (page.status().as_u16(), page.text().await.expect("text"))
}

/// Both programs, with the addresses of their endpoints for operators.
struct Watched {
    platform: Platform,
    api: String,
    dispatcher: String,
}

impl Watched {
    async fn new() -> Self {
        let [api, dispatcher] = [(); 2].map(|()| format!("127.0.0.1:{}", free_port()));
        let variables = [
            ("OPERATIONS_LISTEN", &*dispatcher),
            ("LEASE_MS", "4000"),
            ("METRICS_PER_WEBHOOK", "true"),
        ];
        let mut platform = Platform::with_dispatcher(&variables).await;
        platform.api = api_at(&platform.world, &api).await;
        Self {
            platform,
            api,
            dispatcher,
        }
    }
}

async fn api_at(world: &World, address: &str) -> Service {
    let variables = [("OPERATIONS_LISTEN", address), ("KEY_RATE_LIMIT", "0")];
    Service::api_with(world, &variables).await
}
