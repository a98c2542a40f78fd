//! An exporter that says in the log when spans no longer arrive, and when they arrive again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// The exporter with a line in the log for each change: a collector that is down for a day is one line.
#[derive(Debug)]
pub(crate) struct LoggingExporter<E> {
    exporter: E,
    fails: AtomicBool,
}

impl<E> LoggingExporter<E> {
    pub(crate) fn new(exporter: E) -> Self {
        Self {
            exporter,
            fails: AtomicBool::new(false),
        }
    }
}

impl<E: SpanExporter> SpanExporter for LoggingExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let exported = self.exporter.export(batch).await;
        let failed_before = self.fails.swap(exported.is_err(), Ordering::Relaxed);
        match &exported {
            Err(error) if !failed_before => {
                log::warn!(
                    "cannot export spans, {count} are lost, and more until the next line: {error}"
                );
            }
            Ok(()) if failed_before => log::info!("spans are exported again"),
            Ok(()) | Err(_) => {}
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
