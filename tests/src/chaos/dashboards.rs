//! The queries of the dashboards, asked of a real Prometheus that watches the platform.

use std::path::Path;

use reqwest::Client;
use serde_json::Value;
use url::Url;

/// Grafana's variables, and what stands in their place.
const VARIABLES: [(&str, &str); 4] = [
    ("$__rate_interval", "1m"),
    ("$__range", "5m"),
    ("$job", ".*"),
    ("$instance", ".*"),
];

/// The answers to all queries of the dashboards.
#[derive(Debug, Default)]
pub struct Answered {
    /// Queries with at least one series.
    pub with_data: usize,
    /// Queries without a series, such as those about faults that did not happen.
    pub empty: usize,
    /// Queries that Prometheus refuses, with the reason.
    pub refused: Vec<String>,
}

/// Asks every query of every dashboard in `deploy/grafana`.
pub(super) async fn ask_dashboards(client: &Client, prometheus: &str) -> Answered {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/grafana");
    let mut answered = Answered::default();
    for file in std::fs::read_dir(folder).expect("the dashboards") {
        let path = file.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(path).expect("a dashboard");
        let dashboard: Value = serde_json::from_str(&text).expect("JSON");
        let mut queries = Vec::new();
        collect(&dashboard, &mut queries);
        for query in queries {
            answered.add(&query, &ask(client, prometheus, &query).await);
        }
    }
    answered
}

impl Answered {
    fn add(&mut self, query: &str, answer: &Value) {
        match answer["data"]["result"].as_array() {
            None => self.refused.push(format!("{query}: {}", answer["error"])),
            Some(series) if series.is_empty() => self.empty += 1,
            Some(_) => self.with_data += 1,
        }
    }
}

/// Collects the queries of panels, and of panels in rows.
fn collect(value: &Value, queries: &mut Vec<String>) {
    for target in value["targets"].as_array().into_iter().flatten() {
        if let Some(query) = target["expr"].as_str() {
            let with_values =
                |query: String, (name, value): &(&str, &str)| query.replace(name, value);
            queries.push(VARIABLES.iter().fold(query.to_owned(), with_values));
        }
    }
    for panel in value["panels"].as_array().into_iter().flatten() {
        collect(panel, queries);
    }
}

async fn ask(client: &Client, prometheus: &str, query: &str) -> Value {
    let base = format!("{prometheus}/api/v1/query");
    let url = Url::parse_with_params(&base, [("query", query)]).expect("a URL");
    let response = client.get(url).send().await.expect("Prometheus answers");
    response.json().await.expect("JSON")
}
