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
