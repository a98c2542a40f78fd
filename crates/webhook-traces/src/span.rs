//! A span that has begun.

use std::fmt::Display;

use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status};
use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_sdk::trace::{SdkTracer, Span};
use webhook_domain::TraceContext;

use crate::context::{parent_context, place_of};

/// A span that has begun. The span ends with the value.
pub struct OpenSpan {
    /// `None`: no spans are made.
    span: Option<Span>,
    place: Option<TraceContext>,
}

impl OpenSpan {
    /// A place in a trace without a span.
    pub(crate) fn none_at(place: Option<TraceContext>) -> Self {
        Self { span: None, place }
    }

    /// Begins a span in the trace of `parent`, or in a new trace.
    pub(crate) fn begin(
        tracer: &SdkTracer,
        (name, kind): (&'static str, SpanKind),
        parent: Option<TraceContext>,
    ) -> Self {
        let builder = SpanBuilder::from_name(name).with_kind(kind);
        let span = builder.start_with_context(tracer, &parent_context(parent));
        let place = place_of(span.span_context());
        Self {
            span: Some(span),
            place: place.or(parent),
        }
    }

    /// The place of this span in its trace: the parent of spans that begin within.
    pub fn place(&self) -> Option<TraceContext> {
        self.place
    }

    /// Whether the span is exported.
    pub(crate) fn is_sampled(&self) -> bool {
        self.span.as_ref().is_some_and(Span::is_recording)
    }

    /// Links to another span.
    pub(crate) fn link_to(&mut self, other: &Self) {
        if let (Some(span), Some(other)) = (&mut self.span, &other.span) {
            span.add_link(other.span_context().clone(), Vec::new());
        }
    }

    /// Adds attributes, which are made for sampled spans only.
    pub(crate) fn describe<const N: usize>(
        &mut self,
        attributes: impl FnOnce() -> [(&'static str, Value); N],
    ) {
        if let Some(span) = self.span.as_mut().filter(|span| span.is_recording()) {
            let attributes = attributes().into_iter();
            span.set_attributes(
                attributes.map(|(key, value)| KeyValue::new(Key::from(key), value)),
            );
        }
    }

    /// Says that what the span stands for has failed.
    pub fn fail(&mut self, reason: &impl Display) {
        if let Some(span) = self.span.as_mut().filter(|span| span.is_recording()) {
            span.set_status(Status::error(reason.to_string()));
        }
    }
}
