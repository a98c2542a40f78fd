//! A metric: the declaration, and how code counts.

use std::sync::OnceLock;

/// A process that has the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// `webhook-api`.
    Api,
    /// `webhook-dispatcher`.
    Dispatcher,
}

/// How the values of a metric behave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only grows, from 0 at the start of the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts measured values in buckets with these upper bounds.
    Histogram(&'static [f64]),
}

/// A label of a metric, with every possible value.
#[derive(Debug, Clone, Copy)]
pub struct Label {
    /// The name.
    pub name: &'static str,
    /// The values. Empty: the ids of webhooks.
    pub values: &'static [&'static str],
}

/// The declaration of a metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The name, with the unit at its end.
    pub name: &'static str,
    /// How the values behave.
    pub kind: Kind,
    /// The processes with the metric.
    pub services: &'static [Service],
    /// The labels.
    pub labels: &'static [Label],
    /// The meaning, for the table and for Prometheus.
    pub meaning: &'static str,
}

impl Metric {
    const fn new(
        name: &'static str,
        kind: Kind,
        services: &'static [Service],
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            services,
            labels: &[],
            meaning,
        }
    }

    /// Every combination of the values of the labels: one empty combination without labels, none for
    /// labels with open values.
    pub fn combinations(&self) -> Vec<Vec<&'static str>> {
        let start = vec![Vec::new()];
        self.labels.iter().fold(start, |combinations, label| {
            let longer = |combination: Vec<&'static str>| {
                let values = label.values.iter();
                values.map(move |value| [combination.as_slice(), &[*value]].concat())
            };
            combinations.into_iter().flat_map(longer).collect()
        })
    }

    /// The lines on the page for a combination of label values.
    pub fn lines_per_series(&self) -> usize {
        match self.kind {
            Kind::Counter | Kind::Gauge => 1,
            // Each bound, the bucket without a bound, the sum and the count.
            Kind::Histogram(bounds) => bounds.len() + 3,
        }
    }

    /// The place of a combination in [`combinations`](Self::combinations). `None`: a value is not declared.
    fn place(&self, values: &[&'static str]) -> Option<usize> {
        debug_assert_eq!(self.labels.len(), values.len(), "labels of {}", self.name);
        let mut labels = self.labels.iter().zip(values);
        labels.try_fold(0, |place, (label, value)| {
            let value = label.values.iter().position(|known| known == value);
            debug_assert!(value.is_some(), "{} of {}", label.name, self.name);
            Some(place * label.values.len() + value?)
        })
    }

    fn labelled(&self, values: &[&'static str]) -> Vec<metrics::Label> {
        let named = self.labels.iter().zip(values);
        let named =
            named.map(|(label, value)| metrics::Label::from_static_parts(label.name, value));
        named.collect()
    }
}

/// An entry of the catalogue.
#[derive(Clone, Copy)]
pub enum Entry {
    /// A counter.
    Counter(&'static Counter),
    /// A gauge.
    Gauge(&'static Gauge),
    /// A histogram.
    Histogram(&'static Histogram),
}

impl Entry {
    /// The declaration.
    pub const fn metric(self) -> &'static Metric {
        match self {
            Self::Counter(counter) => &counter.metric,
            Self::Gauge(gauge) => &gauge.metric,
            Self::Histogram(histogram) => &histogram.metric,
        }
    }
}

/// A metric with a handle for each series: counting takes no look-up. Counts nothing before the service has
/// [registered](crate::register) its metrics.
pub struct Prepared<H> {
    metric: Metric,
    /// One for each combination of label values, in the order of the combinations.
    handles: OnceLock<Vec<H>>,
}

/// A metric that only grows.
pub type Counter = Prepared<metrics::Counter>;

/// A metric of measured values.
pub type Histogram = Prepared<metrics::Histogram>;

impl<H> Prepared<H> {
    const fn of(metric: Metric) -> Self {
        Self {
            metric,
            handles: OnceLock::new(),
        }
    }

    pub(crate) const fn by(mut self, labels: &'static [Label]) -> Self {
        self.metric.labels = labels;
        self
    }

    fn prepare(&self, make: impl Fn(&'static str, Vec<metrics::Label>) -> H) {
        self.handles.get_or_init(|| {
            let combinations = self.metric.combinations().into_iter();
            let handles =
                combinations.map(|values| make(self.metric.name, self.metric.labelled(&values)));
            handles.collect()
        });
    }

    fn handle(&self, values: &[&'static str]) -> Option<&H> {
        self.handles.get()?.get(self.metric.place(values)?)
    }
}

impl Counter {
    pub(crate) const fn new(
        name: &'static str,
        services: &'static [Service],
        meaning: &'static str,
    ) -> Self {
        Self::of(Metric::new(name, Kind::Counter, services, meaning))
    }

    pub(crate) fn register(&self) {
        self.prepare(|name, labels| {
            let counter = metrics::counter!(name, labels);
            counter.increment(0);
            counter
        });
    }

    /// Adds to a counter without labels.
    pub fn add(&self, count: u64) {
        self.add_for(&[], count);
    }

    /// Adds to the series with these values of the labels, in the order of the declaration.
    pub fn add_for(&self, values: &[&'static str], count: u64) {
        if let Some(counter) = self.handle(values) {
            counter.increment(count);
        }
    }

    /// Adds to the series of a webhook: the first label is the webhook's id.
    pub fn add_for_webhook(&self, webhook_id: String, values: &[&'static str], count: u64) {
        let names = self.metric.labels.iter().map(|label| label.name);
        let values = values.iter().copied().map(metrics::SharedString::const_str);
        let values = std::iter::once(webhook_id.into()).chain(values);
        let labels: Vec<metrics::Label> = names
            .zip(values)
            .map(|(name, value)| metrics::Label::new(name, value))
            .collect();
        metrics::counter!(self.metric.name, labels).increment(count);
    }
}

/// A metric that goes up and down.
pub struct Gauge {
    metric: Metric,
}

impl Gauge {
    pub(crate) const fn new(
        name: &'static str,
        services: &'static [Service],
        meaning: &'static str,
    ) -> Self {
        Self {
            metric: Metric::new(name, Kind::Gauge, services, meaning),
        }
    }

    pub(crate) const fn by(mut self, labels: &'static [Label]) -> Self {
        self.metric.labels = labels;
        self
    }

    /// Sets a gauge without labels.
    pub fn set(&self, value: f64) {
        self.set_for(&[], value);
    }

    /// Sets the series with these values of the labels, in the order of the declaration.
    pub fn set_for(&self, values: &[&'static str], value: f64) {
        metrics::gauge!(self.metric.name, self.metric.labelled(values)).set(value);
    }

    /// Sets a gauge to a number of things.
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn set_count(&self, count: usize) {
        self.set(count as f64);
    }

    /// Sets the series with these values of the labels to a number of things.
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn set_count_for(&self, values: &[&'static str], count: usize) {
        self.set_for(values, count as f64);
    }

    /// Sets every series to NaN: another process knows the values. Functions such as `max` pass over NaN.
    pub fn forget(&self) {
        for combination in self.metric.combinations() {
            self.set_for(&combination, f64::NAN);
        }
    }
}

impl Histogram {
    pub(crate) const fn new(
        name: &'static str,
        bounds: &'static [f64],
        services: &'static [Service],
        meaning: &'static str,
    ) -> Self {
        Self::of(Metric::new(
            name,
            Kind::Histogram(bounds),
            services,
            meaning,
        ))
    }

    pub(crate) fn register(&self) {
        self.prepare(|name, labels| metrics::histogram!(name, labels));
    }

    /// Adds a measured value, in a histogram without labels.
    pub fn record(&self, value: f64) {
        self.record_for(&[], value);
    }

    /// Adds a measured value to the series with these values of the labels, in the order of the declaration.
    pub fn record_for(&self, values: &[&'static str], value: f64) {
        if let Some(histogram) = self.handle(values) {
            histogram.record(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: Metric = Metric {
        name: "webhook_test_total",
        kind: Kind::Counter,
        services: &[Service::Api],
        labels: &[
            Label {
                name: "first",
                values: &["a", "b"],
            },
            Label {
                name: "second",
                values: &["x", "y"],
            },
        ],
        meaning: "",
    };

    #[test]
    fn each_value_is_combined_with_each_other() {
        let expected = [["a", "x"], ["a", "y"], ["b", "x"], ["b", "y"]];

        assert_eq!(TWO.combinations(), expected);
    }

    #[test]
    fn a_metric_without_labels_has_a_single_series() {
        let plain = Metric { labels: &[], ..TWO };

        assert_eq!(plain.combinations(), [[""; 0]]);
    }
}
