//! The table of all metrics, for `docs/metrics.md`: `cargo run -p webhook-metrics --example table`.

use std::fmt::Write;

use crate::catalogue::ALL;
use crate::metric::{Kind, Metric, Service};

/// The table of all metrics in Markdown, a row per metric.
pub fn table() -> String {
    let mut text =
        "| metric | type | service | labels | meaning |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
    for entry in ALL {
        let metric = entry.metric();
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        // Writing to a String never fails.
        let _ = writeln!(
            text,
            "| `{}` | {kind} | {} | {} | {} |",
            metric.name,
            services(metric),
            labels(metric),
            metric.meaning
        );
    }
    text
}

fn services(metric: &Metric) -> &'static str {
    match metric.services {
        [Service::Api] => "API",
        [Service::Dispatcher] => "dispatcher",
        _ => "both",
    }
}

/// The labels with their values, `version` or the id of a webhook without.
fn labels(metric: &Metric) -> String {
    let labels = metric.labels.iter().map(|label| {
        if label.values.is_empty() {
            return format!("`{}`", label.name);
        }
        format!("`{}`: {}", label.name, label.values.join(", "))
    });
    labels.collect::<Vec<String>>().join("; ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_document_has_the_table_of_the_catalogue() {
        let document = include_str!("../../../docs/metrics.md");

        let (_, written) = document.split_once("<!-- table -->\n").expect("the mark");
        assert_eq!(written, super::table());
    }
}
