//! A place in a trace as the domain knows it, and as OpenTelemetry does.

use std::num::{NonZeroU64, NonZeroU128};

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use webhook_domain::TraceContext;

/// The context of a span whose parent has this place. `None`: the span begins a trace.
pub(crate) fn parent_context(place: Option<TraceContext>) -> Context {
    let Some(place) = place else {
        return Context::new();
    };
    Context::new().with_remote_span_context(SpanContext::new(
        TraceId::from(place.trace_id.get()),
        SpanId::from(place.span_id.get()),
        TraceFlags::new(place.flags),
        true,
        TraceState::NONE,
    ))
}

/// The place of a span.
pub(crate) fn place_of(span: &SpanContext) -> Option<TraceContext> {
    Some(TraceContext {
        trace_id: NonZeroU128::new(u128::from_be_bytes(span.trace_id().to_bytes()))?,
        span_id: NonZeroU64::new(u64::from_be_bytes(span.span_id().to_bytes()))?,
        flags: span.trace_flags().to_u8(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_goes_to_opentelemetry_and_back() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let place = TraceContext::parse(text).expect("a traceparent");

        let context = parent_context(Some(place));

        assert_eq!(place_of(context.span().span_context()), Some(place));
        assert_eq!(place_of(&SpanContext::NONE), None);
    }
}
