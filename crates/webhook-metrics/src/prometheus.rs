//! The page for Prometheus.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::catalogue::{self, BUILD_INFO};
use crate::metric::{Entry, Kind, Service};

/// The metrics of the process: a single set, also for several services in a test. `None`: the process has
/// another recorder.
static PAGE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// How often [`keep_up`] must be called: samples of histograms wait in memory until then.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Sets every counter of a service to 0, describes every metric, and names the build. A second call, for
/// example for a second service in a test, adds the metrics of its service.
pub fn register(service: Service, version: &'static str) {
    PAGE.get_or_init(|| match install() {
        Ok(page) => Some(page),
        Err(error) => {
            log::warn!("no metrics: {error}");
            None
        }
    });
    for entry in catalogue::of(service) {
        let (name, meaning) = (entry.metric().name, entry.metric().meaning);
        match entry {
            Entry::Counter(counter) => {
                metrics::describe_counter!(name, meaning);
                counter.register();
            }
            Entry::Gauge(_) => metrics::describe_gauge!(name, meaning),
            Entry::Histogram(histogram) => {
                metrics::describe_histogram!(name, meaning);
                histogram.register();
            }
        }
    }
    BUILD_INFO.set_for(&[version], 1.0);
}

/// The page: every series in Prometheus' text format. Empty before [`register`].
pub fn render() -> String {
    let page = PAGE.get().and_then(Option::as_ref);
    page.map(PrometheusHandle::render).unwrap_or_default()
}

/// Sorts waiting samples into the buckets of histograms, for as long as the task lives.
pub async fn keep_up(mut sleep: impl AsyncFnMut(Duration)) {
    loop {
        sleep(UPKEEP_INTERVAL).await;
        if let Some(Some(page)) = PAGE.get() {
            page.run_upkeep();
        }
    }
}

fn install() -> Result<PrometheusHandle, metrics_exporter_prometheus::BuildError> {
    let mut builder = PrometheusBuilder::new();
    for entry in catalogue::ALL {
        let metric = entry.metric();
        if let Kind::Histogram(bounds) = metric.kind {
            let matcher = Matcher::Full(metric.name.to_owned());
            builder = builder.set_buckets_for_metric(matcher, bounds)?;
        }
    }
    builder.install_recorder()
}
