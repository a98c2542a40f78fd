//! The header `traceparent` of a message: the place of the event in a trace.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use webhook_domain::TraceContext;

use crate::rejection::header;

/// The name of the header, as in HTTP.
const TRACE_PARENT: &str = "traceparent";

/// Reads the place in a trace that a publisher named. Another text counts as none.
pub(crate) fn read_trace(properties: &BasicProperties) -> Option<TraceContext> {
    TraceContext::parse(&header(properties, TRACE_PARENT)?)
}

/// The headers of an event's message.
pub(crate) fn trace_headers(trace: Option<TraceContext>) -> FieldTable {
    let mut headers = FieldTable::default();
    if let Some(trace) = trace {
        let value = AMQPValue::LongString(trace.to_string().into());
        headers.insert(TRACE_PARENT.into(), value);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_goes_through_the_header_and_another_text_is_none() {
        let trace = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let read = |headers| read_trace(&BasicProperties::default().with_headers(headers));
        let mut other = FieldTable::default();
        other.insert(TRACE_PARENT.into(), AMQPValue::LongString("none".into()));

        assert!(trace.is_some());
        assert_eq!(read(trace_headers(trace)), trace);
        assert_eq!(read(trace_headers(None)), None);
        assert_eq!(read(other), None);
    }
}
