//! Starting and ending the export of spans.

use std::sync::OnceLock;

use anyhow::Context;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Link, SpanKind, TraceId, TracerProvider};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    Sampler, SamplingResult, SdkTracer, SdkTracerProvider, ShouldSample,
};
use url::Url;

use crate::exporter::LoggingExporter;
use crate::headers::CollectorHeaders;

/// The span of a statement that takes events in.
pub(crate) const TAKE_IN_BATCH: &str = "take in batch";

/// The tracer of the process; unset: no spans are made.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// Where spans go, and of which events.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceSettings {
    /// The base URL of the collector, to which `v1/traces` is added. `None`: no spans.
    pub endpoint: Option<Url>,
    /// The headers of requests to the collector.
    pub headers: CollectorHeaders,
    /// The share of events that begin a trace here and are sampled, 0 to 1.
    pub ratio: f64,
}

/// The running export of spans.
pub struct Export(Option<SdkTracerProvider>);

/// Starts the export for a service, once in a process. Without an endpoint no span is made.
pub fn start(settings: &TraceSettings, service: &'static str) -> anyhow::Result<Export> {
    let Some(endpoint) = &settings.endpoint else {
        return Ok(Export(None));
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(traces_url(endpoint))
        .with_headers(settings.headers.0.clone())
        .build()
        .context("cannot export spans")?;
    let provider = SdkTracerProvider::builder()
        .with_resource(resource(service))
        .with_sampler(EventSampler::with_ratio(settings.ratio))
        .with_batch_exporter(LoggingExporter::new(exporter))
        .build();
    let _ = TRACER.set(provider.tracer("webhooks"));
    Ok(Export(Some(provider)))
}

impl Export {
    /// Exports the spans that wait, within some seconds, and ends the export.
    pub async fn end(self) {
        let Some(provider) = self.0 else { return };
        // Blocks, as the exporter's thread does.
        let ended = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        if let Ok(Err(error)) = ended {
            log::warn!("the last spans are not exported: {error}");
        }
    }
}

/// The tracer. `None`: no spans are made.
pub(crate) fn tracer() -> Option<&'static SdkTracer> {
    TRACER.get()
}

/// The URL for spans below a collector's base URL.
fn traces_url(endpoint: &Url) -> String {
    format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/'))
}

/// What describes the process: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`, else the program's name.
fn resource(service: &'static str) -> Resource {
    let mut resource = Resource::builder();
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name(service);
    }
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    resource.with_attribute(version).build()
}

/// Samples what the publisher samples, a share of the other events, and each batch: a batch has a span only if one of
/// the events is sampled.
#[derive(Debug, Clone)]
struct EventSampler(Sampler);

impl EventSampler {
    fn with_ratio(ratio: f64) -> Self {
        let root = Box::new(Sampler::TraceIdRatioBased(ratio));
        Self(Sampler::ParentBased(root))
    }
}

impl ShouldSample for EventSampler {
    fn should_sample(
        &self,
        parent_context: Option<&opentelemetry::Context>,
        trace_id: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let sampler = match name {
            TAKE_IN_BATCH => &Sampler::AlwaysOn,
            _ => &self.0,
        };
        sampler.should_sample(parent_context, trace_id, name, span_kind, attributes, links)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_collector_is_kept() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            (
                "https://otlp.example.com/otlp/",
                "https://otlp.example.com/otlp/v1/traces",
            ),
        ] {
            let endpoint: Url = endpoint.parse().expect("a URL");
            assert_eq!(traces_url(&endpoint), expected);
        }
    }
}
